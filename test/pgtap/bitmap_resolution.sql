-- Which operator and function a call finds, and the types of results: typed, untyped and NULL arguments.
\set file bitmap_resolution
\ir setup.psql
SELECT plan(78);

CREATE TABLE messages (id int PRIMARY KEY, seen receipt_bitmap NOT NULL DEFAULT '{}');
INSERT INTO messages VALUES (1, '{0-3,17}');

-- One expression each: its type and its value.
CREATE FUNCTION test.says_type(expression text, type regtype, value text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  t text;
  v text;
BEGIN
  EXECUTE format('SELECT pg_typeof(%s)::text, (%s)::text FROM messages', expression, expression) INTO t, v;
  RETURN NEXT is(t || ' ' || coalesce(v, 'NULL'), type::text || ' ' || value, expression);
END $$;
SELECT test.says_type(e, t::regtype, v) FROM (VALUES
  ('seen | 18', 'receipt_bitmap', '{0-3,17,18}'), ('seen | 18::smallint', 'receipt_bitmap', '{0-3,17,18}'),
  ('seen | 18::bigint', 'receipt_bitmap', '{0-3,17,18}'), ('seen | ''18''', 'receipt_bitmap', '{0-3,17,18}'),
  ('seen | ''{18}''', 'receipt_bitmap', '{0-3,17,18}'), ('18 | seen', 'receipt_bitmap', '{0-3,17,18}'),
  ('18::smallint | seen', 'receipt_bitmap', '{0-3,17,18}'), ('18::bigint | seen', 'receipt_bitmap', '{0-3,17,18}'),
  ('''18'' | seen', 'receipt_bitmap', '{0-3,17,18}'), ('seen - 17', 'receipt_bitmap', '{0-3}'),
  ('seen - 17::smallint', 'receipt_bitmap', '{0-3}'), ('seen - 17::bigint', 'receipt_bitmap', '{0-3}'),
  ('seen - ''17''', 'receipt_bitmap', '{0-3}'), ('seen - ''{17}''', 'receipt_bitmap', '{0-3}'),
  ('seen & ''{2-20}''', 'receipt_bitmap', '{2,3,17}'), ('seen # ''{3,4}''', 'receipt_bitmap', '{0-2,4,17}'),
  ('seen @> 17', 'boolean', 'true'), ('seen @> 17::smallint', 'boolean', 'true'), ('seen @> 17::bigint', 'boolean', 'true'),
  ('seen @> ''17''', 'boolean', 'true'), ('seen @> ''{17,18}''', 'boolean', 'false'), ('17 <@ seen', 'boolean', 'true'),
  ('17::smallint <@ seen', 'boolean', 'true'), ('17::bigint <@ seen', 'boolean', 'true'), ('''17'' <@ seen', 'boolean', 'true'),
  ('seen && ''{17,18}''', 'boolean', 'true'), ('seen = ''{0-3,17}''', 'boolean', 'true'), ('seen <> ''{}''', 'boolean', 'true'),
  ('seen < ''{1}''', 'boolean', 'true'), ('seen > ''{0-3}''', 'boolean', 'true'), ('seen <= seen', 'boolean', 'true'), ('seen >= ''{0,1}''', 'boolean', 'true'),
  ('#seen', 'bigint', '5'), ('#(seen | 18)', 'bigint', '6'), ('cardinality(seen)', 'bigint', '5'), ('cardinality(ARRAY[1,2])', 'integer', '2'),
  ('is_empty(seen)', 'boolean', 'false'), ('min_member(seen)', 'integer', '0'), ('max_member(seen)', 'integer', '17'),
  ('max_member(''{}'')', 'integer', 'NULL'), ('rank_of(seen, 3)', 'bigint', '4'), ('rank_of(seen, 3::smallint)', 'bigint', '4'),
  ('rank_of(seen, 3000000000)', 'bigint', '5'), ('rank_of(seen, -1)', 'bigint', '0'), ('rank_of(seen, ''3'')', 'bigint', '4'),
  ('range_cardinality(seen, 1, 18)', 'bigint', '4'), ('range_cardinality(seen, ''1'', ''17'')', 'bigint', '3'),
  ('range_cardinality(seen, -9223372036854775808, 9223372036854775807)', 'bigint', '5'),
  ('range_cardinality(seen, 9223372036854775807, -9223372036854775808)', 'bigint', '0'),
  ('add_range(''{}'', 0, 30)', 'receipt_bitmap', '{0-29}'), ('add_range(seen, 0, 2147483648)', 'receipt_bitmap', '{0-2147483647}'),
  ('add_range(seen, 5, 5)', 'receipt_bitmap', '{0-3,17}'), ('add_range(seen, 9, -9)', 'receipt_bitmap', '{0-3,17}'),
  ('remove_range(seen, -5, 3)', 'receipt_bitmap', '{3,17}'), ('remove_range(seen, 1, 9223372036854775807)', 'receipt_bitmap', '{0}'),
  ('seen::int[]', 'integer[]', '{0,1,2,3,17}'), ('ARRAY[3,1,3]::receipt_bitmap', 'receipt_bitmap', '{1,3}'),
  ('''{{1,2},{3,4}}''::int[]::receipt_bitmap', 'receipt_bitmap', '{1-4}'), ('''{}''::int[]::receipt_bitmap', 'receipt_bitmap', '{}'),
  ('receipt_bitmap ''17''', 'receipt_bitmap', '{17}'), ('to_jsonb(seen)', 'jsonb', '"{0-3,17}"'), ('''17''::receipt_bitmap | seen', 'receipt_bitmap', '{0-3,17}')
) AS x (e, t, v);

-- As drivers send parameters: of no type, in text.
PREPARE add_member AS UPDATE messages SET seen = seen | $1 WHERE id = 1 RETURNING seen::text;
SELECT results_eq('EXECUTE add_member(''18'')', ARRAY['{0-3,17,18}'], 'seen | $1 with a number');
SELECT results_eq('EXECUTE add_member(''{20-22}'')', ARRAY['{0-3,17,18,20-22}'], 'and with a set');
PREPARE remove_member AS UPDATE messages SET seen = seen - $1 WHERE id = 1 RETURNING seen::text;
SELECT results_eq('EXECUTE remove_member(''18'')', ARRAY['{0-3,17,20-22}'], 'seen - $1');
PREPARE has_member AS SELECT seen @> $1, $1 <@ seen, seen && $1, $1 | seen = seen FROM messages WHERE id = 1;
SELECT results_eq('EXECUTE has_member(''17'')', 'VALUES (true, true, true, true)', 'seen @> $1, $1 <@ seen, seen && $1, $1 | seen');
PREPARE ranks AS SELECT rank_of(seen, $1), range_cardinality(seen, $1, $2), add_range(seen, $1, $2)::text FROM messages WHERE id = 1;
SELECT results_eq('EXECUTE ranks(''1'', ''3'')', $$ VALUES (2::bigint, 2::bigint, '{0-3,17,20-22}') $$, 'rank_of, range_cardinality, add_range');
SELECT is((SELECT array_agg(t::text ORDER BY p.name) FROM pg_prepared_statements p, unnest(p.parameter_types) t WHERE p.name <> 'ranks'),
  '{receipt_bitmap,receipt_bitmap,receipt_bitmap}', 'untyped parameters beside a set are sets');

-- As drivers send typed ones.
PREPARE add_bigint(bigint) AS SELECT (seen | $1)::text, seen @> $1, (seen - $1)::text FROM messages WHERE id = 1;
SELECT results_eq('EXECUTE add_bigint(3)', $$ VALUES ('{0-3,17,20-22}', true, '{0-2,17,20-22}') $$, 'bigint parameters, as JDBC setLong');
PREPARE add_smallint(smallint) AS SELECT (seen | $1)::text, seen @> $1, (seen - $1)::text FROM messages WHERE id = 1;
SELECT results_eq('EXECUTE add_smallint(3)', $$ VALUES ('{0-3,17,20-22}', true, '{0-2,17,20-22}') $$, 'smallint parameters');

-- Assignment casts.
INSERT INTO messages VALUES (2, ARRAY[5, 4, 4]);
SELECT is(seen::text, '{4,5}', 'an array goes into a column of sets') FROM messages WHERE id = 2;

-- NULL in, NULL out.
SELECT is_empty($$
  SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  WHERE p.prokind = 'f' AND 'receipt_bitmap'::regtype = ANY (p.proargtypes::oid[]) AND NOT p.proisstrict
    AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[]) $$, 'every function of sets is strict');
SELECT ok((NULL::receipt_bitmap | 3) IS NULL AND (seen | NULL::int) IS NULL AND (seen @> NULL::receipt_bitmap) IS NULL AND #NULL::receipt_bitmap IS NULL
  AND (seen = NULL) IS NULL AND rank_of(seen, NULL) IS NULL, 'NULL arguments give NULL') FROM messages WHERE id = 1;
SELECT is((SELECT count(*) FROM members(NULL)), 0::bigint, 'members(NULL) has no rows');

-- Refused, with the SQLSTATE.
SELECT test.refused('SELECT seen | 2147483648 FROM messages', '22003', 'beyond the greatest member');
SELECT test.refused('SELECT seen | -1 FROM messages', '22003', 'below 0');
SELECT test.refused('SELECT seen @> -1::smallint FROM messages', '22003', 'also for a question');
SELECT test.refused('SELECT seen - 9223372036854775807 FROM messages', '22003', 'and a removal');

\ir teardown.psql
