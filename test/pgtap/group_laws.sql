-- group_receipts against plain int[] arithmetic: sets, counts, status, marks and merges of random states, and that the
-- laws hold for all of them: merging is commutative, associative, idempotent and monotone; seen is within delivered,
-- delivered within recipients.
\set file group_laws
\ir setup.psql
SELECT plan(36);
SELECT setseed(0.3) \g /dev/null

CREATE FUNCTION test.plus(a int[], b int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(DISTINCT x ORDER BY x), '{}') FROM unnest(a || b) x $$;
CREATE FUNCTION test.both(a int[], b int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(DISTINCT x ORDER BY x), '{}') FROM unnest(a) x WHERE x = ANY (b) $$;
CREATE FUNCTION test.less(a int[], b int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(array_agg(DISTINCT x ORDER BY x), '{}') FROM unnest(a) x WHERE x <> ALL (b) $$;
-- Each element with probability p.
CREATE FUNCTION test.some(a int[], p float8) RETURNS int[] LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(array_agg(x ORDER BY x), '{}') FROM unnest(a) x WHERE random() < p $$;
CREATE FUNCTION test.share() RETURNS float8 LANGUAGE sql VOLATILE AS
$$ SELECT (ARRAY[0, 0.1, 0.5, 0.9, 1])[1 + floor(random() * 5)::int] $$;

-- Small groups, large ones, none, and slots at the very end.
CREATE TABLE state (id int PRIMARY KEY, recipients int[], delivered int[], seen int[], receipts group_receipts);
DO $$
DECLARE
  all_slots int[];
  r int[]; d int[]; s int[];
BEGIN
  FOR i IN 1..240 LOOP
    all_slots := CASE i % 6
      WHEN 0 THEN '{}'
      WHEN 1 THEN (SELECT array_agg(x) FROM generate_series(0, 1500) x)
      WHEN 2 THEN (SELECT array_agg(x * 7001) FROM generate_series(0, 40) x)
      WHEN 3 THEN (SELECT array_agg(2147483647 - x ORDER BY x DESC) FROM generate_series(0, 29) x)
      ELSE (SELECT array_agg(x) FROM generate_series(0, 29) x) END;
    r := test.some(all_slots, test.share());
    d := test.some(r, test.share());
    s := test.some(d, test.share());
    INSERT INTO state VALUES (i, r, d, s,
      mark_seen(mark_delivered(group_receipts(r::receipt_bitmap), d::receipt_bitmap), s::receipt_bitmap));
  END LOOP;
END $$;
-- For each state three others, of which some are of the same group.
CREATE TABLE pair AS
SELECT a.id AS a_id, b.id AS b_id, a.recipients AS a_recipients, a.delivered AS a_delivered, a.seen AS a_seen, a.receipts AS a,
       b.recipients AS b_recipients, b.delivered AS b_delivered, b.seen AS b_seen, b.receipts AS b
FROM state a CROSS JOIN LATERAL (VALUES (a.id), (1 + (a.id + 5) % 240), (1 + (a.id * 31) % 240)) o(id) JOIN state b ON b.id = o.id;
SELECT cmp_ok((SELECT count(*) FROM state WHERE delivered <> recipients AND seen <> delivered AND seen <> '{}'), '>', 30::bigint,
  'there are states with three different sets');

-- What is in a state
SELECT is_empty('SELECT id FROM state WHERE recipients(receipts)::int[] IS DISTINCT FROM recipients', 'recipients');
SELECT is_empty('SELECT id FROM state WHERE delivered(receipts)::int[] IS DISTINCT FROM delivered', 'delivered');
SELECT is_empty('SELECT id FROM state WHERE seen(receipts)::int[] IS DISTINCT FROM seen', 'seen');
SELECT is_empty('SELECT id FROM state WHERE pending(receipts)::int[] IS DISTINCT FROM test.less(recipients, delivered)', 'pending');
SELECT is_empty('SELECT id FROM state WHERE unseen(receipts)::int[] IS DISTINCT FROM test.less(recipients, seen)', 'unseen');
SELECT is_empty($$SELECT id FROM state WHERE (recipient_count(receipts), delivered_count(receipts), seen_count(receipts))
  IS DISTINCT FROM (cardinality(recipients)::bigint, cardinality(delivered)::bigint, cardinality(seen)::bigint)$$, 'the counts');
SELECT is_empty($$SELECT id FROM state WHERE (pending_count(receipts), unseen_count(receipts))
  IS DISTINCT FROM ((cardinality(recipients) - cardinality(delivered))::bigint, (cardinality(recipients) - cardinality(seen))::bigint)$$,
  'pending_count and unseen_count');
SELECT is_empty($$SELECT id, x FROM state, generate_series(0, 40) x WHERE receipt_status(receipts, x) IS DISTINCT FROM
  CASE WHEN x = ANY (seen) THEN 'seen' WHEN x = ANY (delivered) THEN 'delivered' WHEN x = ANY (recipients) THEN 'sent' END$$,
  'receipt_status of a slot');
SELECT is_empty($$SELECT id FROM state WHERE receipt_status(receipts) IS DISTINCT FROM
  CASE WHEN recipients = '{}' THEN 'sent' WHEN seen = recipients THEN 'seen' WHEN delivered = recipients THEN 'delivered' ELSE 'sent' END$$,
  'receipt_status of all');
SELECT is_empty($$SELECT id FROM state WHERE receipts::jsonb IS DISTINCT FROM
  jsonb_build_object('recipients', cardinality(recipients), 'delivered', cardinality(delivered), 'seen', cardinality(seen))$$, 'jsonb');
SELECT is_empty($$SELECT id FROM state WHERE receipts::text IS DISTINCT FROM format('{recipients=%s,delivered=%s,seen=%s}',
  recipients::receipt_bitmap, delivered::receipt_bitmap, seen::receipt_bitmap)$$, 'the text form');
SELECT is_empty('SELECT id FROM state WHERE receipts::text::group_receipts IS DISTINCT FROM receipts', 'text round trip');
SELECT is_empty('SELECT id FROM state WHERE group_receipts_send(receipts::text::group_receipts) IS DISTINCT FROM group_receipts_send(receipts)',
  'with equal bytes');

-- Marks
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE mark_delivered(a, b_recipients::receipt_bitmap)::text IS DISTINCT FROM
  format('{recipients=%s,delivered=%s,seen=%s}', a_recipients::receipt_bitmap,
    test.plus(a_delivered, test.both(a_recipients, b_recipients))::receipt_bitmap, a_seen::receipt_bitmap)$$, 'mark_delivered of a set');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE mark_seen(a, b_seen::receipt_bitmap)::text IS DISTINCT FROM
  format('{recipients=%s,delivered=%s,seen=%s}', a_recipients::receipt_bitmap,
    test.plus(a_delivered, test.both(a_recipients, b_seen))::receipt_bitmap,
    test.plus(a_seen, test.both(a_recipients, b_seen))::receipt_bitmap)$$, 'mark_seen of a set, which marks it delivered too');
