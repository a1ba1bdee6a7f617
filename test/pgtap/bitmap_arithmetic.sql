-- Every operator and function of receipt_bitmap against the same arithmetic on int[], on random sets of every shape.
\set file bitmap_arithmetic
\ir setup.psql
SELECT plan(37);
SELECT setseed(0.25);

-- The twin: sorted arrays without duplicates.
CREATE FUNCTION test.sorted(a int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(e ORDER BY e), '{}') FROM (SELECT DISTINCT unnest(a) AS e) u $$;
CREATE FUNCTION test.both(a int[], b int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(e ORDER BY e), '{}') FROM (SELECT unnest(a) AS e INTERSECT SELECT unnest(b)) u $$;
CREATE FUNCTION test.without(a int[], b int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(e ORDER BY e), '{}') FROM (SELECT unnest(a) AS e EXCEPT SELECT unnest(b)) u $$;
CREATE FUNCTION test.written(a int[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '{' || coalesce(string_agg(CASE WHEN n = 1 THEN lo::text WHEN n = 2 THEN lo || ',' || hi ELSE lo || '-' || hi END, ',' ORDER BY lo), '') || '}'
  FROM (SELECT min(e) AS lo, max(e) AS hi, count(*) AS n
        FROM (SELECT e, e::bigint - row_number() OVER (ORDER BY e) AS island FROM unnest(a) e) x GROUP BY island) r $$;

-- n numbers out of [base, base + span), in bursts of the given length.
CREATE FUNCTION test.pick(base bigint, span bigint, n int, burst int) RETURNS int[] LANGUAGE sql VOLATILE AS $$
  SELECT test.sorted(array_agg(m::int)) FROM (
    SELECT start + g AS m FROM (SELECT base + floor(random() * span)::bigint AS start FROM generate_series(1, n)) s,
      generate_series(0, burst - 1) g) x
  WHERE m < base + span AND m <= 2147483647 $$;

CREATE TABLE test.sets (id serial PRIMARY KEY, shape text, elements int[], members receipt_bitmap);
INSERT INTO test.sets (shape, elements)
  SELECT 'empty', '{}' FROM generate_series(1, 2)
  UNION ALL SELECT 'one member', test.pick(0, 40, 1, 1) FROM generate_series(1, 10)
  UNION ALL SELECT 'group of 30', test.pick(0, 30, 1 + floor(random() * 60)::int, 1) FROM generate_series(1, 120)
  UNION ALL SELECT 'one run', test.pick(floor(random() * 50)::int, 300, 1, 1 + floor(random() * 200)::int) FROM generate_series(1, 40)
  UNION ALL SELECT 'thousand', test.pick(0, 1000, floor(random() * 1500)::int + 1, 1) FROM generate_series(1, 60)
  UNION ALL SELECT 'runs', test.pick(0, 3000, 1 + floor(random() * 30)::int, 1 + floor(random() * 60)::int) FROM generate_series(1, 60)
  UNION ALL SELECT 'sparse', test.pick(0, 200000, 1 + floor(random() * 400)::int, 1) FROM generate_series(1, 60)
  UNION ALL SELECT 'across chunks', test.pick(65536 - 300, 600, 1 + floor(random() * 300)::int, 1 + floor(random() * 4)::int) FROM generate_series(1, 40)
  UNION ALL SELECT 'far apart', test.pick(0, 2147483648, 1 + floor(random() * 300)::int, 1 + floor(random() * 20)::int) FROM generate_series(1, 40)
  UNION ALL SELECT 'at the end', test.pick(2147483648 - 400, 400, 1 + floor(random() * 100)::int, 1 + floor(random() * 5)::int) FROM generate_series(1, 20);
UPDATE test.sets SET elements = coalesce(elements, '{}');
UPDATE test.sets SET members = elements::receipt_bitmap;
CREATE TABLE test.pairs AS
  SELECT x.elements AS a, y.elements AS b, x.members AS sa, y.members AS sb, x.shape || ', ' || y.shape AS shapes
  FROM (SELECT 1 + floor(random() * (SELECT max(id) FROM test.sets))::int AS i, 1 + floor(random() * (SELECT max(id) FROM test.sets))::int AS j
        FROM generate_series(1, 1500)) r
  JOIN test.sets x ON x.id = r.i JOIN test.sets y ON y.id = r.j;
-- Neighbours too: sets that differ by a few members, where random pairs have nothing in common.
INSERT INTO test.pairs
  SELECT elements, test.both(test.sorted(elements || elements[1] + 1 || coalesce(elements[3], 7)), NULL), NULL, NULL, shape || ', changed'
  FROM test.sets WHERE cardinality(elements) > 0 AND elements[1] < 2147483647;
UPDATE test.pairs SET b = test.sorted(test.without(a, ARRAY[a[2]]) || a[1] + 1) WHERE sa IS NULL;
UPDATE test.pairs SET sa = a::receipt_bitmap, sb = b::receipt_bitmap WHERE sa IS NULL;
SELECT cmp_ok(count(*), '>', 1500::bigint, 'there are pairs to look at') FROM test.pairs;

-- In and out.
SELECT is_empty($$ SELECT shape, elements, members FROM test.sets WHERE members::int[] <> elements $$, 'to int[] and back');
SELECT is_empty($$ SELECT shape, members::text, test.written(elements) FROM test.sets WHERE members::text <> test.written(elements) $$, 'the text form');
SELECT is_empty($$ SELECT shape, members FROM test.sets WHERE receipt_bitmap_send(members::text::receipt_bitmap) <> receipt_bitmap_send(members) $$,
  'text and back has the same bytes');
SELECT is_empty($$
  SELECT shape, elements FROM test.sets WHERE receipt_bitmap_send(members) <> receipt_bitmap_send((
    SELECT '{' || coalesce(string_agg(e::text, ' , ' ORDER BY random()), '') || '}' FROM unnest(elements || elements[1:3]) e)::receipt_bitmap) $$,
  'the order of the text, duplicates and white space do not matter');
SELECT is_empty($$
  SELECT shape, elements FROM test.sets WHERE receipt_bitmap_send(members) <> receipt_bitmap_send((
    SELECT coalesce(array_agg(e ORDER BY random()), '{}') FROM unnest(elements || elements[1:3]) e)::receipt_bitmap) $$,
  'nor does that of an array');
SELECT is_empty($$ SELECT shape FROM test.sets, LATERAL (SELECT array_agg(m) AS all_members FROM members(members) m) x
  WHERE coalesce(all_members, '{}') <> elements $$, 'members() gives all, ascending');

-- Sets and sets.
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa | sb)::int[] <> test.sorted(a || b) $$, '|');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa & sb)::int[] <> test.both(a, b) $$, '&');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa - sb)::int[] <> test.without(a, b) $$, '-');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa # sb)::int[] <> test.without(test.sorted(a || b), test.both(a, b)) $$, '#');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa @> sb) <> (a @> b) OR (sb <@ sa) <> (b <@ a) $$, '@> and <@');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE NOT ((sa | sb) @> sa AND (sa & sb) <@ sb AND NOT sa && (sb - sa)) $$, '@> and <@ where they hold');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa && sb) <> (a && b) $$, '&&');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE (sa = sb) <> (a = b) OR (sa <> sb) <> (a <> b) $$, '= and <>');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs
  WHERE (sa < sb, sa <= sb, sa > sb, sa >= sb) IS DISTINCT FROM (a < b, a <= b, a > b, a >= b) $$, '<, <=, > and >= as int[]');
