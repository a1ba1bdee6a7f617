-- group_receipts as a column: indexes, joins, defaults, updates, large values, and what the catalogue says of the type.
\set file group_tables
\ir setup.psql
SELECT plan(36);

-- Sizes of the datum
CREATE TABLE size (what text, receipts group_receipts);
INSERT INTO size VALUES ('nobody', group_receipts(30)), ('half', mark_seen(mark_delivered(group_receipts(30), '{0-29}'), '{0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}')),
  ('all', mark_seen(group_receipts(30), '{0-29}'));
SELECT cmp_ok((SELECT pg_column_size(receipts) FROM size WHERE what = 'nobody'), '<=', 8, 'nobody has seen it: 8 bytes at most');
SELECT cmp_ok((SELECT pg_column_size(receipts) FROM size WHERE what = 'half'), '<=', 16, 'every other one has: 16 bytes at most');
SELECT cmp_ok((SELECT pg_column_size(receipts) FROM size WHERE what = 'all'), '<=', 8, 'all have: 8 bytes at most');

-- A table of messages
CREATE TABLE message (id int PRIMARY KEY, receipts group_receipts NOT NULL DEFAULT group_receipts(30));
INSERT INTO message (id) SELECT generate_series(1, 2000);
UPDATE message SET receipts = mark_delivered(receipts, '{0-29}') WHERE id % 2 = 0;
UPDATE message SET receipts = mark_seen(receipts, 17) WHERE id % 3 = 0;
UPDATE message SET receipts = mark_seen(receipts, '{0-29}') WHERE id % 100 = 0;
ANALYZE message;
SELECT is((SELECT count(*) FROM message WHERE receipt_status(receipts) = 'seen'), 20::bigint, 'seen by all');
SELECT is((SELECT count(*) FROM message WHERE seen(receipts) @> 17), (SELECT count(*) FROM message WHERE id % 3 = 0 OR id % 100 = 0), 'seen by slot 17');
SELECT is((SELECT sum(seen_count(receipts)) FROM message), (SELECT sum(CASE WHEN id % 100 = 0 THEN 30 WHEN id % 3 = 0 THEN 1 ELSE 0 END) FROM message)::numeric,
  'how many have seen');

-- "Not yet seen by slot 17" by an index (R24)
CREATE INDEX message_unseen ON message USING gin (unseen(receipts));
ANALYZE message;
SET enable_seqscan = off;
CREATE FUNCTION test.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text; result text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    result := result || line || E'\n';
  END LOOP;
  RETURN result;
END $$;
SELECT matches(test.plan_of('SELECT id FROM message WHERE unseen(receipts) @> 17'), 'message_unseen', 'unseen(receipts) @> 17 uses a GIN index');
SELECT results_eq('SELECT id FROM message WHERE unseen(receipts) @> 17 ORDER BY id', 'SELECT id FROM message WHERE NOT (id % 3 = 0 OR id % 100 = 0) ORDER BY id',
  'and finds what it should');

-- btree and hash indexes, unique, joins
CREATE TABLE distinct_state AS SELECT DISTINCT receipts FROM message;
SELECT is((SELECT count(*) FROM distinct_state), 5::bigint, 'DISTINCT');
ALTER TABLE distinct_state ADD UNIQUE (receipts);
SELECT test.refused('INSERT INTO distinct_state VALUES (group_receipts(30))', '23505', 'a unique index refuses an equal value');
SELECT test.accepted('INSERT INTO distinct_state VALUES (group_receipts(31)) ON CONFLICT DO NOTHING', 'and takes another');
SELECT matches(test.plan_of($$SELECT FROM distinct_state WHERE receipts = '{0-29}'$$), 'distinct_state_receipts_key', '= uses a btree index');
SELECT matches(test.plan_of('SELECT receipts FROM distinct_state ORDER BY receipts'), 'distinct_state_receipts_key', 'ORDER BY too');
CREATE TABLE hashed AS SELECT * FROM message;
CREATE INDEX hashed_receipts ON hashed USING hash (receipts);
SELECT matches(test.plan_of($$SELECT FROM hashed WHERE receipts = '{0-29}'$$), 'hashed_receipts', '= uses a hash index');
SELECT is((SELECT count(*) FROM hashed WHERE receipts = '{0-29}'), (SELECT count(*) FROM message WHERE id % 2 = 1 AND id % 3 <> 0 AND id % 100 <> 0), 'and finds what it should');
RESET enable_seqscan;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT matches(test.plan_of('SELECT FROM message m JOIN hashed h USING (receipts)'), 'Hash Join', 'a hash join');
SELECT is((SELECT count(*) FROM distinct_state d JOIN message m USING (receipts)), 2000::bigint, 'finds what it should');
SET enable_mergejoin = on; SET enable_hashjoin = off;
SELECT matches(test.plan_of('SELECT FROM message m JOIN hashed h USING (receipts)'), 'Merge Join', 'a merge join');
SELECT is((SELECT count(*) FROM distinct_state d JOIN message m USING (receipts)), 2000::bigint, 'finds the same');
RESET ALL;
SET client_min_messages = warning;
SET search_path = public, test, tap;
CREATE TABLE parted (receipts group_receipts) PARTITION BY HASH (receipts);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT receipts FROM message;
SELECT is((SELECT count(*) FROM parted WHERE receipts = '{0-29}'), (SELECT count(*) FROM message WHERE receipts = '{0-29}'), 'a hash partition key');

