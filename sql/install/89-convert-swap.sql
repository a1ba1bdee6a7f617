-- 89-convert-swap.sql: chatopt.convert, which makes a live plain table a partitioned one, and chatopt.cancel_conversion.
--
-- The swap is one transaction of catalogue changes: the table becomes a partition of the new parent, which takes its name. The
-- driver (src/partitions/converting.cpp) takes all locks at once without queueing, rehearses the swap and rolls it back, then does it.

CREATE FUNCTION chatopt._lock_conversion(tbl regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_lock_conversion';
COMMENT ON FUNCTION chatopt._lock_conversion(regclass) IS
  'internal: until the transaction ends nobody else converts the table; raises 55006 where somebody does';

CREATE FUNCTION chatopt._move_chat(old_messages regclass, new_messages regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_move_chat';
COMMENT ON FUNCTION chatopt._move_chat(regclass, regclass) IS
  'internal: makes another table the messages table of a chat. The caller must own both (42501)';

-- chatopt._originals keeps what the swap replaces, and the statements that are left to run after it.
CREATE FUNCTION chatopt._originals(tbl regclass, request jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object(
    'after', coalesce((SELECT jsonb_agg(jsonb_build_object('step', c.kind, 'kind', CASE c.when_run WHEN 'clean' THEN 'concurrent' ELSE 'sql' END,
        'statement', c.statement, 'run_as', c.run_as::text,
        'lock_on', CASE WHEN c.kind = 'materialized view' AND c.place = 21 THEN jsonb_build_array(c.object::regclass::oid::text) ELSE '[]' END) ORDER BY c.ordinality)
      FROM chatopt._carry_over(tbl, request) WITH ORDINALITY AS c WHERE c.when_run IN ('after', 'clean')), '[]'),
    'constraints', coalesce((SELECT jsonb_agg(jsonb_build_object('table', k.conrelid::oid::text, 'name', k.conname, 'definition', pg_get_constraintdef(k.oid)) ORDER BY k.conname)
      FROM pg_constraint k WHERE (k.conrelid = tbl AND k.contype IN ('p', 'u', 'x') OR k.confrelid = tbl AND k.contype = 'f') AND k.conparentid = 0), '[]'),
    'indexes', coalesce((SELECT jsonb_agg(jsonb_build_object('name', x.name, 'becomes', x.becomes, 'definition', pg_get_indexdef(x.index_id)) ORDER BY x.name)
      FROM chatopt._converted_indexes(tbl, request) AS x), '[]'),
    'index_count', (SELECT count(*) FROM pg_index i WHERE i.indrelid = tbl) - CASE WHEN (request->>'extend')::boolean THEN 1 ELSE 0 END)
$$;
COMMENT ON FUNCTION chatopt._originals(regclass, jsonb) IS 'internal: what a swap replaces';

-- chatopt._check_swapped makes sure, inside the swap, that nothing was copied or built.
CREATE FUNCTION chatopt._check_swapped(tbl regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state chatopt.conversion := chatopt.conversion_state(tbl);
  problem text;
BEGIN
  SELECT CASE WHEN pg_relation_filenode(tbl) <> state.relfilenode THEN format('table %s was written anew', tbl)
      WHEN NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = tbl AND i.inhparent = state.shadow) THEN format('table %s is no partition of %s', tbl, state.shadow)
      WHEN (SELECT count(*) FROM pg_index i WHERE i.indrelid = tbl) <> (state.originals->>'index_count')::int THEN format('table %s got or lost an index', tbl)
      WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = state.shadow AND NOT i.indisvalid) THEN format('an index of table %s is not valid', state.shadow) END
    INTO problem;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'internal_error', MESSAGE = format('the swap did not go as planned: %s', problem), DETAIL = 'Everything is as it was before it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_swapped(regclass) IS 'internal: makes sure that a swap has built nothing';

-- chatopt._swap_statements gives the statements of the swap, in their order, and who runs them.
CREATE FUNCTION chatopt._swap_statements(tbl regclass, state chatopt.conversion) RETURNS TABLE (statement text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT s.statement, s.run_as FROM (
    SELECT 1 AS part, c.ordinality, c.statement, c.run_as FROM chatopt._carry_over(tbl, state.names) WITH ORDINALITY AS c WHERE c.when_run = 'swap'
    UNION ALL SELECT 2, 1, format('SELECT chatopt._move_chat(%s::regclass, %s::regclass);', tbl::oid, state.shadow::oid), NULL WHERE (chatopt.chat_config(tbl)).messages = tbl
    UNION ALL SELECT 2, 2, format('SELECT chatopt.save_set(%s::regclass, %L, %L, %L, %L, %L, %L, %L, ''convert'', %L);', state.shadow::oid, state.names->>'kind', state.names->>'every',
        state.names->>'premake', state.names->>'time_zone', state.names->>'snowflake_epoch', state.names->>'snowflake_shift', chatopt._name_format(state.names->>'every'),
        chatopt._originals(tbl, state.names) - 'after'), NULL
    UNION ALL SELECT 2, 3, chatopt._save(tbl, jsonb_build_object('step', 'swapped', 'originals', chatopt._originals(tbl, state.names))), 0
    UNION ALL SELECT 2, 4, format('SELECT chatopt._check_swapped(%s::regclass);', tbl::oid), NULL) AS s
  ORDER BY s.part, s.ordinality
$$;
COMMENT ON FUNCTION chatopt._swap_statements(regclass, chatopt.conversion) IS 'internal: the statements of a swap';

-- chatopt._end_conversion is the last step.
CREATE FUNCTION chatopt._end_conversion(tbl regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM chatopt.forget_conversion(tbl);
END
$$;
COMMENT ON FUNCTION chatopt._end_conversion(regclass) IS 'internal: ends a conversion';

--| Makes a live plain table a partitioned one without copying a row: the table becomes the first partition, up to a boundary at least
--| three days ahead, of a new parent that takes its name, its indexes, keys, triggers, policies, privileges, and everything that depends
--| on it. Reads and writes go on; only the swap keeps them waiting, for some milliseconds at any size of the table. Until the swap, rows
--| from the boundary on are refused (23514). Each step is a transaction of its own: stopped anywhere, it goes on when called again with
--| the same arguments. chatopt.convert_plan shows every statement before.
--| control is the column that says when: timestamptz, timestamp, date, bigint (seconds or milliseconds since 1970, or a snowflake) or
--| uuid (version 7). What an application may rely on and loses has to be agreed to: primary_key => 'extend', foreign_keys => 'drop',
--| on_conflict => 'accepted', unique_indexes => 'leaf', accept => ARRAY['triggers', ...]; what is not is asked for in one error.
--@ cost: two scans for each unique index that has to be built, one to validate the boundary, one ANALYZE
--@ locks: SHARE UPDATE EXCLUSIVE for the scans; ACCESS EXCLUSIVE for milliseconds on the table, those it refers to and that refer to it, and
--@ views on it, taken without queueing, within patience
--@ errors: 22004 22023 23502 23514 25001 0A000 42501 42703 42804 42809 42P07 53000 55000 55006 55P03
CREATE PROCEDURE chatopt.convert(tbl regclass, control name, every text DEFAULT 'month', premake int DEFAULT 3, time_zone text DEFAULT 'UTC',
  primary_key text DEFAULT 'error', foreign_keys text DEFAULT 'error', boundary timestamptz DEFAULT NULL, on_conflict text DEFAULT 'error',
  unique_indexes text DEFAULT 'error', accept text[] DEFAULT '{}', control_kind text DEFAULT NULL, snowflake_epoch timestamptz DEFAULT NULL, snowflake_shift int DEFAULT NULL,
  patience interval DEFAULT '5 minutes')
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_convert';
COMMENT ON PROCEDURE chatopt.convert(regclass, name, text, int, text, text, text, timestamptz, text, text, text[], text, timestamptz, int, interval) IS
  'makes a live plain table partitioned by time without copying it; call it again to go on where it was stopped. For the owner. Errors: 25001 in a '
  'transaction block, 55000 with all that needs an answer, 55006 it is being converted by another session, 55P03 the locks of the swap were not to be had '
  'within patience, 0A000 not possible, 23514 rows beyond the boundary';

--| Gives up a conversion that has not swapped yet: drops the new parent, the CHECK constraint, and the indexes built for it.
--@ locks: ACCESS EXCLUSIVE on the table and those it refers to, within lock_timeout (2 s unless set)
--@ errors: 22004 42501 55000 55006 55P03
CREATE FUNCTION chatopt.cancel_conversion(tbl regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state chatopt.conversion;
  request jsonb;
  statement text;
  timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM chatopt._convert_owner(tbl);
  state := chatopt.conversion_state(tbl);
  IF state.tbl IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table %s is not being converted', tbl);
  ELSIF state.step = 'swapped' THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table %s is partitioned already', tbl),
      DETAIL = 'Only what comes after the swap is left of its conversion.', HINT = 'CALL chatopt.convert with the same arguments to end it.';
  END IF;
  PERFORM chatopt._lock_conversion(tbl);
  request := state.names;
  IF timeout::interval = '0' THEN
    PERFORM set_config('lock_timeout', '2s', true);
  END IF;
  PERFORM chatopt._take_locks(ARRAY(SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;', l::regclass)
    FROM chatopt._swap_locks(tbl, state.shadow, request) AS l JOIN pg_class AS c ON c.oid = l AND c.relkind IN ('r', 'p')));
  FOREACH statement IN ARRAY chatopt._begin_again(tbl, state.shadow, request)
      || ARRAY(SELECT format(E'DROP TRIGGER IF EXISTS %1$I ON %2$s;\nALTER TABLE %2$s DROP COLUMN IF EXISTS %3$I;\nDROP FUNCTION IF EXISTS %4$s();', k.trigger_name, k.referencing, k.added, k.filler)
        FROM chatopt._composite_keys(tbl, request) AS k)
      || ARRAY(
      SELECT format('DROP INDEX %s;', chatopt._in_schema(request, c.object)) FROM chatopt._carry_over(tbl, request) AS c
      WHERE c.when_run = 'index' AND chatopt._index_state(tbl, c.object) IN ('built', 'invalid')) LOOP
    EXECUTE statement;
  END LOOP;
  PERFORM set_config('lock_timeout', timeout, true);
  PERFORM chatopt.forget_conversion(tbl);
END
$$;
COMMENT ON FUNCTION chatopt.cancel_conversion(regclass) IS
  'gives up a conversion before its swap: drops the new parent, the CHECK and the indexes that were made. For the owner. Errors: 55000 not being converted, '
  'or swapped already, 55006 it is being converted by another session';