SELECT is_empty($$ SELECT shapes, a, b FROM test.pairs WHERE sign(receipt_bitmap_cmp(sa, sb)) <> sign(btarraycmp(a, b)) $$, 'the order of btree');
SELECT is_empty($$ SELECT shapes FROM test.pairs WHERE (sa | sb) <> (sb | sa) OR (sa & sb) <> (sb & sa) OR (sa # sb) <> (sb # sa)
  OR ((sa - sb) | (sb - sa)) <> (sa # sb) OR sa - (sa - sb) <> (sa & sb) OR (sa | sb) - sb <> sa - sb $$, 'the algebra holds');
SELECT is_empty($$ SELECT shapes FROM test.pairs WHERE receipt_bitmap_send((sa | sb) - (sb - sa)) <> receipt_bitmap_send(sa)
  OR receipt_bitmap_send((sa # sb) # sb) <> receipt_bitmap_send(sa)
  OR receipt_bitmap_send((sa | sb) & sa) <> receipt_bitmap_send(sa) $$, 'equal sets have equal bytes, whichever way they came about');
SELECT is_empty($$ SELECT shapes FROM test.pairs WHERE receipt_bitmap_hash((sa | sb) - (sb - sa)) <> receipt_bitmap_hash(sa)
  OR receipt_bitmap_hash_extended((sa # sb) # sb, 42) <> receipt_bitmap_hash_extended(sa, 42) $$, 'and equal hashes');
SELECT is_empty($$ SELECT shape FROM test.sets WHERE receipt_bitmap_hash(members) <> ('x' || lpad(right(to_hex(receipt_bitmap_hash_extended(members, 0)), 8), 8, '0'))::bit(32)::int $$,
  'the short hash is the lower half of the long one, as hash partitioning wants it');
SELECT cmp_ok(count(DISTINCT receipt_bitmap_hash(members)), '>=', count(DISTINCT elements) - 1, 'different sets have different hashes') FROM test.sets;

-- Sets and numbers: of each integer type.
CREATE TABLE test.marks AS
  SELECT elements AS a, members AS sa, shape,
    CASE floor(random() * 4) WHEN 0 THEN floor(random() * 100)::int WHEN 1 THEN coalesce(elements[1 + floor(random() * cardinality(elements))::int], 5)
      WHEN 2 THEN least(coalesce(elements[cardinality(elements)], 9)::bigint + 1, 2147483647)::int ELSE floor(random() * 2147483648)::int END AS m
  FROM test.sets, generate_series(1, 8);
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE (sa | m)::int[] <> test.sorted(a || m) $$, 'set | int');
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE receipt_bitmap_send(m | sa) <> receipt_bitmap_send(sa | m) OR receipt_bitmap_send(m::bigint | sa) <> receipt_bitmap_send(sa | m)
  OR receipt_bitmap_send(sa | m::bigint) <> receipt_bitmap_send(sa | m) $$, 'int | set, bigint | set, set | bigint');
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE (sa - m)::int[] <> array_remove(a, m) OR (sa - m::bigint) <> (sa - m) $$, 'set - int, set - bigint');
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE (sa @> m) <> (a @> ARRAY[m]) OR (m <@ sa) <> (a @> ARRAY[m])
  OR (sa @> m::bigint) <> (a @> ARRAY[m]) OR (m::bigint <@ sa) <> (a @> ARRAY[m]) $$, 'set @> int, int <@ set, and with bigint');
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE m <= 32767
  AND ((sa | m::smallint) <> (sa | m) OR (m::smallint | sa) <> (sa | m) OR (sa - m::smallint) <> (sa - m)
       OR (sa @> m::smallint) <> (sa @> m) OR (m::smallint <@ sa) <> (sa @> m)) $$, 'smallint everywhere');

-- Counts and ranges.
SELECT is_empty($$ SELECT shape FROM test.sets WHERE #members <> cardinality(elements) OR cardinality(members) <> cardinality(elements)
  OR is_empty(members) <> (elements = '{}') $$, '#, cardinality and is_empty');
SELECT is_empty($$ SELECT shape FROM test.sets WHERE min_member(members) IS DISTINCT FROM elements[1]
  OR max_member(members) IS DISTINCT FROM elements[cardinality(elements)] $$, 'min_member and max_member, NULL of the empty set');
SELECT is_empty($$ SELECT shape, a, m FROM test.marks WHERE rank_of(sa, m) <> (SELECT count(*) FROM unnest(a) e WHERE e <= m) $$, 'rank_of');
CREATE TABLE test.bounds AS
  SELECT a, sa, shape, (m::bigint - floor(random() * 50)::int) AS lower, (m::bigint + floor(random() * (CASE WHEN random() < 0.5 THEN 100 ELSE 100000 END))::int) AS upper FROM test.marks;
UPDATE test.bounds SET lower = upper + 3 WHERE random() < 0.05;
SELECT is_empty($$ SELECT shape, a, lower, upper FROM test.bounds
  WHERE range_cardinality(sa, lower, upper) <> (SELECT count(*) FROM unnest(a) e WHERE e >= lower AND e < upper) $$, 'range_cardinality');
SELECT is_empty($$ SELECT shape, a, lower, upper FROM test.bounds
  WHERE range_cardinality(sa, lower, upper) <> CASE WHEN lower < upper THEN rank_of(sa, upper - 1) - rank_of(sa, lower - 1) ELSE 0 END $$, 'and by rank_of');
SELECT is_empty($$ SELECT shape, a, lower, upper FROM test.bounds
  WHERE remove_range(sa, lower, upper)::int[] <> (SELECT coalesce(array_agg(e ORDER BY e), '{}') FROM unnest(a) e WHERE NOT (e >= lower AND e < upper)) $$, 'remove_range');
CREATE TABLE test.inside AS
  SELECT a, sa, shape, greatest(lower, 0) AS lower, least(upper, greatest(lower, 0) + 200, 2147483648) AS upper FROM test.bounds WHERE lower < upper;
SELECT is_empty($$ SELECT shape, a, lower, upper FROM test.inside WHERE add_range(sa, lower, upper)::int[]
  <> test.sorted(a || ARRAY(SELECT g::int FROM generate_series(lower, upper - 1) g)) $$, 'add_range');
SELECT is_empty($$ SELECT shape, a, lower, upper FROM test.inside WHERE receipt_bitmap_send(remove_range(add_range(sa, lower, upper), lower, upper))
  <> receipt_bitmap_send(sa - add_range('{}', lower, upper)) $$, 'ranges and sets agree, to the byte');

-- Large ones, by laws that need no array.
CREATE TABLE test.large AS
  SELECT 1 AS i, add_range('{}', 0, 2147483648) AS s
  UNION ALL SELECT 2, add_range('{}', 1000, 1000000) - add_range('{}', 70000, 80000)
  UNION ALL SELECT 3, (SELECT receipt_bitmap_agg(m) FROM (SELECT floor(random() * 100000)::int AS m FROM generate_series(1, 70000)) x)
  UNION ALL SELECT 4, (SELECT receipt_bitmap_agg(m) FROM (SELECT floor(random() * 2147483648)::bigint AS m FROM generate_series(1, 100000)) x)
  UNION ALL SELECT 5, (SELECT receipt_bitmap_agg(m * 2) FROM generate_series(0, 500000) m)
  UNION ALL SELECT 6, (SELECT receipt_bitmap_agg(m * 32768) FROM generate_series(0, 65535) m);
SELECT is_empty($$ SELECT x.i, y.i FROM test.large x, test.large y
  WHERE cardinality(x.s | y.s) + cardinality(x.s & y.s) <> cardinality(x.s) + cardinality(y.s)
    OR cardinality(x.s # y.s) <> cardinality(x.s - y.s) + cardinality(y.s - x.s) OR (x.s && y.s) = is_empty(x.s & y.s)
    OR (x.s @> y.s) <> is_empty(y.s - x.s) OR (x.s | y.s) <> (y.s | x.s) OR ((x.s | y.s) - (y.s - x.s)) <> x.s
    OR receipt_bitmap_send((x.s # y.s) # x.s) <> receipt_bitmap_send(y.s) $$, 'the algebra of large sets');
SELECT results_eq($$ SELECT i, #s FROM test.large WHERE i IN (1, 2, 5, 6) ORDER BY i $$,
  $$ VALUES (1, 2147483648), (2, 989000), (5, 500001), (6, 65536) $$, 'and their counts');

\ir teardown.psql
