-- 73-reads-untrack.sql: chatopt.untrack_reads, and what attach, detach and enable do on a chat whose reads are tracked.

-- chatopt._reads_targets gives the tables to lock: those of the chat, then those of the reads.
CREATE FUNCTION chatopt._reads_targets(layout jsonb) RETURNS regclass[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._chat_tables(layout) || chatopt._mention_tables(layout) || ARRAY(SELECT t.tbl FROM chatopt._read_tables(layout) AS t WHERE t.ours ORDER BY t.place)
$$;
COMMENT ON FUNCTION chatopt._reads_targets(jsonb) IS 'internal: the tables of a chat and of its reads in locking order';

-- chatopt._plan_untrack gives the statements that stop tracking, but for the triggers of the chat's own tables.
CREATE FUNCTION chatopt._plan_untrack(layout jsonb, drop_tables boolean) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
BEGIN
  RETURN QUERY SELECT t, 6, NULL FROM unnest(ARRAY[layout->>'conversations', layout->>'messages', layout->>'members']) AS u(id),
    LATERAL (SELECT u.id::oid::regclass) AS v(t) WHERE u.id IS NOT NULL;
  IF NOT drop_tables THEN
    RETURN QUERY SELECT t.tbl, 8, format('DROP TRIGGER zzz_chatopt_guard_reads ON %s;', t.tbl) FROM chatopt._read_tables(layout) AS t
      WHERE t.role = 'read_state' AND t.ours AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.tbl AND g.tgname = 'zzz_chatopt_guard_reads');
  END IF;
  RETURN QUERY SELECT p.target, p.lock_level, p.statement FROM chatopt._plan_mention_triggers(layout) AS p;
  IF layout->'names' ? 'message_mentions' THEN
    RETURN QUERY SELECT p.target, p.lock_level, p.statement FROM chatopt._plan_name_mentions(
      layout || jsonb_build_object('names', (layout->'names') - 'message_mentions')) AS p;
  END IF;
  IF layout->'reads'->'undo' ? 'index' THEN
    -- on the table itself, or on leaves where the one that was handed out was not completed
    RETURN QUERY SELECT msg, 8, format('DROP INDEX %s;', i)
      FROM (SELECT chatopt._sender_index(msg, layout->'names') UNION SELECT chatopt._sender_index(l, layout->'names') FROM chatopt._leaves(msg) AS l) AS u(i)
      WHERE i IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i) AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i)
      ORDER BY i::text;
  END IF;
  RETURN QUERY SELECT msg, 0, format('SELECT chatopt.forget_reads(%L::regclass);', msg);
  IF drop_tables THEN
    RETURN QUERY SELECT t.tbl, 8, format('DROP TABLE %s;', t.tbl) FROM chatopt._read_tables(layout) AS t WHERE t.ours ORDER BY t.place;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_untrack(jsonb, boolean) IS 'internal: the statements that stop tracking reads';

