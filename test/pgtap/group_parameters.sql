-- Which function is meant: untyped literals and parameters as drivers send them, every integer type, NULLs; and the
-- JSON forms.
\set file group_parameters
\ir setup.psql
SELECT plan(64);

-- said('SQL expression', 'result'): what it gives, as text.
CREATE FUNCTION test.said(expression text, expected text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found text;
BEGIN
  EXECUTE format('SELECT (%s)::text', expression) INTO found;
  RETURN is(found, expected, expression);
END $$;

-- Constructors (R19)
SELECT test.said($$ group_receipts(30) $$, '{recipients={0-29},delivered={},seen={}}');
SELECT test.said($$ group_receipts(30::smallint) $$, '{recipients={0-29},delivered={},seen={}}');
SELECT test.said($$ group_receipts(30::bigint) $$, '{recipients={0-29},delivered={},seen={}}');
SELECT test.said($$ group_receipts(0) $$, '{recipients={},delivered={},seen={}}');
SELECT test.said($$ group_receipts(1) $$, '{recipients={0},delivered={},seen={}}');
SELECT test.said($$ group_receipts(2147483648) $$, '{recipients={0-2147483647},delivered={},seen={}}');
SELECT test.said($$ group_receipts('{0-4,7}'::receipt_bitmap) $$, '{recipients={0-4,7},delivered={},seen={}}');
SELECT test.said($$ group_receipts('{0-4,7}') $$, '{recipients={0-4,7},delivered={},seen={}}');
SELECT test.said($$ group_receipts('{recipients={0-4},seen={},delivered={1}}') $$, '{recipients={0-4},delivered={1},seen={}}');
SELECT test.said($$ '{0-4,7}'::group_receipts $$, '{recipients={0-4,7},delivered={},seen={}}');
SELECT test.said($$ ' { seen = {1} , delivered={ 1, 2-2 }, recipients={0 - 4}}'::group_receipts $$, '{recipients={0-4},delivered={1,2},seen={1}}');
SELECT test.said($$ group_receipts(NULL::int) $$, NULL);
SELECT test.refused($$SELECT '30'::group_receipts$$, '22P02', 'a number is no state');
SELECT test.refused('SELECT group_receipts(-1)', '22003', 'a group of less than nobody');
SELECT test.refused('SELECT group_receipts(2147483649)', '22003', 'more slots than there are');

-- mark_*: every integer type, sets, and what drivers send as text (R18)
SELECT test.said($$ mark_seen(group_receipts(30), 17) $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), 17::smallint) $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), 17::bigint) $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), '17') $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), '17'::text) $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), '17'::varchar) $$, '{recipients={0-29},delivered={17},seen={17}}');
SELECT test.said($$ mark_seen(group_receipts(30), '{17,28-40}') $$, '{recipients={0-29},delivered={17,28,29},seen={17,28,29}}');
SELECT test.said($$ mark_seen(group_receipts(30), '{17,28-40}'::receipt_bitmap) $$, '{recipients={0-29},delivered={17,28,29},seen={17,28,29}}');
SELECT test.said($$ mark_seen(group_receipts(30), 30) $$, '{recipients={0-29},delivered={},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), 17) $$, '{recipients={0-29},delivered={17},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), 17::smallint) $$, '{recipients={0-29},delivered={17},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), 17::bigint) $$, '{recipients={0-29},delivered={17},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), '17') $$, '{recipients={0-29},delivered={17},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), '{0-100}') $$, '{recipients={0-29},delivered={0-29},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(30), '{}'::receipt_bitmap) $$, '{recipients={0-29},delivered={},seen={}}');
SELECT test.said($$ mark_delivered(group_receipts(0), '{0-100}'::receipt_bitmap) $$, '{recipients={},delivered={},seen={}}');
SELECT test.said($$ mark_seen(group_receipts(30), NULL) $$, NULL);
SELECT test.said($$ mark_seen(NULL, 17) $$, NULL);
SELECT test.refused('SELECT mark_seen(group_receipts(30), -1)', '22003', 'no slot');
SELECT test.refused('SELECT mark_delivered(group_receipts(30), 2147483648)', '22003', 'no slot');
SELECT test.refused($$SELECT mark_seen(group_receipts(30), 'all')$$, '22P02', 'no slot and no set');

