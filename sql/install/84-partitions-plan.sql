-- 84-partitions-plan.sql: chatopt.maintenance_plan and CALL chatopt.maintain.

--| What the next CALL chatopt.maintain() would do, in its order: the partitions it would make ('create') and those it would retire
--| ('detach', 'drop', 'archive', or 'finish detach' of one that was interrupted), with the reason; 'blocked' is what it would leave
--| alone although it is due, and why. as_of shows another day; it is no clock for maintain. Of all tables that the caller owns, or of one.
--@ cost: reads the catalogues, no row of any table
--@ locks: ACCESS SHARE on the partitioned tables
--@ errors: 22008 42501 55000
CREATE FUNCTION chatopt.maintenance_plan(
    INOUT parent regclass DEFAULT NULL, as_of timestamptz DEFAULT NULL,
    OUT action text, OUT partition_name name, OUT lower_bound text, OUT upper_bound text, OUT reason text)
  RETURNS SETOF record
  LANGUAGE c VOLATILE ROWS 20
  AS 'MODULE_PATHNAME', 'chatopt_partitions_plan';
COMMENT ON FUNCTION chatopt.maintenance_plan(regclass, timestamptz) IS
  'what CALL chatopt.maintain() would do now, or at another time, and why. For owners. Errors: 55000 not looked after, 42501 not the owner';

--| Makes the partitions that are due ahead and retires those whose time is over, each in a transaction of its own, as the table's
--| owner. Never waits behind a lock for longer than lock_timeout (2 s unless set), and goes on trying for as long as patience says.
--| A table that fails stops no other: the log (view chatopt.maintenance_log) and a WARNING say what and why; for a table that is
--| named its error is raised. Tables that have failed, or are paused, are passed over until their time, unless named.
--@ cost: with nothing to do one read of the catalogues and one row of the log
--@ locks: to make a partition SHARE UPDATE EXCLUSIVE on the parent, SHARE ROW EXCLUSIVE on tables that foreign keys tie to it, ACCESS
--@ EXCLUSIVE on a default partition; to detach one ACCESS EXCLUSIVE on parent and partition; each for milliseconds
--@ errors: 22004 22023 25001 42501 55000 55P03
CREATE PROCEDURE chatopt.maintain(parent regclass DEFAULT NULL, patience interval DEFAULT '1 minute')
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_partitions_maintain';
COMMENT ON PROCEDURE chatopt.maintain(regclass, interval) IS
  'makes partitions ahead and retires old ones, of all tables the caller owns or of one; commits after each. '
  'Errors: 25001 in a transaction block, 55P03 a lock was not to be had in time (for a table that is named), 55000 not looked after';
