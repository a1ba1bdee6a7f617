-- No name of ours is reserved: each can be written without quotes, as a parameter's name too.
\set file reserved_words
\ir setup.psql
SELECT plan(3);

CREATE TABLE test.names AS
SELECT pg_describe_object(d.classid, d.objid, 0) AS object, n.name
FROM pg_depend d
CROSS JOIN LATERAL (
    SELECT p.proname::text AS name FROM pg_proc p WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    UNION ALL SELECT unnest(p.proargnames) FROM pg_proc p WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    UNION ALL SELECT c.relname FROM pg_class c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid
    UNION ALL SELECT a.attname FROM pg_attribute a WHERE d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND a.attnum > 0
    UNION ALL SELECT t.typname FROM pg_type t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND t.typname NOT LIKE E'\\_%'
    UNION ALL SELECT s.nspname FROM pg_namespace s WHERE d.classid = 'pg_namespace'::regclass AND s.oid = d.objid) n
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'chatopt');

SELECT ok((SELECT count(*) > 30 FROM test.names WHERE name <> ''), 'the extension has names to look at');
SELECT is_empty($$
    SELECT n.object, n.name, k.catdesc FROM test.names n JOIN pg_get_keywords() k ON k.word = n.name
    WHERE k.catcode IN ('R', 'T')$$, 'no name of ours is a reserved word');
SELECT is_empty($$
    SELECT object, name FROM test.names WHERE name <> '' AND quote_ident(name) <> name AND name NOT IN (SELECT word FROM pg_get_keywords())
    $$, 'no name of ours needs quotes');

\ir teardown.psql