-- A large group: out of line, and marked slot by slot
CREATE TABLE large (id int, receipts group_receipts);
INSERT INTO large SELECT 1, mark_seen(group_receipts(200000), (SELECT receipt_bitmap_agg(i) FROM generate_series(0, 199999) i WHERE i * 7919::bigint % 11 < 5));
SELECT cmp_ok((SELECT pg_column_size(receipts) FROM large), '>', 20000, 'a large value');
SELECT is((SELECT seen_count(receipts) FROM large), (SELECT count(*) FROM generate_series(0, 199999) i WHERE i * 7919::bigint % 11 < 5), 'its seen_count');
UPDATE large SET receipts = mark_seen(receipts, 199999);
SELECT is((SELECT seen(receipts) FROM large), (SELECT receipt_bitmap_agg(i) FROM generate_series(0, 199999) i WHERE i = 199999 OR i * 7919::bigint % 11 < 5),
  'one slot more');
-- Out of line, the counts read parts of it; a value made anew is in memory.
INSERT INTO large SELECT 10 + i, mark_seen(mark_delivered(group_receipts(r), d), s) FROM large, LATERAL (VALUES
  (1, recipients(receipts), recipients(receipts), seen(receipts)), (2, recipients(receipts), seen(receipts), seen(receipts)),
  (3, seen(receipts), seen(receipts), '{}'), (4, seen(receipts), seen(receipts), seen(receipts)),
  (5, seen(receipts), seen(receipts) - 7, seen(receipts) - 7 - 8), (6, recipients(receipts), seen(receipts), seen(receipts) - 8)) v(i, r, d, s);
SELECT is_empty($$SELECT id FROM large WHERE
  (recipient_count(receipts), delivered_count(receipts), seen_count(receipts), pending_count(receipts), unseen_count(receipts), receipts::jsonb, receipt_status(receipts))
  IS DISTINCT FROM (SELECT (recipient_count(r), delivered_count(r), seen_count(r), pending_count(r), unseen_count(r), r::jsonb, receipt_status(r))
                    FROM (SELECT receipts | '{}' | receipts AS r OFFSET 0) m)$$, 'counts of values out of line');
SELECT is_empty($$SELECT id FROM large WHERE (recipient_count(receipts), delivered_count(receipts), seen_count(receipts)) IS DISTINCT FROM
  (cardinality(recipients(receipts)::int[])::bigint, cardinality(delivered(receipts)::int[])::bigint, cardinality(seen(receipts)::int[])::bigint)$$,
  'are those of the sets');
DELETE FROM large WHERE id > 10;
UPDATE large SET receipts = mark_seen(receipts, unseen(receipts));
SELECT is((SELECT receipt_status(receipts) FROM large), 'seen', 'and all of them');
SELECT cmp_ok((SELECT pg_column_size(receipts) FROM large), '<=', 8, 'which takes a few bytes again');
INSERT INTO large SELECT 2, mark_seen(group_receipts(200000), (SELECT receipt_bitmap_agg(i) FROM generate_series(0, 199999) i WHERE i * 7919::bigint % 13 < 5));
INSERT INTO large SELECT 3, receipts FROM large WHERE id = 2;
SELECT is((SELECT count(DISTINCT receipts) FROM large), 2::bigint, 'large values are compared');
SELECT is((SELECT group_receipts_merge_agg(receipts) FROM large), (SELECT receipts FROM large WHERE id = 1), 'and merged');

-- What the catalogue says
CREATE VIEW own_function AS
SELECT p.* FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'chatopt'
WHERE p.pronamespace <> 'chatopt'::regnamespace AND ('group_receipts'::regtype = ANY (p.proargtypes::oid[] || p.prorettype) OR p.proname LIKE 'group_receipts%' OR p.proname LIKE 'mark_%');
SELECT cmp_ok((SELECT count(*) FROM own_function), '>', 50::bigint, 'there are functions to look at');
SELECT is_empty($$SELECT oid::regprocedure FROM own_function WHERE provolatile <> 'i' OR proparallel <> 's'$$, 'all are immutable and parallel safe');
SELECT is_empty($$SELECT oid::regprocedure FROM own_function WHERE NOT proisstrict AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) AND prokind = 'f'$$,
  'and strict, but for what takes a state');
SELECT is_empty($$SELECT oid::regprocedure FROM own_function WHERE obj_description(oid, 'pg_proc') IS NULL$$, 'and have a comment');
SELECT is_empty($$
  SELECT oid::regoperator FROM pg_operator WHERE oprleft = 'group_receipts'::regtype AND (oprcom = 0 OR obj_description(oid, 'pg_operator') IS NULL
    OR oprresult = 'boolean'::regtype AND (oprnegate = 0 OR oprrest = 0 OR oprjoin = 0))$$, 'operators have a commutator, a negator and an estimator (R26)');
SELECT is((SELECT typstorage::text || typsend::regproc || typreceive::regproc FROM pg_type WHERE oid = 'group_receipts'::regtype),
  'egroup_receipts_sendgroup_receipts_recv', 'the type is stored uncompressed and has a binary form');
SELECT is_empty($$SELECT opcname FROM pg_opclass WHERE opcintype = 'group_receipts'::regtype AND NOT amvalidate(oid)$$, 'the operator classes are valid');

\ir teardown.psql
