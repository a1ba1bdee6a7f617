-- 82-partitions-new.sql: the statements that make a partition which has all that its parent and its siblings have.
--
-- A new partition is a table of its own until everything is on it, and then attached: what takes time takes no lock on
-- anybody else's table. CREATE TABLE (LIKE parent) and ATTACH carry most; this file has what they do not. What a partitioned
-- table cannot carry itself (storage options, the CLUSTER mark ...) comes from a template: the newest partition, if no other is named.
-- The statements are to be run as the table's owner, under search_path = pg_catalog, pg_temp, all in one transaction.

-- chatopt._deparse_as writes an expression of a table's policy as the policy of another table has it.
CREATE FUNCTION chatopt._deparse_as(expression pg_node_tree, tbl regclass, row_name name) RETURNS text
LANGUAGE c STABLE STRICT SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'chatopt_partitions_deparse_as';
COMMENT ON FUNCTION chatopt._deparse_as(pg_node_tree, regclass, name) IS
  'internal: an expression over a table''s columns as text, with another name for the table';

-- chatopt._copy_privileges gives a table the privileges of another of the same owner, grantors and grant options included.
CREATE FUNCTION chatopt._copy_privileges(source regclass, target regclass) RETURNS void
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_partitions_copy_privileges';
COMMENT ON FUNCTION chatopt._copy_privileges(regclass, regclass) IS
  'internal: gives a table exactly the privileges of another, on the table and on its columns. Errors: 42501 not the owner, 55000 another owner';

-- chatopt._newest_partition gives the partition with the greatest bounds.
CREATE FUNCTION chatopt._newest_partition(parent regclass) RETURNS regclass
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_partitions_newest_partition';
COMMENT ON FUNCTION chatopt._newest_partition(regclass) IS
  'internal: the partition with the greatest bounds, not the default one; NULL where there is none';

-- chatopt._storage_options gives the storage options of a table and of its TOAST table, as WITH takes them.
CREATE FUNCTION chatopt._storage_options(tbl regclass) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%s%I = %L', o.prefix, split_part(o.item, '=', 1), substr(o.item, strpos(o.item, '=') + 1))
  FROM (SELECT '', u.item, 1, u.place FROM pg_class c, unnest(c.reloptions) WITH ORDINALITY AS u(item, place) WHERE c.oid = tbl
        UNION ALL
        SELECT 'toast.', u.item, 2, u.place FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid, unnest(t.reloptions) WITH ORDINALITY AS u(item, place)
        WHERE c.oid = tbl) AS o(prefix, item, kind, place)
  ORDER BY o.kind, o.place
$$;
COMMENT ON FUNCTION chatopt._storage_options(regclass) IS 'internal: the storage options of a table and of its TOAST table';

