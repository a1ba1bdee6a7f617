-- 78-reads-migrate.sql: taking over receipts that an application kept a row, or an entry of a map, a message and user.
--
-- Receipts are computed set-based, for a group of conversations at a time: what there is (a row a message and user: sent, delivered or
-- read) against what chatopt has here. What is missing is put in under the counters' locks, by chatopt._import_reads for each member:
-- pieces of membership (joined, left] that hold just the messages with a receipt, positions, and acknowledgements beyond them.

CREATE FUNCTION chatopt._import_reads(
    messages regclass, conversation text, member text, joined bigint[], left_seq bigint[], delivered bigint[], read bigint[],
    delivered_beyond bigint[], read_beyond bigint[])
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_import_reads';
COMMENT ON FUNCTION chatopt._import_reads(regclass, text, text, bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'internal: has one member''s memberships and positions be just these; tells whether they were not. For the owner of messages (42501), '
  'under the counter''s lock and those of the member''s rows';

CREATE FUNCTION chatopt._save_migration(messages regclass, done bigint, total bigint, started_at timestamptz)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_save_progress';
COMMENT ON FUNCTION chatopt._save_migration(regclass, bigint, bigint, timestamptz) IS
  'internal: how far a migration of receipts has come; done NULL: it has ended. For the owner of messages (42501)';

-- chatopt._status_word and _status_rank say 0 sent, 1 delivered, 2 read.
CREATE FUNCTION chatopt._status_word(rank int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT (ARRAY['sent', 'delivered', 'read'])[rank + 1] $$;
COMMENT ON FUNCTION chatopt._status_word(int) IS 'internal: the status of a receipt as a word';

CREATE FUNCTION chatopt._unknown_status(word text) RETURNS int
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown receipt status "%s"', word),
    HINT = 'The words are sent, delivered, seen and read.';
END
$$;
COMMENT ON FUNCTION chatopt._unknown_status(text) IS 'internal: raises 22023 for a status that is none';

CREATE FUNCTION chatopt._status_rank(expression text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('CASE lower(%1$s) WHEN ''sent'' THEN 0 WHEN ''delivered'' THEN 1 WHEN ''read'' THEN 2 WHEN ''seen'' THEN 2 '
    'ELSE coalesce(chatopt._unknown_status(%1$s), 0) END', expression)
$$;
COMMENT ON FUNCTION chatopt._status_rank(text) IS 'internal: SQL that ranks a status word, in any case; NULL is sent';

-- chatopt._migration_layout gives the layout of a tracked chat to whoever may maintain it.
CREATE FUNCTION chatopt._migration_layout(msg regclass) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._chat_layout(msg);
BEGIN
  IF layout->>'reads' IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the reads of table %s are not tracked', msg),
      HINT = 'Call chatopt.track_reads first.';
  ELSIF layout->>'state' = 'disabled' THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('the chat of table %s is disabled', msg),
      HINT = 'Call chatopt.enable first.';
  END IF;
  RETURN layout || jsonb_build_object(
    'K', chatopt._key_type((layout->'reads'->>'read_state')::oid::regclass, 'conversation_id'),
    'U', chatopt._key_type((layout->'reads'->>'read_state')::oid::regclass, 'member_id'));
END
$$;
COMMENT ON FUNCTION chatopt._migration_layout(regclass) IS 'internal: the layout of a chat whose receipts are to be migrated';

-- chatopt._with_names writes a query: {word} becomes a table of the chat, a column or a type.
CREATE FUNCTION chatopt._with_names(layout jsonb, template text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  item record;
BEGIN
  FOR item IN
    SELECT t AS word, ((coalesce(layout->'reads'->>t, layout->>t))::oid::regclass)::text AS name
      FROM unnest(ARRAY['messages', 'counters', 'read_state', 'read_heads', 'read_marks']) AS t
    UNION ALL SELECT v.word, quote_ident(v.name) FROM (VALUES
      ('conversation', layout->'names'->>'message_conversation'), ('number', layout->'names'->>'sequence_column'),
      ('sender', layout->'names'->>'message_sender'), ('key', layout->'names'->>'message_key'),
      ('counter_key', layout->'names'->>'counter_key'), ('last', layout->'counter_columns'->>'last_sequence_number'),
      ('count', layout->'counter_columns'->>'message_count')) AS v(word, name)
    UNION ALL SELECT v.word, v.name FROM (VALUES ('K', layout->>'K'), ('U', layout->>'U')) AS v(word, name)
  LOOP
    template := replace(template, '{' || item.word || '}', item.name);
  END LOOP;
  RETURN template;
END
$$;
COMMENT ON FUNCTION chatopt._with_names(jsonb, text) IS 'internal: a query with the names of a chat in it';

-- chatopt._receipt_columns finds the columns of a table of receipts: as given, else by keys and common names.
CREATE FUNCTION chatopt._receipt_columns(layout jsonb, receipts regclass, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  names jsonb := jsonb_strip_nulls(given);
  missing text;
BEGIN
  IF receipts IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'receipts must not be null', HINT = 'Name the table of receipts.';
  END IF;
  names := jsonb_build_object(
    'receipt_message', coalesce((SELECT min(f.own_column) FROM chatopt._foreign_keys(receipts, msg) AS f),
      chatopt._column_like(receipts, ARRAY['message_id', 'msg_id', 'message', 'message_uuid', 'post_id'])),
    'receipt_user', chatopt._column_like(receipts, ARRAY['user_id', 'member_id', 'recipient_id', 'reader_id', 'participant_id', 'account_id',
      'profile_id', 'person_id', 'contact_id', 'username', 'user', 'member', 'recipient', 'reader']),
    'delivered_at', chatopt._column_like(receipts, ARRAY['delivered_at', 'delivered_on', 'delivered_time', 'delivered', 'is_delivered', 'received_at']),
    'read_at', chatopt._column_like(receipts, ARRAY['read_at', 'seen_at', 'read_on', 'read_time', 'read', 'seen', 'is_read', 'is_seen']),
    'status', chatopt._column_like(receipts, ARRAY['status', 'receipt_status', 'delivery_status', 'state'])) || names;
  SELECT r INTO missing FROM unnest(ARRAY['receipt_message', 'receipt_user']) AS r WHERE names->>r IS NULL LIMIT 1;
  IF missing IS NOT NULL OR coalesce(names->>'delivered_at', names->>'read_at', names->>'status') IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column',
      MESSAGE = format('the columns of table %s were not found', receipts),
      DETAIL = CASE missing WHEN 'receipt_message' THEN 'Which message a receipt is of is not known.'
        WHEN 'receipt_user' THEN 'Whose receipt it is is not known.' ELSE 'Whether a message was delivered or read is not known.' END,
      HINT = format('Give %s => ''...''.', coalesce(missing, 'delivered_at, read_at or status'));
  END IF;
  SELECT n.value INTO missing FROM jsonb_each_text(names) AS n WHERE n.value IS NOT NULL AND NOT chatopt._has_column(receipts, n.value) LIMIT 1;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('table %s has no column "%s"', receipts, missing),
      HINT = 'Name columns as they are spelled in the table.';
  END IF;
  RETURN names;
END
$$;
COMMENT ON FUNCTION chatopt._receipt_columns(jsonb, regclass, jsonb) IS 'internal: the columns of a table of receipts';

-- chatopt._mark_condition tells how a row says that something was done: a time that is there, or a boolean.
CREATE FUNCTION chatopt._mark_condition(receipts regclass, column_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(CASE WHEN c.type_id = 'boolean'::regtype THEN 'r.%I' ELSE 'r.%I IS NOT NULL' END, column_name)
  FROM chatopt._column(receipts, column_name) AS c WHERE c.number IS NOT NULL
$$;
COMMENT ON FUNCTION chatopt._mark_condition(regclass, text) IS 'internal: SQL that tells from a column whether something was done';

-- chatopt._receipts_of_table writes the query of a table's receipts: conversation c, user u, number n, status st.
CREATE FUNCTION chatopt._receipts_of_table(layout jsonb, receipts regclass, given jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  names jsonb := chatopt._receipt_columns(layout, receipts, given);
  own_type regtype := (SELECT c.type_id FROM chatopt._column(receipts, names->>'receipt_message') AS c);
  key_type regtype := (SELECT c.type_id FROM chatopt._column((layout->>'messages')::oid::regclass, layout->'names'->>'message_key') AS c);
  numbers regtype[] := '{smallint,integer,bigint}';
BEGIN
  IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = receipts AND i.indisvalid AND i.indpred IS NULL
      AND (chatopt._column_names(receipts, i.indkey::int2[]))[1] = names->>'receipt_message') AND chatopt._count_rows(receipts, 10001) > 10000 THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('table %s has no index on column "%s"', receipts, names->>'receipt_message'), DETAIL = 'Every conversation would scan the whole table.',
      HINT = format('CREATE INDEX CONCURRENTLY ON %s (%I);', receipts, names->>'receipt_message');
  END IF;
  RETURN chatopt._with_names(layout, format('SELECT m.{conversation} AS c, r.%1$I::{U} AS u, m.{number}::bigint AS n, greatest(0, %2$s) AS st '
    'FROM {messages} AS m JOIN %3$s AS r ON r.%4$I = m.{key}%5$s WHERE m.{conversation} = ANY ($1::{K}[]) AND m.{number} IS NOT NULL '
    'AND m.{sender} IS DISTINCT FROM r.%1$I::{U}', names->>'receipt_user',
    concat_ws(', ', 'CASE WHEN ' || chatopt._mark_condition(receipts, names->>'delivered_at') || ' THEN 1 END',
      'CASE WHEN ' || chatopt._mark_condition(receipts, names->>'read_at') || ' THEN 2 END',
      chatopt._status_rank('r.' || quote_ident(names->>'status') || '::text')),
    receipts, names->>'receipt_message',
    CASE WHEN own_type = key_type OR own_type = ANY (numbers) AND key_type = ANY (numbers) THEN '' ELSE '::' || own_type END));
END
$$;
COMMENT ON FUNCTION chatopt._receipts_of_table(jsonb, regclass, jsonb) IS 'internal: the query of receipts kept a row a message and user';

-- chatopt._receipts_of_map writes the query of receipts kept as a map in a column of messages: {"user": "READ"}, {"user": {"status": "READ"}} or
-- {"user": {"read": time, "delivered": time}}.
CREATE FUNCTION chatopt._receipts_of_map(layout jsonb, column_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
BEGIN
  IF column_name IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'column_name must not be null', HINT = 'Name the column of messages that holds the map.';
  ELSIF NOT chatopt._has_column(msg, column_name) THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('table %s has no column "%s"', msg, column_name),
      HINT = 'Name columns as they are spelled in the table.';
  END IF;
  RETURN chatopt._with_names(layout, format(
    'SELECT m.{conversation} AS c, e.key::{U} AS u, m.{number}::bigint AS n, CASE jsonb_typeof(e.value) WHEN ''null'' THEN 0 WHEN ''string'' THEN %2$s '
    'WHEN ''object'' THEN CASE WHEN e.value ? ''status'' THEN %3$s ELSE coalesce((SELECT max(CASE lower(k.key) WHEN ''status'' THEN %4$s '
    'WHEN ''read'' THEN 2 WHEN ''seen'' THEN 2 WHEN ''read_at'' THEN 2 WHEN ''seen_at'' THEN 2 WHEN ''readat'' THEN 2 WHEN ''seenat'' THEN 2 '
    'WHEN ''delivered'' THEN 1 WHEN ''delivered_at'' THEN 1 WHEN ''deliveredat'' THEN 1 ELSE 0 END) '
    'FROM jsonb_each(e.value) AS k WHERE k.value NOT IN (''null'', ''false'')), 0) END ELSE chatopt._unknown_status(e.value::text) END AS st '
    'FROM {messages} AS m CROSS JOIN LATERAL (SELECT m.%1$I::jsonb) AS j(map) CROSS JOIN LATERAL '
    'jsonb_each(CASE jsonb_typeof(j.map) WHEN ''object'' THEN j.map END) AS e '
    'WHERE m.{conversation} = ANY ($1::{K}[]) AND m.{number} IS NOT NULL AND m.{sender} IS DISTINCT FROM e.key::{U}',
    column_name, chatopt._status_rank('e.value #>> ''{}'''), chatopt._status_rank('(e.value ->> ''status'')'),
    chatopt._status_rank('k.value #>> ''{}''')));
END
$$;
COMMENT ON FUNCTION chatopt._receipts_of_map(jsonb, text) IS 'internal: the query of receipts kept as a map in a column of messages';

-- chatopt._receipts_both begins a query over some conversations ($1): msg are their messages, there the receipts to migrate, here those
-- that chatopt has; held are memberships.
CREATE FUNCTION chatopt._receipts_both(layout jsonb, source text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._with_names(layout, format($query$
    WITH msg AS MATERIALIZED (SELECT m.{conversation} AS c, m.{number}::bigint AS n, m.{sender} AS s FROM {messages} AS m
      WHERE m.{conversation} = ANY ($1::{K}[]) AND m.{number} IS NOT NULL),
    there AS MATERIALIZED (SELECT s.c, s.u, s.n, max(s.st) AS st FROM (%s) AS s WHERE s.u IS NOT NULL GROUP BY s.c, s.u, s.n),
    held AS MATERIALIZED (SELECT r.conversation_id AS c, r.member_id AS u, r.joined_seq AS j, r.left_seq AS l, r.delivered_seq AS d, r.read_seq AS p
      FROM {read_state} AS r WHERE r.conversation_id = ANY ($1::{K}[])),
    beyond AS MATERIALIZED (SELECT k.conversation_id AS c, k.member_id AS u, 4096 * k.chunk + 1 + b.n AS n, max(b.st) AS st
      FROM {read_marks} AS k, LATERAL (SELECT unnest(k.delivered::int[]), 1 UNION ALL SELECT unnest(k.read::int[]), 2) AS b(n, st)
      WHERE k.chunk >= 0 AND k.conversation_id = ANY ($1::{K}[]) GROUP BY 1, 2, 3),
    here AS MATERIALIZED (SELECT h.c, h.u, m.n, greatest(CASE WHEN m.n <= h.p THEN 2 WHEN m.n <= h.d THEN 1 ELSE 0 END, b.st) AS st
      FROM held AS h JOIN msg AS m ON m.c = h.c AND m.n > h.j AND (h.l IS NULL OR m.n <= h.l) AND m.s IS DISTINCT FROM h.u
      LEFT JOIN beyond AS b ON b.c = m.c AND b.u = h.u AND b.n = m.n)
  $query$, source))
$$;
COMMENT ON FUNCTION chatopt._receipts_both(jsonb, text) IS 'internal: the beginning of queries that compare receipts';

-- chatopt._compared gives the receipts that differ, in some conversations or, with NULL, in all.
CREATE FUNCTION chatopt._compared(layout jsonb, source text, conversations text[])
RETURNS TABLE (conversation text, seq bigint, member text, there text, here text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS $$
DECLARE
  query text := chatopt._receipts_both(layout, source) || 'SELECT coalesce(t.c, h.c)::text, coalesce(t.n, h.n), coalesce(t.u, h.u)::text, '
    'chatopt._status_word(t.st), chatopt._status_word(h.st) FROM there AS t FULL JOIN here AS h ON h.c = t.c AND h.u = t.u AND h.n = t.n '
    'WHERE t.st IS DISTINCT FROM h.st ORDER BY coalesce(t.c, h.c), coalesce(t.n, h.n), coalesce(t.u, h.u)';
  part record;
  after text;
BEGIN
  IF conversations IS NOT NULL THEN
    RETURN QUERY EXECUTE query USING conversations;
    RETURN;
  END IF;
  LOOP
    part := chatopt._next_conversations(layout, after, 10000);
    EXIT WHEN part.last_key IS NULL;
    after := part.last_key;
    RETURN QUERY EXECUTE query USING part.keys;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt._compared(jsonb, text, text[]) IS 'internal: the receipts that differ';

-- chatopt._next_conversations gives the next conversations after one, in key order: as many as have batch_size messages, but at
-- least one.
CREATE FUNCTION chatopt._next_conversations(layout jsonb, after text, batch_size int, OUT keys text[], OUT last_key text, OUT messages bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
BEGIN
  EXECUTE chatopt._with_names(layout, 'SELECT array_agg(g.k::text ORDER BY g.k), sum(g.own)::bigint FROM (SELECT k.*, sum(k.own) OVER (ORDER BY k.k) AS upto '
    'FROM (SELECT c.{counter_key} AS k, coalesce(c.{count}, 0) AS own FROM {counters} AS c WHERE $1 IS NULL OR c.{counter_key} > $1::{K} '
    'ORDER BY c.{counter_key} LIMIT 1000) AS k) AS g WHERE g.upto <= $2 OR g.upto = g.own')
    INTO keys, messages USING after, batch_size;
  last_key := keys[cardinality(keys)];
END
$$;
COMMENT ON FUNCTION chatopt._next_conversations(jsonb, text, int) IS 'internal: the next conversations to work on together';

-- chatopt._import_query has the members with receipts be what these say and what is here already. Numbers that are live, not the user's own and without
-- a receipt are holes; between two holes is one piece of membership. The rank of a number among the live ones, less that among those covered
-- and own, tells how many holes are before it.
CREATE FUNCTION chatopt._import_query(layout jsonb, source text, split boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT chatopt._receipts_both(layout, source) || chatopt._with_names(layout, format($query$,
    users AS MATERIALIZED (SELECT t.c, t.u, min(t.n) AS first, max(t.n) AS last,
      EXISTS (SELECT FROM held AS h WHERE h.c = t.c AND h.u = t.u AND h.l IS NULL) AS open FROM there AS t GROUP BY t.c, t.u),
    covered AS (SELECT a.c, a.u, a.n, max(a.st) AS st FROM (
      SELECT t.c, t.u, t.n, t.st FROM there AS t
      UNION ALL SELECT h.c, h.u, h.n, h.st FROM here AS h JOIN users AS w ON w.c = h.c AND w.u = h.u
      UNION ALL SELECT w.c, w.u, m.n, 0 FROM users AS w JOIN msg AS m ON m.c = w.c AND m.n > w.first AND (w.open OR m.n < w.last) AND m.s IS DISTINCT FROM w.u
        WHERE NOT %1$L::boolean) AS a GROUP BY a.c, a.u, a.n),
    line AS MATERIALIZED (SELECT p.c, p.n, p.s, p.kind, count(*) FILTER (WHERE p.kind = 0) OVER (PARTITION BY p.c ORDER BY p.n, p.kind) AS rank FROM (
      SELECT m.c, m.n, m.s, 0 AS kind FROM msg AS m UNION ALL SELECT DISTINCT h.c, h.j, NULL::{U}, 1 FROM held AS h) AS p),
    event AS (
      SELECT v.c, v.u, v.n, 0 AS kind, v.st, l.rank, NULL::bigint AS l, false AS open FROM covered AS v JOIN line AS l ON l.c = v.c AND l.n = v.n AND l.kind = 0
      UNION ALL SELECT w.c, w.u, l.n, 0, NULL, l.rank, NULL, false FROM users AS w JOIN line AS l ON l.c = w.c AND l.s = w.u AND l.kind = 0
      UNION ALL SELECT h.c, h.u, h.j, 1, NULL, l.rank, h.l, h.l IS NULL FROM held AS h JOIN users AS w ON w.c = h.c AND w.u = h.u
        JOIN line AS l ON l.c = h.c AND l.n = h.j AND l.kind = 1),
    placed AS MATERIALIZED (SELECT e.*, e.rank - count(*) FILTER (WHERE e.kind = 0) OVER (PARTITION BY e.c, e.u ORDER BY e.n, e.kind) AS holes FROM event AS e),
    piece AS MATERIALIZED (SELECT q.c, q.u, q.holes, q.joined, q.left_seq, coalesce(q.undelivered - 1, q.left_seq, k.{last}) AS delivered,
        coalesce(q.unread - 1, q.left_seq, k.{last}) AS read
      FROM (SELECT p.c, p.u, p.holes, least(min(p.n) FILTER (WHERE p.st >= 0) - 1, min(p.n) FILTER (WHERE p.kind = 1)) AS joined,
          CASE WHEN NOT bool_or(p.open) THEN greatest(max(p.n) FILTER (WHERE p.st >= 0), max(p.l)) END AS left_seq,
          min(p.n) FILTER (WHERE p.st < 1) AS undelivered, min(p.n) FILTER (WHERE p.st < 2) AS unread
        FROM placed AS p GROUP BY p.c, p.u, p.holes HAVING bool_or(p.kind = 1 OR p.st >= 0)) AS q
      JOIN {counters} AS k ON k.{counter_key} = q.c),
    acked AS (SELECT a.c, a.u, array_agg(a.n ORDER BY a.n) AS delivered, array_agg(a.n ORDER BY a.n) FILTER (WHERE a.is_read) AS read FROM (
      SELECT p.c, p.u, p.n, p.n > q.read AND (p.st = 2 OR (p.st IS NULL AND q.left_seq IS NULL AND p.n > q.joined AND %2$L::boolean)) AS is_read,
        p.n > q.delivered AND p.st >= 1 AS is_delivered
      FROM placed AS p JOIN piece AS q ON q.c = p.c AND q.u = p.u AND q.holes = p.holes WHERE p.kind = 0) AS a
      WHERE a.is_read OR a.is_delivered GROUP BY a.c, a.u)
    SELECT count(*) FILTER (WHERE chatopt._import_reads($2, i.c, i.u, i.joined, i.left_seq, i.delivered, i.read, i.delivered_beyond, i.read_beyond)) FROM (
      SELECT w.c::text, w.u::text, w.joined, w.left_seq, w.delivered, w.read, a.delivered AS delivered_beyond, a.read AS read_beyond FROM (
        SELECT q.c, q.u, array_agg(q.joined ORDER BY q.joined) AS joined, array_agg(q.left_seq ORDER BY q.joined) AS left_seq,
          array_agg(q.delivered::bigint ORDER BY q.joined) AS delivered, array_agg(q.read::bigint ORDER BY q.joined) AS read
        FROM piece AS q GROUP BY q.c, q.u) AS w
      LEFT JOIN acked AS a ON a.c = w.c AND a.u = w.u ORDER BY w.c, w.u) AS i
  $query$, split, layout->'reads'->>'own_messages' = 'read'))
$$;
COMMENT ON FUNCTION chatopt._import_query(jsonb, text, boolean) IS 'internal: the statement that takes the receipts of some conversations over';

-- chatopt._check_filled refuses conversations that backfill has yet to reach.
CREATE FUNCTION chatopt._check_filled(layout jsonb, conversations text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
  waiting text;
  msg regclass := (layout->>'messages')::oid::regclass;
BEGIN
  EXECUTE chatopt._with_names(layout, 'SELECT c.{counter_key}::text FROM {counters} AS c LEFT JOIN {read_heads} AS h ON h.conversation_id = c.{counter_key} '
    'WHERE c.{counter_key} = ANY ($1::{K}[]) AND (c.{last} IS NULL OR h.filled_upto >= 0 OR (h.conversation_id IS NULL AND c.{last} > 0)) LIMIT 1')
    INTO waiting USING conversations;
  IF waiting IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('conversation %s of table %s is not tracked yet', waiting, msg),
      DETAIL = 'Conversations of before are tracked once backfill has been through them.', HINT = format('CALL chatopt.backfill(%L);', msg);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._check_filled(jsonb, text[]) IS 'internal: refuses conversations that backfill has yet to reach';

-- chatopt._lacks tells whether there is more than here: something would be lost.
CREATE FUNCTION chatopt._lacks(there text, here text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN there IS NOT NULL AND there IS DISTINCT FROM here AND (here IS NULL OR here = 'sent' OR there = 'read');
COMMENT ON FUNCTION chatopt._lacks(text, text) IS 'internal: whether a receipt is further there than here';

-- chatopt._migrate_conversations takes over the receipts of some conversations, and gives how many are lost after that, one of them, and how many are
-- further here.
CREATE FUNCTION chatopt._migrate_conversations(
  layout jsonb, source text, split boolean, conversations text[], OUT lost bigint, OUT further bigint, OUT example text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS $$
DECLARE
  msg regclass := (layout->>'messages')::oid::regclass;
  lacking text[] := ARRAY(SELECT DISTINCT d.conversation FROM chatopt._compared(layout, source, conversations) AS d
    WHERE chatopt._lacks(d.there, d.here));
BEGIN
  IF lacking <> '{}' THEN
    PERFORM chatopt.lock_conversations(msg, VARIADIC lacking);
    PERFORM chatopt._check_filled(layout, lacking);
    EXECUTE chatopt._with_names(layout, 'SELECT FROM {read_state} WHERE conversation_id = ANY ($1::{K}[]) ORDER BY conversation_id, member_id, joined_seq FOR UPDATE')
      USING lacking;
    EXECUTE chatopt._import_query(layout, source, split) USING lacking, msg;
  END IF;
  SELECT count(*) FILTER (WHERE chatopt._lacks(d.there, d.here)), count(*) FILTER (WHERE NOT chatopt._lacks(d.there, d.here)),
      min(format('conversation %s, message %s, member %s: %s there, %s here', d.conversation, d.seq, d.member, d.there, coalesce(d.here, 'nothing')))
        FILTER (WHERE chatopt._lacks(d.there, d.here))
    INTO lost, further, example FROM chatopt._compared(layout, source, conversations) AS d;
END
$$;
COMMENT ON FUNCTION chatopt._migrate_conversations(jsonb, text, boolean, text[]) IS 'internal: takes over the receipts of some conversations';

-- chatopt._migrate commits after each group of conversations. A transaction begins with READ COMMITTED: what is read under the locks is to be what was committed
-- before they were had.
CREATE PROCEDURE chatopt._migrate(layout jsonb, source text, split boolean, batch_size int)
LANGUAGE plpgsql
AS $$
DECLARE
  msg regclass := (layout OPERATOR(pg_catalog.->>) 'messages')::pg_catalog.oid::regclass;
  started timestamptz := pg_catalog.clock_timestamp();
  reported timestamptz := started;
  total bigint;
  done bigint := 0;
  lost bigint := 0;
  further bigint := 0;
  example text;
  part record;
  after text;
  result record;
BEGIN
  COMMIT;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET LOCAL search_path = pg_catalog, pg_temp;
  EXECUTE chatopt._with_names(layout, 'SELECT coalesce(sum({count}), 0)::bigint FROM {counters}') INTO total;
  LOOP
    part := chatopt._next_conversations(layout, after, batch_size);
    EXIT WHEN part.last_key IS NULL;
    after := part.last_key;
    PERFORM chatopt._check_filled(layout, part.keys);
    result := chatopt._migrate_conversations(layout, source, split, part.keys);
    lost := lost + result.lost;
    further := further + result.further;
    example := coalesce(example, result.example);
    done := done + part.messages;
    PERFORM chatopt._save_migration(msg, done, total, started);
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET LOCAL search_path = pg_catalog, pg_temp;
    IF clock_timestamp() > reported + interval '5 seconds' THEN
      reported := clock_timestamp();
      RAISE NOTICE 'migrate receipts: % of % done', done, total;
    END IF;
  END LOOP;
  PERFORM chatopt._save_migration(msg, NULL, NULL, NULL);
  IF lost > 0 THEN
    RAISE WARNING USING ERRCODE = 'data_exception', MESSAGE = format('%s receipts of table %s were not taken over', lost, msg),
      DETAIL = format('The first: %s.', example), HINT = 'chatopt.compare_receipts lists what differs.';
  END IF;
  IF further > 0 THEN
    RAISE NOTICE USING MESSAGE = format('%s receipts of table %s are further than those migrated', further, msg),
      DETAIL = 'Read since by chatopt, or of messages that the receipts do not name.', HINT = 'chatopt.compare_receipts lists what differs.';
  END IF;
END
$$;
COMMENT ON PROCEDURE chatopt._migrate(jsonb, text, boolean, int) IS 'internal: takes over receipts, committing as it goes';

-- chatopt._check_migration refuses arguments that cannot be.
CREATE FUNCTION chatopt._check_migration(messages regclass, split boolean, batch_size int) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF split IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'split must not be null', HINT = 'Give true or false.';
  ELSIF batch_size IS NULL OR batch_size NOT BETWEEN 1 AND 1000000 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'batch_size must be between 1 and 1000000', HINT = 'The default is 10000.';
  END IF;
  RAISE NOTICE 'times of receipts are not migrated: positions keep none of single messages';
END
$$;
COMMENT ON FUNCTION chatopt._check_migration(regclass, boolean, int) IS 'internal: refuses arguments of a migration that cannot be';

CREATE PROCEDURE chatopt._migrate_receipts(
    messages regclass, receipts regclass, receipt_message name, receipt_user name, delivered_at name, read_at name, status name,
    split boolean, batch_size int)
LANGUAGE plpgsql
AS $$
DECLARE
  layout jsonb;
BEGIN
  SET LOCAL search_path = pg_catalog, pg_temp;
  PERFORM chatopt._check_migration(messages, split, batch_size);
  layout := chatopt._migration_layout(messages);
  CALL chatopt._migrate(layout, chatopt._receipts_of_table(layout, receipts, jsonb_build_object('receipt_message', receipt_message,
    'receipt_user', receipt_user, 'delivered_at', delivered_at, 'read_at', read_at, 'status', status)), split, batch_size);
END
$$;
COMMENT ON PROCEDURE chatopt._migrate_receipts(regclass, regclass, name, name, name, name, name, boolean, int) IS
  'internal: what chatopt.migrate_receipts does outside a transaction block';

CREATE PROCEDURE chatopt._migrate_receipts_json(messages regclass, column_name name, batch_size int)
LANGUAGE plpgsql
AS $$
DECLARE
  layout jsonb;
BEGIN
  SET LOCAL search_path = pg_catalog, pg_temp;
  PERFORM chatopt._check_migration(messages, true, batch_size);
  layout := chatopt._migration_layout(messages);
  CALL chatopt._migrate(layout, chatopt._receipts_of_map(layout, column_name), true, batch_size);
END
$$;
COMMENT ON PROCEDURE chatopt._migrate_receipts_json(regclass, name, int) IS
  'internal: what chatopt.migrate_receipts_json does outside a transaction block';

--| Takes over the receipts of a table with a row a message and user: who got which message, who has it, who has read it. Whether is told by
--| delivered_at and read_at (a time that is there, or true) and by status (sent, delivered, seen or read, in any case; NULL is sent), the furthest of
--| them; columns that are not named are found by foreign keys and common names. Goes conversation by conversation, small ones together,
--| committing after each, while the application goes on; stopped in the middle it goes on when called again, and a second run changes
--| nothing. A position never loses what chatopt knows already. A message without a receipt of somebody who has some is not theirs: their membership is
--| split around it, or, with split => false, the message counts as sent to them. Users who are no members any more keep what they had. Receipts
--| of a message's own sender are passed over. Ends with a comparison: what is less here is a WARNING, what is more a NOTICE.
--@ cost: three queries over the receipts of each conversation, then a row a member; needs an index on the receipts' message
--@ locks: ROW EXCLUSIVE; a conversation's counter row and read state while it is worked on
--@ errors: 22004 22023 25001 42501 42703 54000 55000
CREATE PROCEDURE chatopt.migrate_receipts(
    messages regclass, receipts regclass, receipt_message name DEFAULT NULL, receipt_user name DEFAULT NULL, delivered_at name DEFAULT NULL,
    read_at name DEFAULT NULL, status name DEFAULT NULL, split boolean DEFAULT true, batch_size int DEFAULT 10000)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_reads_migrate_receipts';
COMMENT ON PROCEDURE chatopt.migrate_receipts(regclass, regclass, name, name, name, name, name, boolean, int) IS
  'takes over receipts from a table with a row a message and user, committing as it goes; call it again to go on. For the owner. '
  'Errors: 25001 in a transaction block, 55000 not tracked, not filled or no index, 42703 columns not found, 54000 too many gaps';

--| The same from a json or jsonb column of the messages, a map by user: {"7": "READ", "8": {"status": "DELIVERED", "timestamp": …},
--| "9": {"read": "…", "delivered": "…"}}, in any case. Users with the value null were sent the message.
--@ cost: as migrate_receipts
--@ locks: as migrate_receipts
--@ errors: 22004 22023 22P02 25001 42501 42703 54000 55000
CREATE PROCEDURE chatopt.migrate_receipts_json(messages regclass, column_name name, batch_size int DEFAULT 10000)
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_reads_migrate_receipts_json';
COMMENT ON PROCEDURE chatopt.migrate_receipts_json(regclass, name, int) IS
  'takes over receipts from a json or jsonb column of messages, a map by user, committing as it goes; call it again to go on. For the owner. '
  'Errors: 25001 in a transaction block, 55000 not tracked or not filled, 22023 unknown status, 22P02 malformed user, 54000 too many gaps';

--| The receipts that are not the same there, in a table with a row a message and user, and here: sent, delivered or read; NULL where the user
--| is no recipient. No rows: nothing was lost in a migration. Columns as in migrate_receipts. receipts may be the name of a json or jsonb column of
--| messages, as in migrate_receipts_json.
--@ cost: one scan of messages, receipts and read state, ten thousand messages at a time
--@ locks: ACCESS SHARE
--@ errors: 22004 22023 42501 42703 42P01 55000
CREATE FUNCTION chatopt.compare_receipts(
    messages regclass, receipts regclass, receipt_message name DEFAULT NULL, receipt_user name DEFAULT NULL, delivered_at name DEFAULT NULL,
    read_at name DEFAULT NULL, status name DEFAULT NULL)
RETURNS TABLE (conversation text, seq bigint, member text, there text, here text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._migration_layout(messages);
BEGIN
  RETURN QUERY SELECT * FROM chatopt._compared(layout, chatopt._receipts_of_table(layout, receipts, jsonb_build_object('receipt_message', receipt_message,
    'receipt_user', receipt_user, 'delivered_at', delivered_at, 'read_at', read_at, 'status', status)), NULL);
END
$$;
COMMENT ON FUNCTION chatopt.compare_receipts(regclass, regclass, name, name, name, name, name) IS
  'the receipts that differ between a table with a row a message and user and what chatopt has; no rows: nothing was lost. For the owner';

-- chatopt._compare_named compares with a column of messages, or with the table that the caller's path gave.
CREATE FUNCTION chatopt._compare_named(messages regclass, column_name text, receipts regclass)
RETURNS TABLE (conversation text, seq bigint, member text, there text, here text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._migration_layout(messages);
BEGIN
  IF column_name IS NULL THEN
    RETURN QUERY SELECT * FROM chatopt.compare_receipts(messages, receipts);
  ELSE
    RETURN QUERY SELECT * FROM chatopt._compared(layout, chatopt._receipts_of_map(layout, column_name), NULL);
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._compare_named(regclass, text, regclass) IS 'internal: compares receipts with a column of messages or a table';

-- Its names are bound here; only that of the table is looked up in the caller's search_path.
CREATE FUNCTION chatopt.compare_receipts(messages regclass, receipts text)
RETURNS TABLE (conversation text, seq bigint, member text, there text, here text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT c.conversation, c.seq, c.member, c.there, c.here
  FROM chatopt._compare_named($1, CASE WHEN chatopt._has_column($1, $2) THEN $2 END,
    CASE WHEN NOT chatopt._has_column($1, $2) THEN $2::pg_catalog.regclass END) AS c;
END;
COMMENT ON FUNCTION chatopt.compare_receipts(regclass, text) IS
  'the receipts that differ between a json or jsonb column of messages, or a table, and what chatopt has; no rows: nothing was lost. For the owner';
