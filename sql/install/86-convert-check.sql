-- 86-convert-check.sql: what is refused and what is asked before a plain table is made a partitioned one.
--
-- A conversion copies nothing: the table becomes the first partition, FROM (MINVALUE) TO the boundary, of a new parent that
-- takes its name. chatopt._convert_request turns the arguments of chatopt.convert into one jsonb value, the request, in which
-- everything is decided: kind of the control column, boundary, names. Every refusal happens here, before anything changes.

CREATE TABLE chatopt.conversion (
  tbl regclass PRIMARY KEY,
  shadow regclass,
  relfilenode oid NOT NULL,
  boundary text NOT NULL,
  step text NOT NULL,
  answers jsonb NOT NULL,
  names jsonb NOT NULL,
  originals jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  pid int NOT NULL DEFAULT pg_backend_pid(),
  username name NOT NULL DEFAULT current_user
);
REVOKE ALL ON TABLE chatopt.conversion FROM PUBLIC;
COMMENT ON TABLE chatopt.conversion IS 'tables that chatopt.convert is making partitioned; a row goes when that is done or cancelled';
COMMENT ON COLUMN chatopt.conversion.tbl IS 'the table; after the swap the partition that it has become';
COMMENT ON COLUMN chatopt.conversion.shadow IS 'the table that takes its place; NULL: not made yet';
COMMENT ON COLUMN chatopt.conversion.relfilenode IS 'the file of the table, which a conversion does not change';
COMMENT ON COLUMN chatopt.conversion.boundary IS 'the upper bound of the table as a partition, as a literal: rows from there on go to other partitions';
COMMENT ON COLUMN chatopt.conversion.step IS 'the step last done';
COMMENT ON COLUMN chatopt.conversion.answers IS 'the arguments that chatopt.convert was called with';
COMMENT ON COLUMN chatopt.conversion.names IS 'what was worked out from them: kind, boundary, the names of new objects';
COMMENT ON COLUMN chatopt.conversion.originals IS 'what the swap replaced, for going back';
COMMENT ON COLUMN chatopt.conversion.started_at IS 'when chatopt.convert was called first';
COMMENT ON COLUMN chatopt.conversion.updated_at IS 'when a step was last done';
COMMENT ON COLUMN chatopt.conversion.pid IS 'the backend that does it, or did it last';
COMMENT ON COLUMN chatopt.conversion.username IS 'the role that does it, or did it last';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.conversion',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = tbl)'
  ' AND (shadow IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = shadow))');

-- chatopt._save_conversion notes how far a conversion is; keys that are left out stay. The driver calls it as the owner of the
-- configuration: what is noted here is run later, so that nobody else may write it.
CREATE FUNCTION chatopt._save_conversion(converted oid, fields jsonb) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO chatopt.conversion AS c (tbl, relfilenode, boundary, step, answers, names, username)
    SELECT converted, (fields->>'relfilenode')::oid, fields->>'boundary', fields->>'step', fields->'answers', fields->'names', fields->>'username'
    WHERE fields ? 'answers' AND NOT EXISTS (SELECT FROM chatopt.conversion AS o WHERE o.tbl = converted);
  UPDATE chatopt.conversion AS c SET updated_at = now(), pid = pg_backend_pid(), username = coalesce(fields->>'username', c.username),
      step = coalesce(fields->>'step', c.step), boundary = coalesce(fields->>'boundary', c.boundary), names = coalesce(fields->'names', c.names),
      originals = coalesce(fields->'originals', c.originals), started_at = coalesce((fields->>'started_at')::timestamptz, c.started_at),
      shadow = CASE WHEN fields ? 'shadow' THEN (fields->>'shadow')::oid ELSE c.shadow END
    WHERE c.tbl = converted
