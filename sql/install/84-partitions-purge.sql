-- 84-partitions-purge.sql: how far partitions of messages have been emptied for the counters.
--
-- The messages of a partition that is to go are taken out of the counters first, conversation by conversation, in transactions of a
-- batch each, while their rows stay. A row here says how far that has come: the messages up to (key, number) count for nothing.

CREATE TABLE chatopt.partition_purge (
  leaf regclass PRIMARY KEY,
  parent regclass NOT NULL,
  direction text NOT NULL CHECK (direction IN ('retiring', 'returning')),
  key text,
  number bigint,
  finished boolean NOT NULL DEFAULT false,
  messages bigint NOT NULL DEFAULT 0,
  CHECK ((key IS NULL) = (number IS NULL))
) WITH (fillfactor = 20);
REVOKE ALL ON TABLE chatopt.partition_purge FROM PUBLIC;
COMMENT ON TABLE chatopt.partition_purge IS
  'partitions of messages whose rows are being taken out of the counters, or put back; written only by chatopt''s own functions, batch by batch';
COMMENT ON COLUMN chatopt.partition_purge.leaf IS 'the partition';
COMMENT ON COLUMN chatopt.partition_purge.parent IS 'the messages table that was given to chatopt.attach';
COMMENT ON COLUMN chatopt.partition_purge.direction IS '''retiring'': its messages are being taken out of the counters; ''returning'': they are being put back';
COMMENT ON COLUMN chatopt.partition_purge.key IS 'messages up to this conversation and number are out of the counters; NULL: none are, or all where finished';
COMMENT ON COLUMN chatopt.partition_purge.number IS 'the number in that conversation';
COMMENT ON COLUMN chatopt.partition_purge.finished IS 'all of its messages are out of the counters: it can be detached or dropped without any counter changing';
COMMENT ON COLUMN chatopt.partition_purge.messages IS 'how many messages the batches have gone through in this direction';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.partition_purge',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = leaf) AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = parent)');

CREATE FUNCTION chatopt._is_purging(messages regclass) RETURNS boolean
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_is_purging';
COMMENT ON FUNCTION chatopt._is_purging(regclass) IS 'internal: whether a chat has messages that count for nothing, as their partition is being retired';
