-- 30-counters-attach.sql: chatopt.attach.
--
-- attach works out a layout (26-counters-layout.sql), plans the statements for the difference to what is there
-- (27-counters-plan.sql), takes all locks at once in one order, plans again under the locks, and runs the plan. dry_run
-- stops before the locks. Nothing differs: no statement, no lock.

-- chatopt._attach_plan gives a layout's statements in their order: locks first, then those to run, then those handed out.
CREATE FUNCTION chatopt._attach_plan(layout jsonb, OUT locks text[], OUT statements text[], OUT handed_out text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF layout->'before'->>'state' = 'disabled' THEN
    locks := '{}';
    statements := '{}';
    handed_out := '{}';
    RETURN;
  END IF;
  WITH plan AS MATERIALIZED (
    SELECT 1 AS part, p.* FROM chatopt._plan_columns(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 2, p.* FROM chatopt._plan_fill(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 3, p.* FROM chatopt._plan_foreign_keys(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 4, p.* FROM chatopt._plan_index(layout, false) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 5, p.* FROM chatopt._plan_triggers(layout, chatopt._chat_tables(layout)) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 6, p.* FROM chatopt._plan_config(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 7, p.* FROM chatopt._plan_reads_again(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 8, p.* FROM chatopt._plan_index(layout, true) WITH ORDINALITY AS p(target, level, statement, place))
  SELECT ARRAY(SELECT * FROM chatopt._plan_locks(chatopt._chat_tables(layout), array_agg(p.target), array_agg(p.level), array_agg(p.statement))),
         coalesce(array_agg(p.statement ORDER BY p.part, p.place) FILTER (WHERE p.level >= 0 AND p.statement IS NOT NULL), '{}'),
         coalesce(array_agg(E'-- outside a transaction block; then call chatopt.attach again\n' || p.statement ORDER BY p.part, p.place)
           FILTER (WHERE p.level < 0), '{}')
    INTO locks, statements, handed_out FROM plan AS p;
  IF locks <> '{}' AND current_setting('lock_timeout')::interval = '0' THEN
    locks := 'SET LOCAL lock_timeout = ''2s'';'::text || locks;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._attach_plan(jsonb) IS 'internal: the statements that reach a layout';

-- chatopt._take_locks takes the locks of a plan, with up to five tries, each in a subtransaction so that a failed try keeps none.
CREATE FUNCTION chatopt._take_locks(locks text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOR try IN 1..5 LOOP
    BEGIN
      FOREACH statement IN ARRAY locks LOOP
        EXECUTE statement;
      END LOOP;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      IF try = 5 THEN
        RAISE;
      END IF;
    END;
    PERFORM pg_sleep(0.05 * 2 ^ try);
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._take_locks(text[]) IS 'internal: takes the locks of a plan, with retries';

-- chatopt._first_notices says what the first attach means for those who use the tables. One NOTICE a matter.
CREATE FUNCTION chatopt._first_notices(layout jsonb, statements text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  counter_names text[] := ARRAY(SELECT k.value FROM jsonb_each_text(layout->'counter_columns') AS k);
  words text;
  ddl text := array_to_string(ARRAY(SELECT s FROM unnest(statements) AS s WHERE s LIKE 'ALTER TABLE % ADD COLUMN %'), ' ');
BEGIN
  IF ddl <> '' THEN
    RAISE NOTICE USING MESSAGE = 'columns are added to tables in use',
      DETAIL = 'A statement prepared with SELECT * or RETURNING * fails once a session with "cached plan must not change '
        'result type"; COPY FROM without a column list misses data for the new columns.',
      HINT = 'List the columns there, or reconnect.';
  END IF;
  SELECT string_agg(DISTINCT format('"%s"', p.pubname), ', ') INTO words FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname
    WHERE c.oid IN (SELECT t.relid FROM pg_partition_tree(msg) AS t UNION ALL VALUES (msg), (cnt));
  IF words IS NOT NULL THEN
    RAISE NOTICE USING MESSAGE = format('tables of the chat are published by %s', words),
      DETAIL = format('On the subscriber run first: %s', coalesce(nullif(ddl, ''), 'nothing, no column is added.')),
      HINT = 'Do not attach the subscriber''s tables unless they are written there; counters arrive as data. Each send replicates one more UPDATE.';
  END IF;
  SELECT string_agg(format('"%s"', c.conname), ', ') INTO words
    FROM chatopt._foreign_keys(msg, (layout->>'conversations')::oid::regclass) AS f
    JOIN pg_constraint c ON c.oid = f.constraint_id AND c.condeferrable
    WHERE f.own_column = layout->'names'->>'message_conversation';
  IF words IS NOT NULL THEN
    RAISE NOTICE USING MESSAGE = format('foreign key %s of table %s is deferrable', words, msg),
      DETAIL = 'A message of an unknown conversation is now refused at once.', HINT = 'Insert a conversation before its messages.';
  END IF;
  SELECT string_agg(format('"%s"', t.tgname), ', ' ORDER BY t.tgname) INTO words FROM pg_trigger t
    WHERE t.tgrelid = cnt AND NOT t.tgisinternal AND t.tgtype & 16 <> 0 AND t.tgfoid NOT IN
      (SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'chatopt')
      AND (cardinality(t.tgattr::int2[]) = 0 OR chatopt._column_names(cnt, t.tgattr::int2[]) && counter_names);
  IF words IS NOT NULL THEN
    RAISE NOTICE USING MESSAGE = format('triggers of table %s will not see counter writes: %s', cnt, words),
      DETAIL = 'chatopt writes counters without firing the UPDATE triggers of the table.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._first_notices(jsonb, text[]) IS 'internal: the notices of a first chatopt.attach';

-- chatopt._attach_notices says what is left out and what is left to do.
CREATE FUNCTION chatopt._attach_notices(layout jsonb, statements text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
BEGIN
  IF layout->'before'->>'state' = 'disabled' THEN
    RAISE NOTICE USING MESSAGE = format('the chat of table %s is disabled', msg), HINT = 'Call chatopt.enable first; nothing was changed.';
    RETURN;
  ELSIF (layout->>'fresh')::boolean THEN
    PERFORM chatopt._first_notices(layout, statements);
  END IF;
  IF layout->'names'->>'message_time' IS NULL AND NOT layout->'given'->'counter_columns' ? 'last_message_at' AND statements <> '{}' THEN
    RAISE NOTICE USING MESSAGE = format('table %s has no time column with a common name, last_message_at is left out', msg),
      HINT = 'Pass message_time => ''...'' to have it.';
  END IF;
  IF layout->>'state' = 'index missing' THEN
    RAISE NOTICE USING MESSAGE = format('the index on (%I, %I) of table %s is left to you, the table is large',
        layout->'names'->>'message_conversation', layout->'names'->>'sequence_column', msg),
      HINT = format('SELECT chatopt.build_indexes(%L); or run the CREATE INDEX CONCURRENTLY that was returned, then call chatopt.attach again.', msg);
  ELSIF layout->>'state' = 'filling' AND statements <> '{}' THEN
    RAISE NOTICE USING MESSAGE = format('messages and conversations of before are not counted yet in the chat of table %s', msg),
      HINT = format('CALL chatopt.backfill(%L);', msg);
  END IF;
  IF layout->'recount' <> '[]' AND NOT (layout->>'write')::boolean THEN
    RAISE NOTICE USING MESSAGE = format('counters of table %s have to be counted anew', cnt),
      DETAIL = format('Their meaning changes: %s.', (SELECT string_agg(r, ', ') FROM jsonb_array_elements_text(layout->'recount') AS r)),
      HINT = format('CALL chatopt.repair(%L);', msg);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._attach_notices(jsonb, text[]) IS 'internal: the notices of chatopt.attach';

-- chatopt._attach plans, locks and runs.
CREATE FUNCTION chatopt._attach(conv regclass, msg regclass, mem regclass, cnt regclass, given jsonb, dry_run boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  timeout text := current_setting('lock_timeout');
  layout jsonb;
  plan record;
  taken text[] := '{}';
  statement text;
BEGIN
  LOOP
    layout := chatopt._attach_layout(conv, msg, mem, cnt, given);
    SELECT * INTO plan FROM chatopt._attach_plan(layout);
    EXIT WHEN dry_run OR plan.statements = '{}' OR plan.locks <@ taken;
    PERFORM chatopt._take_locks(plan.locks);
    taken := taken || plan.locks;
  END LOOP;
  IF NOT dry_run THEN
    FOREACH statement IN ARRAY plan.statements LOOP
      EXECUTE statement;
    END LOOP;
    PERFORM set_config('lock_timeout', timeout, true);
  END IF;
  PERFORM chatopt._attach_notices(layout, plan.statements);
  RETURN QUERY SELECT s FROM unnest(CASE WHEN plan.statements = '{}' THEN '{}' WHEN dry_run THEN plan.locks ELSE taken END
    || plan.statements || plan.handed_out) WITH ORDINALITY AS u(s, o) ORDER BY o;
END
$$;
COMMENT ON FUNCTION chatopt._attach(regclass, regclass, regclass, regclass, jsonb, boolean) IS 'internal: plans, locks and runs an attach';

--| Attaches a chat: from now on every message is numbered and every counter is exact. Returns the statements that were
--| run, or with dry_run those that would run; by hand in one transaction they do the same. Columns that are not named
--| are found from primary and foreign keys, then from common names, in snake_case and camelCase. On an attached chat it
--| applies what differs: an argument left NULL keeps what is attached (message_counted => 'true' takes a condition off),
--| enforce_conversation counts as given. No statement is returned where nothing differs.
--@ locks: ACCESS EXCLUSIVE on conversations, counters and messages, SHARE ROW EXCLUSIVE on members, taken in this order within
--@ lock_timeout (2 s unless set), held until the end of the transaction
--@ errors: 22023 22004 42501 42703 42804 42809 42830 55000 55006 0A000 42P17
CREATE FUNCTION chatopt.attach(
  conversations regclass, messages regclass, members regclass DEFAULT NULL, counters regclass DEFAULT NULL,
  conversation_key name DEFAULT NULL, message_key name DEFAULT NULL, message_conversation name DEFAULT NULL,
  message_time name DEFAULT NULL, message_sender name DEFAULT NULL, member_conversation name DEFAULT NULL,
  member_user name DEFAULT NULL, sequence_column name DEFAULT NULL, counter_columns jsonb DEFAULT '{}',
  message_counted text DEFAULT NULL, member_counted text DEFAULT NULL, enforce_conversation boolean DEFAULT false,
  dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql VOLATILE
-- No search_path is pinned: the conditions are parsed with the caller's. Names here were resolved when the function was made.
BEGIN ATOMIC
  SELECT chatopt._check_tables(conversations, messages, members, counters);
  SELECT run.statement FROM chatopt._attach(conversations, messages, members, counters,
    pg_catalog.jsonb_build_object(
      'conversation_key', conversation_key, 'message_key', message_key, 'message_conversation', message_conversation,
      'message_time', message_time, 'message_sender', message_sender, 'member_conversation', member_conversation,
      'member_user', member_user, 'sequence_column', sequence_column, 'counter_columns', counter_columns,
      'message_counted', message_counted, 'member_counted', member_counted, 'enforce_conversation', enforce_conversation,
      'message_counted_new', chatopt.parse_condition(messages, message_counted, 'new'),
      'message_counted_old', chatopt.parse_condition(messages, message_counted, 'old'),
      'member_counted_new', chatopt.parse_condition(coalesce(members, (chatopt.chat_config(messages)).members), member_counted, 'new'),
      'member_counted_old', chatopt.parse_condition(coalesce(members, (chatopt.chat_config(messages)).members), member_counted, 'old')),
    coalesce(dry_run, false)) AS run(statement);
END;
COMMENT ON FUNCTION chatopt.attach(regclass, regclass, regclass, regclass, name, name, name, name, name, name, name, name, jsonb, text, text, boolean, boolean) IS
  'attaches a chat so that messages are numbered and counters kept; takes its tables, columns not found by themselves, and conditions; '
  'returns the statements run, or with dry_run those that would run. Locks conversations, counters and messages ACCESS EXCLUSIVE and members '
  'SHARE ROW EXCLUSIVE until the end of the transaction. Errors: 42501 not the owner, 42703 columns not found, 42804 wrong type, 42809 no table, '
  '0A000 unsupported, 22023 bad argument, 55000 attached otherwise, 55006 table of another chat';
