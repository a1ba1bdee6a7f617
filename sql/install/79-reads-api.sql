-- 79-reads-api.sql: chatopt.create_api, refresh_api and drop_api: one chat's typed functions in a schema of the application's.
--
-- A typed function is SQL over chatopt's function of the same name, with the messages table as a constant: PostgreSQL keeps the
-- constant by OID, so renames and dumps follow by themselves, and puts the body into the calling query, so that it costs nothing.
-- Which functions are typed ones is told from pg_depend alone: nothing about them is stored anywhere.

-- chatopt._api_functions lists the functions that an API has; later modules add theirs. {conversation} and {member} stand for the
-- types of the keys, {messages} for the table. inner is the function behind one: where it is missing, the typed one is left out.
CREATE FUNCTION chatopt._api_functions()
RETURNS TABLE (place int, module text, function_name text, arguments text, result text, body text, inner_function text)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.place, 'reads', v.function_name, v.arguments, v.result, v.body, format('chatopt.%s(%s)', v.function_name, v.inner_arguments)
  FROM (VALUES
    (10, 'mark_delivered', 'conversation {conversation}, member {member}, upto bigint', 'bigint',
      'SELECT chatopt.mark_delivered({messages}, conversation, member, upto) AS mark_delivered',
      'regclass, anyelement, anycompatible, bigint'),
    (11, 'mark_read', 'conversation {conversation}, member {member}, upto bigint', 'bigint',
      'SELECT chatopt.mark_read({messages}, conversation, member, upto) AS mark_read',
      'regclass, anyelement, anycompatible, bigint'),
    (12, 'mark_unread', 'conversation {conversation}, member {member}, from_seq bigint', 'bigint',
      'SELECT chatopt.mark_unread({messages}, conversation, member, from_seq) AS mark_unread',
      'regclass, anyelement, anycompatible, bigint'),
    (13, 'ack_message', 'conversation {conversation}, member {member}, seq bigint, status text', 'bigint',
      'SELECT chatopt.ack_message({messages}, conversation, member, seq, status) AS ack_message',
      'regclass, anyelement, anycompatible, bigint, text'),
    (14, 'apply_receipts', 'conversations {conversation}[], members {member}[], upto bigint[], status text[]', 'bigint',
      'SELECT chatopt.apply_receipts({messages}, conversations, members, upto, status) AS apply_receipts',
      'regclass, anyarray, anycompatiblearray, bigint[], text[]'),
    (20, 'unread_count', 'conversation {conversation}, member {member}', 'bigint',
      'SELECT chatopt.unread_count({messages}, conversation, member) AS unread_count',
      'regclass, anyelement, anycompatible'),
    (21, 'unread_counts', 'member {member}', 'TABLE(conversation {conversation}, unread bigint, last_read bigint, last_sequence bigint, mentions bigint)',
      'SELECT (u.conversation)::{conversation} AS conversation, u.unread, u.last_read, u.last_sequence, u.mentions '
      'FROM chatopt.unread_counts({messages}, unread_counts.member) u(conversation, unread, last_read, last_sequence, mentions)',
      'regclass, anyelement'),
    (22, 'mention_count', 'conversation {conversation}, member {member}', 'bigint',
      'SELECT chatopt.mention_count({messages}, conversation, member) AS mention_count',
      'regclass, anyelement, anycompatible'),
    (23, 'unread_mentions', 'conversation {conversation}, member {member}', 'SETOF bigint',
      'SELECT u.seq FROM chatopt.unread_mentions({messages}, unread_mentions.conversation, unread_mentions.member) u(seq)',
      'regclass, anyelement, anycompatible'),
    (30, 'receipts', 'conversation {conversation}, seq bigint, present_only boolean DEFAULT false', '@extschema@.group_receipts',
      'SELECT chatopt.receipts({messages}, conversation, seq, present_only) AS receipts',
      'regclass, anyelement, bigint, boolean'),
    (31, 'receipt_counts', 'conversation {conversation}, from_seq bigint, to_seq bigint', 'TABLE(seq bigint, recipients bigint, delivered bigint, seen bigint)',
      'SELECT r.seq, r.recipients, r.delivered, r.seen '
      'FROM chatopt.receipt_counts({messages}, receipt_counts.conversation, receipt_counts.from_seq, receipt_counts.to_seq) r(seq, recipients, delivered, seen)',
      'regclass, anyelement, bigint, bigint'),
    (32, 'seen_by', 'conversation {conversation}, seq bigint', 'TABLE(member {member}, seen_at timestamp with time zone)',
      'SELECT (s.member)::{member} AS member, s.seen_at '
      'FROM chatopt.seen_by({messages}, seen_by.conversation, seen_by.seq) s(member, seen_at)',
      'regclass, anyelement, bigint'),
    (40, 'add_views', 'conversation {conversation}, from_seq bigint, to_seq bigint, by integer DEFAULT 1', 'void',
      'SELECT chatopt.add_views({messages}, conversation, from_seq, to_seq, by) AS add_views',
      'regclass, anyelement, bigint, bigint, integer'),
    (41, 'view_count', 'conversation {conversation}, seq bigint', 'bigint',
      'SELECT chatopt.view_count({messages}, conversation, seq) AS view_count',
      'regclass, anyelement, bigint')
  ) AS v(place, function_name, arguments, result, body, inner_arguments)
