-- apply_receipts and ack_message: every form of arguments, order independence, and positions that take along what
-- was acknowledged out of order.
\set file reads_batches
\ir setup.psql
\ir reads.psql
SELECT no_plan();
SELECT test.track('plain');
\set layout plain

INSERT INTO conversations (id) SELECT generate_series(1, 6);
INSERT INTO members (conversation_id, user_id) SELECT c, u FROM generate_series(1, 6) c, generate_series(1, 4) u;
SELECT test.send(c, 9, 10) FROM generate_series(1, 5) c;

-- all positions in short: conversation:member=delivered/read of those that are not at 0
CREATE FUNCTION test.state() RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(format('%s:%s=%s/%s', conversation_id, member_id, delivered_seq, read_seq), ' ' ORDER BY conversation_id, member_id), '')
  FROM members_read_state WHERE delivered_seq > 0 AND left_seq IS NULL
$$;

-- ---------------------------------------------------------------------------
-- every form of arguments gives the same
CREATE FUNCTION test.applies(call text, expected_moved text, expected text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  moved text;
BEGIN
  BEGIN
    EXECUTE 'SELECT ' || call INTO moved;
    RETURN NEXT is(moved, expected_moved, test.says(what || ': moved'));
    RETURN NEXT is(test.state(), expected, test.says(what));
    RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ001';
  EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
  END;
END $$;
\set one '\'1:1=3/3 1:2=4/0 2:1=5/5\''
SELECT test.applies(call, '3', :one, what) FROM (VALUES
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 2], ARRAY[1, 2, 1], ARRAY[3, 4, 5]::bigint[], ARRAY['read', 'delivered', 'seen'])$$, 'arrays of the keys'' types'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 2]::bigint[], ARRAY[1, 2, 1]::smallint[], ARRAY[3, 4, 5]::bigint[], ARRAY['read', 'delivered', 'seen'])$$, 'arrays of other integers'),
  ($$chatopt.apply_receipts('messages', ARRAY['1', '1', '2'], ARRAY['1', '2', '1'], ARRAY[3, 4, 5]::bigint[], ARRAY['read', 'delivered', 'seen'])$$, 'arrays of text'),
  ($$chatopt.apply_receipts('messages', ARRAY['1', '1', '2'], ARRAY[1, 2, 1], ARRAY[3, 4, 5]::bigint[], ARRAY['read', 'delivered', 'seen'])$$, 'text and integers'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 2], ARRAY['1', '2', '1']::varchar[], ARRAY[3, 4, 5]::bigint[], ARRAY['read', 'delivered', 'seen'])$$, 'integers and varchar'),
  ($$chatopt.apply_receipts('messages', '{1,1,2}', '{1,2,1}', '{3,4,5}', '{read,delivered,seen}')$$, 'nothing typed'),
  ($$chatopt.apply_receipts('messages', '{1,1,2}', ARRAY[1, 2, 1], '{3,4,5}', '{read,delivered,seen}')$$, 'conversations untyped'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 2], '{1,2,1}', '{3,4,5}', '{read,delivered,seen}')$$, 'members untyped'),
  ($$chatopt.apply_receipts('messages', '{1,1,2}'::text, '{1,2,1}'::text, '{3,4,5}', '{read,delivered,seen}')$$, 'arrays in one text'),
  ($$chatopt.apply_receipts('messages', '{1,1,2}'::varchar, ARRAY['1', '2', '1'], '{3,4,5}', '{read,delivered,seen}')$$, 'one text and an array of text'),
  ($$chatopt.apply_receipts(upto => '{3,4,5}', status => '{read,delivered,seen}', members => ARRAY[1, 2, 1], conversations => ARRAY[1, 1, 2], messages => 'messages')$$, 'by name'),
  ($$chatopt.apply_receipts('messages', '[0:2]={1,1,2}'::int[], '[5:7]={1,2,1}'::int[], '{3,4,5}', '{read,delivered,seen}')$$, 'whatever the lower bounds'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 2], ARRAY[1, 2, 1], ARRAY[3, 4, 5]::bigint[], ARRAY['READ', 'Delivered', 'sEEn'])$$, 'statuses in any case'),
  ($$chatopt.apply_receipts('messages', ARRAY[2, 1, 1], ARRAY[1, 2, 1], ARRAY[5, 4, 3]::bigint[], ARRAY['read', 'delivered', 'read'])$$, 'in another order')) AS t(call, what);
