-- The same by peer (c): counts first, one UPDATE a conversation, numbers by window function.
WITH incoming AS MATERIALIZED (
    SELECT 1 + i % :conversations AS conversation_id, i AS position, nextval(:'schema' || '.messages_id_seq') AS id
      FROM generate_series(1, :rows) i
), conversation AS (
    UPDATE :"schema".conversations c
       SET last_sequence_number = c.last_sequence_number + g.messages, message_count = c.message_count + g.messages,
           last_message_id = g.last_id, last_message_at = now()
      FROM (SELECT conversation_id, count(*) AS messages, max(id) AS last_id FROM incoming GROUP BY conversation_id) g
     WHERE c.id = g.conversation_id
    RETURNING c.id, c.last_sequence_number - g.messages AS numbered
)
INSERT INTO :"schema".messages (id, conversation_id, sequence_number, sender_id, content)
SELECT m.id, m.conversation_id, c.numbered + row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.position),
       7, 'a message of about the length that most messages in a chat have, more or less'
  FROM incoming m JOIN conversation c ON c.id = m.conversation_id;
