-- What receipt_bitmap says to values it does not take, word for word.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS chatopt;
\set SHOW_CONTEXT never
\set VERBOSITY default
-- Text.
SELECT ''::receipt_bitmap;
SELECT '{'::receipt_bitmap;
SELECT '}'::receipt_bitmap;
SELECT '{1,}'::receipt_bitmap;
SELECT '{,1}'::receipt_bitmap;
SELECT '{1 2}'::receipt_bitmap;
SELECT '{1-}'::receipt_bitmap;
SELECT '{-}'::receipt_bitmap;
SELECT '{1,-2}'::receipt_bitmap;
SELECT '-1'::receipt_bitmap;
SELECT '{0,2147483648}'::receipt_bitmap;
SELECT '{0-99999999999999999999}'::receipt_bitmap;
SELECT '{1,5-2}'::receipt_bitmap;
SELECT '{1} {2}'::receipt_bitmap;
SELECT '{1};'::receipt_bitmap;
SELECT '{é}'::receipt_bitmap;
SELECT '1.5'::receipt_bitmap;
SELECT 'seen'::receipt_bitmap;
SELECT ('{' || repeat('123,', 100) || 'x}')::receipt_bitmap;
SELECT '{0x10}'::receipt_bitmap;
SELECT '{1--2}'::receipt_bitmap;
-- What it does take.
SELECT ' { 3 , 1 - 2,3,2-3 } '::receipt_bitmap, '7'::receipt_bitmap, E'\t007\n'::receipt_bitmap, '{2147483647}'::receipt_bitmap, '{5-5}'::receipt_bitmap, '{}'::receipt_bitmap;
-- Numbers.
SELECT '{}'::receipt_bitmap | -1;
SELECT '{}'::receipt_bitmap | 2147483648;
SELECT '{}'::receipt_bitmap - (-1)::smallint;
SELECT '{}'::receipt_bitmap @> -9223372036854775808;
SELECT add_range('{}', -1, 5);
SELECT add_range('{}', 0, 2147483649);
SELECT receipt_bitmap_agg(v) FROM (VALUES (1), (-1)) x (v);
-- Arrays.
SELECT ARRAY[1, NULL]::receipt_bitmap;
SELECT ARRAY[1, -1]::receipt_bitmap;
SELECT '{0-2147483647}'::receipt_bitmap::int[];
-- Too large for what is asked.
SELECT add_range('{}', 0, 2147483648) - (SELECT receipt_bitmap_agg(g) FROM generate_series(0, 2147483647::bigint, 40000) g) IS NOT NULL AS taken;
CREATE TEMPORARY TABLE tags (s receipt_bitmap);
CREATE INDEX ON tags USING gin (s);
INSERT INTO tags VALUES ('{0-100000}');
-- Operators that are not there.
SELECT 3 - '{1}'::receipt_bitmap;
SELECT '{1}'::receipt_bitmap | 1.5;
SELECT # '{1}'::receipt_bitmap | 4, #('{1}'::receipt_bitmap | 4);
SELECT rank('{1}'::receipt_bitmap, 1);
