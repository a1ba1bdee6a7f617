-- 88-convert-plan.sql: the steps of a conversion, as a plan to read and one by one to run.
--
-- chatopt._conversion_next looks at what is there and says what is to be done next, so that a conversion that was killed
-- anywhere is called again. Before the swap nothing is remembered but the name of the new parent; after it, the statements
-- that are left are in the state row, since what they were made from is gone.

-- chatopt._index_state tells of an index that a conversion builds: 'missing', 'invalid', 'built', or 'taken' by something else.
CREATE FUNCTION chatopt._index_state(tbl regclass, name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((SELECT CASE WHEN i.indrelid IS DISTINCT FROM tbl THEN 'taken' WHEN i.indisvalid AND i.indisready THEN 'built' ELSE 'invalid' END
    FROM pg_class t JOIN pg_class c ON c.relnamespace = t.relnamespace AND c.relname = name LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE t.oid = tbl), 'missing')
$$;
COMMENT ON FUNCTION chatopt._index_state(regclass, text) IS 'internal: whether an index of a conversion is there';

-- chatopt._check_statement gives the CHECK that lets ATTACH believe the bounds without a scan.
CREATE FUNCTION chatopt._check_statement(tbl regclass, request jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I IS NOT NULL AND %3$I < %L) NOT VALID;', tbl, request->>'check', request->>'control', request->>'boundary')
$$;
COMMENT ON FUNCTION chatopt._check_statement(regclass, jsonb) IS 'internal: the CHECK constraint of a conversion';

-- chatopt._swap_locks gives the relations that a swap changes, in the order of their locks.
CREATE FUNCTION chatopt._swap_locks(tbl regclass, shadow regclass, request jsonb) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.id FROM (
    SELECT 1, tbl::oid UNION ALL SELECT 1, shadow::oid WHERE shadow IS NOT NULL
    UNION SELECT 2, confrelid FROM pg_constraint WHERE conrelid = tbl AND contype = 'f' AND confrelid <> tbl AND conparentid = 0
    UNION SELECT 3, referencing FROM chatopt._inbound_keys(tbl, request) WHERE referencing <> tbl
    UNION SELECT 4, relation_id FROM chatopt._readers(tbl) WHERE relation_id IS NOT NULL AND kind <> 'materialized view'
    UNION SELECT 5, d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = tbl AND d.deptype IN ('a', 'i')) AS l(place, id)
  GROUP BY l.id ORDER BY min(l.place), l.id
$$;
COMMENT ON FUNCTION chatopt._swap_locks(regclass, regclass, jsonb) IS 'internal: the relations that are locked in the swap';

-- chatopt._next_boundary is the request again with the next boundary that is far enough away.
CREATE FUNCTION chatopt._next_boundary(tbl regclass, request jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT r || chatopt._convert_names(tbl, r->>'every', r->>'time_zone', b.at) || jsonb_build_object('shadow', r->>'shadow', 'boundary_at', b.at, 'boundary', chatopt._control_literal(r, b.at))
  FROM (SELECT request) AS q(r), (SELECT chatopt._convert_boundary(request, NULL)) AS b(at)
$$;
COMMENT ON FUNCTION chatopt._next_boundary(regclass, jsonb) IS 'internal: a request with the next boundary';

-- chatopt._begin_again gives the statements that take back what was made for a boundary that has come too near.
CREATE FUNCTION chatopt._begin_again(tbl regclass, shadow regclass, request jsonb) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_remove(ARRAY[CASE WHEN shadow IS NOT NULL THEN format('DROP TABLE %s;', shadow) END,
    format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I;', tbl, request->>'check')], NULL)
$$;
COMMENT ON FUNCTION chatopt._begin_again(regclass, regclass, jsonb) IS 'internal: takes back what was made for a boundary';

-- chatopt._save writes the call that notes a step. It is run by the owner of the configuration.
CREATE FUNCTION chatopt._save(tbl regclass, conversion jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('SELECT chatopt._save_conversion(%s, %L);', tbl::oid, conversion) $$;
COMMENT ON FUNCTION chatopt._save(regclass, jsonb) IS 'internal: the statement that notes a step of a conversion';

-- chatopt._rows_to_fill says which rows of a table that refers still lack the column of a composite foreign key.
CREATE FUNCTION chatopt._rows_to_fill(key_columns text[], added text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('%I IS NULL AND %s', added, string_agg(format('%I IS NOT NULL', c), ' AND ')) FROM unnest(key_columns) AS c $$;
COMMENT ON FUNCTION chatopt._rows_to_fill(text[], text) IS 'internal: the condition for rows that are to be filled';

-- chatopt._next_key gives the next step for foreign keys that become composite: column and trigger, the rows there are in batches of pages, passing
-- over those that somebody holds, and the CHECK. No row: they are ready for the swap.
CREATE FUNCTION chatopt._next_key(tbl regclass, request jsonb, OUT step text, OUT statements text[], OUT run_as oid[], OUT lock_on oid[], OUT lock_mode int)
RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  batch CONSTANT bigint := 200;
  most_passes CONSTANT int := 10;
  k record;
  the_check record;
  page bigint;
  pass int;
  left_out boolean;
BEGIN
  FOR k IN SELECT * FROM chatopt._composite_keys(tbl, request) LOOP
    SELECT * INTO the_check FROM pg_constraint AS c WHERE c.conrelid = k.referencing AND c.conname = k.check_name;
    CONTINUE WHEN the_check.convalidated;
    page := coalesce((request->'filled'->k.constraint_id::text->>'page')::bigint, 0);
    pass := coalesce((request->'filled'->k.constraint_id::text->>'pass')::int, 1);
    lock_on := ARRAY[k.referencing::oid];
    lock_mode := 8;
    IF NOT chatopt._has_column(k.referencing, k.added) THEN
      step := 'key column';
      statements := ARRAY(SELECT f.statement FROM chatopt._fill_statements(tbl, request, k.constraint_id) AS f WHERE f.place < 4 ORDER BY f.place);
    ELSIF the_check.oid IS NOT NULL THEN
      step := 'validate';
      statements := ARRAY[format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', k.referencing, k.check_name)];
      lock_mode := 4;
    ELSE
      left_out := page * current_setting('block_size')::bigint < pg_relation_size(k.referencing);
      IF NOT left_out AND pass < most_passes THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', k.referencing, chatopt._rows_to_fill(k.key_columns, k.added)) INTO left_out;
        page := 0;
        pass := pass + 1;
      END IF;
      IF left_out THEN
        step := 'fill';
        lock_on := '{}';
        lock_mode := 0;
        -- the trigger fills it
        statements := ARRAY[format('UPDATE %1$s SET %2$I = NULL WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE ctid >= ''(%3$s,0)'' AND ctid < ''(%4$s,0)'' AND %5$s FOR NO KEY UPDATE SKIP LOCKED));',
            k.referencing, k.added, page, page + batch, chatopt._rows_to_fill(k.key_columns, k.added)),
          chatopt._save(tbl, jsonb_build_object('names', request || jsonb_build_object('filled', coalesce(request->'filled', '{}')
            || jsonb_build_object(k.constraint_id::text, jsonb_build_object('page', page + batch, 'pass', pass)))))];
      ELSE
        step := 'key check';
        statements := ARRAY(SELECT f.statement FROM chatopt._fill_statements(tbl, request, k.constraint_id) AS f WHERE f.place = 4);
      END IF;
    END IF;
    run_as := array_fill(k.owner_id, ARRAY[cardinality(statements)]);
    IF step = 'fill' THEN
      run_as[2] := 0;
    END IF;
    RETURN NEXT;
    RETURN;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._next_key(regclass, jsonb) IS 'internal: the next step for foreign keys that become composite';

-- chatopt._far_enough tells whether the boundary is further away than the swap could take.
CREATE FUNCTION chatopt._far_enough(state chatopt.conversion) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._convert_now() + greatest(interval '1 hour', least(10 * (clock_timestamp() - state.started_at), interval '1 day')) < (state.names->>'boundary_at')::timestamptz
$$;
COMMENT ON FUNCTION chatopt._far_enough(chatopt.conversion) IS 'internal: whether there is time enough until the boundary';

-- chatopt._conversion_next gives the next step of a conversion: its statements and who runs them (NULL: the table's owner, 0:
-- the owner of the configuration), and the locks to take before. kind is 'sql', 'concurrent' (the first statement in a
-- session of its own) or 'swap'. No row: all is done.
CREATE FUNCTION chatopt._conversion_next(tbl regclass, OUT step text, OUT kind text, OUT statements text[], OUT run_as oid[], OUT lock_on oid[], OUT lock_mode int)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  access_exclusive CONSTANT int := 8;
  share_row_exclusive CONSTANT int := 6;
  share_update_exclusive CONSTANT int := 4;
  configuration CONSTANT oid := 0;
  state chatopt.conversion := chatopt.conversion_state(tbl);
  request jsonb := state.names;
  left_over jsonb := state.originals->'after'->0;
  the_check record;
  item record;
BEGIN
  IF state.tbl IS NULL THEN
    RETURN;
  END IF;
  tbl := state.tbl;
  lock_on := '{}';
  lock_mode := 0;
  kind := 'sql';
  run_as := '{}';
  IF state.step = 'swapped' THEN
    IF left_over IS NULL THEN
      step := 'end';
      statements := ARRAY[format('SELECT chatopt._end_conversion(%s::regclass);', tbl::oid)];
    ELSE
      step := left_over->>'step';
      kind := left_over->>'kind';
      statements := ARRAY[left_over->>'statement'];
      run_as := ARRAY[(left_over->>'run_as')::oid, configuration];
      lock_on := ARRAY(SELECT l::oid FROM jsonb_array_elements_text(left_over->'lock_on') AS l);
      lock_mode := CASE WHEN lock_on <> '{}' THEN access_exclusive ELSE 0 END;
      statements := statements || chatopt._save(tbl, jsonb_build_object('originals', state.originals || jsonb_build_object('after', (state.originals->'after') - 0)));
    END IF;
    RETURN NEXT;
    RETURN;
  END IF;
  IF NOT chatopt._far_enough(state) THEN
    step := 'boundary';
    statements := chatopt._begin_again(tbl, state.shadow, request)
      || format('SELECT chatopt._save_conversion(%s, jsonb_build_object(''step'', ''started'', ''shadow'', NULL, ''started_at'', now(), ''names'', n.names, ''boundary'', n.names->>''boundary'')) FROM (SELECT chatopt._next_boundary(%1$s::regclass, %L)) AS n(names);',
        tbl::oid, request);
    run_as := array_append(array_fill(NULL::oid, ARRAY[cardinality(statements) - 1]), configuration);
    lock_on := ARRAY(SELECT chatopt._swap_locks(tbl, state.shadow, request));
    lock_mode := access_exclusive;
    RETURN NEXT;
    RETURN;
  END IF;
  FOR item IN SELECT c.object, c.statement FROM chatopt._carry_over(tbl, request) AS c WHERE c.when_run = 'index' LOOP
    CASE chatopt._index_state(tbl, item.object)
      WHEN 'built' THEN CONTINUE;
      WHEN 'taken' THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation "%s" already exists', item.object),
          DETAIL = format('The conversion of table %s needs that name.', tbl), HINT = 'Rename or drop it.';
      WHEN 'invalid' THEN
        step := 'drop index';
        statements := ARRAY[format('DROP INDEX CONCURRENTLY %s;', chatopt._in_schema(request, item.object))];
      ELSE
        step := 'index';
        statements := ARRAY[item.statement];
    END CASE;
    kind := 'concurrent';
    RETURN NEXT;
    RETURN;
  END LOOP;
  SELECT * INTO the_check FROM pg_constraint AS k WHERE k.conrelid = tbl AND k.conname = request->>'check';
  IF NOT FOUND THEN
    step := 'check';
    statements := ARRAY[chatopt._check_statement(tbl, request)];
    lock_on := ARRAY[tbl::oid];
    lock_mode := access_exclusive;
  ELSIF NOT the_check.convalidated THEN
    step := 'validate';
    statements := ARRAY[format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', tbl, request->>'check')];
    lock_on := ARRAY[tbl::oid];
    lock_mode := share_update_exclusive;
  ELSIF NOT (SELECT c.not_null FROM chatopt._column(tbl, request->>'control') AS c) THEN
    step := 'not null';
    statements := ARRAY[format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', tbl, request->>'control')];
    lock_on := ARRAY[tbl::oid];
    lock_mode := access_exclusive;
  ELSIF EXISTS (SELECT FROM chatopt._carry_over(tbl, request) AS c WHERE c.when_run = 'validate') THEN
    step := 'validate';
    statements := ARRAY[(SELECT c.statement FROM chatopt._carry_over(tbl, request) WITH ORDINALITY AS c WHERE c.when_run = 'validate' ORDER BY c.ordinality LIMIT 1)];
    lock_on := ARRAY[tbl::oid];
    lock_mode := share_update_exclusive;
  ELSIF EXISTS (SELECT FROM chatopt._next_key(tbl, request)) THEN
    SELECT n.step, n.statements, n.run_as, n.lock_on, n.lock_mode INTO step, statements, run_as, lock_on, lock_mode FROM chatopt._next_key(tbl, request) AS n;
  ELSIF state.shadow IS NULL THEN
    step := 'shadow';
    statements := ARRAY(SELECT c.statement FROM chatopt._carry_over(tbl, request) WITH ORDINALITY AS c WHERE c.when_run = 'shadow' ORDER BY c.ordinality)
      || format('SELECT chatopt._save_conversion(%s, jsonb_build_object(''step'', ''shadow'', ''shadow'', %L::regclass::oid::text));', tbl::oid, chatopt._in_schema(request, request->>'shadow'));
    run_as := array_append(array_fill(NULL::oid, ARRAY[cardinality(statements) - 1]), configuration);
  ELSIF EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = tbl AND k.contype = 'f' AND k.confrelid <> tbl AND k.conparentid = 0
      AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.conrelid = state.shadow AND o.conname = k.conname)) THEN
    step := 'shadow keys';
    statements := ARRAY(SELECT c.statement FROM chatopt._carry_over(tbl, request) WITH ORDINALITY AS c WHERE c.when_run = 'shadow keys' ORDER BY c.ordinality);
    lock_on := ARRAY(SELECT DISTINCT k.confrelid FROM pg_constraint AS k WHERE k.conrelid = tbl AND k.contype = 'f' AND k.confrelid <> tbl AND k.conparentid = 0 ORDER BY 1);
    lock_mode := share_row_exclusive;
  ELSE
    step := 'swap';
    kind := 'swap';
    SELECT array_agg(s.statement ORDER BY s.ordinality), array_agg(s.run_as ORDER BY s.ordinality) INTO statements, run_as
      FROM chatopt._swap_statements(tbl, state) WITH ORDINALITY AS s;
    lock_on := ARRAY(SELECT chatopt._swap_locks(tbl, state.shadow, request));
    lock_mode := access_exclusive;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION chatopt._conversion_next(regclass) IS 'internal: the next step of a conversion';

-- chatopt._convert_rights refuses a conversion that would have to change objects of others.
CREATE FUNCTION chatopt._convert_rights(tbl regclass, request jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  item record;
BEGIN
  SELECT c.kind, c.object, c.run_as INTO item FROM chatopt._carry_over(tbl, request) AS c WHERE c.run_as IS NOT NULL AND NOT pg_has_role(c.run_as, 'USAGE') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of %s %s', item.kind, item.object),
      DETAIL = format('It belongs to role "%s" and depends on table %s.', pg_get_userbyid(item.run_as), tbl), HINT = 'Let a superuser, or a member of that role, call chatopt.convert.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._convert_rights(regclass, jsonb) IS 'internal: refuses to change the objects of others';

-- chatopt._start_conversion checks and asks, and gives what is to be noted; where the conversion was started already, the
-- arguments must be the same, and there is nothing new to note.
CREATE FUNCTION chatopt._start_conversion(tbl regclass, given jsonb, OUT converted regclass, OUT fields jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state chatopt.conversion;
  request jsonb;
BEGIN
  PERFORM chatopt._convert_owner(tbl);
  fields := jsonb_build_object('username', current_user);
  state := chatopt.conversion_state(tbl);
  converted := coalesce(state.tbl, tbl);
  IF state.tbl IS NULL THEN
    request := chatopt._convert_request(tbl, given);
    PERFORM chatopt._ask(tbl, request, given);
    PERFORM chatopt._convert_rights(tbl, request);
    fields := fields || jsonb_build_object('relfilenode', pg_relation_filenode(tbl), 'boundary', request->>'boundary', 'step', 'started', 'answers', given, 'names', request);
  ELSIF state.answers <> given THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('the conversion of table %s was started with other arguments', tbl),
      DETAIL = format('They were: %s.', state.answers), HINT = CASE WHEN state.step <> 'swapped' THEN format('Call it with the same ones, or SELECT chatopt.cancel_conversion(%L);', tbl::text) ELSE 'Call it with the same ones.' END;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._start_conversion(regclass, jsonb) IS 'internal: begins a conversion, or goes on with it';

-- chatopt._convert_arguments puts the arguments of convert and convert_plan together.
CREATE FUNCTION chatopt._convert_arguments(control name, every text, premake int, time_zone text, primary_key text, foreign_keys text, boundary timestamptz,
  on_conflict text, unique_indexes text, accept text[], control_kind text, snowflake_epoch timestamptz, snowflake_shift int) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
AS $$
  SELECT jsonb_build_object('control', control, 'every', every, 'premake', premake, 'time_zone', time_zone, 'primary_key', primary_key, 'foreign_keys', foreign_keys,
    'boundary', boundary::text, 'on_conflict', on_conflict, 'unique_indexes', unique_indexes, 'accept', coalesce(to_jsonb(accept), '[]'), 'control_kind', control_kind,
    'snowflake_epoch', snowflake_epoch::text, 'snowflake_shift', snowflake_shift)
$$;
COMMENT ON FUNCTION chatopt._convert_arguments(name, text, int, text, text, text, timestamptz, text, text, text[], text, timestamptz, int) IS
  'internal: the arguments of a conversion as one value';

-- chatopt._plan_rows gives the rows of a plan without their step's number.
CREATE FUNCTION chatopt._plan_rows(tbl regclass, request jsonb, given jsonb) RETURNS TABLE (step int, action text, object text, statement text, note text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 0, 'boundary', tbl::text, NULL, format('Rows from %s on are refused from step 2 to the swap; the deadline of the swap is %s. Rows already there stay where they are, in partition %s.',
      request->>'boundary', (request->>'boundary_at')::timestamptz - interval '1 hour', request->>'wide')
  UNION ALL SELECT 0, 'question', tbl::text, NULL, q.question || format(' %s %s.', CASE WHEN chatopt._answered(given, q.argument, q.answer) THEN 'Answered:' ELSE 'Needs' END,
      CASE q.argument WHEN 'accept' THEN format('accept => ARRAY[%L]', q.answer) ELSE format('%s => %L', q.argument, q.answer) END)
    FROM chatopt._convert_questions(tbl, request) AS q
  UNION ALL SELECT 0, 'hint', tbl::text, NULL, format('Column "%s" is a version 7 UUID or may be a snowflake: with it as the control column the primary key, ON CONFLICT and the foreign keys stay as they are.', request->'key'->>0)
    WHERE (request->>'extend')::boolean AND jsonb_array_length(request->'key') = 1
      AND (SELECT c.type_id FROM chatopt._column(tbl, request->'key'->>0) AS c) IN ('uuid'::regtype, 'int8'::regtype)
  UNION ALL SELECT 0, 'hint', t.evtname, NULL, 'An event trigger, which sees every command of the conversion.' FROM pg_event_trigger t WHERE t.evtenabled <> 'D'
  UNION ALL SELECT 0, 'note', tbl::text, NULL, 'Whole-row values in prepared statements (SELECT m FROM messages AS m) fail once a session with "cached plan must not change result type".'
  UNION ALL SELECT 0, 'note', x.name, NULL, 'Stays an index of the old rows'' partition alone.' FROM chatopt._converted_indexes(tbl, request) AS x WHERE x.becomes = 'leaf'
  UNION ALL SELECT 2, 'check', request->>'check', chatopt._check_statement(tbl, request), NULL
  UNION ALL SELECT 3, 'validate', request->>'check', format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', tbl, request->>'check'), NULL
  UNION ALL SELECT 3, 'not null', request->>'control', format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', tbl, request->>'control'), NULL
    FROM chatopt._column(tbl, request->>'control') AS c WHERE NOT c.not_null
  UNION ALL SELECT CASE c.when_run WHEN 'index' THEN 1 WHEN 'validate' THEN 3 WHEN 'keys' THEN 4 WHEN 'shadow' THEN 4 WHEN 'shadow keys' THEN 5 WHEN 'swap' THEN 6 WHEN 'after' THEN 7 ELSE 8 END,
      c.kind, c.object, c.statement, CASE WHEN c.run_as IS NOT NULL THEN format('as role "%s"', pg_get_userbyid(c.run_as)) END
    FROM chatopt._carry_over(tbl, request) AS c
$$;
COMMENT ON FUNCTION chatopt._plan_rows(regclass, jsonb, jsonb) IS 'internal: the rows of chatopt.convert_plan';

--| What chatopt.convert would do with the same arguments: every statement in its order, with the lock it needs and for how long it is
--| held. Step 0 says the boundary and asks what convert would refuse to go on without. What makes a conversion impossible is an error here too.
--@ cost: at most one scan of the table, for the greatest value of the control column where no index has it
--@ locks: ACCESS SHARE
--@ errors: 22004 22023 23502 23514 0A000 42501 42703 42804 42809 42P07 55000
CREATE FUNCTION chatopt.convert_plan(tbl regclass, control name, every text DEFAULT 'month', premake int DEFAULT 3, time_zone text DEFAULT 'UTC',
  primary_key text DEFAULT 'error', foreign_keys text DEFAULT 'error', boundary timestamptz DEFAULT NULL, on_conflict text DEFAULT 'error',
  unique_indexes text DEFAULT 'error', accept text[] DEFAULT '{}', control_kind text DEFAULT NULL, snowflake_epoch timestamptz DEFAULT NULL, snowflake_shift int DEFAULT NULL)
RETURNS TABLE (step int, action text, object text, statement text, lock text, held text, note text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given jsonb := chatopt._convert_arguments(control, every, premake, time_zone, primary_key, foreign_keys, boundary, on_conflict, unique_indexes, accept, control_kind, snowflake_epoch, snowflake_shift);
  request jsonb;
BEGIN
  PERFORM chatopt._convert_owner(tbl);
  request := chatopt._convert_request(tbl, given);
  RETURN QUERY SELECT r.step, r.action, r.object, r.statement, l.lock, CASE WHEN l.lock IS NOT NULL THEN l.held END, r.note
    FROM chatopt._plan_rows(tbl, request, given) WITH ORDINALITY AS r(step, action, object, statement, note, place)
    LEFT JOIN (VALUES (1, 'SHARE UPDATE EXCLUSIVE', 'for two scans of the table; reads and writes go on'),
      (2, 'ACCESS EXCLUSIVE', 'for milliseconds'),
      (3, 'SHARE UPDATE EXCLUSIVE', 'for one scan of the table; reads and writes go on'),
      (4, NULL, NULL),
      (5, 'SHARE ROW EXCLUSIVE on the tables referred to', 'for milliseconds'),
      (6, 'ACCESS EXCLUSIVE on the table, tables that refer to it or that it refers to, views on it', 'for milliseconds, once to rehearse and once to stay'),
      (7, 'SHARE UPDATE EXCLUSIVE', 'for a scan; reads and writes go on'),
      (8, 'SHARE UPDATE EXCLUSIVE', 'for a moment; reads and writes go on')) AS l(step, lock, held) ON l.step = r.step
    ORDER BY r.step, r.place;
END
$$;
COMMENT ON FUNCTION chatopt.convert_plan(regclass, name, text, int, text, text, text, timestamptz, text, text, text[], text, timestamptz, int) IS
  'what chatopt.convert would do with the same arguments: statements, locks, and what needs an answer. For the owner. '
  'Errors as chatopt.convert, but for questions, which are rows of step 0';
