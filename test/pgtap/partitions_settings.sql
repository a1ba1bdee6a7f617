-- Which tables chatopt takes for partitioned by time and how it is told: every refusal, what is found by itself, who may.
\set file partitions_settings
\ir setup.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_part_owner, chatopt_part_member, chatopt_part_other, chatopt_part_reader;
CREATE ROLE chatopt_part_owner;
CREATE ROLE chatopt_part_member IN ROLE chatopt_part_owner;
CREATE ROLE chatopt_part_other;
CREATE ROLE chatopt_part_reader;
GRANT USAGE ON SCHEMA test, tap TO PUBLIC;
SET chatopt.clock = '2026-11-20 12:00:00+00';

-- set_of('t'): what is stored of a table.
CREATE FUNCTION test.set_of(tbl regclass) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', s.kind, s.every, s.premake, s.time_zone, s.snowflake_epoch, s.snowflake_shift, s.name_format) FROM chatopt.partition_sets AS s WHERE s.parent = tbl $$;

-- ---------------------------------------------------------------------------
-- what cannot be looked after
CREATE TABLE plain (id int, at timestamptz NOT NULL);
CREATE TABLE by_list (id int, at timestamptz NOT NULL) PARTITION BY LIST (at);
CREATE TABLE by_hash (id int, at timestamptz NOT NULL) PARTITION BY HASH (id);
CREATE TABLE by_two (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at, id);
CREATE TABLE by_expression (id int, at timestamptz NOT NULL) PARTITION BY RANGE (abs(id));
CREATE TABLE by_text (id int, at text) PARTITION BY RANGE (at);
CREATE TABLE by_int (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE by_both (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE by_both_2026 PARTITION OF by_both FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (id);
CREATE TEMP TABLE by_day_of_session (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE VIEW a_view AS SELECT * FROM plain;
SELECT test.refused($$ SELECT chatopt.partition(NULL) $$, '22004', 'no table');
SELECT test.refused($$ SELECT chatopt.partition('plain') $$, '42809', 'a plain table');
SELECT test.refused($$ SELECT chatopt.partition('a_view') $$, '42809', 'a view');
SELECT test.refused($$ SELECT chatopt.partition('by_list') $$, '42809', 'partitioned by list');
SELECT test.refused($$ SELECT chatopt.partition('by_hash') $$, '42809', 'partitioned by hash');
SELECT test.refused($$ SELECT chatopt.partition('by_two') $$, '0A000', 'two columns');
SELECT test.refused($$ SELECT chatopt.partition('by_expression') $$, '0A000', 'an expression');
SELECT test.refused($$ SELECT chatopt.partition('by_text') $$, '0A000', 'a type that is no time');
SELECT test.refused($$ SELECT chatopt.partition('by_int') $$, '0A000', 'integer');
SELECT test.refused($$ SELECT chatopt.partition('by_both') $$, '0A000', 'partitions of partitions');
SELECT test.refused($$ SELECT chatopt.partition('by_both_2026') $$, '0A000', 'a partition');
SELECT test.refused($$ SELECT chatopt.partition('by_day_of_session') $$, '0A000', 'a temporary table');
SELECT test.refused($$ SELECT chatopt.partition(0) $$, '42P01', 'no table of that OID');

-- ---------------------------------------------------------------------------
-- periods, zones, kinds, names
CREATE TABLE ev (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE num (id bigint NOT NULL) PARTITION BY RANGE (id);
SELECT test.refused(format($$ SELECT chatopt.partition('ev', every => %L) $$, word), '22023', 'every => ' || word)
  FROM unnest(ARRAY['10', '', '3 days', 'hour', '2 months', 'month month', '-1 month', 'mo', '1', 'decade', '1 month 1 day']) AS word;
SELECT test.refused(format($$ SELECT chatopt.partition('ev', time_zone => %L) $$, word), '22023', 'time_zone => ' || word)
  FROM unnest(ARRAY['+03', 'utc', 'Europe/Atlantis', '', 'europe/berlin', '<+03>-03']) AS word;
SELECT test.refused($$ SELECT chatopt.partition('ev', premake => 0) $$, '22023', 'none ahead');
SELECT test.refused($$ SELECT chatopt.partition('ev', premake => 1001) $$, '22023', 'too many ahead');
SELECT test.refused($$ SELECT chatopt.partition('ev', control_kind => 'epoch_seconds') $$, '22023', 'a kind of another type');
SELECT test.refused($$ SELECT chatopt.partition('ev', snowflake_shift => 22) $$, '22023', 'a snowflake that is none');
SELECT test.refused($$ SELECT chatopt.partition('num') $$, '22023', 'a bigint that does not show what it is');
SELECT test.refused($$ SELECT chatopt.partition('num', control_kind => 'uuidv7') $$, '22023', 'a bigint is no uuid');
SELECT test.refused($$ SELECT chatopt.partition('num', control_kind => 'snowflake') $$, '22023', 'a snowflake without epoch');
SELECT test.refused($$ SELECT chatopt.partition('num', control_kind => 'snowflake', snowflake_epoch => '2015-01-01Z', snowflake_shift => 41) $$, '22023', 'a shift beyond 40');
SELECT test.refused(format($$ SELECT chatopt.partition('ev', name_format => %L) $$, word), '22023', 'name_format => ' || word)
  FROM unnest(ARRAY['', '_YYYY', '_MM', 'x', '_"YYYY_MM']) AS word;
SELECT is(test.set_of('ev'), NULL, 'refusals leave nothing');

SELECT chatopt.partition('ev', dry_run => true) \g /dev/null
SELECT is(test.set_of('ev'), NULL, 'nor does dry_run');
SELECT is((SELECT string_agg(s, E'\n' ORDER BY o) FROM chatopt.partition('ev', dry_run => true) WITH ORDINALITY AS p(s, o)),
  (SELECT string_agg(s, E'\n' ORDER BY o) FROM chatopt.partition('ev') WITH ORDINALITY AS p(s, o)), 'dry_run returns what is run');
SELECT is(test.set_of('ev'), 'timestamptz month 3 UTC _YYYY_MM', 'a table without partitions: months in UTC');
SELECT is((SELECT s FROM chatopt.partition('ev', every => 'Months', premake => 6, time_zone => 'Europe/Berlin') AS s LIMIT 1) IS NOT NULL, true, 'called again');
SELECT is(test.set_of('ev'), 'timestamptz month 6 Europe/Berlin _YYYY_MM', 'it changes what is given');
SELECT chatopt.partition('ev', every => 'quarter') \g /dev/null
SELECT is(test.set_of('ev'), 'timestamptz quarter 6 Europe/Berlin _YYYY_qQ', 'and the usual name goes with the period');
SELECT chatopt.partition('ev', name_format => '_pYYYY_Q') \g /dev/null
SELECT is(test.set_of('ev'), 'timestamptz quarter 6 Europe/Berlin _pYYYY_Q', 'a name of one''s own');
SELECT test.refused($$ SELECT chatopt.partition('ev', every => 'month') $$, '22023', 'which does not do for months');
SELECT chatopt.partition('num', control_kind => 'snowflake', snowflake_epoch => '2015-01-01 00:00:00+00', snowflake_shift => 22) \g /dev/null
SELECT is(test.set_of('num'), 'snowflake month 3 UTC 2015-01-01 00:00:00+00 22 _YYYY_MM', 'a snowflake');
SELECT chatopt.partition('num', premake => 1) \g /dev/null
SELECT is(test.set_of('num'), 'snowflake month 1 UTC 2015-01-01 00:00:00+00 22 _YYYY_MM', 'stays one');

-- found from what is there
CREATE TABLE found (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE found_1 PARTITION OF found FOR VALUES FROM (MINVALUE) TO ('2026-11-01 00:00+01');
CREATE TABLE found_2 PARTITION OF found FOR VALUES FROM ('2026-11-02 00:00+01') TO ('2026-11-09 00:00+01');
SELECT test.refused($$ SELECT chatopt.partition('found') $$, '22023', 'bounds that are no periods in UTC ask for the zone');
SET client_min_messages = error;
SELECT chatopt.partition('found', time_zone => 'Europe/Berlin') \g /dev/null
SELECT is(test.set_of('found'), 'timestamptz week 3 Europe/Berlin _YYYY_MM_DD', 'weeks, from the newest partition');
CREATE TABLE secs (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE secs_1 PARTITION OF secs FOR VALUES FROM (1793491200) TO (1796083200);
SELECT chatopt.partition('secs') \g /dev/null
SELECT is(test.set_of('secs'), 'epoch_seconds month 3 UTC _YYYY_MM', 'seconds, from the bounds');
CREATE TABLE msecs (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE msecs_1 PARTITION OF msecs DEFAULT;
INSERT INTO msecs VALUES (1793491200123);
SELECT chatopt.partition('msecs') \g /dev/null
SELECT is(test.set_of('msecs'), 'epoch_milliseconds month 3 UTC _YYYY_MM', 'milliseconds, from the rows');
SET client_min_messages = warning;

-- names that are taken, and names that are cut
CREATE TABLE taken (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE taken_2026_12 (at timestamptz);
SELECT test.refused($$ SELECT chatopt.partition('taken') $$, '42P07', 'the name of a partition to come is taken');
DROP TABLE taken_2026_12;
SELECT chatopt.partition('taken') \g /dev/null
CREATE TABLE a23456789_123456789_123456789_123456789_123456789_123456789_one (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE a23456789_123456789_123456789_123456789_123456789_123456789_two (at timestamptz NOT NULL) PARTITION BY RANGE (at);
SELECT chatopt.partition('a23456789_123456789_123456789_123456789_123456789_123456789_one') \g /dev/null
CALL chatopt.maintain('a23456789_123456789_123456789_123456789_123456789_123456789_one');
SELECT test.refused($$ SELECT chatopt.partition('a23456789_123456789_123456789_123456789_123456789_123456789_two') $$, '42P07', 'two names that are the same once they are cut');
SELECT is((SELECT count(*) FROM chatopt.partitions WHERE parent = 'a23456789_123456789_123456789_123456789_123456789_123456789_one'::regclass
  AND octet_length(split_part(partition_name::text, '.', 1)) = 63 AND partition_name::text ~ '_20\d\d_\d\d$')::int, 4, 'a cut name keeps what tells the month');

-- ---------------------------------------------------------------------------
-- retention
CREATE SCHEMA mine AUTHORIZATION chatopt_part_owner;
CREATE SCHEMA theirs AUTHORIZATION chatopt_part_other;
CREATE TABLE owned (at timestamptz NOT NULL) PARTITION BY RANGE (at);
GRANT CREATE ON SCHEMA public TO chatopt_part_owner;
ALTER TABLE owned OWNER TO chatopt_part_owner;
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year') $$, '55000', 'retention of a table that nobody looks after');
SELECT chatopt.partition('owned') \g /dev/null
SELECT test.refused($$ SELECT chatopt.set_retention(NULL, '1 year') $$, '22004', 'of no table');
SELECT test.refused(format($$ SELECT chatopt.set_retention('owned', %L) $$, word), '22023', 'keep => ' || word)
  FROM unnest(ARRAY['10', '29 days', '-1 year', '0', '1 day']) AS word;
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'delete') $$, '22023', 'an unknown action');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'archive') $$, '22023', 'an archive without a schema');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'drop', 'mine') $$, '22023', 'a schema without an archive');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'archive', 'public') $$, '22023', 'the table''s own schema');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'archive', 'nowhere') $$, '3F000', 'no such schema');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year', 'archive', 'theirs') $$, '42501', 'somebody else''s schema');
SELECT chatopt.set_retention('owned', '1 year', 'archive', 'mine');
SELECT is((SELECT row(keep, action, archive_schema)::text FROM chatopt.partition_sets WHERE parent = 'owned'::regclass), '("1 year",archive,mine)', 'stored');
SELECT chatopt.partition('owned', premake => 5) \g /dev/null
SELECT is((SELECT row(keep, action, archive_schema, premake)::text FROM chatopt.partition_sets WHERE parent = 'owned'::regclass), '("1 year",archive,mine,5)', 'and kept by a later call of partition');
SELECT chatopt.set_retention('owned', '30 days');
SELECT test.refused($$ SELECT chatopt.partition('owned', every => 'quarter') $$, '22023', 'no longer period than what is kept');
SELECT chatopt.set_retention('owned', NULL);
SELECT is((SELECT row(keep, action, archive_schema)::text FROM chatopt.partition_sets WHERE parent = 'owned'::regclass), '(,detach,)', 'NULL keeps all');

