-- From pg_partman and back: chatopt.adopt_partman and release_partman, on the settings of every version as tables of the test's own,
-- and on pg_partman itself where it is installed.
\set file partitions_partman
\ir setup.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_partman_owner, chatopt_partman_other;
CREATE ROLE chatopt_partman_owner;
CREATE ROLE chatopt_partman_other;
SET chatopt.clock = '2026-11-20 12:00:00+00';

-- ---------------------------------------------------------------------------
-- The table of settings as of 5.6. adopt_partman asks for one that belongs to the extension: another is made to bear the name.
CREATE SCHEMA partman;
CREATE TABLE partman.part_config (
  parent_table text PRIMARY KEY, control text NOT NULL, time_encoder text, time_decoder text, partition_interval text NOT NULL,
  partition_type text NOT NULL DEFAULT 'range', premake int NOT NULL DEFAULT 4, automatic_maintenance text NOT NULL DEFAULT 'on', template_table text,
  retention text, retention_schema text, retention_keep_index boolean NOT NULL DEFAULT true, retention_keep_table boolean NOT NULL DEFAULT true,
  epoch text NOT NULL DEFAULT 'none', constraint_cols text[], optimize_constraint int NOT NULL DEFAULT 30, infinite_time_partitions boolean NOT NULL DEFAULT false,
  datetime_string text, jobmon boolean NOT NULL DEFAULT true, sub_partition_set_full boolean NOT NULL DEFAULT false, undo_in_progress boolean NOT NULL DEFAULT false,
  inherit_privileges boolean DEFAULT false, constraint_valid boolean NOT NULL DEFAULT true, ignore_default_data boolean NOT NULL DEFAULT true,
  date_trunc_interval text, maintenance_order int, retention_keep_publication boolean NOT NULL DEFAULT false, maintenance_last_run timestamptz,
  async_partitioning_in_progress text, detach_before_drop boolean NOT NULL DEFAULT false, maintenance_role text, partition_timezone text,
  child_table_prefix text NOT NULL DEFAULT '_p');
