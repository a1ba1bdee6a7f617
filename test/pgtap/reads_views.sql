-- add_views and view_count: counted exactly, refused as promised, gone with what they are of.
\set file reads_views
\ir setup.psql
\ir reads.psql
SELECT no_plan();
CREATE SCHEMA chat;
SET search_path = chat, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations ON DELETE CASCADE, sender_id int);
CREATE TABLE members (conversation_id int, user_id int, PRIMARY KEY (conversation_id, user_id));
SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT count(*) FROM chatopt.track_reads('messages') \g /dev/null
SELECT is((SELECT views FROM chatopt.reads), NULL, test.says('views are not counted unless asked for'));
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, 1) $$, '55000', 'add_views without a table');
SELECT test.refused($$ SELECT chatopt.view_count('messages', 1, 1) $$, '55000', 'view_count without a table');
CREATE ROLE chatopt_views_app;
GRANT USAGE ON SCHEMA chat TO chatopt_views_app;
GRANT SELECT, INSERT ON messages TO chatopt_views_app;
SELECT ok(count(*) > 3, test.says('track_reads makes the table')) FROM chatopt.track_reads('messages', views => true);
SELECT is(count(*)::int, 0, test.says('and finds it made')) FROM chatopt.track_reads('messages', views => true);
SELECT is((SELECT views::text FROM chatopt.reads), 'messages_views', test.says('the view chatopt.reads names it'));
SELECT col_is_pk('chat', 'messages_views', ARRAY['conversation_id', 'seq', 'slot'], test.says('its key'));
SELECT is((SELECT reloptions::text FROM pg_class WHERE relname = 'messages_views'), '{fillfactor=50}', test.says('with room for versions'));

INSERT INTO conversations SELECT generate_series(1, 3);
INSERT INTO messages SELECT n, 1 + n % 2, 1 FROM generate_series(1, 3000) n;
-- counts(1, 1, 4): the views of messages 1 to 4
CREATE FUNCTION chat.counted(conversation int, first int, last int) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(chatopt.view_count('messages', $1, n)::text, ' ' ORDER BY n) FROM generate_series($2, $3) n $$;

SELECT is(chat.counted(1, 1, 3), '0 0 0', test.says('nothing was viewed'));
SELECT is(chatopt.add_views('messages', 1, 1, 2)::text, '', test.says('add_views gives nothing'));
SELECT chatopt.add_views('messages', 1, 2, 3, 10), chatopt.add_views('messages', '1', 2, 2), chatopt.add_views('messages', 1::bigint, 2, 2, by => 100) \g /dev/null
SELECT is(chat.counted(1, 1, 4), '1 112 10 0', test.says('counted, several times in a statement'));
SELECT is(chatopt.view_count('messages', '1', 2) || ' ' || chatopt.view_count('messages', 2, 2), '112 0', test.says('by conversation'));
SELECT is((SELECT count(*)::int FROM messages_views), 3, test.says('one session has one row a message'));
SELECT chatopt.add_views('messages', 1, -5, 1), chatopt.add_views('messages', 1, 1500, 2400), chatopt.add_views('messages', 1, 3, 2), chatopt.add_views('messages', 77, 1, 2),
  chatopt.add_views('messages', NULL::int, 1, 2) \g /dev/null
SELECT is(chat.counted(1, -1, 1) || ' ' || chat.counted(1, 1499, 1502), '0 0 2 0 1 0 0', test.says('numbers that are no message''s are passed over'));
SELECT is(chatopt.view_count('messages', 99, 1), 0::bigint, test.says('an unknown conversation'));
SELECT is(chatopt.view_count('messages', 1, NULL), NULL::bigint, test.says('an unknown number'));
SELECT chatopt.add_views('messages', 1, 501, 1500) \g /dev/null
SELECT is(chat.counted(1, 500, 502), '0 1 1', test.says('a thousand messages'));

SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, 1001) $$, '54000', 'more than a thousand messages');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, -9223372036854775808, 9223372036854775807) $$, '54000', 'all numbers that there are');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, 1, 0) $$, '22023', 'by nothing');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, 1, -1) $$, '22023', 'by less');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, 1, NULL) $$, '22004', 'by NULL');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, NULL, 1) $$, '22004', 'from NULL');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 1, 1, NULL) $$, '22004', 'to NULL');
SELECT test.refused($$ SELECT chatopt.add_views(NULL, 1, 1, 1) $$, '22004', 'no table');
SELECT test.refused($$ SELECT chatopt.add_views('messages', 'one', 1, 1) $$, '22P02', 'a malformed conversation');
SELECT test.refused($$ UPDATE messages_views SET views = 9223372036854775807 WHERE seq = 1; SELECT chatopt.add_views('messages', 1, 1, 1) $$, '22003', 'more views than can be');

-- rights
SELECT test.refused($$ SELECT chatopt.add_views('chat.messages', 1, 1, 1) $$, '42501', 'add_views without rights', 'chatopt_views_app');
SELECT test.refused($$ SELECT chatopt.view_count('chat.messages', 1, 1) $$, '42501', 'view_count without rights', 'chatopt_views_app');
GRANT INSERT ON messages_views TO chatopt_views_app;
SELECT test.refused($$ SELECT chatopt.add_views('chat.messages', 1, 1, 1) $$, '42501', 'add_views with INSERT alone', 'chatopt_views_app');
GRANT UPDATE ON messages_views TO chatopt_views_app;
SELECT test.accepted($$ SELECT chatopt.add_views('chat.messages', 1, 1, 1) $$, 'add_views with INSERT and UPDATE', 'chatopt_views_app');
SELECT test.refused($$ SELECT chatopt.view_count('chat.messages', 1, 1) $$, '42501', 'view_count without SELECT', 'chatopt_views_app');
SELECT test.refused($$ SELECT chatopt.save_views('chat.messages', NULL) $$, '42501', 'save_views is the owner''s', 'chatopt_views_app');
SELECT test.refused($$ SELECT chatopt.save_views('messages', 'messages_skipped_numbers') $$, '55006', 'save_views takes no table of another use');
SELECT is(chatopt.view_count('messages', 1, 1), 3::bigint, test.says('what was refused was not counted'));

-- with rollbacks
BEGIN;
SELECT chatopt.add_views('messages', 1, 1, 1, 5) \g /dev/null
SAVEPOINT s;
SELECT chatopt.add_views('messages', 1, 1, 4, 50) \g /dev/null
ROLLBACK TO s;
SELECT chatopt.add_views('messages', 1, 4, 4, 7) \g /dev/null
COMMIT;
SELECT is(chat.counted(1, 1, 4), '8 112 10 7', test.says('a savepoint takes its views back'));

-- with conversations
SELECT chatopt.add_views('messages', 2, 1, 10) \g /dev/null
DELETE FROM conversations WHERE id = 1;
SELECT is((SELECT string_agg(DISTINCT conversation_id::text, ' ') FROM messages_views), '2', test.says('views go with the conversation'));
ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_fkey;
UPDATE conversations SET id = 9 WHERE id = 2;
SELECT is((SELECT string_agg(DISTINCT conversation_id::text, ' ') FROM messages_views), '9', test.says('and get its new key'));
TRUNCATE conversations, messages, members;
SELECT is((SELECT count(*)::int FROM messages_views), 0, test.says('and go with all conversations'));

-- with the table
INSERT INTO conversations VALUES (4);
INSERT INTO messages VALUES (1, 4, 1);
SELECT chatopt.add_views('messages', 4, 1, 1) \g /dev/null
SELECT count(*) FROM chatopt.track_reads('messages') \g /dev/null
SELECT test.refused($$ SELECT chatopt.add_views('messages', 4, 1, 1) $$, '55000', 'no more counted');
SELECT is((SELECT count(*)::int FROM messages_views), 1, test.says('the table stays'));
SELECT count(*) FROM chatopt.track_reads('messages', views => true) \g /dev/null
SELECT is(chatopt.view_count('messages', 4, 1), 1::bigint, test.says('and is taken up again'));
SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT is(chatopt.view_count('messages', 4, 1), 1::bigint, test.says('attach leaves it'));
SELECT count(*) FROM chatopt.untrack_reads('messages', drop_tables => true) \g /dev/null
SELECT hasnt_table('chat', 'messages_views', test.says('untrack_reads drops it'));
DROP OWNED BY chatopt_views_app;
DROP ROLE chatopt_views_app;
\ir teardown.psql