-- ---------------------------------------------------------------------------
-- holds, pause, forgetting
CALL chatopt.maintain('owned');
SELECT test.refused($$ SELECT chatopt.hold('plain', 'why') $$, '42809', 'a table that is no partition');
SELECT test.refused($$ SELECT chatopt.hold(NULL, 'why') $$, '22004', 'no table');
SELECT test.refused($$ SELECT chatopt.hold('owned_2026_11', '  ') $$, '22023', 'no reason');
SELECT test.refused($$ SELECT chatopt.hold('owned_2026_11', NULL) $$, '22023', 'nor is NULL one');
SELECT chatopt.hold('owned_2026_11', 'case 7');
SELECT is((SELECT string_agg(partition_name || ':' || coalesce(hold, '-'), ' ' ORDER BY lower_at) FROM chatopt.partitions WHERE parent = 'owned'::regclass AND lower_at < '2027-01-01'),
  'owned_2026_11:case 7 owned_2026_12:-', 'one is held');
SELECT chatopt.hold('owned', 'all of it');
SELECT is((SELECT string_agg(partition_name || ':' || coalesce(hold, '-'), ' ' ORDER BY lower_at) FROM chatopt.partitions WHERE parent = 'owned'::regclass AND lower_at < '2027-01-01'),
  'owned_2026_11:case 7 owned_2026_12:all of it', 'and all are');