$$;
REVOKE ALL ON FUNCTION chatopt._save_conversion(oid, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION chatopt._save_conversion(oid, jsonb) IS 'internal: notes how far a conversion is; for chatopt.convert alone';

CREATE FUNCTION chatopt.forget_conversion(tbl regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_forget_conversion';
COMMENT ON FUNCTION chatopt.forget_conversion(regclass) IS
  'internal: takes a conversion off the list; for chatopt.convert and cancel_conversion. The caller must own the table (42501)';

CREATE FUNCTION chatopt.conversion_state(tbl regclass) RETURNS chatopt.conversion
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_conversion_state';
COMMENT ON FUNCTION chatopt.conversion_state(regclass) IS
  'how far the conversion of a table is, named by the table or by its new parent; NULL: there is none. Needs SELECT on the table (42501)';

-- chatopt._cut_name appends to a name, cutting it, at a character, to the 63 bytes that names have.
CREATE FUNCTION chatopt._cut_name(base text, suffix text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WHILE octet_length(base) + octet_length(suffix) > 63 LOOP
    base := left(base, -1);
  END LOOP;
  RETURN base || suffix;
END
$$;
COMMENT ON FUNCTION chatopt._cut_name(text, text) IS 'internal: a name with a suffix, in 63 bytes';

-- chatopt._convert_now is the time a conversion takes for now.
CREATE FUNCTION chatopt._convert_now() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(nullif(current_setting('chatopt.clock', true), '')::timestamptz, clock_timestamp()) $$;
COMMENT ON FUNCTION chatopt._convert_now() IS 'internal: now, or what chatopt.clock says';

-- chatopt._period_start gives the start of the period that holds a time, or of one so many periods later.
CREATE FUNCTION chatopt._period_start(at timestamptz, every text, zone text, later int DEFAULT 0) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (date_trunc(every, at AT TIME ZONE zone) + later * chatopt._period(every)) AT TIME ZONE zone
$$;
COMMENT ON FUNCTION chatopt._period_start(timestamptz, text, text, int) IS 'internal: the start of a period in a time zone';

-- chatopt._control_literal writes a time as a value of the control column, chatopt._control_time the reverse.
CREATE FUNCTION chatopt._control_literal(request jsonb, at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE request->>'kind'
    WHEN 'timestamptz' THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00'
    WHEN 'timestamp' THEN to_char(at AT TIME ZONE (request->>'time_zone'), 'YYYY-MM-DD HH24:MI:SS')
    WHEN 'date' THEN to_char(at AT TIME ZONE (request->>'time_zone'), 'YYYY-MM-DD')
    WHEN 'epoch_seconds' THEN m.ms / 1000 || ''
    WHEN 'epoch_milliseconds' THEN m.ms || ''
    WHEN 'snowflake' THEN ((m.ms - floor(extract(epoch FROM (request->>'snowflake_epoch')::timestamptz) * 1000)::bigint) << (request->>'snowflake_shift')::int) || ''
    WHEN 'uuidv7' THEN regexp_replace(lpad(to_hex(m.ms), 12, '0'), '(.{8})(.{4})', '\1-\2-0000-0000-000000000000') END
  FROM (SELECT floor(extract(epoch FROM at) * 1000)::bigint) AS m(ms)
$$;
COMMENT ON FUNCTION chatopt._control_literal(jsonb, timestamptz) IS 'internal: a time as a value of the control column';

-- chatopt._convert_kind says how the values of the control column stand for time; for a bigint it looks at the greatest one.
CREATE FUNCTION chatopt._convert_kind(tbl regclass, control name, asked text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  type_id oid := (SELECT c.type_id FROM chatopt._column(tbl, control) AS c);
  kinds text[] := CASE type_id WHEN 'timestamptz'::regtype THEN ARRAY['timestamptz'] WHEN 'timestamp'::regtype THEN ARRAY['timestamp']
    WHEN 'date'::regtype THEN ARRAY['date'] WHEN 'int8'::regtype THEN ARRAY['epoch_seconds', 'epoch_milliseconds', 'snowflake']
    WHEN 'uuid'::regtype THEN ARRAY['uuidv7'] END;
  greatest_value text;
BEGIN
  IF kinds IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = format('column "%s" of table %s is of type %s', control, tbl, format_type(type_id, NULL)),
      HINT = 'The control column is a timestamptz, timestamp, date, bigint or uuid (version 7).';
  ELSIF asked IS NOT NULL AND asked <> ALL (kinds) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('column "%s" of table %s cannot be of kind %L', control, tbl, asked),
      HINT = format('For %s control_kind is %s.', format_type(type_id, NULL), array_to_string(kinds, ' or '));
  ELSIF asked IS NOT NULL OR cardinality(kinds) = 1 AND kinds[1] <> 'uuidv7' THEN
    RETURN coalesce(asked, kinds[1]);
  END IF;
  EXECUTE format('SELECT %I::text FROM %s WHERE %1$I IS NOT NULL ORDER BY %1$I DESC LIMIT 1', control, tbl) INTO greatest_value;
  IF kinds[1] = 'uuidv7' AND (greatest_value IS NULL OR substr(greatest_value, 15, 1) = '7') THEN
    RETURN 'uuidv7';
  ELSIF kinds[1] <> 'uuidv7' AND greatest_value::bigint BETWEEN 1000000000 AND 40000000000 THEN
    RETURN 'epoch_seconds';
  ELSIF kinds[1] <> 'uuidv7' AND greatest_value::bigint BETWEEN 1000000000000 AND 40000000000000 THEN
    RETURN 'epoch_milliseconds';
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('it is not clear how column "%s" of table %s stands for time', control, tbl),
    DETAIL = format('The greatest value is %s.', coalesce(greatest_value, 'none')), HINT = format('Pass control_kind => %L.', array_to_string(kinds, ''' or '''));
END
$$;
COMMENT ON FUNCTION chatopt._convert_kind(regclass, name, text) IS 'internal: how the control column stands for time';

-- chatopt._convert_owner refuses what is no table, and tables of others.
CREATE FUNCTION chatopt._convert_owner(tbl regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c record;
BEGIN
  IF tbl IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'tbl must not be null', HINT = 'Name the table.';
  END IF;
  SELECT * INTO c FROM pg_class WHERE oid = tbl;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', tbl::oid);
  ELSIF NOT pg_has_role(c.relowner, 'USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', c.relname);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._convert_owner(regclass) IS 'internal: refuses tables of others';

-- chatopt._convert_obstacles lists what makes a conversion impossible: a SQLSTATE, a message and a hint each.
CREATE FUNCTION chatopt._convert_obstacles(tbl regclass, control name, extends boolean) RETURNS TABLE (state text, message text, hint text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '42809', format('table %s is partitioned already', tbl), format('SELECT chatopt.partition(%L, ...) looks after its partitions.', tbl::text)
    FROM pg_class WHERE oid = tbl AND relkind = 'p'
  UNION ALL SELECT '42809', format('%s is not a table', tbl), NULL FROM pg_class WHERE oid = tbl AND relkind NOT IN ('r', 'p')
  UNION ALL SELECT '0A000', format('table %s is a partition of %s', tbl, i.inhparent::regclass), NULL
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhrelid = tbl AND c.relispartition
  UNION ALL SELECT '0A000', format('table %s is an inheritance child of %s', tbl, i.inhparent::regclass), 'ALTER TABLE ... NO INHERIT first.'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhrelid = tbl AND NOT c.relispartition
  UNION ALL SELECT '0A000', format('table %s is an inheritance parent of %s', tbl, i.inhrelid::regclass), 'ALTER TABLE ... NO INHERIT first.'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE i.inhparent = tbl AND c.relkind = 'r'
  UNION ALL SELECT '0A000', format('table %s is a temporary table', tbl), NULL FROM pg_class WHERE oid = tbl AND relpersistence = 't'
  UNION ALL SELECT '0A000', format('table %s is a typed table', tbl), format('ALTER TABLE %s NOT OF;', tbl) FROM pg_class WHERE oid = tbl AND reloftype <> 0
  UNION ALL SELECT '0A000', format('table %s belongs to extension "%s"', tbl, e.extname), NULL
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = tbl AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  UNION ALL SELECT '0A000', format('row trigger "%s" of table %s has a transition table', tgname, tbl), 'PostgreSQL has none on partitions; make it a statement trigger.'
    FROM pg_trigger WHERE tgrelid = tbl AND NOT tgisinternal AND tgtype & 1 = 1 AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
  UNION ALL SELECT '0A000', format('column "%s" of %s has the row type of table %s', a.attname, a.attrelid::regclass, tbl), NULL
    FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
    WHERE c.oid = tbl
  UNION ALL SELECT '42703', format('column "%s" of table %s does not exist', coalesce(control, 'NULL'), tbl), NULL
    WHERE (SELECT relkind FROM pg_class WHERE oid = tbl) = 'r' AND (control IS NULL OR NOT chatopt._has_column(tbl, control))
  UNION ALL SELECT '0A000', format('control column "%s" of table %s is generated', control, tbl), NULL
    FROM chatopt._column(tbl, control) AS c WHERE c.generated <> ''
  UNION ALL SELECT DISTINCT '0A000', format('view %s groups by the primary key of table %s', r.ev_class::regclass, tbl),
      format('Name all columns in its GROUP BY: the new key has column "%s" too.', control)
    FROM pg_constraint k JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid WHERE k.conrelid = tbl AND k.contype = 'p' AND extends
  UNION ALL SELECT '0A000', format('table %s belongs to the chat of table %s', tbl, c.messages), 'Only the messages of a chat can be converted while it is attached.'
    FROM chatopt.chats AS c LEFT JOIN chatopt.reads AS r ON r.messages = c.messages
    WHERE tbl IN (c.conversations, c.members, c.counters, r.read_state, r.read_heads, r.skipped_numbers, r.read_marks, r.read_log, r.views, r.mentions, r.mention_table)
  UNION ALL SELECT DISTINCT '0A000', format('%s is built on materialized view %s, which reads table %s', u.ev_class::regclass, m.oid::regclass, tbl), 'Drop it and create it again afterwards.'
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class m ON m.oid = r.ev_class AND m.relkind = 'm'
    JOIN pg_depend e ON e.refclassid = 'pg_class'::regclass AND e.refobjid = m.oid AND e.classid = 'pg_rewrite'::regclass JOIN pg_rewrite u ON u.oid = e.objid AND u.ev_class <> m.oid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = tbl
  UNION ALL SELECT '55000', format('prepared transaction "%s" holds table %s', p.gid, tbl), 'COMMIT PREPARED or ROLLBACK PREPARED it.'
    FROM pg_locks l JOIN pg_locks x ON x.virtualtransaction = l.virtualtransaction AND x.locktype = 'transactionid'
    JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
    WHERE l.locktype = 'relation' AND l.relation = tbl AND l.pid IS NULL AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT '55000', format('the chat of table %s is %s', tbl, s.state), CASE s.state WHEN 'disabled' THEN format('SELECT chatopt.enable(%L);', tbl::text)
      WHEN 'filling' THEN format('CALL chatopt.backfill(%L);', tbl::text) ELSE format('SELECT chatopt.build_indexes(%L);', tbl::text) END
    FROM (SELECT (chatopt.chat_config(tbl)).state) AS s WHERE s.state <> 'attached'
  UNION ALL SELECT '42501', format('role "%s" may not create tables in schema "%s"', pg_get_userbyid(c.relowner), n.nspname), NULL
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl AND NOT has_schema_privilege(c.relowner, n.oid, 'CREATE')
$$;
COMMENT ON FUNCTION chatopt._convert_obstacles(regclass, name, boolean) IS 'internal: what makes a conversion impossible';

-- chatopt._index_keys gives the key columns of an index, by name; NULL for an expression.
CREATE FUNCTION chatopt._index_keys(index_id oid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg((SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0) ORDER BY k.place)
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
  WHERE i.indexrelid = index_id AND k.place <= i.indnkeyatts
$$;
COMMENT ON FUNCTION chatopt._index_keys(oid) IS 'internal: the key columns of an index; NULL in place of an expression';

-- chatopt._convert_boundary gives the upper bound of the table as a partition: the first start of a period that is three days away.
CREATE FUNCTION chatopt._convert_boundary(request jsonb, asked timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  every text := request->>'every';
  zone text := request->>'time_zone';
  present timestamptz := chatopt._convert_now();
  result timestamptz;
BEGIN
  IF asked IS NULL THEN
    result := chatopt._period_start(present, every, zone, 1);
    RETURN CASE WHEN result >= present + interval '3 days' THEN result ELSE chatopt._period_start(present + interval '3 days', every, zone, 1) END;
  ELSIF asked <> chatopt._period_start(asked, every, zone) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('boundary %s is not the start of a %s in time zone %s', asked, every, zone),
      HINT = format('The next one is %s.', chatopt._period_start(asked, every, zone, 1));
  ELSIF asked < present + interval '2 hours' THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('boundary %s is not two hours away', asked),
      DETAIL = 'Rows from the boundary on are refused until the conversion is done.', HINT = 'Leave boundary out to have it chosen.';
  END IF;
  RETURN asked;
END
$$;
COMMENT ON FUNCTION chatopt._convert_boundary(jsonb, timestamptz) IS 'internal: the upper bound of the table as a partition';

-- chatopt._check_convert_words refuses unknown words and numbers among the arguments.
CREATE FUNCTION chatopt._check_convert_words(given jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT * FROM (VALUES ('primary_key', ARRAY['error', 'extend']), ('foreign_keys', ARRAY['error', 'drop', 'composite']),
      ('on_conflict', ARRAY['error', 'accepted']), ('unique_indexes', ARRAY['error', 'leaf'])) AS v(argument, words) LOOP
    IF given->>item.argument IS NULL OR given->>item.argument <> ALL (item.words) THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s must be one of %s', item.argument, array_to_string(item.words, ', ')),
        DETAIL = format('It is %s.', coalesce(given->>item.argument, 'NULL'));
    END IF;
  END LOOP;
  FOR item IN SELECT w FROM jsonb_array_elements_text(given->'accept') AS w LOOP
    IF item.w <> ALL (ARRAY['triggers', 'unlogged', 'subscriptions', 'row_functions', 'publications']) THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('accept does not know %L', item.w),
        HINT = 'It may hold triggers, unlogged, subscriptions, row_functions and publications.';
    END IF;
  END LOOP;
  IF given->>'premake' IS NULL OR (given->>'premake')::int NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'premake must be between 1 and 1000';
  ELSIF given->>'every' IS NULL OR given->>'time_zone' IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'every and time_zone must not be null', HINT = 'Give every as day, week, month, quarter or year.';
  END IF;
  PERFORM chatopt._check_zone(given->>'time_zone');
END
$$;
COMMENT ON FUNCTION chatopt._check_convert_words(jsonb) IS 'internal: refuses malformed arguments of chatopt.convert';

-- chatopt._convert_names fixes the names that a conversion uses, and refuses those that are taken.
CREATE FUNCTION chatopt._convert_names(tbl regclass, every text, zone text, boundary timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c record;
  suffix text := chatopt._partition_name('_before', chatopt._name_format(every), (boundary AT TIME ZONE zone)::date);
  names jsonb;
  taken text;
BEGIN
  SELECT k.relname::text AS name, n.nspname::text AS schema, n.oid AS schema_id INTO c
    FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE k.oid = tbl;
  names := jsonb_build_object('schema', c.schema, 'name', c.name, 'suffix', suffix, 'shadow', chatopt._cut_name(c.name, '_chatopt_new'),
    'wide', chatopt._cut_name(c.name, suffix), 'check', chatopt._cut_name(c.name, '_chatopt_before'));
  SELECT k.relname INTO taken FROM pg_class k WHERE k.relnamespace = c.schema_id AND k.relname IN (names->>'shadow', names->>'wide') LIMIT 1;
  IF taken IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation "%s" already exists', taken),
      DETAIL = format('The conversion of table %s needs that name.', tbl), HINT = 'Rename or drop it.';
  END IF;
  RETURN names;
END
$$;
COMMENT ON FUNCTION chatopt._convert_names(regclass, text, text, timestamptz) IS 'internal: the names that a conversion uses';

-- chatopt._check_rows refuses a table with rows that the first partition could not hold. One scan, or a look into an index.
CREATE FUNCTION chatopt._check_rows(tbl regclass, request jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  control text := request->>'control';
  found record;
BEGIN
  IF NOT chatopt._sees_all(tbl) THEN
    RETURN;
  END IF;
  IF NOT (SELECT c.not_null FROM chatopt._column(tbl, control) AS c) THEN
    EXECUTE format('SELECT count(*) AS rows FROM %s WHERE %I IS NULL', tbl, control) INTO found;
    IF found.rows > 0 THEN
      RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = format('column "%s" of table %s contains null values', control, tbl),
        DETAIL = format('%s rows have none.', found.rows), HINT = 'A row without a value belongs to no partition: fill it in.';
    END IF;
  END IF;
  -- the greatest value is found by an index where there is one
  EXECUTE format('SELECT EXISTS (SELECT FROM (SELECT %1$I AS value FROM %2$s WHERE %1$I IS NOT NULL ORDER BY %1$I DESC LIMIT 1) AS greatest WHERE value >= %3$L) AS beyond',
    control, tbl, request->>'boundary') INTO found;
  IF found.beyond THEN
    EXECUTE format('SELECT count(*) AS rows, (array_agg(%1$I::text ORDER BY %1$I))[1:10] AS first FROM %2$s WHERE %1$I >= %3$L', control, tbl, request->>'boundary') INTO found;
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('%s rows of table %s lie at or beyond the boundary %s', found.rows, tbl, request->>'boundary'),
      DETAIL = format('The first: %s.', array_to_string(found.first, ', ')), HINT = 'Repair them, or pass a later boundary.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_rows(regclass, jsonb) IS 'internal: refuses rows beyond the boundary or without a value';

-- chatopt._convert_request decides everything about a conversion, or raises.
CREATE FUNCTION chatopt._convert_request(tbl regclass, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  control text := given->>'control';
  keys text[] := (SELECT chatopt._index_keys(conindid) FROM pg_constraint WHERE conrelid = tbl AND contype = 'p');
  obstacle record;
  request jsonb;
  boundary timestamptz;
BEGIN
  PERFORM chatopt._check_convert_words(given);
  SELECT * INTO obstacle FROM chatopt._convert_obstacles(tbl, control, control <> ALL (keys)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = obstacle.state, MESSAGE = obstacle.message, HINT = coalesce(obstacle.hint, '');
  END IF;
  request := jsonb_build_object('tbl', tbl::oid::text, 'control', control, 'time_zone', given->>'time_zone', 'premake', (given->>'premake')::int,
    'every', chatopt._every(given->>'every'), 'kind', chatopt._convert_kind(tbl, control, given->>'control_kind'),
    'snowflake_epoch', given->>'snowflake_epoch', 'snowflake_shift', given->>'snowflake_shift',
    'extend', coalesce(control <> ALL (keys), false), 'key', to_jsonb(keys), 'foreign_keys', given->>'foreign_keys');
  IF request->>'kind' = 'snowflake' AND (given->>'snowflake_epoch' IS NULL OR given->>'snowflake_shift' IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'a snowflake key needs snowflake_epoch and snowflake_shift',
      HINT = 'For example snowflake_epoch => ''2010-11-04 01:42:54.657+00'', snowflake_shift => 22.';
  END IF;
  boundary := chatopt._convert_boundary(request, (given->>'boundary')::timestamptz);
  request := request || jsonb_build_object('boundary_at', boundary, 'boundary', chatopt._control_literal(request, boundary))
    || chatopt._convert_names(tbl, request->>'every', request->>'time_zone', boundary);
  PERFORM chatopt._check_rows(tbl, request);
  SELECT format('foreign key "%s" of table %s cannot be made composite', k.conname, k.conrelid::regclass) AS message INTO obstacle
    FROM chatopt._inbound_keys(tbl, request) AS f JOIN pg_constraint k ON k.oid = f.constraint_id WHERE given->>'foreign_keys' = 'composite' AND NOT f.kept AND NOT f.composable LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = obstacle.message,
      DETAIL = 'Only a key of another plain table to the primary key can.', HINT = 'Drop it, or pass foreign_keys => ''drop''.';
  END IF;
  RETURN request;
END
$$;
COMMENT ON FUNCTION chatopt._convert_request(regclass, jsonb) IS 'internal: everything that a conversion needs to know, or an error';

-- chatopt._lost_uniques gives the unique and exclusion indexes that the parent cannot have, as they lack the control column.
CREATE FUNCTION chatopt._lost_uniques(tbl regclass, control text) RETURNS TABLE (index_id oid, constraint_type "char")
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT i.indexrelid, k.contype FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = tbl AND i.indisvalid AND (i.indisexclusion OR i.indisunique AND control <> ALL (array_remove(chatopt._index_keys(i.indexrelid), NULL)))
$$;
COMMENT ON FUNCTION chatopt._lost_uniques(regclass, text) IS 'internal: unique indexes that cannot span partitions';

-- chatopt._quoted quotes names where that is needed.
CREATE FUNCTION chatopt._quoted(names text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(quote_ident(n) ORDER BY o) FROM unnest(names) WITH ORDINALITY AS u(n, o) $$;
COMMENT ON FUNCTION chatopt._quoted(text[]) IS 'internal: names, quoted where that is needed';

-- chatopt._inbound_keys gives the foreign keys into the table, and whether they can be made again as they are: not where what they refer
-- to is unique no longer, not from the table itself (its old rows would be checked under the lock), nor from a partitioned table. Those to the
-- primary key can be made again with the control column beside it.
CREATE FUNCTION chatopt._inbound_keys(tbl regclass, request jsonb) RETURNS TABLE (constraint_id oid, referencing regclass, kept boolean, composable boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.oid, k.conrelid::regclass, request->>'control' = ANY (chatopt._index_keys(k.conindid)) AND k.conrelid <> tbl AND c.relkind = 'r',
    k.conrelid <> tbl AND c.relkind = 'r' AND k.conindid = (SELECT p.conindid FROM pg_constraint p WHERE p.conrelid = tbl AND p.contype = 'p')
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE k.confrelid = tbl AND k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conrelid::regclass::text, k.conname
$$;
COMMENT ON FUNCTION chatopt._inbound_keys(regclass, jsonb) IS 'internal: the foreign keys into a table';

-- chatopt._chat_number_index gives the unique index on (conversation, number) of an attached chat: the counter's lock keeps numbers apart.
CREATE FUNCTION chatopt._chat_number_index(tbl regclass) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._sequence_index(tbl, max(r.column_name::text) FILTER (WHERE r.role = 'conversation'), max(r.column_name::text) FILTER (WHERE r.role = 'sequence_number'), true)
  FROM chatopt.trigger_roles(tbl) AS r WHERE (chatopt.chat_config(tbl)).messages = tbl
$$;
COMMENT ON FUNCTION chatopt._chat_number_index(regclass) IS 'internal: the unique index on conversation and number';

-- chatopt._publications_of gives the publications of a table: by its name, or with its schema or all tables.
CREATE FUNCTION chatopt._publications_of(tbl regclass) RETURNS TABLE (publication_id oid, by_name boolean, row_filter text, columns text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT r.prpubid, true, pg_get_expr(r.prqual, r.prrelid), array_to_string(chatopt._quoted(chatopt._column_names(tbl, r.prattrs::int2[])), ', ')
    FROM pg_publication_rel r WHERE r.prrelid = tbl
  UNION ALL SELECT n.pnpubid, false, NULL, NULL FROM pg_publication_namespace n JOIN pg_class c ON c.relnamespace = n.pnnspid
    WHERE c.oid = tbl AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prrelid = tbl AND r.prpubid = n.pnpubid)
  UNION ALL SELECT b.oid, false, NULL, NULL FROM pg_publication b WHERE b.puballtables
$$;
COMMENT ON FUNCTION chatopt._publications_of(regclass) IS 'internal: the publications of a table';

-- chatopt._mentions tells whether a function's text names a table.
CREATE FUNCTION chatopt._mentions(source text, table_name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT source ~* ('(^|[^a-z0-9_])' || regexp_replace(table_name, '([^[:alnum:]_])', '\\\1', 'g') || '($|[^a-z0-9_])') $$;
COMMENT ON FUNCTION chatopt._mentions(text, text) IS 'internal: whether a function''s text names a table';

-- chatopt._on_conflict_users finds who uses ON CONFLICT on the table, in functions and, where it is there, pg_stat_statements.
CREATE FUNCTION chatopt._on_conflict_users(tbl regclass) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  table_name text := (SELECT relname FROM pg_class WHERE oid = tbl);
  seen_in text := (SELECT quote_ident(n.nspname) || '.pg_stat_statements' FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements');
BEGIN
  RETURN QUERY SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname <> 'pg_catalog' AND n.nspname <> 'chatopt' AND coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) ~* 'on\s+conflict'
      AND chatopt._mentions(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), table_name);
  IF seen_in IS NOT NULL THEN
    BEGIN
      RETURN QUERY EXECUTE format('SELECT DISTINCT format(''statement %%s'', left(query, 60)) FROM %s WHERE query ~* ''on\s+conflict'' AND chatopt._mentions(query, $1)', seen_in) USING table_name;
    EXCEPTION WHEN object_not_in_prerequisite_state OR insufficient_privilege THEN
      NULL;  -- not preloaded, or not ours to read
    END;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._on_conflict_users(regclass) IS 'internal: who uses ON CONFLICT on a table';

-- chatopt._convert_questions lists what an application may rely on and loses: the argument that says yes, and what it is.
CREATE FUNCTION chatopt._convert_questions(tbl regclass, request jsonb) RETURNS TABLE (argument text, answer text, question text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'primary_key', 'extend', format('The primary key becomes (%1$s, %2$s): %1$s alone is no longer unique, and ON CONFLICT (%1$s) stops working.',
      k.columns, request->>'control')
    FROM (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(request->'key') AS c) AS k(columns) WHERE (request->>'extend')::boolean
  UNION ALL SELECT 'foreign_keys', CASE WHEN bool_and(f.composable) OVER () THEN 'composite' ELSE 'drop' END, format('Foreign key "%s" of table %s refers to columns that are unique no longer.', c.conname, c.conrelid::regclass)
    FROM chatopt._inbound_keys(tbl, request) AS f JOIN pg_constraint c ON c.oid = f.constraint_id WHERE NOT f.kept
  UNION ALL SELECT 'unique_indexes', 'leaf', format('%s %s cannot span partitions: it holds on the old rows only.',
      CASE WHEN l.constraint_type = 'x' THEN 'Exclusion constraint' ELSE 'Unique index' END, l.index_id::regclass)
    FROM chatopt._lost_uniques(tbl, request->>'control') AS l
    WHERE l.constraint_type IS DISTINCT FROM 'p' AND l.index_id IS DISTINCT FROM chatopt._chat_number_index(tbl)
  UNION ALL SELECT 'on_conflict', 'accepted', format('ON CONFLICT on table %s is used by %s.', tbl, u)
    FROM chatopt._on_conflict_users(tbl) AS u WHERE EXISTS (SELECT FROM chatopt._lost_uniques(tbl, request->>'control'))
  UNION ALL SELECT 'accept', 'triggers', format('BEFORE trigger "%s" may change column "%s": a row is routed before it fires, and cannot be moved by it.', t.tgname, request->>'control')
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE t.tgrelid = tbl AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND n.nspname NOT IN ('pg_catalog', 'chatopt')
      AND (l.lanname <> 'plpgsql' OR p.prosrc ~* ('\mnew\M\s*\.\s*"?' || regexp_replace(request->>'control', '([^[:alnum:]_])', '\\\1', 'g') || '"?\s*:?=[^=]'))
  UNION ALL SELECT 'accept', 'unlogged', format('Table %s is unlogged and stays so, and new partitions are made as it is.', tbl) FROM pg_class WHERE oid = tbl AND relpersistence = 'u'
  UNION ALL SELECT 'accept', 'subscriptions', format('Subscription "%s" writes to table %s: it goes on with the old rows'' partition until it is refreshed.', s.subname, tbl)
    FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srrelid = tbl
  UNION ALL SELECT 'accept', 'row_functions', format('Function %s takes or gives a row of table %s: it will be one of the old rows'' partition.', p.oid::regprocedure, tbl)
    FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
    JOIN pg_proc p ON t.oid = ANY (p.proargtypes || coalesce(p.proallargtypes, '{}')) OR t.typarray = ANY (p.proargtypes || coalesce(p.proallargtypes, '{}')) OR p.prorettype IN (t.oid, t.typarray)
    WHERE c.oid = tbl
  UNION ALL SELECT 'accept', 'publications', format('Publication "%s" will publish every partitioned table as one (publish_via_partition_root).', b.pubname)
    FROM pg_publication b WHERE NOT b.pubviaroot AND (SELECT count(*) FROM pg_publication_tables AS p JOIN pg_class c ON c.relname = p.tablename AND c.relispartition
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = p.schemaname WHERE p.pubname = b.pubname) > 0
      AND EXISTS (SELECT FROM chatopt._publications_of(tbl) AS u WHERE u.publication_id = b.oid)
$$;
COMMENT ON FUNCTION chatopt._convert_questions(regclass, jsonb) IS 'internal: what needs an answer before a conversion';

-- chatopt._answered tells whether the arguments answer a question.
CREATE FUNCTION chatopt._answered(given jsonb, argument text, answer text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN argument = 'accept' THEN given->'accept' ? answer ELSE given->>argument <> 'error' END $$;
COMMENT ON FUNCTION chatopt._answered(jsonb, text, text) IS 'internal: whether a question is answered';

-- chatopt._ask raises one error with all questions that are not answered.
CREATE FUNCTION chatopt._ask(tbl regclass, request jsonb, given jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  questions text;
  answers text;
BEGIN
  SELECT string_agg(q.question, E'\n') INTO questions FROM chatopt._convert_questions(tbl, request) AS q WHERE NOT chatopt._answered(given, q.argument, q.answer);
  IF questions IS NULL THEN
    RETURN;
  END IF;
  SELECT string_agg(CASE a.argument WHEN 'accept' THEN format('accept => ARRAY[%s]', a.words) ELSE format('%s => %s', a.argument, a.words) END, ', ') INTO answers
    FROM (SELECT q.argument, string_agg(DISTINCT quote_literal(q.answer), ', ') AS words FROM chatopt._convert_questions(tbl, request) AS q GROUP BY 1 ORDER BY 1) AS a;
  RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('converting table %s changes what an application may rely on', tbl),
    DETAIL = questions, HINT = format('CALL chatopt.convert(%L, %L, %s);', tbl::text, request->>'control', answers);
END
$$;
COMMENT ON FUNCTION chatopt._ask(regclass, jsonb, jsonb) IS 'internal: asks everything in one error';
