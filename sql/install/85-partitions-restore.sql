-- 85-partitions-restore.sql: a partition that was retired comes back.

-- chatopt._attach_again gives the statements that make a detached table a partition again: those before the parent is locked ('build')
-- and those under its locks. A NULL bound is open.
CREATE FUNCTION chatopt._attach_again(parent regclass, leaf regclass, lower text, upper text) RETURNS TABLE (phase text, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT s.phase, s.statement
  FROM (SELECT c.relnamespace <> p.relnamespace AS moves, format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema_name
        FROM pg_class AS p JOIN pg_namespace AS n ON n.oid = p.relnamespace, pg_class AS c WHERE p.oid = parent AND c.oid = leaf) AS t,
    chatopt._partition_column(parent) AS k,
    LATERAL (
      SELECT 1, 'build', format('ALTER TABLE %s SET SCHEMA %I', leaf, t.schema_name) WHERE t.moves
      UNION ALL
      -- the rows are looked through here, where nobody waits, and not by ATTACH
      SELECT 2, 'build', format('ALTER TABLE %s ADD CONSTRAINT chatopt_bounds CHECK (%s)', t.name, concat_ws(' AND ', format('%I IS NOT NULL', k.control),
        CASE WHEN lower IS NOT NULL THEN format('%I >= %L', k.control, lower) END, CASE WHEN upper IS NOT NULL THEN format('%I < %L', k.control, upper) END))
      UNION ALL
      SELECT 3, 'attach', format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)', parent, t.name,
        coalesce(quote_literal(lower), 'MINVALUE'), coalesce(quote_literal(upper), 'MAXVALUE'))
      UNION ALL
      SELECT 4, 'after', format('ALTER TABLE %s DROP CONSTRAINT chatopt_bounds', t.name)
      UNION ALL
      SELECT 5, 'after', g.statement FROM chatopt._leaf_triggers(parent, t.name) AS g) AS s(place, phase, statement)
  ORDER BY s.place
$$;
COMMENT ON FUNCTION chatopt._attach_again(regclass, regclass, text, text) IS 'internal: the statements that attach a retired partition again';