SELECT chatopt.release_hold('owned');
SELECT chatopt.release_hold('owned_2026_11');
SELECT chatopt.release_hold('owned_2026_11');
SELECT is((SELECT count(*)::int FROM chatopt.partitions WHERE hold IS NOT NULL), 0, 'released, twice');
SELECT chatopt.pause('owned');
SELECT is((SELECT count(*)::int FROM chatopt.maintenance_plan('owned', '2027-06-15Z')), 7, 'a paused table has a plan when it is named');
SELECT is((SELECT count(*)::int FROM chatopt.maintenance_plan(NULL, '2027-06-15Z') WHERE parent = 'owned'::regclass), 0, 'else not');
SELECT chatopt.resume('owned');
SELECT is((SELECT count(*)::int FROM chatopt.maintenance_plan(NULL, '2027-06-15Z') WHERE parent = 'owned'::regclass), 7, 'resumed it has');
SELECT chatopt.hold('owned_2026_11', 'case 8');
SELECT chatopt.forget_partitions('owned');
SELECT test.refused($$ SELECT chatopt.forget_partitions('owned') $$, '55000', 'forgotten once');
SELECT test.refused($$ SELECT chatopt.pause('owned') $$, '55000', 'nothing to pause');
SELECT test.refused($$ SELECT chatopt.hold('owned_2026_11', 'case 8') $$, '42809', 'nothing to hold');
SELECT chatopt.partition('owned') \g /dev/null
SELECT is((SELECT count(*)::int FROM chatopt.partitions WHERE hold IS NOT NULL), 0, 'holds are forgotten with it');

