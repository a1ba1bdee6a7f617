-- backfill: old rows by (time, key), oldest first, in batches that commit (R7);
-- until then a conversation gives no numbers.
\set file filling
\ir setup.psql
SELECT plan(98);

\set layout plain
\ir forms/filling.psql
\set layout partitioned
\ir forms/filling.psql
\set layout apart
\ir forms/filling.psql
\set layout enforced
\ir forms/filling.psql

-- without a time column the key decides; orphans stay without a number (R42)
CREATE SCHEMA timeless;
SET search_path = timeless, test, tap, public;
CREATE TABLE conversations (id text PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id text);
INSERT INTO conversations VALUES ('a'), ('b');
INSERT INTO messages VALUES (5, 'a'), (3, 'a'), (4, 'b'), (1, 'nowhere'), (2, NULL);
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
CALL chatopt.backfill('messages');
SELECT is((SELECT string_agg(id || ':' || coalesce(sequence_number::text, '-'), ' ' ORDER BY id) FROM messages), '1:- 2:- 3:1 4:1 5:2', test.says('by key where there is no time; orphans without a number'));
SELECT is((SELECT string_agg(conversation, ' ') FROM chatopt.verify('messages')), 'nowhere', test.says('verify lists the orphans (R42)'));
INSERT INTO conversations VALUES ('nowhere');
CALL chatopt.repair('messages');
SELECT test.exact('an orphan whose conversation came', 'messages', '{"conversations": "conversations", "messages": "messages", "time": null, "member_count": null, "last_message_at": null}');

-- an error stops it: the session is idle, what was committed stays, and it can be called again
CREATE SCHEMA stopped;
SET search_path = stopped, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int, sequence_number int, created_at timestamptz);
INSERT INTO conversations VALUES (1), (2), (3);
INSERT INTO messages VALUES (1, 1, NULL, '2026-01-01'), (2, 1, NULL, '2026-01-02'), (3, 2, 2147483646, '2026-01-01'), (4, 2, NULL, '2026-01-02'), (5, 2, NULL, '2026-01-03'), (6, 3, NULL, '2026-01-01');
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
\set idle_then 0
\set idle 0
\set ON_ERROR_STOP 0
\set VERBOSITY terse
CALL chatopt.backfill('messages');
\set failed_in_last_batch :LAST_ERROR_SQLSTATE
SELECT 1 AS idle_then \gset
CALL chatopt.backfill('messages', 1);
\set failed :LAST_ERROR_SQLSTATE
SELECT 1 AS idle \gset
\set VERBOSITY default
\set ON_ERROR_STOP 1
SELECT is(:'failed_in_last_batch'::text || :'idle_then', '220031', test.says('a number that does not fit stops the last batch of a conversation, and leaves the session idle'));
SELECT is(:'failed'::text, '22003', test.says('a number that does not fit stops backfill'));
SELECT is(:'idle'::text, '1', test.says('and leaves the session idle'));
SELECT is((SELECT state FROM chatopt.chats WHERE messages::regclass = 'messages'::regclass), 'filling', test.says('the state is still filling'));
DELETE FROM messages WHERE id IN (3, 4);
CALL chatopt.backfill('messages', 1);
SELECT test.exact('stopped, and called again', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');

-- constraints and generated columns of messages that use the number: as an UPDATE would, with all its checks
CREATE SCHEMA checked;
SET search_path = checked, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int, created_at timestamptz, sequence_number bigint,
  place bigint GENERATED ALWAYS AS (sequence_number * 10) STORED, CONSTRAINT up_to_two CHECK (sequence_number <= 2));
INSERT INTO conversations VALUES (1);
INSERT INTO messages SELECT i, 1, '2026-01-01' FROM generate_series(1, 3) AS i;
ALTER TABLE messages ADD CONSTRAINT not_for_old_rows CHECK (created_at > '2026-06-01') NOT VALID;
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
\set ON_ERROR_STOP 0
\set VERBOSITY terse
CALL chatopt.backfill('messages');
\set failed :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set ON_ERROR_STOP 1
SELECT is(:'failed'::text, '23514', test.says('a number that a CHECK refuses stops backfill'));
SELECT is((SELECT count(sequence_number) FROM messages)::text, '0', test.says('and leaves the conversation as it was'));
ALTER TABLE messages DROP CONSTRAINT up_to_two;
CALL chatopt.backfill('messages');
SELECT is((SELECT string_agg(sequence_number || ':' || place, ' ' ORDER BY id) FROM messages), '1:10 2:20 3:30', test.says('generated columns follow the number'));

-- more than 100,000 rows: attach builds no index, backfill wants it, attach adopts it (R8)
CREATE SCHEMA large;
SET search_path = large, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations, created_at timestamptz);
INSERT INTO conversations SELECT generate_series(1, 100);
INSERT INTO messages SELECT i, 1 + i % 100, '2026-01-01' FROM generate_series(1, 100001) i;
ANALYZE messages;
CREATE TEMP TABLE plan_of_attach AS SELECT * FROM chatopt.attach('conversations', 'messages') AS p(statement);
SELECT is((SELECT count(*) FROM plan_of_attach WHERE statement ~ 'CREATE UNIQUE INDEX CONCURRENTLY')::text, '1', test.says('attach returns the statement for the index'));
SELECT is((SELECT state FROM chatopt.chats WHERE messages::regclass = 'messages'::regclass), 'index missing', test.says('the state says that the index is missing'));
SELECT is((test.complaint($$ CALL chatopt.backfill('messages') $$)).state, '25001', test.says('backfill in a function is refused first'));
\set ON_ERROR_STOP 0
\set VERBOSITY terse
CALL chatopt.backfill('messages');
\set failed :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set ON_ERROR_STOP 1
SELECT is(:'failed'::text, '55000', test.says('backfill without the index is refused'));
SELECT regexp_replace(substring(statement from 'CREATE UNIQUE INDEX CONCURRENTLY[^;]*'), '\s+$', '') AS statement FROM plan_of_attach WHERE statement ~ 'CREATE UNIQUE INDEX CONCURRENTLY' \gexec
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT is((SELECT state FROM chatopt.chats WHERE messages::regclass = 'messages'::regclass), 'filling', test.says('attach adopts the index'));
CALL chatopt.backfill('messages', 5000);
SELECT is((SELECT state FROM chatopt.chats WHERE messages::regclass = 'messages'::regclass), 'attached', test.says('filled'));
SELECT test.exact('100,001 messages', 'messages', '{"conversations": "conversations", "messages": "messages", "member_count": null}');
SELECT is_empty($$ SELECT chatopt.attach('conversations', 'messages') $$, test.says('attach has nothing left to do'));

\ir teardown.psql
