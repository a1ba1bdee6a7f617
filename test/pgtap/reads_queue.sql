-- Receipt queues: made and dropped, what a drain takes, applies and rejects, and who may do what.
\set file reads_queue
\ir setup.psql
\ir reads.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_queue_owner, chatopt_queue_app, chatopt_queue_drainer;
CREATE ROLE chatopt_queue_owner;
CREATE ROLE chatopt_queue_app;
CREATE ROLE chatopt_queue_drainer;

-- queued('1:7:3:read', …): puts entries conversation:member:upto:status into the queue of the chat; '-' is NULL.
CREATE FUNCTION test.queued(VARIADIC entries text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status)
    SELECT nullif(split_part(e, ':', 1), '-')::int, nullif(split_part(e, ':', 2), '-')::int, nullif(split_part(e, ':', 3), '-')::bigint, nullif(split_part(e, ':', 4), '-')
    FROM unnest(entries) e;
END $$;
-- drained(3, 'what'): a drain takes so many entries and leaves none.
CREATE FUNCTION test.drained(expected bigint, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  taken bigint := chatopt.drain_receipts('messages');
BEGIN
  RETURN is(taken || ' ' || (SELECT count(*) FROM members_receipt_queue), expected || ' 0', test.says(what));
END $$;

-- ---------------------------------------------------------------------------
-- made and dropped: what dry_run says is what is run
\set layout plain
SELECT test.build('plain');
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '55000', 'no queue where reads are not tracked');
SELECT test.refused($$ SELECT chatopt.create_receipt_queue(NULL) $$, '22004', 'nor of no table');
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '55000', 'nothing to drain where reads are not tracked');
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '55000', 'nor where there is no queue');
SELECT test.refused($$ SELECT chatopt.drop_receipt_queue('messages') $$, '55000', 'nothing to drop');
SELECT test.refused($$ SELECT chatopt.drop_receipt_queue(NULL) $$, '22004', 'drop_receipt_queue of no table');
SELECT is(chatopt.drain_receipts()::text, '0', test.says('all queues: there is none'));
SELECT test.snapshot('plain') AS tracked \gset
CREATE TEMP TABLE plan_of_create AS SELECT * FROM chatopt.create_receipt_queue('messages', dry_run => true) WITH ORDINALITY AS p(statement, position);
SELECT test.same(:'tracked', test.snapshot('plain'), 'dry_run makes nothing');
SELECT is_empty('SELECT * FROM chatopt.receipt_queues', test.says('and notes nothing'));
BEGIN;
SELECT array_agg(statement ORDER BY position) AS statements FROM chatopt.create_receipt_queue('messages') WITH ORDINALITY AS p(statement, position) \gset
SELECT test.snapshot('plain') AS queued \gset
ROLLBACK;
SELECT is(:'statements'::text, (SELECT array_agg(statement ORDER BY position) FROM plan_of_create)::text, test.says('dry_run returns what is run'));
BEGIN;
SELECT statement FROM plan_of_create ORDER BY position \gexec
COMMIT;
SELECT test.same(:'queued', test.snapshot('plain'), 'its statements, run by hand, give the same table');
SELECT is_empty($$ SELECT chatopt.create_receipt_queue('messages') $$, test.says('a second time there is nothing to do'));
SELECT results_eq($$ SELECT messages, queue, waiting, oldest, rejected, drained_at, worker_pid FROM chatopt.receipt_queues $$,
  $$ VALUES ('messages'::regclass, 'members_receipt_queue'::regclass, 0::bigint, NULL::timestamptz, 0::bigint, NULL::timestamptz, NULL::int) $$, test.says('the view lists it'));
SELECT is((SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = 'members_receipt_queue'::regclass AND a.attnum > 0),
  'conversation_id integer, member_id integer, upto bigint, status text, queued_at timestamp with time zone', test.says('its columns'));
SELECT is_empty($$ SELECT FROM pg_index WHERE indrelid = 'members_receipt_queue'::regclass $$, test.says('it has no index'));
BEGIN;
SELECT test.refused($$ SELECT chatopt.start_receipt_worker('messages') $$, '25001', 'no worker from a transaction that it would not see');
ROLLBACK;

