-- The statements track_reads and untrack_reads would run, and what they say to those who cannot: word for word.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS chatopt;
CREATE SCHEMA reads_statements;
SET search_path = reads_statements;
CREATE TABLE conversations (id uuid PRIMARY KEY, title text);
CREATE TABLE messages (
  id bigint PRIMARY KEY,
  conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
  sender_id bigint,
  body text,
  created_at timestamptz NOT NULL);
CREATE TABLE members (conversation_id uuid REFERENCES conversations, user_id int, left_at timestamptz);
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
SELECT chatopt.track_reads('messages');
SELECT count(*) > 0 AS ran FROM chatopt.attach('conversations', 'messages');
SELECT chatopt.untrack_reads('messages');
SELECT chatopt.track_reads('messages');
SELECT count(*) > 0 AS ran FROM chatopt.attach('conversations', 'messages', 'members', member_counted => 'left_at IS NULL');
SELECT chatopt.track_reads('messages', 'never');
SELECT chatopt.track_reads('messages');
ALTER TABLE messages ADD author_id int;
SELECT count(*) > 0 AS ran FROM chatopt.attach('conversations', 'messages', message_sender => 'author_id');
SELECT chatopt.track_reads('messages');
CREATE UNIQUE INDEX ON members (conversation_id, user_id) WHERE left_at IS NULL;
CREATE TABLE members_read_state (a int);
SELECT chatopt.track_reads('messages');
DROP TABLE members_read_state;
SELECT chatopt.track_reads('messages', own_messages => 'count', dry_run => true);
-- nothing has changed
SELECT count(*) FROM chatopt.reads;
INSERT INTO conversations (id) VALUES ('11111111-1111-1111-1111-111111111111');
GRANT INSERT ON messages TO PUBLIC;
SET client_min_messages = notice;
SELECT count(*) > 0 AS ran FROM chatopt.track_reads('messages', own_messages => 'count');
SET client_min_messages = warning;
SELECT messages, members, read_state, read_heads, skipped_numbers, read_marks, own_messages, state, private_size, small_size, large_size
  FROM chatopt.reads;
-- a second time there is nothing to do
SELECT chatopt.track_reads('messages', own_messages => 'count');
SELECT chatopt.detach('messages');
SELECT chatopt.untrack_reads('messages', dry_run => true);
SELECT count(*) > 0 AS ran FROM chatopt.untrack_reads('messages');
-- the tables are kept and taken up again
SELECT chatopt.track_reads('messages');
SELECT chatopt.untrack_reads('messages', drop_tables => true, dry_run => true);
SELECT count(*) > 0 AS ran FROM chatopt.detach('messages', drop_columns => true, "cascade" => true);
DROP SCHEMA reads_statements CASCADE;
