-- 27-counters-plan.sql: from a layout to the statements that reach it.
--
-- Each chatopt._plan_* function compares one part of the layout with the catalogues and gives the statements for the
-- difference, with the table whose lock they need and the lock's level (ACCESS EXCLUSIVE 8, SHARE ROW EXCLUSIVE 6, SHARE 5,
-- ROW EXCLUSIVE 3, none 0; -1: for the caller to run). A chat that is as laid out gives none.

-- chatopt._plan_columns adds columns, and takes defaults off a number column that is there already.
CREATE FUNCTION chatopt._plan_columns(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  seq text := layout->'names'->>'sequence_column';
  last_number text := layout->'counter_columns'->>'last_sequence_number';
  zero boolean := (layout->>'filled')::boolean;
  adds text[];
  zeroes text[];
BEGIN
  IF NOT chatopt._has_column(msg, seq) THEN
    RETURN QUERY SELECT msg, 8, format('ALTER TABLE %s ADD COLUMN %I bigint;', msg, seq);
  ELSIF chatopt._sequence_default(msg, seq) IS NOT NULL THEN
    RETURN QUERY SELECT msg, 8, format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;', msg, seq);
  END IF;
  -- a constant default fills existing rows without rewriting the table or firing a trigger, and is dropped at once
  SELECT array_agg(format('ADD COLUMN %I %s', k.value, t.type_name)
           || CASE WHEN zero AND k.key NOT LIKE 'last\_message%' THEN ' DEFAULT 0' ELSE '' END ORDER BY array_position(chatopt._counter_roles(), k.key)),
         array_agg(format('ALTER COLUMN %I DROP DEFAULT', k.value) ORDER BY array_position(chatopt._counter_roles(), k.key))
           FILTER (WHERE zero AND k.key NOT LIKE 'last\_message%')
    INTO adds, zeroes
    FROM jsonb_each_text(layout->'counter_columns') AS k, chatopt._counter_type(layout, k.key) AS t
    WHERE NOT chatopt._has_column(cnt, k.value);
  IF adds <> '{}' THEN
    RETURN QUERY SELECT cnt, 8, format('ALTER TABLE %s %s;', cnt, array_to_string(adds, ', '));
  END IF;
  IF zeroes <> '{}' THEN
    RETURN QUERY SELECT cnt, 8, format('ALTER TABLE %s %s;', cnt, array_to_string(zeroes, ', '));
  END IF;
  IF NOT zero AND (SELECT c.not_null FROM chatopt._column(cnt, last_number) AS c) THEN
    RETURN QUERY SELECT cnt, 8, format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL;', cnt, last_number);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_columns(jsonb) IS 'internal: the statements for the columns of a chat';

-- chatopt._sequence_default gives the default of a number column, of the table or of any partition.
CREATE FUNCTION chatopt._sequence_default(msg regclass, seq text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  WHERE d.adrelid IN (SELECT msg UNION SELECT t.relid FROM pg_partition_tree(msg) AS t) AND a.attname = seq AND a.attgenerated = ''
  ORDER BY d.adrelid <> msg, d.adrelid LIMIT 1
$$;
COMMENT ON FUNCTION chatopt._sequence_default(regclass, text) IS 'internal: the default of the number column';

-- chatopt._switch_triggers turns a table's user triggers for an event off or on again, each as it was.
CREATE FUNCTION chatopt._switch_triggers(tbl regclass, event int, turn_on boolean) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT tbl, 6, format('ALTER TABLE %s %s;', tbl, string_agg(
    CASE WHEN NOT turn_on THEN 'DISABLE' WHEN t.tgenabled = 'A' THEN 'ENABLE ALWAYS' WHEN t.tgenabled = 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END
    || format(' TRIGGER %I', t.tgname), ', ' ORDER BY t.tgname))
  FROM pg_trigger t
  WHERE t.tgrelid = tbl AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & event <> 0
  HAVING count(*) > 0
$$;
COMMENT ON FUNCTION chatopt._switch_triggers(regclass, int, boolean) IS
  'internal: statements that turn a table''s user triggers off for a moment';

-- chatopt._tally gives the subqueries that count members (as m) and messages (as n) by conversation.
CREATE FUNCTION chatopt._tally(layout jsonb, role text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN role = 'member_count' THEN
    format('(SELECT new.%I AS key, count(*) AS rows FROM %s AS new WHERE %s AND new.%1$I IS NOT NULL GROUP BY 1)',
      n->>'member_conversation', (layout->>'members')::oid::regclass, layout->>'member_counted_new')
  ELSE
    format('(SELECT new.%I AS key, count(*) AS rows, (array_agg(new.%I ORDER BY new.%I DESC))[1] AS last_id, (array_agg(%s ORDER BY new.%3$I DESC))[1] AS last_at'
           ' FROM %5$s AS new WHERE %6$s AND new.%1$I IS NOT NULL AND new.%3$I IS NOT NULL GROUP BY 1)',
      n->>'message_conversation', n->>'message_key', n->>'sequence_column', coalesce('new.' || quote_ident(n->>'message_time'), 'NULL::text'),
      (layout->>'messages')::oid::regclass, layout->>'message_counted_new')
  END
  FROM (SELECT layout->'names' AS n) AS one
$$;
COMMENT ON FUNCTION chatopt._tally(jsonb, text) IS 'internal: the subquery that counts members or messages by conversation';

-- chatopt._update_counters sets counters of existing rows: at zero and recounted at the first attach, else only recounted.
CREATE FUNCTION chatopt._update_counters(layout jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cnt regclass := (layout->>'counters')::oid::regclass;
  key text := layout->'names'->>'counter_key';
  columns jsonb := layout->'counter_columns';
  fresh boolean := (layout->>'fresh')::boolean;
  sets text[] := '{}';
  tallies text := '';
  role text;
BEGIN
  FOREACH role IN ARRAY chatopt._counter_roles() LOOP
    CONTINUE WHEN NOT columns ? role OR NOT (fresh OR layout->'recount' ? role);
    -- a column that attach adds is at zero or NULL already
    CONTINUE WHEN fresh AND role <> 'member_count' AND NOT chatopt._has_column(cnt, columns->>role);
    sets := sets || format('%I = %s', columns->>role, CASE role
      WHEN 'last_sequence_number' THEN format('coalesce(k.%I, 0)', columns->>role)
      WHEN 'member_count' THEN 'coalesce(m.rows, 0)'
      WHEN 'message_count' THEN CASE WHEN fresh THEN '0' ELSE 'coalesce(n.rows, 0)' END
      ELSE CASE WHEN fresh THEN 'NULL' WHEN role = 'last_message_id' THEN 'n.last_id' ELSE 'n.last_at' END END);
  END LOOP;
  IF columns ? 'member_count' AND (fresh OR layout->'recount' ? 'member_count') THEN
    tallies := tallies || format(' LEFT JOIN %s AS m ON m.key = o.%I', chatopt._tally(layout, 'member_count'), key);
  END IF;
  IF NOT fresh AND layout->'recount' ?| ARRAY['message_count', 'last_message_id', 'last_message_at'] THEN
    tallies := tallies || format(' LEFT JOIN %s AS n ON n.key = o.%I', chatopt._tally(layout, 'message_count'), key);
  END IF;
  RETURN format('UPDATE %1$s AS k SET %2$s FROM %1$s AS o%3$s WHERE o.%4$I = k.%4$I%5$s;', cnt, array_to_string(sets, ', '), tallies, key,
    CASE WHEN fresh THEN '' ELSE format(' AND k.%I IS NOT NULL', columns->>'last_sequence_number') END);
END
$$;
COMMENT ON FUNCTION chatopt._update_counters(jsonb) IS 'internal: the UPDATE that sets counters of existing rows';

-- chatopt._insert_counters gives every conversation its row in a counter table of its own.
CREATE FUNCTION chatopt._insert_counters(layout jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('INSERT INTO %s AS k (%I, %s) SELECT c.%I, %s FROM %s AS c%s ON CONFLICT (%2$I) DO NOTHING;',
    (layout->>'counters')::oid::regclass, layout->'names'->>'counter_key',
    string_agg(quote_ident(k.value), ', ' ORDER BY o.place), layout->'names'->>'conversation_key',
    string_agg(CASE k.key WHEN 'last_sequence_number' THEN CASE WHEN (layout->>'filled')::boolean THEN '0' ELSE 'NULL' END
      WHEN 'message_count' THEN '0' ELSE 'coalesce(m.rows, 0)' END, ', ' ORDER BY o.place),
    (layout->>'conversations')::oid::regclass,
    CASE WHEN layout->'counter_columns' ? 'member_count'
      THEN format(' LEFT JOIN %s AS m ON m.key = c.%I', chatopt._tally(layout, 'member_count'), layout->'names'->>'conversation_key') ELSE '' END)
  FROM unnest(chatopt._counter_roles()) WITH ORDINALITY AS o(role, place)
  JOIN jsonb_each_text(layout->'counter_columns') AS k ON k.key = o.role AND k.key NOT LIKE 'last\_message%'
$$;
COMMENT ON FUNCTION chatopt._insert_counters(jsonb) IS 'internal: the INSERT of rows into a counter table of its own';

-- chatopt._plan_fill writes the counters that attach itself can fill. It runs before the guard trigger is made and with the
-- user's triggers off: a counter write is no change of the application's.
CREATE FUNCTION chatopt._plan_fill(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  last_number text := layout->'counter_columns'->>'last_sequence_number';
  fresh boolean := (layout->>'fresh')::boolean;
  filled boolean := (layout->>'filled')::boolean;
  update_event CONSTANT int := 16;
  insert_event CONSTANT int := 4;
BEGIN
  IF NOT (layout->>'write')::boolean THEN
    RETURN;
  END IF;
  IF chatopt._count_rows(cnt, 1) > 0 AND (NOT fresh OR filled OR chatopt._has_column(cnt, last_number)) THEN
    RETURN QUERY SELECT * FROM chatopt._switch_triggers(cnt, update_event, false);
    RETURN QUERY SELECT cnt, 3, CASE WHEN NOT fresh OR filled THEN chatopt._update_counters(layout)
      ELSE format('UPDATE %s SET %I = NULL WHERE %2$I IS NOT NULL;', cnt, last_number) END;
    RETURN QUERY SELECT * FROM chatopt._switch_triggers(cnt, update_event, true);
  END IF;
  IF fresh AND cnt <> conv THEN
    RETURN QUERY SELECT * FROM chatopt._switch_triggers(cnt, insert_event, false);
    RETURN QUERY SELECT cnt, 3, chatopt._insert_counters(layout);
    RETURN QUERY SELECT * FROM chatopt._switch_triggers(cnt, insert_event, true);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_fill(jsonb) IS 'internal: the statements that fill counters at attach';

-- chatopt._conversation_keys gives the foreign keys messages -> conversations, as detach needs them to make them again.
CREATE FUNCTION chatopt._conversation_keys(layout jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.conname, 'on_delete', c.confdeltype, 'on_update', c.confupdtype,
      'match_full', c.confmatchtype = 'f', 'deferrable', c.condeferrable, 'deferred', c.condeferred, 'validated', c.convalidated,
      'comment', obj_description(c.oid, 'pg_constraint'),
      'enforced', coalesce((to_jsonb(c)->>'conenforced')::boolean, true)) ORDER BY c.conname), '[]')
  FROM chatopt._foreign_keys((layout->>'messages')::oid::regclass, (layout->>'conversations')::oid::regclass) AS f
  JOIN pg_constraint c ON c.oid = f.constraint_id
  WHERE f.own_column = layout->'names'->>'message_conversation' AND f.target_column = layout->'names'->>'conversation_key'
$$;
COMMENT ON FUNCTION chatopt._conversation_keys(jsonb) IS 'internal: the foreign keys from messages to conversations';

-- chatopt._foreign_key_clause writes one of them as DDL, with the names the columns have now.
CREATE FUNCTION chatopt._foreign_key_clause(foreign_key jsonb, msg regclass, column_name text, conv regclass, key_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (%I)', msg, foreign_key->>'name', column_name, conv, key_name)
    || CASE WHEN (foreign_key->>'match_full')::boolean THEN ' MATCH FULL' ELSE '' END
    || coalesce(' ON UPDATE ' || (words->>(foreign_key->>'on_update')), '') || coalesce(' ON DELETE ' || (words->>(foreign_key->>'on_delete')), '')
    || CASE WHEN (foreign_key->>'deferrable')::boolean THEN ' DEFERRABLE' ELSE '' END
    || CASE WHEN (foreign_key->>'deferred')::boolean THEN ' INITIALLY DEFERRED' ELSE '' END
    || CASE WHEN NOT (foreign_key->>'enforced')::boolean THEN ' NOT ENFORCED' WHEN NOT (foreign_key->>'validated')::boolean THEN ' NOT VALID' ELSE '' END || ';'
  FROM (SELECT '{"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}'::jsonb) AS w(words)
$$;
COMMENT ON FUNCTION chatopt._foreign_key_clause(jsonb, regclass, text, regclass, text) IS 'internal: the DDL of a foreign key from messages to conversations';

-- chatopt._plan_foreign_keys drops the foreign keys that chatopt's own check replaces, or makes them again.
CREATE FUNCTION chatopt._plan_foreign_keys(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  msg regclass := (layout->>'messages')::oid::regclass;
  names jsonb := layout->'names';
  item jsonb;
BEGIN
  IF (layout->>'enforce')::boolean THEN
    FOR item IN SELECT * FROM jsonb_array_elements(chatopt._conversation_keys(layout)) LOOP
      RETURN QUERY SELECT conv, 8, NULL;
      RETURN QUERY SELECT msg, 8, format(E'-- detach: %s\nALTER TABLE %s DROP CONSTRAINT %I;',
        translate(chatopt._foreign_key_clause(item, msg, names->>'message_conversation', conv, names->>'conversation_key'), E'\n\r', '  '),
        msg, item->>'name');
    END LOOP;
  ELSE
    FOR item IN SELECT * FROM jsonb_array_elements(layout->'before'->'undo'->'foreign_keys') LOOP
      RETURN QUERY SELECT conv, 6, NULL;
      RETURN QUERY SELECT msg, 6, chatopt._foreign_key_clause(item, msg, names->>'message_conversation', conv, names->>'conversation_key');
      IF item->>'comment' IS NOT NULL THEN
        RETURN QUERY SELECT msg, 6, format('COMMENT ON CONSTRAINT %I ON %s IS %L;', item->>'name', msg, item->>'comment');
      END IF;
    END LOOP;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_foreign_keys(jsonb) IS 'internal: the statements that drop or restore foreign keys';

-- chatopt._has_duplicates tells whether a conversation has a number twice, in a column that was there before attach.
CREATE FUNCTION chatopt._has_duplicates(msg regclass, conversation_column text, seq text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result boolean := false;
BEGIN
  IF chatopt._has_column(msg, seq) AND chatopt._sees_all(msg) THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I IS NOT NULL AND %I IS NOT NULL GROUP BY %2$I, %3$I HAVING count(*) > 1)',
      msg, conversation_column, seq) INTO result;
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chatopt._has_duplicates(regclass, text, text) IS 'internal: whether a number is there twice in a conversation';

-- chatopt._clear_duplicates takes the number off the later of two messages that share one: backfill gives it the next.
CREATE FUNCTION chatopt._clear_duplicates(layout jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('UPDATE %1$s AS m SET %3$I = NULL FROM (SELECT tableoid AS tbl, ctid AS place, row_number() OVER (PARTITION BY %2$I, %3$I ORDER BY %4$s) AS copy'
    ' FROM %1$s WHERE %2$I IS NOT NULL AND %3$I IS NOT NULL) AS d WHERE m.tableoid = d.tbl AND m.ctid = d.place AND d.copy > 1;',
    (layout->>'messages')::oid::regclass, n->>'message_conversation', n->>'sequence_column',
    concat_ws(', ', quote_ident(n->>'message_time'), quote_ident(n->>'message_key')))
  FROM (SELECT layout->'names' AS n) AS one
$$;
COMMENT ON FUNCTION chatopt._clear_duplicates(jsonb) IS 'internal: the UPDATE that takes the number off duplicates';

-- chatopt._plan_index builds the index on (conversation, number) of a small table, or hands out the statements for a large one.
CREATE FUNCTION chatopt._plan_index(layout jsonb, handed_out boolean) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  conversation_column text := layout->'names'->>'message_conversation';
  seq text := layout->'names'->>'sequence_column';
  is_unique boolean := (layout->>'unique')::boolean;
  kind text := CASE WHEN is_unique THEN 'CREATE UNIQUE INDEX' ELSE 'CREATE INDEX' END;
  leaf regclass;
  broken regclass;
  update_event CONSTANT int := 16;
BEGIN
  IF NOT handed_out AND layout->>'index' = 'build' THEN
    IF is_unique AND chatopt._has_duplicates(msg, conversation_column, seq) THEN
      RETURN QUERY SELECT * FROM chatopt._switch_triggers(msg, update_event, false);
      RETURN QUERY SELECT msg, 3, chatopt._clear_duplicates(layout);
      RETURN QUERY SELECT * FROM chatopt._switch_triggers(msg, update_event, true);
    END IF;
    RETURN QUERY SELECT msg, 5, format('%s ON %s (%I, %I);', kind, msg, conversation_column, seq);
  ELSIF handed_out AND layout->>'index' = 'missing' THEN
    FOR leaf IN SELECT l FROM chatopt._leaves(msg) AS l LOOP
      CONTINUE WHEN chatopt._sequence_index(leaf, conversation_column, seq, is_unique) IS NOT NULL;
      broken := chatopt._sequence_index(leaf, conversation_column, seq, is_unique, false);
      IF broken IS NOT NULL THEN
        RETURN QUERY SELECT msg, -1, format('DROP INDEX CONCURRENTLY %s;', broken);
      END IF;
      RETURN QUERY SELECT msg, -1, format('%s CONCURRENTLY ON %s (%I, %I);', kind, leaf, conversation_column, seq);
    END LOOP;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_index(jsonb, boolean) IS 'internal: the statements for the index on (conversation, number)';

-- chatopt._message_triggers gives the triggers of a messages or members table, but for those on TRUNCATE. The text is
-- PostgreSQL's own form of it, so that it can be compared with the trigger that is there.
CREATE FUNCTION chatopt._row_triggers(tbl regclass, prefix text, columns text[], counted_new text, counted_old text)
RETURNS TABLE (trigger_name text, definition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'aaa_chatopt_' || e.event,
    format('CREATE TRIGGER aaa_chatopt_%s AFTER %s ON %s FOR EACH ROW WHEN (chatopt.%s_%s(%s)) EXECUTE FUNCTION chatopt.write_counters()',
      e.event, upper(e.event), tbl, prefix, e.done, array_to_string(e.row || e.facts, ', '))
  FROM (VALUES
    (1, 'insert', 'inserted', ARRAY['new.tableoid', 'new.ctid'] || ARRAY(SELECT format('new.%I', c) FROM unnest(columns) AS c),
      array_remove(ARRAY[counted_new], 'true')),
    (2, 'update', 'updated', ARRAY['new.tableoid', 'old.ctid', 'new.ctid'], array_remove(ARRAY[counted_old, counted_new], 'true')),
    (3, 'delete', 'deleted', ARRAY['old.tableoid', 'old.ctid'], array_remove(ARRAY[counted_old], 'true')))
    AS e(place, event, done, row, facts)
  ORDER BY e.place
$$;
COMMENT ON FUNCTION chatopt._row_triggers(regclass, text, text[], text, text) IS 'internal: the row triggers that note what changed';

-- chatopt._truncate_triggers gives the TRUNCATE triggers of a table and its leaves: PostgreSQL clones row triggers only.
CREATE FUNCTION chatopt._truncate_triggers(tbl regclass, function_name text) RETURNS TABLE (place regclass, trigger_name text, definition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.place, w.trigger_name, format('CREATE TRIGGER %s %s TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION chatopt.%s()',
    w.trigger_name, w.moment, t.place, w.function_name)
  FROM (SELECT tbl UNION SELECT l FROM chatopt._leaves(tbl) AS l) AS t(place),
       (VALUES ('aaa_chatopt_truncate', 'BEFORE', function_name), ('zzz_chatopt_truncate', 'AFTER', 'write_counters')) AS w(trigger_name, moment, function_name)
  ORDER BY t.place <> tbl, t.place::text, w.trigger_name
$$;
COMMENT ON FUNCTION chatopt._truncate_triggers(regclass, text) IS 'internal: the TRUNCATE triggers of a table and its leaves';

-- chatopt._conversation_actions gives the arguments of the trigger on conversations: what the foreign key did on delete and update.
CREATE FUNCTION chatopt._conversation_actions(layout jsonb) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN (layout->>'enforce')::boolean
    THEN ARRAY[coalesce(f.key->>'on_delete', 'a'), coalesce(f.key->>'on_update', 'a')] ELSE ARRAY['', ''] END
  FROM (SELECT coalesce(layout->'before'->'undo'->'foreign_keys'->0, chatopt._conversation_keys(layout)->0)) AS f(key)
$$;
COMMENT ON FUNCTION chatopt._conversation_actions(jsonb) IS 'internal: the referential actions that chatopt takes over';

-- chatopt._wanted_triggers gives all triggers of a chat, with the table whose lock stands for theirs.
CREATE FUNCTION chatopt._wanted_triggers(layout jsonb) RETURNS TABLE (target regclass, place regclass, trigger_name text, definition text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  msg regclass := (layout->>'messages')::oid::regclass;
  mem regclass := (layout->>'members')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  names jsonb := layout->'names';
  columns jsonb := layout->'counter_columns';
  kept text[] := ARRAY(SELECT r FROM unnest(chatopt._counter_roles()) WITH ORDINALITY AS u(r, o) WHERE columns ? r ORDER BY o);
BEGIN
  RETURN QUERY SELECT cnt, cnt, 'zzz_chatopt_guard', format(
    'CREATE TRIGGER zzz_chatopt_guard BEFORE INSERT OR UPDATE OF %I, %s ON %s FOR EACH ROW EXECUTE FUNCTION chatopt.guard_counters(%s)',
    names->>'counter_key', (SELECT string_agg(quote_ident(columns->>r), ', ' ORDER BY o) FROM unnest(kept) WITH ORDINALITY AS u(r, o)), cnt,
    (SELECT string_agg(quote_literal(r), ', ' ORDER BY o) FROM unnest(ARRAY['conversation'] || kept) WITH ORDINALITY AS u(r, o)));
  -- what reads keep of a conversation goes and is renamed with it, wherever its counters are
  IF cnt <> conv OR (layout->>'enforce')::boolean OR layout->>'reads' IS NOT NULL THEN
    RETURN QUERY SELECT conv, conv, 'aaa_chatopt_conversation', format(
      'CREATE TRIGGER aaa_chatopt_conversation AFTER INSERT OR DELETE OR UPDATE OF %I ON %s FOR EACH ROW EXECUTE FUNCTION chatopt.conversation_changed(%L, %L)',
      names->>'conversation_key', conv, a[1], a[2]) FROM chatopt._conversation_actions(layout) AS a;
    RETURN QUERY SELECT conv, conv, 'zzz_chatopt_truncate',
      format('CREATE TRIGGER zzz_chatopt_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION chatopt.conversations_truncated()', conv);
  END IF;
  IF cnt <> conv THEN
    RETURN QUERY SELECT conv, conv, 'zzz_chatopt_guard', format(
      'CREATE TRIGGER zzz_chatopt_guard BEFORE UPDATE OF %I ON %s FOR EACH ROW EXECUTE FUNCTION chatopt.guard_counters(''conversation'')',
      names->>'conversation_key', conv);
  END IF;
  RETURN QUERY SELECT msg, msg, 'zzz_chatopt_number', format(
    'CREATE TRIGGER zzz_chatopt_number BEFORE INSERT OR UPDATE OF %s ON %s FOR EACH ROW EXECUTE FUNCTION chatopt.number_message(%s)',
    string_agg(quote_ident(names->>r.name), ', ' ORDER BY r.place), msg, string_agg(quote_literal(r.role), ', ' ORDER BY r.place))
    FROM (VALUES (1, 'message_conversation', 'conversation'), (2, 'sequence_column', 'sequence_number'), (3, 'message_key', 'message_id'),
      (4, 'message_time', 'message_at'), (5, 'message_sender', 'sender'),
      (6, 'message_mentions', 'mentions')) AS r(place, name, role)
    -- a BEFORE trigger cannot read a virtual column: then nobody is known to have sent
    WHERE names->>r.name IS NOT NULL AND (SELECT c.generated FROM chatopt._column(msg, names->>r.name) AS c) IS DISTINCT FROM 'v';
  RETURN QUERY SELECT msg, msg, t.trigger_name, t.definition FROM chatopt._row_triggers(msg, 'message', '{}',
    layout->>'message_counted_new', layout->>'message_counted_old') AS t;
  RETURN QUERY SELECT msg, t.place, t.trigger_name, t.definition FROM chatopt._truncate_triggers(msg, 'messages_truncated') AS t;
  IF mem IS NOT NULL THEN
    RETURN QUERY SELECT mem, mem, t.trigger_name, t.definition FROM chatopt._row_triggers(mem, 'member',
      ARRAY[names->>'member_conversation', names->>'member_user'], layout->>'member_counted_new', layout->>'member_counted_old') AS t;
    RETURN QUERY SELECT mem, t.place, t.trigger_name, t.definition FROM chatopt._truncate_triggers(mem, 'members_truncated') AS t;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._wanted_triggers(jsonb) IS 'internal: the triggers of a chat';

-- chatopt._own_triggers gives the counters triggers that some tables and their leaves have, without the clones on partitions.
CREATE FUNCTION chatopt._own_triggers(tables regclass[])
RETURNS TABLE (target regclass, place regclass, trigger_name text, trigger_id oid, enabled "char")
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT u.tbl, p.place, g.tgname::text, g.oid, g.tgenabled
  FROM unnest(tables) WITH ORDINALITY AS u(tbl, o)
  CROSS JOIN LATERAL (SELECT u.tbl UNION SELECT l FROM chatopt._leaves(u.tbl) AS l) AS p(place)
  JOIN pg_trigger g ON g.tgrelid = p.place AND NOT g.tgisinternal AND g.tgparentid = 0
  JOIN pg_proc f ON f.oid = g.tgfoid AND f.proname IN ('number_message', 'write_counters', 'messages_truncated', 'members_truncated',
    'guard_counters', 'conversation_changed', 'conversations_truncated', 'mentions_changed')
  JOIN pg_namespace n ON n.oid = f.pronamespace AND n.nspname = 'chatopt'
  ORDER BY u.o, p.place <> u.tbl, p.place::text, g.tgname
$$;
COMMENT ON FUNCTION chatopt._own_triggers(regclass[]) IS 'internal: the counters triggers that tables have now';

-- chatopt._plan_triggers drops triggers that are no longer as wanted, makes those that are missing, and turns on again
-- those that were turned off by hand: on all tables of the chat, or on some.
CREATE FUNCTION chatopt._plan_triggers(layout jsonb, tables regclass[]) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  item record;
BEGIN
  SELECT w.place, w.trigger_name INTO item FROM chatopt._wanted_triggers(layout) AS w
    JOIN pg_trigger g ON g.tgrelid = w.place AND g.tgname = w.trigger_name
    WHERE w.target = ANY (tables) AND g.oid NOT IN (SELECT o.trigger_id FROM chatopt._own_triggers(tables) AS o) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_object', MESSAGE = format('trigger "%s" of table %s already exists', item.trigger_name, item.place),
      DETAIL = 'It is not a trigger of chatopt''s.', HINT = 'Rename or drop it.';
  END IF;
  RETURN QUERY SELECT o.target, 8, format('DROP TRIGGER %I ON %s;', o.trigger_name, o.place)
    FROM chatopt._own_triggers(tables) WITH ORDINALITY AS o(target, place, trigger_name, trigger_id, enabled, position)
    WHERE NOT EXISTS (SELECT FROM chatopt._wanted_triggers(layout) AS w WHERE w.place = o.place AND w.trigger_name = o.trigger_name
      AND chatopt._one_line(w.definition) = chatopt._one_line(pg_get_triggerdef(o.trigger_id)))
    ORDER BY o.position;
  RETURN QUERY SELECT w.target, 6, w.definition || ';'
    FROM chatopt._wanted_triggers(layout) WITH ORDINALITY AS w(target, place, trigger_name, definition, position)
    WHERE w.target = ANY (tables) AND NOT EXISTS (SELECT FROM chatopt._own_triggers(tables) AS o WHERE w.place = o.place AND w.trigger_name = o.trigger_name
      AND chatopt._one_line(w.definition) = chatopt._one_line(pg_get_triggerdef(o.trigger_id)))
    ORDER BY w.position;
  -- what is as wanted but was turned off by hand: the triggers, and their clones on partitions
  RETURN QUERY SELECT o.target, 6, format('ALTER TABLE %s ENABLE TRIGGER %I;', e.place, o.trigger_name)
    FROM chatopt._own_triggers(tables) WITH ORDINALITY AS o(target, place, trigger_name, trigger_id, enabled, position)
    JOIN chatopt._wanted_triggers(layout) AS w ON w.place = o.place AND w.trigger_name = o.trigger_name
      AND chatopt._one_line(w.definition) = chatopt._one_line(pg_get_triggerdef(o.trigger_id))
    CROSS JOIN LATERAL (
      SELECT o.place, 0 AS depth WHERE o.enabled <> 'O'
      UNION ALL
      SELECT l, 1 FROM chatopt._leaves(o.place) AS l JOIN pg_trigger g ON g.tgrelid = l AND g.tgname = o.trigger_name
        WHERE l <> o.place AND g.tgparentid <> 0 AND g.tgenabled <> 'O' AND o.enabled = 'O') AS e(place, depth)
    ORDER BY o.position, e.depth, e.place::text;
END
$$;
COMMENT ON FUNCTION chatopt._plan_triggers(jsonb, regclass[]) IS 'internal: the statements for the triggers of a chat';

-- chatopt._chat_tables gives the tables of a chat in the order in which they are locked.
CREATE FUNCTION chatopt._chat_tables(layout jsonb) RETURNS regclass[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(t ORDER BY o) FROM (
    SELECT v.place::oid::regclass AS t, min(v.o) AS o
    FROM (VALUES (1, layout->>'conversations'), (2, layout->>'counters'), (3, layout->>'messages'), (4, layout->>'members')) AS v(o, place)
    WHERE v.place IS NOT NULL GROUP BY 1) AS u
$$;
COMMENT ON FUNCTION chatopt._chat_tables(jsonb) IS 'internal: the tables of a chat in locking order';

-- chatopt._undo says what detach has to undo: the roles whose columns attach made, an index it made, what it dropped.
CREATE FUNCTION chatopt._undo(layout jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  seq text := layout->'names'->>'sequence_column';
  last_number text := layout->'counter_columns'->>'last_sequence_number';
  result jsonb := coalesce(layout->'before'->'undo', '{}');
  made jsonb;
BEGIN
  made := coalesce(result->'columns', '[]') || CASE WHEN chatopt._has_column(msg, seq) THEN '[]' ELSE '["sequence_column"]'::jsonb END
    || coalesce((SELECT jsonb_agg(k.key ORDER BY array_position(chatopt._counter_roles(), k.key)) FROM jsonb_each_text(layout->'counter_columns') AS k
                 WHERE NOT chatopt._has_column(cnt, k.value)), '[]');
  result := result || jsonb_build_object('columns', made);
  IF layout->>'index' = 'build' OR (layout->>'index' = 'present' AND layout->'before'->>'state' = 'index missing') THEN
    result := result || '{"index": true}';
  END IF;
  IF chatopt._sequence_default(msg, seq) IS NOT NULL THEN
    result := result || jsonb_build_object('sequence_default', chatopt._sequence_default(msg, seq));
  END IF;
  IF NOT (layout->>'filled')::boolean AND (SELECT c.not_null FROM chatopt._column(cnt, last_number) AS c) THEN
    result := result || '{"not_null": true}';
  END IF;
  IF NOT (layout->>'enforce')::boolean THEN
    result := result - 'foreign_keys';
  ELSIF chatopt._conversation_keys(layout) <> '[]' THEN
    result := result || jsonb_build_object('foreign_keys', coalesce(result->'foreign_keys', '[]') || chatopt._conversation_keys(layout));
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chatopt._undo(jsonb) IS 'internal: what detach has to undo';

-- chatopt._options gives what the configuration keeps of the arguments, with the names that were found.
CREATE FUNCTION chatopt._options(layout jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object('columns', (layout->'names') - 'message_mentions' || (layout->'counter_columns'),
      'message_counted', coalesce(layout->'given'->>'message_counted', layout->'before'->'options'->>'message_counted',
        nullif(layout->>'message_counted_new', 'true')),
      'member_counted', coalesce(layout->'given'->>'member_counted', layout->'before'->'options'->>'member_counted',
        nullif(layout->>'member_counted_new', 'true'))))
    || CASE WHEN layout->>'state' = 'index missing' AND NOT (layout->>'filled')::boolean THEN '{"filling": true}'::jsonb ELSE '{}' END
$$;
COMMENT ON FUNCTION chatopt._options(jsonb) IS 'internal: what the configuration keeps of the arguments of attach';

-- chatopt._plan_config saves the configuration where it changes.
CREATE FUNCTION chatopt._plan_config(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.msg, 0, format('SELECT chatopt.save_chat(%L::regclass, %L::regclass, %s, %L::regclass, %L, %L, %L, %L);',
    t.msg, t.conv, coalesce(quote_literal(t.mem) || '::regclass', 'NULL'), t.cnt, layout->>'state', (layout->>'enforce')::boolean::text,
    chatopt._options(layout), chatopt._undo(layout))
  FROM (SELECT (layout->>'messages')::oid::regclass::text AS msg, (layout->>'conversations')::oid::regclass::text AS conv,
               (layout->>'members')::oid::regclass::text AS mem, (layout->>'counters')::oid::regclass::text AS cnt) AS x(msg, conv, mem, cnt),
       LATERAL (SELECT x.msg::regclass AS msg, x.conv, x.mem, x.cnt) AS t
  WHERE ROW(layout->'before'->>'state', layout->'before'->>'members', (layout->'before'->>'enforce_conversation')::boolean,
            layout->'before'->'options', layout->'before'->'undo')
    IS DISTINCT FROM ROW(layout->>'state', layout->>'members', (layout->>'enforce')::boolean, chatopt._options(layout), chatopt._undo(layout))
$$;
COMMENT ON FUNCTION chatopt._plan_config(jsonb) IS 'internal: the statement that saves the configuration';

-- chatopt._plan_locks turns the locks that statements need into LOCK TABLE statements, in the given order of the tables. A
-- comment says how long they are held; a line break in a table's name must not end it.
CREATE FUNCTION chatopt._plan_locks(tables regclass[], targets regclass[], levels int[], statements text[]) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(E'-- lock: %s on %s, held %s\nLOCK TABLE %4$s IN %1$s MODE;', w.mode, translate(t.tbl::text, E'\n\r', '  '), h.held, t.tbl)
  FROM unnest(tables) WITH ORDINALITY AS t(tbl, o)
  CROSS JOIN LATERAL (SELECT max(p.level) FROM unnest(targets, levels) AS p(target, level) WHERE p.target = t.tbl) AS m(level)
  CROSS JOIN LATERAL (SELECT CASE m.level WHEN 8 THEN 'ACCESS EXCLUSIVE' WHEN 6 THEN 'SHARE ROW EXCLUSIVE' WHEN 5 THEN 'SHARE'
    ELSE 'ROW EXCLUSIVE' END) AS w(mode)
  CROSS JOIN (SELECT CASE
      WHEN bool_or(s ~ '^ALTER TABLE .* ADD CONSTRAINT .* FOREIGN KEY') THEN 'while the foreign key is checked by a scan, until the transaction ends'
      WHEN bool_or(s ~ '^UPDATE .* SET filled_upto = (0|-1) ') THEN 'while a row of each conversation is written, until the transaction ends'
      WHEN bool_or(s ~ '^(CREATE( UNIQUE)? INDEX|UPDATE|INSERT) ') THEN 'while at most 100,000 rows are read or written, until the transaction ends'
      ELSE 'for milliseconds, until the transaction ends' END
    FROM unnest(statements) AS s) AS h(held)
  WHERE m.level > 0 ORDER BY t.o
$$;
COMMENT ON FUNCTION chatopt._plan_locks(regclass[], regclass[], int[], text[]) IS 'internal: the LOCK TABLE statements for a plan';
