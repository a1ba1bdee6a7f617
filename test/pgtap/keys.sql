-- Any key (promise 11): every type of conversation key, message key, user key and time.
\set file keys
\ir setup.psql
SELECT plan(70);

-- keys(): a chat with these types; v(n, type) makes the n-th value of a type.
CREATE FUNCTION test.v(n int, type text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE
    WHEN type = 'uuid' THEN md5(n::text)::uuid::text
    WHEN type ~ 'char|text' THEN 'key ' || n
    WHEN type ~ '^time|date' THEN (date '2026-01-01' + n)::text
    WHEN type = 'smallint' THEN n::text
    ELSE (1000000 + n)::text END $$;
CREATE FUNCTION test.keys(conversation text, message text, member text, at text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  what text := format('%s, %s, %s, %s', conversation, message, member, at);
  names jsonb := '{"conversations": "chat.conversations", "messages": "chat.messages", "members": "chat.members"}';
  i int;
BEGIN
  CREATE SCHEMA chat;
  EXECUTE format('CREATE TABLE chat.conversations (id %s PRIMARY KEY)', conversation);
  EXECUTE format('CREATE TABLE chat.messages (id %s PRIMARY KEY, conversation_id %s REFERENCES chat.conversations ON UPDATE CASCADE ON DELETE CASCADE, created_at %s)', message, conversation, at);
  EXECUTE format('CREATE TABLE chat.members (conversation_id %s REFERENCES chat.conversations ON UPDATE CASCADE ON DELETE CASCADE, user_id %s, PRIMARY KEY (conversation_id, user_id))', conversation, member);
  PERFORM chatopt.attach('chat.conversations', 'chat.messages', 'chat.members');
  FOR i IN 1 .. 4 LOOP
    EXECUTE format('INSERT INTO chat.conversations VALUES (%L)', test.v(i, conversation));
  END LOOP;
  FOR i IN 1 .. 12 LOOP
    EXECUTE format('INSERT INTO chat.messages VALUES (%L, %L, %L), (%L, %L, %L)', test.v(i, message), test.v(1 + i % 3, conversation), test.v(i, at),
      test.v(100 + i, message), test.v(1 + (i + 1) % 3, conversation), test.v(i, at));
    EXECUTE format('INSERT INTO chat.members VALUES (%L, %L)', test.v(1 + i % 3, conversation), test.v(i, member));
  END LOOP;
  EXECUTE format('UPDATE chat.messages SET conversation_id = %L WHERE id = %L', test.v(4, conversation), test.v(5, message));
  EXECUTE format('DELETE FROM chat.messages WHERE id = %L', test.v(112, message));
  EXECUTE format('UPDATE chat.conversations SET id = %L WHERE id = %L', test.v(9, conversation), test.v(2, conversation));
  EXECUTE format('DELETE FROM chat.members WHERE user_id = %L', test.v(3, member));
  EXECUTE format('SELECT chatopt.lock_conversations(%L, %L, %L)', 'chat.messages', test.v(1, conversation), test.v(9, conversation));
  RETURN NEXT is_empty($v$ SELECT * FROM chatopt.verify('chat.messages') $v$, what || ': verify');
  RETURN NEXT is_empty(format('SELECT * FROM chatopt.verify(%L, %L)', 'chat.messages', test.v(9, conversation)), what || ': verify of one conversation');
  RETURN NEXT is_empty(format('SELECT * FROM test.recount(%L)', names), what || ': recount');
  RETURN NEXT is((test.complaint(format('INSERT INTO chat.messages VALUES (%L, %L, %L)', test.v(50, message), test.v(77, conversation), test.v(1, at)))).state, '23503', what || ': unknown conversation');
  DROP SCHEMA chat CASCADE;
EXCEPTION WHEN OTHERS THEN
  RETURN NEXT fail(what || ': ' || SQLSTATE || ' ' || SQLERRM);
END $$;
SELECT test.keys('int', 'int', 'int', 'timestamptz');
SELECT test.keys('bigint', 'bigint', 'bigint', 'timestamp');
SELECT test.keys('uuid', 'uuid', 'uuid', 'date');
SELECT test.keys('text', 'text', 'text', 'bigint');
SELECT test.keys('varchar', 'varchar(30)', 'varchar(26)', 'timestamptz(3)');
SELECT test.keys('varchar(26)', 'bigint', 'text', 'timestamp(0)');
SELECT test.keys('bigint', 'uuid', 'varchar', 'bigint');
SELECT test.keys('text COLLATE "C"', 'text', 'int', 'timestamptz');
SELECT is_empty('SELECT * FROM chatopt.chats', 'a dropped chat is forgotten');

-- the conversation of a message has another type of the same family
CREATE SCHEMA mixed;
SET search_path = mixed, test, tap, public;
CREATE TABLE conversations (id bigint PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz);
SELECT test.attempt($$ SELECT chatopt.attach('conversations', 'messages') $$) AS state \gset
SELECT matches(:'state'::text, 'done|42804|0A000', test.says('int referring to bigint: taken, or refused with the reason'));
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1);
SELECT coalesce(CASE WHEN :'state' = 'done' THEN (SELECT string_agg(r::text, ' ') FROM test.recount('{"conversations": "conversations", "messages": "messages", "member_count": null}') r) END, '') AS difference \gset
SELECT is(:'difference'::text, '', test.says('int referring to bigint: recount'));

-- keys of unusual types: refused with a hint, or exact (R49)
CREATE FUNCTION test.unusual(type text, a text, b text, collation_clause text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  c record;
  rest text;
BEGIN
  CREATE SCHEMA odd;
  EXECUTE format('CREATE TABLE odd.conversations (id %s %s PRIMARY KEY)', type, collation_clause);
  EXECUTE format('CREATE TABLE odd.messages (id bigint PRIMARY KEY, conversation_id %s %s REFERENCES odd.conversations, created_at timestamptz)', type, collation_clause);
  SELECT * INTO c FROM test.complaint($a$ SELECT chatopt.attach('odd.conversations', 'odd.messages') $a$);
  IF c.state = 'done' THEN
    EXECUTE format('INSERT INTO odd.conversations VALUES (%L)', a);
    EXECUTE format('INSERT INTO odd.messages VALUES (1, %L), (2, %L), (3, %L)', a, b, a);
    EXECUTE format('INSERT INTO odd.messages VALUES (4, %L)', b);
    SELECT string_agg(r::text, ' ') INTO rest FROM test.recount('{"conversations": "odd.conversations", "messages": "odd.messages", "member_count": null}') r;
    RETURN NEXT is(rest, NULL, type || ': equal keys that look different are one conversation');
    RETURN NEXT is_empty($v$ SELECT * FROM chatopt.verify('odd.messages') $v$, type || ': verify');
  ELSE
    RETURN NEXT ok(c.state IN ('0A000', '42804'), type || ': refused with ' || c.state);
    RETURN NEXT ok(coalesce(c.hint, '') <> '' OR coalesce(c.detail, '') <> '', type || ': and says why');
  END IF;
  DROP SCHEMA odd CASCADE;
EXCEPTION WHEN OTHERS THEN
  RETURN NEXT fail(type || ': ' || SQLSTATE || ' ' || SQLERRM);
  RETURN NEXT fail(type);
END $$;
CREATE DOMAIN public.room_key AS bigint;
CREATE DOMAIN public.room_name AS text CHECK (VALUE <> '');
CREATE EXTENSION citext SCHEMA public;
CREATE COLLATION public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT test.unusual('numeric', '1.0', '1.00');
SELECT test.unusual('char(8)', 'ab', 'ab      ');
SELECT test.unusual('citext', 'Room', 'rOOM');
SELECT test.unusual('room_key', '5', '05');
SELECT test.unusual('room_name', 'a', 'a');
SELECT test.unusual('text', 'Room', 'rOOM', 'COLLATE any_case');
SELECT test.unusual('smallint', '5', '05');
SELECT test.unusual('timestamptz', '2026-01-01 00:00+00', '2026-01-01 01:00+01');
SELECT test.unusual('bytea', '\x61', 'a');
SELECT test.unusual('float8', '0', '-0');
SELECT test.unusual('interval', '1 day', '24 hours');
SELECT test.unusual('inet', '127.0.0.1', '127.0.0.1/32');
SELECT test.unusual('"char"', 'x', 'x');
SELECT test.unusual('name', 'x', 'x');
SELECT test.unusual('int4range', '[1,3)', '[1,2]');
SELECT test.unusual('int[]', '{1}', '[1:1]={1}');

-- tables of one chat are all unlogged, or none (R51)
CREATE SCHEMA unlogged_chat;
SET search_path = unlogged_chat, test, tap, public;
CREATE UNLOGGED TABLE conversations (id int PRIMARY KEY);
CREATE UNLOGGED TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz);
SELECT test.accepted($$ SELECT chatopt.attach('conversations', 'messages') $$, 'all tables unlogged');
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1);
SELECT test.exact('unlogged tables', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');

\ir teardown.psql
