-- Two sets a and b of :members members each, and s, a half of a, as every peer stores them, drawn from :universe slots.
-- psql variables: members, universe, roaring (true where the extension is there).
\set QUIET on
SET client_min_messages = warning;
SELECT setseed(0.4) \g /dev/null
DROP TABLE IF EXISTS members;
CREATE UNLOGGED TABLE members AS
SELECT (SELECT array_agg(x ORDER BY x) FROM (SELECT x FROM generate_series(0, :universe - 1) x ORDER BY random() LIMIT :members) r) AS a,
       (SELECT array_agg(x ORDER BY x) FROM (SELECT x FROM generate_series(0, :universe - 1) x ORDER BY random() LIMIT :members) r) AS b;
ALTER TABLE members ADD s int[];
UPDATE members SET s = ARRAY(SELECT x FROM unnest(a) WITH ORDINALITY u(x, n) WHERE n % 2 = 0);
DROP TABLE IF EXISTS sets_chatopt, sets_intarray, sets_varbit, sets_roaring;
CREATE UNLOGGED TABLE sets_chatopt AS SELECT a::receipt_bitmap AS a, b::receipt_bitmap AS b, s::receipt_bitmap AS s FROM members;
CREATE UNLOGGED TABLE sets_intarray AS SELECT a, b, s FROM members;
CREATE UNLOGGED TABLE sets_varbit AS SELECT bench_varbit(a, :universe) AS a, bench_varbit(b, :universe) AS b, bench_varbit(s, :universe) AS s FROM members;
\if :roaring
CREATE UNLOGGED TABLE sets_roaring AS SELECT rb_build(a) AS a, rb_build(b) AS b, rb_build(s) AS s FROM members;
\endif
