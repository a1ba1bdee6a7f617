-- Text that no honest client sends: refused with 22P02, or read as a set whose text is read as the same set.
-- (Bytes: test/tap/011_hostile_binary.pl.)
\set file bitmap_hostile
\ir setup.psql
SELECT plan(6);
SELECT setseed(0.6) \g /dev/null

CREATE FUNCTION test.mangled(number int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  line text := (ARRAY['{0-29}', '{}', '17', '{1,3,5-9,2147483647}', ' { 4 , 7 - 9 } ', '{0-2147483647}', '{65535-65537,131072}', '{9,8,7,1-3,2-4}'])[1 + floor(random() * 8)::int];
  place int;
BEGIN
  FOR i IN 0 .. floor(random() * 4)::int LOOP
    place := 1 + floor(random() * (length(line) + 1))::int;
    line := CASE floor(random() * 4)::int
      WHEN 0 THEN left(line, place - 1) || substr('{}-,0123456789 ' || E'\t\nax.+é"\\', 1 + floor(random() * 24)::int, 1) || substr(line, place)
      WHEN 1 THEN left(line, place - 1) || substr(line, place + 1)
      WHEN 2 THEN left(line, place - 1) || (ARRAY['2147483647', '2147483648', '4294967296', '18446744073709551616', '-1', '--', '{}', '}{', '0-', ',,', repeat('9', 300), repeat('0', 300) || '5'])[1 + floor(random() * 12)::int] || substr(line, place)
      ELSE left(line, place) END;
  END LOOP;
  RETURN line;
END $$;
CREATE FUNCTION test.read(input text, OUT state text, OUT members receipt_bitmap, OUT says text) LANGUAGE plpgsql AS $$
BEGIN
  members := input::receipt_bitmap;
  state := 'read';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, says = PG_EXCEPTION_DETAIL;
END $$;
CREATE TABLE attempts AS SELECT g AS id, m AS input, r.* FROM generate_series(1, 20000) g, LATERAL test.mangled(g) m, LATERAL test.read(m) r;

SELECT is((SELECT string_agg(DISTINCT state, ' ' ORDER BY state) FROM attempts), '22P02 read', 'read, or 22P02');
SELECT cmp_ok((SELECT count(*) FROM attempts WHERE state = 'read'), '>', 2000::bigint, 'some are read');
SELECT is_empty($$ SELECT input FROM attempts WHERE state = 'read' AND receipt_bitmap_send(members::text::receipt_bitmap) <> receipt_bitmap_send(members) $$, 'as a set whose text is the same set');
SELECT is_empty($$ SELECT input, members FROM attempts WHERE state = 'read' AND input !~ '^\s*(\d+|\{\s*\}|\{\s*\d+\s*(-\s*\d+\s*)?(,\s*\d+\s*(-\s*\d+\s*)?)*\})\s*$' $$, 'and all of these are sets by a pattern');
SELECT is_empty($$ SELECT input, says FROM attempts WHERE state <> 'read' AND input ~ '^\s*(\d{1,9}|\{\s*\}|\{\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*\})\s*$' $$, 'what is one by a pattern is not refused');
SELECT is_empty($$ SELECT input, says FROM attempts WHERE state <> 'read' AND (says ~ '^At byte \d+: .*\.$') IS NOT TRUE
  OR substring(says FROM 'At byte (\d+)')::int > octet_length(input) + 1 $$, 'errors name a position in the text');

\ir teardown.psql
