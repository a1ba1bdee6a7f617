-- 71-reads-functions.sql: the functions that applications call: marks, unread counts and receipts.
--
-- Functions with two keys exist three times, (anyelement, anycompatible), (text, text) and (text, anyelement), with one key twice: so
-- typed arguments, untyped parameters and NULLs all resolve. A key of another type is converted through its text form. None has a
-- SET clause: they look up no name, and it would cost more than a mark does.

CREATE FUNCTION chatopt.guard_reads() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_guard_reads';
COMMENT ON FUNCTION chatopt.guard_reads() IS
  'BEFORE trigger of a read state table: plain SQL may only move positions of open memberships forward, up to the last message, and the '
  'owner may delete closed memberships. Raises 428C9 for anything else, 55000 where the table is not tracked';

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

--| Marks every message of a conversation up to a number as delivered to a member. Gives the member's delivered position after the
--| call: it never goes back, and goes no further than the last message. NULL for somebody who is no member (any more), for an unknown
--| conversation, and where a key is NULL; then nothing is changed. Doing it twice is the same as doing it once.
--@ cost: one look-up and at most one row version; no counter is locked, no other member waits
--@ locks: the row of the read state, until the transaction ends
--@ errors: 22003 22004 22P02 40001 42501 55000
CREATE FUNCTION chatopt.mark_delivered(messages regclass, conversation anyelement, member anycompatible, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_delivered';
COMMENT ON FUNCTION chatopt.mark_delivered(regclass, anyelement, anycompatible, bigint) IS
  'marks messages up to a number as delivered to a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

CREATE FUNCTION chatopt.mark_delivered(messages regclass, conversation text, member text, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_delivered';
COMMENT ON FUNCTION chatopt.mark_delivered(regclass, text, text, bigint) IS
  'marks messages up to a number as delivered to a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

CREATE FUNCTION chatopt.mark_delivered(messages regclass, conversation text, member anyelement, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_delivered';
COMMENT ON FUNCTION chatopt.mark_delivered(regclass, text, anyelement, bigint) IS
  'marks messages up to a number as delivered to a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

--| Marks every message of a conversation up to a number as read by a member, and so as delivered. Gives the read position after the
--| call, as mark_delivered does; an unread mark up to the number goes.
--@ cost: as mark_delivered, and one look for an unread mark
--@ locks: the row of the read state, until the transaction ends
--@ errors: 22003 22004 22P02 40001 42501 55000
CREATE FUNCTION chatopt.mark_read(messages regclass, conversation anyelement, member anycompatible, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_read';
COMMENT ON FUNCTION chatopt.mark_read(regclass, anyelement, anycompatible, bigint) IS
  'marks messages up to a number as read by a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

CREATE FUNCTION chatopt.mark_read(messages regclass, conversation text, member text, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_read';
COMMENT ON FUNCTION chatopt.mark_read(regclass, text, text, bigint) IS
  'marks messages up to a number as read by a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

CREATE FUNCTION chatopt.mark_read(messages regclass, conversation text, member anyelement, upto bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_read';
COMMENT ON FUNCTION chatopt.mark_read(regclass, text, anyelement, bigint) IS
  'marks messages up to a number as read by a member; gives the position, which never goes back; NULL for a non-member. Needs UPDATE on the read state''s positions';

--| Lets a member see the messages from a number on as unread again. Receipts stay as they are: what has been seen has been seen.
--| Gives the position that unread is counted from: the number before, at least where the member joined, at most the read position.
--| mark_read and sending end it. NULL as mark_delivered.
--@ cost: two look-ups and a row
--@ locks: the row of the read state, until the transaction ends
--@ errors: 22003 22004 22P02 40001 42501 55000
CREATE FUNCTION chatopt.mark_unread(messages regclass, conversation anyelement, member anycompatible, from_seq bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_unread';
COMMENT ON FUNCTION chatopt.mark_unread(regclass, anyelement, anycompatible, bigint) IS
  'counts messages from a number on as unread for a member again, and leaves receipts alone; gives the position unread is counted from; NULL for a non-member';

CREATE FUNCTION chatopt.mark_unread(messages regclass, conversation text, member text, from_seq bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_unread';
COMMENT ON FUNCTION chatopt.mark_unread(regclass, text, text, bigint) IS
  'counts messages from a number on as unread for a member again, and leaves receipts alone; gives the position unread is counted from; NULL for a non-member';

CREATE FUNCTION chatopt.mark_unread(messages regclass, conversation text, member anyelement, from_seq bigint)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_mark_unread';
COMMENT ON FUNCTION chatopt.mark_unread(regclass, text, anyelement, bigint) IS
  'counts messages from a number on as unread for a member again, and leaves receipts alone; gives the position unread is counted from; NULL for a non-member';

--| Marks one message as delivered to, or read by, a member, out of order: for clients that do not receive in order. status is
--| 'delivered', 'seen' or 'read'; 'sent' changes nothing. Messages after it stay as they are; the position moves on as soon as
--| all before are marked. Gives the delivered or read position. A number that is no message's changes nothing; NULL as mark_delivered.
--@ cost: a row for each member and 4,096 numbers with such marks, gone when the position passes them
--@ locks: the row of the read state, until the transaction ends
--@ errors: 22003 22004 22023 22P02 40001 42501 55000
CREATE FUNCTION chatopt.ack_message(messages regclass, conversation anyelement, member anycompatible, seq bigint, status text)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_ack_message';
COMMENT ON FUNCTION chatopt.ack_message(regclass, anyelement, anycompatible, bigint, text) IS
  'marks one message as delivered to or read by a member, out of order; gives the position; NULL for a non-member. Raises 22023 for an unknown status';

CREATE FUNCTION chatopt.ack_message(messages regclass, conversation text, member text, seq bigint, status text)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_ack_message';
COMMENT ON FUNCTION chatopt.ack_message(regclass, text, text, bigint, text) IS
  'marks one message as delivered to or read by a member, out of order; gives the position; NULL for a non-member. Raises 22023 for an unknown status';

CREATE FUNCTION chatopt.ack_message(messages regclass, conversation text, member anyelement, seq bigint, status text)
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_ack_message';
COMMENT ON FUNCTION chatopt.ack_message(regclass, text, anyelement, bigint, text) IS
  'marks one message as delivered to or read by a member, out of order; gives the position; NULL for a non-member. Raises 22023 for an unknown status';

--| How many messages of a conversation a member has not read: those after the read position, or the unread mark, that are counted
--| by message_counted, still there, and not the member's own. Exact after deletes, recalls and purges. NULL for a non-member and an
--| unknown conversation, and until CALL chatopt.backfill has filled the conversation in.
--@ cost: at most eight look-ups, however long the conversation and however much is unread
--@ errors: 22003 22004 22P02 42501 55000
CREATE FUNCTION chatopt.unread_count(messages regclass, conversation anyelement, member anycompatible)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_count';
COMMENT ON FUNCTION chatopt.unread_count(regclass, anyelement, anycompatible) IS
  'how many messages of a conversation a member has not read; exact; NULL for a non-member. Needs SELECT on the read state';

CREATE FUNCTION chatopt.unread_count(messages regclass, conversation text, member text)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_count';
COMMENT ON FUNCTION chatopt.unread_count(regclass, text, text) IS
  'how many messages of a conversation a member has not read; exact; NULL for a non-member. Needs SELECT on the read state';

CREATE FUNCTION chatopt.unread_count(messages regclass, conversation text, member anyelement)
  RETURNS bigint LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_count';
COMMENT ON FUNCTION chatopt.unread_count(regclass, text, anyelement) IS
  'how many messages of a conversation a member has not read; exact; NULL for a non-member. Needs SELECT on the read state';

--| The unread counts of a member in all conversations, in the order of their keys; unread is NULL where unread_count is. last_read is
--| the position unread is counted from, last_sequence the last number of the conversation; mentions is what mention_count gives, NULL
--| where mentions are not kept.
--@ cost: one range of the read state, and some look-ups a conversation
--@ errors: 22003 22004 22P02 42501 55000
CREATE FUNCTION chatopt.unread_counts(messages regclass, member anyelement)
  RETURNS TABLE (conversation text, unread bigint, last_read bigint, last_sequence bigint, mentions bigint) LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_counts';
COMMENT ON FUNCTION chatopt.unread_counts(regclass, anyelement) IS
  'a member''s unread count in each of their conversations; exact. Needs SELECT on the read state';

CREATE FUNCTION chatopt.unread_counts(messages regclass, member text)
  RETURNS TABLE (conversation text, unread bigint, last_read bigint, last_sequence bigint, mentions bigint) LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_unread_counts';
COMMENT ON FUNCTION chatopt.unread_counts(regclass, text) IS
  'a member''s unread count in each of their conversations; exact. Needs SELECT on the read state';

--| Applies a batch of receipts, given as arrays of one length: entry i marks conversation i as 'delivered' or 'read' ('seen') up to
--| number i for member i, as mark_delivered and mark_read do; 'sent' changes nothing, NULLs, unknown conversations and non-members are
--| passed over. Entries may come in any order and more than once. Gives how many memberships moved. Drivers that do not know the type of
--| the keys may send an array of them as text, '{…}'.
--@ cost: a look-up and at most one row version for each member of a conversation in it
--@ locks: the rows of the read state it moves, in the order of conversation and member, until the transaction ends
--@ errors: 2202E 22003 22004 22023 22P02 40001 42501 55000
CREATE FUNCTION chatopt.apply_receipts(messages regclass, conversations anyarray, members anycompatiblearray, upto bigint[], status text[])
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_apply_receipts';
COMMENT ON FUNCTION chatopt.apply_receipts(regclass, anyarray, anycompatiblearray, bigint[], text[]) IS
  'applies a batch of receipts given as arrays of one length, in any order; gives how many memberships moved. Needs UPDATE on the read state''s positions. Raises 2202E where lengths differ, 22023 for an unknown status';

CREATE FUNCTION chatopt.apply_receipts(messages regclass, conversations text, members text, upto bigint[], status text[])
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_apply_receipts';
COMMENT ON FUNCTION chatopt.apply_receipts(regclass, text, text, bigint[], text[]) IS
  'applies a batch of receipts given as arrays of one length, in any order; gives how many memberships moved. Needs UPDATE on the read state''s positions. Raises 2202E where lengths differ, 22023 for an unknown status';

CREATE FUNCTION chatopt.apply_receipts(messages regclass, conversations text, members anyarray, upto bigint[], status text[])
  RETURNS bigint LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_apply_receipts';
COMMENT ON FUNCTION chatopt.apply_receipts(regclass, text, anyarray, bigint[], text[]) IS
  'applies a batch of receipts given as arrays of one length, in any order; gives how many memberships moved. Needs UPDATE on the read state''s positions. Raises 2202E where lengths differ, 22023 for an unknown status';