-- prepared, with types and without, as drivers do it
PREPARE untyped AS SELECT chatopt.apply_receipts('messages', $1, $2, $3, $4);
SELECT is((SELECT parameter_types::text FROM pg_prepared_statements WHERE name = 'untyped'), '{text,text,bigint[],text[]}', test.says('parameters without types resolve'));
BEGIN;
EXECUTE untyped ('{1,1,2}', '{1,2,1}', '{3,4,5}', '{read,delivered,seen}') \g /dev/null
SELECT is(test.state(), :one, test.says('and give the same'));
EXECUTE untyped ('{1}', '{2}', '{4}', '{read}') \g /dev/null
EXECUTE untyped ('{}', '{}', '{}', '{}') \g /dev/null
SELECT is(test.state(), '1:1=3/3 1:2=4/4 2:1=5/5', test.says('again, with other values'));
ROLLBACK;
PREPARE typed (int[], int[], bigint[], text[]) AS SELECT chatopt.apply_receipts('messages', $1, $2, $3, $4);
BEGIN;
EXECUTE typed ('{1,1,2}', '{1,2,1}', '{3,4,5}', '{read,delivered,seen}') \g /dev/null
SELECT is(test.state(), :one, test.says('parameters with types give the same'));
ROLLBACK;

-- NULLs, and what nobody is: passed over
SELECT test.applies(call, moved, state, what) FROM (VALUES
  ($$chatopt.apply_receipts('messages', ARRAY[1, NULL, 1, 1, 1], ARRAY[1, 1, NULL, 2, 3], ARRAY[3, 4, 5, NULL, 7]::bigint[], ARRAY['read', 'read', 'read', 'read', NULL])$$, '1', '1:1=3/3', 'a NULL anywhere'),
  ($$chatopt.apply_receipts('messages', ARRAY[NULL, NULL]::int[], ARRAY[NULL, NULL]::int[], ARRAY[NULL, NULL]::bigint[], ARRAY[NULL, NULL]::text[])$$, '0', '', 'NULLs only'),
  ($$chatopt.apply_receipts('messages', ARRAY[77, 1, 1], ARRAY[1, 77, 2], ARRAY[1, 2, 3]::bigint[], ARRAY['read', 'read', 'read'])$$, '1', '1:2=3/3', 'an unknown conversation and a non-member'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 1, 6], ARRAY[1, 2, 3, 1], ARRAY[99, 0, -3, 5]::bigint[], ARRAY['read', 'read', 'delivered', 'read'])$$, '1', '1:1=10/10', 'no further than the last message, and not back'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 2], ARRAY[1, 2], ARRAY[9, 9]::bigint[], ARRAY['sent', 'SENT'])$$, '0', '', 'sent changes nothing'),
  ($$chatopt.apply_receipts('messages', '{}'::int[], '{}'::int[], '{}', '{}')$$, '0', '', 'an empty batch'),
  ($$chatopt.apply_receipts('messages', '{}', '{}', '{}', '{}')$$, '0', '', 'an empty batch, untyped'),
  -- folded: each member of a conversation moves once
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1, 1, 1, 1], ARRAY[1, 1, 1, 1, 1], ARRAY[3, 7, 5, 9, 2]::bigint[], ARRAY['read', 'read', 'read', 'delivered', 'delivered'])$$, '1', '1:1=9/7', 'many of one member'),
  ($$chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 1], ARRAY[99, 4]::bigint[], ARRAY['delivered', 'read'])$$, '1', '1:1=10/4', 'both kinds'),
  ($$chatopt.apply_receipts('messages', array_agg(1 + i % 5), array_agg(1 + i % 4), array_agg((1 + i % 10)::bigint), array_agg(CASE WHEN i % 3 = 0 THEN 'read' ELSE 'delivered' END)) FROM generate_series(1, 6000) i$$,
   '20', NULL, 'thousands')) AS t(call, moved, state, what) WHERE t.state IS NOT NULL;
