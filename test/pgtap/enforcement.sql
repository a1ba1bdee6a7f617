-- enforce_conversation: chatopt does what the foreign key said on DELETE and
-- UPDATE of a conversation, refuses what it refused, and detach puts it back.
\set file enforcement
\ir setup.psql
SELECT plan(50);

-- enforce('schema', 'what the key says'): a chat whose key is replaced, with two conversations and three messages
CREATE FUNCTION test.enforce(layout text, clause text, parts boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE SCHEMA %I', layout);
  PERFORM set_config('search_path', format('%I, test, tap, public', layout), false);
  EXECUTE 'CREATE TABLE conversations (id int PRIMARY KEY, title text)';
  EXECUTE format('CREATE TABLE messages (id bigint, conversation_id int DEFAULT 1 CONSTRAINT "the key" REFERENCES conversations %s, created_at timestamptz DEFAULT ''2026-01-15'', PRIMARY KEY (id, created_at)) %s',
    clause, CASE WHEN parts THEN 'PARTITION BY RANGE (created_at)' ELSE '' END);
  IF parts THEN
    EXECUTE 'CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (''2026-01-01'') TO (''2026-02-01'')';
    EXECUTE 'CREATE TABLE messages_2 PARTITION OF messages FOR VALUES FROM (''2026-02-01'') TO (''2026-03-01'')';
  END IF;
  PERFORM set_config('test.before', test.snapshot(layout), false);
  PERFORM chatopt.attach('conversations', 'messages', enforce_conversation => true);
  EXECUTE 'INSERT INTO conversations (id) VALUES (1), (2), (3)';
  EXECUTE 'INSERT INTO messages (id, conversation_id, created_at) VALUES (201, 2, ''2026-01-15''), (202, 2, ''2026-02-15''), (101, 1, ''2026-01-15'')';
END $$;
CREATE FUNCTION test.recounted(what text) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT test.exact(what, to_regclass('messages'), '{"conversations": "conversations", "messages": "messages", "member_count": null}') $$;
-- left_behind(): detach puts back everything.
CREATE FUNCTION test.put_back() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chatopt.detach('messages', drop_columns => true);
  RETURN test.same(current_setting('test.before'), test.snapshot(current_schema()), 'detach puts the key back');
END $$;

SELECT test.enforce('cascade', 'ON DELETE CASCADE ON UPDATE CASCADE');
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT count(*) FROM messages)::text, '1', test.says('DELETE takes the messages along'));
UPDATE conversations SET id = 11 WHERE id = 1;
SELECT is((SELECT conversation_id || ':' || sequence_number FROM messages WHERE id = 101), '11:1', test.says('UPDATE takes the messages along, with their numbers'));
SELECT test.recounted('cascade');
DELETE FROM conversations;
SELECT test.recounted('DELETE of all conversations');
SELECT test.put_back();
SELECT test.enforce('cascade_parts', 'ON DELETE CASCADE ON UPDATE CASCADE', true);
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT count(*) FROM messages)::text, '1', test.says('DELETE takes the messages along'));
UPDATE conversations SET id = 11 WHERE id = 1;
SELECT is((SELECT conversation_id || ':' || sequence_number FROM messages WHERE id = 101), '11:1', test.says('UPDATE takes the messages along, with their numbers'));
SELECT test.recounted('cascade on partitions');
SELECT test.put_back();

SELECT test.enforce('restrict', 'ON DELETE RESTRICT ON UPDATE RESTRICT');
SELECT test.refused('DELETE FROM conversations WHERE id = 2', '23503', 'DELETE of a conversation with messages');
SELECT test.refused('UPDATE conversations SET id = 22 WHERE id = 2', '23503', 'UPDATE of the key of a conversation with messages');
SELECT test.accepted('UPDATE conversations SET id = 2, title = ''same'' WHERE id = 2', 'UPDATE to the same key');
SELECT test.accepted('DELETE FROM conversations WHERE id = 3', 'DELETE of one without');
SELECT test.recounted('restrict');
SELECT test.put_back();
SELECT test.enforce('no_action', '', true);
SELECT test.refused('DELETE FROM conversations WHERE id = 2', '23503', 'DELETE of a conversation with messages');
SELECT test.refused('UPDATE conversations SET id = 22 WHERE id = 2', '23503', 'UPDATE of the key of a conversation with messages');
SELECT test.accepted('WITH d AS (DELETE FROM messages WHERE conversation_id = 2) DELETE FROM conversations WHERE id = 2', 'both in one statement');
SELECT test.recounted('no action');
SELECT test.put_back();

