-- 40-counters-fill.sql: verify, backfill and repair.

--| What is stored against what a count says; no rows when every number and counter is right. Sees every row, whatever the
--| row-level security policies. Looks at all conversations, at one, or at a random share of them (sample, more than 0 up to 1);
--| conversations that backfill has yet to fill are passed over.
--| counter is the counter's name, or 'duplicate number', 'unnumbered messages', 'unknown conversation', or 'trigger …' for a
--| trigger of chatopt that is missing or switched off. Where reads are tracked it is also 'read head', 'membership', 'members',
--| 'slot', 'position', 'own messages', 'unread mark', 'mention', 'removed numbers', 'uncounted numbers' (stored: those too many, actual: those
--| too few), 'skipped counts' or 'reads of no conversation'.
--@ cost: one scan of messages and members, two more of messages in order of their numbers where reads are tracked; with
--@ conversation or a small sample, of their messages only
--@ locks: ACCESS SHARE
--@ errors: 22004 22023 22P02 42501 55000
CREATE FUNCTION chatopt.verify(
    messages regclass, INOUT conversation text DEFAULT NULL, sample float8 DEFAULT 1.0,
    OUT counter text, OUT stored text, OUT actual text)
  RETURNS SETOF record
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'chatopt_verify';
COMMENT ON FUNCTION chatopt.verify(regclass, text, float8) IS
  'compares every number and counter with a count: no rows when all are right. For the owner of messages and counters '
  '(42501); scans messages, or only those of one conversation or of a sample. Errors: 55000 not attached, 22P02 malformed key';

--| Builds the indexes that attach left out on large tables, and attaches again: CREATE INDEX CONCURRENTLY in a background worker,
--| as the owner of messages. Gives the worker's process id, NULL where no index is missing; returns at once. Meanwhile the view
--| pg_stat_progress_create_index shows how far it is; chats.state is 'index missing' until it is done. Stopped, or failed (the
--| server log says why), it can be called again.
--@ cost: two scans of the table, in the background; one of max_worker_processes
--@ locks: SHARE UPDATE EXCLUSIVE on messages, then those of attach
--@ errors: 42501 53000 55000 57P03
CREATE FUNCTION chatopt.build_indexes(messages regclass) RETURNS integer
  LANGUAGE c VOLATILE STRICT
  AS 'MODULE_PATHNAME', 'chatopt_build_indexes';
COMMENT ON FUNCTION chatopt.build_indexes(regclass) IS
  'builds in the background the indexes that attach left out on large tables, then attaches again; gives the worker''s process id, '
  'NULL where none is missing. For the owner. Errors: 53000 no background worker is free, 55000 not attached';

--| Numbers the messages that were there before attach, oldest first by time and key, and fills the counters, in transactions of
--| batch_size messages, while the application goes on. Stopped, it goes on where it was when called again. Ends with state 'attached'.
--| Where reads are tracked it then goes through the conversations that they do not know yet, or not any more: their members join at
--| the last number and have read up to there; positions that are there stay. Ends with state 'tracked' in chatopt.reads.
--@ cost: one new row version a message; a conversation's senders wait only for its last batch and its count; for reads, one read of
--@ the messages by index, a conversation's senders waiting for one batch of it at a time, and one row a member
--@ locks: ROW EXCLUSIVE; a conversation's counter row during its last batch
--@ errors: 22004 22023 25001 42501 55000
CREATE PROCEDURE chatopt.backfill(messages regclass, batch_size int DEFAULT 10000)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_backfill';
COMMENT ON PROCEDURE chatopt.backfill(regclass, int) IS
  'numbers existing messages, oldest first, fills the counters, then the reads where they are tracked, committing in batches; call it again to go on. For the owner. '
  'Errors: 25001 in a transaction block, 55000 not attached, disabled or index missing';

--| Puts right what verify reports, conversation by conversation: counts afresh, numbers messages that have no number, and gives the
--| later of two messages with one number the next one. Fires no trigger. Where reads are tracked, skipped numbers are worked out
--| afresh; missing members join at the last number, memberships of nobody end there; positions that cannot be are lowered, never
--| raised but over own messages; of two members with one slot the later gets a new one. Changes nothing else.
--@ cost: one verify, then a count of each conversation that has drifted
--@ locks: ROW EXCLUSIVE; the counter row of the conversation being repaired
--@ errors: 22004 25001 42501 55000
CREATE PROCEDURE chatopt.repair(messages regclass)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_repair';
COMMENT ON PROCEDURE chatopt.repair(regclass) IS
  'puts right what chatopt.verify reports, conversation by conversation, each in its own transaction. For the owner. '
  'Errors: 25001 in a transaction block, 55000 not attached or disabled';
