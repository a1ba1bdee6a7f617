-- Hostile search_path and hostile names: our statements qualify and quote.
\set file hostile
\ir setup.psql
SELECT plan(104);

-- ---------------------------------------------------------------------------
-- A schema first in the path that shadows tables, types, functions, operators.
SELECT test.build('plain', adopt => false);
CREATE SCHEMA evil;
CREATE FUNCTION evil.touched() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil was called' USING ERRCODE = 'XX999'; END $$;
CREATE DOMAIN evil.text AS pg_catalog.int4;
CREATE DOMAIN evil.regclass AS pg_catalog.int4;
CREATE DOMAIN evil.name AS pg_catalog.int4;
CREATE DOMAIN evil.jsonb AS pg_catalog.int4;
CREATE DOMAIN evil.oid AS pg_catalog.bool;
DO $$
DECLARE
  t pg_catalog.text;
  o pg_catalog.text;
  f pg_catalog.text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int4', 'int8', 'text', 'oid', 'uuid', 'name', 'int2', 'char', 'timestamptz', 'bool', 'regclass'] LOOP
    EXECUTE pg_catalog.format('CREATE FUNCTION evil.compare(pg_catalog.%1$I, pg_catalog.%1$I) RETURNS pg_catalog.bool LANGUAGE sql AS %2$L', t, 'SELECT evil.touched()');
    FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>='] LOOP
      EXECUTE pg_catalog.format('CREATE OPERATOR evil.%1$s (LEFTARG = pg_catalog.%2$I, RIGHTARG = pg_catalog.%2$I, FUNCTION = evil.compare)', o, t);
    END LOOP;
  END LOOP;
  FOREACH f IN ARRAY ARRAY['quote_ident', 'quote_literal', 'to_regclass', 'lower', 'upper', 'length', 'regexp_replace', 'md5', 'current_setting'] LOOP
    EXECUTE pg_catalog.format('CREATE FUNCTION evil.%I(pg_catalog.text) RETURNS pg_catalog.text LANGUAGE sql AS %L', f, 'SELECT evil.touched()::pg_catalog.text');
  END LOOP;
  FOREACH f IN ARRAY ARRAY['pg_get_triggerdef', 'pg_get_constraintdef', 'pg_get_indexdef', 'pg_relation_size'] LOOP
    EXECUTE pg_catalog.format('CREATE FUNCTION evil.%I(pg_catalog.oid) RETURNS pg_catalog.text LANGUAGE sql AS %L', f, 'SELECT evil.touched()::pg_catalog.text');
  END LOOP;
  FOREACH t IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_trigger', 'pg_constraint', 'pg_index', 'pg_namespace', 'pg_proc', 'pg_type', 'pg_inherits',
      'chat', 'chats', 'conversations', 'messages', 'members'] LOOP
    EXECUTE pg_catalog.format('CREATE TABLE evil.%I (trap pg_catalog.int4)', t);
  END LOOP;
END $$;
CREATE FUNCTION evil.format(pg_catalog.text, VARIADIC pg_catalog.text[]) RETURNS pg_catalog.text LANGUAGE sql AS $$ SELECT evil.touched()::pg_catalog.text $$;
CREATE FUNCTION evil.now() RETURNS pg_catalog.timestamptz LANGUAGE sql AS $$ SELECT NULL::pg_catalog.timestamptz WHERE evil.touched() $$;
CREATE FUNCTION evil.count_step(pg_catalog.int8) RETURNS pg_catalog.int8 LANGUAGE sql AS $$ SELECT 1::pg_catalog.int8 WHERE evil.touched() $$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.count_step, STYPE = pg_catalog.int8);
CREATE TEMP TABLE conversations (trap int);
CREATE TEMP TABLE pg_trigger (trap int);
CREATE TEMP TABLE pg_attribute (trap int);
CREATE TEMP TABLE chat (trap int);

