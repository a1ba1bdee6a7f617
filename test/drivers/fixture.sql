-- One chat in a schema of its own: conversation 1 with members 1 to 4 and ten messages, conversation 2 with members 1 and 2
-- and five, all sent by member 1. Variables: schema, type (of the keys), c1, c2, m1 ... m4 (keys as text).
SET client_min_messages = warning;
CREATE SCHEMA :"schema";
SET search_path = :"schema", public;
CREATE TABLE conversations (id :type PRIMARY KEY);
CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_id :type REFERENCES conversations,
  sender_id :type, content text, created_at timestamptz DEFAULT now());
CREATE TABLE members (conversation_id :type REFERENCES conversations, user_id :type, PRIMARY KEY (conversation_id, user_id));
SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members');
SELECT count(*) FROM chatopt.track_reads('messages');
SELECT count(*) FROM chatopt.create_receipt_queue('messages');
INSERT INTO conversations VALUES (:'c1'), (:'c2');
INSERT INTO members VALUES (:'c1', :'m1'), (:'c2', :'m1');
INSERT INTO members VALUES (:'c1', :'m2'), (:'c2', :'m2');
INSERT INTO members VALUES (:'c1', :'m3');
INSERT INTO members VALUES (:'c1', :'m4');
INSERT INTO messages (conversation_id, sender_id, content) SELECT :'c1', :'m1', i FROM generate_series(1, 10) i;
INSERT INTO messages (conversation_id, sender_id, content) SELECT :'c2', :'m1', i FROM generate_series(1, 5) i;
RESET search_path;