-- chatopt._storage_clause gives what CREATE TABLE says of a new partition's access method, options and tablespace.
CREATE FUNCTION chatopt._storage_clause(parent regclass, template regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(' USING ' || quote_ident((SELECT a.amname FROM pg_am a WHERE a.oid = coalesce(nullif(p.relam, 0), t.relam))), '')
    || coalesce(' WITH (' || (SELECT string_agg(o, ', ') FROM chatopt._storage_options(template) AS o) || ')', '')
    || coalesce(' TABLESPACE ' || quote_ident((SELECT s.spcname FROM pg_tablespace s
         WHERE s.oid = coalesce(nullif(p.reltablespace, 0), nullif(t.reltablespace, 0)))), '')
  FROM pg_class p LEFT JOIN pg_class t ON t.oid = template WHERE p.oid = parent
$$;
COMMENT ON FUNCTION chatopt._storage_clause(regclass, regclass) IS 'internal: access method, storage options and tablespace of a new partition';

-- chatopt._column_settings gives the statistics targets and n_distinct settings of a new partition: the parent's, else the template's.
CREATE FUNCTION chatopt._column_settings(parent regclass, template regclass) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT s.setting
  FROM pg_attribute p LEFT JOIN pg_attribute t ON t.attrelid = template AND t.attname = p.attname AND NOT t.attisdropped,
  LATERAL (
    SELECT 1, format('ALTER COLUMN %I SET STATISTICS %s', p.attname, coalesce(nullif(p.attstattarget, -1), nullif(t.attstattarget, -1)))
      WHERE coalesce(nullif(p.attstattarget, -1), nullif(t.attstattarget, -1)) IS NOT NULL
    UNION ALL
    SELECT 2, format('ALTER COLUMN %I SET (%s)', p.attname, string_agg(format('%s = %s', o.name, o.value), ', ' ORDER BY o.name))
      FROM (SELECT DISTINCT ON (1) split_part(u.item, '=', 1), split_part(u.item, '=', 2)
            FROM (SELECT 1, unnest(p.attoptions) UNION ALL SELECT 2, unnest(t.attoptions)) AS u(place, item)
            -- a minor release keeps a note of its own among them
            WHERE u.item ~ '^n_distinct(_inherited)?=' ORDER BY 1, u.place) AS o(name, value)
      HAVING count(*) > 0) AS s(kind, setting)
  WHERE p.attrelid = parent AND p.attnum > 0 AND NOT p.attisdropped
  ORDER BY p.attnum, s.kind
$$;
COMMENT ON FUNCTION chatopt._column_settings(regclass, regclass) IS 'internal: statistics targets and n_distinct of a new partition''s columns';

-- chatopt._replica_identity gives a new partition's replica identity: the parent's, else the template's; with an index, as the
-- parent's index that is to have its twin there. An index that only the template has cannot be meant: then a primary key will do,
-- or else the whole row, so that no UPDATE ever fails.
CREATE FUNCTION chatopt._replica_identity(parent regclass, template regclass, OUT kind "char", OUT parent_index regclass)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT c.relreplident INTO kind FROM pg_class c WHERE c.oid IN (parent, template) AND (c.oid <> parent OR c.relreplident <> 'd')
    ORDER BY c.oid <> parent LIMIT 1;
  kind := coalesce(kind, 'd');
  IF kind = 'i' THEN
    SELECT coalesce(h.inhparent, i.indexrelid) INTO parent_index
      FROM pg_index i LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
      WHERE i.indisreplident AND i.indrelid IN (parent, template) AND (i.indrelid = parent OR h.inhparent IS NOT NULL)
      ORDER BY i.indrelid <> parent LIMIT 1;
    IF parent_index IS NULL THEN
      kind := CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = parent AND i.indisprimary) THEN 'd' ELSE 'f' END;
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._replica_identity(regclass, regclass) IS 'internal: the replica identity of a new partition';

-- chatopt._policies gives a table's policies as statements for another, which may be still to come. after: they can be made
-- only once it is a partition, since they use its row as a row of the parent.
CREATE FUNCTION chatopt._policies(source regclass, target text, target_name name)
RETURNS TABLE (policy_name name, statement text, after boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p.polname, s.statement, bool_or(strpos(s.statement, quote_ident(target_name) || '.*') > 0) OVER (PARTITION BY p.oid)
  FROM pg_policy p, LATERAL (
    SELECT 1, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s;', p.polname, target,
      CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      (SELECT string_agg(CASE r.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.role)) END, ', ' ORDER BY r.place)
         FROM unnest(p.polroles) WITH ORDINALITY AS r(role, place)),
      ' USING (' || chatopt._deparse_as(p.polqual, source, target_name) || ')',
      ' WITH CHECK (' || chatopt._deparse_as(p.polwithcheck, source, target_name) || ')')
    UNION ALL
    SELECT 2, format('COMMENT ON POLICY %I ON %s IS %L;', p.polname, target, d) FROM obj_description(p.oid, 'pg_policy') AS d WHERE d IS NOT NULL)
    AS s(place, statement)
  WHERE p.polrelid = source
  ORDER BY p.polname, s.place
$$;
COMMENT ON FUNCTION chatopt._policies(regclass, text, name) IS 'internal: the policies of a table as statements for another';

