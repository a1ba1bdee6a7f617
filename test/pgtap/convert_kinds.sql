-- Every kind of control column and every period: bounds in the stored time zone, never the session's; keys that carry time keep the primary key,
-- ON CONFLICT and the foreign keys; a conversion given up leaves nothing.
\set file convert_kinds
\ir setup.psql
SELECT plan(33);
CREATE SCHEMA k;
SET search_path = k, test, tap, public;
SET timezone = 'Pacific/Kiritimati';
CREATE FUNCTION test.bounds(parent regclass) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) FROM pg_partition_tree(parent) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf ORDER BY c.relname
$$;

-- timestamptz, weeks in Berlin: Monday, over the change of clocks
CREATE TABLE a (id int, at timestamptz NOT NULL);
INSERT INTO a VALUES (1, '2026-01-01');
SET chatopt.clock = '2027-03-10 12:00:00+00';
CALL chatopt.convert('a', 'at', every => 'week', premake => 3, time_zone => 'Europe/Berlin');
SET timezone = 'UTC';
SELECT set_eq($$ SELECT test.bounds('a') $$, ARRAY[
  'a_before_2027_03_15 FOR VALUES FROM (MINVALUE) TO (''2027-03-14 23:00:00+00'')',
  'a_2027_03_15 FOR VALUES FROM (''2027-03-14 23:00:00+00'') TO (''2027-03-21 23:00:00+00'')',
  'a_2027_03_22 FOR VALUES FROM (''2027-03-21 23:00:00+00'') TO (''2027-03-28 22:00:00+00'')',
  'a_2027_03_29 FOR VALUES FROM (''2027-03-28 22:00:00+00'') TO (''2027-04-04 22:00:00+00'')'], 'weeks begin on Monday in Berlin, in winter and in summer');
-- a boundary three days ahead at least
CREATE TABLE b (id int, at timestamptz NOT NULL);
SET chatopt.clock = '2027-03-29 00:00:00+00';
SELECT is((chatopt._convert_request('b', chatopt._convert_arguments('at', 'month', 3, 'UTC', 'error', 'error', NULL, 'error', 'error', '{}', NULL, NULL, NULL)))->>'boundary', '2027-04-01 00:00:00+00', 'three days before the month ends it is still this month''s end');
SET chatopt.clock = '2027-03-29 00:00:01+00';
SELECT is((chatopt._convert_request('b', chatopt._convert_arguments('at', 'month', 3, 'UTC', 'error', 'error', NULL, 'error', 'error', '{}', NULL, NULL, NULL)))->>'boundary', '2027-05-01 00:00:00+00', 'a second later the next month''s');
SELECT is((chatopt._convert_request('b', chatopt._convert_arguments('at', 'day', 3, 'UTC', 'error', 'error', NULL, 'error', 'error', '{}', NULL, NULL, NULL)))->>'boundary', '2027-04-02 00:00:00+00', 'a day''s, three whole days away');

-- timestamp and date: wall clock of the zone
CREATE TABLE c (id int, at timestamp NOT NULL);
CREATE TABLE d (id int, at date);
INSERT INTO d VALUES (1, '2026-05-05');
SET chatopt.clock = '2027-06-10 12:00:00+00';
CALL chatopt.convert('c', 'at', every => 'quarter', premake => 1, time_zone => 'America/New_York');
CALL chatopt.convert('d', 'at', every => 'year', premake => 1);
SELECT set_eq($$ SELECT test.bounds('c') $$, ARRAY['c_before_2027_q3 FOR VALUES FROM (MINVALUE) TO (''2027-07-01 00:00:00'')',
  'c_2027_q3 FOR VALUES FROM (''2027-07-01 00:00:00'') TO (''2027-10-01 00:00:00'')'], 'quarters of a timestamp');
SELECT set_eq($$ SELECT test.bounds('d') $$, ARRAY['d_before_2028 FOR VALUES FROM (MINVALUE) TO (''2028-01-01'')', 'd_2028 FOR VALUES FROM (''2028-01-01'') TO (''2029-01-01'')'], 'years of a date');
SELECT ok((SELECT attnotnull FROM pg_attribute WHERE attrelid = 'd'::regclass AND attname = 'at'), 'a nullable column is NOT NULL then');

