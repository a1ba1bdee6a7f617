-- 70-reads-schema.sql: which chats have their reads tracked, and the view chatopt.reads.
--
-- The positions themselves are ordinary tables of the application's, made by chatopt.track_reads beside the members. This
-- table only says which they are.

CREATE TABLE chatopt.read_tracking (
  messages regclass PRIMARY KEY,
  read_state regclass NOT NULL,
  read_heads regclass NOT NULL,
  skipped_numbers regclass NOT NULL,
  read_marks regclass NOT NULL,
  own_messages text NOT NULL CHECK (own_messages IN ('read', 'count')),
  state text NOT NULL CHECK (state IN ('filling', 'tracked')),
  private_size int NOT NULL DEFAULT 2,
  small_size int NOT NULL DEFAULT 50,
  large_size int NOT NULL DEFAULT 1000,
  undo jsonb NOT NULL DEFAULT '{}',
  tracked_at timestamptz NOT NULL DEFAULT now(),
  read_log regclass,
  views regclass,
  mentions regclass,
  mention_table regclass
);
REVOKE ALL ON TABLE chatopt.read_tracking FROM PUBLIC;
COMMENT ON TABLE chatopt.read_tracking IS
  'the chats whose reads are tracked; written only by chatopt''s own functions, read through the view chatopt.reads';
COMMENT ON COLUMN chatopt.read_tracking.messages IS 'the messages table, which names the chat';
COMMENT ON COLUMN chatopt.read_tracking.read_state IS 'the table of positions, a row a membership';
COMMENT ON COLUMN chatopt.read_tracking.read_heads IS 'the table with a row a conversation that is tracked';
COMMENT ON COLUMN chatopt.read_tracking.skipped_numbers IS 'the table of numbers that are nobody''s to read';
COMMENT ON COLUMN chatopt.read_tracking.read_marks IS 'the table of what was read out of order or marked unread';
COMMENT ON COLUMN chatopt.read_tracking.own_messages IS
  '''read'': sending marks the conversation read up to the message sent; ''count'': it does not, own messages are taken off by counting';
COMMENT ON COLUMN chatopt.read_tracking.state IS
  '''filling'': conversations from before track_reads wait for chatopt.backfill; ''tracked'': all are tracked';
COMMENT ON COLUMN chatopt.read_tracking.private_size IS 'up to so many members a conversation is private';
COMMENT ON COLUMN chatopt.read_tracking.small_size IS 'up to so many members it is a small group: receipts tell who';
COMMENT ON COLUMN chatopt.read_tracking.large_size IS 'up to so many members it is a large group: receipts tell how many; above, a channel';
COMMENT ON COLUMN chatopt.read_tracking.undo IS 'what track_reads made on the chat''s own tables, for untrack_reads';
COMMENT ON COLUMN chatopt.read_tracking.tracked_at IS 'when the reads were tracked first';
COMMENT ON COLUMN chatopt.read_tracking.read_log IS 'the table of when positions moved; NULL: none is kept';
COMMENT ON COLUMN chatopt.read_tracking.views IS 'the table that counts views of messages; NULL: none is kept';
COMMENT ON COLUMN chatopt.read_tracking.mentions IS 'the table of whom messages mention; NULL: none is kept';
COMMENT ON COLUMN chatopt.read_tracking.mention_table IS
  'the application''s table that says so, a row a message and member; NULL: a column of messages does, which the trigger zzz_chatopt_number names';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.read_tracking',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = messages)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = read_state)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = read_heads)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = skipped_numbers)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = read_marks)'
  ' AND (read_log IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = read_log))'
  ' AND (views IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = views))'
  ' AND (mentions IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = mentions))'
  ' AND (mention_table IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = mention_table))');

CREATE VIEW chatopt.reads WITH (security_barrier) AS
SELECT t.messages, c.members, t.read_state, t.read_heads, t.skipped_numbers, t.read_marks, t.own_messages, t.state,
       t.private_size, t.small_size, t.large_size, t.tracked_at, t.read_log, t.views, t.mentions, t.mention_table
FROM chatopt.read_tracking AS t
JOIN chatopt.chat AS c ON c.messages = t.messages
JOIN pg_catalog.pg_class AS r ON r.oid = t.messages
WHERE pg_catalog.has_any_column_privilege(t.messages, 'SELECT') OR pg_catalog.pg_has_role(r.relowner, 'USAGE');
GRANT SELECT ON chatopt.reads TO PUBLIC;
COMMENT ON VIEW chatopt.reads IS 'the chats whose reads are tracked and whose messages the caller may read or owns';
COMMENT ON COLUMN chatopt.reads.messages IS 'the messages table';
COMMENT ON COLUMN chatopt.reads.members IS 'the members table';
COMMENT ON COLUMN chatopt.reads.read_state IS 'how far each member has read';
COMMENT ON COLUMN chatopt.reads.read_heads IS 'a row a conversation that is tracked';
COMMENT ON COLUMN chatopt.reads.skipped_numbers IS 'numbers that are nobody''s to read';
COMMENT ON COLUMN chatopt.reads.read_marks IS 'what was read out of order or marked unread';
COMMENT ON COLUMN chatopt.reads.own_messages IS '''read'' or ''count'': what sending does to the sender''s own position';
COMMENT ON COLUMN chatopt.reads.state IS '''filling'' until chatopt.backfill has been through, then ''tracked''';
COMMENT ON COLUMN chatopt.reads.private_size IS 'greatest number of members of a private conversation';
COMMENT ON COLUMN chatopt.reads.small_size IS 'greatest number of members of a small group';
COMMENT ON COLUMN chatopt.reads.large_size IS 'greatest number of members of a large group';
COMMENT ON COLUMN chatopt.reads.tracked_at IS 'when the reads were tracked first';
COMMENT ON COLUMN chatopt.reads.read_log IS 'when positions moved; NULL where that is not kept';
COMMENT ON COLUMN chatopt.reads.views IS 'how often each message was viewed; NULL: not counted';
COMMENT ON COLUMN chatopt.reads.mentions IS 'whom messages mention; NULL: not kept';
COMMENT ON COLUMN chatopt.reads.mention_table IS 'the application''s table that says so; NULL: a column of messages does';
