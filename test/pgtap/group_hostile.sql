-- Bytes and text that no honest client sends: refused with 22P03 or 22P02, or read as a canonical value.
\set file group_hostile
\ir setup.psql
SELECT plan(9);
SELECT setseed(0.7) \g /dev/null

-- Binary COPY of bytea gives any bytes to the receive function.
SELECT current_setting('data_directory') || '/chatopt_group_hostile' AS path \gset
CREATE TABLE bytes (value bytea);
CREATE TABLE received (value group_receipts);
SET test.path = :'path';
CREATE FUNCTION test.receive(value bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE bytes, received;
  INSERT INTO bytes VALUES (receive.value);
  EXECUTE format('COPY bytes TO %L (FORMAT binary)', current_setting('test.path'));
  RETURN test.attempt(format('COPY received FROM %L (FORMAT binary)', current_setting('test.path')));
END $$;

CREATE TABLE state AS
SELECT i, mark_seen(mark_delivered(group_receipts(r), r), r) AS receipts FROM (
  SELECT i, (SELECT coalesce(array_agg(x), '{}')::receipt_bitmap FROM generate_series(0, 60) x WHERE random() < (i % 5) / 4.0 AND i > 0) AS r
  FROM generate_series(1, 60) i) s;
INSERT INTO state SELECT 100 + i, mark_seen(mark_delivered(group_receipts(30), (i % 30)::int), (i * 7 % 30)::int) FROM generate_series(1, 60) i;

-- Unchanged
COPY (SELECT receipts FROM state ORDER BY i) TO :'path' (FORMAT binary);
COPY received FROM :'path' (FORMAT binary);
SELECT results_eq('SELECT value FROM received', 'SELECT receipts FROM state ORDER BY i', 'binary round trip');

-- Cut, lengthened, changed
CREATE FUNCTION test.mutated(value bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  at int;
BEGIN
  FOR n IN 1..1 + floor(random() * 2)::int LOOP
    at := floor(random() * length(value))::int;
    value := CASE floor(random() * 4)::int
      WHEN 0 THEN substr(value, 1, at)
      WHEN 1 THEN value || set_byte('\x00', 0, floor(random() * 256)::int)
      WHEN 2 THEN substr(value, 1, at) || set_byte('\x00', 0, floor(random() * 256)::int) || substr(value, at + 1)
      ELSE CASE WHEN length(value) = 0 THEN value ELSE set_byte(value, at, floor(random() * 256)::int) END END;
  END LOOP;
  RETURN value;
END $$;
CREATE TABLE tried (value bytea, outcome text, again bytea);
DO $$
DECLARE
  v bytea;
BEGIN
  FOR n IN 1..1500 LOOP
    v := test.mutated((SELECT group_receipts_send(receipts) FROM state ORDER BY i OFFSET n % 120 LIMIT 1));
    INSERT INTO tried VALUES (v, test.receive(v), NULL);
    UPDATE tried SET again = (SELECT group_receipts_send(received.value) FROM received) WHERE tried.value = v;
  END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM tried WHERE outcome = '22P03'), '>', 300::bigint, 'many are refused');
SELECT is_empty($$SELECT value, outcome FROM tried WHERE outcome NOT IN ('done', '22P03')$$, 'as invalid binary data and nothing else');
SELECT is_empty($$SELECT value, again FROM tried WHERE outcome = 'done' AND again IS DISTINCT FROM value$$, 'the others are read as they are');
SELECT is(test.receive(''), '22P03', 'no bytes');
SELECT is(test.receive('\x1211110000'), '22P03', 'a length beyond the end');

-- Text
CREATE TABLE said (value text, outcome text);
DO $$
DECLARE
  v text; at int;
BEGIN
  FOR n IN 1..2000 LOOP
    v := (SELECT receipts::text FROM state ORDER BY i OFFSET n % 120 LIMIT 1);
    FOR k IN 1..1 + floor(random() * 3)::int LOOP
      at := floor(random() * (length(v) + 1))::int;
      v := CASE WHEN random() < 0.5 THEN left(v, at) || substr(v, at + 1 + ceil(random() * 3)::int)
                ELSE left(v, at) || substr('{}=,-0129 desnv', 1 + floor(random() * 15)::int, 1) || substr(v, at + 1) END;
    END LOOP;
    INSERT INTO said VALUES (v, test.attempt(format('SELECT %L::group_receipts', v)));
  END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM said WHERE outcome = '22P02'), '>', 300::bigint, 'much text is refused');
SELECT is_empty($$SELECT value, outcome FROM said WHERE outcome NOT IN ('done', '22P02')$$, 'as invalid text and nothing else');
SELECT is_empty($$SELECT value FROM said WHERE outcome = 'done' AND value::group_receipts::text::group_receipts IS DISTINCT FROM value::group_receipts$$,
  'the rest reads back');
SELECT format('COPY (SELECT WHERE false) TO PROGRAM %L', 'rm ' || :'path') \gexec

\ir teardown.psql
