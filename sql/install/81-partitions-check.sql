-- 81-partitions-check.sql: which tables chatopt can look after, and what their bounds say.

-- chatopt._bounds gives the partitions of a table that is partitioned by range by one column, with their bounds as literals, and as
-- times where kind says how the column stands for time. An open end is NULL. DETACH CONCURRENTLY under way counts as there.
CREATE FUNCTION chatopt._bounds(
    parent regclass, kind text DEFAULT NULL, time_zone text DEFAULT NULL, snowflake_epoch timestamptz DEFAULT NULL,
    snowflake_shift int DEFAULT NULL)
  RETURNS TABLE (leaf regclass, lower_bound text, upper_bound text, lower_at timestamptz, upper_at timestamptz, is_default boolean,
    detach_pending boolean)
  LANGUAGE c STABLE ROWS 40
  AS 'MODULE_PATHNAME', 'chatopt_partitions_bounds';
COMMENT ON FUNCTION chatopt._bounds(regclass, text, text, timestamptz, int) IS
  'internal: the partitions of a table with their bounds; locks it ACCESS SHARE';

-- chatopt._every gives a period's one name: 'month' for 'months' and '1 month'; raises 22023 for what is no period.
CREATE FUNCTION chatopt._every(every text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT
  AS 'MODULE_PATHNAME', 'chatopt_partitions_every';
COMMENT ON FUNCTION chatopt._every(text) IS 'internal: the one name of a period; errors: 22023';

-- chatopt._partition_name gives a partition's name, cut to what PostgreSQL takes without touching the part that tells the period.
CREATE FUNCTION chatopt._partition_name(base name, name_format text, period date) RETURNS name
  LANGUAGE c IMMUTABLE STRICT
  AS 'MODULE_PATHNAME', 'chatopt_partitions_name';
COMMENT ON FUNCTION chatopt._partition_name(name, text, date) IS 'internal: the name of a partition; errors: 22023 no such format';

-- chatopt._check_zone gives the time zone back, or refuses it.
CREATE FUNCTION chatopt._check_zone(time_zone text) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_timezone_names AS z WHERE z.name = time_zone) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('time zone "%s" does not exist', time_zone),
      HINT = 'Use a name as in pg_timezone_names, such as ''UTC'' or ''Europe/Berlin''.';
  END IF;
  RETURN time_zone;
END
$$;
COMMENT ON FUNCTION chatopt._check_zone(text) IS 'internal: refuses what is not in pg_timezone_names; errors: 22023';

