-- group_receipts_agg and group_receipts_merge_agg: serial, parallel, as window functions and with FILTER, against
-- plain SQL.
\set file group_aggregates
\ir setup.psql
SELECT plan(28);
SELECT setseed(0.5) \g /dev/null

-- Receipt rows as applications keep them: one per member and change of status.
CREATE TABLE receipt (message int, slot int, status text);
INSERT INTO receipt
SELECT m, s, (ARRAY['sent', 'delivered', 'seen'])[1 + floor(random() * 3)::int]
FROM generate_series(1, 400) m, generate_series(0, 49) s, generate_series(1, 2) WHERE random() < 0.6;
INSERT INTO receipt SELECT 1000, s, 'seen' FROM generate_series(0, 3000) s;
INSERT INTO receipt SELECT 1001, 2147483647 - s, 'delivered' FROM generate_series(0, 200000, 100) s;
ANALYZE receipt;

-- The same in plain SQL.
CREATE TABLE expected AS
SELECT message, format('{recipients=%s,delivered=%s,seen=%s}',
  array_agg(DISTINCT slot)::receipt_bitmap,
  coalesce(array_agg(DISTINCT slot) FILTER (WHERE status <> 'sent'), '{}')::receipt_bitmap,
  coalesce(array_agg(DISTINCT slot) FILTER (WHERE status = 'seen'), '{}')::receipt_bitmap)::group_receipts AS receipts
FROM receipt GROUP BY message;

SELECT results_eq('SELECT message, group_receipts_agg(slot, status) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'group_receipts_agg');
SELECT results_eq('SELECT message, group_receipts_agg(slot::bigint, upper(status)) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'of bigint slots, status in upper case');
SELECT results_eq('SELECT message, group_receipts_agg(slot::smallint, status) FROM receipt WHERE message <= 400 GROUP BY message ORDER BY message',
  'SELECT * FROM expected WHERE message <= 400 ORDER BY message', 'of smallint slots');
SELECT results_eq('SELECT message, group_receipts_agg(slot, status ORDER BY slot DESC) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'in another order');
SELECT results_eq('SELECT message, group_receipts_agg(DISTINCT slot, status) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'of distinct rows');

-- States: one per message and status, merged
CREATE TABLE part AS SELECT message, status, group_receipts_agg(slot, status) AS receipts FROM receipt GROUP BY message, status;
ANALYZE part;
SELECT results_eq('SELECT message, group_receipts_merge_agg(receipts) FROM part GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'group_receipts_merge_agg');
SELECT is((SELECT group_receipts_merge_agg(receipts) FROM part), (SELECT group_receipts_agg(slot, status) FROM receipt), 'of all at once');

-- NULLs and nothing
SELECT is((SELECT group_receipts_agg(slot, status) FROM receipt WHERE false), NULL, 'of no row');
SELECT is((SELECT group_receipts_merge_agg(receipts) FROM part WHERE false), NULL, 'merge of no row');
SELECT is((SELECT group_receipts_agg(s, t) FROM (VALUES (NULL::int, 'seen'), (3, NULL)) v(s, t)), NULL, 'of NULLs only');
SELECT is((SELECT group_receipts_agg(s, t)::text FROM (VALUES (NULL::int, 'seen'), (3, NULL), (5, 'sent')) v(s, t)),
  '{recipients={5},delivered={},seen={}}', 'rows with a NULL are ignored');
SELECT is((SELECT group_receipts_merge_agg(r)::text FROM (VALUES (NULL::group_receipts), ('{5}')) v(r)),
  '{recipients={5},delivered={},seen={}}', 'NULL states are ignored');
SELECT is((SELECT group_receipts_merge_agg(r)::text FROM (VALUES ('{}'::group_receipts)) v(r)),
  '{recipients={},delivered={},seen={}}', 'an empty state is none of those');
SELECT is((SELECT group_receipts_agg(slot, status) FILTER (WHERE message = 7) FROM receipt), (SELECT receipts FROM expected WHERE message = 7), 'FILTER');
SELECT test.refused($$SELECT group_receipts_agg(1, 'read')$$, '22023', 'another status');
SELECT test.refused($$SELECT group_receipts_agg(1, '')$$, '22023', 'no status');
SELECT test.refused($$SELECT group_receipts_agg(1, 'seen' || chr(1))$$, '22023', 'nearly a status');
SELECT test.refused($$SELECT group_receipts_agg(-1, 'seen')$$, '22003', 'no slot');

-- Window: the final function is called again and again on one state
SELECT is_empty($$
  SELECT * FROM (
    SELECT slot, status, group_receipts_agg(slot, status) OVER w AS running, array_agg(slot) OVER w AS slots, array_agg(status) OVER w AS statuses
    FROM receipt WHERE message = 7 WINDOW w AS (ORDER BY slot, status ROWS UNBOUNDED PRECEDING)) s
  WHERE running <> (SELECT group_receipts_agg(x, y) FROM unnest(slots, statuses) u(x, y))$$, 'a running aggregate');
SELECT is_empty($$
  SELECT * FROM (
    SELECT group_receipts_merge_agg(receipts) OVER w AS running, array_agg(receipts) OVER w AS states
    FROM part WHERE message < 20 WINDOW w AS (ORDER BY message, status ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)) s
  WHERE running <> (SELECT group_receipts_merge_agg(x) FROM unnest(states) x)$$, 'a moving merge');
SELECT is_empty($$
  SELECT message FROM (SELECT DISTINCT message, group_receipts_agg(slot, status) OVER (PARTITION BY message) AS receipts FROM receipt) s
  JOIN expected e USING (message) WHERE s.receipts <> e.receipts$$, 'a whole partition');

-- Parallel: combine, serialize and deserialize
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
CREATE FUNCTION test.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text; result text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    result := result || line || E'\n';
  END LOOP;
  RETURN result;
END $$;
SELECT matches(test.plan_of('SELECT group_receipts_agg(slot, status) FROM receipt'), 'Partial Aggregate', 'group_receipts_agg is computed in parallel');
SELECT is((SELECT group_receipts_agg(slot, status) FROM receipt), (SELECT group_receipts_merge_agg(receipts) FROM expected), 'with the same result');
SELECT matches(test.plan_of('SELECT group_receipts_merge_agg(receipts) FROM part'), 'Partial Aggregate', 'group_receipts_merge_agg too');
SELECT is((SELECT group_receipts_merge_agg(receipts) FROM part), (SELECT group_receipts_merge_agg(receipts) FROM expected), 'with the same result');
SELECT results_eq('SELECT message, group_receipts_agg(slot, status) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'by groups');
SELECT results_eq('SELECT message, group_receipts_merge_agg(receipts) FROM part GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'a merge by groups');
SET enable_hashagg = off;
SELECT results_eq('SELECT message, group_receipts_agg(slot, status) FROM receipt GROUP BY message ORDER BY message',
  'SELECT * FROM expected ORDER BY message', 'sorted');

\ir teardown.psql
