-- 85-partitions-retire.sql: a partition leaves, or comes back, by hand.

--| Takes all messages of a partition of an attached chat out of the counters, so that the partition can then be detached or dropped
--| without any counter changing: message_count, the last message, unread counts and receipts are exact at every moment. The rows stay
--| until then. Nothing can be sent or moved into the partition from now on (23514). Stopped, it goes on where it was when called
--| again; chatopt.restore_partition takes it back. batch_size is messages, 1 to 1,000,000.
--@ cost: one read of the partition by its index on conversation and number, twice; one row version of each of its conversations' counters
--@ a batch, one leaf of skipped numbers where reads are tracked
--@ locks: SHARE on the partition until its writers' transactions have ended, at most lock_timeout (2 s unless set); then ACCESS SHARE, and
--@ the counters of at most 1,000 conversations for one batch
--@ errors: 22004 22023 25001 42501 42809 55000 55P03
CREATE PROCEDURE chatopt.retire(leaf regclass, action text, batch_size int DEFAULT 10000)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_retire';
COMMENT ON PROCEDURE chatopt.retire(regclass, text, int) IS
  'with action ''purge'': takes the messages of a partition out of its chat''s counters, committing in batches, so that it can be detached or '
  'dropped; call it again to go on. For the owner. Errors: 25001 in a transaction block, 55000 not attached, disabled or not filled, '
  '55P03 the partition''s writers are at work';

--| Puts the messages of a partition that is being retired, or was purged, back into the counters, each with its number.
--@ cost: as retire
--@ locks: as retire, without SHARE
--@ errors: 22004 22023 25001 42501 55000
CREATE PROCEDURE chatopt.restore_partition(tbl regclass, batch_size int DEFAULT 10000)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_restore_partition';
COMMENT ON PROCEDURE chatopt.restore_partition(regclass, int) IS
  'puts the messages of a partition that was purged back into its chat''s counters, committing in batches; call it again to go on. For the owner. '
  'Errors: 25001 in a transaction block, 55000 not being retired, disabled or not filled';
