-- 80-partitions-schema.sql: which partitioned tables chatopt looks after, and what it did with them.
--
-- The bounds of partitions are never kept here: they are read from the catalogues each time. What is kept is what a catalogue
-- cannot say: the period, the time zone the months are cut in, how long to keep what, what must not go.

CREATE TABLE chatopt.partition_set (
  parent regclass PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('timestamptz', 'timestamp', 'date', 'epoch_seconds', 'epoch_milliseconds', 'uuidv7', 'snowflake')),
  every text NOT NULL CHECK (every IN ('day', 'week', 'month', 'quarter', 'year')),
  premake int NOT NULL CHECK (premake BETWEEN 1 AND 1000),
  time_zone text NOT NULL,
  snowflake_epoch timestamptz,
  snowflake_shift int CHECK (snowflake_shift BETWEEN 0 AND 40),
  name_format text NOT NULL,
  keep interval,
  action text NOT NULL DEFAULT 'detach' CHECK (action IN ('detach', 'drop', 'archive')),
  archive_schema text,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
  origin text NOT NULL DEFAULT 'partition' CHECK (origin IN ('partition', 'convert', 'partman')),
  undo jsonb NOT NULL DEFAULT '{}',
  failures int NOT NULL DEFAULT 0,
  retry_at timestamptz,
  problem text,
  adopted_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((kind = 'snowflake') = (snowflake_epoch IS NOT NULL) AND (kind = 'snowflake') = (snowflake_shift IS NOT NULL)),
  CHECK (action <> 'archive' OR archive_schema IS NOT NULL)
);
REVOKE ALL ON TABLE chatopt.partition_set FROM PUBLIC;
COMMENT ON TABLE chatopt.partition_set IS
  'the partitioned tables that chatopt looks after; written only by chatopt''s own functions, read through the view chatopt.partition_sets';
COMMENT ON COLUMN chatopt.partition_set.parent IS 'the table that is partitioned by range';
COMMENT ON COLUMN chatopt.partition_set.kind IS 'how the values of the partition key stand for time';
COMMENT ON COLUMN chatopt.partition_set.every IS 'the period of one partition: a day, week, month, quarter or year of the calendar';
COMMENT ON COLUMN chatopt.partition_set.premake IS 'how many periods after the present one always have a partition';
COMMENT ON COLUMN chatopt.partition_set.time_zone IS 'the time zone in whose midnight periods begin';
COMMENT ON COLUMN chatopt.partition_set.snowflake_epoch IS 'the time of snowflake id 0; NULL for other kinds';
COMMENT ON COLUMN chatopt.partition_set.snowflake_shift IS 'how many low bits of a snowflake id are not milliseconds; NULL for other kinds';
COMMENT ON COLUMN chatopt.partition_set.name_format IS 'what is put behind the table''s name for a partition, such as _YYYY_MM';
COMMENT ON COLUMN chatopt.partition_set.keep IS 'partitions that end longer ago than this are retired; NULL: none ever';
COMMENT ON COLUMN chatopt.partition_set.action IS 'what becomes of a retired partition: ''detach'', ''drop'', or ''archive'' (detach and move to archive_schema)';
COMMENT ON COLUMN chatopt.partition_set.archive_schema IS 'where archived partitions go';
COMMENT ON COLUMN chatopt.partition_set.state IS '''active'', or ''paused'' by chatopt.pause';
COMMENT ON COLUMN chatopt.partition_set.origin IS 'how it came to be looked after: chatopt.partition, convert or adopt_partman';
COMMENT ON COLUMN chatopt.partition_set.undo IS 'what is needed to give it back as it was';
COMMENT ON COLUMN chatopt.partition_set.failures IS 'how many runs have failed one after the other';
COMMENT ON COLUMN chatopt.partition_set.retry_at IS 'before this time a run for all tables passes it over; NULL: it does not';
COMMENT ON COLUMN chatopt.partition_set.problem IS 'the error of the last run, NULL where it went well';
COMMENT ON COLUMN chatopt.partition_set.adopted_at IS 'since when chatopt looks after it';

CREATE TABLE chatopt.partition_hold (
  tbl regclass PRIMARY KEY,
  reason text NOT NULL CHECK (reason <> ''),
  held_by name NOT NULL DEFAULT current_user,
  held_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON TABLE chatopt.partition_hold FROM PUBLIC;
COMMENT ON TABLE chatopt.partition_hold IS 'partitions that must not be retired, such as for a legal hold; written by chatopt.hold and release_hold';
COMMENT ON COLUMN chatopt.partition_hold.tbl IS 'a partition, or the partitioned table for all of its partitions';
COMMENT ON COLUMN chatopt.partition_hold.reason IS 'why, as given to chatopt.hold';
COMMENT ON COLUMN chatopt.partition_hold.held_by IS 'the role that asked for it';
COMMENT ON COLUMN chatopt.partition_hold.held_at IS 'since when';

CREATE TABLE chatopt.retired_partition (
  tbl regclass PRIMARY KEY,
  parent regclass NOT NULL,
  lower_bound text,
  upper_bound text,
  how text NOT NULL CHECK (how IN ('detached', 'archived')),
  retired_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON TABLE chatopt.retired_partition FROM PUBLIC;
COMMENT ON TABLE chatopt.retired_partition IS
  'partitions that retention detached and that still exist, for chatopt.restore_partition; shown by the view chatopt.partitions';
COMMENT ON COLUMN chatopt.retired_partition.tbl IS 'the table that was a partition';
COMMENT ON COLUMN chatopt.retired_partition.parent IS 'the table it was a partition of';
COMMENT ON COLUMN chatopt.retired_partition.lower_bound IS 'its lower bound as a literal; NULL: none';
COMMENT ON COLUMN chatopt.retired_partition.upper_bound IS 'its upper bound as a literal; NULL: none';
COMMENT ON COLUMN chatopt.retired_partition.how IS '''detached'', or ''archived'' where it was moved to another schema';
COMMENT ON COLUMN chatopt.retired_partition.retired_at IS 'when';