CREATE SCHEMA app AUTHORIZATION chatopt_partman_owner;
SET search_path = app, test, tap, public;
SET ROLE chatopt_partman_owner;
CREATE TABLE m (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE m_p20261001 PARTITION OF m FOR VALUES FROM ('2026-10-01+00') TO ('2026-11-01+00');
CREATE TABLE m_p20261101 PARTITION OF m FOR VALUES FROM ('2026-11-01+00') TO ('2026-12-01+00');
CREATE TABLE m_p20261201 PARTITION OF m FOR VALUES FROM ('2026-12-01+00') TO ('2027-01-01+00');
RESET ROLE;
SELECT test.refused($$SELECT chatopt.adopt_partman('m')$$, '55000', 'pg_partman is not installed');
-- a table of that name that belongs to nobody is not asked
INSERT INTO partman.part_config (parent_table, control, partition_interval, datetime_string) VALUES ('app.m', 'at', '1 mon', 'YYYYMMDD');
SELECT test.refused($$SELECT chatopt.adopt_partman('m')$$, '55000', 'a part_config that is not pg_partman''s');
ALTER EXTENSION pgtap ADD TABLE partman.part_config;
SET allow_system_table_mods = on;
UPDATE pg_extension SET extname = 'pg_partman' WHERE extname = 'pgtap';
RESET allow_system_table_mods;

-- rights
SELECT test.refused($$SELECT chatopt.adopt_partman(NULL)$$, '22004', 'no table');
SELECT test.refused($$SELECT chatopt.adopt_partman('app.m')$$, '42501', 'not the owner', 'chatopt_partman_other');
SELECT test.refused($$SELECT chatopt.adopt_partman('app.m')$$, '42501', 'an owner who may not read part_config', 'chatopt_partman_owner');
GRANT USAGE ON SCHEMA partman TO chatopt_partman_owner;
GRANT SELECT ON partman.part_config TO chatopt_partman_owner;
SELECT test.refused($$SELECT chatopt.adopt_partman('app.m')$$, '42501', 'an owner who may not write part_config', 'chatopt_partman_owner');
SELECT is((SELECT count(*)::int FROM chatopt.partition_set), 0, 'none of these left anything');
GRANT INSERT, UPDATE ON partman.part_config TO chatopt_partman_owner;

-- dry run, and the real one
UPDATE partman.part_config SET retention = '1 year', premake = 2;
SET client_min_messages = error;
SELECT array_agg(s) AS planned FROM chatopt.adopt_partman('m', dry_run => true) AS s \gset
SELECT is((SELECT count(*)::int FROM chatopt.partition_set), 0, 'dry_run writes nothing');
SELECT is((SELECT automatic_maintenance FROM partman.part_config), 'on', 'nor in part_config');
SET ROLE chatopt_partman_owner;
SELECT array_agg(s) AS done FROM chatopt.adopt_partman('m') AS s \gset
RESET ROLE;
SELECT is(:'done'::text[], :'planned'::text[], 'the statements run are those that dry_run showed');
SELECT results_eq('SELECT parent, kind, every, premake, time_zone, name_format, keep, action, archive_schema, state, origin FROM chatopt.partition_set',
  $$VALUES ('app.m'::regclass, 'timestamptz', 'month', 2, 'UTC', '_pYYYYMMDD', interval '1 year', 'detach', NULL::text, 'active', 'partman')$$, 'settings of pg_partman, in words of chatopt');
SELECT is((SELECT automatic_maintenance FROM partman.part_config), 'off', 'pg_partman is told to leave it alone');
SELECT is((SELECT string_agg(format('%s from %s', partition_name, lower_bound), ', ') FROM chatopt.maintenance_plan('m') WHERE action = 'create'),
  'm_p20270101 from 2027-01-01 00:00:00+00', 'the next partition has the name that pg_partman would give it');
CALL chatopt.maintain('m');
SELECT is((SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'm'::regclass), 4, 'chatopt goes on');
SELECT test.refused($$SELECT chatopt.adopt_partman('m')$$, '55000', 'adopted already');

-- back, in one call: the row is as it was, under the names of now
ALTER TABLE m RENAME TO messages;
ALTER TABLE messages RENAME at TO sent;
SELECT set_eq($$SELECT * FROM chatopt.release_partman('messages', true)$$, ARRAY['SELECT chatopt.forget_set(''app.messages''::regclass);',
  'UPDATE partman.part_config SET automatic_maintenance = ''on'', parent_table = ''app.messages'', control = ''sent'' WHERE parent_table = ''app.m'';'], 'release_partman: dry_run');
SELECT is((SELECT count(*)::int FROM chatopt.partition_set), 1, 'which changes nothing');
SELECT test.refused($$SELECT chatopt.release_partman('app.messages')$$, '42501', 'release_partman: not the owner', 'chatopt_partman_other');
SET ROLE chatopt_partman_owner;
SELECT chatopt.release_partman('messages') \g /dev/null
RESET ROLE;
SELECT is((SELECT count(*)::int FROM chatopt.partition_set), 0, 'chatopt has forgotten it');
SELECT results_eq($$SELECT parent_table, control, automatic_maintenance, retention, premake FROM partman.part_config$$, $$VALUES ('app.messages', 'sent', 'on', '1 year', 2)$$,
  'and pg_partman has it back');
SELECT test.refused($$SELECT chatopt.release_partman('messages')$$, '55000', 'release_partman: not looked after');
-- the row may be gone meanwhile, with pg_partman itself
SELECT to_jsonb(p) AS before FROM partman.part_config p \gset
SELECT chatopt.adopt_partman('messages') \g /dev/null
DELETE FROM partman.part_config;
SELECT chatopt.release_partman('messages') \g /dev/null
SELECT is((SELECT to_jsonb(p) FROM partman.part_config p), :'before'::jsonb, 'a row that is gone is made again');
SELECT chatopt.partition('messages') \g /dev/null
SELECT test.refused($$SELECT chatopt.release_partman('messages')$$, '55000', 'release_partman: not taken over from pg_partman');
SELECT chatopt.forget_partitions('messages') \g /dev/null

-- settings, one by one: settled('column = value', 'what comes of it')
CREATE FUNCTION test.settled(assignments text, zone text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found text;
BEGIN
  EXECUTE 'UPDATE partman.part_config SET ' || assignments;
  PERFORM chatopt.adopt_partman('app.messages', zone);
  SELECT format('%s %s %s %s keep %s %s %s', every, premake, time_zone, name_format, keep, action, archive_schema) INTO found FROM chatopt.partition_set;
  RAISE EXCEPTION USING MESSAGE = found, ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
  RETURN found;
END $$;
CREATE SCHEMA archive AUTHORIZATION chatopt_partman_owner;
SELECT is(test.settled('retention = NULL'), 'month 2 UTC _pYYYYMMDD keep  detach ', 'no retention: kept for ever');
SELECT is(test.settled('retention_keep_table = false'), 'month 2 UTC _pYYYYMMDD keep 1 year drop ', 'retention_keep_table');
SELECT is(test.settled('retention_schema = ''archive'', retention_keep_table = false'), 'month 2 UTC _pYYYYMMDD keep 1 year archive archive', 'retention_schema comes first');
SELECT is(test.settled('child_table_prefix = ''_part'''), 'month 2 UTC _partYYYYMMDD keep 1 year detach ', 'child_table_prefix');
SELECT is(test.settled('datetime_string = ''YYYY_MM'''), 'month 2 UTC _pYYYY_MM keep 1 year detach ', 'names of 4.x');
SELECT is(test.settled('partition_interval = ''3 mons'', datetime_string = ''YYYY"q"Q'''), 'quarter 2 UTC _pYYYY"q"Q keep 1 year detach ', 'quarters of 4.x');
SELECT is(test.settled('partition_interval = ''7 days'', datetime_string = ''IYYY"w"IW'''), 'week 2 UTC _pIYYY"w"IW keep 1 year detach ', 'weeks of 4.x');
SELECT is(test.settled('partition_interval = ''1 day'''), 'day 2 UTC _pYYYYMMDD keep 1 year detach ', 'days');
SELECT is(test.settled('partition_interval = ''@ 1 year'''), 'year 2 UTC _pYYYYMMDD keep 1 year detach ', 'years, however they are written');
SELECT is(test.settled('partition_timezone = ''Europe/Berlin'''), 'month 2 Europe/Berlin _pYYYYMMDD keep 1 year detach ', 'partition_timezone');
SELECT is(test.settled('partition_timezone = ''Europe/Berlin''', 'Asia/Tokyo'), 'month 2 Asia/Tokyo _pYYYYMMDD keep 1 year detach ', 'time_zone of the call comes first');
SET timezone = 'Africa/Abidjan';
SELECT is(test.settled('premake = 3'), 'month 3 Africa/Abidjan _pYYYYMMDD keep 1 year detach ', 'the session''s zone where the bounds are its midnights');
SET timezone = 'Asia/Tokyo';
SELECT is(test.settled('premake = 3'), 'month 3 UTC _pYYYYMMDD keep 1 year detach ', 'else UTC where they are that one''s');
SET timezone = 'UTC';

-- refused(assignments, SQLSTATE, what)
CREATE FUNCTION test.not_settled(assignments text, wanted text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text := 'done';
BEGIN
  BEGIN
    PERFORM test.settled(assignments);
  EXCEPTION WHEN OTHERS THEN
    state := SQLSTATE;
  END;
  RETURN is(state, wanted, what);
END $$;
SELECT test.not_settled('undo_in_progress = true', '55000', 'while it is undone');
SELECT test.not_settled('async_partitioning_in_progress = ''x''', '55000', 'while rows are being moved');
SELECT test.not_settled('partition_type = ''partman''', '0A000', 'triggers of 4.x');
SELECT test.not_settled('partition_interval = ''1 hour'', datetime_string = ''YYYYMMDD_HH24MISS''', '0A000', 'hourly partitions');
SELECT test.not_settled('partition_interval = ''2 weeks''', '0A000', 'fortnights');
SELECT test.not_settled('datetime_string = ''YYYY''', '22023', 'names that are the same for two months');
SELECT test.not_settled('retention = ''10''', '22023', 'pain_09: a retention of 10 seconds');
SELECT test.not_settled('retention_schema = ''nowhere''', '3F000', 'a retention_schema that is not there');
SELECT test.not_settled('retention_schema = ''public''', '42501', 'a retention_schema that is somebody else''s');
SELECT test.not_settled('partition_timezone = ''Nowhere/Land''', '22023', 'a time zone that does not exist');
SELECT test.not_settled('premake = 1001', '23514', 'a premake beyond reason');
SELECT is((SELECT to_jsonb(p) FROM partman.part_config p), :'before'::jsonb, 'none of these changed part_config');

-- bounds that are no midnights of any zone known
CREATE TABLE shifted (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE shifted_p20261101 PARTITION OF shifted FOR VALUES FROM ('2026-10-31 15:00:00+00') TO ('2026-11-30 15:00:00+00');
INSERT INTO partman.part_config (parent_table, control, partition_interval, datetime_string) VALUES ('app.shifted', 'at', '1 mon', 'YYYYMMDD');
SELECT test.refused($$SELECT chatopt.adopt_partman('shifted')$$, '22023', 'bounds of another zone: asked for');
SELECT test.accepted($$SELECT chatopt.adopt_partman('shifted', 'Asia/Tokyo')$$, 'and taken when it is named');
SELECT is((SELECT format('%s from %s', partition_name, lower_bound) FROM chatopt.maintenance_plan('shifted') WHERE action = 'create' LIMIT 1),
  'shifted_p20261201 from 2026-11-30 15:00:00+00', 'then it goes on in that zone');

-- columns that are no timestamps with time zone
CREATE TABLE wall (at timestamp NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE day (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE seconds (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE milliseconds (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE nanoseconds (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE numbers (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE snowflakes (at bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE uuids (at uuid NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE texts (at text NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE lists (at date NOT NULL) PARTITION BY LIST (at);
CREATE TABLE "Odd.Name" (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE below (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE below_p20261101 PARTITION OF below FOR VALUES FROM ('2026-11-01') TO ('2026-12-01') PARTITION BY LIST (at);
CREATE TABLE seconds_p20261101 PARTITION OF seconds FOR VALUES FROM (1793491200) TO (1796083200);
CREATE TABLE uuids_p20261101 PARTITION OF uuids FOR VALUES FROM ('01a19467-e800-0000-0000-000000000000') TO ('01a22ee6-b000-0000-0000-000000000000');
INSERT INTO partman.part_config (parent_table, control, partition_interval, datetime_string, epoch, time_encoder)
  SELECT 'app.' || t, 'at', '1 mon', 'YYYYMMDD', CASE WHEN t LIKE '%seconds' THEN t ELSE 'none' END,
    CASE WHEN t IN ('snowflakes', 'uuids', 'texts') THEN 'partman.uuid7_time_encoder' END
  FROM unnest(ARRAY['wall', 'day', 'seconds', 'milliseconds', 'nanoseconds', 'numbers', 'snowflakes', 'uuids', 'texts', 'lists', 'Odd.Name', 'below']) AS t;
UPDATE partman.part_config SET partition_interval = '10000' WHERE parent_table = 'app.numbers';
SELECT test.refused(format('SELECT chatopt.adopt_partman(%L)', t), s, w) FROM (VALUES ('nanoseconds', '0A000', 'bigint of nanoseconds'), ('numbers', '0A000', 'ranges of numbers'),
  ('snowflakes', '0A000', 'snowflake ids: chatopt.partition is asked for'), ('texts', '0A000', 'times in text'), ('lists', '42809', 'partitions by list'),
  ('below', '0A000', 'partitions of partitions'), ('partman.part_config', '55000', 'a table pg_partman does not look after')) AS v(t, s, w);
SELECT chatopt.adopt_partman(t) FROM unnest(ARRAY['wall', 'day', 'seconds', 'milliseconds', '"Odd.Name"', 'uuids']::regclass[]) AS t \g /dev/null
SELECT is((SELECT string_agg(format('%s %s', parent, kind), ', ' ORDER BY parent::text COLLATE "C") FROM chatopt.partition_set WHERE parent <> 'shifted'::regclass),
  '"Odd.Name" date, day date, milliseconds epoch_milliseconds, seconds epoch_seconds, uuids uuidv7, wall timestamp',
  'each type of column, and a name that pg_partman does not quote');
SELECT is((SELECT count(*)::int FROM partman.part_config WHERE automatic_maintenance = 'off'), 7, 'all of them are off');

-- what is said
SELECT is(chatopt._partman_left_behind(:'before'::jsonb), NULL, 'nothing is left behind of plain settings');
SELECT is(chatopt._partman_left_behind(:'before'::jsonb || '{"constraint_cols": ["a"], "publications": ["p"], "retention_keep_index": false, "subscription_refresh": "s"}'),
  'No constraints on ["a"] are added to old partitions. New partitions are not added to publications ["p"] one by one: publish the table itself. '
  'Detached partitions keep their indexes. Subscription s is not refreshed.', 'what is not gone on with is named');

-- indexes that pg_partman's template put on partitions alone go on
SET ROLE chatopt_partman_owner;
ALTER TABLE m_p20261201 ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX "Odd index" ON m_p20261201 (lower(id::text) DESC, sent) INCLUDE (id) WITH (fillfactor = 50) WHERE id > 0;
RESET ROLE;
SELECT chatopt.adopt_partman('messages', 'UTC') \g /dev/null
DROP TABLE m_p20270101;
CALL chatopt.maintain('messages');
SELECT is((SELECT array_agg(regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING', ' INDEX USING') ORDER BY indisprimary) FROM pg_index WHERE indrelid = 'messages_p20270101'::regclass),
  (SELECT array_agg(regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING', ' INDEX USING') ORDER BY indisprimary) FROM pg_index WHERE indrelid = 'm_p20261201'::regclass),
  'the new partition has the newest one''s own indexes');
SELECT ok((SELECT bool_or(indisprimary) FROM pg_index WHERE indrelid = 'messages_p20270101'::regclass), 'its primary key too');
SELECT is((SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = 'messages_p20270101'::regclass), 'chatopt_partman_owner', 'as the owner''s');
SELECT is((SELECT count(*)::int FROM chatopt.inheritance_report('messages') WHERE leaf = 'messages_p20270101'::regclass AND what_is_done LIKE '%gets it as from pg_partman%'), 2,
  'inheritance_report says so');
SELECT chatopt.release_partman('messages') \g /dev/null

-- ---------------------------------------------------------------------------
-- pg_partman itself.
SET allow_system_table_mods = on;
UPDATE pg_extension SET extname = 'pgtap' WHERE extname = 'pg_partman';
RESET allow_system_table_mods;
ALTER EXTENSION pgtap DROP TABLE partman.part_config;
SELECT test.refused($$SELECT chatopt.release_partman('wall')$$, '55000', 'release_partman: pg_partman is gone');
DROP TABLE partman.part_config;
RESET chatopt.clock;
SELECT count(*) > 0 AS installed, coalesce(max(default_version) < '5', false) AS old FROM pg_available_extensions WHERE name = 'pg_partman' \gset
\if :installed
CREATE EXTENSION pg_partman SCHEMA partman;
CREATE TABLE real (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE INDEX ON real (id);
CREATE TABLE real_template (LIKE real, UNIQUE (id)) WITH (fillfactor = 77);
\if :old
SELECT partman.create_parent('app.real', 'at', p_type => 'native', p_interval => 'monthly', p_template_table => 'app.real_template', p_premake => 2) \g /dev/null
\else
SELECT partman.create_parent('app.real', 'at', p_type => 'range', p_interval => '1 month', p_template_table => 'app.real_template', p_premake => 2) \g /dev/null
\endif
SELECT to_jsonb(p) AS before FROM partman.part_config p WHERE parent_table = 'app.real' \gset
CREATE VIEW shape AS SELECT b.leaf::text, b.lower_bound, b.upper_bound, (SELECT count(*) FROM pg_index WHERE indrelid = b.leaf) AS indexes,
    (SELECT c.reloptions FROM pg_class c WHERE c.oid = b.leaf) AS options FROM chatopt._bounds('real') AS b;
CREATE TABLE shape_before AS TABLE shape;
SELECT chatopt.adopt_partman('real') \g /dev/null
SELECT results_eq('SELECT every, premake, origin FROM chatopt.partition_set WHERE parent = ''real''::regclass', $$VALUES ('month', 2, 'partman')$$, 'pg_partman: taken over');
CALL chatopt.maintain('real');
SELECT results_eq('TABLE shape', 'TABLE shape_before', 'pg_partman: chatopt has nothing to add to what pg_partman has made');
-- what pg_partman has made ahead and what chatopt makes in its place is the same
SELECT leaf AS newest FROM shape WHERE lower_bound IS NOT NULL ORDER BY lower_bound DESC LIMIT 1 \gset
DROP TABLE :newest;
CALL chatopt.maintain('real');
SELECT results_eq('TABLE shape', 'TABLE shape_before', 'pg_partman: chatopt makes the partition that pg_partman had made, with the template''s index and options');
SELECT chatopt.partition('real', premake => 4) \g /dev/null
CALL chatopt.maintain('real');
SELECT is((SELECT count(*)::int FROM shape) - (SELECT count(*)::int FROM shape_before), 2, 'pg_partman: two more of chatopt''s');
CALL partman.run_maintenance_proc();
SELECT is((SELECT count(*)::int FROM shape) - (SELECT count(*)::int FROM shape_before), 2, 'pg_partman: its maintenance leaves the table alone');
SELECT chatopt.release_partman('real') \g /dev/null
SELECT is((SELECT to_jsonb(p) - 'maintenance_last_run' FROM partman.part_config p WHERE parent_table = 'app.real'), :'before'::jsonb - 'maintenance_last_run', 'pg_partman: its row is as it was');
UPDATE partman.part_config SET premake = 6, infinite_time_partitions = true;
SELECT partman.run_maintenance('app.real') \g /dev/null
SELECT cmp_ok((SELECT count(*)::int FROM shape) - (SELECT count(*)::int FROM shape_before), '>=', 4, 'pg_partman: goes on where chatopt has stopped');
SELECT is((SELECT count(*)::int FROM (SELECT lower_bound, lag(upper_bound) OVER (ORDER BY lower_bound) AS before FROM shape WHERE lower_bound IS NOT NULL) AS s WHERE before <> lower_bound), 0,
  'pg_partman: no gaps');
\else
SELECT skip('pg_partman is not installed', 1);
\endif

SET search_path = public, test, tap;
DROP SCHEMA app, archive CASCADE;
DROP OWNED BY chatopt_partman_owner, chatopt_partman_other CASCADE;
DROP ROLE chatopt_partman_owner, chatopt_partman_other;
\ir teardown.psql
