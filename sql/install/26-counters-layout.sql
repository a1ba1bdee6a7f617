-- 26-counters-layout.sql: the layout of a chat, checked before anything changes.
--
-- chatopt._attach_layout turns the arguments of chatopt.attach into one jsonb value, the layout: the tables (by OID), the
-- name of each column, which counters are kept and where, the conditions, the state to reach. Every refusal happens here;
-- the plan (27-counters-plan.sql) only compares the layout with the catalogues.

-- chatopt._column describes a column: type OID, type modifier, type name, and whether it is NOT NULL.
CREATE FUNCTION chatopt._column(tbl regclass, column_name text,
  OUT number int2, OUT type_id oid, OUT modifier int4, OUT type_name text, OUT not_null boolean, OUT has_default boolean,
  OUT identity text, OUT generated text)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.attnum, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
         a.attidentity::text, a.attgenerated::text
  FROM pg_attribute a WHERE a.attrelid = tbl AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION chatopt._column(regclass, text) IS 'internal: describes a column; all NULL where there is none';

-- chatopt._has_column tells whether a table has a column.
CREATE FUNCTION chatopt._has_column(tbl regclass, column_name text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_attribute a
    WHERE a.attrelid = tbl AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped)
$$;
COMMENT ON FUNCTION chatopt._has_column(regclass, text) IS 'internal: whether a table has a column';

