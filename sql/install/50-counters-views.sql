-- 50-counters-views.sql: the views chatopt.chats and chatopt.progress.
--
-- Both read chatopt's own tables, which nobody else may read, and show the rows of tables that the caller may read.

CREATE VIEW chatopt.chats WITH (security_barrier) AS
SELECT c.messages, c.conversations, c.members, c.counters, c.state,
       c.enforce_conversation,
       chatopt._chat_columns(c.messages, c.members, c.counters, c.conversations)
         - ARRAY['message_counted_new', 'message_counted_old', 'member_counted_new', 'member_counted_old'] AS columns,
       c.options->>'message_counted' AS message_counted,
       c.options->>'member_counted' AS member_counted,
       r.relowner::regrole AS owner,
       c.attached_at
FROM chatopt.chat AS c
JOIN pg_catalog.pg_class AS r ON r.oid = c.messages
WHERE pg_catalog.has_any_column_privilege(c.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE');
GRANT SELECT ON chatopt.chats TO PUBLIC;
COMMENT ON VIEW chatopt.chats IS
  'the attached chats whose messages the caller may read or owns; DROP EXTENSION CASCADE would drop their triggers, so call chatopt.detach_all() first';
COMMENT ON COLUMN chatopt.chats.messages IS 'the messages table';
COMMENT ON COLUMN chatopt.chats.conversations IS 'the conversations table';
COMMENT ON COLUMN chatopt.chats.members IS 'the members table, NULL where none was given';
COMMENT ON COLUMN chatopt.chats.counters IS 'the table that holds the counters';
COMMENT ON COLUMN chatopt.chats.state IS '''index missing'', ''filling'', ''attached'' or ''disabled''';
COMMENT ON COLUMN chatopt.chats.enforce_conversation IS 'chatopt checks the conversation of a message in place of a foreign key';
COMMENT ON COLUMN chatopt.chats.columns IS 'which column plays which role now, read from the triggers';
COMMENT ON COLUMN chatopt.chats.message_counted IS 'the condition for a message to count, as given to attach; NULL: all count';
COMMENT ON COLUMN chatopt.chats.member_counted IS 'the condition for a member to count, as given to attach; NULL: all count';
COMMENT ON COLUMN chatopt.chats.owner IS 'the owner of the messages table';
COMMENT ON COLUMN chatopt.chats.attached_at IS 'when the chat was attached';

CREATE VIEW chatopt.progress WITH (security_barrier) AS
SELECT p.messages, p.task, p.done, p.total,
       CASE WHEN p.total > 0 THEN pg_catalog.round(100.0 * least(p.done, p.total) / p.total, 1) END AS percent,
       p.started_at, p.updated_at,
       CASE WHEN p.done >= p.total THEN p.updated_at
            WHEN p.done > 0 THEN p.updated_at + (p.updated_at - p.started_at) * ((p.total - p.done)::float8 / p.done) END AS estimated_end,
       p.pid, p.username
FROM chatopt.progress_log AS p
JOIN pg_catalog.pg_class AS r ON r.oid = p.messages
WHERE pg_catalog.has_any_column_privilege(p.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE');
GRANT SELECT ON chatopt.progress TO PUBLIC;
COMMENT ON VIEW chatopt.progress IS
  'long work, under way or stopped, on tables that the caller may read or owns; a row stays where a procedure was killed and says who ran it';
COMMENT ON COLUMN chatopt.progress.messages IS 'the table worked on';
COMMENT ON COLUMN chatopt.progress.task IS 'the kind of work';
COMMENT ON COLUMN chatopt.progress.done IS 'rows or conversations done';
COMMENT ON COLUMN chatopt.progress.total IS 'how many there are, as estimated at the start; NULL where unknown';
COMMENT ON COLUMN chatopt.progress.percent IS 'done in percent of total';
COMMENT ON COLUMN chatopt.progress.started_at IS 'when this run began';
COMMENT ON COLUMN chatopt.progress.updated_at IS 'when the last batch was committed';
COMMENT ON COLUMN chatopt.progress.estimated_end IS 'when it will be done at the rate so far; NULL before the first batch';
COMMENT ON COLUMN chatopt.progress.pid IS 'the backend that runs it, or ran it last';
COMMENT ON COLUMN chatopt.progress.username IS 'the role that runs it, or ran it last';

-- Queues are locks of type userlock on (counter table, 48 bits of the key's hash): see src/counters/queue.cpp.
CREATE VIEW chatopt.queues WITH (security_barrier) AS
SELECT c.messages, (l.objid::bigint << 16) | (l.objsubid::int & 65535) AS queue,
       pg_catalog.min(l.pid) FILTER (WHERE l.granted) AS first_pid,
       pg_catalog.count(*) FILTER (WHERE NOT l.granted) AS waiting,
       pg_catalog.min(l.waitstart) AS waiting_since
FROM pg_catalog.pg_locks AS l
JOIN chatopt.chat AS c ON c.counters = l.classid
JOIN pg_catalog.pg_class AS r ON r.oid = c.messages
WHERE l.locktype = 'userlock'
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
  AND (pg_catalog.has_any_column_privilege(c.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE'))
GROUP BY c.messages, l.objid, l.objsubid;
GRANT SELECT ON chatopt.queues TO PUBLIC;
COMMENT ON VIEW chatopt.queues IS
  'conversations that sessions are queueing for at this moment, one row each, of chats whose messages the caller may read or owns';
COMMENT ON COLUMN chatopt.queues.messages IS 'the messages table';
COMMENT ON COLUMN chatopt.queues.queue IS 'which conversation: a hash of its key, the same for as long as it is busy';
COMMENT ON COLUMN chatopt.queues.first_pid IS 'the backend at the head: it has the counter row, or is next to get it; NULL where that is a prepared transaction';
COMMENT ON COLUMN chatopt.queues.waiting IS 'how many wait behind it; 0: nobody any more';
COMMENT ON COLUMN chatopt.queues.waiting_since IS 'when the one that has waited longest began to';
