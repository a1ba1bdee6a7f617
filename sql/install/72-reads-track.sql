-- 72-reads-track.sql: chatopt.track_reads.
--
-- As attach, it works out a layout, refuses what cannot be, plans the statements for the difference to what is there, takes
-- all locks at once in one order, plans again under the locks, and runs the plan. The tables it makes are the application's.

-- chatopt._reads_of gives the configuration of a chat whose reads are tracked, with tables by OID; NULL where they are not.
CREATE FUNCTION chatopt._reads_of(msg regclass) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('read_state', t.read_state::oid::text, 'read_heads', t.read_heads::oid::text,
    'skipped_numbers', t.skipped_numbers::oid::text, 'read_marks', t.read_marks::oid::text,
    'read_log', t.read_log::oid::text, 'views', t.views::oid::text,
    'mentions', t.mentions::oid::text, 'mention_table', t.mention_table::oid::text, 'own_messages', t.own_messages, 'state', t.state, 'undo', t.undo)
  FROM chatopt.reads_config(msg) AS t WHERE t.messages IS NOT NULL
$$;
COMMENT ON FUNCTION chatopt._reads_of(regclass) IS 'internal: the configuration of tracked reads, NULL without';

-- chatopt._suffixed makes a name of at most 63 bytes, cutting its first part between two characters.
CREATE FUNCTION chatopt._suffixed(base text, suffix text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT left(base, n) || suffix FROM generate_series(0, length(base)) AS n
  WHERE octet_length(left(base, n)) + octet_length(suffix) <= 63 ORDER BY n DESC LIMIT 1
$$;
COMMENT ON FUNCTION chatopt._suffixed(text, text) IS 'internal: a table name with a suffix, cut to 63 bytes';

-- chatopt._key_type writes the type of a key column as DDL, with its collation where that is not the type's own.
CREATE FUNCTION chatopt._key_type(tbl regclass, column_name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %I.%I', n.nspname, l.collname) ELSE '' END
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
  WHERE a.attrelid = tbl AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION chatopt._key_type(regclass, text) IS 'internal: the type of a column as DDL';

-- chatopt._read_columns describes the tables that track_reads makes. The library reads them by position.
CREATE FUNCTION chatopt._read_columns(layout jsonb)
RETURNS TABLE (role text, place int, column_name text, column_type text, required boolean, says text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.role, v.place, v.column_name, CASE v.kind WHEN 'K' THEN t.conversation WHEN 'U' THEN t.member
    WHEN 'B' THEN format_type('@extschema@.receipt_bitmap'::regtype, NULL) ELSE v.kind END, v.required, v.says
  FROM (VALUES
    ('read_state', 1, 'conversation_id', 'K', true, 'the conversation'),
    ('read_state', 2, 'member_id', 'U', true, 'the member'),
    ('read_state', 3, 'joined_seq', 'bigint', true, 'last number of the conversation when the member joined: later ones are for the member'),
    ('read_state', 4, 'left_seq', 'bigint', false, 'last number of the conversation when the member left; NULL: a member now'),
    ('read_state', 5, 'delivered_seq', 'bigint', true, 'delivered to the member up to this number'),
    ('read_state', 6, 'read_seq', 'bigint', true, 'read by the member up to this number'),
    ('read_state', 7, 'updated_at', 'timestamp with time zone', false, 'when read_seq moved last; NULL: never yet'),
    ('read_state', 8, 'slot', 'integer', true, 'the member''s place in sets of receipts, the same for ever'),
    ('read_heads', 1, 'conversation_id', 'K', true, 'the conversation'),
    ('read_heads', 2, 'next_slot', 'integer', true, 'the slot that the next new member gets'),
    ('read_heads', 3, 'members', 'integer', true, 'how many are members now'),
    ('read_heads', 4, 'filled_upto', 'bigint', false, 'chatopt.backfill has been through up to this number; NULL: done; below 0: but for mentions'),
    ('skipped_numbers', 1, 'conversation_id', 'K', true, 'the conversation'),
    ('skipped_numbers', 2, 'level', 'smallint', true, '0: sets of 4,096 numbers; above: counts of 64 rows of the level below'),
    ('skipped_numbers', 3, 'chunk', 'bigint', true, 'which stretch of the conversation, from 0'),
    ('skipped_numbers', 4, 'removed', 'B', false, 'numbers without a message, less the stretch''s first'),
    ('skipped_numbers', 5, 'uncounted', 'B', false, 'numbers whose message does not count, less the stretch''s first'),
    ('skipped_numbers', 6, 'counts', 'integer[]', false, 'how many such numbers each row of the level below has'),
    ('read_marks', 1, 'member_id', 'U', true, 'the member'),
    ('read_marks', 2, 'conversation_id', 'K', true, 'the conversation'),
    ('read_marks', 3, 'chunk', 'bigint', true, 'which 4,096 numbers, from 0; -1: the conversation was marked unread'),
    ('read_marks', 4, 'unread_seq', 'bigint', false, 'what comes after this number was marked unread'),
    ('read_marks', 5, 'delivered', 'B', false, 'numbers above the member''s position that were delivered, less the chunk''s first'),
    ('read_marks', 6, 'read', 'B', false, 'numbers above the member''s position that were read, less the chunk''s first'),
    ('read_log', 1, 'conversation_id', 'K', true, 'the conversation'),
    ('read_log', 2, 'member_id', 'U', true, 'the member'),
    ('read_log', 3, 'read_from', 'bigint', true, 'messages after this number'),
    ('read_log', 4, 'read_upto', 'bigint', true, 'up to this number were read'),
    ('read_log', 5, 'read_at', 'timestamp with time zone', true, 'at this time'),
    ('views', 1, 'conversation_id', 'K', true, 'the conversation'),
    ('views', 2, 'seq', 'bigint', true, 'the number of the message'),
    ('views', 3, 'slot', 'smallint', true, 'one of several rows that are added to, so that nobody waits'),
    ('views', 4, 'views', 'bigint', true, 'views counted in this row'),
    ('mentions', 1, 'member_id', 'U', true, 'who is mentioned'),
    ('mentions', 2, 'conversation_id', 'K', true, 'the conversation'),
    ('mentions', 3, 'seq', 'bigint', true, 'the number of the message')
  ) AS v(role, place, column_name, kind, required, says),
  (SELECT chatopt._key_type((layout->>'conversations')::oid::regclass, layout->'names'->>'conversation_key'),
          chatopt._key_type((layout->>'members')::oid::regclass, layout->'names'->>'member_user')) AS t(conversation, member)
$$;
COMMENT ON FUNCTION chatopt._read_columns(jsonb) IS 'internal: the columns of the tables that track_reads makes';

-- chatopt._keeps_log tells whether the moves of positions are logged: as track_reads wants it, else as it is.
CREATE FUNCTION chatopt._keeps_log(layout jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((layout->>'read_log')::boolean,
    EXISTS (SELECT FROM pg_class c WHERE c.oid = (layout->'reads'->>'read_log')::oid))
$$;
COMMENT ON FUNCTION chatopt._keeps_log(jsonb) IS 'internal: whether a layout of tracked reads has a log';

-- chatopt._keeps_views tells whether views are counted: as track_reads wants it, else as it is.
CREATE FUNCTION chatopt._keeps_views(layout jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((layout->>'views')::boolean, EXISTS (SELECT FROM pg_class c WHERE c.oid = (layout->'reads'->>'views')::oid))
$$;
COMMENT ON FUNCTION chatopt._keeps_views(jsonb) IS 'internal: whether a layout of tracked reads has a table of views';

-- chatopt._keeps_mentions tells whether mentions are kept: as track_reads wants it, else as it is.
CREATE FUNCTION chatopt._keeps_mentions(layout jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN layout ? 'mentions' THEN layout->>'mentions' IS NOT NULL
    ELSE EXISTS (SELECT FROM pg_class c WHERE c.oid = (layout->'reads'->>'mentions')::oid) END
$$;
COMMENT ON FUNCTION chatopt._keeps_mentions(jsonb) IS 'internal: whether a layout of tracked reads has a table of mentions';

-- chatopt._is_optional tells whether a table is one that track_reads makes only when asked to.
CREATE FUNCTION chatopt._is_optional(role text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT role IN ('read_log', 'views', 'mentions') $$;
COMMENT ON FUNCTION chatopt._is_optional(text) IS 'internal: whether reads are tracked without this table';

-- chatopt._read_tables gives these tables: name, key, an index beside the key, storage options, and which is there already.
CREATE FUNCTION chatopt._read_tables(layout jsonb)
RETURNS TABLE (role text, place int, full_name text, tbl regclass, ours boolean, key text[], indexed text[], options text, says text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.role, v.place, coalesce(o.tbl::text, format('%I.%I', n.nspname, w.name)), coalesce(o.tbl, other.oid::regclass),
    o.tbl IS NOT NULL, v.key, v.indexed, v.options, v.says
  FROM (VALUES
    ('read_state', 1, 'members', '_read_state', ARRAY['member_id', 'conversation_id', 'joined_seq'], ARRAY['conversation_id'],
      'fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05',
      'how far the members of conversations have read, a row a membership; an UPDATE may raise delivered_seq and read_seq, the rest is chatopt''s'),
    ('read_heads', 2, 'conversations', '_read_heads', ARRAY['conversation_id'], NULL, 'fillfactor = 90',
      'the conversations whose reads chatopt tracks; written by chatopt alone'),
    ('skipped_numbers', 3, 'messages', '_skipped_numbers', ARRAY['conversation_id', 'level', 'chunk'], NULL, 'fillfactor = 80',
      'message numbers that are nobody''s to read; written by chatopt alone'),
    ('read_marks', 4, 'members', '_read_marks', ARRAY['member_id', 'conversation_id', 'chunk'], ARRAY['conversation_id'], NULL,
      'what members read out of order or marked unread; written by chatopt alone'),
    ('read_log', 5, 'members', '_read_log', ARRAY['conversation_id', 'member_id', 'read_upto'], NULL, NULL,
      'when members read what, a row for each time that read_seq moved; written by chatopt alone, its owner may delete from it'),
    ('views', 6, 'messages', '_views', ARRAY['conversation_id', 'seq', 'slot'], NULL, 'fillfactor = 50',
      'how often messages were viewed, several rows a message; written by chatopt.add_views'),
    ('mentions', 7, 'messages', '_mentioned', ARRAY['member_id', 'conversation_id', 'seq'], ARRAY['conversation_id', 'seq'], NULL,
      'whom messages mention, a row a message and member, as long as the message is there; written by chatopt alone')
  ) AS v(role, place, base, suffix, key, indexed, options, says)
  JOIN pg_class m ON m.oid = (layout->>'members')::oid JOIN pg_namespace n ON n.oid = m.relnamespace
  JOIN pg_class b ON b.oid = (layout->>v.base)::oid
  CROSS JOIN LATERAL (SELECT chatopt._suffixed(b.relname, v.suffix)) AS w(name)
  LEFT JOIN LATERAL (SELECT c.oid::regclass FROM pg_class c WHERE c.oid = (layout->'reads'->>v.role)::oid) AS o(tbl) ON true
  LEFT JOIN pg_class other ON other.relnamespace = n.oid AND other.relname = w.name
  WHERE (v.role <> 'read_log' OR chatopt._keeps_log(layout)) AND (v.role <> 'views' OR chatopt._keeps_views(layout))
    AND (v.role <> 'mentions' OR chatopt._keeps_mentions(layout))
  ORDER BY v.place
$$;
COMMENT ON FUNCTION chatopt._read_tables(jsonb) IS 'internal: the tables that track_reads makes';

-- chatopt._is_read_table tells whether a table that is there is as track_reads would make it: kept by untrack_reads.
CREATE FUNCTION chatopt._is_read_table(layout jsonb, tbl regclass, role_wanted text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.relkind = 'r' AND NOT c.relispartition AND c.relpersistence = m.relpersistence AND c.relowner = g.relowner
    AND (SELECT array_agg((a.attnum, a.attname::text, chatopt._key_type(tbl, a.attname), a.attnotnull)::text ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = tbl AND a.attnum > 0)
      = (SELECT array_agg((k.place::int2, k.column_name, k.column_type, k.required)::text ORDER BY k.place)
         FROM chatopt._read_columns(layout) AS k WHERE k.role = role_wanted)
    AND chatopt._primary_key(tbl) = (SELECT t.key FROM chatopt._read_tables(layout) AS t WHERE t.role = role_wanted)
  FROM pg_class c, pg_class m, pg_class g
  WHERE c.oid = tbl AND m.oid = (layout->>'members')::oid AND g.oid = (layout->>'messages')::oid
$$;
COMMENT ON FUNCTION chatopt._is_read_table(jsonb, regclass, text) IS 'internal: whether a table is as track_reads makes it';

-- chatopt._says_same tells whether the predicate of an index is the condition under which a row counts.
CREATE FUNCTION chatopt._says_same(tbl regclass, predicate text, counted text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN chatopt._one_line('(' || chatopt.parse_condition(tbl, predicate, 'new') || ' IS TRUE)') = chatopt._one_line(counted);
EXCEPTION WHEN invalid_object_definition OR insufficient_privilege OR feature_not_supported THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION chatopt._says_same(regclass, text, text) IS 'internal: whether an index covers just the rows that count';

-- chatopt._check_member_key refuses a members table that may hold a member twice.
CREATE FUNCTION chatopt._check_member_key(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  mem regclass := (layout->>'members')::oid::regclass;
  conversation_column text := layout->'names'->>'member_conversation';
  member_column text := layout->'names'->>'member_user';
  condition text := chatopt._predicate(layout);
BEGIN
  PERFORM FROM pg_index i
    WHERE i.indrelid = mem AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indexprs IS NULL AND i.indnkeyatts = 2
      AND (chatopt._column_names(mem, i.indkey::int2[]))[1:2] @> ARRAY[conversation_column, member_column]
      AND (i.indpred IS NULL OR chatopt._says_same(mem, pg_get_expr(i.indpred, i.indrelid), layout->>'member_counted_new'));
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_foreign_key',
      MESSAGE = format('there is no unique index on columns "%s" and "%s" of table %s', conversation_column, member_column, mem),
      DETAIL = 'Somebody could be a member of a conversation twice. It must be immediate, on these two columns alone, and cover all rows'
        || CASE WHEN condition IS NULL THEN '.' ELSE ' or just those that count.' END,
      HINT = format('CREATE UNIQUE INDEX%s ON %s (%I, %I)%s;',
        CASE WHEN (SELECT c.relkind FROM pg_class c WHERE c.oid = mem) = 'p' THEN '' ELSE ' CONCURRENTLY' END,
        mem, conversation_column, member_column, coalesce(' WHERE ' || condition, ''));
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_member_key(jsonb) IS 'internal: refuses members without a unique index on conversation and member';

-- chatopt._predicate writes the condition under which a member counts as an index would have it; NULL where all do.
CREATE FUNCTION chatopt._predicate(layout jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nullif(coalesce(layout->'given'->>'member_counted', c.member_counted), 'true')
  FROM chatopt.chats AS c WHERE c.messages = (layout->>'messages')::oid
$$;
COMMENT ON FUNCTION chatopt._predicate(jsonb) IS 'internal: the condition under which a member counts, as given to attach';

-- chatopt._check_reads refuses a chat whose reads cannot be tracked.
CREATE FUNCTION chatopt._check_reads(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  mem regclass := (layout->>'members')::oid::regclass;
  names jsonb := layout->'names';
  sender record;
  member record;
BEGIN
  IF mem IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the chat of table %s has no members table', msg),
      DETAIL = 'Who reads a conversation is said by its members.', HINT = 'Call chatopt.attach with members => ''...'' first.';
  END IF;
  SELECT * INTO sender FROM chatopt._column(msg, names->>'message_sender');
  SELECT * INTO member FROM chatopt._column(mem, names->>'member_user');
  IF sender.number IS NULL OR sender.generated = 'v' THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('the sender of a message is not known in table %s', msg),
      DETAIL = CASE WHEN sender.number IS NULL THEN 'It has no sender column with a common name.'
        ELSE format('Column "%s" is a virtual generated column, which triggers cannot read.', names->>'message_sender') END,
      HINT = 'Call chatopt.attach with message_sender => ''...'', then chatopt.track_reads.';
  ELSIF sender.type_id <> member.type_id THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of table %s has type %s, expected %s', names->>'message_sender', msg, sender.type_name, member.type_name),
      DETAIL = format('It names the sender, who is to be found in column "%s" of table %s.', names->>'member_user', mem),
      HINT = 'Call chatopt.attach with message_sender => ''...'' to name another column.';
  ELSIF NOT layout->'counter_columns' ? 'message_count' THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('counter "message_count" of table %s is left out', msg),
      DETAIL = 'What is unread is told from it.', HINT = 'Call chatopt.attach with counter_columns => ''{"message_count": "message_count"}'' to have it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_reads(jsonb) IS 'internal: refuses a chat whose reads cannot be tracked';

-- chatopt._check_read_tables refuses names that are taken by other relations.
CREATE FUNCTION chatopt._check_read_tables(layout jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = (layout->>'messages')::oid);
  schema_id oid := (SELECT c.relnamespace FROM pg_class c WHERE c.oid = (layout->>'members')::oid);
  taken record;
BEGIN
  SELECT t.full_name INTO taken FROM chatopt._read_tables(layout) AS t
    WHERE t.tbl IS NOT NULL AND NOT t.ours AND NOT chatopt._is_read_table(layout, t.tbl, t.role) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation %s already exists', taken.full_name),
      DETAIL = 'It is not a table as chatopt.track_reads makes it, owned by the owner of messages.', HINT = 'Rename or drop it.';
  END IF;
  IF NOT has_schema_privilege(owner, schema_id, 'CREATE') AND EXISTS (SELECT FROM chatopt._read_tables(layout) AS t WHERE t.tbl IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = format('permission denied for schema %I', (SELECT n.nspname FROM pg_namespace n WHERE n.oid = schema_id)),
      DETAIL = format('Role "%s", which owns the messages table, may not create tables there.', owner::regrole),
      HINT = format('GRANT CREATE ON SCHEMA %I TO %s;', (SELECT n.nspname FROM pg_namespace n WHERE n.oid = schema_id), owner::regrole);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_read_tables(jsonb) IS 'internal: refuses table names that are taken';

-- chatopt._sender_index finds a valid index on (conversation, sender, number), or one that failed to build.
CREATE FUNCTION chatopt._sender_index(tbl regclass, names jsonb, want_valid boolean DEFAULT true) RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT i.indexrelid::regclass
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
  WHERE i.indrelid = tbl AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid = want_valid AND i.indnkeyatts >= 3
    AND (chatopt._column_names(tbl, i.indkey::int2[]))[1:3] = ARRAY[names->>'message_conversation', names->>'message_sender', names->>'sequence_column']
  ORDER BY EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid), c.relname
  LIMIT 1
$$;
COMMENT ON FUNCTION chatopt._sender_index(regclass, jsonb, boolean) IS 'internal: the index on (conversation, sender, number) of a table';

-- chatopt._sender_index_layout says whether that index is wanted and there, can be built at once, or is left to the user.
CREATE FUNCTION chatopt._sender_index_layout(layout jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  open_rows bigint := 0;
  leaf regclass;
BEGIN
  IF layout->>'own_messages' <> 'count' THEN
    RETURN 'none';
  ELSIF chatopt._sender_index(msg, layout->'names') IS NOT NULL THEN
    RETURN 'present';
  END IF;
  FOR leaf IN SELECT l FROM chatopt._leaves(msg) AS l LOOP
    CONTINUE WHEN chatopt._sender_index(leaf, layout->'names') IS NOT NULL;
    open_rows := open_rows + chatopt._count_rows(leaf, 100001 - open_rows);
    IF open_rows > 100000 THEN
      RETURN 'missing';
    END IF;
  END LOOP;
  RETURN 'build';
END
$$;
COMMENT ON FUNCTION chatopt._sender_index_layout(jsonb) IS 'internal: whether the index on (conversation, sender, number) is there or can be built';

-- chatopt._chat_layout gives the layout of an attached chat as its triggers are made from it.
CREATE FUNCTION chatopt._chat_layout(msg regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._detach_layout(msg);
  config chatopt.chat := chatopt.chat_config(msg);
BEGIN
  RETURN layout || jsonb_build_object('enforce', config.enforce_conversation, 'before', jsonb_build_object('undo', config.undo),
    'message_counted_new', layout->'names'->'message_counted_new', 'message_counted_old', layout->'names'->'message_counted_old',
    'member_counted_new', layout->'names'->'member_counted_new', 'member_counted_old', layout->'names'->'member_counted_old',
    'reads', chatopt._reads_of(msg));
END
$$;
COMMENT ON FUNCTION chatopt._chat_layout(regclass) IS 'internal: the layout of an attached chat with that of its reads';

-- chatopt._check_mentions_column refuses a column of messages that cannot say whom they mention.
CREATE FUNCTION chatopt._check_mentions_column(layout jsonb, said text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  mem regclass := (layout->>'members')::oid::regclass;
  found record;
  wanted record;
BEGIN
  SELECT * INTO found FROM chatopt._column(msg, said);
  SELECT t.typarray, format_type(a.atttypid, NULL) || '[]' AS type_name INTO wanted FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = mem AND a.attname = layout->'names'->>'member_user';
  IF found.type_id <> wanted.typarray THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of table %s has type %s, expected %s', said, msg, found.type_name, wanted.type_name),
      DETAIL = format('It names members, who are to be found in column "%s" of table %s.', layout->'names'->>'member_user', mem),
      HINT = 'Name an array column, or a table of mentions.';
  ELSIF found.generated = 'v' THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('column "%s" of table %s is a virtual generated column', said, msg),
      DETAIL = 'Triggers cannot read it.', HINT = 'Make it a stored one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_mentions_column(jsonb, text) IS 'internal: refuses a column that cannot say whom messages mention';

-- chatopt._mention_columns finds the columns of a table of mentions by keys and common names, and refuses those that do not fit.
CREATE FUNCTION chatopt._mention_columns(layout jsonb, tbl regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  mem regclass := (layout->>'members')::oid::regclass;
  names jsonb := layout->'names';
  -- as the triggers say, should they be there
  named jsonb := (SELECT jsonb_object_agg(r.role, r.column_name) FROM chatopt.trigger_roles(tbl) AS r WHERE r.role IN ('message', 'member'));
  message_column text := coalesce(named->>'message', (SELECT min(f.own_column) FROM chatopt._foreign_keys(tbl, msg) AS f WHERE f.target_column = names->>'message_key'),
    chatopt._column_like(tbl, ARRAY['message_id', 'msg_id', 'message', 'message_uuid', 'post_id']));
  member_column text := coalesce(named->>'member', chatopt._column_like(tbl, ARRAY['mentioned_user_id', 'mentioned_id', 'user_id', 'member_id', 'recipient_id',
    'profile_id', 'account_id', 'person_id', 'participant_id', 'mentioned', 'username', 'user', 'member'] || (names->>'member_user'), taken => ARRAY[message_column]));
  wrong record;
BEGIN
  IF message_column IS NULL OR member_column IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('could not find every column of table %s', tbl),
      DETAIL = CASE WHEN message_column IS NULL THEN format('It has neither a foreign key to %s nor a column with a common name for the message.', msg)
        ELSE 'It has no column with a common name for the member.' END,
      HINT = 'Call the columns message_id and user_id, in a view of yours by other names.';
  END IF;
  SELECT c.column_name, c.type_name AS found_name, w.type_name INTO wrong
  FROM (SELECT message_column AS column_name, f.* FROM chatopt._column(tbl, message_column) AS f
        UNION ALL SELECT member_column, f.* FROM chatopt._column(tbl, member_column) AS f) AS c,
    LATERAL (SELECT f.* FROM chatopt._column(msg, names->>'message_key') AS f WHERE c.column_name = message_column
             UNION ALL SELECT f.* FROM chatopt._column(mem, names->>'member_user') AS f WHERE c.column_name = member_column) AS w
  WHERE c.type_id <> w.type_id OR c.generated = 'v' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of table %s has type %s, expected %s', wrong.column_name, tbl, wrong.found_name, wrong.type_name),
      HINT = 'Give it the type of what it refers to.';
  END IF;
  RETURN jsonb_build_object('message', message_column, 'member', member_column);
END
$$;
COMMENT ON FUNCTION chatopt._mention_columns(jsonb, regclass) IS 'internal: the columns of a table of mentions';

-- chatopt._check_mention_table refuses a relation that cannot say whom messages mention.
CREATE FUNCTION chatopt._check_mention_table(layout jsonb, tbl regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  owner regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = msg);
BEGIN
  PERFORM chatopt._check_table(tbl);
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = tbl AND c.relkind = 'p') THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('table %s is partitioned', tbl),
      DETAIL = 'PostgreSQL gives no trigger on such a table all rows of a statement.', HINT = 'Keep mentions in a plain table, or in an array column of messages.';
  ELSIF tbl IN (SELECT t.tbl FROM chatopt._read_tables(layout) AS t WHERE t.tbl IS NOT NULL)
      OR tbl::oid::text IN (layout->>'conversations', layout->>'counters', layout->>'messages', layout->>'members') THEN
    RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = format('table %s is another part of the chat', tbl), HINT = 'Name the table of mentions.';
  ELSIF NOT has_table_privilege(owner, tbl, 'SELECT') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for table %s', tbl),
      DETAIL = format('Mentions are kept with the rights of role "%s", the owner of the messages table.', owner),
      HINT = format('GRANT SELECT ON %s TO %s;', tbl, owner);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_mention_table(jsonb, regclass) IS 'internal: refuses a table that cannot say whom messages mention';

-- chatopt._table_beside finds a table by its name: in its schema, else in that of another table; NULL where there is none.
CREATE FUNCTION chatopt._table_beside(tbl regclass, said text) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts text[];
BEGIN
  parts := parse_ident(said);
  RETURN (SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_class b
    WHERE b.oid = tbl AND c.relname = parts[cardinality(parts)] AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND CASE cardinality(parts) WHEN 1 THEN c.relnamespace = b.relnamespace WHEN 2 THEN n.nspname = parts[1] ELSE false END);
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chatopt._table_beside(regclass, text) IS 'internal: a table by its name, which may leave the schema out';

-- chatopt._mentions_layout says where messages mention members: a column of messages, or a table; NULL for nowhere.
CREATE FUNCTION chatopt._mentions_layout(layout jsonb, said text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  tbl regclass;
BEGIN
  IF said IS NULL THEN
    RETURN NULL;
  ELSIF chatopt._has_column(msg, said) THEN
    PERFORM chatopt._check_mentions_column(layout, said);
    RETURN jsonb_build_object('column', said);
  END IF;
  tbl := chatopt._table_beside(msg, said);
  IF tbl IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('there is neither a column "%s" in table %s nor a table of that name', said, msg),
      HINT = 'Name an array column of messages, or a table with a row for each message and member it mentions.';
  END IF;
  PERFORM chatopt._check_mention_table(layout, tbl);
  RETURN jsonb_build_object('table', tbl::oid::text, 'columns', chatopt._mention_columns(layout, tbl));
END
$$;
COMMENT ON FUNCTION chatopt._mentions_layout(jsonb, text) IS 'internal: where messages mention members';

-- chatopt._mentions_change tells whether mentions are to be kept that are not, or are to be found somewhere else.
CREATE FUNCTION chatopt._mentions_change(layout jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT layout->>'mentions' IS NOT NULL AND (ROW(layout->>'mentions_before', layout->'reads'->>'mention_table')
      IS DISTINCT FROM ROW(layout->'mentions'->>'column', layout->'mentions'->>'table')
    OR EXISTS (SELECT FROM chatopt._read_tables(layout) AS t WHERE t.role = 'mentions' AND NOT t.ours))
$$;
COMMENT ON FUNCTION chatopt._mentions_change(jsonb) IS 'internal: whether mentions are to be filled in';

-- chatopt._mention_triggers gives the triggers of a table of mentions. The first is there for the columns that it names.
CREATE FUNCTION chatopt._mention_triggers(layout jsonb) RETURNS TABLE (trigger_name text, definition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.trigger_name, format('CREATE TRIGGER %s %s EXECUTE FUNCTION chatopt.mentions_changed(%s)', v.trigger_name,
    replace(v.event, '{table}', (layout->'mentions'->>'table')::oid::regclass::text), v.arguments)
  FROM (VALUES
    (1, 'aaa_chatopt_columns', format('BEFORE UPDATE OF %I, %I ON {table} FOR EACH ROW', layout->'mentions'->'columns'->>'message',
      layout->'mentions'->'columns'->>'member'), '''message'', ''member'''),
    (2, 'aaa_chatopt_insert', 'AFTER INSERT ON {table} REFERENCING NEW TABLE AS chatopt_new FOR EACH STATEMENT', ''),
    (3, 'aaa_chatopt_update', 'AFTER UPDATE ON {table} REFERENCING OLD TABLE AS chatopt_old NEW TABLE AS chatopt_new FOR EACH STATEMENT', ''),
    (4, 'aaa_chatopt_delete', 'AFTER DELETE ON {table} REFERENCING OLD TABLE AS chatopt_old FOR EACH STATEMENT', ''),
    (5, 'aaa_chatopt_truncate', 'AFTER TRUNCATE ON {table} FOR EACH STATEMENT', '')) AS v(place, trigger_name, event, arguments)
  WHERE layout->'mentions'->>'table' IS NOT NULL
  ORDER BY v.place
$$;
COMMENT ON FUNCTION chatopt._mention_triggers(jsonb) IS 'internal: the triggers of a table of mentions';

-- chatopt._plan_mention_triggers drops those that are not wanted, on the table there was before too, and makes those that are missing.
CREATE FUNCTION chatopt._plan_mention_triggers(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH wanted AS MATERIALIZED (SELECT (layout->'mentions'->>'table')::oid::regclass AS tbl, w.* FROM chatopt._mention_triggers(layout) WITH ORDINALITY AS w(trigger_name, definition, place)),
  present AS MATERIALIZED (SELECT o.* FROM chatopt._own_triggers(ARRAY(SELECT c.oid::regclass FROM pg_class c
    WHERE c.oid IN ((layout->'mentions'->>'table')::oid, (layout->'reads'->>'mention_table')::oid))) AS o),
  same AS MATERIALIZED (SELECT p.trigger_id, p.enabled, w.* FROM wanted AS w JOIN present AS p ON p.place = w.tbl AND p.trigger_name = w.trigger_name
    AND chatopt._one_line(w.definition) = chatopt._one_line(pg_get_triggerdef(p.trigger_id)))
  SELECT s.target, s.level, s.statement FROM (
    SELECT 1 AS part, 0::bigint AS place, p.place AS target, 8 AS level, format('DROP TRIGGER %I ON %s;', p.trigger_name, p.place) AS statement FROM present AS p
      WHERE p.trigger_id NOT IN (SELECT m.trigger_id FROM same AS m)
    UNION ALL SELECT 2, w.place, w.tbl, 6, w.definition || ';' FROM wanted AS w WHERE w.trigger_name NOT IN (SELECT m.trigger_name FROM same AS m)
    UNION ALL SELECT 3, m.place, m.tbl, 6, format('ALTER TABLE %s ENABLE TRIGGER %I;', m.tbl, m.trigger_name) FROM same AS m WHERE m.enabled <> 'O') AS s
  ORDER BY s.part, s.place, s.statement
$$;
COMMENT ON FUNCTION chatopt._plan_mention_triggers(jsonb) IS 'internal: the statements for the triggers of a table of mentions';

-- chatopt._mention_tables gives the tables of mentions there are: the one in use, and the one that is to be.
CREATE FUNCTION chatopt._mention_tables(layout jsonb) RETURNS regclass[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ARRAY(SELECT c.oid::regclass FROM pg_class c WHERE c.oid IN ((layout->'mentions'->>'table')::oid, (layout->'reads'->>'mention_table')::oid) ORDER BY c.oid)
$$;
COMMENT ON FUNCTION chatopt._mention_tables(jsonb) IS 'internal: an application''s tables of mentions';

-- chatopt._reads_layout works out and checks the layout of tracked reads.
CREATE FUNCTION chatopt._reads_layout(msg regclass, own text, log boolean DEFAULT false, views boolean DEFAULT false, mentions text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._chat_layout(msg);
  before jsonb := layout->'reads';
BEGIN
  IF own IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'own_messages must not be null', HINT = 'Give ''read'' or ''count''.';
  ELSIF own NOT IN ('read', 'count') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown value "%s" for own_messages', own),
      HINT = 'Give ''read'' (sending marks the conversation read) or ''count'' (it does not).';
  ELSIF layout->>'state' = 'disabled' THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the chat of table %s is disabled', msg),
      HINT = 'Call chatopt.enable first.';
  END IF;
  PERFORM chatopt._check_reads(layout);
  IF NOT EXISTS (SELECT FROM chatopt.trigger_roles(msg) AS r WHERE r.role = 'sender') THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the chatopt triggers of table %s do not name the sender', msg),
      HINT = 'Call chatopt.attach again: it puts them right.';
  END IF;
  PERFORM chatopt._check_member_key(layout);
  layout := layout || jsonb_build_object('reads', coalesce(nullif(before, 'null'), '{}'), 'own_messages', own, 'read_log', coalesce(log, false),
    'views', coalesce(views, false));
  layout := layout || jsonb_build_object('mentions_before', layout->'names'->'message_mentions', 'mentions', chatopt._mentions_layout(layout, mentions));
  layout := layout || jsonb_build_object('names', (layout->'names') - 'message_mentions'
    || jsonb_strip_nulls(jsonb_build_object('message_mentions', layout->'mentions'->>'column')));
  PERFORM chatopt._check_read_tables(layout);
  layout := layout || jsonb_build_object('index', chatopt._sender_index_layout(layout));
  RETURN layout || jsonb_build_object('reads_state', CASE
    WHEN before->>'state' IS NOT NULL AND NOT EXISTS (SELECT FROM chatopt._read_tables(layout) AS t WHERE NOT t.ours AND NOT chatopt._is_optional(t.role))
      AND NOT chatopt._mentions_change(layout) THEN before->>'state'
    WHEN chatopt._count_rows((layout->>'conversations')::oid::regclass, 1) > 0 THEN 'filling' ELSE 'tracked' END);
END
$$;
COMMENT ON FUNCTION chatopt._reads_layout(regclass, text, boolean, boolean, text) IS 'internal: the checked layout of tracked reads';

-- chatopt._plan_read_tables makes the tables that are not there.
CREATE FUNCTION chatopt._plan_read_tables(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = (layout->>'messages')::oid);
  unlogged boolean := (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = (layout->>'members')::oid);
  wanted record;
BEGIN
  FOR wanted IN SELECT * FROM chatopt._read_tables(layout) AS t ORDER BY t.place LOOP
    IF wanted.tbl IS NULL THEN
      RETURN QUERY SELECT wanted.tbl, 0, format('CREATE%s TABLE %s (%s, PRIMARY KEY (%s))%s;',
        CASE WHEN unlogged THEN ' UNLOGGED' ELSE '' END, wanted.full_name,
        string_agg(format('%I %s', k.column_name, k.column_type) || CASE WHEN k.required THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY k.place),
        array_to_string(wanted.key, ', '), coalesce(' WITH (' || wanted.options || ')', ''))
        FROM chatopt._read_columns(layout) AS k WHERE k.role = wanted.role;
    END IF;
    IF wanted.indexed IS NOT NULL AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = wanted.tbl AND i.indpred IS NULL
        AND i.indisvalid AND chatopt._column_names(wanted.tbl, i.indkey::int2[]) = wanted.indexed) THEN
      RETURN QUERY SELECT wanted.tbl, 0, format('CREATE INDEX ON %s (%s);', wanted.full_name, array_to_string(wanted.indexed, ', '));
    END IF;
    IF wanted.tbl IS NULL THEN
      RETURN QUERY SELECT wanted.tbl, 0, format('COMMENT ON TABLE %s IS %L;', wanted.full_name, wanted.says);
      RETURN QUERY SELECT wanted.tbl, 0, format('COMMENT ON COLUMN %s.%I IS %L;', wanted.full_name, k.column_name, k.says)
        FROM chatopt._read_columns(layout) AS k WHERE k.role = wanted.role ORDER BY k.place;
      IF owner <> current_user::regrole THEN
        RETURN QUERY SELECT wanted.tbl, 0, format('ALTER TABLE %s OWNER TO %s;', wanted.full_name, owner);
      END IF;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._plan_read_tables(jsonb) IS 'internal: the statements that make the tables of track_reads';

-- chatopt._refill has backfill go through every conversation again; positions stay as they are.
CREATE FUNCTION chatopt._refill(heads text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('UPDATE %s SET filled_upto = 0 WHERE filled_upto IS DISTINCT FROM 0;', heads) $$;
COMMENT ON FUNCTION chatopt._refill(text) IS 'internal: the UPDATE that has every conversation filled again';

-- chatopt._plan_refill has backfill go through all conversations again where kept tables are taken up, for their mentions alone where only
-- those are new.
CREATE FUNCTION chatopt._plan_refill(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.tbl, 0, CASE WHEN t.ours THEN format('UPDATE %s SET filled_upto = -1 WHERE coalesce(filled_upto, -1) < 0;', t.full_name)
    ELSE chatopt._refill(t.full_name) END
  FROM chatopt._read_tables(layout) AS t
  WHERE t.role = 'read_heads' AND t.tbl IS NOT NULL AND (NOT t.ours OR chatopt._mentions_change(layout))
$$;
COMMENT ON FUNCTION chatopt._plan_refill(jsonb) IS 'internal: the statement that has conversations filled again';

-- chatopt._plan_name_mentions has the trigger that numbers messages name the column of mentions, or none. Replaced, so that nobody who
-- reads messages waits.
CREATE FUNCTION chatopt._plan_name_mentions(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT w.place, 6, s.statement
  FROM chatopt._wanted_triggers(layout) AS w,
  LATERAL (VALUES (1, regexp_replace(w.definition, '^CREATE', 'CREATE OR REPLACE') || ';'),
    (2, CASE WHEN layout->>'state' = 'disabled' THEN format('ALTER TABLE %s DISABLE TRIGGER zzz_chatopt_number;', w.place) END)) AS s(place, statement)
  WHERE w.trigger_name = 'zzz_chatopt_number' AND s.statement IS NOT NULL
  ORDER BY s.place
$$;
COMMENT ON FUNCTION chatopt._plan_name_mentions(jsonb) IS 'internal: the statements that tell the triggers of messages which column mentions members';

-- chatopt._plan_guard_reads puts the guard trigger on the table of positions, as it is to be and switched on.
CREATE FUNCTION chatopt._plan_guard_reads(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  positions record;
  present record;
  wanted text;
BEGIN
  SELECT * INTO positions FROM chatopt._read_tables(layout) AS t WHERE t.role = 'read_state';
  wanted := format('CREATE TRIGGER zzz_chatopt_guard_reads BEFORE INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION chatopt.guard_reads()',
    positions.full_name);
  SELECT g.tgenabled, pg_get_triggerdef(g.oid) AS definition INTO present FROM pg_trigger g
    WHERE g.tgrelid = positions.tbl AND g.tgname = 'zzz_chatopt_guard_reads' AND NOT g.tgisinternal;
  IF present.definition <> wanted THEN
    RETURN QUERY SELECT positions.tbl, 8, format('DROP TRIGGER zzz_chatopt_guard_reads ON %s;', positions.full_name);
  END IF;
  IF present.definition IS DISTINCT FROM wanted THEN
    RETURN QUERY SELECT positions.tbl, 6, wanted || ';';
  ELSIF present.tgenabled <> 'O' THEN
    RETURN QUERY SELECT positions.tbl, 6, format('ALTER TABLE %s ENABLE TRIGGER zzz_chatopt_guard_reads;', positions.full_name);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_guard_reads(jsonb) IS 'internal: the statements for the guard trigger of the positions';

-- chatopt._plan_sender_index builds the index on (conversation, sender, number), or hands out the statements for a large table.
CREATE FUNCTION chatopt._plan_sender_index(layout jsonb, handed_out boolean) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  names jsonb := layout->'names';
  columns text := format('(%I, %I, %I)', names->>'message_conversation', names->>'message_sender', names->>'sequence_column');
  leaf regclass;
BEGIN
  IF NOT handed_out AND layout->>'index' = 'build' THEN
    RETURN QUERY SELECT msg, 5, format('CREATE INDEX ON %s %s;', msg, columns);
  ELSIF handed_out AND layout->>'index' = 'missing' THEN
    FOR leaf IN SELECT l FROM chatopt._leaves(msg) AS l WHERE chatopt._sender_index(l, names) IS NULL LOOP
      RETURN QUERY SELECT msg, -1, format('DROP INDEX CONCURRENTLY %s;', broken)
        FROM chatopt._sender_index(leaf, names, false) AS broken WHERE broken IS NOT NULL;
      RETURN QUERY SELECT msg, -1, format('CREATE INDEX CONCURRENTLY ON %s %s;', leaf, columns);
    END LOOP;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._plan_sender_index(jsonb, boolean) IS 'internal: the statements for the index on (conversation, sender, number)';

-- chatopt._plan_reads_config saves the configuration where it changes.
CREATE FUNCTION chatopt._plan_reads_config(layout jsonb) RETURNS TABLE (target regclass, lock_level int, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT NULL::regclass, 0, format('SELECT chatopt.save_reads(%L::regclass, %s, %L, %L, %L);', (layout->>'messages')::oid::regclass, t.tables,
    layout->>'own_messages', layout->>'reads_state', u.undo)
  FROM (SELECT string_agg(quote_literal(r.full_name) || '::regclass', ', ' ORDER BY r.place), bool_and(r.ours)
        FROM chatopt._read_tables(layout) AS r WHERE NOT chatopt._is_optional(r.role)) AS t(tables, ours),
       (SELECT coalesce(layout->'reads'->'undo', '{}')
          || CASE WHEN layout->>'index' IN ('build', 'missing') THEN '{"index": true}'::jsonb ELSE '{}' END) AS u(undo)
  WHERE NOT t.ours OR ROW(layout->'reads'->>'own_messages', layout->'reads'->>'state', layout->'reads'->'undo')
    IS DISTINCT FROM ROW(layout->>'own_messages', layout->>'reads_state', u.undo)
  UNION ALL
  SELECT NULL, 0, format('SELECT chatopt.save_read_log(%L::regclass, %s);', (layout->>'messages')::oid::regclass,
    coalesce(quote_literal(l.full_name) || '::regclass', 'NULL'))
  FROM (VALUES (layout->'reads'->>'read_log')) AS before(log)
  LEFT JOIN chatopt._read_tables(layout) AS l ON l.role = 'read_log'
  WHERE before.log IS DISTINCT FROM l.tbl::oid::text OR (l.full_name IS NOT NULL AND NOT l.ours)
  UNION ALL
  SELECT NULL, 0, format('SELECT chatopt.save_views(%L::regclass, %s);', (layout->>'messages')::oid::regclass,
    coalesce(quote_literal(l.full_name) || '::regclass', 'NULL'))
  FROM (VALUES (layout->'reads'->>'views')) AS before(views)
  LEFT JOIN chatopt._read_tables(layout) AS l ON l.role = 'views'
  WHERE before.views IS DISTINCT FROM l.tbl::oid::text OR (l.full_name IS NOT NULL AND NOT l.ours)
  UNION ALL
  SELECT NULL, 0, format('SELECT chatopt.save_mentions(%L::regclass, %s, %s);', (layout->>'messages')::oid::regclass,
    coalesce(quote_literal(l.full_name) || '::regclass', 'NULL'),
    coalesce(quote_literal((layout->'mentions'->>'table')::oid::regclass) || '::regclass', 'NULL'))
  FROM (VALUES (layout->'reads'->>'mentions', layout->'reads'->>'mention_table')) AS before(mentions, mention_table)
  LEFT JOIN chatopt._read_tables(layout) AS l ON l.role = 'mentions'
  WHERE layout ? 'mentions' AND (before.mentions IS DISTINCT FROM l.tbl::oid::text OR (l.full_name IS NOT NULL AND NOT l.ours)
    OR before.mention_table IS DISTINCT FROM layout->'mentions'->>'table')
$$;
COMMENT ON FUNCTION chatopt._plan_reads_config(jsonb) IS 'internal: the statements that save the configuration of tracked reads';

-- chatopt._reads_plan gives a layout's statements in their order: locks first, then those to run, then those handed out.
CREATE FUNCTION chatopt._reads_plan(layout jsonb, OUT locks text[], OUT statements text[], OUT handed_out text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  conv regclass := (layout->>'conversations')::oid::regclass;
  tables regclass[] := ARRAY[conv, (layout->>'messages')::oid::regclass, (layout->>'members')::oid::regclass];
BEGIN
  WITH plan AS MATERIALIZED (
    SELECT 1 AS part, p.* FROM chatopt._plan_read_tables(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 2, p.* FROM chatopt._plan_refill(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 3, p.* FROM chatopt._plan_guard_reads(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 4, p.* FROM chatopt._plan_sender_index(layout, false) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 5, p.* FROM chatopt._plan_triggers(layout, ARRAY[conv]) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 5, p.target, p.lock_level, p.statement, 100 FROM chatopt._plan_name_mentions(layout) AS p
      WHERE layout->>'mentions_before' IS DISTINCT FROM layout->'mentions'->>'column'
    UNION ALL SELECT 5, p.target, p.lock_level, p.statement, 200 + p.place FROM chatopt._plan_mention_triggers(layout) WITH ORDINALITY AS p(target, lock_level, statement, place)
    UNION ALL SELECT 6, p.* FROM chatopt._plan_reads_config(layout) WITH ORDINALITY AS p(target, level, statement, place)
    UNION ALL SELECT 7, p.* FROM chatopt._plan_sender_index(layout, true) WITH ORDINALITY AS p(target, level, statement, place)),
  -- writers are waited for even where only the configuration changes: none may write on by the old one
  locked AS (
    SELECT p.target, p.level, p.statement FROM plan AS p WHERE p.level > 0 OR (p.part = 2 AND p.level = 0)
    UNION ALL SELECT t, 6, NULL FROM unnest(tables) AS t WHERE EXISTS (SELECT FROM plan AS p WHERE p.level >= 0))
  SELECT ARRAY(SELECT * FROM chatopt._plan_locks(
           tables || chatopt._mention_tables(layout)
             || ARRAY(SELECT t.tbl FROM chatopt._read_tables(layout) AS t WHERE t.tbl IS NOT NULL ORDER BY t.place),
           (SELECT array_agg(l.target) FROM locked AS l), (SELECT array_agg(l.level) FROM locked AS l), (SELECT array_agg(l.statement) FROM locked AS l))),
         coalesce(array_agg(p.statement ORDER BY p.part, p.place) FILTER (WHERE p.level >= 0), '{}'),
         coalesce(array_agg(E'-- outside a transaction block\n' || p.statement ORDER BY p.part, p.place) FILTER (WHERE p.level < 0), '{}')
    INTO locks, statements, handed_out FROM plan AS p;
  IF locks <> '{}' AND current_setting('lock_timeout')::interval = '0' THEN
    locks := 'SET LOCAL lock_timeout = ''2s'';'::text || locks;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._reads_plan(jsonb) IS 'internal: the statements that reach a layout of tracked reads';

-- chatopt._reads_notices says what is left to do.
CREATE FUNCTION chatopt._reads_notices(layout jsonb, statements text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  roles text;
BEGIN
  IF statements = '{}' THEN
    RETURN;
  END IF;
  SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ', ') INTO roles
    FROM pg_class c, aclexplode(c.relacl) AS a WHERE c.oid = msg AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner;
  IF roles IS NOT NULL AND EXISTS (SELECT FROM chatopt._read_tables(layout) AS t WHERE t.role = 'read_state' AND t.tbl IS NULL) THEN
    RAISE NOTICE USING MESSAGE = format('nobody but the owner may mark messages of table %s read yet', msg),
      HINT = (SELECT format('GRANT SELECT, UPDATE (delivered_seq, read_seq, updated_at) ON %s TO %s;', t.full_name, roles)
              FROM chatopt._read_tables(layout) AS t WHERE t.role = 'read_state');
  END IF;
  IF roles IS NOT NULL AND EXISTS (SELECT FROM chatopt._read_tables(layout) AS t WHERE t.role = 'views' AND t.tbl IS NULL) THEN
    RAISE NOTICE USING MESSAGE = format('nobody but the owner may count views of messages of table %s yet', msg),
      HINT = (SELECT format('GRANT SELECT, INSERT, UPDATE ON %s TO %s;', t.full_name, roles) FROM chatopt._read_tables(layout) AS t WHERE t.role = 'views');
  END IF;
  IF layout->>'index' = 'missing' THEN
    RAISE NOTICE USING MESSAGE = format('the index on (%I, %I, %I) of table %s is left to you, the table is large',
        layout->'names'->>'message_conversation', layout->'names'->>'message_sender', layout->'names'->>'sequence_column', msg),
      HINT = 'Run the CREATE INDEX CONCURRENTLY that was returned; without it own messages are counted by a scan of the unread ones.';
  END IF;
  IF layout->>'reads_state' = 'filling' THEN
    RAISE NOTICE USING MESSAGE = format(CASE WHEN layout->'reads'->>'state' = 'tracked' AND chatopt._mentions_change(layout)
        THEN 'mentions of before are not known yet in the chat of table %s' ELSE 'conversations of before are not tracked yet in the chat of table %s' END, msg),
      HINT = format('CALL chatopt.backfill(%L);', msg);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._reads_notices(jsonb, text[]) IS 'internal: the notices of chatopt.track_reads';

--| Tracks how far the members of each conversation have read: makes four tables beside the members table, with read_log a fifth that
--| keeps when each position moved, for chatopt.seen_by; owned by the owner
--| of messages, and keeps them from now on. Returns the statements that were run, or with dry_run those that would run; by hand
--| in one transaction they do the same. Tables that untrack_reads kept are taken up again with their positions. On a tracked
--| chat it applies what differs, own_messages as given, and puts back what is missing. Conversations from before are tracked
--| once CALL chatopt.backfill has been through them. views => true makes a fifth table, for chatopt.add_views; views => false on a chat
--| that has it leaves the table as plain data. mentions names a column of messages, an array of members, or a table with a row a message
--| and member: another table then keeps whom messages mention, for chatopt.mention_count; NULL on a chat that has it leaves the table as plain data.
--@ locks: SHARE ROW EXCLUSIVE on conversations, messages and members, taken in this order within lock_timeout (2 s unless set), held until
--@ the end of the transaction; none where nothing differs
--@ cost: milliseconds; where kept tables are taken up, or mentions are new, one row a conversation is written
--@ errors: 0A000 22004 22023 42501 42703 42804 42830 42P07 55000 55006
CREATE FUNCTION chatopt.track_reads(
    messages regclass, own_messages text DEFAULT 'read', read_log boolean DEFAULT false, views boolean DEFAULT false, mentions text DEFAULT NULL,
    dry_run boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  timeout text := current_setting('lock_timeout');
  layout jsonb;
  plan record;
  taken text[] := '{}';
  statement text;
BEGIN
  dry_run := coalesce(dry_run, false);
  LOOP
    layout := chatopt._reads_layout(messages, own_messages, read_log, views, mentions);
    SELECT * INTO plan FROM chatopt._reads_plan(layout);
    EXIT WHEN dry_run OR plan.statements = '{}' OR plan.locks <@ taken;
    PERFORM chatopt._take_locks(plan.locks);
    taken := taken || plan.locks;
  END LOOP;
  PERFORM chatopt._reads_notices(layout, plan.statements);
  IF NOT dry_run THEN
    FOREACH statement IN ARRAY plan.statements LOOP
      EXECUTE statement;
    END LOOP;
    PERFORM set_config('lock_timeout', timeout, true);
  END IF;
  RETURN QUERY SELECT s FROM unnest(CASE WHEN plan.statements = '{}' THEN '{}' WHEN dry_run THEN plan.locks ELSE taken END
    || plan.statements || plan.handed_out) WITH ORDINALITY AS u(s, o) ORDER BY o;
END
$$;
COMMENT ON FUNCTION chatopt.track_reads(regclass, text, boolean, boolean, text, boolean) IS
  'tracks how far members have read: makes tables beside the members table and keeps them; own_messages ''read'' has sending mark the '
  'conversation read, ''count'' does not; read_log keeps when positions moved; views makes a table for chatopt.add_views, mentions, which names an array column of messages or a table of (message, member), one for chatopt.mention_count. Returns the statements run, or with dry_run those that would run. Locks conversations, messages and '
  'members SHARE ROW EXCLUSIVE until the end of the transaction. Errors: 55000 not attached, disabled, no members or no message_count, '
  '42703 no sender column, 42804 of another type than the members, 42830 members not unique, 42P07 a table name is taken, 42501 not the owner';
