-- 83-partitions-adopt.sql: which tables are looked after and how: chatopt.partition, set_retention, hold, pause and their reverses.

CREATE FUNCTION chatopt.save_set(
    parent regclass, kind text, every text, premake int, time_zone text, snowflake_epoch timestamptz, snowflake_shift int,
    name_format text, origin text, undo jsonb)
  RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_partitions_save_set';
COMMENT ON FUNCTION chatopt.save_set(regclass, text, text, int, text, timestamptz, int, text, text, jsonb) IS
  'internal: writes how a partitioned table is looked after; for its owner. Errors: 42501';
CREATE FUNCTION chatopt.save_retention(parent regclass, keep interval, action text, archive_schema text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_partitions_save_retention';
COMMENT ON FUNCTION chatopt.save_retention(regclass, interval, text, text) IS 'internal: writes how long partitions are kept; for the owner. Errors: 42501';
CREATE FUNCTION chatopt.save_set_state(parent regclass, state text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_partitions_save_state';
COMMENT ON FUNCTION chatopt.save_set_state(regclass, text) IS 'internal: writes whether maintenance is paused; for the owner. Errors: 42501';
CREATE FUNCTION chatopt.forget_set(parent regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_partitions_forget_set';
COMMENT ON FUNCTION chatopt.forget_set(regclass) IS 'internal: forgets a partitioned table; for its owner. Errors: 42501';
CREATE FUNCTION chatopt.save_hold(tbl regclass, reason text) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_partitions_save_hold';
COMMENT ON FUNCTION chatopt.save_hold(regclass, text) IS 'internal: writes a hold, or takes it away where reason is NULL; for the owner. Errors: 42501';
CREATE FUNCTION chatopt.set_config(parent regclass) RETURNS chatopt.partition_set
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_partitions_set_config';
COMMENT ON FUNCTION chatopt.set_config(regclass) IS 'internal: how a partitioned table is looked after; NULL where it is not. Errors: 42501';

-- chatopt._check_set gives a set's configuration, for its owner alone.
CREATE FUNCTION chatopt._check_set(parent regclass) RETURNS chatopt.partition_set
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.partition_set;
BEGIN
  PERFORM chatopt._check_owned(parent);
  config := chatopt.set_config(parent);
  IF config.parent IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('chatopt does not look after the partitions of table %s', parent),
      HINT = 'Call chatopt.partition first; the view chatopt.partition_sets lists the tables.';
  END IF;
  RETURN config;
END
$$;
COMMENT ON FUNCTION chatopt._check_set(regclass) IS 'internal: the configuration of a set; errors: 22004 42501 55000';

-- chatopt._check_new_names refuses names that are taken by what is no partition of the table: two long names that are the same once
-- they are cut, or a table made by hand.
CREATE FUNCTION chatopt._check_new_names(parent regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  taken record;
BEGIN
  SELECT p.partition_name, c.oid::regclass AS relation INTO taken
    FROM chatopt.maintenance_plan(parent) AS p
    JOIN pg_class AS r ON r.oid = p.parent
    JOIN pg_class AS c ON c.relname = p.partition_name AND c.relnamespace = r.relnamespace
    WHERE p.action = 'create' ORDER BY p.partition_name LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('the name "%s" of a partition to come is taken', taken.partition_name),
      DETAIL = format('Relation %s is no partition of table %s for that time.', taken.relation, parent),
      HINT = 'Rename it, or give another name_format.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_new_names(regclass) IS 'internal: refuses names that are taken; errors: 42P07';

-- chatopt._odd_partitions names the partitions that are no whole period; those to come are made around them.
CREATE FUNCTION chatopt._odd_partitions(config chatopt.partition_set) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(b.leaf::text, ', ' ORDER BY b.lower_at NULLS FIRST)
  FROM chatopt._bounds(config.parent, config.kind, config.time_zone, config.snowflake_epoch, config.snowflake_shift) AS b,
    LATERAL (SELECT b.lower_at AT TIME ZONE config.time_zone AS low, b.upper_at AT TIME ZONE config.time_zone AS high) AS t
  WHERE NOT b.is_default AND (t.low IS NULL OR t.high IS NULL OR date_trunc(config.every, t.low) <> t.low
    OR t.high <> t.low + chatopt._period(config.every))
$$;
COMMENT ON FUNCTION chatopt._odd_partitions(chatopt.partition_set) IS 'internal: the partitions that are no whole period';

-- chatopt._set_statements gives the statement that has a table looked after as asked; what is NULL stays, or is found from what is there.
CREATE FUNCTION chatopt._set_statement(
    parent regclass, every text, premake int, time_zone text, control_kind text, snowflake_epoch timestamptz, snowflake_shift int, name_format text)
  RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  old chatopt.partition_set := chatopt.set_config(parent);
  kind text := chatopt._check_kind(parent, coalesce(control_kind, old.kind), coalesce(snowflake_epoch, old.snowflake_epoch), coalesce(snowflake_shift, old.snowflake_shift));
  zone text := chatopt._check_zone(coalesce(time_zone, old.time_zone, 'UTC'));
BEGIN
  every := coalesce(chatopt._every(every), old.every,
    chatopt._guess_every(parent, kind, zone, coalesce(snowflake_epoch, old.snowflake_epoch), coalesce(snowflake_shift, old.snowflake_shift)), 'month');
  premake := coalesce(premake, old.premake, 3);
  IF premake NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'premake must be between 1 and 1000',
      HINT = 'It is how many periods after the present one have a partition already.';
  ELSIF old.keep IS NOT NULL THEN
    PERFORM chatopt._check_keep(old.keep, every);
  END IF;
  -- a format of the old period's usual names goes with the period
  name_format := chatopt._check_name_format(
    coalesce(name_format, nullif(old.name_format, chatopt._name_format(old.every)), chatopt._name_format(every)), every);
  RETURN format('SELECT chatopt.save_set(%L::regclass, %L, %L, %L, %L, %L, %L, %L, %L, %L);', parent, kind, every, premake, zone,
    coalesce(snowflake_epoch, old.snowflake_epoch), coalesce(snowflake_shift, old.snowflake_shift), name_format,
    coalesce(old.origin, 'partition'), coalesce(old.undo, '{}'));
END
$$;
COMMENT ON FUNCTION chatopt._set_statement(regclass, text, int, text, text, timestamptz, int, text) IS
  'internal: the statement that has a table looked after as asked; errors: 0A000 22023 42809';

--| Has chatopt look after the partitions of a table that is partitioned by range: from now on CALL chatopt.maintain() makes those to
--| come, and retires old ones once chatopt.set_retention says so. Changes nothing in the table. Called again it changes the settings;
--| what is left out stays.
--| every is a day, week, month, quarter or year of the calendar in time_zone; left out, both are found from the newest partition, or are
--| a month in UTC. premake is how many periods after the present one always have a partition (3). control_kind says how a bigint column
--| stands for time: 'epoch_seconds', 'epoch_milliseconds', or 'snowflake' with the time of id 0 and the number of low bits that are no
--| milliseconds. name_format is put behind the table's name: YYYY, MM, DD, Q, IYYY, IW (_YYYY_MM for months).
--| Returns the statements run, or with dry_run those that would run.
--@ locks: ACCESS SHARE on the table
--@ errors: 0A000 22004 22023 42501 42809 42P07
CREATE FUNCTION chatopt.partition(
    parent regclass, every text DEFAULT NULL, premake int DEFAULT NULL, time_zone text DEFAULT NULL, control_kind text DEFAULT NULL,
    snowflake_epoch timestamptz DEFAULT NULL, snowflake_shift int DEFAULT NULL, name_format text DEFAULT NULL, dry_run boolean DEFAULT false)
  RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
  odd text;
BEGIN
  PERFORM chatopt._check_owned(parent);
  statement := chatopt._set_statement(parent, every, premake, time_zone, control_kind, snowflake_epoch, snowflake_shift, name_format);
  RETURN NEXT statement;
  IF NOT coalesce(dry_run, false) THEN
    EXECUTE statement;
    PERFORM chatopt._check_new_names(parent);
    odd := chatopt._odd_partitions(chatopt.set_config(parent));
    IF odd IS NOT NULL THEN
      RAISE NOTICE USING MESSAGE = format('table %s has partitions that are not one period each', parent),
        DETAIL = format('They stay as they are, and those to come are made around them: %s.', odd);
    END IF;
  END IF;
  RETURN NEXT format(E'-- outside a transaction block\nCALL chatopt.maintain(%L);', parent);
END
$$;
COMMENT ON FUNCTION chatopt.partition(regclass, text, int, text, text, timestamptz, int, text, boolean) IS
  'has chatopt make partitions ahead and retire old ones, by CALL chatopt.maintain(), of a table that is partitioned by range; changes its settings '
  'when called again. Returns the statements run. For the owner. Errors: 42809 not partitioned by range, 0A000 unsuited key or partitions, '
  '22023 unsuited period, zone or kind, 42P07 a name is taken';

-- chatopt._check_keep refuses a retention shorter than a partition.
CREATE FUNCTION chatopt._check_keep(keep interval, every text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF keep < chatopt._period(every) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('retention of %s is shorter than one partition', keep),
      DETAIL = format('A partition holds a %s.', every),
      HINT = 'Write the unit: ''12 months'', ''90 days''. A number alone is taken for seconds.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_keep(interval, text) IS 'internal: refuses a retention shorter than a partition; errors: 22023';

-- chatopt._check_archive refuses a schema that is not the table owner's.
CREATE FUNCTION chatopt._check_archive(parent regclass, archive_schema text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = parent);
  archive record;
BEGIN
  IF archive_schema IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'action ''archive'' needs archive_schema',
      HINT = 'Name the schema that archived partitions are moved to.';
  END IF;
  IF archive_schema = (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = parent) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('archive_schema "%s" is the schema of table %s itself', archive_schema, parent),
      HINT = 'Use action ''detach'', or name another schema.';
  END IF;
  SELECT n.oid, n.nspowner, has_schema_privilege(owner, n.oid, 'CREATE') AS may INTO archive FROM pg_namespace AS n WHERE n.nspname = archive_schema;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = format('schema "%s" does not exist', archive_schema),
      HINT = format('CREATE SCHEMA %I AUTHORIZATION %I;', archive_schema, pg_get_userbyid(owner));
  ELSIF NOT pg_has_role(owner, archive.nspowner, 'USAGE') OR NOT archive.may THEN
    -- whoever owns a schema can drop what others keep in it
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('schema "%s" does not belong to the owner of table %s', archive_schema, parent),
      DETAIL = format('It belongs to "%s", who could drop the archived partitions.', pg_get_userbyid(archive.nspowner)),
      HINT = format('ALTER SCHEMA %I OWNER TO %I;', archive_schema, pg_get_userbyid(owner));
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_archive(regclass, text) IS 'internal: refuses an archive that is somebody else''s; errors: 22023 3F000 42501';

--| How long the partitions of a table are kept: those whose upper bound is longer ago than keep are retired by the next
--| CALL chatopt.maintain(). action says how: 'detach' leaves the table beside its parent, 'archive' moves it to archive_schema, 'drop'
--| drops it. keep NULL keeps all for ever. chatopt.maintenance_plan says beforehand what would go.
--@ errors: 22004 22023 3F000 42501 55000
CREATE FUNCTION chatopt.set_retention(parent regclass, keep interval, action text DEFAULT 'detach', archive_schema text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.partition_set := chatopt._check_set(parent);
BEGIN
  action := coalesce(action, 'detach');
  IF action NOT IN ('detach', 'drop', 'archive') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unrecognized action "%s"', action),
      HINT = 'Use ''detach'', ''drop'' or ''archive''.';
  END IF;
  PERFORM chatopt._check_keep(keep, config.every);
  IF action = 'archive' THEN
    PERFORM chatopt._check_archive(parent, archive_schema);
  ELSIF archive_schema IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('archive_schema goes with action ''archive'', not ''%s''', action);
  END IF;
  PERFORM chatopt.save_retention(parent, keep, action, archive_schema);
END
$$;
COMMENT ON FUNCTION chatopt.set_retention(regclass, interval, text, text) IS
  'how long partitions are kept after their upper bound, and whether CALL chatopt.maintain() then detaches, archives or drops them; NULL: for ever. '
  'For the owner. Errors: 22023 shorter than a partition, 42501 the archive is somebody else''s, 55000 not looked after';

-- chatopt._set_of gives the partitioned table that a partition belongs to, or the table itself.
CREATE FUNCTION chatopt._set_of(tbl regclass) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((SELECT i.inhparent::regclass FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
                   WHERE i.inhrelid = tbl AND c.relispartition), tbl)
$$;
COMMENT ON FUNCTION chatopt._set_of(regclass) IS 'internal: the partitioned table of a partition';

-- chatopt._check_holdable refuses what is neither partition nor partitioned table of a set.
CREATE FUNCTION chatopt._check_holdable(tbl regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.partition_set;
BEGIN
  PERFORM chatopt._check_owned(tbl);
  config := chatopt.set_config(chatopt._set_of(tbl));
  IF config.parent IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('table %s is neither a partitioned table that chatopt looks after nor a partition of one', tbl),
      HINT = 'The view chatopt.partitions lists them.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_holdable(regclass) IS 'internal: refuses what cannot be held; errors: 22004 42501 42809';

--| Keeps retention away from a partition, or from all partitions of a table, until chatopt.release_hold: for a legal hold. The plan
--| and the log then say why it was not retired. Held again, it has the new reason.
--@ errors: 22004 22023 42501 42809
CREATE FUNCTION chatopt.hold(tbl regclass, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt._check_holdable(tbl);
  IF coalesce(reason, '') ~ '^\s*$' THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'a hold needs a reason', HINT = 'Say who asked for it and why.';
  END IF;
  PERFORM chatopt.save_hold(tbl, reason);
END
$$;
COMMENT ON FUNCTION chatopt.hold(regclass, text) IS
  'keeps a partition, or all partitions of a table, from being retired. For the owner. Errors: 22023 no reason, 42809 no such partition';

--| Takes back chatopt.hold; where nothing is held it does nothing.
--@ errors: 22004 42501 42809
CREATE FUNCTION chatopt.release_hold(tbl regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt._check_holdable(tbl);
  PERFORM chatopt.save_hold(tbl, NULL);
END
$$;
COMMENT ON FUNCTION chatopt.release_hold(regclass) IS 'takes back chatopt.hold. For the owner. Errors: 42809 no such partition';

--| Stops maintenance of a table until chatopt.resume. Nothing is made ahead meanwhile: mind premake.
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.pause(parent regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt._check_set(parent);
  PERFORM chatopt.save_set_state(parent, 'paused');
END
$$;
COMMENT ON FUNCTION chatopt.pause(regclass) IS 'stops maintenance of a partitioned table. For the owner. Errors: 55000 not looked after';

--| Goes on with the maintenance of a table, and forgets the failures so far.
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.resume(parent regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt._check_set(parent);
  PERFORM chatopt.save_set_state(parent, 'active');
END
$$;
COMMENT ON FUNCTION chatopt.resume(regclass) IS 'goes on with the maintenance of a partitioned table. For the owner. Errors: 55000 not looked after';

--| No longer looks after a table. It stays partitioned as it is; its holds are forgotten.
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.forget_partitions(parent regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt._check_set(parent);
  PERFORM chatopt.forget_set(parent);
END
$$;
COMMENT ON FUNCTION chatopt.forget_partitions(regclass) IS
  'no longer looks after a partitioned table, which stays as it is. For the owner. Errors: 55000 not looked after';
