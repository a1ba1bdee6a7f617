-- A GIN index gives exactly what a sequential scan gives, for every operator it supports, in 10,000 random queries.
\set file bitmap_gin
\ir setup.psql
SELECT plan(26);
SELECT setseed(0.125);

CREATE TABLE messages (id int PRIMARY KEY, seen receipt_bitmap);
INSERT INTO messages
  SELECT g, CASE WHEN g % 50 = 0 THEN '{}' WHEN g % 77 = 0 THEN NULL
    WHEN g % 5 = 0 THEN add_range('{}', floor(random() * 20)::int, 20 + floor(random() * 30)::int)
    WHEN g % 7 = 0 THEN (SELECT receipt_bitmap_agg(floor(random() * 100000)::int) FROM generate_series(1, 20 + g - g))
    WHEN g % 300 = 1 THEN add_range('{}', 100, 1100)
    ELSE (SELECT receipt_bitmap_agg(floor(random() * 40)::int) FROM generate_series(1, 1 + g % 25)) END
  FROM generate_series(1, 2500) g;
CREATE INDEX messages_seen ON messages USING gin (seen);
-- Rows in the pending list as well as in the tree.
INSERT INTO messages SELECT 3000 + g, add_range('{}', g % 40, g % 40 + 3) FROM generate_series(1, 200) g;
DELETE FROM messages WHERE id % 41 = 0;
ANALYZE messages;

