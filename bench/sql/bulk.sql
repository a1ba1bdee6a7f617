-- One statement that inserts :rows messages, spread over the first :conversations conversations.
INSERT INTO :"schema".messages (conversation_id, sender_id, content)
SELECT 1 + i % :conversations, 7, 'a message of about the length that most messages in a chat have, more or less'
  FROM generate_series(1, :rows) i;
