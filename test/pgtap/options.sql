-- The options of attach: columns that are there already, counters left out or
-- renamed, differences applied to an attached chat.
\set file options
\ir setup.psql
SELECT plan(39);

-- no members, no time, counters left out
CREATE SCHEMA lean;
SET search_path = lean, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY, title text);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, body text);
SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": null, "last_message_id": null}') \g /dev/null
SELECT columns_are('lean', 'conversations', ARRAY['id', 'title', 'last_sequence_number'], test.says('without members, without time, the rest left out: one counter'));
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1);
DELETE FROM messages WHERE id = 2;
SELECT test.exact('one counter', 'messages', '{"conversations": "conversations", "messages": "messages", "time": null, "member_count": null, "message_count": null, "last_message_id": null, "last_message_at": null}');
SELECT is((SELECT last_sequence_number FROM conversations)::text, '2', test.says('and it is right'));
-- a difference is applied: one more counter, filled from what there is
SELECT isnt_empty($$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": "messages", "last_message_id": null}') $$, test.says('attach applies the difference'));
CALL chatopt.backfill('messages');
CALL chatopt.repair('messages');
SELECT is((SELECT messages FROM conversations)::text, '1', test.says('the new counter is filled'));
INSERT INTO messages (id, conversation_id) VALUES (3, 1);
SELECT test.exact('two counters', 'messages', '{"conversations": "conversations", "messages": "messages", "time": null, "member_count": null, "message_count": "messages", "last_message_id": null, "last_message_at": null}');
SELECT is_empty($$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": "messages", "last_message_id": null}') $$, test.says('attach once more changes nothing'));

-- members come later, and a condition
CREATE TABLE members (conversation_id int REFERENCES conversations, user_id int, left_at date, PRIMARY KEY (conversation_id, user_id));
INSERT INTO members VALUES (1, 1, NULL), (1, 2, '2026-01-01');
SELECT isnt_empty($$ SELECT chatopt.attach('conversations', 'messages', 'members', counter_columns => '{"message_count": "messages", "last_message_id": null}', member_counted => 'left_at IS NULL',
  message_counted => $c$body IS DISTINCT FROM 'joined'$c$) $$, test.says('members and conditions added'));
CALL chatopt.backfill('messages');
CALL chatopt.repair('messages');
INSERT INTO messages (id, conversation_id, body) VALUES (4, 1, 'joined'), (5, 1, 'x');
INSERT INTO members VALUES (1, 3, NULL), (1, 4, '2026-01-01');
SELECT test.exact('with members and conditions', 'messages', '{"conversations": "conversations", "messages": "messages", "members": "members", "time": null, "message_count": "messages", "last_message_id": null, "last_message_at": null,
  "counted": "m.body IS DISTINCT FROM ''joined''", "member_counted": "m.left_at IS NULL"}');
SELECT is((SELECT member_count FROM conversations)::text, '2', test.says('two members'));
SELECT chatopt.detach('messages', drop_columns => true) \g /dev/null
SELECT columns_are('lean', 'conversations', ARRAY['id', 'title'], test.says('detach drops what attach and attach again made'));
SELECT columns_are('lean', 'messages', ARRAY['id', 'conversation_id', 'body'], test.says('on messages too'));

-- columns that are there: adopted, with their values where these are right
CREATE SCHEMA adopted;
SET search_path = adopted, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY, last_sequence_number bigint, total int NOT NULL DEFAULT 0, member_count bigint NOT NULL DEFAULT 0, last_message_id bigint, last_message_at timestamptz);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, seq int, created_at timestamptz DEFAULT '2026-01-15');
INSERT INTO conversations VALUES (1, 3, 2, 0, 103, '2026-01-15'), (2, NULL, 7, 9, 5, NULL);
INSERT INTO messages VALUES (101, 1, 1), (103, 1, 3), (201, 2, NULL), (202, 2, NULL);
SELECT test.snapshot('adopted') AS before \gset
SELECT chatopt.attach('conversations', 'messages', sequence_column => 'seq', counter_columns => '{"message_count": "total"}') \g /dev/null
SELECT is_empty($$ SELECT chatopt.attach('conversations', 'messages', sequence_column => 'seq', counter_columns => '{"message_count": "total"}') $$, test.says('attach twice'));
CALL chatopt.backfill('messages');
CALL chatopt.repair('messages');
SELECT test.exact('columns adopted', 'messages', '{"conversations": "conversations", "messages": "messages", "number": "seq", "message_count": "total", "member_count": null}');
SELECT is((SELECT string_agg(id || ':' || seq, ' ' ORDER BY id) FROM messages), '101:1 103:3 201:1 202:2', test.says('numbers that were there stay'));
INSERT INTO conversations (id) VALUES (3);
INSERT INTO messages (id, conversation_id) VALUES (104, 1), (203, 2), (301, 3);
SELECT is((SELECT string_agg(id || ':' || seq, ' ' ORDER BY id) FROM messages), '101:1 103:3 104:4 201:1 202:2 203:3 301:1', test.says('and go on'));
SELECT test.exact('sends into adopted columns', 'messages', '{"conversations": "conversations", "messages": "messages", "number": "seq", "message_count": "total", "member_count": null}');
SELECT chatopt.detach('messages', drop_columns => true) \g /dev/null
SELECT test.same(:'before', test.snapshot('adopted'), 'adopted columns are never dropped (R46)');

