-- 76-reads-queue.sql: receipt queues.
--
-- A request thread that must not wait reports receipts by a plain INSERT into a table without an index; a drain folds what came
-- together and applies it. The table is the application's: who may INSERT is its own GRANT and row-level security.

CREATE TABLE chatopt.receipt_queue (
  messages regclass PRIMARY KEY,
  queue regclass NOT NULL UNIQUE,
  rejected bigint NOT NULL DEFAULT 0,
  drained_at timestamptz
);
REVOKE ALL ON TABLE chatopt.receipt_queue FROM PUBLIC;
COMMENT ON TABLE chatopt.receipt_queue IS
  'which table is the receipt queue of which chat; written only by chatopt''s own functions, read through the view chatopt.receipt_queues';
COMMENT ON COLUMN chatopt.receipt_queue.messages IS 'the messages table, which names the chat';
COMMENT ON COLUMN chatopt.receipt_queue.queue IS 'the table that receipts are inserted into';
COMMENT ON COLUMN chatopt.receipt_queue.rejected IS 'entries that said nothing that can be applied: a NULL, or an unknown status';
COMMENT ON COLUMN chatopt.receipt_queue.drained_at IS 'when entries were taken last';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.receipt_queue',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = messages) AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = queue)');

CREATE FUNCTION chatopt.save_receipt_queue(messages regclass, queue regclass)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_reads_save_queue';
COMMENT ON FUNCTION chatopt.save_receipt_queue(regclass, regclass) IS
  'writes into the configuration which table is the receipt queue of a chat, NULL: none; for chatopt.create_receipt_queue and for the '
  'statements its dry run prints. The caller must own both (42501)';

CREATE FUNCTION chatopt._drain_receipts(messages regclass, batch_size int)
  RETURNS bigint LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_reads_drain_receipts';
COMMENT ON FUNCTION chatopt._drain_receipts(regclass, int) IS 'internal: one batch of chatopt.drain_receipts';

-- chatopt._queue_facts looks into a queue, as far as the caller may.
CREATE FUNCTION chatopt._queue_facts(queue regclass, OUT waiting bigint, OUT oldest timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF has_table_privilege(queue, 'SELECT') THEN
    EXECUTE format('SELECT count(*), min(queued_at) FROM %s', queue) INTO waiting, oldest;
  END IF;
END
$$;
COMMENT ON FUNCTION chatopt._queue_facts(regclass) IS 'internal: how many entries a queue has, and the oldest; NULLs without SELECT on it';

CREATE VIEW chatopt.receipt_queues WITH (security_barrier) AS
SELECT q.messages, q.queue, f.waiting, f.oldest, q.rejected, q.drained_at,
       (SELECT min(l.pid) FROM pg_catalog.pg_locks AS l WHERE l.locktype = 'userlock' AND l.classid = q.messages AND l.objid = 0
          AND l.granted AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())) AS worker_pid
FROM chatopt.receipt_queue AS q
JOIN pg_catalog.pg_class AS r ON r.oid = q.messages
CROSS JOIN LATERAL chatopt._queue_facts(q.queue) AS f
WHERE pg_catalog.has_any_column_privilege(q.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE');
GRANT SELECT ON chatopt.receipt_queues TO PUBLIC;
COMMENT ON VIEW chatopt.receipt_queues IS 'the receipt queues of chats whose messages the caller may read or owns';
COMMENT ON COLUMN chatopt.receipt_queues.messages IS 'the messages table';
COMMENT ON COLUMN chatopt.receipt_queues.queue IS 'the table that receipts are inserted into';
COMMENT ON COLUMN chatopt.receipt_queues.waiting IS 'entries in it; NULL where the caller may not SELECT from it';
COMMENT ON COLUMN chatopt.receipt_queues.oldest IS 'when the oldest of them came; NULL: there is none, or the caller may not see it';
COMMENT ON COLUMN chatopt.receipt_queues.rejected IS
  'entries dropped because of a NULL or an unknown status, each noted in the server''s log; without those of drains that ran side by side';
COMMENT ON COLUMN chatopt.receipt_queues.drained_at IS 'when entries were taken last';
COMMENT ON COLUMN chatopt.receipt_queues.worker_pid IS 'the background worker that drains it; NULL: none';

-- chatopt._queue_plan gives the statements that make a queue; none where there is one.
CREATE FUNCTION chatopt._queue_plan(msg regclass) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout jsonb := chatopt._chat_layout(msg);
  mem regclass;
  owner regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = msg);
  queue text;