INSERT INTO conversations (id) VALUES (1), (2), (3);
INSERT INTO members (conversation_id, user_id) SELECT c, u FROM generate_series(1, 3) c, generate_series(1, 4) u;
SELECT test.send(c, 9, 10) FROM generate_series(1, 3) c;
SELECT test.queued('1:1:3:read');
SELECT is((SELECT waiting || ' ' || (oldest = (SELECT queued_at FROM members_receipt_queue)) FROM chatopt.receipt_queues), '1 true', test.says('the view shows what waits and since when'));
SELECT test.refused($$ SELECT chatopt.drop_receipt_queue('messages') $$, '55000', 'drop_receipt_queue while entries wait');
SELECT test.refused($$ SELECT chatopt.drop_receipt_queue('messages', dry_run => true) $$, '55000', 'even as dry_run');
SELECT ok((SELECT hint LIKE '%drain_receipts(''plain.messages'')%' FROM test.complaint($$ SELECT chatopt.drop_receipt_queue('messages') $$)), test.says('and says what to do first'));
SELECT test.positions(1, '1 (0,] 0 0, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 0 0', 'an entry moves nothing before it is drained');
SELECT test.drained(1, 'it is drained');
SELECT test.positions(1, '1 (0,] 3 3, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 0 0', 'and applied');
SELECT is((SELECT (waiting, oldest, rejected)::text || ' ' || (drained_at IS NOT NULL) FROM chatopt.receipt_queues), '(0,,0) true', test.says('nothing waits'));
SELECT test.snapshot('plain') AS queued \gset
CREATE TEMP TABLE plan_of_drop AS SELECT * FROM chatopt.drop_receipt_queue('messages', dry_run => true) WITH ORDINALITY AS p(statement, position);
SELECT test.same(:'queued', test.snapshot('plain'), 'dry_run drops nothing');
SELECT is((SELECT array_agg(statement ORDER BY position) FROM chatopt.drop_receipt_queue('messages') WITH ORDINALITY AS p(statement, position))::text,
  (SELECT array_agg(statement ORDER BY position) FROM plan_of_drop)::text, test.says('dry_run of drop_receipt_queue returns what it runs'));
SELECT test.same(:'tracked', test.snapshot('plain'), 'drop_receipt_queue leaves no trace');
SELECT is_empty('SELECT * FROM chatopt.receipt_queues', test.says('nor in the configuration'));

-- ---------------------------------------------------------------------------
-- a table that is there is taken over if it is such a queue
BEGIN;
CREATE TABLE members_receipt_queue (conversation_id int, member_id int, upto bigint, status text, more text);
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'another table has the name');
DROP TABLE members_receipt_queue;
CREATE TABLE members_receipt_queue (conversation_id int, member_id text, upto bigint, status text, queued_at timestamptz);
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'a column has another type');
DROP TABLE members_receipt_queue;
CREATE TABLE members_receipt_queue (conversation_id int, member_id int, upto int, status text, queued_at timestamptz);
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'numbers have another type');
DROP TABLE members_receipt_queue;
CREATE VIEW members_receipt_queue AS SELECT 1 AS conversation_id, 1 AS member_id, 1::bigint AS upto, ''::text AS status, NULL::timestamptz AS queued_at;
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'it is a view');
DROP VIEW members_receipt_queue;
CREATE TABLE members_receipt_queue (conversation_id int, member_id int, upto bigint, status text, queued_at timestamptz) PARTITION BY LIST (conversation_id);
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'it is partitioned');
DROP TABLE members_receipt_queue;
CREATE TABLE members_receipt_queue (conversation_id int, member_id int, upto bigint, status text, queued_at timestamptz DEFAULT clock_timestamp());
ALTER TABLE members_receipt_queue OWNER TO chatopt_queue_app;
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42P07', 'it is somebody else''s');
ROLLBACK;
BEGIN;
CREATE TABLE members_receipt_queue (conversation_id int, member_id int, upto bigint, status text, queued_at timestamptz DEFAULT clock_timestamp());
SELECT test.queued('2:1:4:read', '2:2:5:delivered');
SELECT is((SELECT string_agg(s, ' ') FROM chatopt.create_receipt_queue('messages') s),
  $$SELECT chatopt.save_receipt_queue('plain.messages'::regclass, 'plain.members_receipt_queue'::regclass);$$, test.says('one left from before is only noted'));
SELECT test.drained(2, 'what waited in it is drained');
SELECT test.positions(2, '1 (0,] 4 4, 2 (0,] 5 0, 3 (0,] 0 0, 4 (0,] 0 0', 'and applied');
ROLLBACK;

