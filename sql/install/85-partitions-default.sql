-- 85-partitions-default.sql: a DEFAULT partition in the way of a new one.
--
-- PostgreSQL looks through the default partition, under its lock, for rows that the new partition would hold, and refuses if there are
-- any. A few are moved first; the rows are the same afterwards, so that no trigger has anything to say about it.

-- chatopt._move_from_default gives the statements that move the rows of a range from the default partition to a table that is about to
-- be attached. NULL ends are open.
CREATE FUNCTION chatopt._move_from_default(parent regclass, default_partition regclass, target text, lower text, upper text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH moved AS (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
    FROM pg_attribute AS a WHERE a.attrelid = parent AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
  SELECT s.statement FROM (
    SELECT 1 AS place, t.statement FROM chatopt._switch_triggers(default_partition, 8, false) AS t
    UNION ALL
    SELECT 2, format('WITH moved AS (DELETE FROM ONLY %1$s AS d WHERE d.%2$I >= %3$L AND d.%2$I < %4$L RETURNING %5$s) INSERT INTO %6$s (%5$s) SELECT %5$s FROM moved',
        default_partition, k.control, lower, upper, m.columns, target)
      FROM moved AS m, chatopt._partition_column(parent) AS k
    UNION ALL
    SELECT 3, t.statement FROM chatopt._switch_triggers(default_partition, 8, true) AS t) AS s
  ORDER BY s.place
$$;
COMMENT ON FUNCTION chatopt._move_from_default(regclass, regclass, text, text, text) IS
  'internal: the statements that move rows from a default partition';

-- chatopt._check_default refuses a default partition that would keep everybody waiting too long.
CREATE FUNCTION chatopt._check_default(parent regclass, default_partition regclass, lower text, upper text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  control name := (chatopt._partition_column(parent)).control;
  pages bigint := pg_relation_size(default_partition) / current_setting('block_size')::int;
  rows bigint;
BEGIN
  IF pages > 12800 THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('default partition %s is too large to be looked through under its lock', default_partition),
      DETAIL = format('It has %s pages; up to 12800 are.', pages),
      HINT = 'Move its rows to partitions of their own, or detach it.';
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM ONLY %1$s AS d WHERE d.%2$I >= %3$L AND d.%2$I < %4$L LIMIT 10001) AS few', default_partition, control, lower, upper)
    INTO rows;
  IF rows = 0 THEN
    RETURN;
  ELSIF rows > 10000 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('default partition %s holds more than 10000 rows from %s to %s', default_partition, lower, upper),
      HINT = 'Move them to a partition of their own: too many for one lock.';
  ELSIF EXISTS (SELECT FROM pg_constraint AS c WHERE c.contype = 'f' AND c.confrelid = parent) THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
      MESSAGE = format('default partition %s holds %s rows from %s to %s', default_partition, rows, lower, upper),
      DETAIL = 'Foreign keys of other tables refer to the table, so they cannot be moved by deleting them there.',
      HINT = 'Move them with the foreign keys dropped.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_default(regclass, regclass, text, text) IS 'internal: refuses a default partition that is too much in the way; errors: 23514 55000';
