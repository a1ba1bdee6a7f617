-- 71-reads-functions.sql: the C functions of the reads module.
--
-- guard_reads stays executable by everybody, as the triggers' functions of the counters do; it does nothing on a table that
-- is not tracked.

CREATE FUNCTION chatopt.guard_reads() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_guard_reads';
COMMENT ON FUNCTION chatopt.guard_reads() IS
  'BEFORE INSERT OR UPDATE OR DELETE trigger of a read-state table: plain SQL may only raise delivered_seq and read_seq of a '
  'present member, not beyond the conversation''s last number, and the table''s owner may delete rows of former members. '
  'Raises 428C9 for anything else, 55000 where the table is not tracked';

CREATE FUNCTION chatopt.save_reads(
    messages regclass, read_state regclass, read_heads regclass, skipped_numbers regclass, read_marks regclass,
    own_messages text, state text, undo jsonb)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_save_reads';
COMMENT ON FUNCTION chatopt.save_reads(regclass, regclass, regclass, regclass, regclass, text, text, jsonb) IS
  'writes into the configuration that the reads of a chat are tracked; for chatopt.track_reads, and for the statements its dry run '
  'prints. The caller must own every table named (42501)';

CREATE FUNCTION chatopt.forget_reads(messages regclass)
  RETURNS void LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_forget_reads';
COMMENT ON FUNCTION chatopt.forget_reads(regclass) IS
  'takes the tracking of a chat''s reads out of the configuration. The caller must own the messages table (42501), if there still is one';

CREATE FUNCTION chatopt.reads_config(messages regclass)
  RETURNS chatopt.read_tracking LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_reads_config';
COMMENT ON FUNCTION chatopt.reads_config(regclass) IS
  'the configuration of a chat whose reads are tracked, NULL where they are not. Needs SELECT on messages (42501)';
