-- Reads of conversations from before: backfill, being stopped, filling again, and
-- what verify finds wrong with them and repair puts right.
\set file reads_filling
\ir setup.psql
SELECT plan(183);

-- finds('1|slot|0|5, 6', 'what'): what verify says of the reads, a line each.
CREATE FUNCTION test.finds(expected text, what text, conversation text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT is((SELECT coalesce(string_agg(concat_ws('|', coalesce(v.conversation, ''), v.counter, coalesce(v.stored, ''), coalesce(v.actual, '')), E'\n'
    ORDER BY v.conversation NULLS FIRST, v.counter, v.stored, v.actual), '') FROM chatopt.verify(to_regclass('messages'), conversation) AS v), expected, test.says(what))
$$;
-- skipped(1): removed and uncounted numbers of a conversation of at most 4,096, as ranges.
CREATE FUNCTION test.ranges(numbers int[]) RETURNS text LANGUAGE sql AS $$
  SELECT '{' || coalesce(string_agg(CASE WHEN least = most THEN least::text ELSE least || '-' || most END, ',' ORDER BY least), '') || '}'
  FROM (SELECT min(n) AS least, max(n) AS most FROM (SELECT n, n - row_number() OVER (ORDER BY n) AS island FROM unnest(numbers) n) i GROUP BY island) r
$$;
CREATE FUNCTION test.skipped(conversation int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN coalesce((SELECT format('%s %s', test.ranges(ARRAY(SELECT n + 1 FROM unnest(removed::int[]) n)), test.ranges(ARRAY(SELECT n + 1 FROM unnest(uncounted::int[]) n)))
    FROM messages_skipped_numbers WHERE conversation_id = conversation AND level = 0 AND chunk = 0), '{} {}');
END $$;
-- memberships(1): 'member (joined,left] delivered read', a list.
CREATE FUNCTION test.memberships(conversation int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT coalesce(string_agg(format('%s (%s,%s] %s %s', member_id, joined_seq, left_seq, delivered_seq, read_seq), ', ' ORDER BY member_id, joined_seq), '')
    FROM members_read_state WHERE conversation_id = conversation);
END $$;
-- unread(1, '7:0 9:-', 'what'): the unread counts of users 7 and 9, which a recount of the messages gives too.
CREATE FUNCTION test.unread(conversation int, expected text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  users int[] := ARRAY(SELECT split_part(s, ':', 1)::int FROM regexp_split_to_table(expected, ' ') s);
  counted text;
  recounted text;
BEGIN
  SELECT string_agg(u || ':' || coalesce(chatopt.unread_count('messages', conversation, u)::text, '-'), ' ' ORDER BY o),
      string_agg(u || ':' || coalesce((SELECT (SELECT count(*) FROM messages m WHERE m.conversation_id = conversation AND m.sequence_number > s.read_seq
        AND m.sender_id IS DISTINCT FROM u AND m.deleted_at IS NULL AND m.type <> 'join')::text FROM members_read_state s
        WHERE s.conversation_id = conversation AND s.member_id = u AND s.left_seq IS NULL), '-'), ' ' ORDER BY o)
    INTO counted, recounted FROM unnest(users) WITH ORDINALITY AS t(u, o);
  RETURN is(counted || CASE WHEN counted <> recounted THEN ', a recount: ' || recounted ELSE '' END, expected, test.says(what));
END $$;

\set layout plain
\ir forms/reads_filling.psql
\set layout partitioned
\ir forms/reads_filling.psql
\set layout apart
\ir forms/reads_filling.psql
\set layout enforced
\ir forms/reads_filling.psql

-- a conversation of several leaves, with long removed ranges and nodes above
CREATE SCHEMA long;
SET search_path = long, test, tap, public;
CREATE TABLE conversations (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id text COLLATE "C", sender_id uuid, type text);
CREATE TABLE members (conversation_id text COLLATE "C", user_id uuid, PRIMARY KEY (conversation_id, user_id));
SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => $$ type IS NULL $$) \g /dev/null
INSERT INTO conversations VALUES ('a'), ('b');
INSERT INTO members SELECT 'a', ('00000000-0000-0000-0000-00000000000' || i)::uuid FROM generate_series(1, 3) i;
INSERT INTO messages SELECT i, 'a', NULL, CASE WHEN i % 5 = 0 THEN 'x' END FROM generate_series(1, 25000) i;
SET chatopt.explicit_sequence = on;
INSERT INTO messages (id, conversation_id, sequence_number) VALUES (30000, 'a', 1000000000), (30001, 'a', 1000000005);
RESET chatopt.explicit_sequence;
DELETE FROM messages WHERE id BETWEEN 4000 AND 17000 OR id % 7 = 0;
SELECT chatopt.track_reads('messages') \g /dev/null
CALL chatopt.backfill('messages', 3000);
SELECT test.finds('', 'a hole of a thousand million numbers');
SELECT cmp_ok((SELECT count(*) FROM messages_skipped_numbers), '<', 20::bigint, test.says('takes a handful of rows'));
SET session_replication_role = replica;
UPDATE members_read_state SET joined_seq = 0, read_seq = 0;
RESET session_replication_role;
CREATE FUNCTION recounts() RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  position bigint;
BEGIN
  FOREACH position IN ARRAY ARRAY[0, 1, 3999, 4096, 4097, 12288, 16384, 17001, 20480, 24999, 25000, 262144, 999999999, 1000000000, 1000000004] LOOP
    SET LOCAL session_replication_role = replica;
    UPDATE members_read_state SET read_seq = position, delivered_seq = position;
    RETURN QUERY SELECT position, chatopt.unread_count('messages', 'a', s.member_id) FROM members_read_state s
      WHERE chatopt.unread_count('messages', 'a', s.member_id) IS DISTINCT FROM
        (SELECT count(*) FROM messages m WHERE m.conversation_id = 'a' AND m.sequence_number > position AND m.type IS NULL);
  END LOOP;
END $$;
SELECT is_empty('SELECT * FROM recounts() AS r(position bigint, unread bigint)', test.says('unread counts from every part of it'));
SELECT ok(chatopt.unread_count('messages', 'a', (SELECT user_id FROM members LIMIT 1)) IS NOT NULL, test.says('are counts'));

-- an error in the middle: what was committed stays, and backfill goes on there
CREATE SCHEMA stopped;
SET search_path = stopped, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int, sender_id int, deleted_at timestamptz, type text NOT NULL DEFAULT 'text');
CREATE TABLE members (conversation_id int, user_id int, PRIMARY KEY (conversation_id, user_id));
SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL') \g /dev/null
INSERT INTO conversations VALUES (1), (2), (3);
INSERT INTO members SELECT c, u FROM generate_series(1, 3) c, generate_series(5, 7) u;
INSERT INTO messages (id, conversation_id, sender_id) SELECT 100 * c + i, c, 5 + i % 2 FROM generate_series(1, 3) c, generate_series(1, 10 * c) i;
DELETE FROM messages WHERE conversation_id = 2 AND sequence_number IN (2, 5, 8, 11, 14);
SELECT chatopt.track_reads('messages') \g /dev/null
CREATE INDEX stop ON conversations_read_heads ((1 / (filled_upto - 15)));
\set ON_ERROR_STOP 0
\set VERBOSITY terse
CALL chatopt.backfill('messages', 5);
\set failed :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set ON_ERROR_STOP 1
SELECT is(:'failed'::text, '22012', test.says('an error stops it'));
SELECT is((SELECT string_agg(format('%s:%s', conversation_id, coalesce(filled_upto::text, 'filled')), ' ' ORDER BY conversation_id) FROM conversations_read_heads),
  '1:filled 2:7', test.says('batches before it stay'));
SELECT is((SELECT state FROM chatopt.reads WHERE messages::regclass = 'messages'::regclass), 'filling', test.says('the state is still filling'));
SELECT is((SELECT format('%s %s of %s', task, done, total) FROM chatopt.progress), 'reads 17 of 60', test.says('how far it has come can be seen'));
SELECT test.finds('', 'passed over where it stopped');
SELECT is(test.skipped(2), '{2,5} {}', test.says('kept up to there'));
-- on both sides of where it stopped
DELETE FROM messages WHERE conversation_id = 2 AND sequence_number IN (3, 16);
UPDATE messages SET deleted_at = '2026-01-01' WHERE conversation_id = 2 AND sequence_number IN (4, 17);
INSERT INTO messages (id, conversation_id, sender_id) VALUES (500, 2, 5);
SELECT is(test.skipped(2), '{2-3,5} {4}', test.says('what changes behind it is noted'));
DROP INDEX stop;
CALL chatopt.backfill('messages', 5);
SELECT is((SELECT state FROM chatopt.reads WHERE messages::regclass = 'messages'::regclass), 'tracked', test.says('called again'));
SELECT is((SELECT count(*) FROM chatopt.progress)::text, '0', test.says('and through'));
SELECT is(test.skipped(2), '{2-3,5,8,11,14,16} {4,17}', test.says('it went on where it had stopped'));
SELECT test.finds('', 'nothing is wrong');

-- each thing that can be wrong: found, and put right
SELECT chatopt.mark_read('messages', 2, 5, 20) \g /dev/null
INSERT INTO messages (id, conversation_id, sender_id) SELECT 600 + i, 2, 6 FROM generate_series(1, 9) i;
CREATE TABLE before AS SELECT * FROM members_read_state;
CREATE FUNCTION tamper(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
END $$;
\set restore 'DELETE FROM members_read_state; INSERT INTO members_read_state TABLE before'

SELECT tamper('DELETE FROM members_read_state WHERE conversation_id = 2 AND member_id = 7');
SELECT test.finds(E'2|members|3|2\n2|membership||7', 'a member without a membership');
CALL chatopt.repair('messages');
SELECT test.finds('', 'a member without a membership, repaired');
SELECT is(test.memberships(2), '5 (21,] 21 21, 6 (21,] 30 30, 7 (30,] 30 30', test.says('joins at the last number'));

SELECT tamper('INSERT INTO members_read_state VALUES (2, 70, 20, NULL, 25, 22, NULL, 3)');
SELECT test.finds(E'2|members|3|4\n2|membership|70|\n2|slot|3|7, 70', 'a membership of nobody');
CALL chatopt.repair('messages');
SELECT test.finds('', 'a membership of nobody, repaired');
SELECT is(test.memberships(2), '5 (21,] 21 21, 6 (21,] 30 30, 7 (30,] 30 30, 70 (20,30] 25 22', test.says('ends at the last number'));
SELECT is((SELECT string_agg(member_id || ':' || slot, ' ' ORDER BY member_id) FROM members_read_state WHERE conversation_id = 2), '5:0 6:1 7:4 70:3', test.says('the earlier keeps the slot'));
SELECT is((SELECT next_slot FROM conversations_read_heads WHERE conversation_id = 2), 5, test.says('and the next is free'));

SELECT tamper(:'restore');
SELECT tamper('INSERT INTO members_read_state VALUES (2, 5, 7, NULL, 9, 9, NULL, 0)');
SELECT test.finds(E'2|members|3|4\n2|membership|5 (2 times)|5\n2|own messages|5: read 9|sent 21', 'somebody who is a member twice');
CALL chatopt.repair('messages');
SELECT test.finds('', 'somebody who is a member twice, repaired');
SELECT is(test.memberships(2), '5 (7,30] 21 21, 5 (21,] 21 21, 6 (21,] 30 30, 7 (21,] 21 21', test.says('the later membership stays'));

SELECT tamper(:'restore');
SELECT tamper('UPDATE conversations_read_heads SET members = 9, next_slot = 2 WHERE conversation_id = 2');
SELECT test.finds(E'2|members|9|3\n2|slot|2|below 2', 'a wrong head');
CALL chatopt.repair('messages');
SELECT test.finds('', 'a wrong head, repaired');

SELECT tamper('UPDATE members_read_state SET read_seq = 99, delivered_seq = 98 WHERE conversation_id = 2 AND member_id = 7');
SELECT tamper('UPDATE members_read_state SET joined_seq = 50, delivered_seq = 60, read_seq = 60 WHERE conversation_id = 2 AND member_id = 6');
SELECT tamper('INSERT INTO members_read_state VALUES (2, 6, 40, 45, 45, 45, NULL, 1), (2, 6, 1, 35, 37, 9, NULL, 1)');
SELECT test.finds(E'2|position|6: joined 1, read 9, delivered 37, left 35|last 30\n2|position|6: joined 40, read 45, delivered 45, left 45|last 30\n'
  '2|position|6: joined 50, read 60, delivered 60|last 30\n2|position|7: joined 21, read 99, delivered 98|last 30', 'positions that cannot be');
CALL chatopt.repair('messages');
SELECT test.finds('', 'positions that cannot be, repaired');
SELECT is(test.memberships(2), '5 (21,] 21 21, 6 (1,30] 30 9, 6 (30,] 30 30, 7 (21,] 30 30', test.says('are lowered to what can'));

SELECT tamper(:'restore');
SELECT tamper('UPDATE members_read_state SET read_seq = 22 WHERE conversation_id = 2 AND member_id = 6');
SELECT tamper('INSERT INTO members_read_marks VALUES (7, 2, -1, 21, NULL, NULL), (80, 2, -1, 1, NULL, NULL)');
SELECT test.finds(E'2|own messages|6: read 22|sent 30\n2|unread mark|7: after 21|\n2|unread mark|80: after 1|', 'own messages unread, marks of no use');
CALL chatopt.repair('messages');
SELECT test.finds('', 'own messages unread, marks of no use, repaired');

SELECT tamper($$ UPDATE messages_skipped_numbers SET removed = '{1,2,9}', uncounted = '{0,3}' WHERE conversation_id = 2 $$);
SELECT test.finds(E'2|removed numbers|{10}|{5,8,11,14,16}\n2|uncounted numbers|{1}|{17}', 'skipped numbers');
SELECT test.finds('', 'of another conversation', '3');
SELECT test.finds(E'2|removed numbers|{10}|{5,8,11,14,16}\n2|uncounted numbers|{1}|{17}', 'of this one', '2');
CALL chatopt.repair('messages');
SELECT test.finds('', 'skipped numbers, repaired');
SELECT tamper($$ UPDATE messages_skipped_numbers SET removed = '{1,4096}' WHERE conversation_id = 2 $$);
SELECT test.finds('2|skipped counts|level 0, chunk 0|damaged', 'a damaged row');
CALL chatopt.repair('messages');
SELECT test.finds('', 'a damaged row, repaired');
DELETE FROM messages_skipped_numbers;
SELECT test.finds('2|removed numbers||{2,3,5,8,11,14,16}' || E'\n2|uncounted numbers||{4,17}', 'rows that are gone');
CALL chatopt.repair('messages');
SELECT test.finds('', 'rows that are gone, repaired');

DELETE FROM conversations_read_heads WHERE conversation_id = 1;
UPDATE conversations_read_heads SET filled_upto = 4 WHERE conversation_id = 3;
SELECT tamper('INSERT INTO members_read_state VALUES (77, 5, 1, NULL, 1, 1, NULL, 0)');
SELECT test.finds(E'1|read head||missing\n3|read head|filled up to 4|\n77|reads of no conversation|members_read_state|1', 'heads that are gone, and reads of no conversation');
CALL chatopt.repair('messages');
SELECT test.finds('', 'heads that are gone, and reads of no conversation, repaired');
SELECT is((SELECT count(*) FROM members_read_state WHERE conversation_id = 77)::text, '0', test.says('which are forgotten'));

-- messages that get other numbers: their conversation is filled in again
SELECT tamper('INSERT INTO messages (id, conversation_id, sender_id, deleted_at, sequence_number) VALUES (901, 3, 5, ''2026-01-01'', NULL), (902, 3, 6, NULL, NULL)');
CALL chatopt.repair('messages');
SELECT test.finds('', 'numbers that repair gives');
SELECT is(test.skipped(3), '{} {31}', test.says('are counted or not'));

-- counts of skipped numbers that disagree
SET search_path = long, test, tap, public;
SET session_replication_role = replica;
UPDATE members_read_state SET joined_seq = 1000000005, read_seq = 1000000005, delivered_seq = 1000000005;
UPDATE messages_skipped_numbers SET counts[1] = 4 WHERE level = 1 AND chunk = 0;
RESET session_replication_role;
SELECT is((SELECT stored FROM chatopt.verify('messages') WHERE counter = 'skipped counts' AND stored LIKE 'level 0%'), 'level 0, chunk 0: 4', test.says('a node that miscounts a leaf'));
CALL chatopt.repair('messages');
SELECT test.finds('', 'a node that miscounts a leaf, repaired');
DELETE FROM messages_skipped_numbers WHERE level = 0 AND chunk = 5;
SELECT is((SELECT string_agg(counter, ', ' ORDER BY counter) FROM chatopt.verify('messages')), 'removed numbers, skipped counts, uncounted numbers', test.says('a leaf that is gone'));
SELECT cmp_ok((SELECT max(octet_length(actual)) FROM chatopt.verify('messages')), '<=', 200, test.says('sets are cut short'));
CALL chatopt.repair('messages');
SELECT test.finds('', 'a leaf that is gone, repaired');

-- triggers that reads rely on
SET search_path = stopped, test, tap, public;
DROP TRIGGER aaa_chatopt_conversation ON conversations;
ALTER TABLE members_read_state DISABLE TRIGGER zzz_chatopt_guard_reads;
SELECT is((SELECT string_agg(concat_ws(' ', counter, stored, actual), ', ' ORDER BY counter) FROM chatopt.verify('messages')),
  'trigger aaa_chatopt_conversation missing stopped.conversations, trigger zzz_chatopt_guard_reads disabled stopped.members_read_state', test.says('triggers that are missing or off'));
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.finds('', 'track_reads puts them back');

-- sending does not read: own messages are nobody's to find
SELECT chatopt.track_reads('messages', 'count') \g /dev/null
INSERT INTO messages (id, conversation_id, sender_id) VALUES (950, 1, 5);
SELECT test.finds('', 'own messages where sending does not read');
SELECT is(chatopt.unread_count('messages', 1, 5), 0::bigint, test.says('are not unread'));

\ir teardown.psql
