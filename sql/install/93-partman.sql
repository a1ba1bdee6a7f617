-- 93-partman.sql: chatopt.adopt_partman and chatopt.release_partman, from pg_partman and back to it.
--
-- Nothing of the table or its partitions is touched: pg_partman's row is switched off, and chatopt goes on with the same names and the
-- same bounds. The row as it was is kept, so that going back is one call. Versions 4 and 5 of pg_partman differ in their
-- columns, which is why the row is read as json.

-- chatopt._partman_config gives pg_partman's table of settings, which is the extension's own and no other of that name.
CREATE FUNCTION chatopt._partman_config() RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config regclass;
BEGIN
  SELECT c.oid INTO config
    FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.objid AND c.relname = 'part_config' AND c.relkind = 'r'
    WHERE e.extname = 'pg_partman';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'extension "pg_partman" is not installed in this database';
  END IF;
  RETURN config;
END
$$;
COMMENT ON FUNCTION chatopt._partman_config() IS 'internal: pg_partman''s table of settings; errors: 55000 not installed';

-- chatopt._partman_name writes a table's name as pg_partman keeps it: not quoted.
CREATE FUNCTION chatopt._partman_name(tbl regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = tbl
$$;
COMMENT ON FUNCTION chatopt._partman_name(regclass) IS 'internal: a table''s name as pg_partman writes it';

-- chatopt._partman_row gives pg_partman's settings of a table, or refuses what it does not have or is at work on.
CREATE FUNCTION chatopt._partman_row(parent regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  settings jsonb;
BEGIN
  EXECUTE format('SELECT to_jsonb(p) FROM %s AS p WHERE p.parent_table = $1', chatopt._partman_config()) INTO settings USING chatopt._partman_name(parent);
  IF settings IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('pg_partman does not look after table %s', parent),
      HINT = 'Call chatopt.partition for a table that nobody looks after.';
  ELSIF (settings->>'undo_in_progress')::boolean OR settings->>'async_partitioning_in_progress' IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('pg_partman is moving rows of table %s', parent),
      DETAIL = CASE WHEN (settings->>'undo_in_progress')::boolean THEN 'It is undoing the partitions.' ELSE 'Rows on their way out of the default partition are in a table of its own.' END,
      HINT = 'Let it finish first.';
  ELSIF settings->>'partition_type' = 'partman' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is divided by triggers, not partitioned', parent),
      HINT = 'The guides of pg_partman say how to make it natively partitioned.';
  END IF;
  RETURN settings;
END
$$;
COMMENT ON FUNCTION chatopt._partman_row(regclass) IS 'internal: pg_partman''s settings of a table; errors: 0A000 55000';

-- chatopt._partman_every gives the period of pg_partman's interval.
CREATE FUNCTION chatopt._partman_every(parent regclass, settings jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_every text;
BEGIN
  -- only numbers that stand for times have an interval
  IF chatopt._partman_kind(parent, settings) IS NOT NULL THEN
    SELECT e INTO found_every FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) AS e
      WHERE chatopt._period(e) = (settings->>'partition_interval')::interval;
  END IF;
  IF found_every IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s has partitions of %s', parent, settings->>'partition_interval'),
      HINT = 'Only partitions of a day, week, month, quarter or year are made.';
  END IF;
  RETURN found_every;
END
$$;
COMMENT ON FUNCTION chatopt._partman_every(regclass, jsonb) IS 'internal: the period of pg_partman''s interval; errors: 0A000';

-- chatopt._partman_kind says how the column stands for time.
CREATE FUNCTION chatopt._partman_kind(parent regclass, settings jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key record := chatopt._partition_column(parent);
BEGIN
  IF key.control_type <> 'bigint'::regtype THEN
    RETURN chatopt._guess_kind(parent, key.control, key.control_type);
  ELSIF settings->>'epoch' IN ('seconds', 'milliseconds') THEN
    RETURN 'epoch_' || (settings->>'epoch');
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('column "%s" of table %s does not count seconds or milliseconds', key.control, parent),
    DETAIL = CASE WHEN settings->>'time_encoder' IS NOT NULL THEN format('pg_partman reads it by %s.', settings->>'time_encoder')
      WHEN settings->>'epoch' = 'none' THEN 'Its partitions are ranges of numbers.' ELSE format('It counts %s.', settings->>'epoch') END,
    HINT = CASE WHEN settings->>'time_encoder' IS NOT NULL
      THEN 'For snowflake ids call chatopt.partition with control_kind, snowflake_epoch and snowflake_shift, and set automatic_maintenance to off in part_config.'
      ELSE 'Only partitions by time can be looked after.' END;
END
$$;
COMMENT ON FUNCTION chatopt._partman_kind(regclass, jsonb) IS 'internal: how the column stands for time; errors: 0A000 42809';

-- chatopt._partman_zone gives the time zone in which the bounds are midnights: pg_partman kept none before 5.4.4 and took the session's.
-- Wall-clock columns do not show it.
CREATE FUNCTION chatopt._partman_zone(parent regclass, settings jsonb, given text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind text := chatopt._partman_kind(parent, settings);
  fits boolean;
  zone text;
BEGIN
  IF coalesce(given, settings->>'partition_timezone') IS NOT NULL THEN
    RETURN chatopt._check_zone(coalesce(given, settings->>'partition_timezone'));
  ELSIF kind IN ('date', 'timestamp') THEN
    RETURN 'UTC';
  END IF;
  FOREACH zone IN ARRAY ARRAY[current_setting('TimeZone'), 'UTC'] LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_timezone_names AS z WHERE z.name = zone);
    SELECT bool_and(t.at AT TIME ZONE zone = date_trunc('day', t.at AT TIME ZONE zone)) INTO fits
      FROM chatopt._bounds(parent, kind, zone) AS b, unnest(ARRAY[b.lower_at, b.upper_at]) AS t(at) WHERE t.at IS NOT NULL;
    IF coalesce(fits, true) THEN
      RETURN zone;
    END IF;
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('the partitions of table %s do not begin at midnight %s', parent,
      concat_ws(' or ', 'in time zone ' || nullif(current_setting('TimeZone'), 'UTC'), 'in UTC')),
    HINT = 'Give time_zone, the one in which pg_partman was run.';
END
$$;
COMMENT ON FUNCTION chatopt._partman_zone(regclass, jsonb, text) IS 'internal: the time zone of pg_partman''s bounds; errors: 22023';

-- chatopt._partman_left_behind names what pg_partman does for a table and chatopt does not.
CREATE FUNCTION chatopt._partman_left_behind(settings jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(l.what, ' ' ORDER BY l.place)
  FROM (VALUES
    (1, settings->'constraint_cols' <> 'null', format('No constraints on %s are added to old partitions.', settings->>'constraint_cols')),
    (2, settings->'publications' <> 'null', format('New partitions are not added to publications %s one by one: publish the table itself.', settings->>'publications')),
    (3, settings->>'retention' IS NOT NULL AND NOT (settings->>'retention_keep_index')::boolean, 'Detached partitions keep their indexes.'),
    (4, settings->'subscription_refresh' <> 'null', format('Subscription %s is not refreshed.', settings->>'subscription_refresh')))
    AS l(place, applies, what)
  WHERE l.applies
$$;
COMMENT ON FUNCTION chatopt._partman_left_behind(jsonb) IS 'internal: what pg_partman does for a table and chatopt does not';

-- chatopt._partman_action says what chatopt does with partitions whose time is over.
CREATE FUNCTION chatopt._partman_action(settings jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN settings->>'retention_schema' IS NOT NULL THEN 'archive' WHEN (settings->>'retention_keep_table')::boolean THEN 'detach' ELSE 'drop' END
$$;
COMMENT ON FUNCTION chatopt._partman_action(jsonb) IS 'internal: what is to be done with partitions whose time is over';

-- chatopt._adopt_statements gives the statements of adopt_partman.
CREATE FUNCTION chatopt._adopt_statements(parent regclass, settings jsonb, zone text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  every text := chatopt._partman_every(parent, settings);
  keep interval := (settings->>'retention')::interval;
  -- the names that pg_partman gives, so that either of the two can go on where the other has stopped
  name_format text := chatopt._check_name_format(coalesce(settings->>'child_table_prefix', '_p') || (settings->>'datetime_string'), every);
BEGIN
  PERFORM chatopt._check_keep(keep, every);
  RETURN NEXT format('SELECT chatopt.save_set(%L::regclass, %L, %L, %L, %L, NULL, NULL, %L, ''partman'', %L);', parent, chatopt._partman_kind(parent, settings),
    every, settings->>'premake', zone, name_format, jsonb_build_object('partman', settings));
  IF keep IS NOT NULL THEN
    RETURN NEXT format('SELECT chatopt.set_retention(%L::regclass, %L, %L, %L);', parent, keep, chatopt._partman_action(settings), settings->>'retention_schema');
  END IF;
  RETURN NEXT format('UPDATE %s SET automatic_maintenance = ''off'' WHERE parent_table = %L;', chatopt._partman_config(), settings->>'parent_table');
END
$$;
COMMENT ON FUNCTION chatopt._adopt_statements(regclass, jsonb, text) IS 'internal: the statements that take a table over from pg_partman; errors: 0A000 22023';

-- chatopt._adopt_notices says what is different from now on.
CREATE FUNCTION chatopt._adopt_notices(parent regclass, settings jsonb, zone text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  odd text := chatopt._odd_partitions(chatopt.set_config(parent));
  left_behind text := chatopt._partman_left_behind(settings);
  one regclass;
BEGIN
  RAISE NOTICE USING MESSAGE = format('partitions of table %s begin at midnight in time zone %s', parent, zone),
    HINT = format('SELECT chatopt.partition(%L, time_zone => ''...''); names another.', parent);
  IF odd IS NOT NULL THEN
    RAISE NOTICE USING MESSAGE = format('table %s has partitions that are not one period each', parent),
      DETAIL = format('They stay as they are, and those to come are made around them: %s.', odd);
  END IF;
  SELECT b.leaf INTO one FROM chatopt._bounds(parent) AS b WHERE b.is_default;
  IF FOUND THEN
    RAISE NOTICE USING MESSAGE = format('table %s keeps its default partition %s', parent, one),
      DETAIL = 'While there is one, no partition can be detached concurrently, and making one locks it for a moment.',
      HINT = 'Detach it when it is empty; partitions are made ahead whether there is data or not.';
  END IF;
  IF left_behind IS NOT NULL THEN
    RAISE NOTICE USING MESSAGE = format('some of what pg_partman did for table %s is not done any more', parent), DETAIL = left_behind;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._adopt_notices(regclass, jsonb, text) IS 'internal: what is different once a table is taken over from pg_partman';

--| Takes a table over from pg_partman: period, number of partitions ahead, retention and names go on as they are set there, and
--| automatic_maintenance is turned off there. No partition is touched. time_zone is that of pg_partman's midnights, found from the
--| bounds where it is left out. Needs the right to update part_config. Returns the statements run, or with dry_run those that would run.
--@ locks: ACCESS SHARE on the table, a row of part_config
--@ errors: 0A000 22004 22023 3F000 42501 42809 42P07 55000
CREATE FUNCTION chatopt.adopt_partman(parent regclass, time_zone text DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  settings jsonb;
  zone text;
  statement text;
BEGIN
  PERFORM chatopt._check_owned(parent);
  settings := chatopt._partman_row(parent);
  IF (chatopt.set_config(parent)).parent IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('chatopt looks after table %s already', parent),
      HINT = format('SELECT chatopt.forget_partitions(%L); first, to take over pg_partman''s settings.', parent);
  END IF;
  zone := chatopt._partman_zone(parent, settings, time_zone);
  FOR statement IN SELECT * FROM chatopt._adopt_statements(parent, settings, zone) LOOP
    RETURN NEXT statement;
    IF NOT coalesce(dry_run, false) THEN
      EXECUTE statement;
    END IF;
  END LOOP;
  IF NOT coalesce(dry_run, false) THEN
    PERFORM chatopt._check_new_names(parent);
    PERFORM chatopt._adopt_notices(parent, settings, zone);
  END IF;
  RETURN NEXT format(E'-- outside a transaction block\nCALL chatopt.maintain(%L);', parent);
END
$$;
COMMENT ON FUNCTION chatopt.adopt_partman(regclass, text, boolean) IS
  'takes a table over from pg_partman with its period, retention and names, and turns its automatic maintenance off there. Returns the statements run. '
  'For the owner, with the right to update part_config. Errors: 55000 not pg_partman''s, 0A000 partitions of no calendar period, 22023 time zone or retention';

--| Gives a table back to pg_partman: chatopt forgets it, and the row of part_config is as it was before chatopt.adopt_partman, under the
--| name the table has now. Partitions made meanwhile have the names and bounds that pg_partman would have given them.
--| Returns the statements run, or with dry_run those that would run.
--@ locks: a row of part_config
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.release_partman(parent regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.partition_set := chatopt._check_set(parent);
  settings jsonb := config.undo->'partman';
  statements text[];
  rows_there boolean;
BEGIN
  IF settings IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table %s was not taken over from pg_partman', parent),
      HINT = format('SELECT chatopt.forget_partitions(%L); leaves it as it is.', parent);
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s AS p WHERE p.parent_table = $1)', chatopt._partman_config()) INTO rows_there USING settings->>'parent_table';
  statements := ARRAY[format('SELECT chatopt.forget_set(%L::regclass);', parent), CASE WHEN rows_there
    THEN format('UPDATE %s SET automatic_maintenance = %L, parent_table = %L, control = %L WHERE parent_table = %L;', chatopt._partman_config(),
      settings->>'automatic_maintenance', chatopt._partman_name(parent), (SELECT c.control FROM chatopt._partition_column(parent) AS c), settings->>'parent_table')
    ELSE format('INSERT INTO %s SELECT * FROM jsonb_populate_record(NULL::%1$s, %L);', chatopt._partman_config(), settings
      || jsonb_build_object('parent_table', chatopt._partman_name(parent), 'control', (SELECT c.control FROM chatopt._partition_column(parent) AS c))) END];
  FOR i IN 1 .. cardinality(statements) LOOP
    RETURN NEXT statements[i];
    IF NOT coalesce(dry_run, false) THEN
      EXECUTE statements[i];
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.release_partman(regclass, boolean) IS
  'gives a table back to pg_partman, with the row of part_config as it was before chatopt.adopt_partman. Returns the statements run. '
  'For the owner, with the right to update part_config. Errors: 55000 not taken over from pg_partman';
