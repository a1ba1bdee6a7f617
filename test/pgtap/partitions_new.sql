-- What a new partition gets: the statements of chatopt._new_partition, run here one by one, and every property
-- compared with the parent's or with the newest partition's.
\set file partitions_new
\ir setup.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_new_owner, chatopt_new_app, chatopt_new_reader, "chatopt New ""Role", chatopt_new_other;
CREATE ROLE chatopt_new_owner;
CREATE ROLE chatopt_new_app;
CREATE ROLE chatopt_new_reader;
CREATE ROLE "chatopt New ""Role";
CREATE ROLE chatopt_new_other;

-- make('messages', 'messages_2026_02', lower, upper): runs the statements as the table's owner, or as another role.
CREATE FUNCTION test.make(parent regclass, new_name name, lower_bound text, upper_bound text, template regclass DEFAULT NULL,
    role text DEFAULT 'owner', phases text[] DEFAULT '{build,attach,after}') RETURNS regclass LANGUAGE plpgsql AS $$
DECLARE
  of_schema CONSTANT name := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = parent);
  path CONSTANT text := current_setting('search_path');
  one record;
BEGIN
  IF role = 'owner' THEN
    role := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = parent);
  END IF;
  FOR one IN SELECT n.* FROM chatopt._new_partition(parent, (parse_ident(of_schema))[1]::name, new_name, lower_bound, upper_bound, template)
    WITH ORDINALITY AS n(phase, statement, place) ORDER BY n.place
  LOOP
    CONTINUE WHEN one.phase <> ALL (phases);
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    IF role IS NOT NULL THEN
      EXECUTE format('SET LOCAL ROLE %I', role);
    END IF;
    EXECUTE one.statement;
    RESET ROLE;
    PERFORM set_config('search_path', path, true);
  END LOOP;
  RETURN format('%s.%I', of_schema, new_name)::regclass;
END $$;

-- An expression without the name of its table, and without the casts from its row to the parent's.
CREATE FUNCTION test.without_name(expression text, tbl name) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT regexp_replace(replace(expression, quote_ident(tbl) || '.', 'row.'), '\(row\.\*\)::[^)]*', 'row.*', 'g')
$$;

