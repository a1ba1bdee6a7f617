-- 85-partitions-retire.sql: a partition leaves, or comes back, by hand.

--| Has a partition go by hand, whatever the retention says: 'detach', 'drop', or 'archive' (detach and move to archive_schema). It must be
--| over, not held, and of a table that chatopt looks after. If it is one of an attached chat, its messages are first taken out of
--| the counters, in transactions of batch_size messages, so that none changes when it goes: message_count, the last message, unread
--| counts and receipts are exact at every moment. Nothing can be sent or moved into the partition from then on (23514). 'purge' does that
--| alone. Stopped, it goes on where it was when called again; chatopt.restore_partition takes it back.
--@ cost: for a chat one read of the partition by its index on conversation and number, twice; one row version of each of its conversations'
--@ counters a batch, one leaf of skipped numbers where reads are tracked
--@ locks: for a chat SHARE on the partition until its writers' transactions have ended, then ACCESS SHARE, and the counters of at most 1,000
--@ conversations for one batch; to detach ACCESS EXCLUSIVE on parent and partition for milliseconds, tried until patience is over
--@ errors: 22004 22023 23503 25001 3F000 42501 42809 42P01 55000 55006 55P03
CREATE PROCEDURE chatopt.retire(
    leaf regclass, action text, batch_size int DEFAULT 10000, archive_schema text DEFAULT NULL, patience interval DEFAULT '1 minute')
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_retire';
COMMENT ON PROCEDURE chatopt.retire(regclass, text, int, text, interval) IS
  'detaches, drops or archives a partition by hand; first takes its messages out of the counters if it is one of an attached chat, committing in '
  'batches, and with ''purge'' nothing else; call it again to go on. For the owner. Errors: 25001 in a transaction block, 55006 held, 55000 not over, '
  'or its chat disabled or not filled, 23503 rows of other tables need it, 55P03 a lock was not to be had in time';

--| Makes a table that was retired a partition again, in its parent's schema, and puts the messages of one of an attached chat back into
--| the counters, each with its number; also of one whose retirement was begun. It is held from then on (chatopt.release_hold), as its time
--| is still over. Refused where another partition has its place, or conversations or rows that it refers to are gone.
--@ cost: one read of the table; for a chat as retire
--@ locks: ACCESS EXCLUSIVE on the table, SHARE UPDATE EXCLUSIVE on its parent and SHARE ROW EXCLUSIVE on tables that foreign keys tie to it for
--@ milliseconds; then counters as retire
--@ errors: 22004 22023 23503 23505 23514 25001 42501 42P01 42P17 55000 55P03
CREATE PROCEDURE chatopt.restore_partition(tbl regclass, batch_size int DEFAULT 10000, patience interval DEFAULT '1 minute')
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_restore_partition';
COMMENT ON PROCEDURE chatopt.restore_partition(regclass, int, interval) IS
  'makes a retired table a partition again and puts its messages back into its chat''s counters, committing in batches; call it again to go on; it is '
  'held from then on. For the owner. Errors: 25001 in a transaction block, 55000 not retired, 42P17 its place is taken, 23503 conversations are gone';
