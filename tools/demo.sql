-- What quickstart shows, on the chat that tools/load_irc loaded into schema demo. Run by psql -X -q.
\set ON_ERROR_STOP 1
\pset null '-'
\pset footer off
SET client_min_messages = notice;
CREATE EXTENSION IF NOT EXISTS chatopt;

\echo
\echo '== The chat as its application made it'
SELECT (SELECT count(*) FROM demo.conversations) AS conversations, (SELECT count(*) FROM demo.members) AS members,
       (SELECT count(*) FROM demo.messages) AS messages, (SELECT count(reply_to_id) FROM demo.messages) AS replies;
SELECT conversation_id AS busiest FROM demo.messages GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 \gset
SELECT sender_id AS sender FROM demo.messages WHERE conversation_id = :busiest AND sender_id IS NOT NULL ORDER BY id LIMIT 1 \gset

\echo '== A send before: numbered by counting, as many applications do'
\set send_before 'INSERT INTO demo.messages (conversation_id, sender_id, body) SELECT ' :busiest ', ' :sender ', ''message no. '' || count(*) + 1 FROM demo.messages WHERE conversation_id = ' :busiest
\echo :send_before
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, BUFFERS OFF) :send_before;

\echo
\echo '== attach: the statements it ran (cut at 150 characters; dry_run => true only shows them)'
\pset tuples_only on
\pset format unaligned
\set attach 'SELECT chatopt.attach(''demo.conversations'', ''demo.messages'', ''demo.members'', message_counted => $$kind <> ''system''$$, member_counted => ''left_at IS NULL'') AS statement'
\echo :attach
CREATE TEMP TABLE ran AS :attach;
SELECT left(line, 150) || CASE WHEN length(line) > 150 THEN '...' ELSE '' END FROM ran, regexp_split_to_table(statement, E'\n') AS line;
-- On a table of more than 100,000 rows the unique index is left to be built without blocking anybody.
SELECT statement FROM ran WHERE statement ~ 'INDEX CONCURRENTLY' \gexec
SELECT count(*) > 0 AS again FROM ran WHERE statement ~ 'INDEX CONCURRENTLY' \gset
\if :again
\echo
\echo '== the index is built, attach adopts it'
SELECT left(statement, 150) FROM (:attach) AS again;
\endif
\pset format aligned
\pset tuples_only off

\echo '== backfill: existing messages get their numbers, in committed batches'
\timing on
CALL chatopt.backfill('demo.messages');
\timing off

\echo
\echo '== The counters of some conversations'
SELECT id, title, last_sequence_number AS last_number, message_count, member_count, last_message_id, last_message_at
FROM demo.conversations ORDER BY message_count DESC, id LIMIT 5;

\echo '== A send after: no counting, and the counters are exact at once'
\set send_after 'INSERT INTO demo.messages (conversation_id, sender_id, body) VALUES (' :busiest ', ' :sender ', ''hello'')'
\echo :send_after
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, BUFFERS OFF) :send_after;
:send_after RETURNING id, conversation_id, sequence_number, body;
SELECT id, last_sequence_number AS last_number, message_count, member_count, last_message_id
FROM demo.conversations WHERE id = :busiest;

\echo '== One statement, one write of the counters; rolled back means never happened'
\echo 2,000 messages in one INSERT
\timing on
INSERT INTO demo.messages (conversation_id, sender_id, body) SELECT :busiest, :sender, 'message ' || n FROM generate_series(1, 2000) n;
\timing off
BEGIN;
\echo 2,000 more, rolled back
\timing on
INSERT INTO demo.messages (conversation_id, sender_id, body) SELECT :busiest, :sender, 'never sent ' || n FROM generate_series(1, 2000) n;
\timing off
ROLLBACK;
\echo 1,111 of the first 2,000 deleted
\timing on
DELETE FROM demo.messages WHERE conversation_id = :busiest AND body LIKE 'message 1%';
\timing off
SELECT id, last_sequence_number AS last_number, message_count, member_count, last_message_id
FROM demo.conversations WHERE id = :busiest;

\echo '== track_reads: who has read how far; what is there already counts as read'
SELECT count(*) || ' statements' AS track_reads FROM chatopt.track_reads('demo.messages');
CALL chatopt.backfill('demo.messages');
SELECT id AS reader FROM demo.users WHERE id <> :sender ORDER BY id LIMIT 1 \gset
INSERT INTO demo.members (conversation_id, user_id) VALUES (:busiest, :reader) ON CONFLICT (conversation_id, user_id) DO UPDATE SET left_at = NULL;
\echo 'Ten messages come, a system message too, and two of the ten are deleted: 8 unread, told without looking at messages'
INSERT INTO demo.messages (conversation_id, sender_id, body) SELECT :busiest, :sender, 'news ' || n FROM generate_series(1, 10) n;
INSERT INTO demo.messages (conversation_id, body, kind) VALUES (:busiest, 'somebody has joined', 'system');
DELETE FROM demo.messages WHERE conversation_id = :busiest AND body IN ('news 2', 'news 5');
\timing on
SELECT u.*, c.title FROM chatopt.unread_counts('demo.messages', :reader) u JOIN demo.conversations c ON c.id = u.conversation::bigint WHERE unread > 0;
\timing off
SELECT chatopt.mark_read('demo.messages', :busiest, :reader, last_sequence_number) AS mark_read FROM demo.conversations WHERE id = :busiest;
SELECT chatopt.unread_count('demo.messages', :busiest, :reader) AS unread_count;

\pset footer on
\echo '== verify: every counter against a recount of everything'
SELECT * FROM chatopt.verify('demo.messages');