-- ---------------------------------------------------------------------------
-- who may
SET ROLE chatopt_part_other;
SELECT test.refused($$ SELECT chatopt.partition('owned') $$, '42501', 'partition: the owner alone');
SELECT test.refused($$ SELECT chatopt.set_retention('owned', '1 year') $$, '42501', 'set_retention');
SELECT test.refused($$ SELECT chatopt.hold('owned_2026_11', 'why') $$, '42501', 'hold');
SELECT test.refused($$ SELECT chatopt.release_hold('owned_2026_11') $$, '42501', 'release_hold');
SELECT test.refused($$ SELECT chatopt.pause('owned') $$, '42501', 'pause');
SELECT test.refused($$ SELECT chatopt.forget_partitions('owned') $$, '42501', 'forget_partitions');
SELECT test.refused($$ SELECT chatopt.maintenance_plan('owned') $$, '42501', 'maintenance_plan');
SELECT test.refused($$ SELECT chatopt.save_set('owned', 'date', 'month', 3, 'UTC', NULL, NULL, '_YYYY_MM', 'partition', '{}') $$, '42501', 'save_set');
SELECT test.refused($$ SELECT chatopt.save_hold('owned_2026_11', 'why') $$, '42501', 'save_hold');
SELECT test.refused($$ SELECT chatopt.forget_set('owned') $$, '42501', 'forget_set');
SELECT test.refused($$ SELECT * FROM chatopt.partition_set $$, '42501', 'the table itself');
SELECT is((SELECT count(*)::int FROM chatopt.partition_sets) + (SELECT count(*)::int FROM chatopt.partitions), 0, 'sees no set of others');
SELECT is((SELECT count(*)::int FROM chatopt.maintenance_plan()), 0, 'and has no plan');
RESET ROLE;
GRANT SELECT ON owned TO chatopt_part_reader;
SET ROLE chatopt_part_reader;
SELECT is((SELECT string_agg(parent::text, ' ') FROM chatopt.partition_sets), 'owned', 'who may read the table sees how it is looked after');
SELECT test.refused($$ SELECT chatopt.pause('owned') $$, '42501', 'no more than that');
RESET ROLE;
SET ROLE chatopt_part_member;
SELECT lives_ok($$ SELECT chatopt.partition('owned', premake => 2) $$, 'members of the owner may');
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM chatopt_part_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SELECT test.refused($$ SELECT chatopt.partition('owned', premake => 3) $$, '42501', 'an owner who may not create beside the table');

-- ---------------------------------------------------------------------------
-- the configuration follows the catalogues
ALTER TABLE owned RENAME TO renamed;
ALTER TABLE renamed RENAME COLUMN at TO sent;
SELECT is((SELECT parent || '.' || control FROM chatopt.partition_sets WHERE parent = 'renamed'::regclass), 'renamed.sent', 'renames');
DROP TABLE renamed;
SELECT is((SELECT count(*)::int FROM chatopt.partition_sets WHERE parent::text = 'renamed'), 0, 'a dropped table is no set');
SELECT lives_ok($$ SELECT * FROM chatopt.maintenance_plan() $$, 'and stops no plan');

DROP OWNED BY chatopt_part_owner, chatopt_part_member, chatopt_part_other, chatopt_part_reader CASCADE;
DROP ROLE chatopt_part_owner, chatopt_part_member, chatopt_part_other, chatopt_part_reader;
\ir teardown.psql