SELECT test.enforce('set_null', 'ON DELETE SET NULL ON UPDATE SET NULL');
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT string_agg(coalesce(conversation_id::text, '-') || ':' || coalesce(sequence_number::text, '-'), ' ' ORDER BY id) FROM messages), '1:1 -:- -:-', test.says('ON DELETE SET NULL (R42)'));
UPDATE conversations SET id = 11 WHERE id = 1;
SELECT is((SELECT count(*) FROM messages WHERE conversation_id IS NULL AND sequence_number IS NULL)::text, '3', test.says('ON UPDATE SET NULL'));
SELECT test.recounted('set null');
SELECT test.put_back();
SELECT test.enforce('set_default', 'ON DELETE SET DEFAULT ON UPDATE CASCADE', true);
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT string_agg(conversation_id || ':' || sequence_number, ' ' ORDER BY sequence_number) FROM messages), '1:1 1:2 1:3', test.says('ON DELETE SET DEFAULT moves them'));
SELECT test.recounted('set default');
SELECT test.put_back();
SELECT test.enforce('deferrable', 'ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (1, 99)', '23503', 'refused at once');
SELECT test.recounted('deferrable');
SELECT test.put_back();
SELECT test.enforce('not_valid', 'ON DELETE CASCADE');
SELECT test.put_back();

-- the same with the key in place (R41, R42)
CREATE FUNCTION test.keep(layout text, clause text, parts boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM test.enforce(layout, clause, parts);
  PERFORM chatopt.detach('messages', drop_columns => true);
  EXECUTE 'TRUNCATE messages, conversations';
  PERFORM chatopt.attach('conversations', 'messages');
  EXECUTE 'INSERT INTO conversations (id) VALUES (1), (2), (3)';
  EXECUTE 'INSERT INTO messages (id, conversation_id, created_at) VALUES (201, 2, ''2026-01-15''), (202, 2, ''2026-02-15''), (101, 1, ''2026-01-15'')';
END $$;
SELECT test.keep('kept_null', 'ON DELETE SET NULL ON UPDATE CASCADE');
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT string_agg(coalesce(conversation_id::text, '-') || ':' || coalesce(sequence_number::text, '-'), ' ' ORDER BY id) FROM messages), '1:1 -:- -:-', test.says('ON DELETE SET NULL (R42)'));
UPDATE conversations SET id = 11 WHERE id = 1;
SELECT is((SELECT conversation_id || ':' || sequence_number FROM messages WHERE id = 101), '11:1', test.says('ON UPDATE CASCADE (R41)'));
SELECT test.recounted('set null, cascade');
UPDATE messages SET conversation_id = 3 WHERE conversation_id IS NULL;
SELECT is((SELECT last_sequence_number || ' ' || message_count FROM conversations WHERE id = 3), '2 2', test.says('messages that lost their conversation find another'));
SELECT test.recounted('into another conversation');
SELECT test.keep('kept_default', 'ON DELETE SET DEFAULT ON UPDATE SET NULL', true);
DELETE FROM conversations WHERE id = 2;
SELECT is((SELECT string_agg(conversation_id || ':' || sequence_number, ' ' ORDER BY sequence_number) FROM messages), '1:1 1:2 1:3', test.says('ON DELETE SET DEFAULT'));
UPDATE conversations SET id = 11 WHERE id = 1;
SELECT is((SELECT count(*) FROM messages WHERE conversation_id IS NULL AND sequence_number IS NULL)::text, '3', test.says('ON UPDATE SET NULL'));
SELECT test.recounted('set default, set null');

\ir teardown.psql
