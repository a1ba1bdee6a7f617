-- The same by peer (c).
SELECT format($do$DO $$
BEGIN
    FOR i IN 1 .. %1$s LOOP
        WITH conversation AS (
            UPDATE %2$I.conversations
               SET last_sequence_number = last_sequence_number + 1, message_count = message_count + 1,
                   last_message_id = nextval('%2$I.messages_id_seq'), last_message_at = now()
             WHERE id = 1
            RETURNING id, last_sequence_number, last_message_id, last_message_at)
        INSERT INTO %2$I.messages (id, conversation_id, sequence_number, sender_id, content, created_at)
        SELECT last_message_id, id, last_sequence_number, 7,
               'a message of about the length that most messages in a chat have, more or less', last_message_at
          FROM conversation;
    END LOOP;
END $$$do$, :rows, :'schema') \gexec
