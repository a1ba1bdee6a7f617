-- Numbers and counters at the end of their type: an error, and nothing changed.
\set file overflow
\ir setup.psql
SELECT plan(28);

-- narrow(): a chat whose number or counters are int4
CREATE FUNCTION test.narrow(layout text, columns text, number text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE SCHEMA %I', layout);
  PERFORM set_config('search_path', format('%I, test, tap, public', layout), false);
  EXECUTE format('CREATE TABLE conversations (id int PRIMARY KEY %s)', columns);
  EXECUTE format('CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT ''2026-01-15'' %s)', number);
  PERFORM chatopt.attach('conversations', 'messages');
  EXECUTE 'INSERT INTO conversations (id) VALUES (1), (2)';
  EXECUTE 'INSERT INTO messages (id, conversation_id) VALUES (1, 1)';
END $$;
CREATE FUNCTION test.recounted(what text) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT test.exact(what, to_regclass('messages'), '{"conversations": "conversations", "messages": "messages", "member_count": null}') $$;

-- int4 last_sequence_number, then int4 number, then both
SELECT test.narrow('narrow_last', ', last_sequence_number int', '');
SELECT col_type_is('narrow_last', 'conversations', 'last_sequence_number', 'integer', test.says('attach takes an int4 column that is there'));
SELECT test.recounted('int4 last_sequence_number');
SET session_replication_role = replica;
UPDATE conversations SET last_sequence_number = 2147483646 WHERE id = 1;
SET session_replication_role = origin;
SELECT test.accepted('INSERT INTO messages (id, conversation_id) VALUES (2, 1)', 'the last number of int4');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (3, 1)', '22003', 'the one after it');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (3, 2), (4, 1)', '22003', 'the one after it, in a statement with another conversation');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM messages), '1 2', test.says('nothing of it stays'));
SELECT test.accepted('INSERT INTO messages (id, conversation_id) VALUES (5, 2)', 'other conversations go on');
SELECT test.recounted('after the overflow');
SELECT test.narrow('narrow_number', '', ', sequence_number int');
SET session_replication_role = replica;
UPDATE conversations SET last_sequence_number = 2147483646 WHERE id = 1;
SET session_replication_role = origin;
SELECT test.accepted('INSERT INTO messages (id, conversation_id) VALUES (2, 1)', 'the last number of int4');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (3, 1)', '22003', 'the one after it');
SELECT test.refused('INSERT INTO messages (id, conversation_id) SELECT 10 + i, 2 - i % 2 FROM generate_series(1, 10) i', '22003', 'the one after it, in a statement with another conversation');
SELECT test.recounted('int4 sequence_number');

-- bigint: the very end
SELECT test.narrow('wide', '', '');
SET session_replication_role = replica;
UPDATE conversations SET last_sequence_number = 9223372036854775806 WHERE id = 1;
SET session_replication_role = origin;
SELECT test.accepted('INSERT INTO messages (id, conversation_id) VALUES (2, 1)', 'the last number of bigint');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (3, 1)', '22003', 'the one after it');
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (3, 1), (4, 1)', '22003', 'two after it');
SELECT test.recounted('the end of bigint');
SET chatopt.explicit_sequence = on;
SELECT test.refused('INSERT INTO messages (id, conversation_id, sequence_number) VALUES (3, 1, 9223372036854775807)', '23505', 'the last number is taken');
SELECT ok(test.attempt('INSERT INTO messages (id, conversation_id, sequence_number) VALUES (3, 2, 9223372036854775807)') <> 'done', test.says('too far ahead'));
RESET chatopt.explicit_sequence;

-- int4 message_count and member_count
CREATE SCHEMA narrow_counts;
SET search_path = narrow_counts, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY, message_count int, member_count int NOT NULL DEFAULT 0);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT '2026-01-15');
CREATE TABLE members (conversation_id int REFERENCES conversations, user_id int, PRIMARY KEY (conversation_id, user_id));
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1);
INSERT INTO members VALUES (1, 1);
SELECT test.exact('int4 counters', 'messages', '{"conversations": "conversations", "messages": "messages", "members": "members"}');
SET session_replication_role = replica;
UPDATE conversations SET message_count = 2147483647, member_count = 2147483647;
SET session_replication_role = origin;
SELECT test.refused('INSERT INTO messages (id, conversation_id) VALUES (2, 1)', '22003', 'message_count at the end of int4');
SELECT test.refused('INSERT INTO members VALUES (1, 2)', '22003', 'member_count at the end of int4');
CALL chatopt.repair('messages');
SELECT test.exact('int4 counters, repaired', 'messages', '{"conversations": "conversations", "messages": "messages", "members": "members"}');

\ir teardown.psql
