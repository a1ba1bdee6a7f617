-- What the catalogues say of the types' objects, and the extension in a schema on nobody's path.
\set file bitmap_catalogue
\ir setup.psql
SELECT plan(15);

CREATE TABLE test.objects AS
SELECT d.classid, d.objid FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'chatopt');
CREATE TABLE test.functions AS
SELECT p.* FROM pg_proc p JOIN test.objects ON classid = 'pg_proc'::regclass AND objid = p.oid WHERE p.pronamespace = 'public'::regnamespace;
CREATE TABLE test.operators AS
SELECT o.* FROM pg_operator o JOIN test.objects ON classid = 'pg_operator'::regclass AND objid = o.oid;

SELECT is_empty($$
  SELECT pg_describe_object(classid, objid, 0) FROM test.objects
  WHERE classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_cast'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass)
    AND obj_description(objid, classid::regclass::name) IS NULL
    AND NOT (classid = 'pg_type'::regclass AND (SELECT typelem <> 0 OR typrelid <> 0 FROM pg_type WHERE oid = objid)) $$,
  'every function, operator, type, cast and operator class has a comment');
SELECT is_empty($$ SELECT oid::regprocedure FROM test.functions WHERE provolatile <> 'i' OR proparallel <> 's' $$, 'every function is immutable and parallel safe');
SELECT is_empty($$ SELECT oid::regprocedure FROM test.functions WHERE prosecdef $$, 'and none is SECURITY DEFINER');
SELECT is_empty($$ SELECT oid::regprocedure FROM test.functions WHERE NOT proisstrict AND prokind = 'f' AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) $$,
  'every function that can be called is strict');
SELECT is_empty($$
  SELECT o.oid::regoperator FROM test.operators o
  WHERE o.oprkind = 'b' AND (o.oprname IN ('|', '&', '&&', '=', '<>', '<', '<=', '>', '>=', '@>', '<@') OR (o.oprname = '#'))
    AND NOT EXISTS (SELECT FROM pg_operator c WHERE c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft AND c.oprcom = o.oid AND c.oprcode <> 0) $$,
  'operators have commutators, and they theirs');
SELECT is_empty($$
  SELECT o.oid::regoperator FROM test.operators o WHERE o.oprname IN ('=', '<>', '<', '<=', '>', '>=')
    AND NOT EXISTS (SELECT FROM pg_operator n WHERE n.oid = o.oprnegate AND n.oprnegate = o.oid AND n.oprcode <> 0) $$, 'comparisons have negators');
SELECT is_empty($$ SELECT oid::regoperator FROM test.operators WHERE oprresult = 'boolean'::regtype AND (oprrest = 0 OR oprjoin = 0) $$, 'conditions have selectivities');
SELECT is_empty($$ SELECT oid::regoperator FROM test.operators WHERE oprcode = 0 $$, 'no operator is a shell');
SELECT is_empty($$ SELECT oid::regoperator FROM test.operators WHERE oprname = '=' AND NOT (oprcanhash AND oprcanmerge) $$, '= hashes and merges');
SELECT is_empty($$ SELECT c.oid, opcname FROM pg_opclass c JOIN test.objects ON classid = 'pg_opclass'::regclass AND objid = c.oid WHERE NOT amvalidate(c.oid) $$,
  'operator classes are valid');
SELECT is((SELECT string_agg(amname || ' ' || opcname, ', ' ORDER BY amname) FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
    WHERE opcintype = 'receipt_bitmap'::regtype AND opcdefault),
  'btree receipt_bitmap_ops, gin receipt_bitmap_ops, hash receipt_bitmap_ops', 'each is the default of its access method');
SELECT is((SELECT concat_ws(' ', typstorage, typalign, typlen) FROM pg_type WHERE oid = 'receipt_bitmap'::regtype), 'e i -1', 'the type is stored external');
SELECT is_empty($$ SELECT castsource::regtype, casttarget::regtype FROM pg_cast WHERE castsource = 'receipt_bitmap'::regtype AND casttarget IN ('json'::regtype, 'jsonb'::regtype) $$,
  'JSON has the text form of a set: there is no cast');
CREATE FUNCTION test.rows_planned(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN plan->0->'Plan'->>'Plan Rows';
END $$;
SELECT is(test.rows_planned($$ SELECT * FROM members('{0-999}') $$), 1000, 'the planner knows how many rows members() of a constant has');

-- A schema that nobody has in the path: everything works qualified, and inside our functions.
DROP EXTENSION chatopt CASCADE;
CREATE SCHEMA elsewhere;
CREATE EXTENSION chatopt SCHEMA elsewhere;
CREATE TABLE apart (id int PRIMARY KEY, seen elsewhere.receipt_bitmap);
INSERT INTO apart SELECT g, elsewhere.add_range('{}', 0, g % 30) FROM generate_series(1, 300) g;
CREATE INDEX ON apart USING gin (seen);
CREATE INDEX ON apart (seen);
UPDATE apart SET seen = seen OPERATOR(elsewhere.|) 99 WHERE id = 7;
SELECT ok((SELECT elsewhere.receipt_bitmap_agg(id) OPERATOR(elsewhere.@>) 7 AND OPERATOR(elsewhere.#) elsewhere.receipt_bitmap_or_agg(seen) = 30
      AND count(DISTINCT seen) = 31 AND (min(id) FILTER (WHERE seen OPERATOR(elsewhere.@>) 99)) = 7 FROM (SELECT id, seen FROM apart ORDER BY seen) x),
  'in a schema on nobody''s path');

\ir teardown.psql
