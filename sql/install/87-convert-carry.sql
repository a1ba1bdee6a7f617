-- 87-convert-carry.sql: everything that hangs on a table, and what becomes of it when the table becomes a partition.
--
-- Each chatopt._carry_* function looks into one corner of the catalogues and gives what it found and the statement for it.
-- when_run says in which step it runs ('index', 'validate', 'keys', 'shadow', 'shadow keys', 'swap', 'after', 'clean'), place the order
-- within. Definitions are taken as PostgreSQL writes them, with every name qualified; where a table's or an index's own name has to
-- be another, the beginning of the text must be exactly as composed from the catalogue. Statements of the swap run as written
-- down before it: the table's old name in them is the new parent's by then.

-- chatopt._rest_of gives a definition without its beginning, which must be as expected.
CREATE FUNCTION chatopt._rest_of(definition text, beginning text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT starts_with(definition, beginning) THEN
    RAISE EXCEPTION USING ERRCODE = 'internal_error', MESSAGE = 'a definition is not written as expected',
      DETAIL = format('It is: %s. Expected: %s', definition, beginning);
  END IF;
  RETURN substr(definition, length(beginning) + 1);
END
$$;
COMMENT ON FUNCTION chatopt._rest_of(text, text) IS 'internal: a definition without its beginning';

-- chatopt._in_schema qualifies a name of the request with the table's schema.
CREATE FUNCTION chatopt._in_schema(request jsonb, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('%I.%I', request->>'schema', name) $$;
COMMENT ON FUNCTION chatopt._in_schema(jsonb, text) IS 'internal: a name in the schema of the table';

-- chatopt._comment_on gives the COMMENT statement for an object that has one.
CREATE FUNCTION chatopt._comment_on(words text, object_id oid, catalogue regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('COMMENT ON %s IS %L;', words, d.description) FROM pg_description d WHERE d.objoid = object_id AND d.classoid = catalogue AND d.objsubid = 0 $$;
COMMENT ON FUNCTION chatopt._comment_on(text, oid, regclass) IS 'internal: the COMMENT statement for an object; NULL where it has none';

-- chatopt._converted_indexes says what becomes of each index: 'same' on the parent; 'key', the primary key with the control column added;
-- 'twin', a plain index on the parent in place of a unique one; 'leaf', on the old rows alone.
CREATE FUNCTION chatopt._converted_indexes(tbl regclass, request jsonb)
RETURNS TABLE (index_id oid, name text, becomes text, constraint_id oid, constraint_type "char", rest text, built text, on_parent text, on_leaf text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT i.indexrelid, c.relname::text,
    CASE WHEN i.indisexclusion THEN 'leaf' WHEN l.index_id IS NULL THEN 'same' WHEN k.contype = 'p' THEN 'key' ELSE 'twin' END,
    k.oid, k.contype,
    CASE WHEN k.contype IS NULL OR l.index_id IS NOT NULL THEN
      chatopt._rest_of(pg_get_indexdef(i.indexrelid), format('CREATE %sINDEX %I ON %s ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, tbl)) END,
    chatopt._cut_name(c.relname, '_chatopt_' || c.oid), chatopt._cut_name(c.relname, '_chatopt_new_' || c.oid),
    -- names that are the same when cut are numbered
    chatopt._cut_name(c.relname, concat_ws('_', request->>'suffix', nullif(1 + CASE WHEN w.cut = request->>'wide' THEN 1 ELSE 0 END
      + (row_number() OVER (PARTITION BY w.cut ORDER BY c.relname))::int - 1, 1)))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
  LEFT JOIN chatopt._lost_uniques(tbl, request->>'control') AS l ON l.index_id = i.indexrelid
  CROSS JOIN LATERAL (SELECT chatopt._cut_name(c.relname, request->>'suffix')) AS w(cut)
  WHERE i.indrelid = tbl AND i.indisvalid AND i.indisready
    -- not those that an earlier call has built
    AND NOT EXISTS (SELECT FROM pg_class o JOIN chatopt._lost_uniques(tbl, request->>'control') AS u ON u.index_id = o.oid
      WHERE c.relname = chatopt._cut_name(o.relname, '_chatopt_' || o.oid))
  ORDER BY k.contype IS DISTINCT FROM 'p', c.relname
$$;
COMMENT ON FUNCTION chatopt._converted_indexes(regclass, jsonb) IS 'internal: what becomes of the indexes of a table';

-- chatopt._key_columns writes the extended primary key: its columns, then the control column, then what it includes.
CREATE FUNCTION chatopt._key_columns(index_id oid, control text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('(%s, %I)', array_to_string(chatopt._quoted(chatopt._index_keys(index_id)), ', '), control)
    || coalesce(' INCLUDE (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
      FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
      WHERE i.indexrelid = index_id AND k.place > i.indnkeyatts AND a.attname <> control) || ')', '')
$$;
COMMENT ON FUNCTION chatopt._key_columns(oid, text) IS 'internal: the columns of the extended primary key';

-- The indexes and the constraints that are indexes.
CREATE FUNCTION chatopt._carry_indexes(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH x AS MATERIALIZED (SELECT * FROM chatopt._converted_indexes(tbl, request)),
       q AS (SELECT request->>'control' AS control, chatopt._in_schema(request, request->>'shadow') AS shadow, chatopt._in_schema(request, request->>'wide') AS wide)
  SELECT s.place, s.kind, s.object, 'pg_index', s.statement, s.when_run, NULL::oid FROM x CROSS JOIN q CROSS JOIN LATERAL (VALUES
    (10, 'primary key', x.built, CASE WHEN x.becomes = 'key' THEN
      format('CREATE UNIQUE INDEX CONCURRENTLY %I ON %s %s;', x.built, tbl, chatopt._key_columns(x.index_id, q.control)) END, 'index'),
    (11, 'unique index', x.built, CASE WHEN x.becomes = 'twin' THEN format('CREATE INDEX CONCURRENTLY %I ON %s %s;', x.built, tbl, x.rest) END, 'index'),
    (20, 'primary key', x.name, CASE WHEN x.becomes = 'key' THEN
      format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY %s;', q.shadow, x.on_parent, chatopt._key_columns(x.index_id, q.control)) END, 'shadow'),
    (21, 'constraint', x.name, CASE WHEN x.becomes = 'same' AND x.constraint_id IS NOT NULL THEN
      format('ALTER TABLE %s ADD CONSTRAINT %I %s;', q.shadow, x.on_parent, pg_get_constraintdef(x.constraint_id)) END, 'shadow'),
    (22, 'index', x.name, CASE WHEN x.becomes = 'same' AND x.constraint_id IS NULL THEN
      format('CREATE %sINDEX %I ON %s %s;', (SELECT CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END FROM pg_index i WHERE i.indexrelid = x.index_id), x.on_parent, q.shadow, x.rest) END, 'shadow'),
    (23, 'unique index', x.name, CASE WHEN x.becomes = 'twin' THEN format('CREATE INDEX %I ON %s %s;', x.on_parent, q.shadow, x.rest) END, 'shadow'),
    (24, 'comment', x.name, CASE WHEN x.becomes <> 'leaf' THEN chatopt._comment_on(format('INDEX %s', chatopt._in_schema(request, x.on_parent)), x.index_id, 'pg_class') END, 'shadow'),
    (24, 'comment', x.name, CASE WHEN x.becomes IN ('same', 'key') THEN
      chatopt._comment_on(format('CONSTRAINT %I ON %s', x.on_parent, q.shadow), x.constraint_id, 'pg_constraint') END, 'shadow'),
    (30, 'primary key', x.name, CASE WHEN x.becomes = 'key' THEN
      format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I PRIMARY KEY USING INDEX %I;', tbl, x.name, x.on_leaf, x.built) END, 'swap'),
    (55, 'index', x.name, CASE WHEN x.becomes <> 'key' THEN
      format('ALTER INDEX %s RENAME TO %I;', chatopt._in_schema(request, x.name), x.on_leaf) END, 'swap'),
    (57, 'index', x.name, CASE WHEN x.becomes = 'twin' THEN
      format('ALTER INDEX %s RENAME TO %I;', chatopt._in_schema(request, x.built), chatopt._cut_name(x.name, '_plain' || (request->>'suffix'))) END, 'swap'),
    (65, 'index', x.name, CASE WHEN x.becomes <> 'leaf' THEN format('ALTER INDEX %s RENAME TO %I;', chatopt._in_schema(request, x.on_parent), x.name) END, 'swap'),
    (10, 'unique index', x.on_leaf, CASE WHEN x.index_id = chatopt._chat_number_index(tbl) THEN
      format('DROP INDEX CONCURRENTLY IF EXISTS %s;', chatopt._in_schema(request, x.on_leaf)) END, 'clean')
  ) AS s(place, kind, object, statement, when_run) WHERE s.statement IS NOT NULL
$$;
COMMENT ON FUNCTION chatopt._carry_indexes(regclass, jsonb) IS 'internal: the statements for the indexes of a table to be converted';

-- chatopt._role_name gives a role as GRANT wants it; 0 is PUBLIC.
CREATE FUNCTION chatopt._role_name(role_id oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE role_id WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role_id)) END $$;
COMMENT ON FUNCTION chatopt._role_name(oid) IS 'internal: a role as GRANT wants it';

-- chatopt._privileges gives REVOKE and GRANT statements after which a new table has the privileges of another, default privileges undone.
CREATE FUNCTION chatopt._privileges(tbl regclass, target text) RETURNS TABLE (place int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH t AS (SELECT c.oid, c.relowner, c.relnamespace, c.relacl FROM pg_class c WHERE c.oid = tbl),
  defaults AS (SELECT DISTINCT a.grantee FROM t JOIN pg_default_acl d ON d.defaclrole = t.relowner AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, t.relnamespace)
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a),
  grantees AS (SELECT grantee FROM defaults UNION SELECT relowner FROM t WHERE relacl IS NOT NULL)
  SELECT 1, format('REVOKE ALL ON TABLE %s FROM %s;', target, string_agg(chatopt._role_name(g.grantee), ', ' ORDER BY chatopt._role_name(g.grantee))) FROM grantees AS g HAVING count(*) > 0
  UNION ALL
  SELECT 2, format('GRANT ALL ON TABLE %s TO %s;', target, chatopt._role_name(t.relowner)) FROM t WHERE t.relacl IS NULL AND EXISTS (SELECT FROM defaults)
  UNION ALL
  SELECT 2, format('GRANT %s ON TABLE %s TO %s%s;', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), target, chatopt._role_name(a.grantee),
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM t CROSS JOIN LATERAL aclexplode(t.relacl) AS a GROUP BY a.grantee, a.is_grantable
  UNION ALL
  SELECT 3, format('GRANT %s (%I) ON TABLE %s TO %s%s;', a.privilege_type, c.attname, target, chatopt._role_name(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_attribute c CROSS JOIN LATERAL aclexplode(c.attacl) AS a WHERE c.attrelid = tbl AND c.attnum > 0 AND NOT c.attisdropped
$$;
COMMENT ON FUNCTION chatopt._privileges(regclass, text) IS 'internal: the statements that give a new table the privileges of another';

-- chatopt._new_leaves gives the partitions that are made ahead: from the boundary to the end of the premake-th period after the present one.
CREATE FUNCTION chatopt._new_leaves(request jsonb) RETURNS TABLE (name text, lower_bound text, upper_bound text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._partition_name((request->>'name')::name, chatopt._name_format(request->>'every'), (p.lower AT TIME ZONE (request->>'time_zone'))::date)::text,
    chatopt._control_literal(request, p.lower), chatopt._control_literal(request, p.upper)
  FROM generate_series(0, 1001) AS g(n)
  CROSS JOIN LATERAL (SELECT chatopt._period_start((request->>'boundary_at')::timestamptz, request->>'every', request->>'time_zone', g.n),
    chatopt._period_start((request->>'boundary_at')::timestamptz, request->>'every', request->>'time_zone', g.n + 1)) AS p(lower, upper)
  WHERE p.lower < p.upper AND (g.n = 0 OR p.lower <= chatopt._period_start(chatopt._convert_now(), request->>'every', request->>'time_zone', (request->>'premake')::int))
$$;
COMMENT ON FUNCTION chatopt._new_leaves(jsonb) IS 'internal: the partitions made ahead by a conversion';

-- chatopt._make_partition makes a partition of a parent that nobody uses yet.
CREATE FUNCTION chatopt._make_partition(parent regclass, schema name, name name, lower text, upper text, template regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOR statement IN SELECT p.statement FROM chatopt._new_partition(parent, schema, name, lower, upper, template) AS p LOOP
    EXECUTE statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._make_partition(regclass, name, name, text, text, regclass) IS 'internal: makes a partition of a new parent';

-- The table itself: columns, checks, statistics, privileges; the renames and ATTACH.
CREATE FUNCTION chatopt._carry_shadow(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH q AS (SELECT chatopt._in_schema(request, request->>'shadow') AS shadow, c.*, t.spcname FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = tbl)
  SELECT 10, 'table', q.shadow, 'pg_class', format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS) PARTITION BY RANGE (%I)%s;',
      q.shadow, tbl, request->>'control', coalesce(' TABLESPACE ' || quote_ident(q.spcname), '')), 'shadow', NULL::oid FROM q
  UNION ALL SELECT 11, 'check', k.conname, 'pg_constraint', format('ALTER TABLE %s ADD CONSTRAINT %I %s;', q.shadow, k.conname, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')), 'shadow', NULL
    FROM q JOIN pg_constraint k ON k.conrelid = tbl AND k.contype = 'c' AND NOT k.connoinherit AND k.conname <> request->>'check'
  UNION ALL SELECT 12, 'comment', k.conname, 'pg_description', chatopt._comment_on(format('CONSTRAINT %I ON %s', k.conname, q.shadow), k.oid, 'pg_constraint'), 'shadow', NULL
    FROM q JOIN pg_constraint k ON k.conrelid = tbl AND k.contype = 'c' AND NOT k.connoinherit AND k.conname <> request->>'check'
  UNION ALL SELECT 30, 'column', a.attname, 'pg_attribute', format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s;', q.shadow, a.attname, a.attstattarget), 'shadow', NULL
    FROM q JOIN pg_attribute a ON a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
  UNION ALL SELECT 31, 'column', a.attname, 'pg_attribute', format('ALTER TABLE %s ALTER COLUMN %I SET (%s);', q.shadow, a.attname, o.options), 'shadow', NULL
    FROM q JOIN pg_attribute a ON a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL (SELECT string_agg(u, ', ') FROM unnest(a.attoptions) AS u WHERE u !~ '^pg_attver=') AS o(options) WHERE o.options IS NOT NULL
  UNION ALL SELECT 32, 'statistics', s.stxname, 'pg_statistic_ext', format('CREATE STATISTICS %s %s FROM %s;', chatopt._in_schema(request, chatopt._cut_name(s.stxname, '_chatopt_new_' || s.oid)),
      left(r.rest, -length(' FROM ' || tbl::text)), q.shadow), 'shadow', NULL
    FROM q JOIN pg_statistic_ext s ON s.stxrelid = tbl
    CROSS JOIN LATERAL (SELECT chatopt._rest_of(pg_get_statisticsobjdef(s.oid), format('CREATE STATISTICS %I.%I ', request->>'schema', s.stxname))) AS r(rest)
  UNION ALL SELECT 33, 'statistics', s.stxname, 'pg_statistic_ext', format('ALTER STATISTICS %s SET STATISTICS %s;', chatopt._in_schema(request, chatopt._cut_name(s.stxname, '_chatopt_new_' || s.oid)), s.stxstattarget), 'shadow', NULL
    FROM pg_statistic_ext s WHERE s.stxrelid = tbl AND s.stxstattarget >= 0
  UNION ALL SELECT 34, 'comment', s.stxname, 'pg_description', chatopt._comment_on(format('STATISTICS %s', chatopt._in_schema(request, chatopt._cut_name(s.stxname, '_chatopt_new_' || s.oid))), s.oid, 'pg_statistic_ext'), 'shadow', NULL
    FROM pg_statistic_ext s WHERE s.stxrelid = tbl
  UNION ALL SELECT 40 + p.place, 'privileges', request->>'name', 'relacl', p.statement, 'shadow', NULL FROM q CROSS JOIN LATERAL chatopt._privileges(tbl, q.shadow) AS p
  UNION ALL SELECT 45, 'row security', request->>'name', 'pg_class', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', q.shadow), 'shadow', NULL FROM q WHERE q.relrowsecurity
  UNION ALL SELECT 46, 'row security', request->>'name', 'pg_class', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', q.shadow), 'shadow', NULL FROM q WHERE q.relforcerowsecurity
  UNION ALL SELECT 47, 'comment', request->>'name', 'pg_description', chatopt._comment_on(format('TABLE %s', q.shadow), tbl, 'pg_class'), 'shadow', NULL FROM q
  UNION ALL SELECT 48, 'security label', request->>'name', 'pg_seclabel', format('SECURITY LABEL FOR %I ON %s IS %L;', l.provider,
      CASE l.objsubid WHEN 0 THEN 'TABLE ' || q.shadow ELSE format('COLUMN %s.%I', q.shadow, a.attname) END, l.label), 'shadow', NULL
    FROM q JOIN pg_seclabel l ON l.objoid = tbl AND l.classoid = 'pg_class'::regclass LEFT JOIN pg_attribute a ON a.attrelid = tbl AND a.attnum = l.objsubid
  UNION ALL SELECT 49, 'replica identity', request->>'name', 'pg_class', format('ALTER TABLE %s REPLICA IDENTITY %s;', q.shadow,
      CASE q.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I', x.on_parent) END), 'shadow', NULL
    FROM q LEFT JOIN pg_index i ON i.indrelid = tbl AND i.indisreplident LEFT JOIN chatopt._converted_indexes(tbl, request) AS x ON x.index_id = i.indexrelid
    WHERE q.relreplident IN ('f', 'n') OR q.relreplident = 'i' AND x.becomes IN ('same', 'key')
  UNION ALL SELECT 60, 'partition', l.name, 'calendar', format('SELECT chatopt._make_partition(%L, %L, %L, %L, %L, %L);', q.shadow, request->>'schema', l.name,
      l.lower_bound, l.upper_bound, tbl), 'shadow', NULL
    FROM q CROSS JOIN chatopt._new_leaves(request) AS l
  UNION ALL SELECT 56, 'statistics', s.stxname, 'pg_statistic_ext', format('ALTER STATISTICS %s RENAME TO %I;', chatopt._in_schema(request, s.stxname), chatopt._cut_name(s.stxname, request->>'suffix')), 'swap', NULL
    FROM pg_statistic_ext s WHERE s.stxrelid = tbl
  UNION ALL SELECT 66, 'statistics', s.stxname, 'pg_statistic_ext', format('ALTER STATISTICS %s RENAME TO %I;', chatopt._in_schema(request, chatopt._cut_name(s.stxname, '_chatopt_new_' || s.oid)), s.stxname), 'swap', NULL
    FROM pg_statistic_ext s WHERE s.stxrelid = tbl
  UNION ALL SELECT 40, 'replica identity', request->>'wide', 'pg_index', format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I;', tbl, x.on_leaf), 'swap', NULL
    FROM pg_index i JOIN chatopt._converted_indexes(tbl, request) AS x ON x.index_id = i.indexrelid AND x.becomes = 'key' WHERE i.indrelid = tbl AND i.indisreplident
  UNION ALL SELECT 41, 'cluster mark', request->>'wide', 'pg_index', format('ALTER TABLE %s CLUSTER ON %I;', tbl, x.on_leaf), 'swap', NULL
    FROM pg_index i JOIN chatopt._converted_indexes(tbl, request) AS x ON x.index_id = i.indexrelid AND x.becomes = 'key' WHERE i.indrelid = tbl AND i.indisclustered
  UNION ALL SELECT 50, 'table', request->>'name', 'pg_class', format('ALTER TABLE %s RENAME TO %I;', tbl, request->>'wide'), 'swap', NULL
  UNION ALL SELECT 60, 'table', request->>'name', 'pg_class', format('ALTER TABLE %s RENAME TO %I;', q.shadow, request->>'name'), 'swap', NULL FROM q
  UNION ALL SELECT 70, 'identity', a.attname, 'pg_attribute', format('SELECT chatopt._take_over_identity(%s::regclass, %L, %L);', tbl::oid, chatopt._in_schema(request, request->>'name'), a.attname), 'swap', NULL
    FROM pg_attribute a WHERE a.attrelid = tbl AND a.attidentity <> '' AND NOT a.attisdropped
  UNION ALL SELECT 80, 'partition', request->>'wide', 'pg_inherits', format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%L);',
      chatopt._in_schema(request, request->>'name'), chatopt._in_schema(request, request->>'wide'), request->>'boundary'), 'swap', NULL
  UNION ALL SELECT 85, 'check', request->>'check', 'pg_constraint', format('ALTER TABLE %s DROP CONSTRAINT %I;', chatopt._in_schema(request, request->>'wide'), request->>'check'), 'swap', NULL
  UNION ALL SELECT 100, 'sequence', d.objid::regclass::text, 'pg_depend', format('ALTER SEQUENCE %s OWNED BY %s.%I;', d.objid::regclass, chatopt._in_schema(request, request->>'name'), a.attname), 'swap', NULL
    FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_attribute a ON a.attrelid = tbl AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = tbl AND d.deptype = 'a'
  UNION ALL SELECT 15, 'statistics', request->>'name', 'pg_statistic', format('ANALYZE %s;', chatopt._in_schema(request, request->>'name')), 'after', NULL
$$;
COMMENT ON FUNCTION chatopt._carry_shadow(regclass, jsonb) IS 'internal: the statements that make the new parent and put it in the place of the table';

-- chatopt._take_over_identity moves an identity column's sequence from the partition to the parent: the same name, options and next value.
CREATE FUNCTION chatopt._take_over_identity(leaf regclass, parent regclass, column_name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  old regclass := pg_get_serial_sequence(leaf::text, column_name);
  s record;
  place record;
  kind text := (SELECT CASE c.identity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END FROM chatopt._column(leaf, column_name) AS c);
  privileges text[] := ARRAY(SELECT format('GRANT %s ON SEQUENCE %s TO %s%s', a.privilege_type, old, chatopt._role_name(a.grantee), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a WHERE c.oid = old);
  comment text := chatopt._comment_on(format('SEQUENCE %s', old), old, 'pg_class');
  name text := old::text;
  grant_again text;
BEGIN
  SELECT * INTO s FROM pg_sequence WHERE seqrelid = old;
  -- nobody counts on while the statement below holds it
  EXECUTE format('ALTER SEQUENCE %s CACHE %s', old, s.seqcache);
  EXECUTE format('SELECT last_value, is_called FROM %s', old) INTO place;
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', leaf, column_name);
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s)',
    parent, column_name, kind, name, s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END);
  PERFORM setval(name::regclass, place.last_value, place.is_called);
  FOREACH grant_again IN ARRAY privileges LOOP
    EXECUTE grant_again;
  END LOOP;
  IF comment IS NOT NULL THEN
    EXECUTE comment;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._take_over_identity(regclass, regclass, text) IS 'internal: moves an identity column to the new parent';

-- chatopt._trigger_beginning writes a trigger's moment and events as PostgreSQL does.
CREATE FUNCTION chatopt._trigger_beginning(trigger_id oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('CREATE %sTRIGGER %I %s %s ON %s ', CASE WHEN t.tgconstraint <> 0 THEN 'CONSTRAINT ' ELSE '' END, t.tgname,
    CASE WHEN t.tgtype & 64 <> 0 THEN 'INSTEAD OF' WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END,
    concat_ws(' OR ', CASE WHEN t.tgtype & 4 <> 0 THEN 'INSERT' END, CASE WHEN t.tgtype & 8 <> 0 THEN 'DELETE' END,
      CASE WHEN t.tgtype & 16 <> 0 THEN 'UPDATE' || coalesce(' OF ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
        FROM unnest(t.tgattr::int2[]) WITH ORDINALITY AS k(number, place) JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = k.number), '') END,
      CASE WHEN t.tgtype & 32 <> 0 THEN 'TRUNCATE' END), t.tgrelid::regclass)
  FROM pg_trigger t WHERE t.oid = trigger_id
$$;
COMMENT ON FUNCTION chatopt._trigger_beginning(oid) IS 'internal: how the definition of a trigger begins';

-- Triggers, whether on or off.
CREATE FUNCTION chatopt._carry_triggers(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH q AS (SELECT chatopt._in_schema(request, request->>'shadow') AS shadow, chatopt._trigger_beginning(t.oid) AS beginning,
      (p.pronamespace = 'chatopt'::regnamespace AND t.tgtype & 32 <> 0) AS stays, t.*
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = tbl AND NOT t.tgisinternal)
  SELECT 50, 'trigger', q.tgname, 'pg_trigger', left(q.beginning, -length(tbl::text) - 1) || q.shadow || ' ' || chatopt._rest_of(pg_get_triggerdef(q.oid), q.beginning) || ';', 'shadow', NULL::oid FROM q
  UNION ALL SELECT 51, 'trigger', q.tgname, 'pg_trigger', format('ALTER TABLE %s %s TRIGGER %I;', q.shadow,
      CASE q.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, q.tgname), 'shadow', NULL FROM q WHERE q.tgenabled <> 'O'
  UNION ALL SELECT 52, 'comment', q.tgname, 'pg_description', chatopt._comment_on(format('TRIGGER %I ON %s', q.tgname, q.shadow), q.oid, 'pg_trigger'), 'shadow', NULL FROM q
  -- the row triggers come back as clones of the parent's; those on TRUNCATE that a chat needs on each partition stay
  UNION ALL SELECT 20, 'trigger', q.tgname, 'pg_trigger', format('DROP TRIGGER %I ON %s;', q.tgname, tbl), 'swap', NULL FROM q WHERE NOT q.stays
$$;
COMMENT ON FUNCTION chatopt._carry_triggers(regclass, jsonb) IS 'internal: the statements for the triggers of a table to be converted';

-- chatopt._composite_keys gives the foreign keys into the table that are made again with the control column beside their own columns:
-- the column that is added for it to the table that refers, the CHECK that both are there or none, and the trigger that fills it.
CREATE FUNCTION chatopt._composite_keys(tbl regclass, request jsonb)
RETURNS TABLE (constraint_id oid, referencing regclass, owner_id oid, key_columns text[], target_columns text[], added text, check_name text, filler text, trigger_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid, f.referencing, r.relowner, k.own, k.target,
    chatopt._cut_name(CASE WHEN cardinality(k.own) = 1 AND k.own[1] LIKE '%\_' || replace(k.target[1], '_', '\_') THEN left(k.own[1], -length(k.target[1]) - 1) ELSE k.own[1] END,
      '_' || (request->>'control')),
    chatopt._cut_name(c.conname, '_whole'), format('%I.%I', n.nspname, chatopt._cut_name(c.conname, '_fill')), chatopt._cut_name('zzz_chatopt_fill_' || c.conname, '')
  FROM chatopt._inbound_keys(tbl, request) AS f JOIN pg_constraint c ON c.oid = f.constraint_id JOIN pg_class r ON r.oid = f.referencing JOIN pg_namespace n ON n.oid = r.relnamespace
  CROSS JOIN LATERAL (SELECT chatopt._column_names(c.conrelid, c.conkey), chatopt._column_names(tbl, c.confkey)) AS k(own, target)
  WHERE request->>'foreign_keys' = 'composite' AND NOT f.kept
$$;
COMMENT ON FUNCTION chatopt._composite_keys(regclass, jsonb) IS 'internal: the foreign keys that get the control column';

-- chatopt._composite_clause writes such a foreign key, with the actions it had.
CREATE FUNCTION chatopt._composite_clause(constraint_id oid, target text, key_columns text[], target_columns text[], added text, control text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('FOREIGN KEY (%s, %I) REFERENCES %s (%s, %I)', array_to_string(chatopt._quoted(key_columns), ', '), added, target, array_to_string(chatopt._quoted(target_columns), ', '), control)
    || CASE WHEN c.confmatchtype = 'f' THEN ' MATCH FULL' ELSE '' END
    || coalesce(' ON UPDATE ' || (w.words->>c.confupdtype::text), '') || coalesce(' ON DELETE ' || (w.words->>c.confdeltype::text), '')
    || coalesce(' (' || (SELECT array_to_string(chatopt._quoted(chatopt._column_names(c.conrelid, c.confdelsetcols) || added), ', ') WHERE c.confdelsetcols IS NOT NULL) || ')', '')
    || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
  FROM pg_constraint c, (SELECT '{"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}'::jsonb) AS w(words) WHERE c.oid = constraint_id
$$;
COMMENT ON FUNCTION chatopt._composite_clause(oid, text, text[], text[], text, text) IS 'internal: a foreign key with the control column';

-- chatopt._fill_statements gives what a table that refers gets: the column, the trigger that fills it from the message, and the CHECK. The function
-- finds the table by its name, before the swap and after it.
CREATE FUNCTION chatopt._fill_statements(tbl regclass, request jsonb, constraint_id oid) RETURNS TABLE (place int, kind text, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH k AS (SELECT * FROM chatopt._composite_keys(tbl, request) AS k WHERE k.constraint_id = _fill_statements.constraint_id)
  SELECT 0, 'column', format('ALTER TABLE %s ADD COLUMN %I %s;', k.referencing, k.added, c.type_name) FROM k CROSS JOIN chatopt._column(tbl, request->>'control') AS c
  UNION ALL SELECT 1, 'function', format('CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS %L;', k.filler,
      format(E'BEGIN\n  new.%I := (SELECT m.%I FROM %s AS m WHERE %s);\n  RETURN new;\nEND', k.added, request->>'control', chatopt._in_schema(request, request->>'name'),
        (SELECT string_agg(format('m.%I = new.%I', k.target_columns[i], k.key_columns[i]), ' AND ' ORDER BY i) FROM generate_subscripts(k.key_columns, 1) AS i))) FROM k
  UNION ALL SELECT 2, 'trigger', format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OF %s ON %s FOR EACH ROW EXECUTE FUNCTION %s();', k.trigger_name,
      array_to_string(chatopt._quoted(k.key_columns || k.added), ', '), k.referencing, k.filler) FROM k
  UNION ALL SELECT 4, 'check', format('ALTER TABLE %s ADD CONSTRAINT %I CHECK ((%s) = (%I IS NULL)) NOT VALID;', k.referencing, k.check_name,
      (SELECT string_agg(format('%I IS NULL', c), ' OR ') FROM unnest(k.key_columns) AS c), k.added) FROM k
$$;
COMMENT ON FUNCTION chatopt._fill_statements(regclass, jsonb, oid) IS 'internal: what a table that refers gets for a composite foreign key';

-- Foreign keys, out and in.
CREATE FUNCTION chatopt._carry_keys(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH inbound AS MATERIALIZED (SELECT f.kept, c.*, o.relowner, pg_get_constraintdef(c.oid) AS definition FROM chatopt._inbound_keys(tbl, request) AS f
      JOIN pg_constraint c ON c.oid = f.constraint_id JOIN pg_class o ON o.oid = c.conrelid),
    own AS MATERIALIZED (SELECT c.* FROM pg_constraint c WHERE c.conrelid = tbl AND c.contype = 'f' AND c.confrelid <> tbl AND c.conparentid = 0)
  SELECT 10, 'constraint', c.conname, 'pg_constraint', format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', tbl, c.conname), 'validate', NULL::oid
    FROM pg_constraint c WHERE c.conrelid = tbl AND c.contype IN ('c', 'f') AND c.conparentid = 0 AND NOT c.convalidated AND c.confrelid <> tbl AND c.conname <> request->>'check'
      AND coalesce((to_jsonb(c)->>'conenforced')::boolean, true)
  UNION ALL SELECT 10, 'foreign key', c.conname, 'pg_constraint', format('ALTER TABLE %s ADD CONSTRAINT %I %s;', chatopt._in_schema(request, request->>'shadow'), c.conname,
      regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', '')), 'shadow keys', NULL FROM own AS c
  UNION ALL SELECT 11, 'comment', c.conname, 'pg_description', chatopt._comment_on(format('CONSTRAINT %I ON %s', c.conname, chatopt._in_schema(request, request->>'shadow')), c.oid, 'pg_constraint'), 'shadow keys', NULL FROM own AS c
  UNION ALL SELECT 10, 'inbound foreign key', c.conname, 'pg_constraint', format('ALTER TABLE %s DROP CONSTRAINT %I;', c.conrelid::regclass, c.conname), 'swap', c.relowner FROM inbound AS c
  UNION ALL SELECT 90, 'inbound foreign key', c.conname, 'pg_constraint', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID;', c.conrelid::regclass, c.conname,
      regexp_replace(c.definition, ' NOT VALID$', '')), 'swap', c.relowner FROM inbound AS c WHERE c.kept
  UNION ALL SELECT 90, 'inbound foreign key', c.conname, 'pg_constraint', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID;', k.referencing, c.conname,
      chatopt._composite_clause(c.oid, chatopt._in_schema(request, request->>'name'), k.key_columns, k.target_columns, k.added, request->>'control')), 'swap', k.owner_id
    FROM chatopt._composite_keys(tbl, request) AS k JOIN pg_constraint c ON c.oid = k.constraint_id
  UNION ALL SELECT 91, 'comment', c.conname, 'pg_description', chatopt._comment_on(format('CONSTRAINT %I ON %s', c.conname, c.conrelid::regclass), c.oid, 'pg_constraint'), 'swap', c.relowner
    FROM inbound AS c WHERE c.kept OR request->>'foreign_keys' = 'composite'
  UNION ALL SELECT 10 + p.place, p.kind, k.referencing::text, 'pg_constraint', p.statement, 'keys', k.owner_id
    FROM chatopt._composite_keys(tbl, request) AS k CROSS JOIN LATERAL chatopt._fill_statements(tbl, request, k.constraint_id) AS p
  UNION ALL SELECT 10, 'inbound foreign key', c.conname, 'pg_constraint', format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', c.conrelid::regclass, c.conname), 'after', c.relowner FROM inbound AS c WHERE (c.kept OR request->>'foreign_keys' = 'composite') AND c.convalidated
$$;
COMMENT ON FUNCTION chatopt._carry_keys(regclass, jsonb) IS 'internal: the statements for the foreign keys of a table to be converted';

-- chatopt._readers gives what refers to the table by its OID, and would go on with the old rows' partition alone.
CREATE FUNCTION chatopt._readers(tbl regclass) RETURNS TABLE (kind text, object_id oid, relation_id oid, owner_id oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH d AS (SELECT DISTINCT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = tbl)
  SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid, c.oid, c.relowner
    FROM d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN' JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
  UNION ALL SELECT 'rule', r.oid, c.oid, c.relowner
    FROM d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename <> '_RETURN' JOIN pg_class c ON c.oid = r.ev_class AND c.oid <> tbl
  UNION ALL SELECT 'function', p.oid, NULL, p.proowner FROM d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND p.prosqlbody IS NOT NULL
  UNION ALL SELECT 'policy', p.oid, c.oid, c.relowner FROM d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid JOIN pg_class c ON c.oid = p.polrelid AND c.oid <> tbl
$$;
COMMENT ON FUNCTION chatopt._readers(regclass) IS 'internal: views, rules, functions and policies that refer to a table by its OID';

-- chatopt._carry_materialized builds a materialized view again beside itself, from the new parent, and puts it in its own place.
CREATE FUNCTION chatopt._carry_materialized(mv regclass) RETURNS TABLE (place int, statement text, when_run text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH q AS (SELECT c.*, n.nspname, format('%I.%I', n.nspname, chatopt._cut_name(c.relname, '_chatopt_new')) AS aside, t.spcname
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = mv),
    x AS (SELECT i.indexrelid, c.relname, i.indisclustered, chatopt._cut_name(c.relname, '_chatopt_new') AS built,
        chatopt._rest_of(pg_get_indexdef(i.indexrelid), format('CREATE %sINDEX %I ON %s ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, mv)) AS rest, i.indisunique
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = mv)
  SELECT 0, format(E'DROP MATERIALIZED VIEW IF EXISTS %s;\nCREATE MATERIALIZED VIEW %1$s%s%s AS %s WITH %s;', q.aside,
      coalesce(' WITH (' || array_to_string(q.reloptions, ', ') || ')', ''), coalesce(' TABLESPACE ' || quote_ident(q.spcname), ''),
      rtrim(pg_get_viewdef(mv), ';'), CASE WHEN q.relispopulated THEN 'DATA' ELSE 'NO DATA' END)
    || coalesce((SELECT string_agg(format(E'\nCREATE %sINDEX %I ON %s %s;', CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, x.built, q.aside, x.rest), '' ORDER BY x.relname) FROM x), ''), 'after' FROM q
  UNION ALL SELECT 1, format(E'DROP MATERIALIZED VIEW %s;\nALTER MATERIALIZED VIEW %s RENAME TO %I;', mv, q.aside, q.relname)
    || coalesce((SELECT string_agg(format(E'\nALTER INDEX %I.%I RENAME TO %I;', q.nspname, x.built, x.relname)
      || coalesce(E'\n' || chatopt._comment_on(format('INDEX %I.%I', q.nspname, x.relname), x.indexrelid, 'pg_class'), '')
      || CASE WHEN x.indisclustered THEN format(E'\nALTER MATERIALIZED VIEW %s CLUSTER ON %I;', mv, x.relname) ELSE '' END, '' ORDER BY x.relname) FROM x), '')
    || coalesce((SELECT string_agg(E'\n' || p.statement, '' ORDER BY p.place, p.statement) FROM chatopt._privileges(mv, mv::text) AS p), '')
    || coalesce(E'\n' || chatopt._comment_on(format('MATERIALIZED VIEW %s', mv), mv, 'pg_class'), '')
    || coalesce((SELECT string_agg(format(E'\nCOMMENT ON COLUMN %s.%I IS %L;', mv, a.attname, d.description), '' ORDER BY a.attnum) FROM pg_description d
      JOIN pg_attribute a ON a.attrelid = mv AND a.attnum = d.objsubid WHERE d.objoid = mv AND d.classoid = 'pg_class'::regclass AND d.objsubid > 0), ''), 'after' FROM q
$$;
COMMENT ON FUNCTION chatopt._carry_materialized(regclass) IS 'internal: builds a materialized view again, from the new parent';

-- Policies, rules, views, functions, publications.
CREATE FUNCTION chatopt._carry_readers(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH d AS MATERIALIZED (SELECT * FROM chatopt._readers(tbl)), q AS (SELECT chatopt._in_schema(request, request->>'name') AS parent)
  SELECT CASE WHEN p.statement LIKE 'COMMENT %' THEN 54 ELSE 53 END, CASE WHEN p.statement LIKE 'COMMENT %' THEN 'comment' ELSE 'policy' END, p.policy_name, 'pg_policy', p.statement, 'shadow', NULL::oid
    FROM chatopt._policies(tbl, chatopt._in_schema(request, request->>'shadow'), (request->>'shadow')::name) AS p
  UNION ALL SELECT 103, 'rule', r.rulename, 'pg_rewrite', pg_get_ruledef(r.oid), 'swap', NULL FROM pg_rewrite r WHERE r.ev_class = tbl
  UNION ALL SELECT 104, 'rule', r.rulename, 'pg_rewrite', format('ALTER TABLE %s %s RULE %I;', q.parent,
      CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, r.rulename), 'swap', NULL FROM q JOIN pg_rewrite r ON r.ev_class = tbl AND r.ev_enabled <> 'O'
  UNION ALL SELECT 105, 'comment', r.rulename, 'pg_description', chatopt._comment_on(format('RULE %I ON %s', r.rulename, q.parent), r.oid, 'pg_rewrite'), 'swap', NULL FROM q JOIN pg_rewrite r ON r.ev_class = tbl
  UNION ALL SELECT 110, 'view', c.oid::regclass::text, 'pg_depend', format('CREATE OR REPLACE VIEW %s%s AS %s', c.oid::regclass, coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_viewdef(c.oid)), 'swap', d.owner_id
    FROM d JOIN pg_class c ON c.oid = d.object_id WHERE d.kind = 'view'
  UNION ALL SELECT 111, 'rule', format('%s on %s', r.rulename, d.relation_id::regclass), 'pg_depend', 'CREATE OR REPLACE' || chatopt._rest_of(pg_get_ruledef(r.oid), 'CREATE'), 'swap', d.owner_id
    FROM d JOIN pg_rewrite r ON r.oid = d.object_id WHERE d.kind = 'rule'
  UNION ALL SELECT 112, 'function', d.object_id::regprocedure::text, 'pg_depend', pg_get_functiondef(d.object_id), 'swap', d.owner_id FROM d WHERE d.kind = 'function'
  UNION ALL SELECT 113, 'policy', format('%s on %s', p.polname, d.relation_id::regclass), 'pg_depend', format('ALTER POLICY %I ON %s%s%s;', p.polname, d.relation_id::regclass,
      coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''), coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')), 'swap', d.owner_id
    FROM d JOIN pg_policy p ON p.oid = d.object_id WHERE d.kind = 'policy'
  -- row variables of the table are of another type now: sessions have to compile the function again
  UNION ALL SELECT 114, 'row variables', p.oid::regprocedure::text, 'prosrc', format('ALTER ROUTINE %s SECURITY %s;', p.oid::regprocedure, CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END), 'swap', p.proowner
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql' WHERE p.pronamespace <> 'chatopt'::regnamespace AND chatopt._mentions(p.prosrc, request->>'name')
  UNION ALL SELECT 20 + m.place, 'materialized view', d.relation_id::regclass::text, 'pg_depend', m.statement, m.when_run, d.owner_id
    FROM d CROSS JOIN LATERAL chatopt._carry_materialized(d.relation_id::regclass) AS m WHERE d.kind = 'materialized view'
  UNION ALL SELECT 106 + s.place, 'publication', b.pubname, 'pg_publication', s.statement, 'swap', b.pubowner
    FROM q CROSS JOIN chatopt._publications_of(tbl) AS u JOIN pg_publication b ON b.oid = u.publication_id CROSS JOIN LATERAL (VALUES
      (0, CASE WHEN NOT b.pubviaroot THEN format('ALTER PUBLICATION %I SET (publish_via_partition_root = true);', b.pubname) END),
      (1, CASE WHEN u.by_name THEN format('ALTER PUBLICATION %I DROP TABLE %s;', b.pubname, chatopt._in_schema(request, request->>'wide')) END),
      (2, CASE WHEN u.by_name THEN format('ALTER PUBLICATION %I ADD TABLE %s%s%s;', b.pubname, q.parent, coalesce(' (' || u.columns || ')', ''), coalesce(' WHERE (' || u.row_filter || ')', '')) END))
      AS s(place, statement) WHERE s.statement IS NOT NULL
$$;
COMMENT ON FUNCTION chatopt._carry_readers(regclass, jsonb) IS 'internal: the statements for what refers to a table to be converted';

-- chatopt._carry_over gives all of it.
CREATE FUNCTION chatopt._carry_over(tbl regclass, request jsonb)
RETURNS TABLE (place int, kind text, object text, found text, statement text, when_run text, run_as oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.* FROM (
    SELECT * FROM chatopt._carry_indexes(tbl, request) UNION ALL SELECT * FROM chatopt._carry_shadow(tbl, request)
    UNION ALL SELECT * FROM chatopt._carry_triggers(tbl, request) UNION ALL SELECT * FROM chatopt._carry_keys(tbl, request)
    UNION ALL SELECT * FROM chatopt._carry_readers(tbl, request)) AS c
  WHERE c.statement IS NOT NULL
  ORDER BY array_position(ARRAY['index', 'validate', 'keys', 'shadow', 'shadow keys', 'swap', 'after', 'clean'], c.when_run), c.place, c.object, c.statement
$$;
COMMENT ON FUNCTION chatopt._carry_over(regclass, jsonb) IS 'internal: everything that hangs on a table to be converted, with the statements that carry it over';
