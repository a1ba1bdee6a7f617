-- :rows single-row inserts into conversation 1, in one transaction, each a statement of its own.
SELECT format($do$DO $$
BEGIN
    FOR i IN 1 .. %s LOOP
        INSERT INTO %I.messages (conversation_id, sender_id, content)
        VALUES (1, 7, 'a message of about the length that most messages in a chat have, more or less');
    END LOOP;
END $$$do$, :rows, :'schema') \gexec