CREATE FUNCTION test.random_query(number int, OUT operator text, OUT argument text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  members text;
BEGIN
  operator := (ARRAY['@> set', '@> set', '&&', '=', '@> smallint', '@> int', '@> bigint', '<@ commuted', 'member commuted', '= commuted'])[1 + floor(random() * 10)::int];
  IF operator IN ('@> smallint', '@> int', '@> bigint', 'member commuted') THEN
    argument := CASE WHEN random() < 0.7 THEN floor(random() * 42)::int ELSE floor(random() * 30000)::int END;
    RETURN;
  END IF;
  CASE floor(random() * 6)::int
    WHEN 0 THEN argument := '{}';
    WHEN 1 THEN argument := (SELECT coalesce(seen, '{}')::text FROM messages OFFSET floor(random() * 2000)::int LIMIT 1);
    WHEN 2 THEN argument := format('{%s-%s}', floor(random() * 20)::int, 20 + floor(random() * 40)::int);
    WHEN 3 THEN argument := (SELECT '{' || string_agg(floor(random() * 60)::int::text, ',') || '}' FROM generate_series(1, 1 + floor(random() * 4)::int));
    WHEN 4 THEN argument := format('{%s,%s}', floor(random() * 40)::int, floor(random() * 100000)::int);
    ELSE argument := (ARRAY['{0-2147483647}', '{100-1099}', '{100-1100}', '{50-20000}', '{100-355}', '{100-356}'])[1 + floor(random() * 6)::int];
  END CASE;
END $$;
CREATE TABLE test.queries AS SELECT g AS id, q.* FROM generate_series(1, 10000) g, LATERAL test.random_query(g) q;
SELECT is((SELECT count(*) FROM test.queries), 10000::bigint, '10,000 queries');

-- Counts and ids of a query's rows, by the index or without it.
CREATE FUNCTION test.answer(operator text, argument text, OUT n bigint, OUT ids bigint) LANGUAGE plpgsql AS $$
BEGIN
  CASE operator
    WHEN '@> set' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen @> argument::receipt_bitmap;
    WHEN '&&' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen && argument::receipt_bitmap;
    WHEN '=' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen = argument::receipt_bitmap;
    WHEN '@> smallint' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen @> argument::smallint;
    WHEN '@> int' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen @> argument::int;
    WHEN '@> bigint' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE seen @> argument::bigint;
    WHEN '<@ commuted' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE argument::receipt_bitmap <@ seen;
    WHEN 'member commuted' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE argument::int <@ seen;
    WHEN '= commuted' THEN SELECT count(*), sum(id::bigint * id) INTO n, ids FROM messages WHERE argument::receipt_bitmap = seen;
  END CASE;
END $$;
CREATE FUNCTION test.index_used(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json, COSTS off) SELECT * FROM messages WHERE ' || condition INTO plan;
  RETURN jsonb_path_exists(plan, '$.**."Index Name" ? (@ == "messages_seen")');
END $$;

SET plan_cache_mode = force_custom_plan;
SET enable_seqscan = off;
SELECT ok(test.index_used(c), 'by index: ' || c) FROM unnest(ARRAY[$$ seen @> '{1,2}' $$, $$ seen @> '{}' $$, $$ seen && '{1,2}' $$, $$ seen && '{0-2147483647}' $$,
  $$ seen = '{1,2}' $$, $$ seen = '{}' $$, $$ seen @> 3 $$, $$ seen @> 3::smallint $$, $$ seen @> 3::bigint $$, $$ 3 <@ seen $$, $$ '{3,4}' <@ seen $$]) c;
SELECT ok(NOT test.index_used(c), 'never by index: ' || c) FROM unnest(ARRAY[$$ NOT (seen @> 17) $$, $$ seen <@ '{0-5}' $$]) c;
CREATE TABLE test.by_index AS SELECT q.*, a.n, a.ids FROM test.queries q, LATERAL test.answer(operator, argument) a;
SET enable_bitmapscan = off;
SET enable_indexscan = off;
SET enable_seqscan = on;
SELECT ok(NOT test.index_used($$ seen @> 3 $$), 'and without the index');
CREATE TABLE test.by_scan AS SELECT q.*, a.n, a.ids FROM test.queries q, LATERAL test.answer(operator, argument) a;
RESET enable_bitmapscan;
RESET enable_indexscan;
RESET enable_seqscan;
SELECT is_empty($$ SELECT i.operator, left(i.argument, 60), i.n, s.n FROM test.by_index i JOIN test.by_scan s USING (id)
  WHERE (i.n, i.ids) IS DISTINCT FROM (s.n, s.ids) $$, 'the index gives what the scan gives');
SELECT ok((SELECT count(DISTINCT operator) = 9 AND count(*) FILTER (WHERE n > 0) > 3000 AND count(*) FILTER (WHERE n = 0) > 500 FROM test.by_scan),
  'and there was something to find, or nothing, for every operator')
  FROM (SELECT 1) x;

-- Lossy pages: where the bitmap forgets rows, conditions are checked again.
SET enable_seqscan = off;
SET work_mem = '64kB';
SELECT is((SELECT count(*) FROM messages WHERE seen @> 3), (SELECT n FROM test.answer('@> int', '3')), 'with little memory');
RESET work_mem;

-- The limit, and what is near it.
SELECT test.refused($$ INSERT INTO messages VALUES (9001, '{0-100000}') $$, '54000', '100,001 members are refused');
SELECT test.refused($$ INSERT INTO messages VALUES (9001, '{0-2147483647}') $$, '54000', 'and 2^31 at once');
SELECT test.accepted($$ INSERT INTO messages VALUES (9002, '{0-99999}') $$, '100,000 are not');
SELECT is((SELECT array_agg(id) FROM messages WHERE seen @> '{0-99999}'), '{9002}', 'found by all its members');
SELECT is((SELECT array_agg(id) FROM messages WHERE seen @> '{0-2147483647}'), NULL, 'a larger query finds nothing');
SELECT is((SELECT array_agg(id) FROM messages WHERE seen = '{0-99999}'), '{9002}', 'and by =');
SELECT test.refused($$ SELECT * FROM messages WHERE seen @> -1 $$, '22003', 'out of range is the error that it is without an index');

-- "Not seen by 17" is an index on what has not been seen.
CREATE TABLE m2 (id int PRIMARY KEY, recipients receipt_bitmap, seen receipt_bitmap);
CREATE INDEX m2_waiting ON m2 USING gin ((recipients - seen));
INSERT INTO m2 SELECT g, '{0-29}', CASE WHEN g % 100 = 0 THEN '{0-16,18-29}'::receipt_bitmap ELSE '{0-29}' END FROM generate_series(1, 1000) g;
ANALYZE m2;
SELECT is((SELECT count(*) FROM m2 WHERE (recipients - seen) @> 17), 10::bigint, 'not yet seen by 17, by an index on the difference');

\ir teardown.psql