SELECT is_empty($$SELECT id, x FROM state, generate_series(0, 60, 3) x
  WHERE mark_seen(receipts, x) IS DISTINCT FROM mark_seen(receipts, ARRAY[x]::receipt_bitmap)
     OR mark_delivered(receipts, x) IS DISTINCT FROM mark_delivered(receipts, ARRAY[x]::receipt_bitmap)$$, 'a slot is marked as the set of that slot');
SELECT is_empty($$SELECT id, x FROM state, generate_series(0, 60, 3) x WHERE x <> ALL (recipients)
  AND (mark_seen(receipts, x) <> receipts OR mark_delivered(receipts, x) <> receipts)$$, 'marks of other slots are ignored');
SELECT is_empty($$SELECT id, x FROM state, generate_series(0, 60, 3) x WHERE mark_delivered(mark_seen(receipts, x), x) <> mark_seen(receipts, x)
  OR mark_seen(mark_seen(receipts, x), x) <> mark_seen(receipts, x)$$, 'marks never go back, and again changes nothing');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE mark_seen(mark_delivered(a, b_recipients::receipt_bitmap), b_seen::receipt_bitmap)
  <> mark_delivered(mark_seen(a, b_seen::receipt_bitmap), b_recipients::receipt_bitmap)$$, 'marks in any order give the same');