-- a member who left, one who came back
BEGIN;
DELETE FROM members WHERE conversation_id = 1 AND user_id = 1;
SELECT test.applies($$chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[5, 5]::bigint[], ARRAY['read', 'read'])$$, '1', '1:2=5/5', 'a member who left');
INSERT INTO members (conversation_id, user_id) VALUES (1, 1);
SELECT test.send(1, 9);
SELECT test.applies($$chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[11, 5]::bigint[], ARRAY['read', 'read'])$$, '2', '1:1=11/11 1:2=5/5', 'and came back');
ROLLBACK;

-- refused, before anything is changed
SELECT test.refused(format('SELECT chatopt.apply_receipts(%s)', arguments), state, what) FROM (VALUES
  ($$'messages', ARRAY[1, 1], ARRAY[1], ARRAY[3, 3]::bigint[], ARRAY['read', 'read']$$, '2202E', 'members are fewer'),
  ($$'messages', ARRAY[1], ARRAY[1, 2], ARRAY[3, 3]::bigint[], ARRAY['read', 'read']$$, '2202E', 'conversations are fewer'),
  ($$'messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[3]::bigint[], ARRAY['read', 'read']$$, '2202E', 'numbers are fewer'),
  ($$'messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[3, 3]::bigint[], ARRAY['read']$$, '2202E', 'statuses are fewer'),
  ($$'messages', '{1,1}', '{1}', '{3,3}', '{read,read}'$$, '2202E', 'untyped, members are fewer'),
  ($$'messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[3, 3]::bigint[], ARRAY['read', 'gelesen']$$, '22023', 'an unknown status'),
  ($$'messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[3, 3]::bigint[], ARRAY['read', '']$$, '22023', 'an empty status'),
  ($$'messages', '{1,x}', '{1,2}', '{3,3}', '{read,read}'$$, '22P02', 'a malformed conversation, untyped'),
  ($$'messages', '{1,1}', '{1,2x}', '{3,3}', '{read,read}'$$, '22P02', 'a malformed member, untyped'),
  ($$'messages', ARRAY['1', 'x'], ARRAY[1, 2], '{3,3}', '{read,read}'$$, '22P02', 'a malformed conversation'),
  ($$'messages', ARRAY[1, 1], ARRAY['1', ''], '{3,3}', '{read,read}'$$, '22P02', 'a malformed member'),
  ($$'messages', ARRAY[1, 1], ARRAY['1', '99999999999'], '{3,3}', '{read,read}'$$, '22003', 'a member out of range'),
  ($$'messages', '1', '1', '{3}', '{read}'$$, '22P02', 'no array'),
  ($$'messages', '{1,1}', '{1,2}', '{3,drei}', '{read,read}'$$, '22P02', 'a malformed number'),
  ($$'messages', NULL, '{1}', '{3}', '{read}'$$, '22004', 'no conversations'),
  ($$'messages', '{1}', NULL, '{3}', '{read}'$$, '22004', 'no members'),
  ($$'messages', ARRAY[1], NULL::int[], '{3}', '{read}'$$, '22004', 'no members, typed'),
  ($$'messages', '{1}', '{1}', NULL, '{read}'$$, '22004', 'no numbers'),
  ($$'messages', '{1}', '{1}', '{3}', NULL$$, '22004', 'no statuses'),
  ($$NULL, '{1}', '{1}', '{3}', '{read}'$$, '22004', 'no table'),
  ($$'members', '{1}', '{1}', '{3}', '{read}'$$, '55000', 'a table that is not attached')) AS t(arguments, state, what);
SELECT is(test.state(), '', test.says('and none of it moved anything'));
SELECT ok((SELECT message || detail ~ '2.*1.*2.*2' FROM test.complaint($$ SELECT chatopt.apply_receipts('messages', '{1,1}', '{1}', '{3,3}', '{read,read}') $$)), test.says('the error tells the lengths'));

-- the order of a batch, and how it is cut into batches, makes no difference
CREATE TEMP TABLE entries AS SELECT i, 1 + (i * 7) % 5 AS c, 1 + (i * 3) % 4 AS u, (1 + (i * 31) % 12)::bigint AS n,
  CASE i % 3 WHEN 0 THEN 'read' WHEN 1 THEN 'delivered' ELSE 'sent' END AS s FROM generate_series(1, 400) i;
CREATE FUNCTION test.apply_ordered(how text, batch int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  b record;
  result text;
BEGIN
  BEGIN
    FOR b IN EXECUTE format('SELECT array_agg(c) AS c, array_agg(u) AS u, array_agg(n) AS n, array_agg(s) AS s FROM
        (SELECT *, row_number() OVER (ORDER BY %s) AS place FROM entries ORDER BY %1$s) o GROUP BY place / %s ORDER BY place / %2$s', how, batch) LOOP
      PERFORM chatopt.apply_receipts('messages', b.c, b.u, b.n, b.s);
    END LOOP;
    result := test.state();
    RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ001';
  EXCEPTION WHEN SQLSTATE 'ZZ001' THEN RETURN result;
  END;
END $$;
SELECT string_agg(format('%s:%s=%s/%s', c, u, greatest(d, r), r), ' ' ORDER BY c, u) AS wanted FROM (
  SELECT c, u, least(coalesce(max(n) FILTER (WHERE s = 'delivered'), 0), 10) AS d, least(coalesce(max(n) FILTER (WHERE s = 'read'), 0), 10) AS r
  FROM entries GROUP BY c, u) x WHERE greatest(d, r) > 0 \gset
SELECT is(test.apply_ordered(how, batch), :'wanted', test.says(format('400 entries by %s, %s at once', how, batch)))
  FROM unnest(ARRAY['i', 'i DESC', 'n, c, u', 'n DESC, u', 'u, c DESC', 'md5(i::text)']) how, unnest(ARRAY[1, 7, 1000]) batch;
SELECT is(test.state(), '', test.says('all taken back'));

-- an unread mark is settled as by mark_read, and acknowledged messages are taken along
BEGIN;
SELECT chatopt.mark_read('messages', 1, 1, 8), chatopt.mark_unread('messages', 1, 1, 3), chatopt.ack_message('messages', 1, 2, 4, 'read'),
  chatopt.ack_message('messages', 1, 2, 6, 'delivered') \g /dev/null
SELECT chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[5, 3]::bigint[], ARRAY['read', 'read']) \g /dev/null
SELECT test.unread(1, '1:5 2:6', 'an unread mark moves on');
SELECT is(test.state(), '1:1=8/8 1:2=4/4', test.says('an acknowledged message is taken along'));
SELECT chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[8, 5]::bigint[], ARRAY['read', 'delivered']) \g /dev/null
SELECT is(test.state(), '1:1=8/8 1:2=6/4', test.says('one delivered likewise'));
SELECT is_empty('SELECT * FROM members_read_marks', test.says('and no row of marks is left'));
SELECT test.sound('batches over marks');
ROLLBACK;

-- ---------------------------------------------------------------------------
-- ack_message: every order of five messages
CREATE FUNCTION test.permutations(numbers int[]) RETURNS SETOF int[] LANGUAGE sql AS $$
  WITH RECURSIVE p(done, rest) AS (
    SELECT '{}'::int[], numbers
    UNION ALL SELECT done || n, array_remove(rest, n) FROM p, unnest(rest) n)
  SELECT done FROM p WHERE rest = '{}'
$$;
-- acks_go_wrong(1, 7, '{3,1,2}', …): acknowledges these messages in this order. NULL, if after each step the position is
-- the last number before the first that is neither acknowledged nor removed, unread is what is left of first to last and
-- what is beyond, and no row of marks is one too many.
CREATE FUNCTION test.acks_go_wrong(c int, u int, orders int[], first int, last int, removed int[], status text, beyond int DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n int;
  done int[] := '{}';
  wanted bigint;
  found bigint;
  marks int;
  problem text;
BEGIN
  BEGIN
    FOREACH n IN ARRAY orders LOOP
      found := chatopt.ack_message('messages', c, u, n, status);
      done := done || n;
      SELECT coalesce(min(i) - 1, last) INTO wanted FROM generate_series(first, last) i WHERE i <> ALL (done) AND i <> ALL (removed);
      SELECT count(*) INTO marks FROM members_read_marks WHERE conversation_id = c AND member_id = u;
      IF found IS DISTINCT FROM wanted THEN
        problem := format('%s after %s: position %s, wanted %s', orders, n, found, wanted);
      ELSIF (marks > 0) <> EXISTS (SELECT FROM unnest(done) d WHERE d > wanted) THEN
        problem := format('%s after %s: %s rows of marks', orders, n, marks);
      ELSIF status = 'read' AND chatopt.unread_count('messages', c, u) <> beyond + (SELECT count(*) FROM generate_series(first, last) i WHERE i <> ALL (done) AND i <> ALL (removed)) THEN
        problem := format('%s after %s: unread %s', orders, n, chatopt.unread_count('messages', c, u));
      ELSIF chatopt.ack_message('messages', c, u, n, status) <> wanted OR chatopt.ack_message('messages', c, u, n, 'sent') IS NULL THEN
        problem := format('%s after %s: not the same twice', orders, n);
      END IF;
      EXIT WHEN problem IS NOT NULL;
    END LOOP;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ001';
  EXCEPTION WHEN SQLSTATE 'ZZ001' THEN RETURN problem;
  END;
END $$;
SELECT chatopt.mark_read('messages', 2, 1, 5) \g /dev/null
SELECT is_empty(format($$ SELECT p FROM test.permutations('{6,7,8,9,10}') o, test.acks_go_wrong(2, 1, o, 6, 10, '{}', %L) p WHERE p IS NOT NULL $$, s),
  test.says('every order of five, ' || s)) FROM unnest(ARRAY['read', 'delivered']) s;
SELECT is((SELECT count(*)::text FROM test.permutations('{6,7,8,9,10}')), '120', test.says('which are 120'));
-- with removed numbers between, before and after them
DELETE FROM messages WHERE conversation_id = 3 AND sequence_number IN (2, 4, 5, 10);
SELECT is_empty(format($$ SELECT p FROM test.permutations('{1,3,6,7,9}') o, test.acks_go_wrong(3, 1, o || 8, 1, 10, '{2,4,5,10}', %L) p WHERE p IS NOT NULL $$, s),
  test.says('every order of six, with removed numbers, ' || s)) FROM unnest(ARRAY['read', 'delivered']) s;
-- removed after they were acknowledged, or while they were the one that was missing
BEGIN;
SELECT chatopt.ack_message('messages', 4, 1, n, 'read') FROM unnest(ARRAY[3, 5, 6]) n \g /dev/null
SELECT test.unread(4, '2:10', 'nobody else is touched');
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '7', test.says('three of ten are read'));
DELETE FROM messages WHERE conversation_id = 4 AND sequence_number IN (3, 4);
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '6', test.says('one that was read and one that was not are deleted'));
DELETE FROM messages WHERE conversation_id = 4 AND sequence_number IN (1, 2);
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '4', test.says('those that were missing are deleted'));
SELECT is(chatopt.ack_message('messages', 4, 1, 8, 'read')::text, '6', test.says('the next acknowledgement takes along what has no gap any more'));
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '3', test.says('and unread is exact'));
SELECT is(chatopt.ack_message('messages', 4, 1, 7, 'read')::text, '8', test.says('the position goes on'));
SELECT is_empty('SELECT * FROM members_read_marks', test.says('no row is left'));
SELECT test.sound('acknowledged and deleted');
ROLLBACK;
-- recalled and put back: what was acknowledged stays read
BEGIN;
SELECT chatopt.ack_message('messages', 4, 1, 5, 'read') \g /dev/null
UPDATE messages SET deleted_at = now() WHERE conversation_id = 4 AND sequence_number IN (5, 6);
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '8', test.says('two recalled, one of them read'));
UPDATE messages SET deleted_at = NULL WHERE conversation_id = 4 AND sequence_number IN (5, 6);
SELECT is(chatopt.unread_count('messages', 4, 1)::text, '9', test.says('and put back'));
ROLLBACK;
-- delivered and read are two sets; read is in delivered
BEGIN;
SELECT is(chatopt.ack_message('messages', 5, 1, 2, 'delivered')::text, '0', test.says('delivered out of order'));
SELECT is(chatopt.ack_message('messages', 5, 1, 3, 'read')::text, '0', test.says('read out of order'));
SELECT is(chatopt.ack_message('messages', 5, 1, 1, 'delivered')::text, '3', test.says('delivered takes along what is read'));
SELECT test.positions(5, '1 (0,] 3 0, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 0 0', 'and read has not moved');
SELECT is(chatopt.ack_message('messages', 5, 1, 1, 'SEEN')::text, '1', test.says('the first is read'));
SELECT is(chatopt.mark_read('messages', 5, 1, 2)::text, '3', test.says('mark_read takes along what was acknowledged'));
SELECT test.positions(5, '1 (0,] 3 3, 2 (0,] 0 0, 3 (0,] 0 0, 4 (0,] 0 0', 'and gives that position');
SELECT is_empty('SELECT * FROM members_read_marks', test.says('no row is left of either'));
ROLLBACK;
-- what changes nothing
BEGIN;
SELECT is(chatopt.ack_message('messages', 5, 1, n, 'read')::text, '0', test.says('no message has number ' || n)) FROM unnest(ARRAY[0, -1, 11, 9223372036854775807, -9223372036854775808]) n;
SELECT is(chatopt.ack_message('messages', 5, 77, 1, 'read'), NULL, test.says('a non-member'));
SELECT is(chatopt.ack_message('messages', 77, 1, 1, 'read'), NULL, test.says('an unknown conversation'));
SELECT is(chatopt.ack_message('messages', NULL, '1', 1, 'read'), NULL, test.says('no conversation'));
SELECT is(chatopt.ack_message('messages', 6, 1, 1, 'read')::text, '0', test.says('a conversation without messages'));
DELETE FROM messages WHERE conversation_id = 5 AND sequence_number = 4;
SELECT is(chatopt.ack_message('messages', 5, 1, 4, 'read')::text, '0', test.says('a message that is deleted'));
SELECT is_empty('SELECT * FROM members_read_marks', test.says('none of it leaves a row'));
SELECT test.refused($$ SELECT chatopt.ack_message('messages', 5, 1, 1, 'gelesen') $$, '22023', 'ack_message: an unknown status');
SELECT test.refused($$ SELECT chatopt.ack_message('messages', 5, 1, 1, NULL) $$, '22004', 'ack_message: no status');
SELECT test.refused($$ SELECT chatopt.ack_message('messages', 5, 1, NULL, 'read') $$, '22004', 'ack_message: no number');
SELECT test.refused($$ SELECT chatopt.ack_message('messages', '5', 'x', 1, 'read') $$, '22P02', 'ack_message: a malformed member');
ROLLBACK;
-- an unread mark speaks of all messages after it, acknowledged ones too
BEGIN;
SELECT chatopt.mark_read('messages', 5, 1, 5), chatopt.ack_message('messages', 5, 1, 8, 'read'), chatopt.mark_unread('messages', 5, 1, 4) \g /dev/null
SELECT test.unread(5, '1:7', 'with an unread mark all after it are unread');
SELECT chatopt.mark_read('messages', 5, 1, 5) \g /dev/null
SELECT is(chatopt.unread_count('messages', 5, 1)::text, '4', test.says('without it what was acknowledged is read'));
ROLLBACK;