BEGIN
  IF chatopt._reads_of(msg) IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('reads of table %s are not tracked', msg),
      HINT = 'Call chatopt.track_reads first.';
  ELSIF EXISTS (SELECT FROM chatopt.receipt_queues AS q JOIN pg_class c ON c.oid = q.queue WHERE q.messages = msg) THEN
    RETURN;
  END IF;
  mem := (layout->>'members')::oid::regclass;
  SELECT format('%I.%I', n.nspname, chatopt._suffixed(c.relname, '_receipt_queue')) INTO queue
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = mem;
  IF to_regclass(queue) IS NULL THEN
    RETURN NEXT format('CREATE%s TABLE %s (conversation_id %s, member_id %s, upto bigint, status text, queued_at timestamp with time zone DEFAULT clock_timestamp()) '
      'WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);',
      CASE WHEN (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = mem) THEN ' UNLOGGED' ELSE '' END, queue,
      chatopt._key_type((layout->>'conversations')::oid::regclass, layout->'names'->>'conversation_key'),
      chatopt._key_type(mem, layout->'names'->>'member_user'));
    -- entries are deleted, and have no key
    RETURN NEXT format('ALTER TABLE %s REPLICA IDENTITY FULL;', queue);
    RETURN NEXT format('COMMENT ON TABLE %s IS %L;', queue,
      'receipts on their way to chatopt: INSERT conversation_id, member_id, upto, status; chatopt.drain_receipts or its worker takes them');
    IF owner <> current_user::regrole THEN
      RETURN NEXT format('ALTER TABLE %s OWNER TO %s;', queue, owner);
    END IF;
  ELSIF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(queue) AND c.relkind = 'r' AND c.relowner = owner)
      OR (SELECT array_agg(format('%s %s', a.attname, chatopt._key_type(a.attrelid, a.attname)) ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = to_regclass(queue) AND a.attnum > 0)
        IS DISTINCT FROM ARRAY['conversation_id ' || chatopt._key_type((layout->>'conversations')::oid::regclass, layout->'names'->>'conversation_key'),
          'member_id ' || chatopt._key_type(mem, layout->'names'->>'member_user'), 'upto bigint', 'status text', 'queued_at timestamp with time zone'] THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_table', MESSAGE = format('relation %s already exists', queue),
      DETAIL = 'It is to be the receipt queue, and is no table of the messages'' owner with its columns.', HINT = 'Rename or drop it.';
  END IF;
  RETURN NEXT format('SELECT chatopt.save_receipt_queue(%L::regclass, %L::regclass);', msg, queue);
END
$$;
COMMENT ON FUNCTION chatopt._queue_plan(regclass) IS 'internal: the statements that make a receipt queue';

--| Makes the receipt queue of a chat whose reads are tracked: table <members>_receipt_queue beside the members table, with columns
--| conversation_id, member_id, upto, status and queued_at. GRANT INSERT on it to whoever reports receipts. A queue that
--| drop_receipt_queue kept is taken up again. Returns the statements run, or with dry_run those that would run; none where there is one.
--@ locks: none on tables in use
--@ errors: 22004 42501 42P07 55000
CREATE FUNCTION chatopt.create_receipt_queue(messages regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOR statement IN SELECT * FROM chatopt._queue_plan(messages) LOOP
    IF NOT coalesce(dry_run, false) THEN
      EXECUTE statement;
    END IF;
    RETURN NEXT statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.create_receipt_queue(regclass, boolean) IS
  'makes a table that takes receipts by plain INSERTs, for a chat whose reads are tracked; returns the statements run, or with dry_run those '
  'that would run. Errors: 55000 not tracked, 42P07 another table has the name, 42501 not the owner';

--| Leaves the receipt queue of a chat: its worker ends, the table goes. Entries that wait are never lost: while there are any it refuses.
--@ locks: ACCESS EXCLUSIVE on the queue
--@ errors: 22004 42501 55000
CREATE FUNCTION chatopt.drop_receipt_queue(messages regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := messages;
  queue_table regclass;
  waits boolean := false;
  statement text;
BEGIN
  IF msg IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'messages must not be null', HINT = 'Name the messages table.';
  END IF;
  PERFORM chatopt._check_table(msg);
  SELECT q.queue INTO queue_table FROM chatopt.receipt_queues AS q WHERE q.messages = msg;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('table %s has no receipt queue', msg),
      HINT = 'The view chatopt.receipt_queues lists them.';
  END IF;
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = queue_table) THEN
    IF NOT coalesce(dry_run, false) THEN
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', queue_table);
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', queue_table) INTO waits;
  END IF;
  IF waits THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('receipts wait in queue %s', queue_table),
      HINT = format('SELECT chatopt.drain_receipts(%L); first.', msg);
  END IF;
  FOR statement IN SELECT format('SELECT chatopt.save_receipt_queue(%L::regclass, NULL);', msg)
      UNION ALL SELECT format('DROP TABLE %s;', c.oid::regclass) FROM pg_class c WHERE c.oid = queue_table LOOP
    IF NOT coalesce(dry_run, false) THEN
      EXECUTE statement;
    END IF;
    RETURN NEXT statement;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chatopt.drop_receipt_queue(regclass, boolean) IS
  'drops the receipt queue of a chat, if nothing waits in it; returns the statements run, or with dry_run those that would run. Errors: 55000 '
  'there is none, or receipts wait, 42501 not the owner';

--| Takes what waits in a receipt queue, or in every queue that the caller may DELETE from (messages NULL), and applies it as
--| chatopt.apply_receipts does: what says the same of a member is applied once. At most batch_size entries a queue and call. Entries
--| go in the transaction in which they are applied: nothing is lost or half applied, whatever is killed. Never waits: what another
--| session holds stays in the queue for the next drain, and so does all of a disabled chat's. Gives how many entries were taken.
--@ cost: linear in the entries; one row version for each member of a conversation in them
--@ locks: the rows of the read state it moves, until the transaction ends
--@ errors: 22023 42501 42804 55000
CREATE FUNCTION chatopt.drain_receipts(messages regclass DEFAULT NULL, batch_size int DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  msg regclass := messages;
  drained bigint := 0;
  q record;
BEGIN
  IF batch_size IS NULL OR batch_size NOT BETWEEN 1 AND 1000000 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'batch_size must be between 1 and 1000000';
  ELSIF msg IS NOT NULL THEN
    RETURN chatopt._drain_receipts(msg, batch_size);
  END IF;
  FOR q IN SELECT r.messages AS tbl FROM chatopt.receipt_queues AS r JOIN pg_class c ON c.oid = r.queue
      JOIN chatopt.reads AS t ON t.messages = r.messages JOIN chatopt.chats AS h ON h.messages = r.messages AND h.state <> 'disabled'
      WHERE has_table_privilege(r.queue, 'DELETE') ORDER BY r.messages::oid LOOP
    drained := drained + chatopt._drain_receipts(q.tbl, batch_size);
  END LOOP;
  RETURN drained;
END
$$;
COMMENT ON FUNCTION chatopt.drain_receipts(regclass, int) IS
  'applies what waits in a receipt queue, or in all queues that the caller may DELETE from; takes at most batch_size entries each, waits for '
  'nobody, gives how many were taken. Errors: 55000 no queue or a disabled chat, 42501 no DELETE on it';

--| Starts a background worker that drains a chat's receipt queue every chatopt.receipt_interval (5 s), as the owner of messages. Gives
--| its process id, NULL where one runs already. An error starts it again after 10 seconds; it ends with the queue, and by
--| pg_terminate_backend. A restart of the server forgets it: call this again, or have a scheduler call chatopt.drain_receipts.
--@ cost: one of max_worker_processes
--@ errors: 25001 42501 53000 55000 57P03
CREATE FUNCTION chatopt.start_receipt_worker(messages regclass) RETURNS integer
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_reads_start_worker';
COMMENT ON FUNCTION chatopt.start_receipt_worker(regclass) IS
  'starts a background worker that drains a chat''s receipt queue every chatopt.receipt_interval; gives its process id, NULL where one runs. '
  'For the owner. Errors: 53000 no background worker is free, 55000 no queue, 25001 in a transaction block';