-- a number column with a default: dropped, shown, put back (R43)
CREATE SCHEMA defaulted;
SET search_path = defaulted, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY, last_sequence_number bigint DEFAULT 5, message_count bigint DEFAULT 7);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, sequence_number bigint DEFAULT 0, created_at timestamptz DEFAULT '2026-01-15');
SELECT test.snapshot('defaulted') AS before \gset
SELECT test.complaint($$ SELECT chatopt.attach('conversations', 'messages') $$) \g /dev/null
SELECT count(*) AS attached FROM chatopt.chats \gset
SELECT matches(:'attached'::text, '^[01]$', test.says('a number column with a default: refused, or its default is dropped (R43)'));
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1);
SELECT CASE WHEN :'attached' = '1' THEN (SELECT string_agg(sequence_number::text, ' ' ORDER BY id) FROM messages) ELSE '1 2' END AS numbers \gset
SELECT is(:'numbers'::text, '1 2', test.says('and then messages are numbered'));
SELECT CASE WHEN :'attached' = '1' THEN 'SELECT chatopt.detach(''messages'', drop_columns => true)' ELSE 'SELECT' END AS leave \gset
:leave \g /dev/null
SELECT test.same(:'before', test.snapshot('defaulted'), 'detach puts defaults back (R43)');

-- a unique index that is there is adopted (R8)
CREATE SCHEMA indexed;
SET search_path = indexed, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, sequence_number bigint, created_at timestamptz DEFAULT '2026-01-15');
CREATE UNIQUE INDEX mine ON messages (conversation_id, sequence_number);
SELECT test.snapshot('indexed') AS before \gset
SELECT is((SELECT count(*) FROM chatopt.attach('conversations', 'messages') s WHERE s ~* 'CREATE (UNIQUE )?INDEX')::text, '0', test.says('the index that is there is adopted (R8)'));
SELECT chatopt.detach('messages', drop_columns => true) \g /dev/null
SELECT test.same(:'before', test.snapshot('indexed'), 'and stays after detach');

-- the users' triggers on conversations do not see the counters' writes (R12)
CREATE SCHEMA touched;
SET search_path = touched, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY, updates int NOT NULL DEFAULT 0);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT '2026-01-15');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updates := OLD.updates + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON conversations FOR EACH ROW EXECUTE FUNCTION touch();
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1);
SELECT is((SELECT updates FROM conversations)::text, '0', test.says('the write of a counter fires no trigger (R12)'));
SELECT is((SELECT last_sequence_number FROM conversations)::text, '2', test.says('and counts'));
UPDATE conversations SET id = 1;
SELECT is((SELECT updates FROM conversations)::text, '1', test.says('an update does'));

-- two chats on one database, one with the members of the other; two chats on one conversations table
CREATE SCHEMA second;
SET search_path = second, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT '2026-01-15');
CREATE TABLE comments (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT '2026-01-15');
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT (test.complaint($$ SELECT chatopt.attach('conversations', 'comments') $$)).state AS state \gset
SELECT isnt(:'state'::text, 'done', test.says('the same counters cannot serve two tables of messages'));
INSERT INTO conversations (id) VALUES (1);
INSERT INTO messages (id, conversation_id) VALUES (1, 1);
SELECT test.exact('after the refused second chat', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');
-- a dropped chat is forgotten, and the same tables can be attached again
DROP TABLE messages;
SELECT is((SELECT count(*) FROM chatopt.chats WHERE conversations::regclass = 'second.conversations'::regclass)::text, '0', test.says('a chat whose messages were dropped is not in the view'));
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz DEFAULT '2026-01-15');
SELECT test.accepted($$ SELECT chatopt.attach('conversations', 'messages') $$, 'a new table of messages');
CALL chatopt.backfill('messages');
SELECT test.accepted($$ INSERT INTO messages (id, conversation_id) VALUES (1, 1) $$, 'and a send');
CALL chatopt.repair('messages');
SELECT test.exact('a new table of messages', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');

\ir teardown.psql
