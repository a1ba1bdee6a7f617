-- Functions of sets in queries that are compiled, our own bitcode inlined. (Without LLVM the settings do nothing.)
\set file bitmap_jit
\ir setup.psql
SELECT plan(4);
CREATE TABLE t AS SELECT g AS id, add_range('{}', g % 7, g % 30 + 8) | g * 3 AS s, ARRAY[g, 2] AS a FROM generate_series(1, 300) g;
CREATE TABLE test.plain AS
  SELECT id, s | 5 AS a, s & '{3-9}' AS b, s - 3::bigint AS c, s # '{1}' AS d, s @> 8 AS e, s && '{4}' AS f, #s AS g, rank_of(s, 9) AS h, a::receipt_bitmap AS i, s::int[] AS j FROM t;
CREATE TABLE test.plain_aggregates AS
  SELECT receipt_bitmap_agg(id) AS a, receipt_bitmap_or_agg(s) AS b, receipt_bitmap_and_agg(s) AS c, count(DISTINCT s) AS d, min(s::text) AS e FROM t;
CREATE FUNCTION test.compiled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
  RETURN (plan->0->'JIT'->'Options'->>'Inlining')::boolean;
END $$;
SET jit = on;
SET jit_above_cost = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
SELECT ok(NOT pg_jit_available() OR test.compiled('SELECT s | 5 FROM t'), 'the query is compiled');
SELECT is_empty($$
  (SELECT id, s | 5, s & '{3-9}', s - 3::bigint, s # '{1}', s @> 8, s && '{4}', #s, rank_of(s, 9), a::receipt_bitmap, s::int[] FROM t) EXCEPT TABLE test.plain $$, 'operators and functions');
SELECT is_empty($$
  (SELECT receipt_bitmap_agg(id), receipt_bitmap_or_agg(s), receipt_bitmap_and_agg(s), count(DISTINCT s), min(s::text) FROM t) EXCEPT TABLE test.plain_aggregates $$, 'aggregates');
SELECT test.refused($$ SELECT s | -id FROM t $$, '22003', 'errors');
\ir teardown.psql
