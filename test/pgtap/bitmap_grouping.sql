-- DISTINCT, GROUP BY, UNION, ORDER BY, unique indexes, hash and merge joins, hash partitions: all by the members.
\set file bitmap_grouping
\ir setup.psql
SELECT plan(23);
SELECT setseed(0.5);

CREATE FUNCTION test.node_used(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json, COSTS off) ' || query INTO plan;
  RETURN jsonb_path_exists(plan, '$.**."Node Type" ? (@ == $node)', jsonb_build_object('node', node));
END $$;

-- Few different sets, many rows, in every form.
CREATE TABLE t AS
  SELECT g AS id, k, CASE WHEN k < 40 THEN add_range('{}', 0, k) - k / 2
                          WHEN k < 60 THEN (SELECT receipt_bitmap_agg(m * m * m) FROM generate_series(1, k) m)
                          ELSE add_range('{}', k, k * 1000) - k * 500 END AS s
  FROM (SELECT g, floor(random() * 64)::int AS k FROM generate_series(1, 3000) g) x;
ALTER TABLE t ADD a int[];
UPDATE t SET a = s::int[];
ANALYZE t;

SELECT is((SELECT count(*) FROM (SELECT DISTINCT s FROM t) x), (SELECT count(*) FROM (SELECT DISTINCT a FROM t) x), 'DISTINCT');
SELECT is((SELECT count(DISTINCT s) FROM t), (SELECT count(DISTINCT a) FROM t), 'count(DISTINCT)');
SET enable_sort = off;
SELECT ok(test.node_used('SELECT s, count(*) FROM t GROUP BY s', 'Aggregate'), 'hash aggregation');
SELECT results_eq($$ SELECT count(*), sum(n) FROM (SELECT s, count(*) AS n FROM t GROUP BY s) x $$,
  $$ SELECT count(*), sum(n) FROM (SELECT a, count(*) AS n FROM t GROUP BY a) x $$, 'GROUP BY by hashing');
RESET enable_sort;
SET enable_hashagg = off;
SELECT ok(test.node_used('SELECT s, count(*) FROM t GROUP BY s', 'Sort'), 'sorted aggregation');
SELECT results_eq($$ SELECT s::int[] AS a, count(*) FROM t GROUP BY s ORDER BY s $$, $$ SELECT a, count(*) FROM t GROUP BY a ORDER BY a $$, 'GROUP BY by sorting');
RESET enable_hashagg;
SELECT results_eq($$ SELECT id FROM t ORDER BY s, id $$, $$ SELECT id FROM t ORDER BY a, id $$, 'ORDER BY');
SELECT results_eq($$ SELECT id FROM t ORDER BY s DESC, id $$, $$ SELECT id FROM t ORDER BY a DESC, id $$, 'ORDER BY … DESC');
SELECT results_eq($$ SELECT s::int[] FROM (SELECT s FROM t WHERE id < 1500 UNION SELECT s FROM t WHERE id > 1400) x ORDER BY s $$,
  $$ SELECT a FROM t WHERE id < 1500 UNION SELECT a FROM t WHERE id > 1400 ORDER BY 1 $$, 'UNION');
SELECT results_eq($$ SELECT s::int[] FROM (SELECT s FROM t WHERE id < 100 INTERSECT SELECT s FROM t WHERE id > 2900) x ORDER BY s $$,
  $$ SELECT a FROM t WHERE id < 100 INTERSECT SELECT a FROM t WHERE id > 2900 ORDER BY 1 $$, 'INTERSECT');
SELECT results_eq($$ SELECT s::int[] FROM (SELECT s FROM t EXCEPT SELECT s FROM t WHERE id > 100) x ORDER BY s $$,
  $$ SELECT a FROM t EXCEPT SELECT a FROM t WHERE id > 100 ORDER BY 1 $$, 'EXCEPT');

CREATE TABLE u AS SELECT DISTINCT s, a FROM t WHERE k % 3 = 0;
ANALYZE u;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT ok(test.node_used('SELECT t.id FROM t JOIN u ON t.s = u.s', 'Hash Join'), 'hash join');
SELECT results_eq($$ SELECT t.id FROM t JOIN u ON t.s = u.s ORDER BY 1 $$, $$ SELECT t.id FROM t JOIN u ON t.a = u.a ORDER BY 1 $$, 'its rows');
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT ok(test.node_used('SELECT t.id FROM t JOIN u ON t.s = u.s', 'Merge Join'), 'merge join');
SELECT results_eq($$ SELECT t.id FROM t JOIN u ON t.s = u.s ORDER BY 1 $$, $$ SELECT t.id FROM t JOIN u ON t.a = u.a ORDER BY 1 $$, 'its rows');
RESET enable_hashjoin;
RESET enable_nestloop;

CREATE UNIQUE INDEX u_s ON u (s);
SELECT test.refused($$ INSERT INTO u SELECT (s | 1000000) - 1000000, a FROM u LIMIT 1 $$, '23505', 'a unique index knows equal sets');
SELECT test.accepted($$ INSERT INTO u VALUES ('{5,99999}', NULL) $$, 'and lets others in');
SELECT lives_ok($$ INSERT INTO u VALUES ('{99999,5}', '{7}') ON CONFLICT (s) DO UPDATE SET a = excluded.a $$, 'ON CONFLICT');
SELECT is((SELECT a FROM u WHERE s = '{5,99999}'), '{7}', 'found the same set');

CREATE INDEX t_hash ON t USING hash (s);
SET enable_seqscan = off;
SELECT ok(test.node_used($$ SELECT id FROM t WHERE s = '{0-4,6-9}' $$, 'Index Scan') OR test.node_used($$ SELECT id FROM t WHERE s = '{0-4,6-9}' $$, 'Bitmap Heap Scan'),
  'a hash index is used');
SELECT results_eq($$ SELECT id FROM t WHERE s = '{0-4,6-9}' ORDER BY 1 $$, $$ SELECT id FROM t WHERE a = '{0,1,2,3,4,6,7,8,9}' ORDER BY 1 $$, 'and finds the rows');
RESET enable_seqscan;

CREATE TABLE h (s receipt_bitmap, a int[]) PARTITION BY HASH (s);
CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO h SELECT s, a FROM t;
SELECT ok((SELECT count(*) > 0 FROM h0) AND (SELECT count(*) > 0 FROM h1), 'hash partitions get rows');
SELECT is((SELECT count(*) FROM h WHERE s = '{0-4,6-9}'), (SELECT count(*) FROM t WHERE a = '{0,1,2,3,4,6,7,8,9}'), 'and are found again');

\ir teardown.psql