-- Each property of a table in words, with its own name and its indexes' names left out.
CREATE FUNCTION test.properties(tbl regclass) RETURNS TABLE (kind text, item text) LANGUAGE sql STABLE AS $$
  SELECT 'columns', format('%s %s notnull %s default %s generated %s collation %s', a.attname, format_type(a.atttypid, a.atttypmod),
      a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated, nullif(a.attcollation, 0)::regcollation)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'storage of columns', format('%s %s %s', attname, attstorage, attcompression) FROM pg_attribute WHERE attrelid = tbl AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT 'statistics targets', format('%s %s', attname, coalesce(attstattarget, -1)) FROM pg_attribute WHERE attrelid = tbl AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT 'n_distinct', format('%s %s', attname, o) FROM pg_attribute, unnest(attoptions) AS o WHERE attrelid = tbl AND o LIKE 'n_distinct%'
  UNION ALL
  SELECT 'checks', format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = tbl AND contype = 'c'
  UNION ALL
  SELECT 'foreign keys', format('%s to %s, %s', pg_get_constraintdef(oid), confrelid::regclass, conenforced_or_valid)
    FROM (SELECT c.*, c.convalidated AS conenforced_or_valid FROM pg_constraint c) AS c
    WHERE conrelid = tbl AND contype = 'f' AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = tbl)
  UNION ALL
  SELECT 'keys', pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = tbl AND contype IN ('p', 'u', 'x')
  UNION ALL
  SELECT 'indexes', format('%s%s%s', CASE WHEN indisunique THEN 'unique ' END, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', ''),
      (SELECT ' in ' || spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = tbl
  UNION ALL
  SELECT 'statistics targets of indexes', format('%s %s', regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', ''), array_agg(coalesce(a.attstattarget, -1) ORDER BY attnum))
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid WHERE i.indrelid = tbl GROUP BY i.indexrelid
  UNION ALL
  SELECT 'extended statistics', format('%s %s target %s', pg_get_statisticsobjdef_columns(oid), stxkind, coalesce(stxstattarget, -1)) FROM pg_statistic_ext WHERE stxrelid = tbl
  UNION ALL
  SELECT 'comments', format('%s: %s', what, description) FROM (
    SELECT 'table', description FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid = tbl AND objsubid = 0
    UNION ALL
    SELECT 'column ' || attname, description FROM pg_description JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid
      WHERE classoid = 'pg_class'::regclass AND objoid = tbl
    UNION ALL
    SELECT 'constraint ' || pg_get_constraintdef(c.oid), description FROM pg_description JOIN pg_constraint c ON c.oid = objoid AND c.conrelid = tbl
      WHERE classoid = 'pg_constraint'::regclass
    UNION ALL
    SELECT 'index ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''), description FROM pg_description JOIN pg_index ON indexrelid = objoid AND indrelid = tbl
      WHERE classoid = 'pg_class'::regclass
    UNION ALL
    SELECT 'trigger ' || tgname, description FROM pg_description JOIN pg_trigger g ON g.oid = objoid AND tgrelid = tbl WHERE classoid = 'pg_trigger'::regclass
    UNION ALL
    SELECT 'policy ' || polname, description FROM pg_description JOIN pg_policy p ON p.oid = objoid AND polrelid = tbl WHERE classoid = 'pg_policy'::regclass
    UNION ALL
    SELECT 'statistics ' || pg_get_statisticsobjdef_columns(s.oid), description FROM pg_description JOIN pg_statistic_ext s ON s.oid = objoid AND stxrelid = tbl
      WHERE classoid = 'pg_statistic_ext'::regclass) AS d(what, description)
  UNION ALL
  SELECT 'owner', pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = tbl
  UNION ALL
  SELECT 'privileges', format('%s to %s by %s%s', x.privilege_type, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
      pg_get_userbyid(x.grantor), CASE WHEN x.is_grantable THEN ' with grant option' END)
    FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS x WHERE c.oid = tbl
  UNION ALL
  SELECT 'column privileges', format('%s %s to %s by %s%s', a.attname, x.privilege_type, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
      pg_get_userbyid(x.grantor), CASE WHEN x.is_grantable THEN ' with grant option' END)
    FROM pg_attribute a, aclexplode(a.attacl) AS x WHERE a.attrelid = tbl AND NOT a.attisdropped
  UNION ALL
  SELECT 'roles that cannot be dropped', format('%s %s', refobjid::regrole, deptype) FROM pg_shdepend
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = 'pg_class'::regclass AND objid = tbl AND refclassid = 'pg_authid'::regclass
  UNION ALL
  SELECT 'row security', format('%s %s', relrowsecurity, relforcerowsecurity) FROM pg_class WHERE oid = tbl
  UNION ALL
  SELECT 'policies', format('%s %s %s %s using %s check %s', polname, polpermissive, polcmd,
      (SELECT array_agg(r ORDER BY r) FROM unnest(polroles) AS r),
      test.without_name(pg_get_expr(polqual, tbl), relname), test.without_name(pg_get_expr(polwithcheck, tbl), relname))
    FROM pg_policy JOIN pg_class c ON c.oid = tbl WHERE polrelid = tbl
  UNION ALL
  SELECT 'triggers', format('%s %s %s %s', tgname, regexp_replace(pg_get_triggerdef(g.oid), ' ON .* (FOR EACH|DEFERRABLE)', ' \1'), tgenabled, tgdeferrable)
    FROM pg_trigger g JOIN pg_proc f ON f.oid = tgfoid WHERE tgrelid = tbl AND tgtype & 1 = 1 AND proname NOT LIKE 'RI\_%' AND proname NOT LIKE 'unique%'
  UNION ALL
  SELECT 'replica identity', format('%s %s', relreplident, (SELECT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') FROM pg_index WHERE indrelid = tbl AND indisreplident))
    FROM pg_class WHERE oid = tbl
  UNION ALL
  SELECT 'storage', format('%s persistence %s tablespace %s', amname, relpersistence, (SELECT spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace))
    FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = tbl
  UNION ALL
  SELECT 'options', o FROM pg_class, unnest(reloptions) AS o WHERE oid = tbl
  UNION ALL
  SELECT 'TOAST options', o FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid, unnest(t.reloptions) AS o WHERE c.oid = tbl
  UNION ALL
  SELECT 'CLUSTER mark', regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') FROM pg_index WHERE indrelid = tbl AND indisclustered
$$;

-- The TRUNCATE triggers of a partition, without its name.
CREATE FUNCTION test.truncate_triggers(tbl regclass) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT format('%s %s', tgenabled, replace(pg_get_triggerdef(oid), tbl::text, 'this')) FROM pg_trigger WHERE tgrelid = tbl AND tgtype & 1 = 0
$$;

-- like_other('messages_2026_02', 'messages', 'indexes'): one property is as another table's, and there is one to compare.
CREATE FUNCTION test.like_other(tbl regclass, other regclass, property text, may_be_none boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  one text[] := ARRAY(SELECT item FROM test.properties(tbl) WHERE kind = property ORDER BY item);
  two text[] := ARRAY(SELECT item FROM test.properties(other) WHERE kind = property ORDER BY item);
BEGIN
  IF two = '{}' AND NOT may_be_none THEN
    RETURN fail(format('%s has no %s to compare with', other, property));
  END IF;
  RETURN is(array_to_string(one, E'\n'), array_to_string(two, E'\n'), format('%s has the %s of %s', tbl, property, other));
END $$;

-- ---------------------------------------------------------------------------
-- A parent that has everything, in a schema of its own, and one partition that somebody has tuned.
SET allow_in_place_tablespaces = on;
DROP TABLESPACE IF EXISTS chatopt_new_space;
CREATE TABLESPACE chatopt_new_space LOCATION '';
GRANT CREATE ON TABLESPACE chatopt_new_space TO chatopt_new_owner;
CREATE ACCESS METHOD chatopt_new_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE SCHEMA "My Chat" AUTHORIZATION chatopt_new_owner;
SET ROLE chatopt_new_owner;
SET search_path = "My Chat", test, tap, public;
CREATE TABLE conversations (id bigint PRIMARY KEY);
CREATE TABLE members (conversation_id bigint, user_id text, PRIMARY KEY (conversation_id, user_id));
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE "Messages" (
  gone int,
  id bigint GENERATED ALWAYS AS IDENTITY,
  conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
  "Body" text COLLATE "C" NOT NULL DEFAULT 'it''s',
  size positive,
  tags varchar(10)[] DEFAULT '{}',
  price numeric(10, 2),
  counted serial,
  length int GENERATED ALWAYS AS (length("Body")) STORED,
  data jsonb,
  "from" text DEFAULT current_user,
  reply_id bigint,
  reply_at timestamptz,
  at timestamptz NOT NULL DEFAULT '2026-01-15 00:00:00+00',
  PRIMARY KEY (id, at) INCLUDE (conversation_id) WITH (fillfactor = 77),
  UNIQUE NULLS NOT DISTINCT (conversation_id, id, at) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "Not empty" CHECK ("Body" <> ''),
  FOREIGN KEY (reply_id, reply_at) REFERENCES "Messages" (id, at) DEFERRABLE
) PARTITION BY RANGE (at);
ALTER TABLE "Messages" DROP COLUMN gone;
CREATE TABLE receipts (message_id bigint, message_at timestamptz, FOREIGN KEY (message_id, message_at) REFERENCES "Messages" (id, at) ON DELETE CASCADE);
CREATE INDEX "By body" ON "Messages" (lower("Body") text_pattern_ops DESC NULLS LAST, upper("from"), conversation_id) INCLUDE (id) WHERE "from" <> 'it''s';
CREATE INDEX ON "Messages" USING gin (data jsonb_path_ops) TABLESPACE chatopt_new_space;
CREATE INDEX ON "Messages" USING brin (at) WITH (pages_per_range = 16);
ALTER INDEX "By body" ALTER COLUMN 1 SET STATISTICS 321;
CREATE STATISTICS "Some stats" (ndistinct, dependencies) ON conversation_id, id FROM "Messages";
CREATE STATISTICS other_stats ON (lower("Body")), id FROM "Messages";
ALTER STATISTICS "Some stats" SET STATISTICS 123;
ALTER TABLE "Messages" ALTER COLUMN "Body" SET STATISTICS 500, ALTER COLUMN "Body" SET STORAGE EXTERNAL, ALTER COLUMN data SET COMPRESSION pglz,
  ALTER COLUMN conversation_id SET (n_distinct = -0.2, n_distinct_inherited = 5000);

COMMENT ON TABLE "Messages" IS 'what people''s say';
COMMENT ON COLUMN "Messages"."Body" IS E'the\ntext';
COMMENT ON CONSTRAINT "Not empty" ON "Messages" IS 'a check';
COMMENT ON CONSTRAINT "Messages_pkey" ON "Messages" IS 'a key';
COMMENT ON CONSTRAINT "Messages_conversation_id_fkey" ON "Messages" IS 'a foreign key';
COMMENT ON INDEX "By body" IS 'an index';
COMMENT ON STATISTICS "Some stats" IS 'statistics';

CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN coalesce(new, old); END $$;
CREATE TRIGGER "Before row" BEFORE INSERT OR UPDATE OF "Body" ON "Messages" FOR EACH ROW WHEN (new.size > 1) EXECUTE FUNCTION nothing('an', 'argument''s');
CREATE TRIGGER off AFTER DELETE ON "Messages" FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON "Messages" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER always BEFORE DELETE ON "Messages" FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER statement AFTER INSERT ON "Messages" FOR EACH STATEMENT EXECUTE FUNCTION nothing();
ALTER TABLE "Messages" DISABLE TRIGGER off, ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER "Before row" ON "Messages" IS 'a trigger';

ALTER TABLE "Messages" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "Members only" ON "Messages" FOR SELECT TO chatopt_new_app, "chatopt New ""Role"
  USING (EXISTS (SELECT FROM members m WHERE m.conversation_id = "Messages".conversation_id AND m.user_id = current_user));
CREATE POLICY own ON "Messages" AS RESTRICTIVE FOR UPDATE TO PUBLIC USING ("from" = current_user) WITH CHECK ("from" = current_user AND EXISTS (
  SELECT FROM conversations AS c WHERE c.id = conversation_id));
CREATE POLICY send ON "Messages" FOR INSERT TO chatopt_new_app WITH CHECK (true);
CREATE POLICY clean ON "Messages" FOR DELETE TO chatopt_new_owner USING (id > 0);
CREATE POLICY everything ON "Messages" TO chatopt_new_owner USING (true);
CREATE FUNCTION whole(m "Messages") RETURNS boolean LANGUAGE sql AS $$ SELECT m."Body" IS NOT NULL $$;
CREATE POLICY whole ON "Messages" AS RESTRICTIVE TO chatopt_new_reader USING (whole("Messages"));
COMMENT ON POLICY "Members only" ON "Messages" IS 'a policy';
COMMENT ON POLICY whole ON "Messages" IS 'another policy';

GRANT SELECT, INSERT ON "Messages" TO chatopt_new_app WITH GRANT OPTION;
GRANT ALL ON "Messages" TO "chatopt New ""Role";
GRANT UPDATE ("Body"), REFERENCES (id, at) ON "Messages" TO chatopt_new_app WITH GRANT OPTION;
GRANT TRIGGER ON "Messages" TO PUBLIC;
REVOKE TRUNCATE ON "Messages" FROM chatopt_new_owner;
GRANT USAGE ON SCHEMA "My Chat" TO PUBLIC;
GRANT SELECT ON members, conversations TO PUBLIC;
SET ROLE chatopt_new_app;
GRANT SELECT, UPDATE ("Body") ON "Messages" TO chatopt_new_reader;
SET ROLE chatopt_new_owner;

CREATE TABLE "Messages_2026_01" PARTITION OF "Messages" FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')
  USING chatopt_new_heap WITH (fillfactor = 88, autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_vacuum_threshold = 99, toast_tuple_target = 1000) TABLESPACE chatopt_new_space;
ALTER TABLE "Messages_2026_01" CLUSTER ON "Messages_2026_01_pkey", REPLICA IDENTITY USING INDEX "Messages_2026_01_pkey";
ALTER TABLE "Messages_2026_01" ALTER COLUMN price SET STATISTICS 9, ALTER COLUMN price SET (n_distinct = 7), ALTER COLUMN conversation_id SET (n_distinct = -0.9);
ALTER INDEX "Messages_2026_01_lower_upper_conversation_id_id_idx" ALTER COLUMN 2 SET STATISTICS 0;
-- an older partition, made by somebody else, that nothing is taken from
RESET ROLE;
CREATE UNLOGGED TABLE "Messages_2025_12" (LIKE "Messages" INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor = 11);
ALTER TABLE "Messages" ATTACH PARTITION "Messages_2025_12" FOR VALUES FROM ('2025-12-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');

-- what creating a table gives to others, whoever creates it
ALTER DEFAULT PRIVILEGES FOR ROLE chatopt_new_owner GRANT ALL ON TABLES TO chatopt_new_other WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE chatopt_new_owner IN SCHEMA "My Chat" GRANT UPDATE ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE chatopt_new_owner REVOKE SELECT ON TABLES FROM chatopt_new_owner;
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO chatopt_new_other;

-- ---------------------------------------------------------------------------
SELECT test.make('"Messages"', 'Messages_2026_02', '2026-02-01 00:00:00+00', '2026-03-01 00:00:00+00') AS leaf \gset

SELECT is(pg_get_expr(relpartbound, oid), 'FOR VALUES FROM (''2026-02-01 00:00:00+00'') TO (''2026-03-01 00:00:00+00'')', 'the bounds are those asked for')
  FROM pg_class WHERE oid = :'leaf'::regclass;
SELECT test.like_other(:'leaf', '"Messages"', property) FROM unnest(ARRAY['columns', 'storage of columns', 'checks', 'foreign keys', 'keys', 'indexes',
  'comments', 'owner', 'privileges', 'column privileges', 'roles that cannot be dropped', 'row security', 'policies', 'triggers']) AS property;
SELECT test.like_other(:'leaf', '"Messages_2026_01"', property) FROM unnest(ARRAY['storage', 'options', 'TOAST options', 'CLUSTER mark', 'replica identity']) AS property;

SELECT is((SELECT string_agg(item, ', ' ORDER BY item) FROM test.properties(:'leaf') WHERE kind = 'statistics targets' AND item !~ ' -1$'), 'Body 500, price 9',
  'statistics targets are the parent''s, where it has none the newest partition''s');
SELECT is((SELECT string_agg(item, ', ' ORDER BY item COLLATE "C") FROM test.properties(:'leaf') WHERE kind = 'n_distinct'),
  'conversation_id n_distinct=-0.2, conversation_id n_distinct_inherited=5000, price n_distinct=7',
  'n_distinct is the parent''s, where it has none the newest partition''s');
SELECT is((SELECT string_agg(item, ', ' ORDER BY item) FROM test.properties(:'leaf') WHERE kind = 'statistics targets of indexes' AND item !~ '{(-1,?)+}$'),
  'btree (lower("Body") text_pattern_ops DESC NULLS LAST, upper("from"), conversation_id) INCLUDE (id) WHERE ("from" <> ''it''''s''::text) {321,0,-1,-1}',
  'so are those of index columns');
SELECT test.like_other(:'leaf', '"Messages"', 'extended statistics');
SELECT is((SELECT count(*)::int FROM pg_index i LEFT JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = :'leaf'::regclass AND inhparent IS NULL), 0,
  'every index of it belongs to one of the parent''s: none is there twice');
SELECT is((SELECT count(*)::int FROM pg_constraint WHERE confrelid = :'leaf'::regclass AND conrelid = 'receipts'::regclass), 1, 'rows of it can be referred to');
SELECT is((SELECT string_agg(g.tgname, ', ') FROM pg_trigger g WHERE tgrelid = :'leaf'::regclass AND tgtype & 1 = 0), NULL, 'statement triggers stay with the parent');

-- the policy with a subquery does on the partition what it does on the parent
INSERT INTO conversations VALUES (1), (2);
INSERT INTO members VALUES (1, 'chatopt_new_app');
INSERT INTO "Messages" (conversation_id, at) VALUES (1, '2026-02-03'), (2, '2026-02-03');
SET ROLE chatopt_new_app;
SELECT array_agg(conversation_id) AS in_leaf FROM "Messages_2026_02" \gset
SELECT array_agg(conversation_id) AS in_parent FROM "Messages" \gset
SET ROLE chatopt_new_reader;
SELECT count(*) AS by_reader FROM "Messages_2026_02" \gset
RESET ROLE;
SELECT is(:'in_leaf'::text, '{1}', 'row security of the partition: a member sees his conversations only');
SELECT is(:'in_parent'::text, :'in_leaf', 'row security of the parent: the same');
SELECT is(:'by_reader'::text, '0', 'row security of the partition: nobody else sees anything');
SELECT test.refused('INSERT INTO "Messages_2026_02" (conversation_id, "Body", at, id) OVERRIDING SYSTEM VALUE VALUES (1, '''', ''2026-02-04'', 77)', '23514', 'its check holds');
SELECT test.refused('INSERT INTO "Messages_2026_02" (conversation_id, at, id) OVERRIDING SYSTEM VALUE VALUES (9, ''2026-02-04'', 78)', '23503', 'its foreign key holds');
SELECT test.refused('INSERT INTO receipts VALUES (4711, ''2026-02-04'')', '23503', 'the foreign key to it holds');

-- identity: from PostgreSQL 17 a partition has the parent's, before that none
SELECT is((SELECT attidentity::text FROM pg_attribute WHERE attrelid = :'leaf'::regclass AND attname = 'id'),
  CASE WHEN current_setting('server_version_num')::int >= 170000 THEN 'a' ELSE '' END, 'identity as PostgreSQL has it on partitions');
SELECT is((SELECT count(DISTINCT id)::int FROM "Messages"), 2, 'identity numbers go on through the parent');

-- a statement's whole work, by locks
CREATE FUNCTION test.locked() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format('%s %s', relation::regclass, mode), ', ' ORDER BY format('%s %s', relation::regclass, mode))
  FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('"Messages"'::regclass, 'conversations'::regclass, 'members'::regclass, 'receipts'::regclass,
      '"Messages_2026_01"'::regclass, '"Messages_pkey"'::regclass, '"Messages_2025_12"'::regclass) AND mode NOT IN ('AccessShareLock', 'RowShareLock')
$$;
BEGIN;
SELECT test.make('"Messages"', 'Messages_2026_03', '2026-03-01 00:00:00+00', '2026-04-01 00:00:00+00', phases => '{build}') \g /dev/null
SELECT is(test.locked(), NULL, 'phase build locks others'' tables ACCESS SHARE only');
ROLLBACK;
BEGIN;
SELECT test.make('"Messages"', 'Messages_2026_03', '2026-03-01 00:00:00+00', '2026-04-01 00:00:00+00', phases => '{build,attach}') \g /dev/null
SELECT is(test.locked(), '"Messages" ShareRowExclusiveLock, "Messages" ShareUpdateExclusiveLock, '
  '"Messages_2025_12" ShareRowExclusiveLock, "Messages_2026_01" ShareRowExclusiveLock, "Messages_pkey" ShareUpdateExclusiveLock, '
  'conversations ShareRowExclusiveLock, receipts ShareRowExclusiveLock',
  'phase attach locks the parent, and targets of foreign keys and what refers to it, to itself too, SHARE ROW EXCLUSIVE');
SELECT test.locked() AS locked \gset
ROLLBACK;
BEGIN;
SELECT test.make('"Messages"', 'Messages_2026_03', '2026-03-01 00:00:00+00', '2026-04-01 00:00:00+00') \g /dev/null
SELECT is(test.locked(), :'locked', 'phase after locks nothing more');
ROLLBACK;

-- pain_12: whoever runs it
SELECT test.make('"Messages"', 'Messages_2026_03', '2026-03-01 00:00:00+00', '2026-04-01 00:00:00+00', role => NULL) AS by_superuser \gset
SELECT test.like_other(:'by_superuser', :'leaf', property, true) FROM (SELECT DISTINCT kind FROM test.properties(:'leaf')) AS k(property) ORDER BY 1;

-- ---------------------------------------------------------------------------
-- A parent without any partition: nothing to take as a template, the parent's own is taken.
CREATE SCHEMA bare AUTHORIZATION chatopt_new_owner;
SET search_path = bare, test, tap, public;
CREATE TABLE m (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
SELECT results_eq($$SELECT phase, statement FROM chatopt._new_partition('m', 'bare', 'm_1', NULL, '2026-01-01')$$,
  $$VALUES ('build', 'CREATE TABLE bare.m_1 (LIKE bare.m INCLUDING ALL EXCLUDING IDENTITY);'), ('build', 'ALTER TABLE bare.m_1 OWNER TO postgres;'),
    ('build', 'SELECT chatopt._copy_privileges(''bare.m'', ''bare.m_1'');'),
    ('attach', 'ALTER TABLE bare.m ATTACH PARTITION bare.m_1 FOR VALUES FROM (MINVALUE) TO (''2026-01-01'');')$$,
  'a plain parent without partitions: four statements; no lower bound is MINVALUE');
SELECT test.make('m', 'm_1', NULL, '2026-01-01') \g /dev/null
SELECT test.make('m', 'm_3', '2027-01-01', NULL) \g /dev/null
SELECT is((SELECT array_agg(pg_get_expr(relpartbound, oid) ORDER BY relname) FROM pg_class WHERE relname IN ('m_1', 'm_3')),
  ARRAY['FOR VALUES FROM (MINVALUE) TO (''2026-01-01'')', 'FOR VALUES FROM (''2027-01-01'') TO (MAXVALUE)'], 'bounds without an end');
SELECT is(chatopt._newest_partition('m'), 'm_3'::regclass, 'the newest partition is the one with the greatest bounds');
ALTER TABLE m_3 SET (fillfactor = 33);
SELECT test.make('m', 'm_2', '2026-01-01', '2026-02-01') \g /dev/null
SELECT is(chatopt._newest_partition('m'), 'm_3'::regclass, 'not the one made last');
CREATE TABLE m_default PARTITION OF m DEFAULT;
SELECT is(chatopt._newest_partition('m'), 'm_3'::regclass, 'nor the default partition');
SELECT is((SELECT array_agg(item) FROM test.properties('m_2') WHERE kind = 'options'), ARRAY['fillfactor=33'], 'options of the newest partition');
CREATE TABLE template (id int) WITH (fillfactor = 44);
SELECT test.make('m', 'm_4', '2026-02-01', '2026-03-01', template => 'template') \g /dev/null
SELECT is((SELECT array_agg(item) FROM test.properties('m_4') WHERE kind = 'options'), ARRAY['fillfactor=44'], 'options of a template that is named');
SELECT test.refused($$SELECT chatopt._newest_partition('template')$$, '42809', 'a plain table has no newest partition');

-- the session's default tablespace is not the partition's
CREATE INDEX ON m (id);
SET default_tablespace = chatopt_new_space;
SELECT test.make('m', 'm_5', '2026-03-01', '2026-04-01') \g /dev/null
SELECT is((SELECT count(*)::int FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE 'm_5'::regclass IN (c.oid, i.indrelid) AND c.reltablespace <> 0), 0,
  'default_tablespace moves neither the partition nor its indexes');
SELECT is(current_setting('default_tablespace'), 'chatopt_new_space', 'and is left as it was after the transaction');
RESET default_tablespace;

-- unlogged, and the parent's tablespace
CREATE TABLE u (id bigint, at date) PARTITION BY RANGE (at) TABLESPACE chatopt_new_space;
CREATE UNLOGGED TABLE u_1 PARTITION OF u FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') TABLESPACE pg_default;
SELECT test.make('u', 'u_2', '2026-02-01', '2026-03-01') \g /dev/null
SELECT is((SELECT item FROM test.properties('u_2') WHERE kind = 'storage'), 'heap persistence u tablespace chatopt_new_space',
  'unlogged as the newest partition, in the parent''s tablespace');

-- replica identity: the parent's before the partition's; an index of the partition alone stands for nothing
CREATE TABLE r (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
ALTER TABLE r_1 REPLICA IDENTITY NOTHING;
SELECT test.make('r', 'r_2', '2026-02-01', '2026-03-01') \g /dev/null
SELECT is((SELECT relreplident FROM pg_class WHERE oid = 'r_2'::regclass), 'n', 'replica identity NOTHING of the newest partition');
ALTER TABLE r REPLICA IDENTITY FULL;
SELECT test.make('r', 'r_3', '2026-03-01', '2026-04-01') \g /dev/null
SELECT is((SELECT relreplident FROM pg_class WHERE oid = 'r_3'::regclass), 'f', 'replica identity FULL of the parent');
ALTER TABLE r REPLICA IDENTITY DEFAULT;
CREATE UNIQUE INDEX r_3_only ON r_3 (id);
ALTER TABLE r_3 REPLICA IDENTITY USING INDEX r_3_only;
SELECT test.make('r', 'r_4', '2026-04-01', '2026-05-01') \g /dev/null
SELECT is((SELECT relreplident FROM pg_class WHERE oid = 'r_4'::regclass), 'f', 'an index that only the newest partition has: the whole row');
ALTER TABLE r_4 REPLICA IDENTITY DEFAULT;
CREATE UNIQUE INDEX r_4_only ON r_4 (id);
ALTER TABLE r_4 REPLICA IDENTITY USING INDEX r_4_only;
ALTER TABLE r ADD PRIMARY KEY (id, at);
SELECT test.make('r', 'r_5', '2026-05-01', '2026-06-01') \g /dev/null
SELECT is((SELECT relreplident FROM pg_class WHERE oid = 'r_5'::regclass), 'd', 'and the primary key where there is one');
CREATE UNIQUE INDEX r_unique ON r (at, id);
ALTER TABLE r REPLICA IDENTITY USING INDEX r_unique;
SELECT test.make('r', 'r_6', '2026-06-01', '2026-07-01') \g /dev/null
SELECT is((SELECT item FROM test.properties('r_6') WHERE kind = 'replica identity'), 'i btree (at, id)', 'replica identity by an index of the parent');
-- a published table with any of these takes updates
CREATE PUBLICATION all_of_r FOR TABLE r;
ALTER TABLE r_1 REPLICA IDENTITY DEFAULT;
ALTER TABLE r_2 REPLICA IDENTITY DEFAULT;
INSERT INTO r SELECT 1, d::date FROM generate_series('2026-02-01'::date, '2026-06-01', '1 month') AS d;
SELECT lives_ok('UPDATE r SET id = 2', 'no partition refuses an update for want of a replica identity');

-- key types: text with quotes in it, numbers
CREATE TABLE t (name text NOT NULL) PARTITION BY RANGE (name);
SELECT test.make('t', 't''s "1"', 'it''s', E'it''s \\ "more"') \g /dev/null
SELECT is((SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '"t''s ""1"""'::regclass), $$FOR VALUES FROM ('it''s') TO ('it''s \ "more"')$$, 'quotes and backslashes in bounds and names');
CREATE TABLE n (id bigint NOT NULL) PARTITION BY RANGE (id);
SELECT test.make('n', 'n_1', '0', '9223372036854775807') \g /dev/null
SELECT is((SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'n_1'::regclass), $$FOR VALUES FROM ('0') TO ('9223372036854775807')$$, 'numbers as bounds');

-- names of 63 bytes, in any case, for the table, its parent and everything on it
CREATE TABLE "Ünïcode parent that is as long as a name may be in a catalogue" ("Ünïcode column that is as long as a name may be in a catalogue" text
  CONSTRAINT "Ünïcode check that is as long as a name may be in a catalogue." CHECK ("Ünïcode column that is as long as a name may be in a catalogue" <> ''),
  at date NOT NULL, UNIQUE ("Ünïcode column that is as long as a name may be in a catalogue", at)) PARTITION BY RANGE (at);
CREATE INDEX ON "Ünïcode parent that is as long as a name may be in a catalogue" (lower("Ünïcode column that is as long as a name may be in a catalogue"));
ALTER TABLE "Ünïcode parent that is as long as a name may be in a catalogue" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Ünïcode policy that is as long as a name may be in a catalogue" ON "Ünïcode parent that is as long as a name may be in a catalogue"
  USING (EXISTS (SELECT FROM n WHERE n.id::text = "Ünïcode parent that is as long as a name may be in a catalogue"."Ünïcode column that is as long as a name may be in a catalogue"));
SELECT octet_length('Ünïcode parent that is as long as a name may be in a catalogu_1') AS bytes,
  test.make('"Ünïcode parent that is as long as a name may be in a catalogue"', 'Ünïcode parent that is as long as a name may be in a cat_2026', '2026-01-01', '2026-02-01') AS long_1,
  test.make('"Ünïcode parent that is as long as a name may be in a catalogue"', 'Ünïcode parent that is as long as a name may be in a cat_2027', '2026-02-01', '2026-03-01') AS long_2 \gset
SELECT test.like_other(l, '"Ünïcode parent that is as long as a name may be in a catalogue"', property)
  FROM unnest(ARRAY[:'long_1', :'long_2']::regclass[]) AS l, unnest(ARRAY['columns', 'checks', 'keys', 'indexes', 'policies']) AS property;

-- a parent with dropped columns and a partition key behind them; columns that LIKE has to map
CREATE TABLE d (a int, b int, c text, at date NOT NULL, e int) PARTITION BY RANGE (at);
ALTER TABLE d DROP COLUMN a, DROP COLUMN c;
GRANT SELECT (e) ON d TO chatopt_new_reader;
SELECT test.make('d', 'd_1', '2026-01-01', '2026-02-01') AS dropped \gset
SELECT test.like_other(:'dropped', 'd', property) FROM unnest(ARRAY['columns', 'column privileges']) AS property;
INSERT INTO d VALUES (1, '2026-01-02', 2);
SELECT results_eq('SELECT b, at, e FROM d_1', $$VALUES (1, '2026-01-02'::date, 2)$$, 'rows are routed past dropped columns');

-- ---------------------------------------------------------------------------
-- What only later versions have.
SELECT current_setting('server_version_num')::int >= 180000 AS has_18 \gset
\if :has_17
CREATE TABLE v17 (id int GENERATED BY DEFAULT AS IDENTITY, at date NOT NULL, EXCLUDE USING btree (at WITH =)) PARTITION BY RANGE (at) USING chatopt_new_heap;
CREATE TABLE v17_1 PARTITION OF v17 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') USING heap;
GRANT MAINTAIN ON v17 TO chatopt_new_reader;
SELECT test.make('v17', 'v17_2', '2026-02-01', '2026-03-01') AS leaf \gset
SELECT test.like_other(:'leaf', 'v17', property) FROM unnest(ARRAY['columns', 'keys', 'indexes', 'privileges', 'storage']) AS property;
SELECT ok(has_table_privilege('chatopt_new_reader', :'leaf', 'MAINTAIN'), 'MAINTAIN is among them');
INSERT INTO v17_2 (at) VALUES ('2026-02-02');
INSERT INTO v17 (at) VALUES ('2026-02-03');
SELECT results_eq('SELECT id FROM v17 ORDER BY at', 'VALUES (1), (2)', 'one identity for the table and its partition');
\endif
\if :has_18
CREATE TABLE v18 (a int CONSTRAINT "A named" NOT NULL, b int, g int GENERATED ALWAYS AS (a * 2) VIRTUAL, at date NOT NULL,
  CONSTRAINT ck CHECK (a > 0) NOT ENFORCED, PRIMARY KEY (a, at)) PARTITION BY RANGE (at);
ALTER TABLE v18 ADD CONSTRAINT late NOT NULL b NOT VALID;
CREATE TABLE v18_refers (a int, at date, FOREIGN KEY (a, at) REFERENCES v18 NOT ENFORCED);
SELECT test.make('v18', 'v18_1', '2026-01-01', '2026-02-01') AS leaf \gset
SELECT test.like_other(:'leaf', 'v18', property) FROM unnest(ARRAY['columns', 'keys', 'checks']) AS property;
SELECT set_eq($$SELECT conname::text FROM pg_constraint WHERE contype = 'n' AND conrelid = 'v18_1'::regclass$$,
  $$SELECT conname::text FROM pg_constraint WHERE contype = 'n' AND conrelid = 'v18'::regclass$$, 'NOT NULL constraints and their names');
INSERT INTO v18 VALUES (-1, 1, DEFAULT, '2026-01-02');
SELECT results_eq('SELECT g FROM v18_1', 'VALUES (-2)', 'a virtual column, and a CHECK that is not enforced');
\endif

-- ---------------------------------------------------------------------------
-- Errors are PostgreSQL's own, and leave nothing behind.
SELECT test.refused($$SELECT test.make('m', 'm_1', '2030-01-01', '2030-02-01')$$, '42P07', 'the name is taken');
SELECT test.refused($$SELECT test.make('m', 'm_9', '2026-01-15', '2026-02-15')$$, '42P17', 'the bounds overlap a partition''s');
SELECT test.refused($$SELECT test.make('m', 'm_9', '2031-01-01', '2031-01-01')$$, '42P17', 'the bounds are empty');
SELECT test.refused($$SELECT test.make('m', 'm_9', 'x', '2031-01-01')$$, '22007', 'a bound is no value of the key''s type');
SELECT test.refused($$SELECT test.make('m', 'm_9', '2030-01-01', '2030-02-01', role => 'chatopt_new_app')$$, '42501', 'by somebody else: no right');
SELECT is(to_regclass('m_9'), NULL, 'none of these left a table');
CREATE TABLE foreign_owned (LIKE m);
ALTER TABLE foreign_owned OWNER TO chatopt_new_other;
GRANT USAGE ON SCHEMA bare TO chatopt_new_app;
SELECT test.refused($$SELECT chatopt._copy_privileges('m', 'foreign_owned')$$, '55000', '_copy_privileges: of one owner only');
SELECT test.refused($$SELECT chatopt._copy_privileges('bare.m', 'bare.m_1')$$, '42501', '_copy_privileges: by the owner only', 'chatopt_new_app');
GRANT SELECT (id) ON m_1 TO chatopt_new_app;
SELECT chatopt._copy_privileges('m', 'm_1') \g /dev/null
SELECT test.like_other('m_1', 'm', 'privileges');
SELECT test.like_other('m_1', 'm', 'column privileges', true);
SELECT is((SELECT count(*)::int FROM pg_shdepend WHERE objid = 'm_1'::regclass AND refobjid = 'chatopt_new_app'::regrole), 0, 'and the role can be dropped');

-- ---------------------------------------------------------------------------
-- An attached chat: TRUNCATE of the new partition is counted; members may be partitioned too.
CREATE SCHEMA chat;
SET search_path = chat, test, tap, public;
CREATE TABLE conversations (id bigint PRIMARY KEY);
CREATE TABLE messages (id bigint, conversation_id bigint REFERENCES conversations, created_at timestamptz NOT NULL, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE members (conversation_id bigint, user_id bigint, joined date NOT NULL) PARTITION BY RANGE (joined);
SELECT test.make('messages', 'messages_1', '2026-01-01+00', '2026-02-01+00'), test.make('members', 'members_1', '2026-01-01', '2026-02-01') \g /dev/null
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT test.make('messages', 'messages_2', '2026-02-01+00', '2026-03-01+00'), test.make('members', 'members_2', '2026-02-01', '2026-03-01') \g /dev/null
SELECT is((SELECT string_agg(item, E'\n' ORDER BY item) FROM test.truncate_triggers('messages_2') AS item), (SELECT string_agg(item, E'\n' ORDER BY item) FROM test.truncate_triggers('messages_1') AS item),
  'messages: the TRUNCATE triggers that attach makes');
SELECT is((SELECT string_agg(item, E'\n' ORDER BY item) FROM test.truncate_triggers('members_2') AS item), (SELECT string_agg(item, E'\n' ORDER BY item) FROM test.truncate_triggers('members_1') AS item),
  'members: the TRUNCATE triggers that attach makes');
SELECT is((SELECT count(*)::int FROM test.truncate_triggers('messages_2') UNION ALL SELECT count(*)::int FROM test.truncate_triggers('members_2') LIMIT 1), 2, 'there are two');
SELECT is((SELECT count(*)::int FROM chatopt.attach('conversations', 'messages', 'members', dry_run => true)), 0, 'attach finds nothing to do on the new partitions');
INSERT INTO conversations VALUES (1);
INSERT INTO messages VALUES (1, 1, '2026-01-02'), (2, 1, '2026-02-02'), (3, 1, '2026-02-03');
INSERT INTO members VALUES (1, 1, '2026-02-02');
SELECT is((SELECT format('%s %s %s', last_sequence_number, message_count, member_count) FROM conversations), '3 3 1', 'rows of the new partitions are counted');
TRUNCATE messages_2, members_2;
SELECT is((SELECT format('%s %s %s', last_sequence_number, message_count, member_count) FROM conversations), '3 1 0', 'TRUNCATE of the new partitions is counted');
SELECT is_empty($$SELECT chatopt.verify('messages')$$, 'verify is content');
SELECT chatopt.disable('messages') \g /dev/null
SELECT test.make('messages', 'messages_3', '2026-03-01+00', '2026-04-01+00') \g /dev/null
SELECT is((SELECT array_agg(DISTINCT tgenabled) FROM pg_trigger WHERE tgrelid = 'messages_3'::regclass AND tgname LIKE '%chatopt%'), ARRAY['D'::"char"], 'of a disabled chat the triggers are off');
SET client_min_messages = error;
SELECT chatopt.enable('messages') \g /dev/null
SET client_min_messages = warning;
CALL chatopt.backfill('messages');
SELECT is((SELECT array_agg(DISTINCT tgenabled) FROM pg_trigger WHERE tgrelid = 'messages_3'::regclass AND tgname LIKE '%chatopt%'), ARRAY['O'::"char"], 'and enable turns them on');
-- ---------------------------------------------------------------------------
-- inheritance_report: what no partition gets, and what tells the existing ones apart.
SET search_path = "My Chat", test, tap, public;
SELECT is_empty($$SELECT * FROM chatopt.inheritance_report('"Messages"') WHERE leaf IN ('"Messages_2026_02"'::regclass, '"Messages_2026_03"'::regclass)$$,
  'nothing tells a new partition from a newer one');
SELECT set_eq($$SELECT kind, name FROM chatopt.inheritance_report('"Messages"') WHERE leaf IS NULL$$,
  $$SELECT * FROM (VALUES ('statement trigger', 'statement'), ('identity', 'id')) AS v(kind, name) WHERE kind <> 'identity' OR current_setting('server_version_num')::int < 170000$$,
  'what no partition gets: a statement trigger, before 17 the identity');
SELECT set_eq($$SELECT kind, name FROM chatopt.inheritance_report('"Messages"') WHERE leaf = '"Messages_2025_12"'::regclass AND kind NOT LIKE '%privilege' AND kind <> 'policy'$$,
  $$VALUES ('owner', ''), ('row security', 'enabled'), ('row security', 'forced'), ('comment', ''), ('persistence', ''), ('access method', ''), ('tablespace', ''),
    ('replica identity', ''), ('statistics target', 'Body'), ('statistics target', 'price'), ('n_distinct', 'conversation_id'), ('n_distinct', 'price'),
    ('n_distinct_inherited', 'conversation_id'), ('storage option', 'fillfactor'), ('storage option', 'toast_tuple_target'),
    ('storage option', 'autovacuum_vacuum_scale_factor'), ('storage option', 'toast.autovacuum_vacuum_threshold')$$,
  'a partition made by hand: all that it has otherwise');
SELECT is((SELECT what_is_done FROM chatopt.inheritance_report('"Messages"') AS r WHERE leaf = '"Messages_2025_12"'::regclass AND name = 'fillfactor'),
  'is ''11''; a new partition gets ''88''', 'in words: another value');
SELECT is((SELECT what_is_done FROM chatopt.inheritance_report('"Messages"') AS r WHERE leaf = '"Messages_2025_12"'::regclass AND name = 'enabled'),
  'this partition lacks it; a new one gets it (yes)', 'in words: something missing');
SELECT is((SELECT count(*)::int FROM chatopt.inheritance_report('"Messages"') WHERE leaf = '"Messages_2025_12"'::regclass AND kind = 'policy'), 6, 'missing policies');
SELECT results_eq($$SELECT name, what_is_done FROM chatopt.inheritance_report('"Messages"') WHERE leaf = '"Messages_2025_12"'::regclass AND kind LIKE '%privilege'
    AND name ~ 'chatopt_new_app|owner by' ORDER BY name COLLATE "C"$$,
  $$VALUES ('"Body" to chatopt_new_app by the owner', 'this partition lacks it; a new one gets it (UPDATE with grant option)'),
    ('"Body" to chatopt_new_reader by chatopt_new_app', 'this partition lacks it; a new one gets it (UPDATE)'),
    ('at to chatopt_new_app by the owner', 'this partition lacks it; a new one gets it (REFERENCES with grant option)'),
    ('id to chatopt_new_app by the owner', 'this partition lacks it; a new one gets it (REFERENCES with grant option)'),
    ('to chatopt_new_app by the owner', 'this partition lacks it; a new one gets it (INSERT with grant option, SELECT with grant option)'),
    ('to chatopt_new_reader by chatopt_new_app', 'this partition lacks it; a new one gets it (SELECT)'),
    ('to the owner by the owner', format('is %s; a new partition gets %s', (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(acldefault('r', 10))),
      (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(acldefault('r', 10)) WHERE privilege_type <> 'TRUNCATE')))$$,
  'privileges, whoever owns it');
CREATE INDEX own_index ON "Messages_2025_12" (id);
CREATE TRIGGER own_trigger BEFORE INSERT ON "Messages_2025_12" FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE "Messages_2025_12" DISABLE TRIGGER always, ADD CONSTRAINT own_check CHECK (id > 0);
CREATE STATISTICS own_statistics ON id, price FROM "Messages_2025_12";
CREATE POLICY own_policy ON "Messages_2025_12" USING (true);
SELECT results_eq($$SELECT kind, name, regexp_replace(what_is_done, ' \(.*\)', '') FROM chatopt.inheritance_report('"Messages"')
    WHERE leaf = '"Messages_2025_12"'::regclass AND (name ~ '^own_|^always$' OR kind = 'extended statistics') ORDER BY kind, name$$,
  $$VALUES ('check', 'own_check', 'only this partition has it; a new one does not get it'), ('extended statistics', 'id, price', 'only this partition has it; a new one does not get it'),
    ('index', 'own_index', 'only this partition has it; a new one does not get it'), ('policy', 'own_policy', 'only this partition has it; a new one does not get it'),
    ('trigger', 'always', 'is off here, always on on the table and on a new partition'), ('trigger', 'own_trigger', 'only this partition has it; a new one does not get it')$$,
  'what a partition has beyond its parent');
CREATE RULE some_rule AS ON UPDATE TO "Messages" WHERE false DO ALSO NOTHING;
CREATE PUBLICATION one_by_one FOR TABLE "Messages_2026_03";
SELECT results_eq($$SELECT kind, name FROM chatopt.inheritance_report('"Messages"') WHERE leaf IS NULL AND kind IN ('rule', 'publication')$$,
  $$VALUES ('publication', 'one_by_one'), ('rule', 'some_rule')$$, 'rules; publications of single partitions');
SELECT is_empty($$SELECT * FROM chatopt.inheritance_report('bare.r') WHERE leaf IS NULL$$, 'a replica identity that is the parent''s needs no word');
ALTER TABLE bare.r REPLICA IDENTITY DEFAULT;
CREATE UNIQUE INDEX r_6_only ON bare.r_6 (id);
ALTER TABLE bare.r_6 REPLICA IDENTITY USING INDEX r_6_only;
SELECT results_eq($$SELECT name, what_is_done FROM chatopt.inheritance_report('bare.r') WHERE leaf IS NULL AND kind = 'replica identity'$$,
  $$VALUES ('r_6_only', 'is an index of partition bare.r_6 alone: a new one identifies rows by its primary key')$$, 'a replica identity that new partitions cannot have');
DROP TRIGGER aaa_chatopt_truncate ON chat.messages_2;
SELECT results_eq($$SELECT leaf, kind, name FROM chatopt.inheritance_report('chat.messages')$$,
  $$VALUES ('chat.messages_2'::regclass, 'trigger', 'aaa_chatopt_truncate')$$, 'a TRUNCATE trigger of the chat that is missing');
SELECT is_empty($$SELECT * FROM chatopt.inheritance_report('bare.n')$$, 'nothing to say of a plain set');
SELECT test.refused($$SELECT chatopt.inheritance_report(NULL)$$, '22004', 'inheritance_report: no table');
SELECT test.refused($$SELECT chatopt.inheritance_report('conversations')$$, '42809', 'inheritance_report: not partitioned');
SET search_path = chat, test, tap, public;
SELECT chatopt.detach('messages') \g /dev/null
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgrelid IN ('messages_2'::regclass, 'messages_3'::regclass, 'members_2'::regclass) AND tgname LIKE '%chatopt%'), 0, 'detach finds all of them');

SET search_path = public, test, tap;
DROP SCHEMA "My Chat", bare, chat CASCADE;
DROP TABLESPACE chatopt_new_space;
DROP OWNED BY chatopt_new_owner, chatopt_new_app, chatopt_new_reader, "chatopt New ""Role", chatopt_new_other CASCADE;
DROP ROLE chatopt_new_owner, chatopt_new_app, chatopt_new_reader, "chatopt New ""Role", chatopt_new_other;
\ir teardown.psql
