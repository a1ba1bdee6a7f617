-- 74-reads-mentions.sql: who is mentioned by messages they have not read.

CREATE FUNCTION chatopt.save_mentions(messages regclass, mentions regclass, mention_table regclass)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_save_mentions';
COMMENT ON FUNCTION chatopt.save_mentions(regclass, regclass, regclass) IS
  'writes into the configuration which table keeps whom a chat''s messages mention, NULL for none, and which table of the application''s says '
  'so, NULL for a column of messages; for chatopt.track_reads, and for the statements its dry run prints. The caller must own all tables (42501)';

CREATE FUNCTION chatopt.mentions_changed() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_mentions_changed';
COMMENT ON FUNCTION chatopt.mentions_changed() IS
  'trigger of an application''s table of mentions: has chatopt keep whom messages mention. Locks the counters of their conversations. Raises '
  '55000 where the table is not tracked, 40001 as writes of messages do';

--| How many unread messages of a conversation mention a member: of those that unread_count counts, or would if the member had not sent
--| them, the ones with the member among their mentions. A message that is deleted, moved or counts no longer takes its mentions along, and
--| brings them back. NULL where unread_count is, and until CALL chatopt.backfill has been through the conversation.
--@ cost: as unread_count, and at most one look at the skipped numbers for each unread mention
--@ errors: 22003 22004 22P02 42501 55000
CREATE FUNCTION chatopt.mention_count(messages regclass, conversation anyelement, member anycompatible)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_mention_count';
COMMENT ON FUNCTION chatopt.mention_count(regclass, anyelement, anycompatible) IS
  'how many unread messages of a conversation mention a member; exact; NULL for a non-member. Needs SELECT on the read state. Raises 55000 where mentions are not kept';

CREATE FUNCTION chatopt.mention_count(messages regclass, conversation text, member text)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_mention_count';
COMMENT ON FUNCTION chatopt.mention_count(regclass, text, text) IS
  'how many unread messages of a conversation mention a member; exact; NULL for a non-member. Needs SELECT on the read state. Raises 55000 where mentions are not kept';

CREATE FUNCTION chatopt.mention_count(messages regclass, conversation text, member anyelement)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_mention_count';
COMMENT ON FUNCTION chatopt.mention_count(regclass, text, anyelement) IS
  'how many unread messages of a conversation mention a member; exact; NULL for a non-member. Needs SELECT on the read state. Raises 55000 where mentions are not kept';

--| The numbers of these messages, ascending; none where mention_count is NULL.
--@ cost: as mention_count
--@ errors: 22003 22004 22P02 42501 55000
CREATE FUNCTION chatopt.unread_mentions(messages regclass, conversation anyelement, member anycompatible)
  RETURNS SETOF bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_mentions';
COMMENT ON FUNCTION chatopt.unread_mentions(regclass, anyelement, anycompatible) IS
  'the numbers of the unread messages of a conversation that mention a member, ascending. Needs SELECT on the read state. Raises 55000 where mentions are not kept';

CREATE FUNCTION chatopt.unread_mentions(messages regclass, conversation text, member text)
  RETURNS SETOF bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_mentions';
COMMENT ON FUNCTION chatopt.unread_mentions(regclass, text, text) IS
  'the numbers of the unread messages of a conversation that mention a member, ascending. Needs SELECT on the read state. Raises 55000 where mentions are not kept';

CREATE FUNCTION chatopt.unread_mentions(messages regclass, conversation text, member anyelement)
  RETURNS SETOF bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_mentions';
COMMENT ON FUNCTION chatopt.unread_mentions(regclass, text, anyelement) IS
  'the numbers of the unread messages of a conversation that mention a member, ascending. Needs SELECT on the read state. Raises 55000 where mentions are not kept';
