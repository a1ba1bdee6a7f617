-- 85-partitions-children.sql: rows of other tables that a partition's rows are referred to by, before it goes.
--
-- PostgreSQL detaches no partition that a foreign key needs. What the key says of a DELETE is done to them: CASCADE, SET NULL and
-- SET DEFAULT in batches; with NO ACTION and RESTRICT the partition stays as long as there are such rows.

-- chatopt._referring_keys gives the foreign keys of other tables to a partitioned table. batch does the next 10,000 rows of one child
-- table that refer to the leaf, NULL where the key forbids it; refers says whether there are any.
CREATE FUNCTION chatopt._referring_keys(parent regclass, leaf regclass)
  RETURNS TABLE (child regclass, key_name name, action "char", refers text, batch text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.child, c.conname, c.confdeltype,
    format('SELECT FROM ONLY %s AS c JOIN ONLY %s AS p ON %s LIMIT 1', l.child, leaf, k.condition),
    CASE WHEN c.confdeltype IN ('c', 'n', 'd') THEN
      format(CASE c.confdeltype WHEN 'c' THEN 'DELETE FROM ONLY %1$s AS c' ELSE 'UPDATE ONLY %1$s AS c SET %2$s' END
          || ' WHERE c.ctid = ANY (ARRAY(SELECT c.ctid FROM ONLY %1$s AS c JOIN ONLY %3$s AS p ON %4$s LIMIT 10000))',
        l.child, CASE c.confdeltype WHEN 'n' THEN k.nulls ELSE k.defaults END, leaf, k.condition) END
  FROM pg_constraint AS c, chatopt._leaves(c.conrelid) AS l(child), LATERAL (
    SELECT string_agg(format('p.%I OPERATOR(%s.%s) c.%I', b.attname, o.oprnamespace::regnamespace, o.oprname, a.attname), ' AND ' ORDER BY n) AS condition,
           string_agg(format('%I = NULL', a.attname), ', ' ORDER BY n)
             FILTER (WHERE c.confdelsetcols IS NULL OR c.conkey[n] = ANY (c.confdelsetcols)) AS nulls,
           string_agg(format('%I = DEFAULT', a.attname), ', ' ORDER BY n)
             FILTER (WHERE c.confdelsetcols IS NULL OR c.conkey[n] = ANY (c.confdelsetcols)) AS defaults
    FROM generate_subscripts(c.conkey, 1) AS n
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[n]
    JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[n]
    JOIN pg_operator AS o ON o.oid = c.conpfeqop[n]) AS k
  WHERE c.contype = 'f' AND c.confrelid = parent AND c.conparentid = 0 AND c.conrelid <> parent
    AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.conrelid AND i.inhparent = parent)
  ORDER BY c.oid, l.child
$$;
COMMENT ON FUNCTION chatopt._referring_keys(regclass, regclass) IS 'internal: what refers to the rows of a partition, and what is to be done to it';