-- ---------------------------------------------------------------------------
-- across chunks of 4,096 numbers
INSERT INTO conversations (id) VALUES (50);
INSERT INTO members (conversation_id, user_id) VALUES (50, 1), (50, 2);
SELECT test.send(50, 9, 12300);
DELETE FROM messages WHERE conversation_id = 50 AND sequence_number IN (4097, 8190, 8191, 8192, 8193);
SELECT chatopt.mark_read('messages', 50, 1, 4093) \g /dev/null
SELECT is_empty($$ SELECT p FROM test.permutations('{4094,4095,4096,4098,4099}') o, test.acks_go_wrong(50, 1, o, 4094, 4099, '{4097}', 'read', 12300 - 4099 - 4) p
  WHERE p IS NOT NULL $$, test.says('every order of five over the boundary of two chunks'));
BEGIN;
SELECT chatopt.ack_message('messages', 50, 1, n, 'read') FROM unnest(ARRAY[4098, 8189, 8194, 12289, 12300, 4096]) n \g /dev/null
SELECT results_eq($$ SELECT chunk FROM members_read_marks ORDER BY chunk $$, ARRAY[0, 1, 2, 3]::bigint[], test.says('a row of marks a chunk'));
SELECT is(chatopt.unread_count('messages', 50, 1)::text, (12300 - 4093 - 5 - 6)::text, test.says('unread is exact over all of them'));
SELECT is(chatopt.mark_read('messages', 50, 1, 4095)::text, '4098', test.says('mark_read takes along those of the next chunk, over a removed number'));
SELECT test.positions(50, '1 (0,] 4098 4098, 2 (0,] 0 0', 'for this member');
SELECT results_eq($$ SELECT chunk FROM members_read_marks ORDER BY chunk $$, ARRAY[1, 2, 3]::bigint[], test.says('the row of the chunk that is passed is gone'));
SELECT is(chatopt.unread_count('messages', 50, 1)::text, (12300 - 4098 - 4 - 4)::text, test.says('unread stays exact'));
DELETE FROM messages WHERE conversation_id = 50 AND sequence_number BETWEEN 4099 AND 8188;
SELECT is(chatopt.unread_count('messages', 50, 1)::text, (12300 - 8193 - 3)::text, test.says('all between is deleted'));
SELECT is(chatopt.ack_message('messages', 50, 1, 8195, 'read')::text, '8195', test.says('the position goes over 4,090 removed numbers at once'));
SELECT results_eq($$ SELECT chunk FROM members_read_marks ORDER BY chunk $$, ARRAY[3]::bigint[], test.says('and drops the rows it passes'));
SELECT is(chatopt.unread_count('messages', 50, 1)::text, (12300 - 8195 - 2)::text, test.says('unread is exact'));
SELECT is(chatopt.mark_read('messages', 50, 1, 12288)::text, '12289', test.says('up to the end of a chunk: what follows was acknowledged'));
SELECT is(chatopt.ack_message('messages', 50, 1, 12300, 'read')::text, '12289', test.says('the last is acknowledged already'));
SELECT is(chatopt.unread_count('messages', 50, 1)::text, '10', test.says('ten are unread'));
DELETE FROM messages WHERE conversation_id = 50 AND sequence_number BETWEEN 12290 AND 12299;
SELECT is(chatopt.unread_count('messages', 50, 1)::text, '0', test.says('and are deleted'));
SELECT test.send(50, 9);
SELECT is(chatopt.ack_message('messages', 50, 1, 12301, 'read')::text, '12301', test.says('the position reaches the end'));
SELECT is_empty('SELECT * FROM members_read_marks', test.says('and no row of marks is left'));
ROLLBACK;
-- all of a chunk, backwards: one row, until the first comes
BEGIN;
SELECT chatopt.mark_read('messages', 50, 2, 4096) \g /dev/null
SELECT count(chatopt.ack_message('messages', 50, 2, n, 'read')) FROM (SELECT n FROM generate_series(8189, 4099, -1) n) x \g /dev/null
SELECT is((SELECT string_agg(chunk::text, ' ') FROM members_read_marks), '1', test.says('4,091 acknowledgements are one row'));
SELECT is(chatopt.unread_count('messages', 50, 2)::text, (12300 - 8193 + 1)::text, test.says('unread is exact'));
SELECT is(chatopt.ack_message('messages', 50, 2, 4098, 'read')::text, '8193', test.says('the first takes all along, and the removed after them'));
SELECT is_empty('SELECT * FROM members_read_marks', test.says('and the row is gone'));
SELECT test.sound('a whole chunk');
ROLLBACK;