-- attempt_under('path', '...'): runs a statement under a search_path.
CREATE FUNCTION test.attempt_under(path pg_catalog.text, statement pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$
DECLARE
  before pg_catalog.text := pg_catalog.current_setting('search_path');
  state pg_catalog.text;
  message pg_catalog.text;
BEGIN
  BEGIN
    PERFORM pg_catalog.set_config('search_path', path, false);
    EXECUTE statement;
    PERFORM pg_catalog.set_config('search_path', before, false);
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN pg_catalog.concat(state, ': ', message);
  END;
  RETURN 'done';
END $$;
\set evil '''evil, pg_temp, pg_catalog, plain'''
SELECT is(test.attempt_under(:evil, $$ SELECT 1::pg_catalog.int4 = 1::pg_catalog.int4 $$), 'XX999: evil was called', 'the path is hostile');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.attach('plain.conversations', 'plain.messages', 'plain.members') $$), 'done', 'attach');
SELECT is(test.attempt_under(:evil, $$ INSERT INTO plain.conversations (id) VALUES (1), (2) $$), 'done', 'a conversation');
SELECT is(test.attempt_under(:evil, $$ INSERT INTO plain.messages (id, conversation_id) VALUES (101, 1), (102, 1), (201, 2) $$), 'done', 'sends');
SELECT is(test.attempt_under(:evil, $$ INSERT INTO plain.members (conversation_id, user_id) VALUES (1, 1) $$), 'done', 'a member');
SELECT is(test.attempt_under(:evil, $$ UPDATE plain.messages SET conversation_id = 2, created_at = '2026-02-01' WHERE id OPERATOR(pg_catalog.=) 102 $$), 'done', 'a move');
SELECT is(test.attempt_under(:evil, $$ DELETE FROM plain.messages WHERE id OPERATOR(pg_catalog.=) 201 $$), 'done', 'a deletion');
SELECT is(test.attempt_under(:evil, $$ UPDATE plain.conversations SET message_count = 9, title = 'x' $$), 'done', 'stale counters');
SELECT is(test.attempt_under(:evil, $$ UPDATE plain.conversations SET id = 3 WHERE id OPERATOR(pg_catalog.=) 2 $$), 'done', 'another key');
SELECT is(test.attempt_under(:evil, $$ SELECT * FROM chatopt.verify('plain.messages') $$), 'done', 'verify');
SELECT is(test.attempt_under(:evil, $$ SELECT * FROM chatopt.verify('plain.messages', '1', 0.5) $$), 'done', 'verify of one conversation');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.lock_conversations('plain.messages', 1, 2) $$), 'done', 'lock_conversations');
SELECT is(test.attempt_under(:evil, $$ SELECT * FROM chatopt.chats $$), 'done', 'the view chats');
SELECT is(test.attempt_under(:evil, $$ SELECT * FROM chatopt.progress $$), 'done', 'the view progress');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.disable('plain.messages') $$), 'done', 'disable');
SELECT is(test.attempt_under(:evil, $$ INSERT INTO plain.messages (id, conversation_id) VALUES (103, 1) $$), 'done', 'a send while disabled');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.enable('plain.messages') $$), 'done', 'enable');
\set ON_ERROR_STOP 0
SELECT pg_catalog.set_config('search_path', :evil, false) \g /dev/null
CALL chatopt.backfill('plain.messages');
\set backfilled :ERROR
CALL chatopt.repair('plain.messages');
\set repaired :ERROR
SET search_path = plain, test, tap, public;
\set ON_ERROR_STOP 1
SELECT is(:'backfilled'::text, 'false', 'backfill');
SELECT is(:'repaired'::text, 'false', 'repair');
SELECT pg_catalog.set_config('search_path', 'plain, test, tap, public, pg_temp', false) \g /dev/null
SELECT test.exact('after all that', 'plain.messages', '{"conversations": "plain.conversations", "messages": "plain.messages", "members": "plain.members"}');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.detach('plain.messages', drop_columns => true) $$), 'done', 'detach');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.attach('plain.conversations', 'plain.messages', 'plain.members', message_counted => 'deleted_at IS NULL', enforce_conversation => true) $$), 'done', 'attach with every option');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.attach('plain.conversations', 'plain.messages', 'plain.members', message_counted => 'deleted_at IS NULL', enforce_conversation => true) $$), 'done', 'attach twice');
SELECT is(test.attempt_under(:evil, $$ SELECT chatopt.detach_all() $$), 'done', 'detach_all');
SELECT is((SELECT count(*) FROM chatopt.chats)::text, '0', 'and nothing is attached');
-- without any schema in the path
SELECT is(test.attempt_under('', $$ SELECT chatopt.attach('plain.conversations', 'plain.messages', 'plain.members', message_counted => 'deleted_at IS NULL') $$), 'done', 'attach without a path');
SELECT is(test.attempt_under('', $$ INSERT INTO plain.messages (id, conversation_id) VALUES (301, 1) $$), 'done', 'a send without a path');
-- a condition is parsed once, with the path of the caller, and means the same under every other
SELECT chatopt.detach('plain.messages') \g /dev/null
CREATE FUNCTION plain.shown(kind pg_catalog.text) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN kind IS DISTINCT FROM 'join';
CREATE FUNCTION evil.shown(kind pg_catalog.text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$ SELECT evil.touched() $$;
SELECT chatopt.attach('plain.conversations', 'plain.messages', 'plain.members', message_counted => 'shown(type) AND deleted_at IS NULL') \g /dev/null
SELECT is(test.attempt_under(:evil, $$ INSERT INTO plain.messages (id, conversation_id, type) VALUES (401, 1, 'text'), (402, 1, 'join') $$), 'done', 'a send with a condition');
SELECT is(test.attempt_under('evil, plain', $$ SELECT * FROM chatopt.verify('plain.messages') $$), 'done', 'verify with a condition');
CALL chatopt.backfill('plain.messages');
CALL chatopt.repair('plain.messages');
SELECT test.exact('a condition that calls a function', 'plain.messages', '{"conversations": "plain.conversations", "messages": "plain.messages", "members": "plain.members",
  "counted": "m.type IS DISTINCT FROM ''join'' AND m.deleted_at IS NULL"}');
SELECT chatopt.detach('plain.messages') \g /dev/null
DROP TABLE pg_temp.conversations, pg_temp.pg_trigger, pg_temp.pg_attribute, pg_temp.chat;

-- ---------------------------------------------------------------------------
-- Names with quotes, dots, dollars, per cent signs, line feeds, emoji, 63 bytes.
CREATE FUNCTION test.hostile(sch text, t text, c text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  conv text := format('%I.%I', sch, 'c' || t);
  msg text := format('%I.%I', sch, 'm' || t);
  mem text := format('%I.%I', sch, 'u' || t);
  -- columns: the name with a letter before it, cut to 63 bytes as PostgreSQL does
  k text := ('k' || c)::name;
  m text := ('m' || c)::name;
  r text := ('r' || c)::name;
  a text := ('a' || c)::name;
  d text := ('d' || c)::name;
  n text := ('n' || c)::name;
  l text := ('l' || c)::name;
  q text := ('q' || c)::name;
  e text := ('e' || c)::name;
  i text := ('i' || c)::name;
  z text := ('z' || c)::name;
  before text;
  names jsonb;
  s text;
BEGIN
  EXECUTE format('CREATE SCHEMA %I', sch);
  EXECUTE format('CREATE TABLE %s (%I text PRIMARY KEY, other int)', conv, k);
  EXECUTE format('CREATE TABLE %s (%I bigint PRIMARY KEY, %I text REFERENCES %s ON UPDATE CASCADE ON DELETE CASCADE, %I timestamptz DEFAULT %L, %I boolean NOT NULL DEFAULT false)',
    msg, m, r, conv, a, '2026-01-15', d);
  EXECUTE format('CREATE TABLE %s (%I text REFERENCES %s ON UPDATE CASCADE, %I int, PRIMARY KEY (%I, %I))', mem, r, conv, k, r, k);
  EXECUTE format('INSERT INTO %s VALUES (%L), (%L)', conv, 'one', t || c);
  before := test.snapshot(sch);
  FOR s IN SELECT * FROM chatopt.attach(conv::regclass, msg::regclass, mem::regclass, conversation_key => k, message_key => m, message_conversation => r, message_time => a,
      member_conversation => r, member_user => k, sequence_column => n, message_counted => format('NOT %I', d), dry_run => true,
      counter_columns => jsonb_build_object('last_sequence_number', l, 'message_count', q, 'member_count', e, 'last_message_id', i, 'last_message_at', z)) LOOP
    EXECUTE s;
  END LOOP;
  names := jsonb_build_object('conversations', conv, 'messages', msg, 'members', mem, 'key', quote_ident(k), 'conversation', quote_ident(r), 'id', quote_ident(m),
    'time', quote_ident(a), 'number', quote_ident(n), 'counted', format('NOT m.%I', d), 'member_conversation', quote_ident(r),
    'last_sequence_number', quote_ident(l), 'message_count', quote_ident(q),
    'member_count', quote_ident(e), 'last_message_id', quote_ident(i), 'last_message_at', quote_ident(z));
  EXECUTE format('INSERT INTO %s (%I, %I) VALUES (1, %L), (2, %L), (3, %L)', msg, m, r, 'one', t || c, 'one');
  EXECUTE format('INSERT INTO %s VALUES (%L, 1), (%L, 2)', mem, 'one', t || c);
  EXECUTE format('UPDATE %s SET %I = true WHERE %I = 3', msg, d, m);
  EXECUTE format('UPDATE %s SET %I = %L WHERE %I = %L', conv, k, t || c || t, k, t || c);
  RETURN NEXT is_empty(format('SELECT * FROM chatopt.verify(%L)', msg), 'verify: ' || to_json(t));
  RETURN NEXT is_empty(format('SELECT * FROM chatopt.verify(%L, %L)', msg, t || c || t), 'verify of one conversation: ' || to_json(t));
  RETURN NEXT is_empty(format('SELECT * FROM test.recount(%L)', names), 'recount: ' || to_json(t));
  RETURN NEXT is((test.complaint(format('INSERT INTO %s (%I, %I) VALUES (9, %L)', msg, m, r, 'no '' such'))).state, '23503', 'unknown conversation: ' || to_json(t));
  RETURN NEXT is((test.complaint(format('INSERT INTO %s (%I, %I, %I) VALUES (9, %L, 1)', msg, m, r, n, 'one'))).state, '428C9', 'explicit number: ' || to_json(t));
  PERFORM chatopt.lock_conversations(msg::regclass, 'one', t || c || t);
  RETURN NEXT is_empty(format('SELECT * FROM chatopt.attach(%L, %L, %L, conversation_key => %L, message_key => %L, message_conversation => %L, message_time => %L,
      member_conversation => %L, member_user => %L, sequence_column => %L, message_counted => %L, counter_columns => %L)', conv, msg, mem, k, m, r, a, r, k, n, format('NOT %I', d),
      jsonb_build_object('last_sequence_number', l, 'message_count', q, 'member_count', e, 'last_message_id', i, 'last_message_at', z)), 'attach twice: ' || to_json(t));
  EXECUTE format('DELETE FROM %s', msg);
  FOR s IN SELECT * FROM chatopt.detach(msg::regclass, drop_columns => true, dry_run => true) LOOP
    EXECUTE s;
  END LOOP;
  RETURN NEXT test.same(before, test.snapshot(sch), 'no trace: ' || to_json(t));
  EXECUTE format('DROP SCHEMA %I CASCADE', sch);
EXCEPTION WHEN OTHERS THEN
  RETURN NEXT fail(format('%L: %s %s', t, SQLSTATE, SQLERRM));
END $$;
SELECT test.hostile('quo"ted', 'dou"ble', 'sin''gle');
SELECT test.hostile('dots.in.it', 'a.b."c".d', 'x.y');
SELECT test.hostile('$$', '$1 $body$ %s %I %L %%', '$2');
SELECT test.hostile(E'line\nfeed', E'tab\tand\r\nline', E'back\\slash \\n');
SELECT test.hostile('🙂', '👩‍👩‍👧‍👦 emoji', 'ключ');
SELECT test.hostile(repeat('s', 63), repeat('t', 62), repeat('ю', 31));
SELECT test.hostile('select', ' ', 'NEW.id');
SELECT test.hostile('public; DROP SCHEMA chatopt CASCADE; --', ''') ; DROP SCHEMA chatopt CASCADE; --', ' -- /* */ ; {}');
SELECT test.hostile('CamelCase', 'MixedCase', 'Order');
SELECT test.hostile('json{"a":1}', '\u0041', E'\u200B');
SELECT has_schema('chatopt', 'the extension is still there');
SELECT is_empty('SELECT * FROM chatopt.chats', 'and nothing attached');

\ir teardown.psql
