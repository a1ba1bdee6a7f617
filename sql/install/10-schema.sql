-- 10-schema.sql: schema chatopt, its configuration table and the progress table.
--
-- Everything administrative lives in schema chatopt, which this script makes itself. The configuration says which
-- tables form a chat and what attach changed on them; the columns' roles are kept in the triggers, where renames and
-- dumps follow by themselves.

DO $$
BEGIN
  IF '@extschema@' OPERATOR(pg_catalog.=) 'chatopt' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = 'extension "chatopt" cannot be created in schema "chatopt"',
      DETAIL = 'The extension makes schema "chatopt" itself, for its administrative functions.',
      HINT = 'Drop schema "chatopt" and leave SCHEMA out, or name the schema that is to hold the types and operators.';
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'chatopt') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_schema',
      MESSAGE = 'schema "chatopt" already exists',
      DETAIL = 'The extension makes schema "chatopt" itself and takes over none that it finds.',
      HINT = 'Drop or rename the schema, then create the extension again.';
  END IF;
END
$$;

CREATE SCHEMA chatopt;
GRANT USAGE ON SCHEMA chatopt TO PUBLIC;
COMMENT ON SCHEMA chatopt IS 'functions, views and configuration of the chatopt extension';

CREATE TABLE chatopt.chat (
  messages regclass PRIMARY KEY,
  conversations regclass NOT NULL,
  members regclass,
  counters regclass NOT NULL,
  state text NOT NULL CHECK (state IN ('index missing', 'filling', 'attached', 'disabled')),
  enforce_conversation boolean NOT NULL DEFAULT false,
  options jsonb NOT NULL DEFAULT '{}',
  undo jsonb NOT NULL DEFAULT '{}',
  attached_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON TABLE chatopt.chat FROM PUBLIC;
COMMENT ON TABLE chatopt.chat IS
  'the attached chats; written only by chatopt''s own functions, read through the view chatopt.chats';
COMMENT ON COLUMN chatopt.chat.messages IS 'the messages table, which names the chat';
COMMENT ON COLUMN chatopt.chat.conversations IS 'the conversations table';
COMMENT ON COLUMN chatopt.chat.members IS 'the members table, NULL where none was given';
COMMENT ON COLUMN chatopt.chat.counters IS 'the table that holds the counters: conversations, or one of its own';
COMMENT ON COLUMN chatopt.chat.state IS
  '''index missing'': the index on (conversation, number) is still to be built; ''filling'': rows from before attach '
  'are not numbered yet; ''attached'': every number and counter is kept; ''disabled'': the triggers are off';
COMMENT ON COLUMN chatopt.chat.enforce_conversation IS 'chatopt checks the conversation of a message in place of a foreign key';
COMMENT ON COLUMN chatopt.chat.options IS 'the column names and conditions attach was last called with, after finding names';
COMMENT ON COLUMN chatopt.chat.undo IS 'what attach made or dropped, for detach';
COMMENT ON COLUMN chatopt.chat.attached_at IS 'when the chat was attached first';

-- A regclass of a dropped table dumps as a bare number, which would be restored as somebody else's table.
SELECT pg_catalog.pg_extension_config_dump('chatopt.chat',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = messages)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = conversations)'
  ' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = counters)'
  ' AND (members IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = members))');

CREATE TABLE chatopt.progress_log (
  messages regclass NOT NULL,
  task text NOT NULL,
  done bigint NOT NULL DEFAULT 0,
  total bigint,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  pid int NOT NULL DEFAULT pg_backend_pid(),
  username name NOT NULL DEFAULT current_user,
  PRIMARY KEY (messages, task)
);
REVOKE ALL ON TABLE chatopt.progress_log FROM PUBLIC;
COMMENT ON TABLE chatopt.progress_log IS
  'how far long work has come, one row per table and task; survives a killed procedure; read it through chatopt.progress';
COMMENT ON COLUMN chatopt.progress_log.messages IS 'the table worked on';
COMMENT ON COLUMN chatopt.progress_log.task IS 'the kind of work, such as ''backfill'' or ''repair''';
COMMENT ON COLUMN chatopt.progress_log.done IS 'rows or conversations done so far';
COMMENT ON COLUMN chatopt.progress_log.total IS 'how many there are to do, as estimated at the start';
COMMENT ON COLUMN chatopt.progress_log.started_at IS 'when this run began';
COMMENT ON COLUMN chatopt.progress_log.updated_at IS 'when the last batch was committed';
COMMENT ON COLUMN chatopt.progress_log.pid IS 'the backend that runs it, or ran it last';
COMMENT ON COLUMN chatopt.progress_log.username IS 'the role that runs it, or ran it last';