-- with own messages taken off by counting
\set layout counted
SELECT test.track('counted', 'count');
INSERT INTO conversations (id) VALUES (1);
INSERT INTO members (conversation_id, user_id) VALUES (1, 1), (1, 2);
SELECT test.send(1, 2, 3), test.send(1, 1, 2), test.send(1, 2, 3);
SELECT is(chatopt.unread_count('messages', 1, 1)::text, '6', test.says('own messages are not unread'));
SELECT is(chatopt.ack_message('messages', 1, 1, 4, 'read')::text, '0', test.says('acknowledging one''s own'));
SELECT is(chatopt.unread_count('messages', 1, 1)::text, '6', test.says('changes nothing'));
SELECT is(chatopt.ack_message('messages', 1, 1, 7, 'read')::text, '0', test.says('another''s'));
SELECT is(chatopt.unread_count('messages', 1, 1)::text, '5', test.says('is one less'));
SELECT is(chatopt.apply_receipts('messages', ARRAY[1, 1], ARRAY[1, 2], ARRAY[6, 5]::bigint[], ARRAY['read', 'read'])::text, '2', test.says('a batch up to it'));
SELECT is((SELECT string_agg(read_seq || ':' || chatopt.unread_count('messages', 1, member_id), ' ' ORDER BY member_id) FROM members_read_state), '7:1 5:0', test.says('takes it along'));
SELECT test.sound('own messages counted');