-- a queue that was changed afterwards does no harm
SELECT chatopt.create_receipt_queue('messages') \g /dev/null
BEGIN;
ALTER TABLE members_receipt_queue ALTER member_id TYPE text;
INSERT INTO members_receipt_queue VALUES (1, 'somebody', 3, 'read');
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '42804', 'keys of another type');
SELECT is((SELECT count(*)::text FROM members_receipt_queue), '1', test.says('stay in the queue'));
ROLLBACK;
BEGIN;
ALTER TABLE members_receipt_queue ALTER upto TYPE numeric;
SELECT test.queued('1:1:3:read');
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '42804', 'numbers of another type');
ROLLBACK;
BEGIN;
ALTER TABLE members_receipt_queue ADD device text, ADD id bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE members_receipt_queue RENAME TO receipts_to_come;
INSERT INTO receipts_to_come (conversation_id, member_id, upto, status) VALUES (1, 2, 2, 'read');
SELECT is(chatopt.drain_receipts('messages')::text, '1', test.says('more columns and another name are no matter'));
SELECT test.positions(1, '1 (0,] 3 3, 2 (0,] 2 2, 3 (0,] 0 0, 4 (0,] 0 0', 'nor is it to what it does');
ROLLBACK;
BEGIN;
DROP TABLE members_receipt_queue;
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '55000', 'a queue that was dropped by hand');
SELECT is(chatopt.drain_receipts()::text, '0', test.says('is none'));
SELECT isnt_empty($$ SELECT chatopt.create_receipt_queue('messages') $$, test.says('and is made again'));
SELECT test.queued('1:1:4:read');
SELECT test.drained(1, 'as good as new');
ROLLBACK;

-- ---------------------------------------------------------------------------
-- a drain folds: each member of a conversation once, whatever the order
SELECT test.queued('1:1:7:read', '1:1:5:read', '1:1:9:delivered', '1:2:4:delivered', '1:2:6:delivered', '1:2:1:delivered',
  '2:1:8:READ', '2:1:2:Seen', '3:4:10:DELIVERED', '3:4:3:seen', '3:3:6:sent');
SELECT test.drained(11, 'one drain takes all');
SELECT test.positions(1, '1 (0,] 9 7, 2 (0,] 6 0, 3 (0,] 0 0, 4 (0,] 0 0', 'the greatest of each kind is applied');
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 0 0', 'words in any case, seen is read');
SELECT test.positions(3, '1 (0,] 0 0, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 10 3', 'sent changes nothing');
BEGIN;
SELECT test.queued(VARIADIC ARRAY(SELECT '1:3:' || n || ':read' FROM generate_series(1, 10) n ORDER BY n % 3, n));
SELECT test.drained(10, 'ten entries of one member');
SELECT test.positions(1, '1 (0,] 9 7, 2 (0,] 6 0, 3 (0,] 10 10, 4 (0,] 0 0', 'are one mark');
ROLLBACK;
SELECT test.queued('1:1:1:read', '1:1:1:delivered', '2:1:8:read');
SELECT test.drained(3, 'late entries are taken');
SELECT test.positions(1, '1 (0,] 9 7, 2 (0,] 6 0, 3 (0,] 0 0, 4 (0,] 0 0', 'and move nothing back');
SELECT is((SELECT sum(rejected)::text FROM chatopt.receipt_queues), '0', test.says('nothing was rejected so far'));

-- beyond the last message a mark stops there; unknown keys, leavers and numbers below 1 are passed over
DELETE FROM members WHERE conversation_id = 1 AND user_id = 4;
SELECT test.queued('1:2:99:read', '1:77:3:read', '77:1:3:read', '1:4:5:read', '1:3:0:read', '1:3:-5:delivered', '2:3:9223372036854775807:delivered', '2:4:-9223372036854775808:read');
SELECT test.drained(8, 'unknown conversations and members are taken');
SELECT test.positions(1, '1 (0,] 9 7, 2 (0,] 10 10, 3 (0,] 0 0, 4 (0,10] 0 0', 'and change nothing; a mark goes no further than the last message');
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 0 0, 3 (0,] 10 0, 4 (0,] 0 0', 'whatever the number');
SELECT is((SELECT rejected::text FROM chatopt.receipt_queues), '0', test.says('and nothing is rejected'));

