-- How sets are stored: sizes, large values read in part, binary copies.
\set file bitmap_storage
\ir setup.psql
SELECT plan(27);
SELECT setseed(0.375);

CREATE TABLE sizes (what text, s receipt_bitmap);
INSERT INTO sizes VALUES ('30 of 30', '{0-29}'),
  ('15 alternating of 30', (SELECT receipt_bitmap_agg(g * 2) FROM generate_series(0, 14) g)),
  ('half of 1,000', (SELECT receipt_bitmap_agg(g) FROM generate_series(0, 999) g WHERE random() < 0.5)),
  ('half of 100,000', (SELECT receipt_bitmap_agg(g) FROM generate_series(0, 99999) g WHERE random() < 0.5)),
  ('all', '{0-2147483647}'), ('none', '{}');
SELECT cmp_ok(pg_column_size(s), '<=', CASE what WHEN '30 of 30' THEN 4 WHEN '15 alternating of 30' THEN 8 WHEN 'half of 1,000' THEN 132
  WHEN 'half of 100,000' THEN 12600 WHEN 'all' THEN 8 ELSE 2 END, what) FROM sizes ORDER BY what;

-- A large value out of line. Blocks are counted, not time.
CREATE TABLE large (id int PRIMARY KEY, s receipt_bitmap);
INSERT INTO large SELECT 1, receipt_bitmap_agg(m) FROM (SELECT floor(random() * 40000000)::int AS m FROM generate_series(1, 2000000)) x;
INSERT INTO large SELECT 2, s FROM large WHERE id = 1;
INSERT INTO large VALUES (3, '{5-9}');
SELECT cmp_ok(pg_column_size(s), '>', 1500000, 'a value of some megabytes') FROM large WHERE id = 1;
SELECT is((SELECT attstorage FROM pg_attribute WHERE attrelid = 'large'::regclass AND attname = 's'), 'e', 'is stored external, not compressed');
SELECT reltoastrelid::regclass AS toast FROM pg_class WHERE oid = 'large'::regclass \gset
SELECT count(*) AS rows_of_toast FROM :toast \gset
SELECT cmp_ok(:rows_of_toast, '>', 1500, 'in thousands of rows');

CREATE FUNCTION test.blocks(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE query;
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json, COSTS off, TIMING off) ' || query INTO plan;
  RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END $$;
SELECT cmp_ok(test.blocks('SELECT s::int[] FROM large WHERE id = 1'), '>', 200::bigint, 'reading all of it takes many blocks');
SELECT cmp_ok(test.blocks('SELECT #s FROM large WHERE id = 1'), '<', 12::bigint, '# reads few');
SELECT cmp_ok(test.blocks('SELECT is_empty(s) FROM large WHERE id = 1'), '<', 12::bigint, 'is_empty reads few');
SELECT cmp_ok(test.blocks('SELECT s @> 17000000 FROM large WHERE id = 1'), '<', 40::bigint, '@> a member reads few');
SELECT cmp_ok(test.blocks('SELECT 17000000 <@ s FROM large WHERE id = 1'), '<', 40::bigint, '<@ too');
SELECT cmp_ok(test.blocks('SELECT rank_of(s, 17000000) FROM large WHERE id = 1'), '<', 40::bigint, 'rank_of too');
SELECT cmp_ok(test.blocks('SELECT range_cardinality(s, 1000, 17000000) FROM large WHERE id = 1'), '<', 60::bigint, 'range_cardinality too');

-- And right: against the same value in memory.
CREATE TABLE probes AS
  SELECT m FROM (SELECT floor(random() * 41000000)::int AS m FROM generate_series(1, 300) UNION ALL SELECT m FROM (SELECT members(s) AS m FROM large WHERE id = 1 LIMIT 100) x
    UNION ALL VALUES (0), (65535), (65536), (39999999), (40000000), (2147483647)) y;
CREATE TABLE answers AS
  SELECT m, s @> m AS is_member, rank_of(s, m) AS rank, range_cardinality(s, m - 70000, m::bigint + 300000) AS within FROM large, probes WHERE id = 1;
SELECT is_empty($$
  WITH inline AS MATERIALIZED (SELECT (s | 3) & (s | 4) AS s FROM large WHERE id = 1)
  SELECT a.* FROM answers a, inline WHERE is_member <> (s @> m) OR rank <> rank_of(s, m) OR within <> range_cardinality(s, m - 70000, m::bigint + 300000) $$,
  'the parts say what the whole says');
SELECT is((SELECT #s FROM large WHERE id = 1), (SELECT count(*) FROM large, members(s) WHERE id = 1), 'the count too');
SELECT ok((SELECT rank_of(s, -1) = 0 AND rank_of(s, 9223372036854775807) = #s AND range_cardinality(s, -9223372036854775808, 9223372036854775807) = #s
  AND range_cardinality(s, 5, 5) = 0 AND range_cardinality(s, 10, -10) = 0 FROM large WHERE id = 1), 'any bounds');
SELECT is((SELECT count(*) FROM large x JOIN large y ON x.s = y.s WHERE x.id < 3 AND y.id < 3), 4::bigint, 'equal values out of line');
SELECT is((SELECT count(DISTINCT s) FROM large), 2::bigint, 'and hashed');

-- Compressed, and with a directory that is larger than the first slice.
CREATE TABLE wide (id int PRIMARY KEY, s receipt_bitmap);
ALTER TABLE wide ALTER s SET STORAGE extended;
INSERT INTO wide SELECT 1, receipt_bitmap_agg(m * 2) FROM generate_series(0, 1000000) m;
ALTER TABLE wide ALTER s SET STORAGE external;
INSERT INTO wide SELECT 2, (s | 5) - 5 FROM wide;
INSERT INTO wide SELECT 3, receipt_bitmap_agg(m) FROM generate_series(0, 2147483647::bigint, 65536) g, LATERAL (VALUES (g), (g + 9), (g + 77)) v (m);
SELECT results_eq('SELECT id, pg_column_compression(s) FROM wide ORDER BY id', $$ VALUES (1, 'pglz'), (2, NULL), (3, NULL) $$, 'a compressed value, and others');
SELECT results_eq('SELECT id, #s, s @> 1900000, s @> 1900001, rank_of(s, 1048576), range_cardinality(s, 65536, 131072) FROM wide WHERE id < 3 ORDER BY id',
  'VALUES (1, 1000001::bigint, true, false, 524289::bigint, 32768::bigint), (2, 1000001, true, false, 524289, 32768)', 'read in parts, compressed or not');
SELECT results_eq('SELECT #s, s @> 2147418112, s @> 2147418113, s @> 2147418121, rank_of(s, 1073741824), range_cardinality(s, 65536, 131072) FROM wide WHERE id = 3',
  'VALUES (98304::bigint, true, false, true, 49153::bigint, 3::bigint)', 'with a directory of 32,768 chunks');

-- Binary copies.
CREATE TABLE source AS SELECT s FROM sizes UNION ALL SELECT s FROM large UNION ALL SELECT s FROM wide;
SELECT is(receipt_bitmap_send('{}'), '\x10', 'the binary form of the empty set');
SELECT is(receipt_bitmap_send('{0-29}'), '\x11001d', 'and of a run: the stored bytes');
SELECT is((SELECT count(*) FROM source x, LATERAL (SELECT receipt_bitmap_send(x.s)) b WHERE x.s::text::receipt_bitmap = x.s), (SELECT count(*) FROM source), 'text of all, and back');

\ir teardown.psql
