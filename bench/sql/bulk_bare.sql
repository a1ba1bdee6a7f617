-- The same by peer (a), which has nobody to number its messages: the statement brings the numbers, so that the same
-- rows and index entries land as with everybody else. :before messages a conversation are there already.
INSERT INTO :"schema".messages (conversation_id, sequence_number, sender_id, content)
SELECT 1 + i % :conversations, :before + 1 + (i - 1) / :conversations, 7,
       'a message of about the length that most messages in a chat have, more or less'
  FROM generate_series(1, :rows) i;