-- what says nothing that can be applied is dropped and counted, once, and the rest of the batch is applied
SELECT test.queued('-:1:3:read', '1:-:3:read', '1:1:-:read', '1:1:3:-', '1:1:9:gelesen', '1:1:9:', '1:1:9: read', '2:2:3:read');
SELECT test.drained(8, 'entries that say nothing are taken too');
SELECT is((SELECT rejected::text FROM chatopt.receipt_queues), '7', test.says('and counted'));
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 3 3, 3 (0,] 10 0, 4 (0,] 0 0', 'those beside them are applied');
SELECT test.queued('1:1:3:what');
SELECT test.drained(1, 'one more');
SELECT is((SELECT rejected::text FROM chatopt.receipt_queues), '8', test.says('the count goes on'));
-- the time is the queue's, not the receipt's: an entry without one is as good as any
INSERT INTO members_receipt_queue VALUES (2, 4, 5, 'read', NULL), (2, 4, 4, 'read', 'infinity');
SELECT test.drained(2, 'entries without a time, and of no time');
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 3 3, 3 (0,] 10 0, 4 (0,] 5 5', 'are applied');
SELECT is((SELECT rejected::text FROM chatopt.receipt_queues), '8', test.says('not rejected'));

-- marks made out of order, and by hand, are settled as by mark_read
SELECT chatopt.ack_message('messages', 3, 1, 5, 'read'), chatopt.mark_read('messages', 3, 2, 8), chatopt.mark_unread('messages', 3, 2, 3) \g /dev/null
SELECT test.unread(3, '2:8', 'an unread mark');
SELECT test.queued('3:1:4:read', '3:2:8:read');
SELECT test.drained(2, 'what was read before');
SELECT test.positions(3, '1 (0,] 5 5, 2 (0,] 8 8, 3 (0,] 0 0, 4 (0,] 10 3', 'the position takes along what follows');
SELECT test.unread(3, '1:5 2:2', 'and the unread mark is gone');
SELECT is_empty('SELECT * FROM members_read_marks', test.says('and so are the rows of both'));
SELECT test.sound('after many drains');

-- batches
SELECT test.queued(VARIADIC ARRAY(SELECT '1:3:' || n || ':read' FROM generate_series(1, 10) n));
SELECT is(chatopt.drain_receipts('messages', 4)::text, '4', test.says('a batch takes as many as it is told'));
SELECT is((SELECT waiting::text FROM chatopt.receipt_queues), '6', test.says('the others wait'));
SELECT is(chatopt.drain_receipts('messages', batch_size => 6)::text, '6', test.says('for the next'));
SELECT is(chatopt.drain_receipts('messages', 1)::text, '0', test.says('an empty queue gives 0'));
SELECT test.refused(format($$ SELECT chatopt.drain_receipts('messages', %s) $$, n), '22023', 'a batch of ' || n) FROM unnest(ARRAY['0', '-1', '1000001', 'NULL']) n;
SELECT test.positions(1, '1 (0,] 9 7, 2 (0,] 10 10, 3 (0,] 10 10, 4 (0,10] 0 0', 'all are applied');

-- a transaction that comes to nothing leaves them in the queue, with the time they came
SELECT test.queued('3:3:3:read');
SELECT queued_at AS came FROM members_receipt_queue \gset
BEGIN;
SELECT chatopt.drain_receipts('messages') \g /dev/null
ROLLBACK;
SELECT is((SELECT oldest FROM chatopt.receipt_queues)::text, :'came', test.says('a drain rolled back leaves the entry'));
SELECT test.positions(3, '1 (0,] 5 5, 2 (0,] 8 8, 3 (0,] 0 0, 4 (0,] 10 3', 'and the positions');

-- a disabled chat gets no marks: entries wait
BEGIN;
SELECT chatopt.disable('messages') \g /dev/null
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '55000', 'draining into a disabled chat');
SELECT is(chatopt.drain_receipts()::text, '0', test.says('all queues: without those of disabled chats'));
SELECT is((SELECT waiting::text FROM chatopt.receipt_queues), '1', test.says('its entries wait'));
SELECT chatopt.enable('messages') \g /dev/null
SELECT test.drained(1, 'and are drained when it is enabled');
SELECT test.positions(3, '1 (0,] 5 5, 2 (0,] 8 8, 3 (0,] 3 3, 4 (0,] 10 3', 'as if nothing had been');
ROLLBACK;
-- so they do while reads are not tracked
BEGIN;
SELECT test.queued('3:3:4:read');
SELECT chatopt.untrack_reads('messages') \g /dev/null
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '55000', 'draining when reads are not tracked any more');
SELECT is(chatopt.drain_receipts()::text, '0', test.says('all queues: without those of chats that are not tracked'));
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.drained(2, 'entries wait for track_reads');
SELECT test.positions(3, '1 (0,] 5 5, 2 (0,] 8 8, 3 (0,] 4 4, 4 (0,] 10 3', 'and are applied then');
ROLLBACK;
SELECT test.drained(1, 'nothing of this was');
SELECT test.sound('disabled and untracked for a while');

