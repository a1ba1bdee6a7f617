-- A partition's messages leave the counters before it goes, batch by batch, and come back (R45).
\set file partitions_purge
\ir setup.psql
\ir reads.psql
SELECT plan(474);
\set VERBOSITY terse
SET jit = off;

-- What the procedures have gone through when they are made to die: a batch that would go beyond it is rolled back.
CREATE TABLE test.stop (at bigint);
CREATE FUNCTION test.stop_at(bigint) RETURNS void LANGUAGE sql AS 'DELETE FROM test.stop; INSERT INTO test.stop SELECT $1 WHERE $1 IS NOT NULL';
CREATE FUNCTION test.stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.messages >= (SELECT at FROM test.stop) THEN
    RAISE 'stopped';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stop BEFORE UPDATE ON chatopt.partition_purge FOR EACH ROW EXECUTE FUNCTION test.stop();

-- The messages that count for something, by an independent reading of the marks; and the numbers as they were.
CREATE FUNCTION test.watch_alive() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE VIEW alive AS SELECT * FROM messages m WHERE NOT EXISTS (SELECT FROM chatopt.partition_purge p WHERE p.leaf = m.tableoid
    AND (p.finished OR (m.conversation_id, m.sequence_number) <= (p.key::int, p.number)));
  CREATE TABLE numbers_before (id bigint PRIMARY KEY, sequence_number bigint);
  CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO numbers_before VALUES (NEW.id, NEW.sequence_number) ON CONFLICT DO NOTHING; RETURN NULL; END';
  CREATE TRIGGER keep AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION keep();
END $$;

CREATE FUNCTION test.snapshot_counters() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT string_agg(c::text, ' ' ORDER BY conversation_id) FROM counts c)
    || (SELECT string_agg(format('%s %s %s %s %s', conversation_id, level, chunk, removed::int[], uncounted::int[]), ' ' ORDER BY conversation_id, level, chunk)
        FROM messages_skipped_numbers);
END $$;