-- chatopt._leaf_triggers gives the TRUNCATE triggers that a partition of an attached chat's table needs: PostgreSQL clones
-- row triggers only. They are as on the parent, turned off where they are there.
CREATE FUNCTION chatopt._leaf_triggers(parent regclass, leaf text) RETURNS TABLE (trigger_name name, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT g.tgname, s.statement
  FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid AND f.proname IN ('messages_truncated', 'members_truncated', 'write_counters')
  JOIN pg_namespace n ON n.oid = f.pronamespace AND n.nspname = 'chatopt',
  LATERAL (
    SELECT 1, format('CREATE TRIGGER %I %s TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION chatopt.%I();',
      g.tgname, CASE WHEN g.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END, leaf, f.proname)
    UNION ALL
    SELECT 2, format('ALTER TABLE %s %s TRIGGER %I;', leaf,
      CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, g.tgname) WHERE g.tgenabled <> 'O')
    AS s(place, statement)
  WHERE g.tgrelid = parent AND NOT g.tgisinternal AND g.tgtype & 1 = 0 AND g.tgtype & 32 <> 0
  ORDER BY g.tgname, s.place
$$;
COMMENT ON FUNCTION chatopt._leaf_triggers(regclass, text) IS 'internal: the TRUNCATE triggers of a partition of an attached chat';

-- chatopt._keeps_own_indexes says whether new partitions get the indexes that only the newest one has. pg_partman puts indexes of a
-- template table on partitions alone, such as a unique one without the partition key; who has come from there goes on with them.
CREATE FUNCTION chatopt._keeps_own_indexes(parent regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce((SELECT CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN (chatopt.set_config(parent)).origin = 'partman' END
    FROM pg_class c WHERE c.oid = parent), false);
END
$$;
COMMENT ON FUNCTION chatopt._keeps_own_indexes(regclass) IS 'internal: whether new partitions get indexes that only the newest one has';

-- chatopt._own_indexes gives the indexes that a partition has and its parent has not, as statements for another partition.
CREATE FUNCTION chatopt._own_indexes(source regclass, target text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN k.oid IS NOT NULL THEN format('ALTER TABLE %s ADD %s;', target, pg_get_constraintdef(k.oid))
    ELSE format('CREATE %sINDEX ON %s%s;', CASE WHEN i.indisunique THEN 'UNIQUE ' END, target, substr(pg_get_indexdef(i.indexrelid), 1 + length(
      format('CREATE %sINDEX %I ON %s', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname, source)))) END
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = source AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = source AND i.indisvalid AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
  ORDER BY c.relname
$$;
COMMENT ON FUNCTION chatopt._own_indexes(regclass, text) IS 'internal: the indexes that a partition alone has, as statements for another';

-- chatopt._twins gives what ATTACH has made of a parent's indexes, constraints and triggers on a partition, and of extended
-- statistics what LIKE has.
CREATE FUNCTION chatopt._twins(parent regclass, leaf regclass) RETURNS TABLE (catalogue regclass, parent_object oid, leaf_object oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'pg_class'::regclass, h.inhparent, h.inhrelid
    FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid JOIN pg_index p ON p.indexrelid = h.inhparent AND p.indrelid = parent WHERE i.indrelid = leaf
  UNION ALL
  SELECT 'pg_constraint'::regclass, p.oid, c.oid FROM pg_constraint c JOIN pg_constraint p ON p.oid = c.conparentid AND p.conrelid = parent WHERE c.conrelid = leaf
  UNION ALL
  SELECT 'pg_trigger'::regclass, p.oid, g.oid FROM pg_trigger g JOIN pg_trigger p ON p.oid = g.tgparentid AND p.tgrelid = parent
    WHERE g.tgrelid = leaf AND NOT p.tgisinternal
  UNION ALL
  SELECT 'pg_statistic_ext'::regclass, p.oid, s.oid FROM (
      SELECT s.oid, s.stxrelid, s.stxkind, pg_get_statisticsobjdef_columns(s.oid) AS columns,
        row_number() OVER (PARTITION BY s.stxrelid, s.stxkind, pg_get_statisticsobjdef_columns(s.oid) ORDER BY s.oid) AS copy
      FROM pg_statistic_ext s WHERE s.stxrelid IN (parent, leaf)) AS p
    JOIN (SELECT s.oid, s.stxrelid, s.stxkind, pg_get_statisticsobjdef_columns(s.oid) AS columns,
        row_number() OVER (PARTITION BY s.stxrelid, s.stxkind, pg_get_statisticsobjdef_columns(s.oid) ORDER BY s.oid) AS copy
      FROM pg_statistic_ext s WHERE s.stxrelid IN (parent, leaf)) AS s USING (stxkind, columns, copy)
    WHERE p.stxrelid = parent AND s.stxrelid = leaf
$$;
COMMENT ON FUNCTION chatopt._twins(regclass, regclass) IS 'internal: which object of a partition stands for which of its parent';

-- chatopt._twin_settings gives what neither LIKE nor ATTACH puts on a partition's indexes, constraints, triggers and extended
-- statistics: each with the parent's object whose twin is to have it.
CREATE FUNCTION chatopt._twin_settings(parent regclass, template regclass)
RETURNS TABLE (catalogue regclass, parent_object oid, kind text, place int, value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'pg_class'::regclass, p.attrelid, 'statistics', p.attnum::int, coalesce(nullif(p.attstattarget, -1), nullif(t.attstattarget, -1))::text
    FROM pg_index i JOIN pg_attribute p ON p.attrelid = i.indexrelid
    LEFT JOIN chatopt._twins(parent, template) AS w ON w.catalogue = 'pg_class'::regclass AND w.parent_object = i.indexrelid
    LEFT JOIN pg_attribute t ON t.attrelid = w.leaf_object AND t.attnum = p.attnum
    WHERE i.indrelid = parent AND coalesce(nullif(p.attstattarget, -1), nullif(t.attstattarget, -1)) IS NOT NULL
  UNION ALL
  SELECT 'pg_statistic_ext'::regclass, p.oid, 'statistics', 0, coalesce(nullif(p.stxstattarget, -1), nullif(t.stxstattarget, -1))::text
    FROM pg_statistic_ext p
    LEFT JOIN chatopt._twins(parent, template) AS w ON w.catalogue = 'pg_statistic_ext'::regclass AND w.parent_object = p.oid
    LEFT JOIN pg_statistic_ext t ON t.oid = w.leaf_object
    WHERE p.stxrelid = parent AND coalesce(nullif(p.stxstattarget, -1), nullif(t.stxstattarget, -1)) IS NOT NULL
  UNION ALL
  SELECT d.classoid, d.objoid, 'comment', 0, d.description
    FROM pg_description d
    WHERE d.objsubid = 0 AND (
      d.classoid = 'pg_constraint'::regclass AND d.objoid IN (SELECT c.oid FROM pg_constraint c WHERE c.conrelid = parent AND c.contype NOT IN ('c', 'n'))
      OR d.classoid = 'pg_trigger'::regclass AND d.objoid IN (SELECT g.oid FROM pg_trigger g WHERE g.tgrelid = parent AND NOT g.tgisinternal))
  UNION ALL
  SELECT 'pg_class'::regclass, r.parent_index, 'replica identity', 0, NULL FROM chatopt._replica_identity(parent, template) AS r WHERE r.kind = 'i'
  UNION ALL
  SELECT 'pg_class'::regclass, w.parent_object, 'cluster', 0, NULL
    FROM chatopt._twins(parent, template) AS w JOIN pg_index i ON i.indexrelid = w.leaf_object AND i.indisclustered WHERE w.catalogue = 'pg_class'::regclass
$$;
COMMENT ON FUNCTION chatopt._twin_settings(regclass, regclass) IS
  'internal: settings of a new partition''s indexes, constraints, triggers and extended statistics';

-- chatopt._finish_partition puts them on an attached partition. Which names PostgreSQL gave its indexes is known only now.
CREATE FUNCTION chatopt._finish_partition(parent regclass, leaf regclass, template regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOR statement IN
    SELECT CASE s.kind
      WHEN 'statistics' THEN CASE s.catalogue WHEN 'pg_class'::regclass
        THEN format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', w.leaf_object::regclass, s.place, s.value)
        ELSE format('ALTER STATISTICS %s SET STATISTICS %s', (SELECT format('%s.%I', x.stxnamespace::regnamespace, x.stxname)
          FROM pg_statistic_ext x WHERE x.oid = w.leaf_object), s.value) END
      WHEN 'comment' THEN format('COMMENT ON %s ON %s IS %L', CASE s.catalogue
        WHEN 'pg_trigger'::regclass THEN (SELECT format('TRIGGER %I', g.tgname) FROM pg_trigger g WHERE g.oid = w.leaf_object)
        ELSE (SELECT format('CONSTRAINT %I', c.conname) FROM pg_constraint c WHERE c.oid = w.leaf_object) END, leaf, s.value)
      WHEN 'replica identity' THEN format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', leaf, (SELECT c.relname FROM pg_class c WHERE c.oid = w.leaf_object))
      ELSE format('ALTER TABLE %s CLUSTER ON %I', leaf, (SELECT c.relname FROM pg_class c WHERE c.oid = w.leaf_object)) END
    FROM chatopt._twin_settings(parent, template) AS s JOIN chatopt._twins(parent, leaf) AS w USING (catalogue, parent_object)
  LOOP
    EXECUTE statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._finish_partition(regclass, regclass, regclass) IS
  'internal: what a partition''s indexes, constraints, triggers and extended statistics still lack after ATTACH';

-- chatopt._new_partition gives the statements for a new partition, in order. phase 'build' locks nothing of anybody else's
-- but ACCESS SHARE; 'attach' is the one statement that needs the parent's and the foreign keys' locks; 'after' is done under
-- them and takes none more. lower and upper are literals of the partition key's type; NULL is no bound.
CREATE FUNCTION chatopt._new_partition(parent regclass, schema name, name name, lower text, upper text, template regclass DEFAULT NULL)
RETURNS TABLE (phase text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  leaf CONSTANT text := format('%I.%I', schema, name);
  own record;
  identity record;
  unlogged boolean;
  settings text[];
BEGIN
  template := coalesce(template, chatopt._newest_partition(parent));
  SELECT c.*, obj_description(c.oid, 'pg_class') AS comment INTO own FROM pg_class c WHERE c.oid = parent;
  SELECT * INTO identity FROM chatopt._replica_identity(parent, template);
  unlogged := (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = coalesce(template, parent));

  -- an index without a tablespace of its own would follow the session's
  IF current_setting('default_tablespace') <> '' THEN
    RETURN QUERY SELECT 'build', 'SET LOCAL default_tablespace = '''';';
  END IF;
  -- on 17 and later the parent's identity comes with ATTACH, before that a partition has none
  RETURN QUERY SELECT 'build', format('CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)%s;',
    CASE WHEN unlogged THEN 'UNLOGGED ' ELSE '' END, leaf, parent, chatopt._storage_clause(parent, template));
  RETURN QUERY SELECT 'build', format('ALTER TABLE %s OWNER TO %I;', leaf, pg_get_userbyid(own.relowner));
  IF template IS NOT NULL AND chatopt._keeps_own_indexes(parent) THEN
    RETURN QUERY SELECT 'build', i FROM chatopt._own_indexes(template, leaf) AS i;
  END IF;
  settings := ARRAY(SELECT * FROM chatopt._column_settings(parent, template))
    || CASE WHEN identity.kind IN ('f', 'n') THEN format('REPLICA IDENTITY %s', CASE identity.kind WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END) END
    || CASE WHEN own.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END
    || CASE WHEN own.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END;
  IF array_remove(settings, NULL) <> '{}' THEN
    RETURN QUERY SELECT 'build', format('ALTER TABLE %s %s;', leaf, array_to_string(settings, ', '));
  END IF;
  IF own.comment IS NOT NULL THEN
    RETURN QUERY SELECT 'build', format('COMMENT ON TABLE %s IS %L;', leaf, own.comment);
  END IF;
  RETURN QUERY SELECT 'build', p.statement FROM chatopt._policies(parent, leaf, name) AS p WHERE NOT p.after;
  RETURN QUERY SELECT 'build', format('SELECT chatopt._copy_privileges(%L, %L);', parent, leaf);

  RETURN QUERY SELECT 'attach', format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s);', parent, leaf,
    coalesce(quote_literal(lower), 'MINVALUE'), coalesce(quote_literal(upper), 'MAXVALUE'));

  RETURN QUERY SELECT 'after', p.statement FROM chatopt._policies(parent, leaf, name) AS p WHERE p.after;
  RETURN QUERY SELECT 'after', t.statement FROM chatopt._leaf_triggers(parent, leaf) AS t;
  IF EXISTS (SELECT FROM chatopt._twin_settings(parent, template)) THEN
    RETURN QUERY SELECT 'after', format('SELECT chatopt._finish_partition(%L, %L, %L);', parent, leaf, template);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._new_partition(regclass, name, name, text, text, regclass) IS
  'internal: the statements that make a new partition with all that its parent and the newest partition have';