$$;
COMMENT ON FUNCTION chatopt._api_functions() IS 'internal: the functions of an API, with placeholders for types and table';

-- chatopt._api_plain takes off a body what PostgreSQL's way of writing it out may add or leave away: casts, parentheses, names of columns.
CREATE FUNCTION chatopt._api_plain(body text, function_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT regexp_replace(replace(regexp_replace(body, '^\s*BEGIN ATOMIC|;\s*END\s*$', '', 'g'), function_name || '.', ''),
    '::(character varying|[a-z_0-9]+)(\[\])?| AS [a-z_]+|[\s()]', '', 'g')
$$;
COMMENT ON FUNCTION chatopt._api_plain(text, text) IS 'internal: the body of a typed function, for comparing';

-- chatopt._api_present finds the typed functions there are: SQL functions that use one function of chatopt, of their own name, and
-- one table, and no other function or table.
CREATE FUNCTION chatopt._api_present() RETURNS TABLE (messages regclass, schema_id oid, function_id regprocedure)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT max(d.refobjid) FILTER (WHERE d.refclassid = 'pg_class'::regclass)::regclass, p.pronamespace, p.oid::regprocedure
  FROM pg_proc i
  JOIN pg_namespace n ON n.oid = i.pronamespace AND n.nspname = 'chatopt'
  JOIN pg_depend u ON u.refclassid = 'pg_proc'::regclass AND u.refobjid = i.oid AND u.classid = 'pg_proc'::regclass AND u.deptype = 'n'
  JOIN pg_proc p ON p.oid = u.objid AND p.proname = i.proname AND p.prosqlbody IS NOT NULL AND p.pronamespace <> n.oid
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
  GROUP BY p.oid, p.pronamespace
  HAVING count(DISTINCT d.refobjid) FILTER (WHERE d.refclassid = 'pg_class'::regclass) = 1
    AND count(DISTINCT d.refobjid) FILTER (WHERE d.refclassid = 'pg_proc'::regclass) = 1
$$;
COMMENT ON FUNCTION chatopt._api_present() IS 'internal: the typed functions that create_api made';

CREATE VIEW chatopt.api WITH (security_barrier) AS
SELECT a.messages, n.nspname AS target_schema, pg_catalog.array_agg(a.function_id ORDER BY a.function_id::text) AS functions
FROM chatopt._api_present() AS a
JOIN pg_catalog.pg_namespace AS n ON n.oid = a.schema_id
JOIN pg_catalog.pg_class AS r ON r.oid = a.messages
WHERE pg_catalog.has_any_column_privilege(a.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE')
GROUP BY a.messages, n.nspname;
GRANT SELECT ON chatopt.api TO PUBLIC;
COMMENT ON VIEW chatopt.api IS 'the typed functions that chatopt.create_api made, of chats whose messages the caller may read or owns';
COMMENT ON COLUMN chatopt.api.messages IS 'the messages table';
COMMENT ON COLUMN chatopt.api.target_schema IS 'the schema they are in';
COMMENT ON COLUMN chatopt.api.functions IS 'the functions';

-- chatopt._api_wanted gives the functions that the API of a chat has now, with its types and its table; possible tells whether
-- they can be made: those of tracked reads only while reads are tracked.
CREATE FUNCTION chatopt._api_wanted(msg regclass)
RETURNS TABLE (place int, function_name text, arguments text, types text, result text, body text, inner_function regprocedure, possible boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH chat AS MATERIALIZED (SELECT chatopt._chat_layout(msg) AS layout),
  keys AS MATERIALIZED (
    SELECT format_type(k.atttypid, NULL) AS conversation, coalesce(format_type(m.atttypid, NULL), 'text') AS member
    FROM chat
    JOIN pg_attribute k ON k.attrelid = (layout->>'conversations')::oid AND k.attname = layout->'names'->>'conversation_key'
    LEFT JOIN pg_attribute m ON m.attrelid = (layout->>'members')::oid AND m.attname = layout->'names'->>'member_user')
  SELECT f.place, f.function_name, w.said[1], t.types, w.said[2], w.said[3], to_regprocedure(f.inner_function),
    f.module <> 'reads' OR chat.layout->>'reads' IS NOT NULL
  FROM chat, keys, chatopt._api_functions() AS f,
  LATERAL (SELECT array_agg(replace(replace(replace(u.said, '{conversation}', keys.conversation), '{member}', keys.member),
      '{messages}', format('%L::regclass', msg)) ORDER BY u.o)
    FROM unnest(ARRAY[f.arguments, f.result, f.body]) WITH ORDINALITY AS u(said, o)) AS w(said),
  LATERAL (SELECT string_agg(regexp_replace(a, '^\S+ | DEFAULT .*$', '', 'g'), ', ' ORDER BY o)
    FROM string_to_table(w.said[1], ', ') WITH ORDINALITY AS u(a, o)) AS t(types)
  WHERE to_regprocedure(f.inner_function) IS NOT NULL
$$;
COMMENT ON FUNCTION chatopt._api_wanted(regclass) IS 'internal: the typed functions of a chat';

-- chatopt._api_plan compares these with what is in a schema: not there, somebody else's, in need of being made anew or replaced, or as
-- it should be; and those that no API has any more.
CREATE FUNCTION chatopt._api_plan(msg regclass, target oid)
RETURNS TABLE (place int, function_name text, arguments text, result text, body text, inner_function regprocedure, present regprocedure, step text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH ours AS MATERIALIZED (SELECT a.function_id FROM chatopt._api_present() AS a WHERE a.messages = msg AND a.schema_id = target),
  wanted AS MATERIALIZED (
    SELECT w.*, to_regprocedure(format('%I.%I(%s)', (SELECT n.nspname FROM pg_namespace n WHERE n.oid = target), w.function_name, w.types)) AS present
    FROM chatopt._api_wanted(msg) AS w)
  SELECT w.place, w.function_name, w.arguments, w.result, w.body, w.inner_function, w.present,
    CASE WHEN w.present IS NULL THEN 'make'
      WHEN w.present NOT IN (SELECT o.function_id FROM ours o) THEN 'taken'
      WHEN (pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) <> (w.arguments, w.result) THEN 'remake'
      WHEN (p.provolatile, p.proparallel) <> (i.provolatile, i.proparallel)
        OR chatopt._api_plain(pg_get_function_sqlbody(p.oid), w.function_name) <> chatopt._api_plain(w.body, w.function_name) THEN 'replace'
      WHEN obj_description(p.oid, 'pg_proc') IS DISTINCT FROM obj_description(i.oid, 'pg_proc') THEN 'comment'
      ELSE 'none' END
  FROM wanted AS w JOIN pg_proc i ON i.oid = w.inner_function LEFT JOIN pg_proc p ON p.oid = w.present
  WHERE w.possible
  UNION ALL
  SELECT 0, NULL, NULL, NULL, NULL, NULL, o.function_id, 'drop' FROM ours AS o WHERE o.function_id NOT IN (SELECT w.present FROM wanted AS w WHERE w.present IS NOT NULL)
$$;
COMMENT ON FUNCTION chatopt._api_plan(regclass, oid) IS 'internal: what is to be done for the API of a chat in a schema';

-- chatopt._api_create writes the statement that makes a typed function; its volatility is that of the function behind it.
CREATE FUNCTION chatopt._api_create(full_name text, arguments text, result text, body text, inner_function regprocedure, again boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(E'CREATE%s FUNCTION %s(%s) RETURNS %s\nLANGUAGE sql %s PARALLEL %s\nBEGIN ATOMIC\n  %s;\nEND;', CASE WHEN again THEN ' OR REPLACE' ELSE '' END,
    full_name, arguments, result, CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
    CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END, body)
  FROM pg_proc p WHERE p.oid = inner_function
$$;
COMMENT ON FUNCTION chatopt._api_create(text, text, text, text, regprocedure, boolean) IS 'internal: the statement that makes a typed function';

-- chatopt._api_grants gives a function made anew the owner and the rights of another.
CREATE FUNCTION chatopt._api_grants(full_name text, model regprocedure, with_rights boolean) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('ALTER FUNCTION %s OWNER TO %s;', full_name, p.proowner::regrole) FROM pg_proc p
  WHERE p.oid = model AND p.proowner <> current_user::regrole
  UNION ALL
  SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s%s;', full_name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE with_rights AND p.oid = model AND a.grantee <> p.proowner AND a.privilege_type = 'EXECUTE'
$$;
COMMENT ON FUNCTION chatopt._api_grants(text, regprocedure, boolean) IS 'internal: owner and rights for a function made anew';

-- chatopt._api_statements writes out a plan.
CREATE FUNCTION chatopt._api_statements(msg regclass, target oid) RETURNS TABLE (statement text, step text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name text := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = target);
  model regprocedure := (SELECT min(a.function_id) FROM chatopt._api_present() AS a WHERE a.messages = msg AND a.schema_id = target);
  f record;
  short_name text;
  full_name text;
BEGIN
  FOR f IN SELECT * FROM chatopt._api_plan(msg, target) AS p WHERE p.step <> 'none' ORDER BY p.place, p.present::text LOOP
    short_name := CASE WHEN f.step <> 'drop' THEN format('%I.%I', schema_name, f.function_name) END;
    full_name := coalesce(f.present::text, format('%s(%s)', short_name, regexp_replace(f.arguments, ' DEFAULT [^,]*', '', 'g')));
    IF f.step IN ('drop', 'remake') THEN
      RETURN QUERY SELECT format('DROP FUNCTION %s;', full_name), f.step;
    END IF;
    IF f.step IN ('make', 'remake', 'replace') THEN
      RETURN QUERY SELECT chatopt._api_create(short_name, f.arguments, f.result, f.body, f.inner_function, f.step = 'replace'), f.step;
    END IF;
    IF f.step IN ('make', 'remake', 'replace', 'comment') THEN
      RETURN QUERY SELECT format('COMMENT ON FUNCTION %s IS %L;', full_name, obj_description(f.inner_function, 'pg_proc')), f.step;
    END IF;
    IF f.step IN ('make', 'remake') THEN
      RETURN QUERY SELECT format('REVOKE ALL ON FUNCTION %s FROM PUBLIC;', full_name), f.step;
      RETURN QUERY SELECT g, f.step FROM chatopt._api_grants(full_name, coalesce(f.present, model), f.step = 'remake') AS g;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._api_statements(regclass, oid) IS 'internal: the statements that make or refresh the API of a chat';

-- chatopt._api_check refuses a chat or a schema that an API cannot be made for, and gives the schema.
CREATE FUNCTION chatopt._api_check(msg regclass, schema_name text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  target oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = schema_name);
  taken record;
BEGIN
  PERFORM chatopt._chat_layout(msg);
  IF schema_name IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'target_schema must not be null', HINT = 'Name a schema of the application''s.';
  ELSIF target IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = format('schema "%s" does not exist', schema_name),
      HINT = format('CREATE SCHEMA %I;', schema_name);
  ELSIF schema_name IN ('chatopt', 'information_schema') OR schema_name LIKE 'pg\_%' THEN
    RAISE EXCEPTION USING ERRCODE = 'reserved_name', MESSAGE = format('schema "%s" is not the application''s', schema_name),
      HINT = 'Name a schema of the application''s.';
  ELSIF NOT has_schema_privilege(target, 'CREATE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for schema %I', schema_name),
      HINT = format('GRANT CREATE ON SCHEMA %I TO %I;', schema_name, current_user);
  ELSIF NOT EXISTS (SELECT FROM chatopt._api_wanted(msg) AS w WHERE w.possible) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the reads of table %s are not tracked', msg),
      HINT = format('Call chatopt.track_reads(%L) first: its functions are what an API has.', msg);
  END IF;
  SELECT p.present INTO taken FROM chatopt._api_plan(msg, target) AS p WHERE p.step = 'taken' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_function', MESSAGE = format('function %s already exists', taken.present),
      DETAIL = 'It is not one that chatopt.create_api made for this chat.', HINT = 'Rename or drop it, or name another schema.';
  END IF;
  RETURN target;
END
$$;
COMMENT ON FUNCTION chatopt._api_check(regclass, text) IS 'internal: refuses an API that cannot be made';

-- chatopt._api_run runs statements, unless they are only to be shown, and gives them.
CREATE FUNCTION chatopt._api_run(statements text[], dry_run boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY statements LOOP
    IF dry_run IS NOT TRUE THEN
      EXECUTE statement;
    END IF;
    RETURN NEXT statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._api_run(text[], boolean) IS 'internal: runs or shows statements';

--| Writes one chat's typed functions into a schema of the application's: api.mark_read(conversation uuid, member uuid, upto bigint) and
--| so on, with the types of its keys in arguments and results. They run with the caller's rights, and nobody but their owner may call
--| them until granted. Called again it makes those that are missing and replaces those that differ.
--@ locks: none but those of CREATE FUNCTION
--@ errors: 22004 3F000 42501 42723 42939 55000
CREATE FUNCTION chatopt.create_api(messages regclass, target_schema text, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  target oid := chatopt._api_check(messages, target_schema);
  statements text[];
  is_new boolean;
BEGIN
  SELECT coalesce(array_agg(s.statement ORDER BY o), '{}'), coalesce(bool_or(s.step = 'make'), false) INTO statements, is_new
    FROM chatopt._api_statements(messages, target) WITH ORDINALITY AS s(statement, step, o);
  IF is_new THEN
    RAISE NOTICE USING MESSAGE = format('nobody but the owner may call the new functions in schema "%s" yet', target_schema),
      HINT = format('GRANT USAGE ON SCHEMA %1$I TO ...; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %1$I TO ...;', target_schema);
  END IF;
  RETURN QUERY SELECT r FROM chatopt._api_run(statements, dry_run) AS r;
END
$$;
COMMENT ON FUNCTION chatopt.create_api(regclass, text, boolean) IS
  'writes one chat''s typed functions, for marks, unread counts and receipts, into a schema; returns the statements run, or with dry_run those '
  'that would run. EXECUTE is nobody''s but the owner''s until granted. Errors: 55000 not attached or reads not tracked, 42501 not the owner or no '
  'CREATE on the schema, 3F000 no such schema, 42939 a schema of PostgreSQL''s or chatopt''s, 42723 a function of that name and types is there';

--| Brings the typed functions of every chat that the caller owns up to date, after ALTER EXTENSION chatopt UPDATE or a change of a key's
--| type: makes new ones, replaces those that differ, drops those that there are no more. Rights already granted stay.
--@ locks: none but those of CREATE FUNCTION and DROP FUNCTION
--@ errors: 2BP01 42501 42723 55000
CREATE FUNCTION chatopt.refresh_api(dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  a record;
BEGIN
  FOR a IN SELECT DISTINCT t.messages, n.nspname FROM chatopt._api_present() AS t JOIN pg_namespace n ON n.oid = t.schema_id
      JOIN chatopt.reads AS r ON r.messages = t.messages JOIN pg_class c ON c.oid = t.messages
      WHERE pg_has_role(c.relowner, 'USAGE') ORDER BY 2, 1 LOOP
    RETURN QUERY SELECT s FROM chatopt.create_api(a.messages, a.nspname, dry_run) AS s;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.refresh_api(boolean) IS
  'brings the typed functions of all chats that the caller owns up to date, as chatopt.create_api does; for after ALTER EXTENSION UPDATE. Returns the '
  'statements run, or with dry_run those that would run. Errors: as chatopt.create_api, 2BP01 something depends on a function that goes';

--| Drops the typed functions of a chat, in one schema or in all. Whatever else is in the schema stays.
--@ errors: 22004 2BP01 42501
CREATE FUNCTION chatopt.drop_api(messages regclass, target_schema text DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF messages IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'messages must not be null', HINT = 'Name the messages table.';
  END IF;
  RETURN QUERY SELECT r FROM chatopt._api_run(ARRAY(
    SELECT format('DROP FUNCTION %s;', a.function_id) FROM chatopt._api_present() AS a JOIN pg_namespace n ON n.oid = a.schema_id
    WHERE a.messages = $1 AND (target_schema IS NULL OR n.nspname = target_schema) ORDER BY a.function_id::text), dry_run) AS r;
END
$$;
COMMENT ON FUNCTION chatopt.drop_api(regclass, text, boolean) IS
  'drops the typed functions that chatopt.create_api made for a chat, in one schema or in all; returns the statements run, or with dry_run those that '
  'would run. Errors: 42501 not the owner of a function, 2BP01 something depends on one';