-- bigint: seconds and milliseconds by the greatest value, snowflakes as told
CREATE TABLE e (id int, at bigint NOT NULL);
INSERT INTO e VALUES (1, 1800000000);
CREATE TABLE f (id int, at bigint NOT NULL);
INSERT INTO f VALUES (1, 1800000000123);
CALL chatopt.convert('e', 'at', premake => 1);
CALL chatopt.convert('f', 'at', premake => 1);
SELECT set_eq($$ SELECT test.bounds('e') $$, ARRAY['e_before_2027_07 FOR VALUES FROM (MINVALUE) TO (''1814400000'')', 'e_2027_07 FOR VALUES FROM (''1814400000'') TO (''1817078400'')'], 'seconds since 1970');
SELECT set_eq($$ SELECT test.bounds('f') $$, ARRAY['f_before_2027_07 FOR VALUES FROM (MINVALUE) TO (''1814400000000'')', 'f_2027_07 FOR VALUES FROM (''1814400000000'') TO (''1817078400000'')'], 'milliseconds since 1970');
CREATE TABLE g (id bigint PRIMARY KEY, body text);
CREATE TABLE g_seen (g_id bigint CONSTRAINT seen REFERENCES g ON DELETE CASCADE);
INSERT INTO g VALUES (1, 'x');
INSERT INTO g_seen VALUES (1);
SELECT is((SELECT state || ' ' || message FROM test.complaint($$ SELECT chatopt.convert_plan('g', 'id') $$)), '22023 it is not clear how column "id" of table k.g stands for time', 'a snowflake is not guessed');
CALL chatopt.convert('g', 'id', premake => 1, control_kind => 'snowflake', snowflake_epoch => '2010-11-04 01:42:54.657+00', snowflake_shift => 22);
SELECT set_eq($$ SELECT test.bounds('g') $$, (SELECT ARRAY[format('g_before_2027_07 FOR VALUES FROM (MINVALUE) TO (''%s'')', a), format('g_2027_07 FOR VALUES FROM (''%s'') TO (''%s'')', a, b)]
  FROM (SELECT (1814400000000 - 1288834974657) * 4194304, (1817078400000 - 1288834974657) * 4194304) AS x(a, b)), 'snowflakes');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'g'::regclass AND contype = 'p'), 'PRIMARY KEY (id)', 'a key that carries time stays the primary key');
SELECT is((SELECT format('%s %s', pg_get_constraintdef(oid), convalidated) FROM pg_constraint WHERE conname = 'seen' AND conparentid = 0), 'FOREIGN KEY (g_id) REFERENCES g(id) ON DELETE CASCADE t', 'foreign keys to it stay, validated');
SELECT lives_ok('INSERT INTO g VALUES (1, ''y'') ON CONFLICT (id) DO UPDATE SET body = excluded.body', 'ON CONFLICT works');
SELECT throws_ok('INSERT INTO g_seen VALUES (2)', '23503', NULL, 'the foreign key holds');
INSERT INTO g VALUES ((1814400000000 - 1288834974657) * 4194304, 'later');
SELECT lives_ok('INSERT INTO g_seen SELECT max(id) FROM g', 'for new partitions too');
DELETE FROM g;
SELECT is_empty('SELECT * FROM g_seen', 'and cascades');

-- uuid version 7
CREATE TABLE h (id uuid PRIMARY KEY);
INSERT INTO h VALUES ('01934b5c-0000-7abc-8def-000000000001');
CALL chatopt.convert('h', 'id', premake => 1);
SELECT is((SELECT count(*)::int FROM pg_partition_tree('h') WHERE isleaf), 2, 'version 7 UUIDs');
SELECT is((SELECT array_agg(b ORDER BY b) FROM test.bounds('h') AS b), ARRAY[
  format('h_2027_07 FOR VALUES FROM (''%s-%s-0000-0000-000000000000'') TO (''%s-%s-0000-0000-000000000000'')', substr(l, 1, 8), substr(l, 9), substr(u, 1, 8), substr(u, 9)),
  format('h_before_2027_07 FOR VALUES FROM (MINVALUE) TO (''%s-%s-0000-0000-000000000000'')', substr(l, 1, 8), substr(l, 9))], 'by the milliseconds they begin with')
  FROM (SELECT lpad(to_hex(1814400000000), 12, '0'), lpad(to_hex(1817078400000), 12, '0')) AS x(l, u);