-- chatopt._check_owned refuses a table that is not the caller's to maintain.
CREATE FUNCTION chatopt._check_owned(tbl regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rel record;
BEGIN
  IF tbl IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the table must not be null', HINT = 'Name the partitioned table.';
  END IF;
  SELECT c.relowner, c.relnamespace, n.nspname INTO rel
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = tbl;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', tbl::oid);
  ELSIF NOT pg_has_role(rel.relowner, 'USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', tbl),
      HINT = 'The owner of a partitioned table, or a member of that role, has it looked after.';
  ELSIF NOT has_schema_privilege(rel.relowner, rel.relnamespace, 'CREATE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for schema %I', rel.nspname),
      DETAIL = format('Role "%s" owns table %s and may not create partitions beside it.', pg_get_userbyid(rel.relowner), tbl),
      HINT = format('GRANT CREATE ON SCHEMA %I TO %I;', rel.nspname, pg_get_userbyid(rel.relowner));
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_owned(regclass) IS 'internal: refuses a table that is not the caller''s; errors: 22004 42501 42P01';

-- chatopt._partition_column gives the column that a table is partitioned by, or refuses the table.
CREATE FUNCTION chatopt._partition_column(parent regclass, OUT control name, OUT control_type regtype)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rel record;
  bad record;
BEGIN
  SELECT c.relkind, c.relispartition, c.relpersistence, c.relnamespace::regnamespace::text AS schema_name, p.partstrat, p.partattrs, p.partnatts
    INTO rel FROM pg_class AS c LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid WHERE c.oid = parent;
  IF rel.relkind <> 'p' THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('table %s is not partitioned', parent),
      HINT = CASE WHEN rel.relkind = 'r' THEN 'CALL chatopt.convert makes a table partitioned without copying it.'
        ELSE 'Name a table that is partitioned by range.' END;
  ELSIF rel.partstrat <> 'r' THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('table %s is not partitioned by range', parent),
      DETAIL = format('It is partitioned by %s.', CASE rel.partstrat WHEN 'l' THEN 'list' ELSE 'hash' END),
      HINT = 'Only partitions by range are made for times to come.';
  ELSIF rel.relispartition THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is a partition itself', parent),
      HINT = format('Name the partitioned table %s.', pg_partition_root(parent));
  ELSIF rel.relpersistence = 't' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is temporary', parent);
  ELSIF rel.partnatts <> 1 OR rel.partattrs[0] = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is not partitioned by one column', parent),
      DETAIL = format('The partition key is %s.', pg_get_partkeydef(parent)), HINT = 'Partition it by the one column that holds the time.';
  END IF;
  SELECT a.attname, a.atttypid::regtype INTO control, control_type FROM pg_attribute AS a WHERE a.attrelid = parent AND a.attnum = rel.partattrs[0];
  IF control_type NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'bigint'::regtype, 'uuid'::regtype) THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('partition key column "%s" of table %s has type %s', control, parent, control_type),
      HINT = 'It can be timestamp with or without time zone, date, bigint (Unix time or snowflake id) or uuid (version 7).';
  END IF;
  SELECT c.oid::regclass AS tbl, c.relkind INTO bad FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent AND c.relkind <> 'r' ORDER BY c.oid LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('partition %s of table %s is %s', bad.tbl, parent,
        CASE bad.relkind WHEN 'p' THEN 'partitioned itself' ELSE 'a foreign table' END),
      HINT = 'All partitions must be ordinary tables.';
  ELSIF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
    -- named in a string: the table is there only under Citus
    EXECUTE 'SELECT logicalrelid AS tbl FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1' INTO bad USING parent;
    IF bad.tbl IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is distributed', parent),
        HINT = 'Use create_time_partitions of Citus.';
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._partition_column(regclass) IS 'internal: the column a table is partitioned by; errors: 0A000 42809';

-- chatopt._guess_kind says how a column stands for time. A bigint is taken for Unix time where its values can be nothing else.
CREATE FUNCTION chatopt._guess_kind(parent regclass, control name, control_type regtype) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  greatest_value bigint;
BEGIN
  IF control_type <> 'bigint'::regtype THEN
    RETURN CASE control_type WHEN 'timestamptz'::regtype THEN 'timestamptz' WHEN 'timestamp'::regtype THEN 'timestamp'
      WHEN 'date'::regtype THEN 'date' ELSE 'uuidv7' END;
  END IF;
  SELECT max(coalesce(b.lower_bound, b.upper_bound)::bigint) INTO greatest_value FROM chatopt._bounds(parent) AS b;
  IF greatest_value IS NULL THEN
    EXECUTE format('SELECT max(t.%I) FROM %s AS t', control, parent) INTO greatest_value;
  END IF;
  RETURN CASE WHEN greatest_value BETWEEN 1000000000 AND 40000000000 THEN 'epoch_seconds'
    WHEN greatest_value BETWEEN 1000000000000 AND 40000000000000 THEN 'epoch_milliseconds' END;
END
$$;
COMMENT ON FUNCTION chatopt._guess_kind(regclass, name, regtype) IS 'internal: how a column stands for time; NULL: it does not show';

-- chatopt._check_kind gives the kind, or refuses what does not go with the type of the column.
CREATE FUNCTION chatopt._check_kind(parent regclass, kind text, snowflake_epoch timestamptz, snowflake_shift int) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key record := chatopt._partition_column(parent);
  kinds text[] := CASE key.control_type WHEN 'timestamptz'::regtype THEN ARRAY['timestamptz'] WHEN 'timestamp'::regtype THEN ARRAY['timestamp']
    WHEN 'date'::regtype THEN ARRAY['date'] WHEN 'uuid'::regtype THEN ARRAY['uuidv7'] ELSE ARRAY['epoch_seconds', 'epoch_milliseconds', 'snowflake'] END;
