-- Aggregates: serial, parallel, grouped, in windows, with NULLs.
\set file bitmap_aggregates
\ir setup.psql
SELECT plan(32);
SELECT setseed(0.75);

CREATE TABLE receipts AS
  SELECT g AS id, g % 500 AS message, floor(random() * 60)::int AS slot, floor(random() * 5000000)::int AS wide FROM generate_series(1, 60000) g;
ALTER TABLE receipts ADD PRIMARY KEY (id);
CREATE TABLE seen AS SELECT message, receipt_bitmap_agg(slot) AS slots, receipt_bitmap_agg(wide) AS wides FROM receipts GROUP BY message;
ANALYZE receipts, seen;

SELECT is((SELECT receipt_bitmap_agg(slot)::int[] FROM receipts WHERE message = 7), (SELECT array_agg(DISTINCT slot ORDER BY slot) FROM receipts WHERE message = 7), 'of int');
SELECT is((SELECT receipt_bitmap_agg(slot::smallint) FROM receipts WHERE message = 7), (SELECT receipt_bitmap_agg(slot) FROM receipts WHERE message = 7), 'of smallint');
SELECT is((SELECT receipt_bitmap_agg(slot::bigint) FROM receipts WHERE message = 7), (SELECT receipt_bitmap_agg(slot) FROM receipts WHERE message = 7), 'of bigint');
SELECT is_empty($$ SELECT message FROM seen s WHERE slots::int[] <> (SELECT array_agg(DISTINCT slot ORDER BY slot) FROM receipts r WHERE r.message = s.message)
  OR wides::int[] <> (SELECT array_agg(DISTINCT wide ORDER BY wide) FROM receipts r WHERE r.message = s.message) $$, 'of every group');
SELECT is((SELECT receipt_bitmap_agg(wide)::int[] FROM receipts), (SELECT array_agg(DISTINCT wide ORDER BY wide) FROM receipts), 'of many');
SELECT is((SELECT receipt_bitmap_or_agg(wides) FROM seen), (SELECT receipt_bitmap_agg(wide) FROM receipts), 'or_agg');
SELECT is((SELECT receipt_bitmap_and_agg(slots)::int[] FROM seen WHERE message < 5),
  (SELECT array_agg(slot ORDER BY slot) FROM (SELECT slot FROM receipts WHERE message < 5 GROUP BY slot HAVING count(DISTINCT message) = 5) x), 'and_agg');
SELECT is((SELECT receipt_bitmap_and_agg(wides) FROM seen)::text, '{}', 'and_agg of sets with nothing in common');
SELECT is((SELECT receipt_bitmap_or_agg(add_range('{}', 0, 2147483648)) FROM generate_series(1, 3))::text, '{0-2147483647}', 'or_agg of the largest set');
SELECT is((SELECT receipt_bitmap_and_agg(add_range('{}', g, 2147483648)) FROM generate_series(1, 3) g)::text, '{3-2147483647}', 'and_agg of large sets');

-- NULLs and nothing.
SELECT is((SELECT receipt_bitmap_agg(slot) FROM receipts WHERE false), NULL, 'without rows, NULL');
SELECT is((SELECT receipt_bitmap_or_agg(NULL)), NULL, 'with NULLs only, NULL');
SELECT is((SELECT receipt_bitmap_and_agg(NULL)), NULL, 'the same for and_agg');
SELECT is((SELECT receipt_bitmap_agg(v) FROM (VALUES (3), (NULL), (1)) x (v))::text, '{1,3}', 'NULLs are ignored');
SELECT is((SELECT receipt_bitmap_and_agg(v) FROM (VALUES ('{1-5}'::receipt_bitmap), (NULL), ('{3-9}')) x (v))::text, '{3-5}', 'in and_agg too');
SELECT is((SELECT receipt_bitmap_and_agg(v) FROM (VALUES ('{}'::receipt_bitmap), ('{3-9}')) x (v))::text, '{}', 'an empty set is not nothing');
SELECT is((SELECT receipt_bitmap_agg(DISTINCT slot ORDER BY slot DESC) FROM receipts), (SELECT receipt_bitmap_agg(slot) FROM receipts), 'DISTINCT and ORDER BY');
SELECT is((SELECT receipt_bitmap_agg(slot) FILTER (WHERE slot < 3) FROM receipts)::text, '{0-2}', 'FILTER');
SELECT test.refused('SELECT receipt_bitmap_agg(v) FROM (VALUES (1), (-1)) x (v)', '22003', 'a negative number');
SELECT test.refused('SELECT receipt_bitmap_agg(v) FROM (VALUES (1), (2147483648)) x (v)', '22003', 'a large number');