-- names: cut to 63 bytes at a character, quoted; a boundary given; names of more than one schema
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."Übermäßig lange Namen von Tabellen werden gekürzt, hier" ("Id" int PRIMARY KEY, "Created At" timestamptz NOT NULL);
CREATE INDEX "An Index" ON "Odd Schema"."Übermäßig lange Namen von Tabellen werden gekürzt, hier" ("Created At");
INSERT INTO "Odd Schema"."Übermäßig lange Namen von Tabellen werden gekürzt, hier" VALUES (1, '2026-01-01');
CALL chatopt.convert('"Odd Schema"."Übermäßig lange Namen von Tabellen werden gekürzt, hier"', 'Created At', primary_key => 'extend', premake => 1);
SELECT is((SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'Odd Schema' AND c.relkind IN ('r', 'p')), 3, 'long and odd names');
SELECT is((SELECT count(*)::int FROM "Odd Schema"."Übermäßig lange Namen von Tabellen werden gekürzt, hier"), 1, 'with their rows');

-- once more: it is partitioned already; another table under the same rules
SELECT is((SELECT message FROM test.complaint($$ SELECT chatopt.convert_plan('a', 'at') $$)), 'table k.a is partitioned already', 'converted once is enough');

-- given up before the swap: nothing is left. A column of the table that the new parent lacks stops the swap.
CREATE TABLE target (id int PRIMARY KEY);
CREATE TABLE i (id int PRIMARY KEY, at timestamptz NOT NULL, target_id int REFERENCES target);
CREATE UNIQUE INDEX i_target ON i (target_id);
INSERT INTO i (id, at) VALUES (1, '2026-01-01');
SELECT test.snapshot('k') AS before \gset
CREATE VIEW whole AS SELECT x.id, x AS whole FROM i AS x;
DROP VIEW whole;
CREATE TABLE i_at_blocks (id int);
CREATE INDEX "i_pkey_before_2027_07" ON i_at_blocks (id);
\set ON_ERROR_STOP 0
CALL chatopt.convert('i', 'at', primary_key => 'extend', unique_indexes => 'leaf', premake => 1);
\set ON_ERROR_STOP 1
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42P07', 'a name that is taken stops the swap');
DROP TABLE i_at_blocks;
DELETE FROM i WHERE id = 2;
SELECT is((SELECT step FROM chatopt.conversion WHERE tbl = 'i'::regclass), 'shadow', 'everything before it is done');
SELECT is(test.attempt($$ INSERT INTO i VALUES (2, '2100-01-01') $$), '23514', 'rows beyond the boundary are refused meanwhile');
SELECT lives_ok($$ INSERT INTO i VALUES (2, '2027-06-20') $$, 'others are not');
SELECT is((SELECT state || ' ' || message FROM test.complaint($$ SELECT chatopt._start_conversion('i', '{}') $$)), '22023 the conversion of table k.i was started with other arguments', 'other arguments are refused');
SELECT lives_ok($$ SELECT chatopt.cancel_conversion('i') $$, 'cancel_conversion');
SELECT test.same(:'before'::text, test.snapshot('k'), 'leaves nothing');
SELECT is_empty('SELECT * FROM chatopt.conversion', 'nor a row');

-- near the boundary it begins again with the next one
\set ON_ERROR_STOP 0
CREATE TABLE i_at_blocks (id int);
CREATE INDEX "i_pkey_before_2027_07" ON i_at_blocks (id);
CALL chatopt.convert('i', 'at', primary_key => 'extend', unique_indexes => 'leaf', premake => 1);
\set ON_ERROR_STOP 1
SELECT is((SELECT names->>'boundary' FROM chatopt.conversion), '2027-07-01 00:00:00+00', 'stopped before the swap');
SET chatopt.clock = '2027-06-30 23:30:00+00';
CALL chatopt.convert('i', 'at', primary_key => 'extend', unique_indexes => 'leaf', premake => 1);
SELECT set_eq($$ SELECT test.bounds('i') $$, ARRAY['i_before_2027_08 FOR VALUES FROM (MINVALUE) TO (''2027-08-01 00:00:00+00'')', 'i_2027_08 FOR VALUES FROM (''2027-08-01 00:00:00+00'') TO (''2027-09-01 00:00:00+00'')'],
  'half an hour before its boundary it takes the next one');
SELECT is((SELECT count(*)::int FROM i), 2, 'with all rows');
\ir teardown.psql