--| Stops tracking the reads of a chat: drops the triggers and the index that track_reads made, and forgets it. Its tables stay as
--| plain data, which track_reads takes up again, or go with drop_tables => true.
--@ locks: ACCESS EXCLUSIVE on the table of positions, and on conversations where a trigger goes, on messages where an index goes; else SHARE ROW
--@ EXCLUSIVE on conversations, messages and members, in this order
--@ errors: 22004 2BP01 42501 55000
CREATE FUNCTION chatopt.untrack_reads(messages regclass, drop_tables boolean DEFAULT false, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._chat_layout(messages);
  conv regclass := (layout->>'conversations')::oid::regclass;
BEGIN
  IF layout->>'reads' IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the reads of table %s are not tracked', messages),
      HINT = 'The view chatopt.reads lists the chats whose reads are.';
  END IF;
  RETURN QUERY
    WITH plan AS MATERIALIZED (
      SELECT 1 AS part, o.target, 8 AS level, format('DROP TRIGGER %I ON %s;', o.trigger_name, o.place) AS statement, o.position AS place
        FROM chatopt._own_triggers(ARRAY[conv]) WITH ORDINALITY AS o(target, place, trigger_name, trigger_id, enabled, position)
        WHERE NOT EXISTS (SELECT FROM chatopt._wanted_triggers(layout - 'reads') AS w WHERE w.place = o.place AND w.trigger_name = o.trigger_name)
      UNION ALL SELECT 2, p.* FROM chatopt._plan_untrack(layout, coalesce(drop_tables, false)) WITH ORDINALITY AS p(target, level, statement, place)),
    whole AS MATERIALIZED (
      SELECT array_agg(p.target ORDER BY p.part, p.place) AS targets, array_agg(p.level ORDER BY p.part, p.place) AS levels,
             array_agg(p.statement ORDER BY p.part, p.place) AS statements FROM plan AS p)
    SELECT r FROM whole AS w, chatopt._run_plan(chatopt._reads_targets(layout), w.targets, w.levels, w.statements, coalesce(dry_run, false)) AS r;
END
$$;
COMMENT ON FUNCTION chatopt.untrack_reads(regclass, boolean, boolean) IS
  'stops tracking the reads of a chat; its tables stay as plain data unless drop_tables. Returns the statements run, or with dry_run those that '
  'would run. Locks conversations, messages and members SHARE ROW EXCLUSIVE, and ACCESS EXCLUSIVE where a trigger or an index goes. '
  'Errors: 55000 not attached or not tracked, 42501 not the owner, 2BP01 other objects depend on a table';

-- chatopt._check_tracked refuses an attach that would take away from tracked reads what they need.
CREATE FUNCTION chatopt._check_tracked(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  positions regclass := (SELECT t.tbl FROM chatopt._read_tables(layout) AS t WHERE t.role = 'read_state' AND t.ours);
  names jsonb := layout->'names';
BEGIN
  PERFORM chatopt._check_reads(layout);
  IF (SELECT c.type_id FROM chatopt._column((layout->>'members')::oid::regclass, names->>'member_user') AS c)
      <> (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = positions AND a.attnum = 2) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('the reads of table %s are tracked for members of another type', (layout->>'messages')::oid::regclass),
      HINT = 'Call chatopt.untrack_reads first, then chatopt.attach.';
  ELSIF chatopt._members_change(layout) THEN
    PERFORM chatopt._check_member_key(layout);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_tracked(jsonb) IS 'internal: refuses an attach that takes away what tracked reads need';

-- chatopt._members_change tells whether an attach gives another meaning to who is a member.
CREATE FUNCTION chatopt._members_change(layout jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ROW(chatopt._one_line(layout->'attached'->>'member_counted_new'), layout->'attached'->>'member_conversation', layout->'attached'->>'member_user')
    IS DISTINCT FROM ROW(chatopt._one_line(layout->>'member_counted_new'), layout->'names'->>'member_conversation', layout->'names'->>'member_user')
$$;
COMMENT ON FUNCTION chatopt._members_change(jsonb) IS 'internal: whether an attach changes who is a member';

-- chatopt._plan_reads_again has backfill go through a tracked chat again, where attach changes which messages or members count.
CREATE FUNCTION chatopt._plan_reads_again(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT NULL::regclass, 0, s.statement
  FROM (SELECT layout || jsonb_build_object('own_messages', layout->'reads'->>'own_messages', 'reads_state', 'filling', 'index', 'none')) AS l(again),
  LATERAL (
    SELECT 1 AS place, chatopt._refill(t.full_name) AS statement FROM chatopt._read_tables(l.again) AS t WHERE t.role = 'read_heads' AND t.ours
    UNION ALL SELECT 2, p.statement FROM chatopt._plan_reads_config(l.again) AS p) AS s
  WHERE layout->>'reads' IS NOT NULL AND (chatopt._members_change(layout)
    OR chatopt._one_line(layout->'attached'->>'message_counted_new') IS DISTINCT FROM chatopt._one_line(layout->>'message_counted_new'))
  ORDER BY s.place
$$;
COMMENT ON FUNCTION chatopt._plan_reads_again(jsonb) IS 'internal: the statements that have tracked reads filled again after an attach';

-- chatopt._reads_again does the same on a chat that was disabled for a while.
CREATE FUNCTION chatopt._reads_again(msg regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.read_tracking := chatopt.reads_config(msg);
BEGIN
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = config.read_heads) THEN
    EXECUTE chatopt._refill(config.read_heads::text);
    PERFORM chatopt.save_reads(msg, config.read_state, config.read_heads, config.skipped_numbers, config.read_marks,
      config.own_messages, 'filling', config.undo);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._reads_again(regclass) IS 'internal: has the tracked reads of a chat filled again';
