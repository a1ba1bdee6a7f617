-- The tour of README.md and the errors a newcomer meets first: their exact text.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
CREATE EXTENSION chatopt;
CREATE SCHEMA tour;
SET search_path = tour;
CREATE TABLE conversations (id bigint PRIMARY KEY, title text NOT NULL);
CREATE TABLE members (conversation_id bigint REFERENCES conversations ON DELETE CASCADE, user_id int, left_at timestamptz,
    PRIMARY KEY (conversation_id, user_id));
CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE, body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00', deleted_at timestamptz);
CREATE VIEW shown AS SELECT * FROM messages;
CREATE TABLE lonely (id int);

-- Not yet attached, and what cannot be.
SELECT * FROM chatopt.verify('messages');
CALL chatopt.backfill('messages');
SELECT chatopt.detach('messages');
SELECT chatopt.attach('conversations', 'shown');
SELECT chatopt.attach('conversations', 'lonely');
SELECT chatopt.attach('conversations', 'messages', sequence_column => 'body');
SELECT chatopt.attach('conversations', 'messages', message_counted => 'no_such_column IS NULL');

-- A chat that is in use.
INSERT INTO conversations VALUES (1, 'one'), (2, 'two');
INSERT INTO messages (conversation_id, body) VALUES (1, 'before'), (2, 'before'), (1, 'before too');
INSERT INTO members VALUES (1, 10), (1, 11), (2, 10);
SELECT count(*) > 0 AS statements FROM chatopt.attach('conversations', 'messages', 'members',
    message_counted => 'deleted_at IS NULL', member_counted => 'left_at IS NULL');
INSERT INTO messages (conversation_id, body) VALUES (1, 'meanwhile') RETURNING sequence_number;
CALL chatopt.backfill('messages');
INSERT INTO messages (conversation_id, body) VALUES (1, 'hello'), (2, 'hello'), (1, 'bye') RETURNING conversation_id, sequence_number;
SELECT id, last_sequence_number, message_count, member_count, last_message_id, last_message_at FROM conversations ORDER BY id;
UPDATE messages SET deleted_at = created_at WHERE conversation_id = 1 AND sequence_number = 5;
DELETE FROM messages WHERE conversation_id = 2 AND sequence_number = 1;
UPDATE members SET left_at = '2026-02-01 00:00:00+00' WHERE user_id = 11;
SELECT id, last_sequence_number, message_count, member_count, last_message_id FROM conversations ORDER BY id;
SELECT * FROM chatopt.verify('messages');

-- What is refused: an unknown conversation, a number of one's own, another number, a procedure in a transaction block.
INSERT INTO messages (conversation_id, body) VALUES (3, 'nowhere');
INSERT INTO messages (conversation_id, body, sequence_number) VALUES (1, 'first', 1);
UPDATE messages SET sequence_number = 100 WHERE conversation_id = 1 AND sequence_number = 1;
BEGIN;
CALL chatopt.repair('messages');
ROLLBACK;
-- What is ignored, or refused when asked for: a counter that the application writes.
UPDATE conversations SET title = 'renamed', message_count = 99 WHERE id = 1 RETURNING title, message_count;
SET chatopt.counter_writes = error;
UPDATE conversations SET message_count = 99 WHERE id = 1;
RESET chatopt.counter_writes;

SELECT count(*) > 0 AS statements FROM chatopt.detach('messages', drop_columns => true);
\d messages
\d conversations
RESET search_path;
DROP SCHEMA tour CASCADE;
DROP EXTENSION chatopt;
