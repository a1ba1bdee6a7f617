-- 95-partitions-views.sql: the views chatopt.partition_sets, chatopt.partitions and chatopt.maintenance_log.
--
-- They show the rows of tables that the caller may read or owns, and work on a standby.

-- chatopt._set_bounds gives the partitions of a set with the times of their bounds.
CREATE FUNCTION chatopt._set_bounds(config chatopt.partition_set)
  RETURNS TABLE (leaf regclass, lower_bound text, upper_bound text, lower_at timestamptz, upper_at timestamptz, is_default boolean,
    detach_pending boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.* FROM chatopt._bounds(config.parent, config.kind, config.time_zone, config.snowflake_epoch, config.snowflake_shift) AS b
$$;
COMMENT ON FUNCTION chatopt._set_bounds(chatopt.partition_set) IS 'internal: the partitions of a set';

CREATE VIEW chatopt.partitions WITH (security_barrier) AS
SELECT s.parent, b.leaf AS partition_name, b.lower_bound, b.upper_bound, b.lower_at, b.upper_at,
       nullif(r.reltuples, -1)::bigint AS rows, pg_catalog.pg_total_relation_size(b.leaf) AS size,
       CASE WHEN b.is_default THEN 'default' WHEN b.detach_pending THEN 'detach pending'
            WHEN b.upper_at <= pg_catalog.now() THEN 'past' WHEN b.lower_at > pg_catalog.now() THEN 'ahead' ELSE 'current' END AS state,
       (SELECT h.reason FROM chatopt.partition_hold AS h WHERE h.tbl IN (b.leaf, s.parent) ORDER BY h.tbl = s.parent LIMIT 1) AS hold
FROM chatopt.partition_set AS s
JOIN pg_catalog.pg_class AS p ON p.oid = s.parent, LATERAL chatopt._set_bounds(s) AS b
JOIN pg_catalog.pg_class AS r ON r.oid = b.leaf
WHERE pg_catalog.has_any_column_privilege(s.parent, 'SELECT') OR pg_catalog.pg_has_role(p.relowner, 'USAGE')
UNION ALL
SELECT t.parent, t.tbl, t.lower_bound, t.upper_bound, NULL, NULL,
       nullif(r.reltuples, -1)::bigint, pg_catalog.pg_total_relation_size(t.tbl), t.how, NULL
FROM chatopt.retired_partition AS t
JOIN pg_catalog.pg_class AS r ON r.oid = t.tbl
WHERE NOT r.relispartition
  AND (pg_catalog.has_any_column_privilege(t.tbl, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE'));
GRANT SELECT ON chatopt.partitions TO PUBLIC;
COMMENT ON VIEW chatopt.partitions IS
  'the partitions of the tables chatopt looks after, and those retired that still exist, of tables that the caller may read or owns';
COMMENT ON COLUMN chatopt.partitions.parent IS 'the partitioned table';
COMMENT ON COLUMN chatopt.partitions.partition_name IS 'the partition';
COMMENT ON COLUMN chatopt.partitions.lower_bound IS 'its lower bound, part of it, as a literal; NULL: none';
COMMENT ON COLUMN chatopt.partitions.upper_bound IS 'its upper bound, not part of it, as a literal; NULL: none';
COMMENT ON COLUMN chatopt.partitions.lower_at IS 'the time of its lower bound; NULL: none, or retired';
COMMENT ON COLUMN chatopt.partitions.upper_at IS 'the time of its upper bound; NULL: none, or retired';
COMMENT ON COLUMN chatopt.partitions.rows IS 'its rows as of the last ANALYZE or VACUUM; NULL before the first';
COMMENT ON COLUMN chatopt.partitions.size IS 'its size with indexes and TOAST in bytes';
COMMENT ON COLUMN chatopt.partitions.state IS '''past'', ''current'', ''ahead'', ''default'', ''detach pending'', ''detached'' or ''archived''';
COMMENT ON COLUMN chatopt.partitions.hold IS 'why it must not be retired, as given to chatopt.hold; NULL: it may';

CREATE VIEW chatopt.partition_sets WITH (security_barrier) AS
SELECT s.parent,
       (SELECT a.attname FROM pg_catalog.pg_partitioned_table AS p
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = s.parent) AS control,
       s.kind, s.every, s.premake, s.time_zone, s.snowflake_epoch, s.snowflake_shift, s.name_format, s.keep, s.action, s.archive_schema,
       s.state, s.origin, b.partitions, b.size, b.oldest, b.ahead_until,
       (SELECT pg_catalog.max(h.logged_at) FROM chatopt.maintenance_history AS h WHERE h.parent = s.parent) AS last_logged,
       s.failures, s.retry_at, s.problem, s.adopted_at
FROM chatopt.partition_set AS s
JOIN pg_catalog.pg_class AS p ON p.oid = s.parent,
LATERAL (SELECT pg_catalog.count(*) AS partitions, pg_catalog.sum(pg_catalog.pg_total_relation_size(b.leaf))::bigint AS size,
           pg_catalog.min(b.lower_at) AS oldest, pg_catalog.max(b.upper_at) AS ahead_until FROM chatopt._set_bounds(s) AS b) AS b
WHERE pg_catalog.has_any_column_privilege(s.parent, 'SELECT') OR pg_catalog.pg_has_role(p.relowner, 'USAGE');
GRANT SELECT ON chatopt.partition_sets TO PUBLIC;
COMMENT ON VIEW chatopt.partition_sets IS 'the partitioned tables chatopt looks after and how, of those that the caller may read or owns';
COMMENT ON COLUMN chatopt.partition_sets.parent IS 'the partitioned table';
COMMENT ON COLUMN chatopt.partition_sets.control IS 'the column it is partitioned by';
COMMENT ON COLUMN chatopt.partition_sets.kind IS 'how its values stand for time';
COMMENT ON COLUMN chatopt.partition_sets.every IS 'the period of one partition';
COMMENT ON COLUMN chatopt.partition_sets.premake IS 'how many periods after the present one always have a partition';
COMMENT ON COLUMN chatopt.partition_sets.time_zone IS 'the time zone in whose midnight periods begin';
COMMENT ON COLUMN chatopt.partition_sets.snowflake_epoch IS 'the time of snowflake id 0';
COMMENT ON COLUMN chatopt.partition_sets.snowflake_shift IS 'how many low bits of a snowflake id are not milliseconds';
COMMENT ON COLUMN chatopt.partition_sets.name_format IS 'what is put behind the table''s name for a partition';
COMMENT ON COLUMN chatopt.partition_sets.keep IS 'how long a partition is kept after its upper bound; NULL: for ever';
COMMENT ON COLUMN chatopt.partition_sets.action IS 'what becomes of it then: ''detach'', ''archive'' or ''drop''';
COMMENT ON COLUMN chatopt.partition_sets.archive_schema IS 'where archived partitions go';
COMMENT ON COLUMN chatopt.partition_sets.state IS '''active'' or ''paused''';
COMMENT ON COLUMN chatopt.partition_sets.origin IS '''partition'', ''convert'' or ''partman''';
COMMENT ON COLUMN chatopt.partition_sets.partitions IS 'how many partitions there are';
COMMENT ON COLUMN chatopt.partition_sets.size IS 'their size with indexes and TOAST in bytes';
COMMENT ON COLUMN chatopt.partition_sets.oldest IS 'the least lower bound';
COMMENT ON COLUMN chatopt.partition_sets.ahead_until IS 'the greatest upper bound';
COMMENT ON COLUMN chatopt.partition_sets.last_logged IS 'when maintenance last did something, or failed to';
COMMENT ON COLUMN chatopt.partition_sets.failures IS 'how many runs have failed one after the other';
COMMENT ON COLUMN chatopt.partition_sets.retry_at IS 'before this time a run for all tables passes it over; NULL: it does not';
COMMENT ON COLUMN chatopt.partition_sets.problem IS 'the error of the last run; NULL: it went well';
COMMENT ON COLUMN chatopt.partition_sets.adopted_at IS 'since when chatopt looks after it';

CREATE VIEW chatopt.maintenance_log WITH (security_barrier) AS
SELECT h.id, h.run, h.logged_at, h.clock, h.parent::regclass AS parent, h.parent_name, h.action, h.partition_name, h.lower_bound, h.upper_bound,
       h.outcome, h.sqlstate, h.message, h.took
FROM chatopt.maintenance_history AS h
LEFT JOIN pg_catalog.pg_class AS p ON p.oid = h.parent
WHERE CASE WHEN p.oid IS NOT NULL THEN pg_catalog.has_any_column_privilege(p.oid, 'SELECT') OR pg_catalog.pg_has_role(p.relowner, 'USAGE')
           ELSE h.parent IS NULL OR pg_catalog.pg_has_role('pg_monitor', 'USAGE') END;
GRANT SELECT ON chatopt.maintenance_log TO PUBLIC;
COMMENT ON VIEW chatopt.maintenance_log IS
  'what maintenance did, of tables that the caller may read or owns; of tables that are gone, for members of pg_monitor';
COMMENT ON COLUMN chatopt.maintenance_log.id IS 'the order of rows';
COMMENT ON COLUMN chatopt.maintenance_log.run IS 'the same for all rows of one run';
COMMENT ON COLUMN chatopt.maintenance_log.logged_at IS 'when the row was written';
COMMENT ON COLUMN chatopt.maintenance_log.clock IS 'the time that the run took for now';
COMMENT ON COLUMN chatopt.maintenance_log.parent IS 'the partitioned table; NULL for the run itself, a number where the table is gone';
COMMENT ON COLUMN chatopt.maintenance_log.parent_name IS 'its name at that time';
COMMENT ON COLUMN chatopt.maintenance_log.action IS '''run'', ''plan'', ''create'', ''purge'', ''detach'', ''finish detach'', ''drop'', ''archive'' or ''restore''';
COMMENT ON COLUMN chatopt.maintenance_log.partition_name IS 'the partition';
COMMENT ON COLUMN chatopt.maintenance_log.lower_bound IS 'its lower bound';
COMMENT ON COLUMN chatopt.maintenance_log.upper_bound IS 'its upper bound';
COMMENT ON COLUMN chatopt.maintenance_log.outcome IS '''done'', ''busy'', ''blocked'', ''failed'' or ''skipped''';
COMMENT ON COLUMN chatopt.maintenance_log.sqlstate IS 'the SQLSTATE of an error';
COMMENT ON COLUMN chatopt.maintenance_log.message IS 'the error, or why not';
COMMENT ON COLUMN chatopt.maintenance_log.took IS 'how long it took';