-- Parallel: the plan is, and gives the same bytes.
CREATE FUNCTION test.parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json, COSTS off) ' || query INTO plan;
  RETURN jsonb_path_exists(plan, '$.**."Partial Mode" ? (@ == "Partial")') AND jsonb_path_exists(plan, '$.**."Node Type" ? (@ starts with "Gather")');
END $$;
CREATE TABLE test.serial AS
  SELECT 'agg' AS what, receipt_bitmap_agg(wide) AS s FROM receipts UNION ALL SELECT 'or', receipt_bitmap_or_agg(wides) FROM seen
  UNION ALL SELECT 'and', receipt_bitmap_and_agg(slots | 5 | 7) FROM seen UNION ALL SELECT 'none', receipt_bitmap_and_agg(slots) FROM seen WHERE message < 0
  UNION ALL SELECT 'one', receipt_bitmap_and_agg(slots) FROM seen WHERE message = 3;
CREATE TABLE test.serial_groups AS SELECT message, receipt_bitmap_agg(wide) AS s FROM receipts GROUP BY message;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
ALTER TABLE seen SET (parallel_workers = 3);
ALTER TABLE receipts SET (parallel_workers = 3);
SELECT ok(test.parallel('SELECT receipt_bitmap_agg(wide) FROM receipts') AND test.parallel('SELECT receipt_bitmap_or_agg(wides) FROM seen')
  AND test.parallel('SELECT receipt_bitmap_and_agg(slots) FROM seen'), 'plans are parallel');
SELECT is((SELECT receipt_bitmap_send(receipt_bitmap_agg(wide)) FROM receipts), (SELECT receipt_bitmap_send(s) FROM test.serial WHERE what = 'agg'), 'agg');
SELECT is((SELECT receipt_bitmap_send(receipt_bitmap_or_agg(wides)) FROM seen), (SELECT receipt_bitmap_send(s) FROM test.serial WHERE what = 'or'), 'or_agg');
SELECT is((SELECT receipt_bitmap_send(receipt_bitmap_and_agg(slots | 5 | 7)) FROM seen), (SELECT receipt_bitmap_send(s) FROM test.serial WHERE what = 'and'), 'and_agg');
SELECT is((SELECT receipt_bitmap_and_agg(slots) FROM seen WHERE message < 0), NULL, 'and_agg without rows');
SELECT is((SELECT receipt_bitmap_and_agg(slots) FROM seen WHERE message = 3), (SELECT s FROM test.serial WHERE what = 'one'), 'and_agg where most workers have no row');
SELECT is_empty($$ SELECT message FROM (SELECT message, receipt_bitmap_agg(wide) AS s FROM receipts GROUP BY message) p JOIN test.serial_groups g USING (message)
  WHERE receipt_bitmap_send(p.s) <> receipt_bitmap_send(g.s) $$, 'groups');
RESET max_parallel_workers_per_gather;

-- Windows: the final function leaves the state as it was.
SELECT is_empty($$
  SELECT id FROM (SELECT id, receipt_bitmap_agg(slot) OVER (ORDER BY id) AS s, array_agg(slot) OVER (ORDER BY id) AS a FROM receipts WHERE message = 3) x
  WHERE s::int[] <> ARRAY(SELECT DISTINCT unnest(a) ORDER BY 1) $$, 'running: OVER (ORDER BY)');
SELECT is_empty($$
  SELECT id FROM (SELECT id, receipt_bitmap_agg(wide) OVER w AS s, array_agg(wide) OVER w AS a FROM receipts WHERE message < 5
    WINDOW w AS (PARTITION BY message ORDER BY id ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING)) x
  WHERE s::int[] <> ARRAY(SELECT DISTINCT unnest(a) ORDER BY 1) $$, 'sliding: ROWS BETWEEN');
SELECT is_empty($$
  SELECT message FROM (SELECT message, receipt_bitmap_and_agg(slots) OVER w AS s, receipt_bitmap_or_agg(slots) OVER w AS o,
      first_value(slots) OVER w AS f, nth_value(slots, 2) OVER w AS n FROM seen WINDOW w AS (ORDER BY message ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)) x
  WHERE s <> (f & coalesce(n, f)) OR o <> (f | coalesce(n, f)) $$, 'and_agg and or_agg OVER');
SELECT is_empty($$
  SELECT message FROM (SELECT message, receipt_bitmap_and_agg(slots) OVER (ORDER BY message) AS s, lag(slots) OVER (ORDER BY message) AS l FROM seen) x
  WHERE NOT l @> s $$, 'a running and_agg only shrinks');
SELECT is_empty($$ SELECT id FROM (SELECT id, receipt_bitmap_agg(slot) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) AS s FROM receipts WHERE message = 3) x
  WHERE s IS NULL AND id > 503 $$, 'empty frames are NULL, others not');

\ir teardown.psql