CREATE TABLE chatopt.maintenance_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL,
  logged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  clock timestamptz NOT NULL,
  parent oid,
  parent_name text,
  action text NOT NULL CHECK (action IN ('run', 'create', 'purge', 'detach', 'finish detach', 'drop', 'archive', 'restore', 'plan')),
  partition_name text,
  lower_bound text,
  upper_bound text,
  outcome text NOT NULL CHECK (outcome IN ('done', 'busy', 'blocked', 'failed', 'skipped')),
  sqlstate text,
  message text,
  took interval NOT NULL
);
CREATE INDEX maintenance_history_parent_idx ON chatopt.maintenance_history (parent, id);
REVOKE ALL ON TABLE chatopt.maintenance_history FROM PUBLIC;
COMMENT ON TABLE chatopt.maintenance_history IS
  'what maintenance did, a row a run and a row an action; kept for 400 days and 100,000 rows; read through the view chatopt.maintenance_log';
COMMENT ON COLUMN chatopt.maintenance_history.id IS 'the order of rows';
COMMENT ON COLUMN chatopt.maintenance_history.run IS 'the same for all rows of one run';
COMMENT ON COLUMN chatopt.maintenance_history.logged_at IS 'when the row was written';
COMMENT ON COLUMN chatopt.maintenance_history.clock IS 'the time that the run took for now';
COMMENT ON COLUMN chatopt.maintenance_history.parent IS 'the partitioned table; it may be gone since. NULL for the run itself';
COMMENT ON COLUMN chatopt.maintenance_history.parent_name IS 'its name at that time';
COMMENT ON COLUMN chatopt.maintenance_history.action IS
  '''run'', ''plan'' (working out what to do), ''create'', ''purge'' (taking messages out of the counters), ''detach'', ''finish detach'', ''drop'', ''archive'' or ''restore''';
COMMENT ON COLUMN chatopt.maintenance_history.partition_name IS 'the partition';
COMMENT ON COLUMN chatopt.maintenance_history.lower_bound IS 'its lower bound';
COMMENT ON COLUMN chatopt.maintenance_history.upper_bound IS 'its upper bound';
COMMENT ON COLUMN chatopt.maintenance_history.outcome IS
  '''done''; ''busy'': a lock was not to be had, the next run tries again; ''blocked'': it must not be done, message says why; ''failed''; ''skipped'': another run was at it';
COMMENT ON COLUMN chatopt.maintenance_history.sqlstate IS 'the SQLSTATE of an error';
COMMENT ON COLUMN chatopt.maintenance_history.message IS 'the error, or why not';
COMMENT ON COLUMN chatopt.maintenance_history.took IS 'how long it took';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.partition_set', 'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = parent)');
SELECT pg_catalog.pg_extension_config_dump('chatopt.partition_hold', 'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = tbl)');
SELECT pg_catalog.pg_extension_config_dump('chatopt.retired_partition',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = tbl) AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = parent)');