-- other key types: uuid and text
\set layout uuids
CREATE SCHEMA uuids;
SET search_path = uuids, test, tap, public;
CREATE TABLE rooms (id uuid PRIMARY KEY);
CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room_id uuid REFERENCES rooms, author text);
CREATE TABLE guests (room_id uuid REFERENCES rooms, account_id text COLLATE "C", PRIMARY KEY (room_id, account_id));
SELECT chatopt.attach('rooms', 'posts', 'guests'), chatopt.track_reads('posts') \g /dev/null
INSERT INTO rooms SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid FROM generate_series(1, 2) g;
INSERT INTO guests SELECT id, u FROM rooms, unnest(ARRAY['ann', 'b,"é']) u;
INSERT INTO posts (room_id, author) SELECT id, 'zoe' FROM rooms, generate_series(1, 5);
SELECT id AS room FROM rooms ORDER BY id LIMIT 1 \gset
SELECT is(chatopt.apply_receipts('posts', ARRAY[:'room']::uuid[], ARRAY['ann'], ARRAY[1]::bigint[], ARRAY['read'])::text, '1', test.says('uuid[] and text[]'));
SELECT is(chatopt.apply_receipts('posts', ARRAY[:'room'], ARRAY['ann'], ARRAY[2]::bigint[], ARRAY['read'])::text, '1', test.says('text[] and text[]'));
SELECT is(chatopt.apply_receipts('posts', format('{%s}', :'room'), '{ann}', '{3}', '{read}')::text, '1', test.says('text and text'));
SELECT is(chatopt.apply_receipts('posts', ARRAY[:'room']::uuid[], '{"b,\"é"}', '{3}', '{read}')::text, '1', test.says('uuid[] and text, with quotes'));
SELECT is(chatopt.apply_receipts('posts', ARRAY[upper(:'room')], ARRAY['b,"é'], '{4}', '{read}')::text, '1', test.says('a uuid in another spelling'));
SELECT results_eq('SELECT member_id, read_seq FROM guests_read_state WHERE read_seq > 0 ORDER BY member_id', $$ VALUES ('ann' COLLATE "C", 3::bigint), ('b,"é', 4) $$, test.says('all are applied'));
SELECT test.refused(format($$ SELECT chatopt.apply_receipts('posts', ARRAY[%L, 'no uuid'], ARRAY['ann', 'ann'], '{5,5}', '{read,read}') $$, :'room'), '22P02', 'a malformed uuid');
SELECT is((SELECT max(read_seq)::text FROM guests_read_state), '4', test.says('changes nothing'));
\ir teardown.psql
