-- The statements attach would run, word for word: what a DBA reads before allowing them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS chatopt;
CREATE SCHEMA attach_statements;
SET search_path = attach_statements;
CREATE TABLE conversations (id uuid PRIMARY KEY, title text);
CREATE TABLE messages (
  id bigint PRIMARY KEY,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  sender_id int,
  body text,
  created_at timestamptz NOT NULL,
  deleted_at timestamptz);
CREATE TABLE members (conversation_id uuid REFERENCES conversations, user_id int, PRIMARY KEY (conversation_id, user_id));
\pset format unaligned
\pset tuples_only on
SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL', dry_run => true);
-- nothing has changed
SELECT count(*) FROM chatopt.chats;
SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL') IS NOT NULL AS ran
  LIMIT 1;
SELECT messages, conversations, members, counters, state FROM chatopt.chats;
-- a second time there is nothing to do
SELECT chatopt.attach('conversations', 'messages', 'members');
SELECT chatopt.detach('messages', drop_columns => true, dry_run => true);
SELECT chatopt.detach('messages', drop_columns => true) IS NOT NULL AS ran LIMIT 1;
DROP SCHEMA attach_statements CASCADE;