-- chatopt._sees_all tells whether a query sees every committed row: neither row security nor an old snapshot hides any.
CREATE FUNCTION chatopt._sees_all(tbl regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT NOT row_security_active(tbl) AND current_setting('transaction_isolation') LIKE 'read%' $$;
COMMENT ON FUNCTION chatopt._sees_all(regclass) IS 'internal: whether a query sees every committed row of a table';

-- chatopt._count_rows counts a table's rows, but no further than a limit. Where a query would not see all rows it estimates
-- from statistics and size; no row is then still exact, since it means that no page is in use.
CREATE FUNCTION chatopt._count_rows(tbl regclass, up_to bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result bigint;
BEGIN
  IF NOT chatopt._sees_all(tbl) THEN
    SELECT sum(CASE WHEN s.bytes = 0 THEN 0 ELSE greatest(1, CASE WHEN c.reltuples < 0 THEN s.bytes / 80 ELSE c.reltuples::bigint END) END)
      INTO result FROM chatopt._leaves(tbl) AS l JOIN pg_class c ON c.oid = l, LATERAL (SELECT pg_relation_size(l)) AS s(bytes);
    result := least(coalesce(result, 0), up_to);
  ELSE
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT $1) AS some_rows', tbl) INTO result USING up_to;
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chatopt._count_rows(regclass, bigint) IS 'internal: how many rows a table has, counted up to a limit';

-- chatopt._attach_names finds the columns of a chat: as given, else as attached before, else by keys and common names.
CREATE FUNCTION chatopt._attach_names(conv regclass, msg regclass, mem regclass, cnt regclass, given jsonb, attached jsonb)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked jsonb := attached || jsonb_strip_nulls(given);
  names jsonb;
  pk text[] := coalesce(chatopt._primary_key(conv), '{}');
  reference text := coalesce(asked->>'message_conversation', chatopt._reference_column(msg, conv));
  member_reference text;
BEGIN
  names := jsonb_build_object(
    'message_conversation', reference,
    'conversation_key', coalesce(asked->>'conversation_key',
      (SELECT f.target_column FROM chatopt._foreign_keys(msg, conv) AS f WHERE f.own_column = reference LIMIT 1),
      CASE WHEN cardinality(pk) = 1 THEN pk[1] END),
    'message_key', coalesce(asked->>'message_key', chatopt._message_key(msg, reference)),
    'message_time', coalesce(asked->>'message_time', chatopt._column_like(msg,
      ARRAY['created_at', 'sent_at', 'timestamp', 'ts', 'inserted_at', 'created', 'created_on', 'sent', 'date_created', 'time', 'date'],
      ARRAY['timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'int8'::regtype]::oid[])),
    'sequence_column', coalesce(asked->>'sequence_column', chatopt._column_like(msg, ARRAY['sequence_number']),
      chatopt._styled('sequence_number', msg, conv)));
  names := names || jsonb_build_object('message_sender', coalesce(asked->>'message_sender', chatopt._column_like(msg,
    ARRAY['sender_id', 'user_id', 'author_id', 'from_id', 'from_user_id', 'account_id', 'sender', 'author', 'username', 'nick'],
    taken => ARRAY[reference, names->>'message_key', names->>'message_time', names->>'sequence_column'])));
  names := names || jsonb_build_object('counter_key',
    CASE WHEN cnt = conv THEN names->>'conversation_key' ELSE coalesce(asked->>'counter_key', chatopt._counter_key(cnt, conv)) END);
  IF mem IS NOT NULL THEN
    member_reference := coalesce(asked->>'member_conversation', chatopt._reference_column(mem, conv));
    names := names || jsonb_build_object('member_conversation', member_reference,
      'member_user', coalesce(asked->>'member_user', chatopt._member_user(mem, conv, member_reference)));
  END IF;
  RETURN jsonb_strip_nulls(names);
END
$$;
COMMENT ON FUNCTION chatopt._attach_names(regclass, regclass, regclass, regclass, jsonb, jsonb) IS
  'internal: the column that plays each role';

-- chatopt._check_names reports, in one error, every column that was not found and the argument that names it.
CREATE FUNCTION chatopt._check_names(conv regclass, msg regclass, mem regclass, cnt regclass, names jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  problems text[] := '{}';
  arguments text[] := '{}';
  need record;
BEGIN
  FOR need IN
    SELECT * FROM (VALUES
      ('conversation_key', conv, true, 'has no primary key of one column'),
      ('message_conversation', msg, true, format('has neither one foreign key to %s nor a column with a common name for the conversation', conv)),
      ('message_key', msg, true, 'has no primary key and no column with a common name for the key'),
      ('message_time', msg, false, ''),
      ('message_sender', msg, false, ''),
      ('member_conversation', mem, true, format('has neither one foreign key to %s nor a column with a common name for the conversation', conv)),
      ('member_user', mem, true, 'has no column with a common name for the user'),
      ('counter_key', nullif(cnt, conv), true, 'has no unique index on a single column that names the conversation')
    ) AS v(argument, tbl, required, problem) WHERE tbl IS NOT NULL
  LOOP
    IF names->>need.argument IS NULL THEN
      CONTINUE WHEN NOT need.required;
      problems := problems || format('Table %s %s.', need.tbl, need.problem);
    ELSIF NOT chatopt._has_column(need.tbl, names->>need.argument) THEN
      problems := problems || format('Table %s has no column "%s".', need.tbl, names->>need.argument);
    ELSE
      CONTINUE;
    END IF;
    arguments := arguments || (CASE need.argument WHEN 'counter_key' THEN format('a primary key on the conversation column of table %s', need.tbl)
      ELSE need.argument || ' => ''...''' END);
  END LOOP;
  IF problems <> '{}' THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = 'could not find every column of the chat',
      DETAIL = array_to_string(problems, ' '),
      HINT = format('chatopt.attach needs %s.', array_to_string(arguments, ', '))
        || CASE WHEN names->>'message_time' IS NULL THEN ' Without message_time => ''...'' there is no last_message_at.' ELSE '' END;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_names(regclass, regclass, regclass, regclass, jsonb) IS
  'internal: reports in one error all columns that were not found';

-- chatopt._check_given refuses malformed arguments that need no look at the tables.
CREATE FUNCTION chatopt._check_given(given jsonb, mem regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  overrides jsonb := given->'counter_columns';
  item record;
BEGIN
  IF jsonb_typeof(overrides) <> 'object' THEN
    RAISE EXCEPTION USING ERRCODE = CASE WHEN overrides = 'null' THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
      MESSAGE = 'counter_columns must be a JSON object',
      HINT = 'For example {"member_count": "memberCount", "last_message_at": null}.';
  END IF;
  FOR item IN SELECT e.key, e.value, jsonb_typeof(e.value) AS kind, e.value #>> '{}' AS word FROM jsonb_each(overrides) AS e LOOP
    IF item.key <> ALL (chatopt._counter_roles()) THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown counter "%s" in counter_columns', item.key),
        HINT = format('The counters are %s.', array_to_string(chatopt._counter_roles(), ', '));
    ELSIF item.kind NOT IN ('string', 'null') THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('counter_columns has no column name for counter "%s"', item.key),
        DETAIL = format('The value is %s.', item.value), HINT = 'Give a column name, or null to leave the counter out.';
    ELSIF item.kind = 'null' AND item.key = 'last_sequence_number' THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'counter "last_sequence_number" cannot be left out',
        HINT = 'Messages are numbered from it; give it another column name if need be.';
    ELSIF item.key = 'member_count' AND item.kind = 'string' AND mem IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'counter "member_count" needs a members table',
        HINT = 'Pass members => ''...''.';
    ELSIF octet_length(item.word) NOT BETWEEN 1 AND 63 THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('counter_columns has no valid column name for counter "%s"', item.key),
        DETAIL = format('The name has %s bytes.', octet_length(item.word)), HINT = 'A column name has 1 to 63 bytes.';
    END IF;
  END LOOP;
  IF given->>'sequence_column' = '' THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the number column cannot be left out',
      HINT = 'Give sequence_column a column name, or leave it NULL for the default.';
  END IF;
  SELECT w INTO item FROM unnest(ARRAY['member_conversation', 'member_user', 'member_counted']) AS w
    WHERE given->>w IS NOT NULL AND mem IS NULL LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s needs a members table', item.w),
      HINT = 'Pass members => ''...''.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_given(jsonb, regclass) IS 'internal: refuses malformed arguments of chatopt.attach';

-- chatopt._counter_columns says which counters are kept and in which column of the counter table.
CREATE FUNCTION chatopt._counter_columns(msg regclass, mem regclass, cnt regclass, names jsonb, given jsonb, attached jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  overrides jsonb := coalesce(given->'counter_columns', '{}');
  before jsonb := attached->'counter_columns';
  result jsonb := '{}';
  role text;
BEGIN
  FOREACH role IN ARRAY chatopt._counter_roles() LOOP
    IF role = 'member_count' AND mem IS NULL THEN
      CONTINUE;
    ELSIF role = 'last_message_at' AND names->>'message_time' IS NULL THEN
      IF overrides->>role IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = 'counter "last_message_at" needs a time column',
          DETAIL = 'No column of the messages table with a common name holds a time.', HINT = 'Pass message_time => ''...''.';
      END IF;
    ELSIF overrides ? role THEN
      IF overrides->>role IS NOT NULL THEN
        IF before->>role <> overrides->>role THEN
          RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('counter "%s" is attached in column "%s"', role, before->>role),
            HINT = 'Call chatopt.detach first, then chatopt.attach.';
        END IF;
        result := result || jsonb_build_object(role, overrides->>role);
      END IF;
    ELSIF before ? role THEN
      result := result || jsonb_build_object(role, before->>role);
    ELSIF before IS NULL OR (role = 'member_count' AND attached->>'member_conversation' IS NULL)
        OR (role = 'last_message_at' AND attached->>'message_time' IS NULL) THEN
      result := result || jsonb_build_object(role, coalesce(chatopt._column_like(cnt, ARRAY[role]), chatopt._styled(role, cnt, msg)));
    END IF;
  END LOOP;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chatopt._counter_columns(regclass, regclass, regclass, jsonb, jsonb, jsonb) IS
  'internal: which counters are kept and in which columns';

-- chatopt._check_distinct refuses one column in two roles.
CREATE FUNCTION chatopt._check_distinct(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  names jsonb := layout->'names';
  twice record;
BEGIN
  SELECT u.place::oid::regclass AS tbl, u.word, string_agg(u.role, ', ' ORDER BY u.role) AS roles INTO twice
  FROM (
    SELECT layout->>'counters', c.value, c.key FROM jsonb_each_text(layout->'counter_columns') AS c
    UNION ALL SELECT layout->>'counters', names->>'counter_key', 'conversation_key'
    UNION ALL SELECT layout->>'messages', names->>r, r
      FROM unnest(ARRAY['message_conversation', 'message_key', 'message_time', 'message_sender', 'sequence_column']) AS r
    UNION ALL SELECT layout->>'members', names->>r, r FROM unnest(ARRAY['member_conversation', 'member_user']) AS r
  ) AS u(place, word, role)
  WHERE u.word IS NOT NULL GROUP BY u.place, u.word HAVING count(*) > 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s" of table %s cannot play two roles', twice.word, twice.tbl),
      DETAIL = format('The roles are %s.', twice.roles), HINT = 'Name another column for one of them.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_distinct(jsonb) IS 'internal: refuses one column in two roles';

-- chatopt._check_keys refuses keys of a type that chatopt cannot keep exactly, and keys without a unique index.
CREATE FUNCTION chatopt._check_keys(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  names jsonb := layout->'names';
  item record;
  key_type oid;
  key_type_name text;
BEGIN
  SELECT k.type_id, k.type_name INTO key_type, key_type_name
    FROM chatopt._column((layout->>'conversations')::oid::regclass, names->>'conversation_key') AS k;
  FOR item IN
    SELECT v.role, v.place::oid::regclass AS tbl, v.refers, a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod) AS type_name,
           l.collname, coalesce(l.collisdeterministic, true) AS deterministic, a.attgenerated
    FROM (VALUES (1, 'conversation_key', layout->>'conversations', false), (2, 'counter_key', layout->>'counters', true),
                 (3, 'message_conversation', layout->>'messages', true), (4, 'message_key', layout->>'messages', false),
                 (5, 'member_conversation', layout->>'members', true), (6, 'member_user', layout->>'members', false))
         AS v(o, role, place, refers)
    JOIN pg_attribute a ON a.attrelid = v.place::oid AND a.attname = names->>v.role
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    ORDER BY v.o
  LOOP
    IF item.atttypid <> ALL (ARRAY['uuid'::regtype, 'int8'::regtype, 'int4'::regtype, 'text'::regtype, 'varchar'::regtype]::oid[]) THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of table %s has type %s, which cannot be a key of a chat', item.attname, item.tbl, item.type_name),
        HINT = 'Keys are of type uuid, bigint, integer, text or character varying, without a domain.';
    ELSIF item.attgenerated NOT IN ('', 's') THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of table %s is a virtual generated column', item.attname, item.tbl),
        HINT = 'Triggers cannot read it; make it a stored one.';
    ELSIF NOT item.deterministic THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of table %s has a nondeterministic collation', item.attname, item.tbl),
        DETAIL = format('Collation "%s" lets keys of different bytes be equal.', item.collname),
        HINT = 'Keys need a deterministic collation.';
    ELSIF item.refers AND item.atttypid <> key_type THEN
      RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
        MESSAGE = format('column "%s" of table %s has type %s, expected %s', item.attname, item.tbl, item.type_name, key_type_name),
        DETAIL = format('It refers to column "%s" of table %s.', names->>'conversation_key', (layout->>'conversations')::oid::regclass),
        HINT = 'Both sides must have the same type.';
    END IF;
  END LOOP;
  FOR item IN SELECT v.place::oid::regclass AS tbl, v.word FROM (VALUES (layout->>'conversations', names->>'conversation_key'),
      (layout->>'counters', names->>'counter_key')) AS v(place, word) LOOP
    IF item.word <> ALL (chatopt._unique_columns(item.tbl)) THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_foreign_key',
        MESSAGE = format('there is no unique index on column "%s" of table %s', item.word, item.tbl),
        DETAIL = 'It must be immediate, on that column alone, and cover all rows.',
        HINT = format('CREATE UNIQUE INDEX CONCURRENTLY ON %s (%I);', item.tbl, item.word);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._check_keys(jsonb) IS 'internal: refuses keys of an unsuitable type or without a unique index';

-- chatopt._check_time refuses a time column whose values are no times, or that a trigger cannot read.
CREATE FUNCTION chatopt._check_time(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  word text := layout->'names'->>'message_time';
  col record;
BEGIN
  SELECT * INTO col FROM chatopt._column(msg, word);
  IF col.generated NOT IN ('', 's') THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('column "%s" of table %s is a virtual generated column', word, msg),
      HINT = 'Triggers cannot read it; make it a stored one.';
  ELSIF col.type_id <> ALL (ARRAY['timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'int8'::regtype]::oid[]) THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of table %s has type %s, which is no time', word, msg, col.type_name),
      HINT = 'A time column is of type timestamp with or without time zone, date, or bigint (epoch seconds or milliseconds).';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_time(jsonb) IS 'internal: refuses a time column of an unsuitable type';

-- chatopt._check_sequence refuses a number column that is there already and cannot be chatopt's.
CREATE FUNCTION chatopt._check_sequence(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  seq text := layout->'names'->>'sequence_column';
  col record;
  other text;
BEGIN
  SELECT * INTO col FROM chatopt._column(msg, seq);
  IF col.number IS NULL THEN
    RETURN;
  ELSIF col.type_id <> ALL (ARRAY['int8'::regtype, 'int4'::regtype]::oid[]) THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of table %s has type %s, expected bigint or integer', seq, msg, col.type_name),
      HINT = 'Pass sequence_column => ''...'' to number messages in another column.';
  ELSIF col.identity <> '' OR col.generated <> '' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('column "%s" of table %s is %s column', seq, msg, CASE WHEN col.identity <> '' THEN 'an identity' ELSE 'a generated' END),
      DETAIL = 'Only chatopt may number the messages.',
      HINT = 'Pass sequence_column => ''...'' to number messages in another column.';
  ELSIF col.not_null THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('column "%s" of table %s is marked NOT NULL', seq, msg),
      DETAIL = 'The number column stays nullable: a message has no number while its conversation is being filled, or while chatopt is disabled.',
      HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL;', msg, seq);
  ELSIF seq = ANY (chatopt._partition_key(msg)) THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('column "%s" of table %s is part of the partition key', seq, msg),
      HINT = 'Pass sequence_column => ''...'' to number messages in another column.';
  END IF;
  SELECT i.indexrelid::regclass::text INTO other FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = msg AND a.attname = layout->'names'->>'message_conversation'
    WHERE i.indrelid = msg AND i.indisunique AND i.indpred IS NULL AND col.number = ANY (i.indkey::int2[])
      AND (a.attnum <> ALL (i.indkey::int2[]) OR (to_jsonb(i)->>'indnullsnotdistinct')::boolean) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('unique index %s does not allow a number per conversation in column "%s" of table %s', other, seq, msg),
      DETAIL = 'Each conversation numbers its messages from 1, and several messages may have no number.',
      HINT = 'Drop the index, or pass sequence_column => ''...'' to number messages in another column.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_sequence(jsonb) IS 'internal: refuses an existing number column with another meaning';

-- chatopt._counter_type says of which type the column of a counter is to be.
CREATE FUNCTION chatopt._counter_type(layout jsonb, role text, OUT type_id oid, OUT modifier int4, OUT type_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN c.number IS NULL THEN 'int8'::regtype::oid ELSE c.type_id END, coalesce(c.modifier, -1), coalesce(c.type_name, 'bigint')
  FROM (SELECT) AS one LEFT JOIN chatopt._column((layout->>'messages')::oid::regclass,
    CASE role WHEN 'last_message_id' THEN layout->'names'->>'message_key' WHEN 'last_message_at' THEN layout->'names'->>'message_time' END) AS c ON true
$$;
COMMENT ON FUNCTION chatopt._counter_type(jsonb, text) IS 'internal: the type of a counter''s column';

-- chatopt._check_counters refuses counter columns that are there already with another type.
CREATE FUNCTION chatopt._check_counters(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cnt regclass := (layout->>'counters')::oid::regclass;
  item record;
  about text;
BEGIN
  FOR item IN
    SELECT k.key AS role, k.value AS word, c.*, w.type_id AS want, w.modifier AS want_modifier, w.type_name AS want_name,
           k.key LIKE 'last\_message%' AS fallible
    FROM jsonb_each_text(layout->'counter_columns') AS k, chatopt._column(cnt, k.value) AS c, chatopt._counter_type(layout, k.key) AS w
    WHERE c.number IS NOT NULL ORDER BY array_position(chatopt._counter_roles(), k.key)
  LOOP
    about := format('It is to hold the counter "%s".', item.role);
    IF NOT (item.type_id = item.want OR (NOT item.fallible AND item.type_id = 'int4'::regtype))
       OR (item.fallible AND item.modifier <> -1 AND item.modifier <> item.want_modifier
           AND NOT (item.type_id = 'varchar'::regtype AND item.want_modifier <> -1 AND item.modifier > item.want_modifier)) THEN
      RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
        MESSAGE = format('column "%s" of table %s has type %s, expected %s', item.word, cnt, item.type_name,
          CASE WHEN item.fallible THEN item.want_name ELSE 'bigint or integer' END),
        DETAIL = about,
        HINT = format('Pass counter_columns => ''{"%s": "another_column"}'' to keep the counter elsewhere.', item.role);
    ELSIF item.identity <> '' OR item.generated <> '' THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of table %s is %s column', item.word, cnt,
          CASE WHEN item.identity <> '' THEN 'an identity' ELSE 'a generated' END),
        DETAIL = about,
        HINT = format('Pass counter_columns => ''{"%s": "another_column"}'' to keep the counter elsewhere.', item.role);
    ELSIF item.fallible AND item.not_null THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('column "%s" of table %s is marked NOT NULL', item.word, cnt),
        DETAIL = about || ' A conversation without messages has none.',
        HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL;', cnt, item.word);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._check_counters(jsonb) IS 'internal: refuses existing counter columns of another type';

-- chatopt._check_users refuses a counter table with objects that a write to a counter would break or bypass.
CREATE FUNCTION chatopt._check_users(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cnt regclass := (layout->>'counters')::oid::regclass;
  numbers int2[] := ARRAY(SELECT a.attnum FROM jsonb_each_text(layout->'counter_columns') AS k
    JOIN pg_attribute a ON a.attrelid = cnt AND a.attname = k.value AND a.attnum > 0);
  objects text[];
BEGIN
  objects := ARRAY(
    SELECT CASE c.contype WHEN 'c' THEN 'check constraint' WHEN 'x' THEN 'exclusion constraint' ELSE 'foreign key' END
           || format(' "%s"', c.conname) || CASE WHEN c.conrelid <> cnt THEN format(' of table %s', c.conrelid::regclass) ELSE '' END
    FROM pg_constraint c
    WHERE (c.conrelid = cnt AND c.contype IN ('c', 'x', 'f') AND c.conkey && numbers)
       OR (c.confrelid = cnt AND c.contype = 'f' AND c.confkey && numbers)
    UNION
    SELECT format('generated column "%s"', a.attname)
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
      AND p.refobjid = cnt AND p.refobjsubid = ANY (numbers) AND p.refobjsubid <> d.adnum
    WHERE d.adrelid = cnt
    UNION
    SELECT CASE WHEN x.indisexclusion THEN 'exclusion constraint' ELSE 'unique index' END || format(' "%s"', i.relname)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = cnt AND (x.indisunique OR x.indisexclusion)
      AND (x.indkey::int2[] && numbers OR EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_class'::regclass AND p.objid = i.oid
           AND p.refclassid = 'pg_class'::regclass AND p.refobjid = cnt AND p.refobjsubid = ANY (numbers)))
    ORDER BY 1);
  IF objects <> '{}' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('counter columns of table %s are in use by other objects', cnt),
      DETAIL = format('Using them: %s. A counter is written without checking constraints or computing columns.', array_to_string(objects, ', ')),
      HINT = 'Drop these objects, name other columns in counter_columns, or pass a table for the counters alone as counters.';
  END IF;
  IF layout->>'counters' <> layout->>'conversations' THEN
    objects := ARRAY(SELECT format('"%s"', a.attname) FROM pg_attribute a
      WHERE a.attrelid = cnt AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
        AND a.attname <> layout->'names'->>'counter_key'
        AND a.attname NOT IN (SELECT k.value FROM jsonb_each_text(layout->'counter_columns') AS k) ORDER BY a.attnum);
    IF objects <> '{}' THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('table %s cannot get its rows from chatopt', cnt),
        DETAIL = format('A row comes with its conversation, but these columns are NOT NULL and have no default: %s.', array_to_string(objects, ', ')),
        HINT = 'Give these columns a default, or drop NOT NULL.';
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_users(jsonb) IS 'internal: refuses a counter table whose counter columns other objects use';

-- chatopt._check_identity refuses a published counter table whose updates would not be replicated.
CREATE FUNCTION chatopt._check_identity(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cnt regclass := (layout->>'counters')::oid::regclass;
BEGIN
  IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname
      JOIN pg_publication u ON u.pubname = p.pubname AND u.pubupdate
      WHERE c.oid = cnt AND (c.relreplident = 'n' OR (c.relreplident = 'd' AND chatopt._primary_key(cnt) IS NULL))) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('table %s is published but has no replica identity', cnt),
      DETAIL = 'A subscriber could not find the rows that a counter write changes.',
      HINT = 'Add a primary key, or set one with ALTER TABLE ... REPLICA IDENTITY.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_identity(jsonb) IS 'internal: refuses a published counter table without a replica identity';

-- chatopt._sequence_index finds a valid index on (conversation, number), unique where that is wanted.
CREATE FUNCTION chatopt._sequence_index(
  tbl regclass, conversation_column text, sequence_column text, want_unique boolean, want_valid boolean DEFAULT true)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT i.indexrelid::regclass
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
  WHERE i.indrelid = tbl AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid = want_valid AND i.indisready >= want_valid
    AND (CASE WHEN want_unique THEN i.indisunique AND i.indimmediate AND i.indnkeyatts = 2 ELSE i.indnkeyatts >= 2 END)
    AND (chatopt._column_names(tbl, i.indkey::int2[]))[1:2] = ARRAY[conversation_column, sequence_column]
  ORDER BY EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid), c.relname
  LIMIT 1
$$;
COMMENT ON FUNCTION chatopt._sequence_index(regclass, text, text, boolean, boolean) IS
  'internal: the index on (conversation, number) of a table';

-- chatopt._index_layout says whether the index on (conversation, number) is there, can be built by attach ('build'), or has
-- to be built by the user because the table is large ('missing').
CREATE FUNCTION chatopt._index_layout(layout jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  conversation_column text := layout->'names'->>'message_conversation';
  seq text := layout->'names'->>'sequence_column';
  is_unique boolean := chatopt._partition_key(msg) <@ ARRAY[conversation_column];
  build text := 'build';
  open_rows bigint := 0;
  leaf regclass;
BEGIN
  IF chatopt._sequence_index(msg, conversation_column, seq, is_unique) IS NOT NULL THEN
    RETURN jsonb_build_object('index', 'present', 'unique', is_unique);
  END IF;
  FOR leaf IN SELECT l FROM chatopt._leaves(msg) AS l LOOP
    CONTINUE WHEN chatopt._sequence_index(leaf, conversation_column, seq, is_unique) IS NOT NULL;
    open_rows := open_rows + chatopt._count_rows(leaf, 100001 - open_rows);
    IF open_rows > 100000 THEN
      build := 'missing';
      EXIT;
    END IF;
  END LOOP;
  RETURN jsonb_build_object('index', build, 'unique', is_unique);
END
$$;
COMMENT ON FUNCTION chatopt._index_layout(jsonb) IS 'internal: whether the index on (conversation, number) is there or can be built';

-- chatopt._fill_layout says which state the chat is to reach, and which counters attach itself can fill.
--   filled: every conversation's counters are right when attach is done
--   write: rows of the counter table have to be written for that;  recount: the counters to count anew on an attached chat
CREATE FUNCTION chatopt._fill_layout(layout jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  msg regclass := (layout->>'messages')::oid::regclass;
  mem regclass := (layout->>'members')::oid::regclass;
  cnt regclass := (layout->>'counters')::oid::regclass;
  attached jsonb := layout->'attached';
  columns jsonb := layout->'counter_columns';
  few boolean := chatopt._sees_all(cnt) AND chatopt._sees_all(conv) AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = cnt)
    AND chatopt._count_rows(cnt, 100001) <= 100000 AND (cnt = conv OR chatopt._count_rows(conv, 100001) <= 100000)
    AND (mem IS NULL OR chatopt._sees_all(mem));
  write boolean;
  filled boolean;
  recount text[];
BEGIN
  IF attached ? 'message_key' THEN
    recount := ARRAY(SELECT r FROM unnest(chatopt._counter_roles()) AS r WHERE columns ? r AND r <> 'last_sequence_number' AND (
      NOT attached->'counter_columns' ? r
      OR CASE WHEN r = 'member_count' THEN
           (chatopt._one_line(attached->>'member_counted_new'), attached->>'member_conversation', attached->>'member_user') IS DISTINCT FROM
           (chatopt._one_line(layout->>'member_counted_new'), layout->'names'->>'member_conversation', layout->'names'->>'member_user')
         ELSE (chatopt._one_line(attached->>'message_counted_new'), attached->>'message_key', attached->>'message_time') IS DISTINCT FROM
           (chatopt._one_line(layout->>'message_counted_new'), layout->'names'->>'message_key', layout->'names'->>'message_time') END));
    filled := CASE layout->'before'->>'state' WHEN 'attached' THEN true WHEN 'filling' THEN false
      WHEN 'index missing' THEN NOT coalesce((layout->'before'->'options'->>'filling')::boolean, false)
      ELSE chatopt._is_filled(cnt, columns->>'last_sequence_number') END;
    -- a plain count would take in what has been purged; repair knows
    few := few AND chatopt._sees_all(msg) AND NOT chatopt._is_purging(msg)
      AND (SELECT coalesce(sum(chatopt._count_rows(l, 100001)), 0) FROM chatopt._leaves(msg) AS l) <= 100000;
    RETURN jsonb_build_object('fresh', false, 'filled', filled, 'write', recount <> '{}' AND few, 'recount', to_jsonb(recount));
  END IF;
  write := (chatopt._count_rows(cnt, 1) > 0 AND (EXISTS (SELECT FROM jsonb_each_text(columns) AS k WHERE chatopt._has_column(cnt, k.value))
      OR (columns ? 'member_count' AND chatopt._count_rows(mem, 1) > 0)))
    OR (cnt <> conv AND chatopt._count_rows(conv, 1) > 0);
  filled := chatopt._count_rows(msg, 1) = 0 AND (few OR NOT write);
  RETURN jsonb_build_object('fresh', true, 'filled', filled, 'write', write AND few, 'recount', '[]'::jsonb);
END
$$;
COMMENT ON FUNCTION chatopt._fill_layout(jsonb) IS 'internal: which state attach reaches and what it has to count';

-- chatopt._is_filled tells whether every conversation's last number is known.
CREATE FUNCTION chatopt._is_filled(cnt regclass, column_name text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result boolean := false;
BEGIN
  IF chatopt._has_column(cnt, column_name) AND chatopt._sees_all(cnt) THEN
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s WHERE %I IS NULL)', cnt, column_name) INTO result;
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chatopt._is_filled(regclass, text) IS 'internal: whether every row of the counter table has a last number';

-- chatopt._check_free refuses a table that belongs to another chat, and a change that only detach and attach can make.
CREATE FUNCTION chatopt._check_free(conv regclass, msg regclass, mem regclass, cnt regclass, before jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  other record;
BEGIN
  SELECT t AS tbl, o.messages INTO other FROM chatopt.chats AS o, unnest(ARRAY[conv, msg, mem, cnt]) AS t
    WHERE o.messages <> msg AND t IN (o.messages, o.conversations, o.members, o.counters) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'object_in_use',
      MESSAGE = format('table %s already belongs to the chat of table %s', other.tbl, other.messages),
      HINT = 'A table can be part of one chat; call chatopt.detach on the other one first.';
  END IF;
  SELECT v.argument, v.old::oid::regclass AS tbl INTO other
    FROM (VALUES ('conversations', before->>'conversations', conv), ('members', before->>'members', mem), ('counters', before->>'counters', cnt))
      AS v(argument, old, new) WHERE v.old::oid <> v.new::oid LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('table %s is attached with %s table %s', msg, other.argument, other.tbl),
      HINT = 'Call chatopt.detach first, then chatopt.attach.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_free(regclass, regclass, regclass, regclass, jsonb) IS
  'internal: refuses a table of another chat and a change of tables on an attached chat';

-- chatopt._attach_layout works out and checks the layout of a chat.
CREATE FUNCTION chatopt._attach_layout(conv regclass, msg regclass, mem regclass, cnt regclass, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  config chatopt.chat := chatopt.chat_config(msg);
  before jsonb := CASE WHEN config.messages IS NULL THEN '{}' ELSE jsonb_build_object('state', config.state,
    'conversations', config.conversations::oid::text, 'members', config.members::oid::text, 'counters', config.counters::oid::text,
    'enforce_conversation', config.enforce_conversation, 'options', config.options, 'undo', config.undo) END;
  attached jsonb;
  layout jsonb;
  word text;
BEGIN
  mem := coalesce(mem, config.members);
  cnt := coalesce(cnt, config.counters, conv);
  PERFORM chatopt._check_tables(conv, msg, mem, cnt);
  PERFORM chatopt._check_free(conv, msg, mem, cnt, before);
  PERFORM chatopt._check_given(given, mem);
  attached := chatopt._chat_columns(msg, mem, cnt, conv);
  FOREACH word IN ARRAY ARRAY['sequence_column', 'message_conversation', 'conversation_key'] LOOP
    IF given->>word <> attached->>word AND config.messages IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('table %s is attached with %s "%s"', msg, word, attached->>word),
        HINT = 'Call chatopt.detach first, then chatopt.attach.';
    END IF;
  END LOOP;
  IF chatopt._has_column(msg, config.options->'columns'->>'message_sender') THEN
    attached := jsonb_build_object('message_sender', config.options->'columns'->>'message_sender') || attached;
  END IF;
  layout := jsonb_build_object('conversations', conv::oid::text, 'messages', msg::oid::text, 'members', mem::oid::text,
    'counters', cnt::oid::text, 'before', before, 'attached', attached, 'given', given, 'reads', chatopt._reads_of(msg),
    'enforce', coalesce((given->>'enforce_conversation')::boolean, config.enforce_conversation, false),
    'names', chatopt._attach_names(conv, msg, mem, cnt, given, attached)
      || jsonb_strip_nulls(jsonb_build_object('message_mentions', attached->>'message_mentions')));
  FOREACH word IN ARRAY ARRAY['message_counted_new', 'message_counted_old', 'member_counted_new', 'member_counted_old'] LOOP
    layout := layout || jsonb_build_object(word, coalesce(
      CASE given->>word WHEN 'true' THEN 'true' ELSE '(' || (given->>word) || ' IS TRUE)' END, attached->>word, 'true'));
  END LOOP;
  PERFORM chatopt._check_names(conv, msg, mem, cnt, layout->'names');
  layout := layout || jsonb_build_object('counter_columns', chatopt._counter_columns(msg, mem, cnt, layout->'names', given, attached));
  PERFORM chatopt._check_distinct(layout);
  PERFORM chatopt._check_keys(layout);
  PERFORM chatopt._check_time(layout);
  PERFORM chatopt._check_sequence(layout);
  PERFORM chatopt._check_counters(layout);
  PERFORM chatopt._check_users(layout);
  PERFORM chatopt._check_identity(layout);
  IF layout->>'reads' IS NOT NULL THEN
    PERFORM chatopt._check_tracked(layout);
  END IF;
  layout := layout || chatopt._index_layout(layout) || chatopt._fill_layout(layout);
  RETURN layout || jsonb_build_object('state', CASE WHEN layout->>'index' = 'missing' THEN 'index missing'
    WHEN (layout->>'filled')::boolean THEN 'attached' ELSE 'filling' END);
END
$$;
COMMENT ON FUNCTION chatopt._attach_layout(regclass, regclass, regclass, regclass, jsonb) IS
  'internal: the checked layout of a chat, from the arguments of chatopt.attach';
