-- 89-convert-swap.sql: chatopt.convert, which makes a live plain table a partitioned one, and chatopt.cancel_conversion.
--
-- The swap is one transaction of catalogue changes: the table becomes a partition of the new parent, which takes its name. The
-- driver (src/partitions/converting.cpp) takes all locks at once without queueing, rehearses the swap and rolls it back, then does it.

CREATE FUNCTION chatopt._lock_conversion(tbl regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_lock_conversion';
COMMENT ON FUNCTION chatopt._lock_conversion(regclass) IS
  'internal: until the transaction ends nobody else converts the table; raises 55006 where somebody does';

CREATE FUNCTION chatopt._move_chat(old_messages regclass, new_messages regclass) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_move_chat';
COMMENT ON FUNCTION chatopt._move_chat(regclass, regclass) IS
  'internal: makes another table the messages table of a chat. The caller must own both (42501)';
