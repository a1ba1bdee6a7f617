-- 82-partitions-report.sql: what partitions do not have of their parent, and what tells them apart.

-- chatopt._found_properties gives what can differ between partitions, of one of them, or of the parent itself.
CREATE FUNCTION chatopt._found_properties(tbl regclass) RETURNS TABLE (kind text, name text, value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p.* FROM pg_class c, LATERAL (VALUES
      ('owner', '', pg_get_userbyid(c.relowner)::text),
      ('row security', 'enabled', CASE WHEN c.relrowsecurity THEN 'yes' END),
      ('row security', 'forced', CASE WHEN c.relforcerowsecurity THEN 'yes' END),
      ('comment', '', obj_description(c.oid, 'pg_class')),
      ('persistence', '', CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' ELSE 'permanent' END),
      ('access method', '', (SELECT a.amname::text FROM pg_am a WHERE a.oid = c.relam)),
      ('tablespace', '', coalesce((SELECT s.spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace), 'the database''s')),
      ('replica identity', '', CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN 'USING INDEX' ELSE 'DEFAULT' END))
    AS p(kind, name, value) WHERE c.oid = tbl AND p.value IS NOT NULL
  UNION ALL
  -- the owner is called so, or a partition of another owner would differ in every line
  SELECT CASE WHEN x.attribute IS NULL THEN 'privilege' ELSE 'column privilege' END,
    format('%sto %s by %s', quote_ident(x.attribute) || ' ', CASE x.grantee WHEN 0 THEN 'PUBLIC' WHEN x.owner THEN 'the owner' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
      CASE x.grantor WHEN x.owner THEN 'the owner' ELSE quote_ident(pg_get_userbyid(x.grantor)) END),
    string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END, ', ' ORDER BY x.privilege_type)
  FROM (SELECT c.relowner AS owner, NULL::name AS attribute, e.* FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS e WHERE c.oid = tbl
        UNION ALL
        SELECT c.relowner, a.attname, e.* FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped, aclexplode(a.attacl) AS e
        WHERE c.oid = tbl) AS x
  GROUP BY x.owner, x.attribute, x.grantee, x.grantor
  UNION ALL
  -- the same words for the table and its partitions, also where a row of one is used as a row of the other
  SELECT 'policy', p.policy_name, regexp_replace(string_agg(p.statement, ' ' ORDER BY p.place), '\(this\.\*\)::[^)]+', 'this.*', 'g')
    FROM chatopt._policies(tbl, 'this', 'this') WITH ORDINALITY AS p(policy_name, statement, after, place) GROUP BY p.policy_name
  UNION ALL
  SELECT 'statistics target', a.attname, a.attstattarget::text FROM pg_attribute a
    WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND nullif(a.attstattarget, -1) IS NOT NULL
  UNION ALL
  SELECT split_part(o, '=', 1), a.attname, split_part(o, '=', 2) FROM pg_attribute a, unnest(a.attoptions) AS o
    WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND o ~ '^n_distinct(_inherited)?='
  UNION ALL
  SELECT 'storage option', split_part(o, ' = ', 1), substr(o, strpos(o, ' = ') + 3) FROM chatopt._storage_options(tbl) AS o
  UNION ALL
  SELECT 'extended statistics', pg_get_statisticsobjdef_columns(s.oid), array_to_string(s.stxkind, ' ') FROM pg_statistic_ext s WHERE s.stxrelid = tbl
  UNION ALL
  SELECT 'check', c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.conrelid = tbl AND c.contype = 'c'
$$;
COMMENT ON FUNCTION chatopt._found_properties(regclass) IS 'internal: what can differ between the partitions of a table, of one of them';

-- chatopt._wanted_properties gives the same of a partition that would be made now.
CREATE FUNCTION chatopt._wanted_properties(parent regclass, template regclass) RETURNS TABLE (kind text, name text, value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH p AS (SELECT * FROM chatopt._found_properties(parent)),
       t AS (SELECT * FROM chatopt._found_properties(template)),
       r AS (SELECT i.kind FROM chatopt._replica_identity(parent, template) AS i)
  SELECT p.* FROM p WHERE p.kind NOT IN ('persistence', 'access method', 'tablespace', 'replica identity')
  UNION ALL
  SELECT t.kind, t.name, CASE WHEN t.kind <> 'tablespace' OR p.value = 'the database''s' THEN t.value ELSE p.value END
    FROM t LEFT JOIN p USING (kind, name) WHERE t.kind IN ('persistence', 'access method', 'tablespace', 'storage option')
  UNION ALL
  SELECT t.* FROM t LEFT JOIN p USING (kind, name) WHERE t.kind IN ('statistics target', 'n_distinct', 'n_distinct_inherited') AND p.kind IS NULL
  UNION ALL
  SELECT 'replica identity', '', CASE r.kind WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN 'USING INDEX' ELSE 'DEFAULT' END FROM r
$$;
COMMENT ON FUNCTION chatopt._wanted_properties(regclass, regclass) IS 'internal: what can differ between partitions, of one that would be made now';

-- chatopt._own_objects gives the indexes and triggers of a partition that are not its parent's, and those of its parent's that
-- it turned off.
CREATE FUNCTION chatopt._own_objects(parent regclass, leaf regclass) RETURNS TABLE (kind text, name text, what_is_done text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'index', c.relname, CASE WHEN leaf = chatopt._newest_partition(parent) AND chatopt._keeps_own_indexes(parent)
      THEN 'the table does not have it; a new partition gets it as from pg_partman''s template' ELSE 'only this partition has it; a new one does not get it' END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = leaf AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
  UNION ALL
  SELECT 'trigger', g.tgname, CASE WHEN p.oid IS NULL THEN 'only this partition has it; a new one does not get it'
      ELSE format('is %s here, %s on the table and on a new partition', w.words->>g.tgenabled::text, w.words->>p.tgenabled::text) END
    FROM pg_trigger g LEFT JOIN pg_trigger p ON p.oid = g.tgparentid
    CROSS JOIN (SELECT '{"O": "on", "D": "off", "R": "on for replication only", "A": "always on"}'::jsonb) AS w(words)
    WHERE g.tgrelid = leaf AND (NOT g.tgisinternal OR p.oid IS NOT NULL AND NOT p.tgisinternal) AND p.tgenabled IS DISTINCT FROM g.tgenabled
      AND NOT EXISTS (SELECT FROM chatopt._leaf_triggers(parent, leaf::text) AS l WHERE l.trigger_name = g.tgname)
  UNION ALL
  SELECT DISTINCT 'trigger', l.trigger_name, 'this partition lacks it: TRUNCATE of it alone would not be counted; a new one gets it'
    FROM chatopt._leaf_triggers(parent, leaf::text) AS l
    WHERE NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = leaf AND g.tgname = l.trigger_name)
$$;
COMMENT ON FUNCTION chatopt._own_objects(regclass, regclass) IS 'internal: indexes and triggers of a partition that are not as its parent''s';

-- chatopt._not_inherited gives what a partitioned table has and no partition gets from it.
CREATE FUNCTION chatopt._not_inherited(parent regclass, template regclass) RETURNS TABLE (kind text, name text, what_is_done text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'statement trigger', g.tgname, 'fires for statements on the table, not for those on a partition; a new one does not get it'
    FROM pg_trigger g WHERE g.tgrelid = parent AND NOT g.tgisinternal AND g.tgtype & 1 = 0
      AND NOT EXISTS (SELECT FROM chatopt._leaf_triggers(parent, '') AS l WHERE l.trigger_name = g.tgname)
  UNION ALL
  SELECT 'rule', r.rulename, 'applies to statements on the table, not to those on a partition; a new one does not get it'
    FROM pg_rewrite r WHERE r.ev_class = parent
  UNION ALL
  SELECT 'security label', concat_ws(' ', l.provider, CASE WHEN l.objsubid > 0 THEN quote_ident(a.attname) END),
      'a new partition does not get it: SECURITY LABEL sets it'
    FROM pg_seclabel l LEFT JOIN pg_attribute a ON a.attrelid = l.objoid AND a.attnum = l.objsubid
    WHERE l.classoid = 'pg_class'::regclass AND l.objoid = parent
  UNION ALL
  SELECT 'publication', p.pubname, format('lists partitions one by one: ALTER PUBLICATION %I ADD TABLE has to follow each new one', p.pubname)
    FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = template
    WHERE NOT EXISTS (SELECT FROM pg_publication_rel o WHERE o.prpubid = p.oid AND o.prrelid = parent)
  UNION ALL
  SELECT 'identity', a.attname, 'PostgreSQL gives partitions the identity from 17 on: before, only rows inserted through the table get a number'
    FROM pg_attribute a WHERE a.attrelid = parent AND a.attidentity <> '' AND NOT a.attisdropped AND current_setting('server_version_num')::int < 170000
  UNION ALL
  SELECT 'replica identity', x.relname, format('is an index of partition %s alone: a new one identifies rows by %s', template,
      CASE r.kind WHEN 'd' THEN 'its primary key' ELSE 'the whole row' END)
    FROM chatopt._replica_identity(parent, template) AS r, pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE r.kind IN ('d', 'f') AND i.indrelid = template AND i.indisreplident AND (SELECT c.relreplident FROM pg_class c WHERE c.oid = parent) = 'd'
$$;
COMMENT ON FUNCTION chatopt._not_inherited(regclass, regclass) IS 'internal: what a partitioned table has and no partition gets';

--| Tells what the partitions of a table do not have of it. A row without a partition says what no partition gets; a row with
--| one says what that partition has otherwise than a new one would. Changes nothing: what is there is left as it is.
--@ cost: reads the catalogues, some milliseconds a partition
--@ errors: 22004 42809
CREATE FUNCTION chatopt.inheritance_report(parent regclass) RETURNS TABLE (leaf regclass, kind text, name text, what_is_done text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  template regclass;
  one regclass;
BEGIN
  IF parent IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'parent must not be null', HINT = 'Name a partitioned table.';
  END IF;
  template := chatopt._newest_partition(parent);
  RETURN QUERY SELECT NULL::regclass, n.kind, n.name, n.what_is_done FROM chatopt._not_inherited(parent, template) AS n ORDER BY 2, 3;
  FOR one IN SELECT t.relid FROM pg_partition_tree(parent) AS t JOIN pg_class c ON c.oid = t.relid
    WHERE t.level = 1 AND c.relkind = 'r' ORDER BY c.oid::regclass::text COLLATE "C"
  LOOP
    RETURN QUERY SELECT one, d.kind, d.name, d.what_is_done FROM (
      SELECT coalesce(f.kind, w.kind), coalesce(f.name, w.name), CASE
          WHEN w.kind IS NULL THEN format('only this partition has it (%s); a new one does not get it', f.value)
          WHEN f.kind IS NULL THEN format('this partition lacks it; a new one gets it (%s)', w.value)
          ELSE format('is %s; a new partition gets %s', f.value, w.value) END
        FROM chatopt._found_properties(one) AS f FULL JOIN chatopt._wanted_properties(parent, template) AS w USING (kind, name)
        WHERE f.value IS DISTINCT FROM w.value
      UNION ALL
      SELECT * FROM chatopt._own_objects(parent, one)) AS d(kind, name, what_is_done) ORDER BY d.kind, d.name, d.what_is_done;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.inheritance_report(regclass) IS
  'what partitions do not have of their table: rows without leaf for what none gets, with it for what that one has otherwise than '
  'a new one would. Changes nothing. Errors: 42809 not a partitioned table';