-- Merging
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE (a | b)::text IS DISTINCT FROM format('{recipients=%s,delivered=%s,seen=%s}',
  test.plus(a_recipients, b_recipients)::receipt_bitmap, test.plus(a_delivered, b_delivered)::receipt_bitmap,
  test.plus(a_seen, b_seen)::receipt_bitmap)$$, 'a | b is the union of each set');
SELECT is_empty('SELECT a_id, b_id FROM pair WHERE (a | b) <> (b | a)', 'commutative');
SELECT is_empty('SELECT p.a_id, p.b_id, s.id FROM pair p JOIN state s ON s.id % 17 = p.a_id % 17 WHERE ((a | b) | s.receipts) <> (a | (b | s.receipts))',
  'associative');
SELECT is_empty('SELECT a_id, b_id FROM pair WHERE (a | a) <> a OR ((a | b) | b) <> (a | b)', 'idempotent');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE (a | (mark_seen(a, b_recipients::receipt_bitmap) | b)) <> (mark_seen(a, b_recipients::receipt_bitmap) | b)$$,
  'monotone: a later state holds all that an earlier one knew');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE mark_seen(a | b, a_recipients::receipt_bitmap) <> (mark_seen(a, a_recipients::receipt_bitmap) | b)$$,
  'marking and merging in either order');
SELECT is_empty($$SELECT a_id, b_id FROM pair, LATERAL (VALUES (a | b), (mark_seen(a, b_recipients::receipt_bitmap)), (mark_delivered(a, b_seen::receipt_bitmap))) v(r)
  WHERE NOT (delivered(r) <@ recipients(r) AND seen(r) <@ delivered(r))$$, 'always nested');

-- Equality, order and hash
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE (a = b) IS DISTINCT FROM ((a_recipients, a_delivered, a_seen) = (b_recipients, b_delivered, b_seen))$$,
  '= is that of the sets');
SELECT is_empty('SELECT a_id, b_id FROM pair WHERE (a = b) = (a <> b)', '<> is its opposite');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE (a < b, a <= b, a > b, a >= b) IS DISTINCT FROM
  ((a_recipients, a_delivered, a_seen) < (b_recipients, b_delivered, b_seen), (a_recipients, a_delivered, a_seen) <= (b_recipients, b_delivered, b_seen),
   (a_recipients, a_delivered, a_seen) > (b_recipients, b_delivered, b_seen), (a_recipients, a_delivered, a_seen) >= (b_recipients, b_delivered, b_seen))$$,
  'the order is by recipients, then delivered, then seen');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE group_receipts_cmp(a, b) <> -group_receipts_cmp(b, a)
  OR (group_receipts_cmp(a, b) = 0) <> (a = b)$$, 'group_receipts_cmp');
SELECT is_empty($$SELECT a_id, b_id FROM pair WHERE a = b AND (group_receipts_hash(a) <> group_receipts_hash(b)
  OR group_receipts_hash_extended(a, 42) <> group_receipts_hash_extended(b, 42))$$, 'equal values have equal hashes');
SELECT is((SELECT count(DISTINCT receipts) FROM state), (SELECT count(*) FROM (SELECT DISTINCT recipients, delivered, seen FROM state) s), 'DISTINCT');
SELECT is((SELECT count(*) FROM (SELECT receipts FROM state UNION SELECT a | a FROM pair) s),
  (SELECT count(DISTINCT (recipients, delivered, seen)) FROM state), 'UNION');
SELECT results_eq('SELECT recipients, delivered, seen FROM state ORDER BY receipts', 'SELECT recipients, delivered, seen FROM state ORDER BY 1, 2, 3',
  'ORDER BY');
SELECT results_eq('SELECT count(*) FROM state GROUP BY receipts ORDER BY receipts', 'SELECT count(*) FROM state GROUP BY recipients, delivered, seen ORDER BY recipients, delivered, seen',
  'GROUP BY');

\ir teardown.psql
