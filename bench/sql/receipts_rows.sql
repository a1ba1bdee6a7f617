-- 1,000,000 rows (:rows) of 30-member sets of 60 slots, as each peer stores them. psql variables: rows, roaring.
\set QUIET on
SET client_min_messages = warning;
SELECT setseed(0.2) \g /dev/null
DROP TABLE IF EXISTS patterns, many_chatopt, many_varbit, many_roaring;
CREATE UNLOGGED TABLE patterns AS
SELECT i, (SELECT array_agg(x) FROM (SELECT x FROM generate_series(0, 59) x WHERE i > 0 ORDER BY random() LIMIT 30) r) AS members FROM generate_series(1, 1000) i;
CREATE UNLOGGED TABLE many_chatopt AS
SELECT p.set FROM generate_series(1, :rows / 1000), (SELECT members::receipt_bitmap AS set FROM patterns OFFSET 0) p;
CREATE UNLOGGED TABLE many_varbit AS
SELECT p.set FROM generate_series(1, :rows / 1000), (SELECT bench_varbit(members, 60) AS set FROM patterns OFFSET 0) p;
\if :roaring
CREATE UNLOGGED TABLE many_roaring AS
SELECT p.set FROM generate_series(1, :rows / 1000), (SELECT rb_build(members) AS set FROM patterns OFFSET 0) p;
\endif
VACUUM ANALYZE many_chatopt;
VACUUM ANALYZE many_varbit;
\if :roaring
VACUUM ANALYZE many_roaring;
\endif
