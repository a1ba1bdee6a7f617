-- 31-counters-detach.sql: chatopt.detach and chatopt.detach_all.
--
-- detach drops the triggers, puts back what attach dropped (a default, NOT NULL, foreign keys) and forgets the chat.
-- Columns that attach made stay, or go with drop_columns => true; what was there before attach never goes. A unique index
-- that attach made goes in any case: nobody numbers messages any more, and it would refuse to move one to another conversation.

-- chatopt._detach_layout gives the layout of an attached chat, by its configuration and triggers.
CREATE FUNCTION chatopt._detach_layout(msg regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.chat;
  now_columns jsonb;
  kept jsonb;
BEGIN
  IF msg IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'messages must not be null', HINT = 'Name the messages table.';
  END IF;
  PERFORM chatopt._check_table(msg);
  config := chatopt.chat_config(msg);
  IF config.messages IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table "%s" is not attached to chatopt', (SELECT r.relname FROM pg_class AS r WHERE r.oid = msg)),
      HINT = 'The view chatopt.chats lists the attached chats.';
  END IF;
  PERFORM chatopt._check_table(t) FROM unnest(array_remove(ARRAY[config.conversations, config.members, config.counters], NULL)) AS t;
  -- the triggers know today's names; the configuration helps out where a trigger was dropped by hand
  now_columns := chatopt._chat_columns(msg, config.members, config.counters, config.conversations);
  kept := config.options->'columns';
  RETURN jsonb_build_object('conversations', config.conversations::oid::text, 'messages', msg::oid::text,
    'members', config.members::oid::text, 'counters', config.counters::oid::text, 'state', config.state, 'undo', config.undo,
    'names', kept || (now_columns - 'counter_columns'),
    'counter_columns', coalesce(now_columns->'counter_columns',
      (SELECT jsonb_object_agg(r, kept->>r) FROM unnest(chatopt._counter_roles()) AS r WHERE kept ? r), '{}'));
END
$$;
COMMENT ON FUNCTION chatopt._detach_layout(regclass) IS 'internal: the layout of an attached chat';

-- chatopt._plan_detach gives the statements that leave.
CREATE FUNCTION chatopt._plan_detach(layout jsonb, drop_columns boolean) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  msg regclass := (layout->>'messages')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  names jsonb := layout->'names';
  undo jsonb := layout->'undo';
  made text[] := ARRAY(SELECT jsonb_array_elements_text(undo->'columns'));
  seq text := names->>'sequence_column';
  last_number text := layout->'counter_columns'->>'last_sequence_number';
  is_unique boolean := chatopt._partition_key(msg) <@ ARRAY[names->>'message_conversation'];
  drops text;
BEGIN
  RETURN QUERY SELECT o.target, 8, format('DROP TRIGGER %I ON %s;', o.trigger_name, o.place)
    FROM chatopt._own_triggers(chatopt._chat_tables(layout)) WITH ORDINALITY AS o(target, place, trigger_name, trigger_id, enabled, position)
    ORDER BY o.position;
  IF undo ? 'sequence_default' AND chatopt._has_column(msg, seq) THEN
    RETURN QUERY SELECT msg, 8, format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;', msg, seq, undo->>'sequence_default');
  END IF;
  IF undo ? 'not_null' AND chatopt._is_filled(cnt, last_number) THEN
    RETURN QUERY SELECT cnt, 8, format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', cnt, last_number);
  ELSIF undo ? 'not_null' THEN
    RAISE NOTICE USING MESSAGE = format('column "%s" of table %s stays nullable', last_number, cnt),
      DETAIL = 'It was marked NOT NULL before attach, but some conversations were never filled.',
      HINT = format('Fill it, then ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', cnt, last_number);
  END IF;
  RETURN QUERY SELECT p.* FROM chatopt._plan_foreign_keys(layout || jsonb_build_object('enforce', false, 'before', layout)) AS p;
  IF undo ? 'index' AND (is_unique OR drop_columns) THEN
    RETURN QUERY SELECT msg, 8, format('DROP INDEX %s;', i)
      FROM chatopt._sequence_index(msg, names->>'message_conversation', seq, is_unique) AS i
      WHERE i IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i);
  END IF;
  IF drop_columns THEN
    IF 'sequence_column' = ANY (made) AND chatopt._has_column(msg, seq) THEN
      RETURN QUERY SELECT msg, 8, format('ALTER TABLE %s DROP COLUMN %I;', msg, seq);
    END IF;
    SELECT string_agg(format('DROP COLUMN %I', k.value), ', ' ORDER BY array_position(chatopt._counter_roles(), k.key)) INTO drops
      FROM jsonb_each_text(layout->'counter_columns') AS k WHERE k.key = ANY (made) AND chatopt._has_column(cnt, k.value);
    IF drops IS NOT NULL THEN
      RETURN QUERY SELECT cnt, 8, format('ALTER TABLE %s %s;', cnt, drops);
    END IF;
  END IF;
  RETURN QUERY SELECT msg, 0, format('SELECT chatopt.forget_chat(%L::regclass);', msg);
