-- 32-counters-switch.sql: the emergency switch, chatopt.disable and chatopt.enable.
--
-- disable must work with a broken library too: it reads the configuration through the view and turns the triggers off
-- before anything in C is called.

-- chatopt._switch_statement turns the chat's triggers on a table on or off.
CREATE FUNCTION chatopt._switch_statements(tables regclass[], turn_on boolean) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('ALTER TABLE %s %s;', o.place, string_agg(
      format('%s TRIGGER %I', CASE WHEN turn_on THEN 'ENABLE' ELSE 'DISABLE' END, o.trigger_name), ', ' ORDER BY o.trigger_name))
  FROM chatopt._own_triggers(tables) WITH ORDINALITY AS o(target, place, trigger_name, trigger_id, enabled, position)
  WHERE (o.enabled = 'D') = turn_on
  GROUP BY o.place ORDER BY min(o.position)
$$;
COMMENT ON FUNCTION chatopt._switch_statements(regclass[], boolean) IS 'internal: statements that turn a chat''s triggers on or off';

-- chatopt._switch runs the switch and gives the statements run.
CREATE FUNCTION chatopt._switch(msg regclass, turn_on boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config record;
  tables regclass[];
  statements text[];
BEGIN
  IF msg IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'messages must not be null', HINT = 'Name the messages table.';
  END IF;
  PERFORM chatopt._check_table(msg);
  SELECT c.conversations, c.members, c.counters, c.state INTO config FROM chatopt.chats AS c WHERE c.messages = msg;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table "%s" is not attached to chatopt', (SELECT r.relname FROM pg_class AS r WHERE r.oid = msg)),
      HINT = 'The view chatopt.chats lists the attached chats.';
  END IF;
  tables := chatopt._chat_tables(jsonb_build_object('conversations', config.conversations::oid::text, 'counters', config.counters::oid::text,
    'messages', msg::oid::text, 'members', config.members::oid::text));
  tables := tables || ARRAY(SELECT r.mention_table FROM chatopt.reads AS r JOIN pg_class c ON c.oid = r.mention_table WHERE r.messages = msg);
  PERFORM chatopt._check_table(t) FROM unnest(tables) AS t;
  statements := ARRAY(SELECT * FROM chatopt._switch_statements(tables, turn_on));
  RETURN QUERY SELECT * FROM chatopt._run_plan(tables, CASE WHEN statements = '{}' THEN '{}' ELSE tables END,
    array_fill(6, ARRAY[cardinality(tables)]), statements, false);
END
$$;
COMMENT ON FUNCTION chatopt._switch(regclass, boolean) IS 'internal: turns a chat''s triggers on or off';

--| The emergency switch: turns the triggers of a chat off. Messages are sent without a number and counters stand still until
--| chatopt.enable. Works even where the library cannot be loaded; then the state is not saved and a WARNING says so.
--@ locks: SHARE ROW EXCLUSIVE on conversations, counters, messages and members, in this order, until the end of the transaction
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.disable(messages regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  reason text;
BEGIN
  PERFORM chatopt._switch(messages, false);
  BEGIN
    PERFORM chatopt.save_chat_state(messages, 'disabled');
  EXCEPTION WHEN undefined_file OR undefined_function OR system_error OR io_error OR internal_error THEN
    GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
    RAISE WARNING USING MESSAGE = 'the triggers are off, but the state of the chat could not be saved', DETAIL = reason;
  END;
END
$$;
COMMENT ON FUNCTION chatopt.disable(regclass) IS
  'turns the triggers of a chat off in an emergency: messages get no number, counters stand still. Locks the tables of the chat '
  'SHARE ROW EXCLUSIVE for a moment. Errors: 55000 not attached, 42501 not the owner';

--| Turns the triggers of a chat on again. Messages sent meanwhile have no number and counters are behind until
--| CALL chatopt.backfill and CALL chatopt.repair, which a NOTICE asks for; both commit in batches, so that no function can call them.
--@ locks: as chatopt.disable
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.enable(messages regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb;
  config chatopt.chat := chatopt.chat_config(messages);
  statements text[];
BEGIN
  statements := ARRAY(SELECT * FROM chatopt._switch(messages, true));
  -- where the library was broken, disable could not save the state
  IF config.state = 'disabled' OR statements <> '{}' THEN
    layout := chatopt._detach_layout(messages);
    PERFORM chatopt.save_chat_state(messages,
      CASE WHEN chatopt._index_layout(layout)->>'index' = 'missing' THEN 'index missing' ELSE 'filling' END);
    PERFORM chatopt._reads_again(messages);
    RAISE NOTICE USING MESSAGE = format('messages sent while the chat of table %s was disabled are not numbered and not counted yet', messages),
      HINT = format('CALL chatopt.backfill(%1$L); CALL chatopt.repair(%1$L);', messages);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt.enable(regclass) IS
  'turns the triggers of a disabled chat on again; then CALL chatopt.backfill and CALL chatopt.repair. Locks the tables of the chat '
  'SHARE ROW EXCLUSIVE for a moment. Errors: 55000 not attached, 42501 not the owner';
