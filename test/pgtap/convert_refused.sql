-- What chatopt.convert refuses and what it asks, with SQLSTATE and text. convert_plan goes through the same checks; the questions are convert's.
\set file convert_refused
\ir setup.psql
SELECT plan(58);
CREATE ROLE convert_owner;
CREATE ROLE convert_view_owner;
CREATE SCHEMA r;
GRANT USAGE ON SCHEMA r, test, tap TO convert_owner, convert_view_owner;
SET search_path = r, test, tap, public;
CREATE TABLE m (id bigint PRIMARY KEY, at timestamptz NOT NULL, n int, u uuid, big bigint);

-- says('…', SQLSTATE, message, 'what'): the plan of a conversion with these arguments fails so.
CREATE FUNCTION test.says_no(arguments text, state_wanted text, message_wanted text, hint_wanted text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  c record;
BEGIN
  SELECT * INTO c FROM test.complaint(format('SELECT count(*) FROM chatopt.convert_plan(%s)', arguments));
  RETURN NEXT is(concat_ws(' ', c.state, c.message), concat_ws(' ', state_wanted, message_wanted), arguments);
  IF hint_wanted IS NOT NULL THEN
    RETURN NEXT is(c.hint, hint_wanted, 'its hint');
  END IF;
END $$;

-- arguments
SELECT test.says_no('NULL, ''at''', '22004', 'tbl must not be null');
SELECT test.says_no('''m'', ''nothing''', '42703', 'column "nothing" of table r.m does not exist');
SELECT test.says_no('''m'', NULL', '42703', 'column "NULL" of table r.m does not exist');
SELECT test.says_no('''m'', ''n''', '42804', 'column "n" of table r.m is of type integer', 'The control column is a timestamptz, timestamp, date, bigint or uuid (version 7).');
SELECT test.says_no('''m'', ''at'', every => ''10''', '22023', '"10" is not a period of the calendar', 'Use ''day'', ''week'', ''month'', ''quarter'' or ''year''.');
SELECT test.says_no('''m'', ''at'', every => ''3 days''', '22023', '"3 days" is not a period of the calendar');
SELECT test.says_no('''m'', ''at'', every => NULL', '22004', 'every and time_zone must not be null');
SELECT test.says_no('''m'', ''at'', premake => 0', '22023', 'premake must be between 1 and 1000');
SELECT test.says_no('''m'', ''at'', time_zone => ''Atlantis''', '22023', 'time zone "Atlantis" does not exist');
SELECT test.says_no('''m'', ''at'', time_zone => ''+03''', '22023', 'time zone "+03" does not exist');
SELECT test.says_no('''m'', ''at'', primary_key => ''keep''', '22023', 'primary_key must be one of error, extend');
SELECT test.says_no('''m'', ''at'', foreign_keys => NULL', '22023', 'foreign_keys must be one of error, drop, composite');
SELECT test.says_no('''m'', ''at'', accept => ARRAY[''anything'']', '22023', 'accept does not know ''anything''');
SELECT test.says_no('''m'', ''at'', boundary => ''2100-01-02''', '22023', 'boundary 2100-01-02 00:00:00+00 is not the start of a month in time zone UTC');
SELECT test.says_no('''m'', ''at'', boundary => ''2020-01-01''', '22023', 'boundary 2020-01-01 00:00:00+00 is not two hours away');
SELECT test.says_no('''m'', ''at'', control_kind => ''date''', '22023', 'column "at" of table r.m cannot be of kind ''date''');
SELECT test.says_no('''m'', ''big'', control_kind => ''snowflake''', '22023', 'a snowflake key needs snowflake_epoch and snowflake_shift');

-- tables that cannot be
CREATE TABLE p (id int, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE VIEW v AS SELECT * FROM m;
CREATE TABLE parent (id int, at timestamptz);
CREATE TABLE child () INHERITS (parent);
CREATE TEMP TABLE passing (id int, at timestamptz);
CREATE TYPE row_type AS (id int, at timestamptz);
CREATE TABLE typed OF row_type;
CREATE TABLE generated (id int, raw timestamptz, at timestamptz GENERATED ALWAYS AS (raw) STORED);
CREATE TABLE transition (id int, at timestamptz);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t AFTER DELETE ON transition REFERENCING OLD TABLE AS o FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TABLE used (id int, at timestamptz);
CREATE TABLE user_of (u used[]);
CREATE TABLE grouped (id int PRIMARY KEY, at timestamptz, b text);
CREATE VIEW groups AS SELECT id, b FROM grouped GROUP BY id;
CREATE TABLE under (id int, at timestamptz);
CREATE MATERIALIZED VIEW mv AS SELECT * FROM under;
CREATE VIEW over_mv AS SELECT * FROM mv;
SELECT test.says_no('''p'', ''at''', '42809', 'table r.p is partitioned already', 'SELECT chatopt.partition(''r.p'', ...) looks after its partitions.');
SELECT test.says_no('''p_1'', ''at''', '0A000', 'table r.p_1 is a partition of r.p');
SELECT test.says_no('''v'', ''at''', '42809', 'r.v is not a table');
SELECT test.says_no('''parent'', ''at''', '0A000', 'table r.parent is an inheritance parent of r.child');
SELECT test.says_no('''child'', ''at''', '0A000', 'table r.child is an inheritance child of r.parent');
SELECT is((SELECT state FROM test.complaint($$ SELECT chatopt.convert_plan('passing', 'at') $$)), '0A000', 'a temporary table');
SELECT test.says_no('''typed'', ''at''', '0A000', 'table r.typed is a typed table', 'ALTER TABLE r.typed NOT OF;');
SELECT test.says_no('''chatopt.chat'', ''attached_at''', '0A000', 'table chatopt.chat belongs to extension "chatopt"');
SELECT test.says_no('''generated'', ''at''', '0A000', 'control column "at" of table r.generated is generated');
SELECT test.says_no('''transition'', ''at''', '0A000', 'row trigger "t" of table r.transition has a transition table');
SELECT test.says_no('''used'', ''at''', '0A000', 'column "u" of r.user_of has the row type of table r.used');
SELECT test.says_no('''grouped'', ''at''', '0A000', 'view r.groups groups by the primary key of table r.grouped', 'Name all columns in its GROUP BY: the new key has column "at" too.');
SELECT test.says_no('''under'', ''at''', '0A000', 'r.over_mv is built on materialized view r.mv, which reads table r.under');
CREATE TABLE m_chatopt_new (id int);
SELECT test.says_no('''m'', ''at''', '42P07', 'relation "m_chatopt_new" already exists');
DROP TABLE m_chatopt_new;

-- rows that cannot be
CREATE TABLE far (id int, at timestamptz, d date);
INSERT INTO far SELECT i, '2200-01-01'::timestamptz + i * interval '1 day', '2026-01-01' FROM generate_series(0, 11) AS i;
SELECT is(detail, 'The first: ' || (SELECT string_agg(at::text, ', ' ORDER BY at) FROM far WHERE id < 10) || '.', 'rows beyond the boundary are named: ' || message)
  FROM test.complaint($$ SELECT chatopt.convert_plan('far', 'at', boundary => '2100-01-01') $$);
SELECT test.says_no('''far'', ''at'', boundary => ''2100-01-01''', '23514', '12 rows of table r.far lie at or beyond the boundary 2100-01-01 00:00:00+00', 'Repair them, or pass a later boundary.');
UPDATE far SET d = NULL WHERE id < 3;
SELECT test.says_no('''far'', ''d''', '23502', 'column "d" of table r.far contains null values');

-- rights
CREATE TABLE owned (id bigint PRIMARY KEY, at timestamptz NOT NULL);
ALTER TABLE owned OWNER TO convert_owner;
CREATE VIEW others AS SELECT id FROM owned;
ALTER VIEW others OWNER TO convert_view_owner;
SELECT is(test.attempt($$ SELECT chatopt.convert_plan('m', 'at') $$, 'convert_owner'), '42501', 'not the owner');
SELECT is(message, 'role "convert_owner" may not create tables in schema "r"', 'the owner has to create tables') FROM test.complaint($$ SELECT chatopt.convert_plan('owned', 'at') $$, 'convert_owner');
GRANT CREATE ON SCHEMA r TO convert_owner;
SELECT is(message, 'must be owner of view r.others', 'and to replace what depends on them')
  FROM test.complaint($$ SELECT chatopt._start_conversion('owned', chatopt._convert_arguments('at', 'month', 3, 'UTC', 'extend', 'error', NULL, 'error', 'error', '{}', NULL, NULL, NULL)) $$, 'convert_owner');
SELECT is(test.attempt($$ SELECT chatopt._save_conversion(1, '{}') $$, 'convert_owner'), '42501', 'nobody else notes what is run later');
SELECT is(test.attempt($$ SELECT chatopt.forget_conversion('m') $$, 'convert_owner'), '42501', 'nor strikes it out');
SELECT is(test.attempt($$ SELECT * FROM chatopt.conversion $$, 'convert_owner'), '42501', 'nor reads it');

-- a procedure that commits
SELECT is(state || ' ' || message, '25001 chatopt.convert cannot run inside a transaction block', 'not in a function') FROM test.complaint($$ CALL chatopt.convert('m', 'at') $$);
SELECT is(test.attempt($$ SELECT chatopt.cancel_conversion('m') $$), '55000', 'nothing to cancel');

-- questions, one by one
CREATE FUNCTION test.questions(tbl regclass, control name DEFAULT 'at') RETURNS SETOF text LANGUAGE sql AS $$
  SELECT q.argument || ': ' || q.question FROM chatopt._convert_questions(tbl,
    chatopt._convert_request(tbl, chatopt._convert_arguments(control, 'month', 3, 'UTC', 'error', 'error', NULL, 'error', 'error', '{}', NULL, NULL, NULL))) AS q
$$;
CREATE TABLE asked (id bigint, at timestamptz NOT NULL, body text);
SELECT is_empty($$ SELECT test.questions('asked') $$, 'a table that loses nothing is not asked about');
CREATE UNIQUE INDEX one ON asked (id);
CREATE FUNCTION upsert() RETURNS void LANGUAGE sql SET search_path = r AS 'INSERT INTO asked VALUES (1, now()) ON CONFLICT (id) DO NOTHING';  -- clock: on purpose
CREATE FUNCTION elsewhere() RETURNS void LANGUAGE sql SET search_path = r AS 'INSERT INTO owned VALUES (1, now()) ON CONFLICT (id) DO NOTHING';  -- clock: on purpose
SELECT is((SELECT array_agg(split_part(q, ':', 1) ORDER BY q) FROM test.questions('asked') AS q), ARRAY['on_conflict', 'unique_indexes'], 'unique indexes, and ON CONFLICT where a function uses it on this table');
DROP INDEX one;
CREATE FUNCTION sets_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := '2026-01-01'; RETURN NEW; END $$;
CREATE FUNCTION sets_body() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := NEW.at; RETURN NEW; END $$;
CREATE TRIGGER sets_time BEFORE INSERT ON asked FOR EACH ROW EXECUTE FUNCTION sets_time();
CREATE TRIGGER sets_body BEFORE INSERT ON asked FOR EACH ROW EXECUTE FUNCTION sets_body();
SELECT is((SELECT array_agg(q) FROM test.questions('asked') AS q), ARRAY['accept: BEFORE trigger "sets_time" may change column "at": a row is routed before it fires, and cannot be moved by it.'], 'triggers that set the control column');
DROP TRIGGER sets_time ON asked;
ALTER TABLE asked SET UNLOGGED;
SELECT is((SELECT array_agg(q) FROM test.questions('asked') AS q), ARRAY['accept: Table r.asked is unlogged and stays so, and new partitions are made as it is.'], 'unlogged tables');
ALTER TABLE asked SET LOGGED;
CREATE FUNCTION of_row(a asked) RETURNS text LANGUAGE sql AS 'SELECT a.body';
SELECT is((SELECT array_agg(q) FROM test.questions('asked') AS q), ARRAY['accept: Function r.of_row(r.asked) takes or gives a row of table r.asked: it will be one of the old rows'' partition.'], 'functions of a row');
DROP FUNCTION of_row(asked);
CREATE PUBLICATION convert_old FOR TABLE p_1, asked;
SELECT is((SELECT array_agg(q) FROM test.questions('asked') AS q), ARRAY['accept: Publication "convert_old" will publish every partitioned table as one (publish_via_partition_root).'], 'publications of single partitions');
DROP PUBLICATION convert_old;
CREATE TABLE refers (id int, asked_id bigint);
ALTER TABLE asked ADD PRIMARY KEY (id);
ALTER TABLE refers ADD CONSTRAINT f FOREIGN KEY (asked_id) REFERENCES asked;
SELECT is((SELECT array_agg(split_part(q, ':', 1) ORDER BY q) FROM test.questions('asked') AS q), ARRAY['foreign_keys', 'on_conflict', 'primary_key'], 'primary key, ON CONFLICT and foreign keys');
ALTER TABLE asked ADD COLUMN reply_to bigint CONSTRAINT reply REFERENCES asked;
SELECT test.says_no('''asked'', ''at'', primary_key => ''extend'', foreign_keys => ''composite''', '0A000', 'foreign key "reply" of table r.asked cannot be made composite', 'Drop it, or pass foreign_keys => ''drop''.');
ALTER TABLE asked DROP CONSTRAINT asked_pkey CASCADE, ADD PRIMARY KEY (at, id);
SELECT is_empty($$ SELECT test.questions('asked') $$, 'a key with the control column stays');
DROP OWNED BY convert_owner, convert_view_owner;
\ir teardown.psql
DROP ROLE convert_owner, convert_view_owner;