PREPARE mark_untyped AS SELECT mark_seen(mark_delivered(group_receipts(30), $1), $2)::text;
SELECT results_eq($$EXECUTE mark_untyped('{0-12}', '3')$$, $$VALUES ('{recipients={0-29},delivered={0-12},seen={3}}')$$, 'untyped parameters');
SELECT results_eq($$SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'mark_untyped'$$, $$VALUES ('text'), ('text')$$, 'are text');
PREPARE state_untyped AS SELECT receipt_status(r, $2) FROM (SELECT $1::group_receipts) s(r);
SELECT results_eq($$EXECUTE state_untyped('{recipients={0-29},delivered={0-12}}', '3')$$, $$VALUES ('delivered')$$, 'receipt_status with an untyped slot');
PREPARE merge_untyped AS SELECT (group_receipts(30) | $1)::text;
SELECT results_eq($$EXECUTE merge_untyped('{recipients={30},delivered={30}}')$$, $$VALUES ('{recipients={0-30},delivered={30},seen={}}')$$, 'a state | an untyped one');
PREPARE equal_untyped AS SELECT group_receipts(3) = $1, group_receipts(3) <> $1;
SELECT results_eq($$EXECUTE equal_untyped('{0-2}')$$, 'VALUES (true, false)', 'a state = an untyped one');
PREPARE group_typed AS SELECT group_receipts($1::int)::text;
SELECT results_eq('EXECUTE group_typed(3)', $$VALUES ('{recipients={0-2},delivered={},seen={}}')$$, 'group_receipts($1::int)');

-- receipt_status
SELECT test.said($$ receipt_status(group_receipts(30), 17) $$, 'sent');
SELECT test.said($$ receipt_status(mark_seen(group_receipts(30), 17), 17::smallint) $$, 'seen');
SELECT test.said($$ receipt_status(mark_delivered(group_receipts(30), 17), 17::bigint) $$, 'delivered');
SELECT test.said($$ receipt_status(mark_delivered(group_receipts(30), 17), '17') $$, 'delivered');
SELECT test.said($$ receipt_status(group_receipts(30), 30) $$, NULL);
SELECT test.said($$ receipt_status(group_receipts(30)) $$, 'sent');
SELECT test.said($$ receipt_status(mark_delivered(group_receipts(30), '{0-29}')) $$, 'delivered');
SELECT test.said($$ receipt_status(mark_seen(group_receipts(30), '{0-29}')) $$, 'seen');
SELECT test.said($$ receipt_status(group_receipts(0)) $$, 'sent');
SELECT test.refused('SELECT receipt_status(group_receipts(30), -1)', '22003', 'no slot');
SELECT test.refused($$SELECT receipt_status(group_receipts(30), 'Ann')$$, '22P02', 'no slot');

-- JSON (R22): all of these use the cast to json
CREATE TABLE message (id int, receipts group_receipts);
INSERT INTO message VALUES (1, '{recipients={0-29},delivered={0-11},seen={0-2}}');
\set json '{"recipients": 30, "delivered": 12, "seen": 3}'
SELECT is((SELECT receipts::json::text FROM message), :'json', 'cast to json');
SELECT is((SELECT receipts::jsonb FROM message), :'json'::jsonb, 'cast to jsonb');
SELECT is((SELECT to_json(receipts)::text FROM message), :'json', 'to_json');
SELECT is((SELECT to_jsonb(receipts) FROM message), :'json'::jsonb, 'to_jsonb');
SELECT is((SELECT to_jsonb(message) FROM message), jsonb_build_object('id', 1, 'receipts', :'json'::jsonb), 'to_jsonb of a row');
SELECT is((SELECT row_to_json(message)::jsonb FROM message), jsonb_build_object('id', 1, 'receipts', :'json'::jsonb), 'row_to_json');
SELECT is((SELECT json_agg(receipts)::jsonb FROM message), jsonb_build_array(:'json'::jsonb), 'json_agg');
SELECT is((SELECT jsonb_agg(receipts) FROM message), jsonb_build_array(:'json'::jsonb), 'jsonb_agg');
SELECT is((SELECT jsonb_build_object('r', receipts) FROM message), jsonb_build_object('r', :'json'::jsonb), 'jsonb_build_object');
CREATE TABLE api (receipts jsonb);
SELECT test.accepted('INSERT INTO api SELECT receipts FROM message', 'assignment to a jsonb column');
SELECT is((SELECT receipts FROM api), :'json'::jsonb, 'is the same');

\ir teardown.psql
