-- 75-reads-receipts.sql: receipts out of positions, the policy on them, and the log of when positions moved.
--
-- Overloads and conversions are those of 71-reads-functions.sql.

CREATE FUNCTION chatopt.save_read_log(messages regclass, read_log regclass)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_save_read_log';
COMMENT ON FUNCTION chatopt.save_read_log(regclass, regclass) IS
  'writes into the configuration which table keeps when positions moved, NULL for none; for chatopt.track_reads, and for the statements '
  'its dry run prints. The caller must own both tables (42501)';

--| The receipts of one message: who was a member when it was sent, but for the sender, to whom it was delivered and who has seen it, as
--| sets of slots (column slot of the read state). Who has left since stays a recipient, with the state they left with; present_only
--| leaves them out. NULL for a number that is no message's or of one that the caller may not see, in conversations above the policy's
--| small size, and where chatopt.backfill has not been through. Members whom row-level security hides from the caller are left out.
--@ cost: one scan of the conversation's members
--@ errors: 22004 22P02 42501 55000
CREATE FUNCTION chatopt.receipts(messages regclass, conversation anyelement, seq bigint, present_only boolean DEFAULT false)
  RETURNS @extschema@.group_receipts LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_receipts';
COMMENT ON FUNCTION chatopt.receipts(regclass, anyelement, bigint, boolean) IS
  'who should get a message, who has it and who has seen it, as slots of the read state; NULL where there is no such message or the conversation is too large. Needs SELECT on the read state and the message';

CREATE FUNCTION chatopt.receipts(messages regclass, conversation text, seq bigint, present_only boolean DEFAULT false)
  RETURNS @extschema@.group_receipts LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'chatopt_reads_receipts';
COMMENT ON FUNCTION chatopt.receipts(regclass, text, bigint, boolean) IS
  'who should get a message, who has it and who has seen it, as slots of the read state; NULL where there is no such message or the conversation is too large. Needs SELECT on the read state and the message';

--| For each number of a range: to how many a message went, to how many it was delivered, how many have seen it. Counts are of all
--| members, as nobody is named. NULLs for numbers that are no message's or of one that the caller may not see, in conversations above
--| the policy's large size, and where chatopt.backfill has not been through. Numbers that were never given are left out.
--@ cost: one scan of the members and one of the messages of the range
--@ errors: 22004 22P02 42501 54000 55000
CREATE FUNCTION chatopt.receipt_counts(messages regclass, conversation anyelement, from_seq bigint, to_seq bigint)
  RETURNS TABLE (seq bigint, recipients bigint, delivered bigint, seen bigint) LANGUAGE c STABLE PARALLEL SAFE ROWS 50 COST 100
  AS 'MODULE_PATHNAME', 'chatopt_reads_receipt_counts';
COMMENT ON FUNCTION chatopt.receipt_counts(regclass, anyelement, bigint, bigint) IS
  'how many members should get, have and have seen each message of a range. Needs SELECT on the read state and the messages. Raises 54000 for more than 100,000 numbers';

CREATE FUNCTION chatopt.receipt_counts(messages regclass, conversation text, from_seq bigint, to_seq bigint)
  RETURNS TABLE (seq bigint, recipients bigint, delivered bigint, seen bigint) LANGUAGE c STABLE PARALLEL SAFE ROWS 50 COST 100
  AS 'MODULE_PATHNAME', 'chatopt_reads_receipt_counts';
COMMENT ON FUNCTION chatopt.receipt_counts(regclass, text, bigint, bigint) IS
  'how many members should get, have and have seen each message of a range. Needs SELECT on the read state and the messages. Raises 54000 for more than 100,000 numbers';

--| Who has seen a message, in the order of their keys, and when, where that is known: where the chat keeps a log (track_reads with
--| read_log), or the message is the last that they read. The sender is left out. No rows where receipts gives NULL.
--@ cost: one scan of the conversation's members; with a log, a look-up for each who has seen the message
--@ errors: 22004 22P02 42501 55000
CREATE FUNCTION chatopt.seen_by(messages regclass, conversation anyelement, seq bigint)
  RETURNS TABLE (member text, seen_at timestamptz) LANGUAGE c STABLE PARALLEL SAFE ROWS 20 COST 100
  AS 'MODULE_PATHNAME', 'chatopt_reads_seen_by';
COMMENT ON FUNCTION chatopt.seen_by(regclass, anyelement, bigint) IS
  'who has seen a message, and when where that is known. Needs SELECT on the read state and the message';

CREATE FUNCTION chatopt.seen_by(messages regclass, conversation text, seq bigint)
  RETURNS TABLE (member text, seen_at timestamptz) LANGUAGE c STABLE PARALLEL SAFE ROWS 20 COST 100
  AS 'MODULE_PATHNAME', 'chatopt_reads_seen_by';
COMMENT ON FUNCTION chatopt.seen_by(regclass, text, bigint) IS
  'who has seen a message, and when where that is known. Needs SELECT on the read state and the message';

--| What receipts tell of a conversation, by how many members it has now: up to private_size and small_size who has seen a message, up
--| to large_size how many, above that nothing. Sizes that are NULL stay as they are. Positions are kept the same for all sizes, so a
--| change tells, or stops telling, of old messages too.
--@ locks: with a size given, the row of the configuration
--@ errors: 22004 22023 42501 55000
CREATE FUNCTION chatopt.receipt_policy(
    messages regclass, private_size int DEFAULT NULL, small_size int DEFAULT NULL, large_size int DEFAULT NULL)
  RETURNS TABLE (kind text, upto int, receipts text) LANGUAGE c VOLATILE ROWS 4 COST 100
  AS 'MODULE_PATHNAME', 'chatopt_reads_receipt_policy';
COMMENT ON FUNCTION chatopt.receipt_policy(regclass, int, int, int) IS
  'the policy on receipts, by the size of a conversation; sizes given are set, which only the owner may (42501). Raises 22023 where they are not in order';
