-- CALL chatopt.maintain(): what it makes and retires, kind by kind of key; what stops one table stops no other; what it writes to the log.
\set file partitions_maintain
\ir setup.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_maintain_owner, chatopt_maintain_other;
CREATE ROLE chatopt_maintain_owner;
CREATE ROLE chatopt_maintain_other;
SET chatopt.clock = '2026-11-20 12:00:00+00';

-- parts('t'): the partitions of a table, by name; bounds('t'): with their bounds.
CREATE FUNCTION test.parts(tbl text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = tbl::regclass $$;
CREATE FUNCTION test.bounds(tbl text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(pg_get_expr(c.relpartbound, c.oid), E'\n' ORDER BY c.relname) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = tbl::regclass $$;
-- logged('action outcome …'): what the log got since the last call.
CREATE TABLE test.seen (id bigint);
INSERT INTO test.seen VALUES (0);
CREATE FUNCTION test.logged() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  lines text := (SELECT string_agg(concat_ws(' ', h.parent_name, h.action, h.partition_name, h.outcome, h.sqlstate), E'\n' ORDER BY h.id)
    FROM chatopt.maintenance_log AS h, test.seen AS s WHERE h.id > s.id AND h.action <> 'run');
BEGIN
  UPDATE test.seen SET id = (SELECT max(h.id) FROM chatopt.maintenance_log AS h);
  RETURN lines;
END $$;

-- ---------------------------------------------------------------------------
-- every kind of key: the same four months
CREATE TABLE k_timestamptz (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_timestamp (at timestamp NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_date (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_seconds (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_milliseconds (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_uuid (at uuid NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE k_snowflake (at bigint NOT NULL) PARTITION BY RANGE (at);
SELECT chatopt.partition('k_timestamptz', time_zone => 'Europe/Berlin'), chatopt.partition('k_timestamp', time_zone => 'Europe/Berlin'),
  chatopt.partition('k_date', time_zone => 'Europe/Berlin'), chatopt.partition('k_seconds', control_kind => 'epoch_seconds', time_zone => 'Europe/Berlin'),
  chatopt.partition('k_milliseconds', control_kind => 'epoch_milliseconds'), chatopt.partition('k_uuid'),
  chatopt.partition('k_snowflake', control_kind => 'snowflake', snowflake_epoch => '2015-01-01 00:00:00+00', snowflake_shift => 22) \g /dev/null
SET timezone = 'America/St_Johns';
SET datestyle = 'German';
CALL chatopt.maintain();
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT is(test.parts('k_timestamptz'), 'k_timestamptz_2026_11 k_timestamptz_2026_12 k_timestamptz_2027_01 k_timestamptz_2027_02', 'the present month and three ahead');
SELECT is(test.bounds('k_timestamptz'), $$FOR VALUES FROM ('2026-10-31 23:00:00+00') TO ('2026-11-30 23:00:00+00')
FOR VALUES FROM ('2026-11-30 23:00:00+00') TO ('2026-12-31 23:00:00+00')
FOR VALUES FROM ('2026-12-31 23:00:00+00') TO ('2027-01-31 23:00:00+00')
FOR VALUES FROM ('2027-01-31 23:00:00+00') TO ('2027-02-28 23:00:00+00')$$, 'in the zone of the table, whatever the session''s is');
SELECT is(test.bounds('k_timestamp'), $$FOR VALUES FROM ('2026-11-01 00:00:00') TO ('2026-12-01 00:00:00')
FOR VALUES FROM ('2026-12-01 00:00:00') TO ('2027-01-01 00:00:00')
FOR VALUES FROM ('2027-01-01 00:00:00') TO ('2027-02-01 00:00:00')
FOR VALUES FROM ('2027-02-01 00:00:00') TO ('2027-03-01 00:00:00')$$, 'timestamp is wall clock');
SELECT is(test.bounds('k_date'), replace(test.bounds('k_timestamp'), ' 00:00:00', ''), 'so is date');
SELECT is(test.bounds('k_seconds'), $$FOR VALUES FROM ('1793487600') TO ('1796079600')
FOR VALUES FROM ('1796079600') TO ('1798758000')
FOR VALUES FROM ('1798758000') TO ('1801436400')
FOR VALUES FROM ('1801436400') TO ('1803855600')$$, 'seconds');
SELECT is((SELECT string_agg(format('%s %s', extract(epoch FROM lower_at) * 1000 = lower_bound::numeric, lower_at), ' ' ORDER BY lower_at) FROM chatopt.partitions WHERE parent = 'k_milliseconds'::regclass),
  't 2026-11-01 00:00:00+00 t 2026-12-01 00:00:00+00 t 2027-01-01 00:00:00+00 t 2027-02-01 00:00:00+00', 'milliseconds');
SELECT is((SELECT string_agg(lower_bound || ' ' || lower_at, ' ' ORDER BY lower_at) FROM chatopt.partitions WHERE parent = 'k_uuid'::regclass AND lower_at < '2027-01-01'),
  format('%s 2026-11-01 00:00:00+00 %s 2026-12-01 00:00:00+00',
    (lpad(to_hex((extract(epoch FROM timestamptz '2026-11-01Z') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
    (lpad(to_hex((extract(epoch FROM timestamptz '2026-12-01Z') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid), 'version 7 uuids');
SELECT is((SELECT string_agg(format('%s %s', ((extract(epoch FROM lower_at) - extract(epoch FROM timestamptz '2015-01-01Z')) * 1000)::bigint << 22 = lower_bound::bigint, lower_at), ' ' ORDER BY lower_at)
    FROM chatopt.partitions WHERE parent = 'k_snowflake'::regclass AND lower_at < '2027-01-01'), 't 2026-11-01 00:00:00+00 t 2026-12-01 00:00:00+00', 'snowflakes');
SELECT test.logged() \g /dev/null
CALL chatopt.maintain();
SELECT is(test.logged(), NULL, 'a second run has nothing to do');
SELECT is((SELECT message FROM chatopt.maintenance_log WHERE action = 'run' ORDER BY id DESC LIMIT 1), '7 tables, 0 partitions made, 0 retired', 'and says so');

-- every period
CREATE FUNCTION test.periods(every text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE p_%s (at date NOT NULL) PARTITION BY RANGE (at)', every);
  PERFORM chatopt.partition(('p_' || every)::regclass, every, 1);
  RETURN (SELECT string_agg(concat_ws(' ', partition_name, lower_bound, upper_bound), ', ' ORDER BY lower_bound) FROM chatopt.maintenance_plan(('p_' || every)::regclass));
END $$;
SELECT is(test.periods('day'), 'p_day_2026_11_20 2026-11-20 2026-11-21, p_day_2026_11_21 2026-11-21 2026-11-22', 'days');
SELECT is(test.periods('week'), 'p_week_2026_11_16 2026-11-16 2026-11-23, p_week_2026_11_23 2026-11-23 2026-11-30', 'weeks begin on Monday');
SELECT is(test.periods('quarter'), 'p_quarter_2026_q4 2026-10-01 2027-01-01, p_quarter_2027_q1 2027-01-01 2027-04-01', 'quarters');
SELECT is(test.periods('year'), 'p_year_2026 2026-01-01 2027-01-01, p_year_2027 2027-01-01 2028-01-01', 'years');
SELECT chatopt.forget_partitions(parent) FROM chatopt.partition_sets \g /dev/null

-- ---------------------------------------------------------------------------
-- around partitions that are there, whatever their bounds
CREATE TABLE odd (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE odd_wide PARTITION OF odd FOR VALUES FROM (MINVALUE) TO ('2026-11-10');
CREATE TABLE odd_piece PARTITION OF odd FOR VALUES FROM ('2026-12-24') TO ('2027-01-02');
CREATE TABLE odd_far PARTITION OF odd FOR VALUES FROM ('2097-01-01') TO ('2098-01-01');
INSERT INTO odd VALUES ('2097-05-05');
SET client_min_messages = error;
SELECT chatopt.partition('odd', 'month', 2) \g /dev/null
SET client_min_messages = warning;
CALL chatopt.maintain();
SELECT is((SELECT string_agg(concat_ws(' ', partition_name, lower_bound, upper_bound), ', ' ORDER BY upper_bound) FROM chatopt.partitions WHERE parent = 'odd'::regclass),
  'odd_wide 2026-11-10, odd_2026_11_10 2026-11-10 2026-12-01, odd_2026_12_01 2026-12-01 2026-12-24, odd_piece 2026-12-24 2027-01-02, odd_2027_01_02 2027-01-02 2027-02-01, odd_far 2097-01-01 2098-01-01',
  'gaps are filled, nothing overlaps, and one row of 2097 makes nothing');
SELECT lives_ok($$ INSERT INTO odd SELECT d FROM generate_series(date '2026-11-01', date '2027-01-31', interval '1 day') AS d $$, 'every day up to the horizon has a place');
-- the server was down: what it missed is made, newest first
SET chatopt.clock = '2027-06-01 00:00:00+00';
CALL chatopt.maintain('odd');
SELECT is((SELECT string_agg(partition_name::text, ' ' ORDER BY upper_bound) FROM chatopt.partitions WHERE parent = 'odd'::regclass AND lower_bound >= '2027-02-01' AND upper_bound < '2090'),
  'odd_2027_02 odd_2027_03 odd_2027_04 odd_2027_05 odd_2027_06 odd_2027_07 odd_2027_08', 'months that passed without maintenance are made later');
SELECT chatopt.forget_partitions('odd');
SET chatopt.clock = '2026-11-20 12:00:00+00';

-- ---------------------------------------------------------------------------
-- retention: only by the upper bound; detach, archive, drop; holds
CREATE SCHEMA attic AUTHORIZATION chatopt_maintain_owner;
GRANT CREATE, USAGE ON SCHEMA public TO chatopt_maintain_owner;
CREATE FUNCTION test.years(tbl text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)', tbl);
  EXECUTE format('ALTER TABLE %I OWNER TO chatopt_maintain_owner', tbl);
  EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (%L)', tbl || '_before', tbl, '2026-06-01Z');
  EXECUTE format('ALTER TABLE %I OWNER TO chatopt_maintain_owner', tbl || '_before');
  FOR m IN 6..10 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', format('%s_2026_%s', tbl, lpad(m::text, 2, '0')), tbl, make_date(2026, m, 1) || 'Z', make_date(2026, m + 1, 1) || 'Z');
    EXECUTE format('ALTER TABLE %I OWNER TO chatopt_maintain_owner', format('%s_2026_%s', tbl, lpad(m::text, 2, '0')));
  END LOOP;
  EXECUTE format('INSERT INTO %I SELECT m, make_date(2026, m, 15) FROM generate_series(1, 10) AS m', tbl);
  PERFORM chatopt.partition(tbl::regclass, premake => 1);
END $$;
SET client_min_messages = error;
SELECT test.years('r_detach'), test.years('r_archive'), test.years('r_drop'), test.years('r_held') \g /dev/null
SET client_min_messages = warning;
CALL chatopt.maintain();
SELECT test.logged() \g /dev/null
-- now is 2026-11-20: three months back is 08-20, so 07 goes and 08 stays
SELECT chatopt.set_retention('r_detach', '3 months'), chatopt.set_retention('r_archive', '3 months', 'archive', 'attic'),
  chatopt.set_retention('r_drop', '3 months', 'drop'), chatopt.set_retention('r_held', '3 months', 'drop') \g /dev/null
SELECT chatopt.hold('r_held_2026_06', 'court order 12');
SELECT is((SELECT string_agg(concat_ws(' ', action, partition_name), ', ') FROM chatopt.maintenance_plan('r_detach')),
  'detach r_detach_before, detach r_detach_2026_06, detach r_detach_2026_07', 'the plan says before what goes');
CALL chatopt.maintain();
SELECT is(test.parts('r_detach'), 'r_detach_2026_08 r_detach_2026_09 r_detach_2026_10 r_detach_2026_11 r_detach_2026_12', 'detached, wide partition first');
SELECT is((SELECT count(*)::int FROM r_detach_before) + (SELECT count(*)::int FROM r_detach_2026_07), 6, 'with their rows');
SELECT is((SELECT string_agg(concat_ws(' ', partition_name, lower_bound, upper_bound), ', ' ORDER BY upper_bound) FROM chatopt.partitions WHERE state = 'detached'),
  'r_detach_before 2026-06-01 00:00:00+00, r_detach_2026_06 2026-06-01 00:00:00+00 2026-07-01 00:00:00+00, r_detach_2026_07 2026-07-01 00:00:00+00 2026-08-01 00:00:00+00', 'and are remembered');
SELECT is((SELECT string_agg(c.oid::regclass::text || ':' || c.relowner::regrole, ' ' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = 'attic'::regnamespace AND c.relkind = 'r'),
  'attic.r_archive_2026_06:chatopt_maintain_owner attic.r_archive_2026_07:chatopt_maintain_owner attic.r_archive_before:chatopt_maintain_owner', 'archived');
SELECT is((SELECT count(*)::int FROM pg_class WHERE relname IN ('r_drop_before', 'r_drop_2026_06', 'r_drop_2026_07')), 0, 'dropped');
SELECT is(test.parts('r_drop'), 'r_drop_2026_08 r_drop_2026_09 r_drop_2026_10 r_drop_2026_11 r_drop_2026_12', 'and no more than that');
SELECT is(test.parts('r_held'), 'r_held_2026_06 r_held_2026_08 r_held_2026_09 r_held_2026_10 r_held_2026_11 r_held_2026_12', 'a held one stays');
SELECT is((SELECT message FROM chatopt.maintenance_log WHERE partition_name = 'r_held_2026_06' AND outcome = 'blocked'), 'held: court order 12', 'and the log says why');
CALL chatopt.maintain();
SELECT is((SELECT count(*)::int FROM chatopt.maintenance_log WHERE partition_name = 'r_held_2026_06' AND outcome = 'blocked'), 1, 'once');
SELECT chatopt.release_hold('r_held_2026_06');
CALL chatopt.maintain();
SELECT is(test.parts('r_held'), 'r_held_2026_08 r_held_2026_09 r_held_2026_10 r_held_2026_11 r_held_2026_12', 'released it goes');
SELECT test.logged() \g /dev/null

-- pain 8: rows of other tables that refer to a partition's
SET client_min_messages = error;
SELECT test.years('r_keys') \g /dev/null
SET client_min_messages = warning;
ALTER TABLE r_keys ADD PRIMARY KEY (id, at);
CREATE TABLE receipts (id int, at timestamptz, who int, FOREIGN KEY (id, at) REFERENCES r_keys ON DELETE CASCADE);
CREATE TABLE pins (id int, at timestamptz, note text, FOREIGN KEY (id, at) REFERENCES r_keys ON DELETE SET NULL (id));
CREATE TABLE reports (id int, at timestamptz, note text, FOREIGN KEY (id, at) REFERENCES r_keys);
-- PostgreSQL itself wants the owner to see the rows that refer to a partition; what is done to them is done as their owner
ALTER TABLE receipts OWNER TO chatopt_maintain_other;
GRANT SELECT ON r_keys TO chatopt_maintain_other;
GRANT SELECT ON r_keys_before, r_keys_2026_06, r_keys_2026_07 TO chatopt_maintain_other;
GRANT SELECT ON receipts, pins, reports TO chatopt_maintain_owner;
INSERT INTO receipts SELECT id, at, w FROM r_keys, generate_series(1, 3) AS w;
INSERT INTO pins SELECT id, at, 'pin ' || id FROM r_keys;
INSERT INTO reports SELECT id, at, 'bad' FROM r_keys WHERE id IN (6, 9);
CALL chatopt.maintain('r_keys');
SELECT test.logged() \g /dev/null
SELECT chatopt.set_retention('r_keys', '3 months', 'drop');
CALL chatopt.maintain('r_keys');
SELECT is(test.logged(), E'r_keys drop r_keys_before done\nr_keys drop r_keys_2026_06 blocked 23503\nr_keys drop r_keys_2026_07 done', 'a key that forbids it keeps one partition, not the others');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM r_keys), '6 8 9 10', 'rows that stayed');
SELECT is((SELECT count(*)::int FROM receipts), 12, 'receipts went with their messages (CASCADE)');
SELECT is((SELECT string_agg(coalesce(id::text, '-'), ' ' ORDER BY note) FROM pins), '- 10 - - - - 6 - 8 9', 'pins lost theirs (SET NULL)');
DELETE FROM reports;
CALL chatopt.maintain('r_keys');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM r_keys), '8 9 10', 'without such rows it goes');
SELECT chatopt.forget_partitions(parent) FROM chatopt.partition_sets \g /dev/null
SELECT test.logged() \g /dev/null

-- ---------------------------------------------------------------------------
-- a default partition: few rows of the new one are moved, with no trigger told; many are refused
CREATE TABLE def (id int, twice int GENERATED ALWAYS AS (id * 2) STORED, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE def_default PARTITION OF def DEFAULT;
CREATE TABLE told (what text);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO told VALUES (TG_OP); RETURN coalesce(new, old); END $$;
CREATE TRIGGER tell AFTER INSERT OR DELETE ON def FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO def (id, at) SELECT i, '2026-11-20Z' FROM generate_series(1, 100) AS i;
INSERT INTO def (id, at) VALUES (101, '2025-01-01Z'), (102, '2097-01-01Z');
TRUNCATE told;
SELECT chatopt.partition('def', premake => 1) \g /dev/null
CALL chatopt.maintain('def');
SELECT is((SELECT string_agg(tableoid::regclass || ' ' || n || ' ' || s, ', ' ORDER BY n) FROM (SELECT tableoid, count(*) AS n, sum(twice) AS s FROM def GROUP BY 1) AS t),
  'def_default 2 406, def_2026_11 100 10100', 'rows of the month went to its partition, the others stayed');
SELECT is((SELECT count(*)::int FROM told), 0, 'no trigger was told');
DELETE FROM def WHERE id IN (101, 1);
SELECT is((SELECT count(*)::int FROM told), 2, 'they are on again');
INSERT INTO def (id, at) SELECT i, '2027-01-05Z' FROM generate_series(1000, 11000) AS i;
SET chatopt.clock = '2027-01-06 00:00:00+00';
SELECT throws_ok($$ SELECT chatopt._check_default('def', 'def_default', '2027-01-01Z', '2027-02-01Z') $$, '23514', NULL, 'more than 10000 are too many');
CREATE FUNCTION test.maintain_fails(tbl text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT problem FROM chatopt.partition_sets WHERE parent = tbl::regclass); END $$;
SET client_min_messages = error;
CALL chatopt.maintain();
SET client_min_messages = warning;
SELECT is(test.maintain_fails('def'), 'default partition public.def_default holds more than 10000 rows from 2027-01-01 00:00:00+00 to 2027-02-01 00:00:00+00', 'and the set says so');
SELECT chatopt.forget_partitions('def');
SELECT test.logged() \g /dev/null

-- ---------------------------------------------------------------------------
-- pain 13: one that fails stops no other; back-off; a named one raises its error
SET chatopt.clock = '2026-11-20 12:00:00+00';
CREATE TABLE f_one (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE f_two (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE f_three (at date NOT NULL) PARTITION BY RANGE (at);
SELECT chatopt.partition('f_one', premake => 1), chatopt.partition('f_two', premake => 1), chatopt.partition('f_three', premake => 1) \g /dev/null
CREATE TABLE f_two_2026_11 (at date);
SET client_min_messages = error;
CALL chatopt.maintain();
SET client_min_messages = warning;
SELECT is(test.logged(), E'f_one create f_one_2026_11 done\nf_one create f_one_2026_12 done\nf_two create f_two_2026_11 failed 42P07\nf_three create f_three_2026_11 done\nf_three create f_three_2026_12 done', 'the others go on');
SELECT is((SELECT concat_ws(' ', failures, problem, retry_at) FROM chatopt.partition_sets WHERE parent = 'f_two'::regclass), '1 relation "f_two_2026_11" already exists 2026-11-20 12:15:00+00', 'the set says why and when it is tried again');
DROP TABLE f_two_2026_11;
CALL chatopt.maintain();
SELECT is(test.parts('f_two'), NULL, 'before that it is passed over');
SET chatopt.clock = '2026-11-20 12:15:00+00';
CALL chatopt.maintain();
SELECT is(test.parts('f_two'), 'f_two_2026_11 f_two_2026_12', 'then it is made');
SELECT is((SELECT concat_ws(' ', failures, problem, retry_at) FROM chatopt.partition_sets WHERE parent = 'f_two'::regclass), '0', 'and the failure is forgotten');
CREATE TABLE f_three_2027_01 (at date);
SET chatopt.clock = '2026-12-20 12:15:00+00';
SELECT chatopt.pause('f_one');
\set ON_ERROR_STOP 0
\set VERBOSITY sqlstate
CALL chatopt.maintain('f_three', '1 s');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42P07', 'a table that is named raises its error');
BEGIN;
CALL chatopt.maintain();
ROLLBACK;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '25001', 'not in a transaction block');
CALL chatopt.maintain('told');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', 'not of a table nobody looks after');
CALL chatopt.maintain('f_one', '-1 s');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22023', 'patience is not negative');
SET ROLE chatopt_maintain_other;
CALL chatopt.maintain('f_one');
RESET ROLE;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42501', 'only the owner names a table');
\set ON_ERROR_STOP 1
\set VERBOSITY default
SET ROLE chatopt_maintain_other;
CALL chatopt.maintain();
RESET ROLE;
SELECT is(test.parts('f_one') || ' ' || test.parts('f_two'), 'f_one_2026_11 f_one_2026_12 f_two_2026_11 f_two_2026_12', 'and maintains nothing of others');
SET client_min_messages = error;
CALL chatopt.maintain();
SET client_min_messages = warning;
SELECT is(test.parts('f_one') || ' ' || test.parts('f_two'), 'f_one_2026_11 f_one_2026_12 f_two_2026_11 f_two_2026_12 f_two_2027_01', 'a paused one waits');

DROP OWNED BY chatopt_maintain_owner, chatopt_maintain_other CASCADE;
DROP ROLE chatopt_maintain_owner, chatopt_maintain_other;
\ir teardown.psql
