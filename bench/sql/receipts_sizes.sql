-- Bytes of a datum: set, peer, bytes, separated by tabs. psql variable: roaring.
\set QUIET on
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
SELECT setseed(0.8) \g /dev/null
CREATE TEMP TABLE sized (what text, universe int, members int[]);
INSERT INTO sized VALUES ('30_of_30', 30, ARRAY(SELECT generate_series(0, 29))), ('15_alternating_of_30', 30, ARRAY(SELECT generate_series(0, 28, 2))),
  ('half_of_1000', 1000, ARRAY(SELECT x FROM generate_series(0, 999) x WHERE random() < 0.5)),
  ('half_of_100000', 100000, ARRAY(SELECT x FROM generate_series(0, 99999) x WHERE random() < 0.5));
CREATE TEMP TABLE stored AS SELECT what, members, members::receipt_bitmap AS set, bench_varbit(members, universe) AS bits FROM sized;
ALTER TABLE stored ALTER bits SET STORAGE external, ALTER members SET STORAGE external;
SELECT what, 'chatopt', pg_column_size(set) FROM stored;
SELECT what, 'varbit', pg_column_size(bits) FROM stored;
SELECT what, 'intarray', pg_column_size(members) FROM stored;
\if :roaring
CREATE TEMP TABLE stored_roaring (what text, set roaringbitmap);
ALTER TABLE stored_roaring ALTER set SET STORAGE external;
INSERT INTO stored_roaring SELECT what, rb_build(members) FROM sized;
SELECT what, 'roaring', pg_column_size(set) FROM stored_roaring;
\endif
CREATE TEMP TABLE stored_group AS
SELECT what, receipts FROM (VALUES ('group_nobody_seen', group_receipts(30)),
  ('group_half_seen', mark_seen(mark_delivered(group_receipts(30), '{0-29}'::receipt_bitmap), '{0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}'::receipt_bitmap)),
  ('group_all_seen', mark_seen(group_receipts(30), '{0-29}'::receipt_bitmap))) v(what, receipts);
SELECT what, 'chatopt', pg_column_size(receipts) FROM stored_group;