-- Five tests: verify, the counters, unread counts, skipped numbers, receipts.
CREATE FUNCTION test.purged_exact(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT test.exact(what, to_regclass('messages'), jsonb_build_object(
    'conversations', 'conversations', 'messages', 'alive', 'members', 'members', 'counters', 'counts', 'counters_key', 'conversation_id',
    'counted', $c$m.deleted_at IS NULL AND m.type <> 'join'$c$, 'member_counted', 'm.left_at IS NULL'));
  RETURN NEXT results_eq($q$
      SELECT r.conversation_id, r.member_id, chatopt.unread_count('messages', r.conversation_id, r.member_id)
      FROM members_read_state r WHERE left_seq IS NULL ORDER BY 1, 2 $q$, $q$
      SELECT r.conversation_id, r.member_id, (SELECT count(*) FROM alive m WHERE m.conversation_id = r.conversation_id
          AND m.sequence_number > coalesce(k.unread_seq, r.read_seq) AND m.sender_id IS DISTINCT FROM r.member_id
          AND m.deleted_at IS NULL AND m.type <> 'join' AND (k.unread_seq IS NOT NULL OR NOT EXISTS (SELECT FROM members_read_marks a
            WHERE a.member_id = r.member_id AND a.conversation_id = r.conversation_id AND a.chunk = 0
            AND (m.sequence_number - 1)::int = ANY (a.read::int[]))))
      FROM members_read_state r LEFT JOIN members_read_marks k ON k.member_id = r.member_id AND k.conversation_id = r.conversation_id AND k.chunk = -1
      WHERE left_seq IS NULL ORDER BY 1, 2 $q$, test.says(what || ': unread counts'));
  RETURN NEXT results_eq($q$
      SELECT c.conversation_id, s.removed::int[], s.uncounted::int[] FROM counts c LEFT JOIN messages_skipped_numbers s
        ON s.conversation_id = c.conversation_id AND level = 0 AND chunk = 0 AND (removed::int[] <> '{}' OR uncounted::int[] <> '{}') ORDER BY 1 $q$, $q$
      SELECT conversation_id, CASE WHEN skipped THEN removed END, CASE WHEN skipped THEN uncounted END FROM (
        SELECT c.conversation_id, removed, uncounted, removed <> '{}' OR uncounted <> '{}' AS skipped FROM counts c, LATERAL (SELECT
          ARRAY(SELECT n::int - 1 FROM generate_series(1, c.last_sequence_number) n WHERE NOT EXISTS (SELECT FROM alive m
            WHERE m.conversation_id = c.conversation_id AND m.sequence_number = n) ORDER BY 1) AS removed,
          ARRAY(SELECT m.sequence_number::int - 1 FROM alive m WHERE m.conversation_id = c.conversation_id
            AND (m.deleted_at IS NOT NULL OR m.type = 'join') ORDER BY 1) AS uncounted) x) y ORDER BY 1 $q$,
    test.says(what || ': skipped numbers'));
  RETURN NEXT results_eq($q$
      SELECT c.conversation_id, r.seq, r.recipients IS NOT NULL, chatopt.receipts('messages', c.conversation_id, r.seq) IS NOT NULL
      FROM counts c, chatopt.receipt_counts('messages', c.conversation_id, 1, c.last_sequence_number) r ORDER BY 1, 2 $q$, $q$
      SELECT c.conversation_id, n, a.alive, a.alive FROM counts c, generate_series(1, c.last_sequence_number) n, LATERAL (SELECT EXISTS (
        SELECT FROM alive m WHERE m.conversation_id = c.conversation_id AND m.sequence_number = n) AS alive) a ORDER BY 1, 2 $q$,
    test.says(what || ': receipts'));
END $$;

\set layout partitioned
\set own read
\ir forms/partitions_purge.psql

\set layout enforced
\set own count
\ir forms/partitions_purge.psql

-- text keys in the order of a language, int numbers, no time, counters on a table of their own, no reads
CREATE SCHEMA texts;
SET search_path = texts, test, tap, public;
CREATE TABLE conversations (id text COLLATE "en-x-icu" PRIMARY KEY);
CREATE TABLE tallies (conversation_id text COLLATE "en-x-icu" PRIMARY KEY);
CREATE TABLE messages (id uuid NOT NULL DEFAULT gen_random_uuid(), conversation_id text COLLATE "en-x-icu", month int, hidden boolean,
  number int) PARTITION BY LIST (month);
CREATE TABLE january PARTITION OF messages FOR VALUES IN (1);
CREATE TABLE later PARTITION OF messages FOR VALUES IN (2, 3) PARTITION BY LIST (month);
CREATE TABLE february PARTITION OF later FOR VALUES IN (2);
CREATE TABLE march PARTITION OF later FOR VALUES IN (3);
SELECT count(*) FROM chatopt.attach('conversations', 'messages', counters => 'tallies', sequence_column => 'number', message_key => 'id',
  message_counted => 'NOT hidden') \g /dev/null
INSERT INTO conversations VALUES ('a'), ('B'), ('c''d'), ('Z'), ('é'), (''), ('b');
INSERT INTO messages (conversation_id, month, hidden) SELECT id, 1 + i % 3, i % 4 = 0 FROM conversations, generate_series(1, 14) i;
INSERT INTO messages (month) VALUES (1), (2);
CREATE VIEW alive AS SELECT * FROM messages m WHERE NOT EXISTS (SELECT FROM chatopt.partition_purge p WHERE p.leaf = m.tableoid
  AND (p.finished OR (m.conversation_id, m.number) <= (p.key, p.number)));
CREATE FUNCTION test.rest(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT is_empty($q$ SELECT * FROM chatopt.verify('messages') $q$, test.says(what || ': verify'));
  RETURN NEXT results_eq($q$ SELECT conversation_id, message_count::int, last_message_id FROM tallies ORDER BY 1 $q$, $q$
    SELECT c.id, (SELECT count(*) FROM alive m WHERE m.conversation_id = c.id AND NOT hidden)::int,
      (SELECT m.id FROM alive m WHERE m.conversation_id = c.id AND NOT hidden ORDER BY number DESC LIMIT 1)
    FROM conversations c ORDER BY 1 $q$, test.says(what || ': recount'));
END $$;
SELECT test.rest('before');
\set ON_ERROR_STOP 0
SELECT test.stop_at(8) \g /dev/null
CALL chatopt.retire('february', 'purge', 3);
\set ON_ERROR_STOP 1
SELECT is((SELECT count(*) FROM messages WHERE number IS NOT NULL) - (SELECT count(*) FROM alive WHERE number IS NOT NULL), 6::bigint, test.says('six are out'));
SELECT test.rest('a leaf of a leaf, half way');
UPDATE messages SET hidden = NOT hidden WHERE month = 2;
SELECT test.rest('half way: hidden and shown');
UPDATE messages SET month = 3 WHERE month = 2 AND number % 2 = 0;
SELECT test.rest('half way: moved out');
SELECT test.stop_at(NULL) \g /dev/null
CALL chatopt.retire('january', 'purge', 100);
SELECT test.rest('two at once');
CALL chatopt.retire('february', 'purge', 1);
SELECT test.rest('both are finished');
ALTER TABLE later DETACH PARTITION february;
SELECT test.rest('one is detached');
CALL chatopt.restore_partition('january', 1);
SELECT test.rest('the other comes back');

-- what is refused
CREATE TABLE alone (id int);
CREATE ROLE purge_stranger;
GRANT USAGE ON SCHEMA texts TO purge_stranger;
SELECT test.refused($$ CALL chatopt.retire('march', 'purge') $$, '25001', 'retire in a transaction block');
SELECT test.refused($$ CALL chatopt.restore_partition('march') $$, '25001', 'restore_partition in a transaction block');
\set ON_ERROR_STOP 0
CALL chatopt.retire(NULL, 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22004', 'retire: no partition');
CALL chatopt.retire('march', NULL);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22004', 'retire: no action');
CALL chatopt.retire('march', 'burn');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22023', 'retire: an unknown action');
CALL chatopt.retire('march', 'purge', 0);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22023', 'retire: a batch of nothing');
CALL chatopt.retire('march', 'purge', NULL);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22023', 'retire: a batch of NULL');
CALL chatopt.retire('alone', 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', 'retire: not of a chat');
CALL chatopt.retire('february', 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', 'retire: detached');
CALL chatopt.retire('messages', 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42809', 'retire: the table itself');
CALL chatopt.retire('later', 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42809', 'retire: a partition with partitions');
CALL chatopt.restore_partition(NULL);
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22004', 'restore_partition: no table');
CALL chatopt.restore_partition('march');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', 'restore_partition: not being retired');
SET ROLE purge_stranger;
CALL chatopt.retire('march', 'purge');
SELECT :'LAST_ERROR_SQLSTATE' AS stranger \gset
RESET ROLE;
SELECT is(:'stranger'::text, '42501', 'retire: not the owner');
SET ROLE purge_stranger;
CALL chatopt.restore_partition('march');
SELECT :'LAST_ERROR_SQLSTATE' AS stranger \gset
RESET ROLE;
SELECT is(:'stranger'::text, '42501', 'restore_partition: not the owner');
SELECT chatopt.disable('messages') \g /dev/null
CALL chatopt.retire('march', 'purge');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '55000', 'retire: disabled');
SELECT chatopt.enable('messages') \g /dev/null
CALL chatopt.backfill('messages');
SET default_transaction_isolation = 'repeatable read';
CALL chatopt.retire('march', 'purge', 5);
RESET default_transaction_isolation;
\set ON_ERROR_STOP 1
SELECT test.rest('under REPEATABLE READ by default');
SELECT is_empty($$ SELECT FROM chatopt.progress $$, 'no progress is left behind');
DROP OWNED BY purge_stranger;
DROP ROLE purge_stranger;

\ir teardown.psql