-- ---------------------------------------------------------------------------
-- rights: INSERT to report, DELETE to drain, ownership for all else
GRANT USAGE ON SCHEMA plain TO PUBLIC;
SELECT test.refused($$ INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status) VALUES (1, 1, 8, 'read') $$, '42501', 'reporting takes INSERT', 'chatopt_queue_app');
GRANT INSERT ON members_receipt_queue TO chatopt_queue_app;
GRANT DELETE ON members_receipt_queue TO chatopt_queue_drainer;
SELECT test.accepted($$ INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status) VALUES (1, 1, 8, 'read') $$, 'and nothing else', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.drain_receipts('messages') $$, '42501', 'who may report may not drain', 'chatopt_queue_app');
SELECT test.refused($$ SELECT * FROM members_receipt_queue $$, '42501', 'nor look into the queue', 'chatopt_queue_app');
SELECT test.refused($$ SELECT * FROM chatopt.receipt_queue $$, '42501', 'nor into the configuration', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42501', 'nor make a queue', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages', dry_run => true) $$, '42501', 'nor plan one', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.drop_receipt_queue('messages') $$, '42501', 'nor drop it', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.save_receipt_queue('messages', NULL) $$, '42501', 'nor forget it', 'chatopt_queue_app');
SELECT test.refused($$ SELECT chatopt.save_receipt_queue('messages', 'members') $$, '42501', 'nor call another table one', 'chatopt_queue_app');
SET ROLE chatopt_queue_app;
SELECT count(*) AS seen FROM chatopt.receipt_queues \gset
RESET ROLE;
SELECT is(:'seen'::text, '0', test.says('the view shows nothing of chats one may not read'));
GRANT SELECT ON messages TO chatopt_queue_app;
SET ROLE chatopt_queue_app;
SELECT coalesce(waiting::text, '-') || coalesce(oldest::text, '-') AS seen FROM chatopt.receipt_queues \gset
RESET ROLE;
SELECT is(:'seen'::text, '--', test.says('nor what waits in a queue one may not read'));
SELECT test.accepted($$ SELECT chatopt.drain_receipts('messages') $$, 'DELETE is enough to drain', 'chatopt_queue_drainer');
SELECT test.positions(1, '1 (0,] 9 8, 2 (0,] 10 10, 3 (0,] 10 10, 4 (0,10] 0 0', 'as the owner');
SELECT test.queued('1:1:9:read');
SET ROLE chatopt_queue_drainer;
SELECT chatopt.drain_receipts() AS taken \gset
RESET ROLE;
GRANT SELECT ON messages TO chatopt_queue_drainer;
SET ROLE chatopt_queue_drainer;
SELECT chatopt.drain_receipts() AS seen \gset
RESET ROLE;
SELECT is(:'taken' || ' ' || :'seen'::text, '0 1', test.says('all queues: those one sees'));
SET ROLE chatopt_queue_app;
SELECT chatopt.drain_receipts() AS taken \gset
RESET ROLE;
SELECT is(:'taken'::text, '0', test.says('and may DELETE from'));
-- row-level security on the queue: nobody reports for another
ALTER TABLE members_receipt_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members_receipt_queue FOR INSERT TO chatopt_queue_app WITH CHECK (member_id = current_setting('app.member')::int);
SET app.member = '3';
SELECT test.accepted($$ INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status) VALUES (2, 3, 6, 'read') $$, 'a policy: one''s own receipts', 'chatopt_queue_app');
SELECT test.refused($$ INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status) VALUES (2, 2, 6, 'read') $$, '42501', 'and nobody else''s', 'chatopt_queue_app');
SELECT test.drained(1, 'policies are not the drain''s');
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 3 3, 3 (0,] 10 6, 4 (0,] 5 5', 'it is the owner''s');
-- the owner of the chat, who is no superuser, does all of it
SELECT chatopt.drop_receipt_queue('messages') \g /dev/null
SELECT format('ALTER TABLE %s OWNER TO chatopt_queue_owner', c.oid::regclass) FROM pg_class c WHERE c.relnamespace = 'plain'::regnamespace AND c.relkind = 'r' \gexec
GRANT USAGE ON SCHEMA test, tap TO chatopt_queue_owner;
SELECT test.refused($$ SELECT chatopt.create_receipt_queue('messages') $$, '42501', 'not without CREATE on the schema', 'chatopt_queue_owner');
GRANT CREATE ON SCHEMA plain TO chatopt_queue_owner;
SELECT test.accepted($$ SELECT chatopt.create_receipt_queue('messages') $$, 'the owner makes a queue', 'chatopt_queue_owner');
SELECT test.accepted($$ INSERT INTO members_receipt_queue (conversation_id, member_id, upto, status) VALUES (2, 3, 7, 'read') $$, 'reports', 'chatopt_queue_owner');
SELECT test.accepted($$ SELECT chatopt.drain_receipts('messages') $$, 'drains', 'chatopt_queue_owner');
SELECT test.positions(2, '1 (0,] 8 8, 2 (0,] 3 3, 3 (0,] 10 7, 4 (0,] 5 5', 'with the same result');
SELECT test.accepted($$ SELECT chatopt.drop_receipt_queue('messages') $$, 'and drops it', 'chatopt_queue_owner');
-- a superuser makes it for the owner
SELECT chatopt.create_receipt_queue('messages') \g /dev/null
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'members_receipt_queue'::regclass), 'chatopt_queue_owner', test.says('a queue is of the owner of messages, whoever makes it'));
SELECT test.sound('rights');

