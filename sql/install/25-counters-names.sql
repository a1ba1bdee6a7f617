-- 25-counters-names.sql: which tables and columns make a chat.
--
-- Helpers of chatopt.attach: they check the tables, find the columns that were not named, and read back from the
-- triggers the columns of a chat that is attached already. They only read the catalogues, with the caller's rights.

-- chatopt._leaves gives the tables that hold the rows: a plain table itself, or the leaves of a partitioned one.
CREATE FUNCTION chatopt._leaves(tbl regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid::regclass FROM pg_class c WHERE c.oid = tbl AND c.relkind <> 'p'
  UNION ALL
  SELECT t.relid FROM pg_class c, pg_partition_tree(tbl) AS t WHERE c.oid = tbl AND c.relkind = 'p' AND t.isleaf
$$;
COMMENT ON FUNCTION chatopt._leaves(regclass) IS 'internal: the tables that hold the rows of a plain or partitioned table';

-- chatopt._check_table refuses a relation that cannot be part of a chat.
CREATE FUNCTION chatopt._check_table(tbl regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rel record;
  leaf record;
BEGIN
  SELECT c.relkind, c.relpersistence, c.relowner, c.relnamespace, c.relispartition, n.nspname
    INTO rel FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = tbl;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', tbl::oid);
  END IF;
  IF rel.relkind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('relation %s is not a table', tbl),
      DETAIL = format('It is a %s.', CASE rel.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' WHEN 't' THEN 'TOAST table'
        ELSE 'index' END),
      HINT = 'A chat consists of ordinary or partitioned tables.';
  ELSIF tbl::oid < 16384 OR rel.nspname = 'chatopt' THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('table %s cannot be part of a chat', tbl),
      DETAIL = CASE rel.nspname WHEN 'chatopt' THEN 'It belongs to chatopt itself.' ELSE 'It is a system catalog.' END;
  ELSIF rel.relpersistence = 't' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is temporary', tbl),
      HINT = 'The tables of a chat are all permanent, or all unlogged.';
  ELSIF NOT pg_has_role(rel.relowner, 'USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', tbl),
      HINT = 'The owner of all tables of a chat, or a member of that role, attaches and detaches it.';
  ELSIF NOT has_schema_privilege(rel.relnamespace, 'CREATE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for schema %I', rel.nspname),
      DETAIL = format('Role "%s" may not create objects beside table %s.', current_user, tbl),
      HINT = format('GRANT CREATE ON SCHEMA %I TO %I;', rel.nspname, current_user);
  ELSIF rel.relispartition THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is a partition', tbl),
      HINT = format('Attach the partitioned table %s.', pg_partition_root(tbl));
  ELSIF rel.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = tbl) THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s has inheritance children', tbl),
      HINT = 'Use declarative partitioning.';
  END IF;
  FOR leaf IN SELECT l.oid::regclass AS tbl, c.relkind, c.relpersistence, c.relowner
      FROM chatopt._leaves(tbl) AS l(oid) JOIN pg_class c ON c.oid = l.oid WHERE l.oid <> tbl LOOP
    IF leaf.relkind <> 'r' THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('partition %s of table %s is a foreign table', leaf.tbl, tbl),
        HINT = 'All partitions must be ordinary tables.';
    ELSIF leaf.relpersistence <> rel.relpersistence THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('partition %s differs from table %s in persistence', leaf.tbl, tbl),
        HINT = 'The tables of a chat are all permanent, or all unlogged.';
    ELSIF NOT pg_has_role(leaf.relowner, 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', leaf.tbl),
        DETAIL = format('It is a partition of table %s.', tbl);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._check_table(regclass) IS 'internal: refuses a relation that cannot be part of a chat';

-- chatopt._check_tables refuses a set of tables that cannot be one chat.
CREATE FUNCTION chatopt._check_tables(conv regclass, msg regclass, mem regclass, cnt regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tables regclass[];
  tbl regclass;
BEGIN
  IF conv IS NULL OR msg IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('%s must not be null', CASE WHEN conv IS NULL THEN 'conversations' ELSE 'messages' END),
      HINT = 'Name the conversations table and the messages table.';
  END IF;
  tables := array_remove(ARRAY[conv, msg, mem, nullif(cnt, conv)], NULL);
  FOREACH tbl IN ARRAY tables LOOP
    PERFORM chatopt._check_table(tbl);
  END LOOP;
  SELECT t INTO tbl FROM unnest(tables) AS t GROUP BY t HAVING count(*) > 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('table %s is named twice', tbl),
      HINT = 'Conversations, messages and members are three tables; only the counters may be on the conversations table.';
  END IF;
  SELECT c.oid::regclass INTO tbl FROM pg_class c WHERE c.oid IN (conv, cnt) AND c.relkind = 'p' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is partitioned', tbl),
      DETAIL = 'The conversations table and the counter table cannot be partitioned.',
      HINT = CASE WHEN tbl = conv THEN 'Only the messages table and the members table may be partitioned.'
        ELSE 'Pass an ordinary table as counters.' END;
  END IF;
  IF (SELECT count(DISTINCT c.relpersistence) FROM pg_class c WHERE c.oid = ANY (tables)) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = 'the tables of the chat differ in persistence',
      DETAIL = format('Unlogged: %s.', (SELECT string_agg(format('"%s"', t), ', ' ORDER BY o) FROM unnest(tables) WITH ORDINALITY AS u(t, o)
        JOIN pg_class c ON c.oid = t AND c.relpersistence = 'u')),
      HINT = 'The tables of a chat are all permanent, or all unlogged.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_tables(regclass, regclass, regclass, regclass) IS
  'internal: refuses tables that cannot form a chat';

-- chatopt._counter_roles gives the counters in the order in which triggers and statements list them.
CREATE FUNCTION chatopt._counter_roles() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['last_sequence_number', 'message_count', 'member_count', 'last_message_id', 'last_message_at'] $$;
COMMENT ON FUNCTION chatopt._counter_roles() IS 'internal: the names of the counters, in their fixed order';

-- chatopt._is_camel tells whether a table is written in camelCase.
CREATE FUNCTION chatopt._is_camel(tbl regclass) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_attribute a
    WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '^[a-zA-Z0-9]*[a-z0-9][A-Z][a-zA-Z0-9]*$')
$$;
COMMENT ON FUNCTION chatopt._is_camel(regclass) IS 'internal: whether a table has a column with an inner capital';

-- chatopt._styled writes a_snake_name as aSnakeName where the table is written so; where the table has only one-word
-- columns, the other table decides.
CREATE FUNCTION chatopt._styled(word text, tbl regclass, other regclass) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN chatopt._is_camel(tbl) OR (chatopt._is_camel(other) AND NOT EXISTS (SELECT FROM pg_attribute a
      WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '[a-z0-9]_[a-z0-9]'))
    THEN (SELECT string_agg(CASE WHEN o = 1 THEN p ELSE initcap(p) END, '' ORDER BY o)
          FROM string_to_table(word, '_') WITH ORDINALITY AS t(p, o))
    ELSE word END
$$;
COMMENT ON FUNCTION chatopt._styled(text, regclass, regclass) IS 'internal: a column name in the style of the tables';

-- chatopt._column_like finds the first of some common names among a table's columns, in snake_case, camelCase or
-- PascalCase, of one of the given types where types are given, and none of those that are taken.
CREATE FUNCTION chatopt._column_like(tbl regclass, words text[], types oid[] DEFAULT NULL, taken text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.attname::text
  FROM unnest(words) WITH ORDINALITY AS w(word, place)
  JOIN pg_attribute a ON lower(replace(a.attname, '_', '')) = lower(replace(w.word, '_', ''))
  WHERE a.attrelid = tbl AND a.attnum > 0 AND NOT a.attisdropped AND (types IS NULL OR a.atttypid = ANY (types))
    AND a.attname <> ALL (array_remove(taken, NULL))
  ORDER BY w.place, (a.attname = w.word) DESC, a.attnum
  LIMIT 1
$$;
COMMENT ON FUNCTION chatopt._column_like(regclass, text[], oid[], text[]) IS 'internal: the column that bears the first of some common names';

-- chatopt._column_names turns attribute numbers into names, in their order.
CREATE FUNCTION chatopt._column_names(tbl oid, numbers int2[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(a.attname::text ORDER BY u.o)
  FROM unnest(numbers) WITH ORDINALITY AS u(n, o) JOIN pg_attribute a ON a.attrelid = tbl AND a.attnum = u.n
$$;
COMMENT ON FUNCTION chatopt._column_names(oid, int2[]) IS 'internal: the names of some columns';

-- chatopt._foreign_keys gives a table's own single-column foreign keys to another table.
CREATE FUNCTION chatopt._foreign_keys(tbl regclass, target regclass)
RETURNS TABLE (constraint_id oid, own_column text, target_column text)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid, a.attname::text, b.attname::text
  FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
  JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
  WHERE c.contype = 'f' AND c.conrelid = tbl AND c.confrelid = target AND cardinality(c.conkey) = 1 AND c.conparentid = 0
  ORDER BY c.conname
$$;
COMMENT ON FUNCTION chatopt._foreign_keys(regclass, regclass) IS 'internal: single-column foreign keys between two tables';

-- chatopt._primary_key gives the columns of a table's primary key, in their order.
CREATE FUNCTION chatopt._primary_key(tbl regclass) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._column_names(c.conrelid, c.conkey) FROM pg_constraint c WHERE c.conrelid = tbl AND c.contype = 'p'
$$;
COMMENT ON FUNCTION chatopt._primary_key(regclass) IS 'internal: the columns of a primary key';

-- chatopt._unique_columns gives the columns that a single-column unique index covers, one that a lookup can rely on.
CREATE FUNCTION chatopt._unique_columns(tbl regclass) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(DISTINCT a.attname::text), '{}')
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = tbl AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indnkeyatts = 1
    AND i.indpred IS NULL AND i.indexprs IS NULL
$$;
COMMENT ON FUNCTION chatopt._unique_columns(regclass) IS 'internal: the columns with a plain unique index of their own';

-- chatopt._partition_key gives the columns of a partition key, at every level.
CREATE FUNCTION chatopt._partition_key(tbl regclass) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(DISTINCT a.attname::text), '{}')
  FROM pg_partitioned_table p
  JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum > 0
    AND (a.attnum = ANY (p.partattrs::int2[]) OR EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid AND d.objsubid = a.attnum
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.partrelid AND d.refobjsubid = 0))
  WHERE p.partrelid IN (SELECT t.relid FROM pg_partition_tree(tbl) AS t)
$$;
COMMENT ON FUNCTION chatopt._partition_key(regclass) IS 'internal: the columns of a partition key, of every level';

-- chatopt._conversation_words gives the common names of a column that refers to a conversation.
CREATE FUNCTION chatopt._conversation_words(conv regclass) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ARRAY[one || '_id', c.relname || '_id', 'conversation_id', 'chat_id', 'room_id', 'channel_id', 'thread_id', 'dialog_id',
               one, 'conversation', 'chat', 'room', 'channel', 'thread']
  FROM pg_class c, LATERAL (SELECT CASE
      WHEN c.relname ~* 'ies$' THEN left(c.relname, -3) || 'y'
      WHEN c.relname ~* 's$' THEN left(c.relname, -1) ELSE c.relname::text END) AS s(one)
  WHERE c.oid = conv
$$;
COMMENT ON FUNCTION chatopt._conversation_words(regclass) IS 'internal: common names of a column that refers to a conversation';

-- chatopt._reference_column finds the column that refers to a conversation: the foreign key's, else one with a common name.
CREATE FUNCTION chatopt._reference_column(tbl regclass, conv regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  keys text[] := ARRAY(SELECT DISTINCT f.own_column FROM chatopt._foreign_keys(tbl, conv) AS f);
  found_name text;
BEGIN
  IF cardinality(keys) = 1 THEN
    RETURN keys[1];
  END IF;
  found_name := chatopt._column_like(tbl, chatopt._conversation_words(conv));
  IF cardinality(keys) > 1 AND found_name <> ALL (keys) THEN
    RETURN NULL;
  END IF;
  RETURN found_name;
END
$$;
COMMENT ON FUNCTION chatopt._reference_column(regclass, regclass) IS 'internal: the column of a table that refers to a conversation';

-- chatopt._message_key finds the column that names a message: the primary key's, without the columns that a partitioned
-- table or a key per conversation needs beside it.
CREATE FUNCTION chatopt._message_key(msg regclass, conversation_column text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  pk text[] := coalesce(chatopt._primary_key(msg), '{}');
  rest text[];
  found_name text := chatopt._column_like(msg, ARRAY['id', 'message_id', 'msg_id', 'uuid', 'message_uuid']);
BEGIN
  IF cardinality(pk) = 1 THEN
    RETURN pk[1];
  END IF;
  rest := ARRAY(SELECT c FROM unnest(pk) AS c WHERE c IS DISTINCT FROM conversation_column AND c <> ALL (chatopt._partition_key(msg)));
  IF cardinality(rest) = 1 THEN
    RETURN rest[1];
  END IF;
  RETURN CASE WHEN cardinality(pk) = 0 OR found_name = ANY (pk) THEN found_name END;
END
$$;
COMMENT ON FUNCTION chatopt._message_key(regclass, text) IS 'internal: the column that names a message';

-- chatopt._member_user finds the column that names the member: by a common name, else what the primary key has beside the
-- conversation, else the only foreign key to a third table.
CREATE FUNCTION chatopt._member_user(mem regclass, conv regclass, conversation_column text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_name text := chatopt._column_like(mem, ARRAY['user_id', 'member_id', 'participant_id', 'account_id', 'profile_id',
    'person_id', 'contact_id', 'username', 'user', 'member', 'participant', 'nick']);
  rest text[];
BEGIN
  IF found_name IS NOT NULL AND found_name IS DISTINCT FROM conversation_column THEN
    RETURN found_name;
  END IF;
  rest := ARRAY(SELECT c FROM unnest(chatopt._primary_key(mem)) AS c WHERE c IS DISTINCT FROM conversation_column);
  IF cardinality(rest) = 1 AND cardinality(chatopt._primary_key(mem)) = 2 THEN
    RETURN rest[1];
  END IF;
  rest := ARRAY(SELECT DISTINCT a.attname::text FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = mem AND c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.confrelid <> conv);
  RETURN CASE WHEN cardinality(rest) = 1 THEN rest[1] END;
END
$$;
COMMENT ON FUNCTION chatopt._member_user(regclass, regclass, text) IS 'internal: the column that names the member';

-- chatopt._counter_key finds the key of a counter table of its own: unique, and the foreign key's column, the primary
-- key's, the only one, or one with a common name.
CREATE FUNCTION chatopt._counter_key(cnt regclass, conv regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidates text[] := chatopt._unique_columns(cnt);
  found_name text;
BEGIN
  SELECT f.own_column INTO found_name FROM chatopt._foreign_keys(cnt, conv) AS f WHERE f.own_column = ANY (candidates) LIMIT 1;
  IF found_name IS NULL AND cardinality(chatopt._primary_key(cnt)) = 1 THEN
    found_name := (chatopt._primary_key(cnt))[1];
  END IF;
  IF found_name = ANY (candidates) THEN
    RETURN found_name;
  ELSIF cardinality(candidates) = 1 THEN
    RETURN candidates[1];
  END IF;
  found_name := chatopt._column_like(cnt, chatopt._conversation_words(conv));
  RETURN CASE WHEN found_name = ANY (candidates) THEN found_name END;
END
$$;
COMMENT ON FUNCTION chatopt._counter_key(regclass, regclass) IS 'internal: the key of a counter table of its own';

-- chatopt._one_line takes the line breaks out that pg_get_triggerdef puts into a CASE, for comparing.
CREATE FUNCTION chatopt._one_line(definition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT regexp_replace(regexp_replace(definition, '\(\s*\n\s*', '(', 'g'), '\s*\n\s*', ' ', 'g') $$;
COMMENT ON FUNCTION chatopt._one_line(text) IS 'internal: a trigger''s definition without line breaks, for comparing';

-- chatopt._chat_columns reads from the triggers which column plays which role now, whatever it was called at attach time.
CREATE FUNCTION chatopt._chat_columns(msg regclass, mem regclass, cnt regclass, conv regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result jsonb := '{}';
  parts text[];
  roles text[];
BEGIN
  result := coalesce((SELECT jsonb_object_agg(n.name, r.column_name) FROM chatopt.trigger_roles(msg) AS r
    JOIN (VALUES ('conversation', 'message_conversation'), ('sequence_number', 'sequence_column'), ('message_id', 'message_key'),
      ('message_at', 'message_time'), ('sender', 'message_sender'), ('mentions', 'message_mentions')) AS n(role, name) USING (role)), '{}');
  IF result <> '{}' THEN
    result := jsonb_build_object('message_time', NULL) || result || jsonb_build_object(
      'message_counted_new', chatopt.trigger_condition(msg, 'new'), 'message_counted_old', chatopt.trigger_condition(msg, 'old'));
  END IF;
  IF EXISTS (SELECT FROM chatopt.trigger_roles(mem)) THEN
    result := result || (SELECT jsonb_object_agg(n.name, r.column_name) FROM chatopt.trigger_roles(mem) AS r
        JOIN (VALUES ('conversation', 'member_conversation'), ('member', 'member_user')) AS n(role, name) USING (role))
      || jsonb_build_object('member_counted_new', chatopt.trigger_condition(mem, 'new'),
        'member_counted_old', chatopt.trigger_condition(mem, 'old'));
  END IF;
  SELECT chatopt._column_names(t.tgrelid, t.tgattr::int2[]), string_to_array(encode(t.tgargs, 'escape'), '\000')
    INTO parts, roles FROM pg_trigger t WHERE t.tgrelid = cnt AND t.tgname = 'zzz_chatopt_guard' AND NOT t.tgisinternal;
  IF FOUND AND roles[1] = 'conversation' THEN
    result := result || jsonb_build_object('counter_key', parts[1], 'counter_columns',
      (SELECT jsonb_object_agg(r, c) FROM unnest(roles[2:], parts[2:]) AS u(r, c) WHERE r <> ''));
    IF cnt = conv THEN
      result := result || jsonb_build_object('conversation_key', parts[1]);
    END IF;
  END IF;
  SELECT chatopt._column_names(t.tgrelid, t.tgattr::int2[]) INTO parts FROM pg_trigger t
    WHERE t.tgrelid = conv AND t.tgname = 'aaa_chatopt_conversation' AND NOT t.tgisinternal;
  IF FOUND THEN
    result := result || jsonb_build_object('conversation_key', parts[1]);
  END IF;
  RETURN jsonb_strip_nulls(result);
END
$$;
COMMENT ON FUNCTION chatopt._chat_columns(regclass, regclass, regclass, regclass) IS
  'internal: which column of an attached chat plays which role, read from its triggers';