BEGIN
  kind := coalesce(kind, chatopt._guess_kind(parent, key.control, key.control_type));
  IF kind IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s" of table %s does not show how it stands for time', key.control, parent),
      HINT = 'Give control_kind => ''epoch_seconds'', ''epoch_milliseconds'' or ''snowflake''.';
  ELSIF kind <> ALL (kinds) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('control_kind "%s" does not go with column "%s" of type %s', kind, key.control, key.control_type),
      HINT = format('Use one of: %s.', array_to_string(kinds, ', '));
  ELSIF (kind = 'snowflake') <> (snowflake_epoch IS NOT NULL AND snowflake_shift IS NOT NULL)
      OR (kind <> 'snowflake' AND coalesce(snowflake_epoch::text, snowflake_shift::text) IS NOT NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = CASE kind WHEN 'snowflake' THEN 'snowflake ids need snowflake_epoch and snowflake_shift'
        ELSE 'snowflake_epoch and snowflake_shift are for control_kind ''snowflake'' alone' END,
      HINT = 'An id is (milliseconds since the epoch) << shift, plus lower bits; the shift is 22 for the ids of Discord and X.';
  ELSIF snowflake_shift NOT BETWEEN 0 AND 40 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'snowflake_shift must be between 0 and 40';
  END IF;
  RETURN kind;
END
$$;
COMMENT ON FUNCTION chatopt._check_kind(regclass, text, timestamptz, int) IS 'internal: refuses a kind that does not fit; errors: 22023';

-- chatopt._period gives the length of a period.
CREATE FUNCTION chatopt._period(every text) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE every WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || every)::interval END
$$;
COMMENT ON FUNCTION chatopt._period(text) IS 'internal: the length of a period';

-- chatopt._guess_every says which period the newest partition with two ends is, NULL where there is none.
CREATE FUNCTION chatopt._guess_every(parent regclass, kind text, zone text, snowflake_epoch timestamptz, snowflake_shift int) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  newest record;
  every text;
BEGIN
  SELECT b.leaf, b.lower_at AT TIME ZONE zone AS low, b.upper_at AT TIME ZONE zone AS high INTO newest
    FROM chatopt._bounds(parent, kind, zone, snowflake_epoch, snowflake_shift) AS b
    WHERE b.lower_at IS NOT NULL AND b.upper_at IS NOT NULL ORDER BY b.lower_at DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  FOREACH every IN ARRAY ARRAY['day', 'week', 'month', 'quarter', 'year'] LOOP
    IF date_trunc(every, newest.low) = newest.low
        AND newest.high = newest.low + chatopt._period(every) THEN
      RETURN every;
    END IF;
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
    MESSAGE = format('the bounds of table %s are no periods in time zone %s', parent, zone),
    DETAIL = format('The newest partition, %s, goes from %s to %s there.', newest.leaf, newest.low, newest.high),
    HINT = 'Give time_zone, or every for the partitions to come.';
END
$$;
COMMENT ON FUNCTION chatopt._guess_every(regclass, text, text, timestamptz, int) IS 'internal: the period of existing partitions; errors: 22023';

-- chatopt._name_format gives the format of names for a period.
CREATE FUNCTION chatopt._name_format(every text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE every WHEN 'month' THEN '_YYYY_MM' WHEN 'quarter' THEN '_YYYY_qQ' WHEN 'year' THEN '_YYYY' ELSE '_YYYY_MM_DD' END
$$;
COMMENT ON FUNCTION chatopt._name_format(text) IS 'internal: the usual format of partition names';

-- chatopt._check_name_format gives a format of names back, or refuses one under which two periods would have one name.
CREATE FUNCTION chatopt._check_name_format(name_format text, every text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT
  AS 'MODULE_PATHNAME', 'chatopt_partitions_check_name_format';
COMMENT ON FUNCTION chatopt._check_name_format(text, text) IS 'internal: refuses ambiguous names; errors: 22023';