-- ---------------------------------------------------------------------------
-- other layouts, and what a statement of the application's sees
\set layout partitioned
SELECT test.track('partitioned');
SELECT chatopt.create_receipt_queue('messages') \g /dev/null
INSERT INTO conversations (id) VALUES (1);
INSERT INTO members (conversation_id, user_id) VALUES (1, 1), (1, 2);
BEGIN;
SELECT test.send(1, 2, 3);
SELECT test.queued('1:1:3:read');
SELECT test.drained(1, 'messages, entry and drain in one transaction');
COMMIT;
SELECT test.positions(1, '1 (0,] 3 3, 2 (0,] 3 3', 'meet');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM members_read_state \g /dev/null
SELECT test.send(1, 2, 3);
SELECT test.queued('1:1:5:read');
SELECT test.drained(1, 'also under REPEATABLE READ');
COMMIT;
SELECT test.positions(1, '1 (0,] 5 5, 2 (0,] 6 6', 'they meet');
SELECT test.sound('partitioned');
-- all queues at once
\set layout enforced
SELECT test.track('enforced');
SELECT chatopt.create_receipt_queue('messages') \g /dev/null
SELECT is((SELECT count(*)::text FROM chatopt.receipt_queues), '3', test.says('three queues'));
SELECT plain.n + partitioned.n + enforced.n AS waiting FROM (SELECT count(*) AS n FROM plain.members_receipt_queue) plain,
  (SELECT count(*) AS n FROM partitioned.members_receipt_queue) partitioned, (SELECT count(*) AS n FROM enforced.members_receipt_queue) enforced \gset
SELECT is(:'waiting'::text, '0', test.says('all empty'));
INSERT INTO conversations (id) VALUES (1);
INSERT INTO members (conversation_id, user_id) VALUES (1, 1), (1, 2);
SELECT test.send(1, 2, 3);
SELECT test.queued('1:1:1:read', '1:1:2:read');
INSERT INTO partitioned.members_receipt_queue VALUES (1, 1, 6, 'read');
SELECT is(chatopt.drain_receipts()::text, '3', test.says('drain_receipts() drains all'));
SELECT test.positions(1, '1 (0,] 2 2, 2 (0,] 3 3', 'here');
SET search_path = partitioned, test, tap, public;
SELECT test.positions(1, '1 (0,] 6 6, 2 (0,] 6 6', 'and there');
-- a chat that is gone has no queue
DROP SCHEMA partitioned CASCADE;
SELECT is((SELECT count(*)::text FROM chatopt.receipt_queues), '2', test.says('a chat that is gone has no queue'));
SELECT is(chatopt.drain_receipts()::text, '0', test.says('and is no matter to the others'));

