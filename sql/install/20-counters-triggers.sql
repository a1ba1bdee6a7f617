-- 20-counters-triggers.sql: the C functions behind the triggers that attach creates.
--
-- Trigger functions stay executable by everybody: CREATE TRIGGER asks for it, so a restore by the tables' owner needs
-- it. They do nothing on a table that is not attached.

CREATE FUNCTION chatopt.number_message() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_number_message';
COMMENT ON FUNCTION chatopt.number_message() IS
  'BEFORE INSERT OR UPDATE trigger of a messages table: gives the message the next number of its conversation. '
  'Locks the conversation''s counter row FOR NO KEY UPDATE until the transaction ends. '
  'Raises 23503 for an unknown conversation, 428C9 for an explicit number, 55000 where the table is not attached';

-- What WHEN says is read once a statement, so it says little: where the row is, and whether it counts where not every row
-- does. Key, time and number are read from the row itself.

CREATE FUNCTION chatopt.message_inserted(tableoid oid, ctid tid)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_inserted';
COMMENT ON FUNCTION chatopt.message_inserted(oid, tid) IS
  'WHEN clause of the AFTER INSERT trigger of a messages table: notes that the row landed, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.message_inserted(tableoid oid, ctid tid, counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_inserted';
COMMENT ON FUNCTION chatopt.message_inserted(oid, tid, boolean) IS
  'WHEN clause of the AFTER INSERT trigger of a messages table: notes that the row landed, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.message_updated(tableoid oid, old_ctid tid, ctid tid)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_updated';
COMMENT ON FUNCTION chatopt.message_updated(oid, tid, tid) IS
  'WHEN clause of the AFTER UPDATE trigger of a messages table: notes what changed for the counters, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.message_updated(tableoid oid, old_ctid tid, ctid tid, old_counted boolean, counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_updated';
COMMENT ON FUNCTION chatopt.message_updated(oid, tid, tid, boolean, boolean) IS
  'WHEN clause of the AFTER UPDATE trigger of a messages table: notes what changed for the counters, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.message_deleted(tableoid oid, ctid tid)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_deleted';
COMMENT ON FUNCTION chatopt.message_deleted(oid, tid) IS
  'WHEN clause of the AFTER DELETE trigger of a messages table: notes that the row went, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.message_deleted(tableoid oid, ctid tid, counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_message_deleted';
COMMENT ON FUNCTION chatopt.message_deleted(oid, tid, boolean) IS
  'WHEN clause of the AFTER DELETE trigger of a messages table: notes that the row went, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_inserted(tableoid oid, ctid tid, conversation "any", member "any")
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_inserted';
COMMENT ON FUNCTION chatopt.member_inserted(oid, tid, "any", "any") IS
  'WHEN clause of the AFTER INSERT trigger of a members table: notes a member, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_inserted(tableoid oid, ctid tid, conversation "any", member "any", counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_inserted';
COMMENT ON FUNCTION chatopt.member_inserted(oid, tid, "any", "any", boolean) IS
  'WHEN clause of the AFTER INSERT trigger of a members table: notes a member, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_updated(tableoid oid, old_ctid tid, ctid tid)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_updated';
COMMENT ON FUNCTION chatopt.member_updated(oid, tid, tid) IS
  'WHEN clause of the AFTER UPDATE trigger of a members table: notes who joined or left, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_updated(tableoid oid, old_ctid tid, ctid tid, old_counted boolean, counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_updated';
COMMENT ON FUNCTION chatopt.member_updated(oid, tid, tid, boolean, boolean) IS
  'WHEN clause of the AFTER UPDATE trigger of a members table: notes who joined or left, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_deleted(tableoid oid, ctid tid)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_deleted';
COMMENT ON FUNCTION chatopt.member_deleted(oid, tid) IS
  'WHEN clause of the AFTER DELETE trigger of a members table: notes a member who went, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.member_deleted(tableoid oid, ctid tid, counted boolean)
  RETURNS boolean LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_member_deleted';
COMMENT ON FUNCTION chatopt.member_deleted(oid, tid, boolean) IS
  'WHEN clause of the AFTER DELETE trigger of a members table: notes a member who went, returns true once a statement. Raises 39P01 when called by hand';

CREATE FUNCTION chatopt.write_counters() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_write_counters';
COMMENT ON FUNCTION chatopt.write_counters() IS
  'AFTER trigger of messages and members tables, fired once a statement: writes each counter row the statement '
  'changed, once, in key order. Raises 22003 where a counter column is too narrow, 40001 under REPEATABLE READ';

