-- The first thing that a session does: nothing is at hand then.
\set file reads_sessions
\ir setup.psql
CREATE TABLE found (what text, value text);
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations, sender_id int);
CREATE TABLE members (conversation_id int REFERENCES conversations, user_id int, PRIMARY KEY (conversation_id, user_id));
CREATE TABLE mentions (message_id int REFERENCES messages ON DELETE CASCADE, user_id int);
SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT count(*) FROM chatopt.track_reads('messages', mentions => 'mentions') \g /dev/null
INSERT INTO conversations VALUES (1);
INSERT INTO members SELECT 1, u FROM generate_series(1, 3) u;
INSERT INTO messages SELECT n, 1, 1 FROM generate_series(1, 3) n;
\connect
UPDATE members_read_state SET read_seq = 2 WHERE member_id = 2;
INSERT INTO public.found VALUES ('an UPDATE of a position', chatopt.unread_count('public.messages', 1, 2));
\connect
INSERT INTO public.mentions VALUES (3, 2), (1, 3);
INSERT INTO public.found VALUES ('a mention', chatopt.mention_count('public.messages', 1, 2));
\connect
DELETE FROM public.mentions WHERE message_id = 3;
INSERT INTO public.found VALUES ('a mention less', chatopt.mention_count('public.messages', 1, 2));
\connect
INSERT INTO public.found SELECT 'unread_mentions', m::text FROM chatopt.unread_mentions('public.messages', 1, 3) m;
\connect
TRUNCATE public.mentions;
SET search_path = public, test, tap;
SELECT no_plan();
SELECT results_eq('SELECT what, value FROM found', $$ VALUES ('an UPDATE of a position', '1'), ('a mention', '1'), ('a mention less', '0'), ('unread_mentions', '1') $$, 'each first in its session');
SELECT is((SELECT count(*)::int FROM messages_mentioned), 0, 'TRUNCATE of mentions');
SELECT is_empty($$ SELECT * FROM chatopt.verify('messages') $$, 'exact');
\ir teardown.psql