-- ---------------------------------------------------------------------------
-- quoted camelCase, text keys with a collation, varchar members
\set layout 'Camel Case'
CREATE SCHEMA "Camel Case";
SET search_path = "Camel Case", test, tap, public;
CREATE TABLE "Conversation" (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE "Message" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), "conversationId" text COLLATE "C" REFERENCES "Conversation", "authorId" varchar(26));
CREATE TABLE "Room ""Members""" ("conversationId" text COLLATE "C", "userId" varchar(26), UNIQUE ("userId", "conversationId"));
SELECT chatopt.attach('"Conversation"', '"Message"', '"Room ""Members"""'), chatopt.track_reads('"Message"') \g /dev/null
SELECT chatopt.create_receipt_queue('"Message"') \g /dev/null
INSERT INTO "Conversation" VALUES ('général'), ('O''Neil "x"');
INSERT INTO "Room ""Members""" SELECT id, u FROM "Conversation", unnest(ARRAY['ann', 'béa']) u;
INSERT INTO "Message" ("conversationId", "authorId") SELECT id, 'ann' FROM "Conversation", generate_series(1, 4);
INSERT INTO "Room ""Members""_receipt_queue" VALUES ('général', 'béa', 3, 'read'), ('O''Neil "x"', 'béa', 2, 'delivered'), ('Général', 'béa', 4, 'read'), ('général', repeat('n', 26), 4, 'read');
SELECT is(chatopt.drain_receipts('"Message"')::text, '4', test.says('entries with quotes and accents'));
SELECT results_eq($$ SELECT conversation_id, member_id::text, delivered_seq, read_seq FROM "Room ""Members""_read_state" ORDER BY conversation_id COLLATE "C", member_id COLLATE "C" $$,
  $$ VALUES ('O''Neil "x"' COLLATE "C", 'ann', 4::bigint, 4::bigint), ('O''Neil "x"', 'béa', 2, 0), ('général', 'ann', 4, 4), ('général', 'béa', 3, 3) $$, test.says('are applied'));
SELECT is((SELECT queue::text FROM chatopt.receipt_queues WHERE messages = '"Message"'::regclass), '"Room ""Members""_receipt_queue"', test.says('the view names the queue'));

-- uuid conversations, bigint members, unlogged
\set layout unlogged
CREATE SCHEMA unlogged;
SET search_path = unlogged, test, tap, public;
CREATE UNLOGGED TABLE rooms (id uuid PRIMARY KEY);
CREATE UNLOGGED TABLE posts (id bigint PRIMARY KEY, room_id uuid REFERENCES rooms, author bigint);
CREATE UNLOGGED TABLE guests (room_id uuid, account_id bigint, PRIMARY KEY (account_id, room_id));
SELECT chatopt.attach('rooms', 'posts', 'guests'), chatopt.track_reads('posts'), chatopt.create_receipt_queue('posts') \g /dev/null
SELECT is((SELECT relpersistence::text FROM pg_class WHERE oid = 'guests_receipt_queue'::regclass), 'u', test.says('the queue of unlogged tables is unlogged'));
INSERT INTO rooms SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid FROM generate_series(1, 9) g;
INSERT INTO guests SELECT id, u FROM rooms, generate_series(9007199254740993, 9007199254740995) u;
INSERT INTO posts SELECT row_number() OVER (), id, 1 FROM rooms, generate_series(1, 5);
INSERT INTO guests_receipt_queue SELECT room_id, account_id, account_id % 5, CASE WHEN account_id % 2 = 0 THEN 'read' ELSE 'delivered' END FROM guests ORDER BY account_id, room_id DESC;
SELECT is(chatopt.drain_receipts('posts')::text, '27', test.says('uuid and bigint keys'));
SELECT results_eq('SELECT member_id, delivered_seq, read_seq, count(*) FROM guests_read_state GROUP BY 1, 2, 3 ORDER BY 1',
  'VALUES (9007199254740993, 3::bigint, 0::bigint, 9::bigint), (9007199254740994, 4, 4, 9), (9007199254740995, 0, 0, 9)', test.says('are applied'));

RESET SESSION AUTHORIZATION;
DROP OWNED BY chatopt_queue_owner, chatopt_queue_app, chatopt_queue_drainer CASCADE;
DROP ROLE chatopt_queue_owner, chatopt_queue_app, chatopt_queue_drainer;
\ir teardown.psql
