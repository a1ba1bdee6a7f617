-- A chat with :rows messages over :conversations conversations, interleaved as time would have laid them down.
-- psql variable: numbered (peer (d) has its numbers already).
\set QUIET on
\if :numbered
INSERT INTO :"schema".messages (conversation_id, sequence_number, sender_id, content, created_at)
SELECT 1 + i % :conversations, 1 + i / :conversations, 7, 'a message of about the length that most messages in a chat have, more or less',
       timestamptz '2024-01-01 00:00Z' + i * interval '1 second'
  FROM generate_series(0, :rows - 1) i;
\else
INSERT INTO :"schema".messages (conversation_id, sender_id, content, created_at)
SELECT 1 + i % :conversations, 7, 'a message of about the length that most messages in a chat have, more or less',
       timestamptz '2024-01-01 00:00Z' + i * interval '1 second'
  FROM generate_series(0, :rows - 1) i;
\endif
