-- Peer (b): the two row triggers of common practice. psql variable: schema.
\set QUIET on
SET search_path = :"schema";
SELECT format($f$
CREATE FUNCTION number_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE %1$I.conversations
       SET last_sequence_number = last_sequence_number + 1, message_count = message_count + 1
     WHERE id = NEW.conversation_id
    RETURNING last_sequence_number INTO NEW.sequence_number;
    RETURN NEW;
END $$;
CREATE FUNCTION remember_last_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE %1$I.conversations
       SET last_message_id = NEW.id, last_message_at = NEW.created_at
     WHERE id = NEW.conversation_id;
    RETURN NULL;
END $$
$f$, :'schema') \gexec
CREATE TRIGGER number_message BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION number_message();
CREATE TRIGGER remember_last_message AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION remember_last_message();