CREATE FUNCTION chatopt.messages_truncated() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_messages_truncated';
COMMENT ON FUNCTION chatopt.messages_truncated() IS
  'BEFORE TRUNCATE trigger of a messages table and each of its partitions: reads what is about to go. '
  'Numbers are not given again';

CREATE FUNCTION chatopt.members_truncated() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_members_truncated';
COMMENT ON FUNCTION chatopt.members_truncated() IS
  'BEFORE TRUNCATE trigger of a members table and each of its partitions: reads who is about to go';

CREATE FUNCTION chatopt.guard_counters() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_guard_counters';
COMMENT ON FUNCTION chatopt.guard_counters() IS
  'BEFORE INSERT OR UPDATE trigger of the counter table: counters start at zero and are written by chatopt alone. '
  'Raises 428C9 where chatopt.counter_writes is ''error'' and an update would change one';

CREATE FUNCTION chatopt.conversation_changed() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_conversation_changed';
COMMENT ON FUNCTION chatopt.conversation_changed() IS
  'AFTER trigger of a conversations table whose counters are elsewhere, or whose messages chatopt checks: keeps the '
  'counter row and does to the messages what the foreign key said. Raises 23503 where they are still referenced';

CREATE FUNCTION chatopt.conversations_truncated() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'chatopt_conversations_truncated';
COMMENT ON FUNCTION chatopt.conversations_truncated() IS
  'AFTER TRUNCATE trigger of a conversations table whose counters are elsewhere, or whose messages chatopt checks: empties '
  'the counters, and refuses with 0A000 where messages are left';

CREATE FUNCTION chatopt.lock_conversations(messages regclass, VARIADIC conversations anycompatiblearray)
  RETURNS void LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'chatopt_lock_conversations';
COMMENT ON FUNCTION chatopt.lock_conversations(regclass, anycompatiblearray) IS
  'locks the counters of several conversations in key order, until the transaction ends, so that sends to them cannot '
  'deadlock; unknown and NULL conversations are passed over. Needs INSERT, UPDATE or DELETE on messages (42501); '
  'raises 55000 where messages is not attached, 22P02 for a malformed key';

CREATE FUNCTION chatopt.parse_condition(tbl regclass, condition text, row_alias text)
  RETURNS text LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_parse_condition';
COMMENT ON FUNCTION chatopt.parse_condition(regclass, text, text) IS
  'a condition on a row of tbl, parsed under the caller''s search_path and written out with every name qualified and '
  'every column prefixed by row_alias. Raises 42P17 for what is not IMMUTABLE, 42501 for a function PUBLIC may not '
  'execute, 0A000 for subqueries and system columns, 42703 and 42601 as PostgreSQL does';

CREATE FUNCTION chatopt.trigger_roles(tbl regclass)
  RETURNS TABLE (role text, column_name name) LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_trigger_roles';
COMMENT ON FUNCTION chatopt.trigger_roles(regclass) IS
  'which column of a messages, members or counter table plays which role, as the triggers on it say; no rows without them';

CREATE FUNCTION chatopt.trigger_condition(tbl regclass, row_alias text)
  RETURNS text LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_trigger_condition';
COMMENT ON FUNCTION chatopt.trigger_condition(regclass, text) IS
  'the condition under which a row of a messages or members table counts, its columns prefixed by row_alias; true where all '
  'do, NULL without triggers of chatopt';

CREATE FUNCTION chatopt.save_chat(
    messages regclass, conversations regclass, members regclass, counters regclass, state text,
    enforce_conversation boolean, options jsonb, undo jsonb)
  RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'chatopt_save_chat';
COMMENT ON FUNCTION chatopt.save_chat(regclass, regclass, regclass, regclass, text, boolean, jsonb, jsonb) IS
  'writes a chat into the configuration; for chatopt.attach, and for the statements its dry run prints. The caller '
  'must own every table named (42501)';

CREATE FUNCTION chatopt.save_chat_state(messages regclass, state text)
  RETURNS void LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_save_chat_state';
COMMENT ON FUNCTION chatopt.save_chat_state(regclass, text) IS
  'writes the state of a chat into the configuration. The caller must own the messages table (42501)';

CREATE FUNCTION chatopt.forget_chat(messages regclass)
  RETURNS void LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'chatopt_forget_chat';
COMMENT ON FUNCTION chatopt.forget_chat(regclass) IS
  'takes a chat out of the configuration. The caller must own the messages table (42501), if there still is one';

CREATE FUNCTION chatopt.chat_config(messages regclass)
  RETURNS chatopt.chat LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'chatopt_chat_config';
COMMENT ON FUNCTION chatopt.chat_config(regclass) IS
  'the configuration of an attached chat, NULL where the table is not attached. Needs SELECT on messages (42501)';
