-- migrate_receipts, migrate_receipts_json and compare_receipts: who got what, message by message, is the same as in the receipts of
-- before; positions, memberships and acknowledgements are those that say it with the fewest rows.
\set file reads_migration
\ir setup.psql
\ir reads.psql
SELECT no_plan();

CREATE SCHEMA chat;
SET search_path = chat, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, sender_id int, type text NOT NULL DEFAULT 'text',
  created_at timestamptz DEFAULT timestamptz '2024-01-01', deleted_at timestamptz, seen_by jsonb, seen_json json);
CREATE TABLE members (conversation_id int REFERENCES conversations, user_id int, left_at timestamptz, PRIMARY KEY (conversation_id, user_id));
CREATE TYPE receipt_state AS ENUM ('SENT', 'Delivered', 'read');
CREATE TABLE message_receipts (message_id bigint NOT NULL, user_id int, delivered_at timestamptz, read_at timestamptz);
CREATE INDEX ON message_receipts (message_id);
CREATE TABLE statuses (msg text, reader text, status receipt_state);
SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL AND type <> ''join''',
  member_counted => 'left_at IS NULL') \g /dev/null
SELECT count(*) FROM chatopt.track_reads('messages') \g /dev/null
CREATE VIEW counts AS SELECT id AS conversation_id, last_sequence_number FROM conversations;

-- what there is: positions as track_reads and backfill leave them, members come after the messages
CREATE FUNCTION chat.history(conversation int, senders int[], users int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO conversations VALUES (conversation);
  INSERT INTO messages (id, conversation_id, sender_id) SELECT 100 * conversation + n, conversation, s FROM unnest(senders) WITH ORDINALITY AS t(s, n);
  INSERT INTO members SELECT conversation, u FROM unnest(users) AS u;
END $$;

-- receipts(1, 7, 'rrds.r'): user 7's receipts of messages 1, 2, …: read, delivered, sent, none
CREATE FUNCTION chat.receipts(conversation int, member int, marks text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO message_receipts SELECT 100 * $1 + n, $2, CASE WHEN m IN ('r', 'd') THEN timestamptz '2024-01-01' END, CASE WHEN m = 'r' THEN timestamptz '2024-01-01' END
  FROM string_to_table($3, NULL) WITH ORDINALITY AS t(m, n) WHERE m <> '.';
$$;

-- what chatopt has, in the same letters, recounted from positions and acknowledgements
CREATE FUNCTION chat.marks(conversation int, member int) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(CASE WHEN r.member_id IS NULL THEN '.'
    WHEN m.n <= r.read_seq OR m.n - 1 = ANY (k.read::int[]) THEN 'r' WHEN m.n <= r.delivered_seq OR m.n - 1 = ANY (k.delivered::int[]) THEN 'd' ELSE 's' END, '' ORDER BY m.n), '')
  FROM (SELECT n, (SELECT x.sender_id FROM messages x WHERE x.conversation_id = $1 AND x.sequence_number = n) AS sender,
          EXISTS (SELECT FROM messages x WHERE x.conversation_id = $1 AND x.sequence_number = n) AS live
        FROM conversations c, generate_series(1, c.last_sequence_number) AS n WHERE c.id = $1) AS m
  LEFT JOIN members_read_state r ON m.live AND r.conversation_id = $1 AND r.member_id = $2 AND m.n > r.joined_seq AND m.n <= coalesce(r.left_seq, m.n) AND m.sender IS DISTINCT FROM $2
  LEFT JOIN members_read_marks k ON k.conversation_id = $1 AND k.member_id = $2 AND k.chunk = 0
$$;

-- positions of one member
CREATE FUNCTION chat.member_rows(conversation int, member int) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(format('(%s,%s] %s %s', joined_seq, left_seq, delivered_seq, read_seq), ', ' ORDER BY joined_seq), '')
  FROM members_read_state WHERE conversation_id = $1 AND member_id = $2
$$;
CREATE FUNCTION chat.acks(conversation int, member int) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s: %s %s', chunk, delivered, read), ', ' ORDER BY chunk) FROM members_read_marks WHERE conversation_id = $1 AND member_id = $2 AND chunk >= 0
$$;
CREATE FUNCTION chat.everything() RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(E'\n', (SELECT string_agg(r::text, E'\n' ORDER BY r::text) FROM members_read_state r), (SELECT string_agg(r::text, E'\n' ORDER BY r::text) FROM members_read_marks r),
    (SELECT string_agg(r::text, E'\n' ORDER BY r::text) FROM conversations_read_heads r))
$$;

-- ---------------------------------------------------------------------------
-- the odd cases, a conversation each
SELECT chat.history(1, '{1,1,1,2,1,1}', '{1,2,3}') \g /dev/null
SELECT chat.receipts(1, 2, 'rrr.ds'), chat.receipts(1, 3, 'rdrsrs'), chat.receipts(1, 1, '...s..') \g /dev/null
-- gaps; somebody who is no member any more, and somebody who never was
SELECT chat.history(2, '{1,1,1,1,1,1,1,1}', '{1,2}') \g /dev/null
SELECT chat.receipts(2, 2, 'rr..rd..'), chat.receipts(2, 9, '.rds'), chat.receipts(2, 8, 'r.r') \g /dev/null
-- deleted, recalled and system messages; a receipt of a message that is gone
SELECT chat.history(3, '{1,1,1,1,2,1,1,1}', '{1,2,3}') \g /dev/null
SELECT chat.receipts(3, 2, 'rrrr.rrr'), chat.receipts(3, 3, 'rrrrrrsr') \g /dev/null
DELETE FROM messages WHERE id IN (302, 308);
UPDATE messages SET deleted_at = timestamptz '2024-01-01' WHERE id = 303;
UPDATE messages SET type = 'join' WHERE id = 304;
DELETE FROM message_receipts WHERE message_id IN (304) AND user_id = 3;
-- nobody has a receipt; no message at all
SELECT chat.history(4, '{1,2}', '{1,2}') \g /dev/null
INSERT INTO conversations VALUES (5);
-- positions beside the receipts: a member from the first on, who has read something since
SELECT chat.history(6, '{}', '{1,2}') \g /dev/null
INSERT INTO messages (id, conversation_id, sender_id) SELECT 600 + n, 6, 1 FROM generate_series(1, 5) n;
SELECT chatopt.mark_read('messages', 6, 2, 2), chatopt.mark_unread('messages', 6, 2, 1) \g /dev/null
SELECT chat.receipts(6, 2, 'sssr') \g /dev/null
-- what is there twice, users and messages that are NULL
SELECT chat.history(7, '{1,1}', '{2}') \g /dev/null
INSERT INTO message_receipts VALUES (701, 2, NULL, NULL), (701, 2, NULL, timestamptz '2024-01-01'), (702, 2, timestamptz '2024-01-01', NULL), (702, NULL, timestamptz '2024-01-01', timestamptz '2024-01-01'), (799, 2, timestamptz '2024-01-01', timestamptz '2024-01-01');
-- a message without a sender
SELECT chat.history(8, '{NULL,1}', '{1,2}') \g /dev/null
SELECT chat.receipts(8, 1, 'r.'), chat.receipts(8, 2, 'sr') \g /dev/null

SELECT is((SELECT count(*) FROM chatopt.compare_receipts('messages', 'message_receipts'::regclass) WHERE there IS NOT NULL)::int, 39, test.says('compare: all that is to be migrated'));
CALL chatopt.migrate_receipts('messages', 'message_receipts', batch_size => 3);

SELECT is(chat.marks(1, 2), 'rrr.ds', test.says('in order'));
SELECT is(chat.member_rows(1, 2), '(0,] 5 4', test.says('in order: one membership and two positions'));
SELECT is(chat.acks(1, 2), NULL, test.says('in order: no acknowledgements'));
SELECT is(chat.marks(1, 3), 'rdrsrs', test.says('out of order'));
SELECT is(chat.member_rows(1, 3), '(0,] 3 1', test.says('out of order: positions up to the first that is not'));
SELECT is(chat.acks(1, 3), '0: {2,4} {2,4}', test.says('out of order: acknowledgements beyond'));
SELECT is(chat.marks(1, 1), '...s..', test.says('no receipts of own messages'));
SELECT is(chat.marks(2, 2), 'rr..rd..', test.says('gaps'));
SELECT is(chat.member_rows(2, 2), '(0,2] 2 2, (4,6] 6 5, (8,] 8 8', test.says('gaps: closed memberships'));
SELECT is(chat.marks(2, 9), '.rds....', test.says('no member any more'));
SELECT is(chat.member_rows(2, 9), '(1,4] 3 2', test.says('no member any more: a closed membership'));
SELECT is(chat.marks(2, 8), 'r.r.....', test.says('a gap of somebody who is no member'));
SELECT is((SELECT count(DISTINCT slot) || ' ' || max(slot) || ' ' || (SELECT next_slot || ' ' || members FROM conversations_read_heads WHERE conversation_id = 2)
  FROM members_read_state WHERE conversation_id = 2), '4 3 4 2', test.says('each has a slot, the head knows them'));
SELECT is(chat.marks(3, 2), 'r.rr.rr.', test.says('removed messages'));
SELECT is(chat.member_rows(3, 2), '(0,] 8 8', test.says('removed and own messages split nothing'));
SELECT is(chat.marks(3, 3), 'r.r.rrs.', test.says('a system message that a member did not get'));
SELECT is(chat.member_rows(3, 3), '(0,3] 3 3, (4,] 6 6', test.says('a live message without a receipt splits, a removed one at the end does not'));
SELECT is(chat.marks(4, 2), '..', test.says('no receipts'));
SELECT is(chat.marks(6, 2), 'rrsrs', test.says('what was read since stays read'));
SELECT is(chat.member_rows(6, 2), '(0,] 2 2', test.says('what was read since: positions stay'));
SELECT is((SELECT unread_seq FROM members_read_marks WHERE conversation_id = 6 AND chunk = -1), 0::bigint, test.says('an unread mark stays'));
SELECT is(chat.marks(7, 2), 'rd', test.says('the furthest of two receipts'));
SELECT is(chat.marks(8, 1) || ' ' || chat.marks(8, 2), 'r. sr', test.says('a message without a sender is everybody''s'));
SELECT is((SELECT string_agg(c::text, ' ') FROM chatopt.compare_receipts('messages', 'message_receipts'::regclass) c WHERE conversation <> '6'), NULL, test.says('compare: the same there and here'));
SELECT is((SELECT string_agg(c::text, ' ' ORDER BY seq) FROM chatopt.compare_receipts('messages', 'message_receipts') c), '(6,1,2,sent,read) (6,2,2,sent,read) (6,5,2,,sent)',
  test.says('compare: what chatopt knows more'));
SELECT is((SELECT count(*)::int FROM chatopt.progress), 0, test.says('progress is done'));
SELECT test.sound('after a migration');

-- twice
SELECT chat.everything() AS once \gset
CALL chatopt.migrate_receipts('messages', 'message_receipts');
SELECT is(chat.everything(), :'once', test.says('the second run changes nothing'));

-- own messages between unread ones are not unread
SELECT chat.history(10, '{1,1,2,1,2}', '{1,2}') \g /dev/null
SELECT chat.receipts(10, 2, 'rs.s.') \g /dev/null
CALL chatopt.migrate_receipts('messages', 'message_receipts');
SELECT is(chat.marks(10, 2), 'rs.s.', test.says('own messages after unread ones'));
SELECT is(chatopt.unread_count('messages', 10, 2), 2::bigint, test.says('own messages are not unread'));
SELECT is(chatopt.mark_read('messages', 10, 2, 2), 3::bigint, test.says('the position takes an own message along'));
SELECT is(chatopt.unread_count('messages', 10, 2), 1::bigint, test.says('one is left'));

-- acknowledgements of a closed membership outlive marks in the open one
SELECT chat.history(11, '{1,1,1,1,1,1}', '{1}') \g /dev/null
SELECT chat.receipts(11, 2, 'sr.s') \g /dev/null
INSERT INTO members VALUES (11, 2);
INSERT INTO messages (id, conversation_id, sender_id) VALUES (1107, 11, 1), (1108, 11, 1);
CALL chatopt.migrate_receipts('messages', 'message_receipts');
SELECT is(chat.marks(11, 2), 'sr.s..ss', test.says('two memberships'));
SELECT is(chatopt.ack_message('messages', 11, 2, 8, 'read'), 6::bigint, test.says('an acknowledgement in the second'));
SELECT is(chatopt.mark_read('messages', 11, 2, 8), 8::bigint, test.says('a mark in the second'));
SELECT is(chat.marks(11, 2), 'sr.s..rr', test.says('the first stays as it was'));

-- a live system message between is not in the pieces, others go on
SELECT chat.history(12, '{1,1,1,1}', '{1,2}') \g /dev/null
SELECT chat.receipts(12, 2, 'r.ds') \g /dev/null
CALL chatopt.migrate_receipts('messages', 'message_receipts', split => false);
SELECT is(chat.marks(12, 2), 'rsds', test.says('split => false: the gap is sent'));
SELECT is(chat.member_rows(12, 2), '(0,] 1 1', test.says('split => false: one membership'));

-- another table: keys of other types, names given, statuses of any case
SELECT chat.history(20, '{1,1,1,1}', '{2,3}') \g /dev/null
INSERT INTO statuses VALUES ('2001', '2', 'read'), ('2002', '2', 'Delivered'), ('2003', '2', 'SENT'), ('2004', '2', NULL), ('2002', '3', 'read');
CALL chatopt.migrate_receipts('messages', 'statuses', receipt_message => 'msg', receipt_user => 'reader');
SELECT is(chat.marks(20, 2) || ' ' || chat.marks(20, 3), 'rdss .r..', test.says('a status column'));
SELECT is((SELECT count(*)::int FROM chatopt.compare_receipts('messages', 'statuses'::regclass, 'msg', 'reader') WHERE conversation = '20'), 0, test.says('a status column: the same'));
ALTER TABLE statuses ADD is_read boolean DEFAULT false;
UPDATE statuses SET is_read = true WHERE msg = '2003';
CALL chatopt.migrate_receipts('messages', 'statuses', receipt_message => 'msg', receipt_user => 'reader');
SELECT is(chat.marks(20, 2), 'rdrs', test.says('a boolean'));

-- maps, in both forms
SELECT chat.history(30, '{1,1,1,1,1,2}', '{2,3}') \g /dev/null
UPDATE messages SET seen_by = v.map::jsonb FROM (VALUES (3001, '{"2": "SEEN", "3": {"status": "READ", "timestamp": "2024-01-01T00:00:00Z"}}'),
  (3002, '{"2": "delivered", "3": {"Status": "Delivered"}}'), (3003, '{"2": {"READ": "2024-01-01"}, "3": {"DELIVERED": 1700000000, "READ": null}}'),
  (3004, '{"2": {"status": "seen"}, "3": null, "77": "read"}'), (3005, '{"2": {}, "3": "SENT"}'), (3006, '{"2": "read", "3": {"delivered": true, "read": false}}')) AS v(id, map) WHERE messages.id = v.id;
UPDATE messages SET seen_by = '[]' WHERE id = 2001;
CALL chatopt.migrate_receipts_json('messages', 'seen_by', batch_size => 2);
SELECT is(chat.marks(30, 2), 'rdrrs.', test.says('a map'));
SELECT is(chat.marks(30, 3), 'rddssd', test.says('a map of objects'));
SELECT is(chat.marks(30, 77), '...r..', test.says('a map with somebody who is no member'));
SELECT is((SELECT count(*)::int FROM chatopt.compare_receipts('messages', 'seen_by') WHERE conversation = '30'), 0, test.says('a map: the same'));
SELECT chat.everything() AS once \gset
UPDATE messages SET seen_json = seen_by::json;
CALL chatopt.migrate_receipts_json('messages', 'seen_json');
SELECT is(chat.everything(), :'once', test.says('a map as json: the same again'));

-- what differs is a warning, what cannot be is refused
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'nothing') $$, '42P01', 'compare: no such table');
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'statuses') $$, '42703', 'compare: columns not found');
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'message_receipts'::regclass, read_at => 'nothing') $$, '42703', 'compare: no such column');
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', NULL::regclass) $$, '22004', 'compare: no table');
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('members', 'message_receipts'::regclass) $$, '55000', 'compare: not attached');
SELECT test.refused($$ SELECT chatopt._import_reads('messages', '1', '2', '{0,0}', '{1,2}', '{0}', '{0}', NULL, NULL) $$, 'XX000', 'an import that does not fit');
SELECT test.refused($$ CALL chatopt.migrate_receipts('messages', 'message_receipts') $$, '25001', 'within a function');
CREATE ROLE chatopt_migration_other;
GRANT ALL ON SCHEMA chat TO chatopt_migration_other;
GRANT ALL ON ALL TABLES IN SCHEMA chat TO chatopt_migration_other;
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('chat.messages', 'chat.message_receipts'::regclass) $$, '42501', 'compare: not the owner', 'chatopt_migration_other');
SELECT test.refused($$ SELECT chatopt._import_reads('chat.messages', '1', '2', '{0}', '{1}', '{0}', '{0}', NULL, NULL) $$, '42501', 'import: not the owner', 'chatopt_migration_other');
SELECT test.refused($$ SELECT chatopt._save_migration('chat.messages', 1, 1, timestamptz '2024-01-01') $$, '42501', 'progress: not the owner', 'chatopt_migration_other');
UPDATE messages SET seen_by = '{"2": "opened"}' WHERE id = 3001;
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'seen_by') $$, '22023', 'an unknown status');
UPDATE messages SET seen_by = '{"ann": "read"}' WHERE id = 3001;
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'seen_by') $$, '22P02', 'a malformed user');
UPDATE messages SET seen_by = '{"2": true}' WHERE id = 3001;
SELECT test.refused($$ SELECT * FROM chatopt.compare_receipts('messages', 'seen_by') $$, '22023', 'a status that is none');

-- too many gaps
SELECT chat.history(40, array_fill(1, ARRAY[2100]), '{2}') \g /dev/null
INSERT INTO message_receipts SELECT 100 * 40 + n, 5, timestamptz '2024-01-01', timestamptz '2024-01-01' FROM generate_series(1, 2100, 2) n;
\set ON_ERROR_STOP 0
\set SHOW_CONTEXT never
CALL chatopt.migrate_receipts('messages', 'message_receipts');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '54000', test.says('more than a thousand gaps'));
CALL chatopt.migrate_receipts('messages', 'message_receipts', batch_size => 0);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22023', test.says('a batch of nothing'));
CALL chatopt.migrate_receipts('messages', 'message_receipts', split => NULL);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22004', test.says('neither to split nor not to'));
CALL chatopt.migrate_receipts_json('messages', 'nothing');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42703', test.says('no such map'));
\set ON_ERROR_STOP 1
CALL chatopt.migrate_receipts('messages', 'message_receipts', split => false);
SELECT is(chat.member_rows(40, 5), '(0,2099] 1 1', test.says('many gaps that are filled'));
SELECT is((SELECT count(*)::int FROM chatopt.compare_receipts('messages', 'message_receipts') WHERE conversation = '40' AND there IS NOT NULL), 0, test.says('many gaps: nothing lost'));

-- not filled yet
UPDATE conversations_read_heads SET filled_upto = 0 WHERE conversation_id = 1;
\set ON_ERROR_STOP 0
CALL chatopt.migrate_receipts('messages', 'message_receipts');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', test.says('a conversation that is not tracked yet'));
\set ON_ERROR_STOP 1
UPDATE conversations_read_heads SET filled_upto = NULL WHERE conversation_id = 1;

DROP OWNED BY chatopt_migration_other;
DROP ROLE chatopt_migration_other;
\ir teardown.psql
