-- An attached chat goes on when its messages become partitioned: numbers, counters, reads and receipts are exact before and after, attach finds
-- nothing to change, and the conversion moves chatopt's own configuration to the new parent.
\set file convert_chat
\ir setup.psql
SELECT plan(35);

SELECT test.build('plain') \g /dev/null
SELECT chatopt.track_reads('messages') \g /dev/null
INSERT INTO conversations (id) VALUES (1), (2), (3);
INSERT INTO members (conversation_id, user_id) VALUES (1, 1), (1, 2), (2, 1), (3, 3);
INSERT INTO messages (id, conversation_id, sender_id, body, created_at) SELECT i, 1 + i % 3, 1 + i % 2, 'text', '2026-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 300) AS i;
UPDATE messages SET deleted_at = '2026-01-16' WHERE id % 10 = 0;
SELECT test.exact('before');
SELECT chatopt.mark_read('messages', 1, 2, 40) \g /dev/null
CREATE TABLE test.before AS SELECT * FROM messages;
CREATE TABLE test.unread AS SELECT * FROM chatopt.unread_counts('messages', 2);

CALL chatopt.convert('messages', 'created_at', primary_key => 'extend', boundary => '2100-01-01');
SELECT is((SELECT relkind::text FROM pg_class WHERE oid = 'messages'::regclass), 'p', 'the messages are partitioned');
SELECT set_eq('SELECT * FROM messages', 'SELECT * FROM test.before', 'every message is there, once, with its number');
SELECT is((SELECT messages::text FROM chatopt.chats), 'messages', 'the chat is the new table''s');
SELECT is((SELECT messages::text FROM chatopt.reads), 'messages', 'its reads too');
SELECT test.exact('after');
SELECT is_empty($$ SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => $c$deleted_at IS NULL AND type <> 'join'$c$, member_counted => 'left_at IS NULL') $$, 'attach finds nothing to change');
SELECT is_empty($$ SELECT chatopt.track_reads('messages') $$, 'track_reads neither');
SELECT set_eq($$ SELECT * FROM chatopt.unread_counts('messages', 2) $$, 'SELECT * FROM test.unread', 'unread counts are the same');
SELECT is_empty($$ SELECT 1 FROM pg_index WHERE indrelid = 'messages_before_2100_01'::regclass AND indisunique AND NOT indisprimary $$, 'the unique index on (conversation, number) is replaced by a plain one');

-- it goes on, in the old partition and in the new one
INSERT INTO messages (id, conversation_id, sender_id, body) VALUES (1001, 1, 1, 'old month');
INSERT INTO messages (id, conversation_id, sender_id, body, created_at) VALUES (1002, 1, 1, 'new month', '2100-01-02'), (1003, 2, 1, 'new month', '2100-01-02');
SELECT is((SELECT string_agg(id || ':' || sequence_number || ' in ' || tableoid::regclass, ', ' ORDER BY id) FROM messages WHERE id > 1000),
  '1001:101 in messages_before_2100_01, 1002:102 in messages_2100_01, 1003:101 in messages_2100_01', 'numbers go on through partitions');
SELECT test.exact('sent after');
UPDATE messages SET deleted_at = '2026-02-01' WHERE id IN (1001, 1002);
UPDATE messages SET created_at = '2100-01-03' WHERE id = 5;
DELETE FROM messages WHERE id = 1003;
SELECT test.exact('deleted, moved between partitions');
INSERT INTO messages_before_2100_01 (id, conversation_id, sender_id, body) VALUES (1004, 3, 3, 'by the partition''s name');
INSERT INTO messages_2100_01 (id, conversation_id, sender_id, body, created_at) VALUES (1005, 3, 3, 'by the partition''s name', '2100-01-05');
SELECT test.exact('sent to partitions by their names');
TRUNCATE messages_2100_01;
SELECT test.exact('the new partition emptied');
TRUNCATE messages_before_2100_01;
SELECT test.exact('the old one too');
SELECT is((SELECT message_count::int FROM counts WHERE conversation_id = 1), 0, 'nothing is left');
INSERT INTO messages (id, conversation_id, body) VALUES (2000, 1, 'on');
SELECT test.exact('and on');

-- counters apart, and a chat whose foreign key chatopt's own check replaces
SELECT test.build('apart') \g /dev/null
INSERT INTO conversations (id) VALUES (1), (2);
INSERT INTO messages (id, conversation_id, body, created_at) SELECT i, 1 + i % 2, 'text', '2026-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 20) AS i;
CALL chatopt.convert('messages', 'created_at', primary_key => 'extend', boundary => '2100-01-01');
INSERT INTO messages (id, conversation_id, body, created_at) VALUES (100, 1, 'x', '2100-01-05');
SELECT test.exact('counters apart');
CREATE SCHEMA checked;
SET search_path = checked, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations ON DELETE CASCADE, created_at timestamptz NOT NULL DEFAULT '2026-01-15');
SELECT chatopt.attach('conversations', 'messages', enforce_conversation => true) \g /dev/null
INSERT INTO conversations (id) VALUES (1), (2);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 2);
CALL chatopt.convert('messages', 'created_at', primary_key => 'extend', boundary => '2100-01-01');
INSERT INTO messages (id, conversation_id, created_at) VALUES (3, 1, '2100-01-02');
SELECT test.exact('checked by chatopt', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');
SELECT is(test.attempt('INSERT INTO messages (id, conversation_id) VALUES (4, 9)'), '23503', 'unknown conversations are refused');
DELETE FROM conversations WHERE id = 1;
SELECT is((SELECT array_agg(id)::text FROM messages), '{2}', 'messages go with their conversation');

-- chats that are not ready
CREATE SCHEMA unready;
SET search_path = unready, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz NOT NULL DEFAULT '2026-01-15');
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1);
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT is(message, 'the chat of table unready.messages is filling', 'a chat that is filling has to be filled first') FROM test.complaint($$ SELECT chatopt.convert_plan('messages', 'created_at') $$);
SELECT is(message, 'table unready.conversations belongs to the chat of table unready.messages', 'other tables of a chat are not converted') FROM test.complaint($$ SELECT chatopt.convert_plan('conversations', 'id') $$);
CALL chatopt.backfill('messages');
SELECT chatopt.disable('messages') \g /dev/null
SELECT is(hint, 'SELECT chatopt.enable(''unready.messages'');', 'a disabled one enabled') FROM test.complaint($$ SELECT chatopt.convert_plan('messages', 'created_at') $$);
\ir teardown.psql