END
$$;
COMMENT ON FUNCTION chatopt._plan_detach(jsonb, boolean) IS 'internal: the statements of chatopt.detach';

-- chatopt._run_plan takes the locks of some statements and runs them, or only gives them.
CREATE FUNCTION chatopt._run_plan(tables regclass[], targets regclass[], levels int[], statements text[], dry_run boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  timeout text := current_setting('lock_timeout');
  locks text[] := ARRAY(SELECT * FROM chatopt._plan_locks(tables, targets, levels, statements));
  statement text;
BEGIN
  IF locks <> '{}' AND timeout::interval = '0' THEN
    locks := 'SET LOCAL lock_timeout = ''2s'';'::text || locks;
  END IF;
  statements := array_remove(statements, NULL);
  IF NOT dry_run THEN
    PERFORM chatopt._take_locks(locks);
    FOREACH statement IN ARRAY statements LOOP
      EXECUTE statement;
    END LOOP;
    PERFORM set_config('lock_timeout', timeout, true);
  END IF;
  RETURN QUERY SELECT s FROM unnest(locks || statements) WITH ORDINALITY AS u(s, o) ORDER BY o;
END
$$;
COMMENT ON FUNCTION chatopt._run_plan(regclass[], regclass[], int[], text[], boolean) IS 'internal: locks and runs statements';

--| Leaves a chat: drops chatopt's triggers, puts back the defaults and foreign keys that attach dropped, and forgets the
--| chat. Columns that attach made are kept with their data, its unique index is not; drop_columns => true drops all it made,
--| and never what was there before. Tracked reads are refused, unless cascade => true stops tracking them first, as
--| chatopt.untrack_reads does; drop_columns then drops their tables too.
--@ locks: ACCESS EXCLUSIVE on conversations, counters, messages and members, in this order; making a foreign key again scans messages
--@ errors: 22004 42501 55000 2BP01
CREATE FUNCTION chatopt.detach(messages regclass, drop_columns boolean DEFAULT false, "cascade" boolean DEFAULT false, dry_run boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._detach_layout(messages);
  reads jsonb := chatopt._reads_of(messages);
  tables regclass[];
BEGIN
  layout := layout || jsonb_build_object('reads', reads);
  IF reads IS NOT NULL AND "cascade" IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the reads of table %s are tracked', messages),
      HINT = format('Call chatopt.untrack_reads(%1$L) first, or chatopt.detach(%1$L, "cascade" => true).', messages);
  END IF;
  tables := CASE WHEN reads IS NULL THEN chatopt._chat_tables(layout) ELSE chatopt._reads_targets(layout) END;
  RETURN QUERY
    WITH plan AS MATERIALIZED (
      SELECT 1 AS part, p.* FROM chatopt._plan_untrack(layout #- '{names,message_mentions}', coalesce(drop_columns, false)) WITH ORDINALITY AS p(target, level, statement, place)
        WHERE reads IS NOT NULL
      UNION ALL SELECT 2, p.* FROM chatopt._plan_detach(layout, coalesce(drop_columns, false)) WITH ORDINALITY AS p(target, level, statement, place)),
    whole AS MATERIALIZED (
      SELECT array_agg(p.target ORDER BY p.part, p.place) AS targets, array_agg(p.level ORDER BY p.part, p.place) AS levels,
             array_agg(p.statement ORDER BY p.part, p.place) AS statements FROM plan AS p)
    SELECT r FROM whole AS w, chatopt._run_plan(tables, w.targets, w.levels, w.statements, coalesce(dry_run, false)) AS r;
END
$$;
COMMENT ON FUNCTION chatopt.detach(regclass, boolean, boolean, boolean) IS
  'leaves a chat: drops its triggers and the unique index that attach made, restores defaults and foreign keys, forgets it; drop_columns '
  'also drops the columns that attach made. Returns the statements run, or with dry_run those that would run. Locks the tables of the chat ACCESS EXCLUSIVE; a foreign key '
  'made again scans messages. Errors: 55000 not attached, or its reads are tracked and cascade is not set, 42501 not the owner, 2BP01 other objects depend on a column';

--| Leaves every chat of the database, so that DROP EXTENSION needs no CASCADE.
--@ locks: as chatopt.detach, on the tables of every chat
--@ errors: as chatopt.detach
CREATE FUNCTION chatopt.detach_all(drop_columns boolean DEFAULT false, "cascade" boolean DEFAULT false, dry_run boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  chat record;
BEGIN
  FOR chat IN SELECT c.messages FROM chatopt.chats AS c ORDER BY c.messages::text LOOP
    PERFORM chatopt._detach_layout(chat.messages);
  END LOOP;
  FOR chat IN SELECT c.messages FROM chatopt.chats AS c ORDER BY c.messages::text LOOP
    RETURN QUERY SELECT d FROM chatopt.detach(chat.messages, drop_columns, "cascade", dry_run) AS d;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.detach_all(boolean, boolean, boolean) IS
  'leaves every chat, as chatopt.detach does each; call it before DROP EXTENSION. Errors: 42501 where the caller does not own a chat''s tables';
