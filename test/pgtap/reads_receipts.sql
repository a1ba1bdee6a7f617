-- Receipts out of positions: who should get a message, who has it, who has seen it and when, in every layout.
\set file reads_receipts
\ir setup.psql
SELECT no_plan();

-- receipts(1, 3, '…', 'what'): the receipts of message 3 as slots; NULL where there are none.
CREATE FUNCTION test.receipts(conversation int, number bigint, expected text, what text) RETURNS text LANGUAGE sql AS $$
  SELECT is(chatopt.receipts(to_regclass('messages'), conversation, number)::text, expected, test.says(what))
$$;

-- seen_by(1, 3, '2 5', 'what'): the members who have seen message 3.
CREATE FUNCTION test.seen_by(conversation int, number bigint, expected text, what text) RETURNS text LANGUAGE sql AS $$
  SELECT is((SELECT coalesce(string_agg(s.member, ' ' ORDER BY s.o), '') FROM chatopt.seen_by(to_regclass('messages'), conversation, number)
               WITH ORDINALITY AS s(member, seen_at, o)), expected, test.says(what))
$$;

-- counts_of(1, 1, 3, '1:4,2,1 2:-', 'what'): recipients, delivered and seen of messages 1 to 3.
CREATE FUNCTION test.counts_of(conversation int, from_seq bigint, to_seq bigint, expected text, what text) RETURNS text LANGUAGE sql AS $$
  SELECT is((SELECT coalesce(string_agg(c.seq || ':' || coalesce(concat_ws(',', c.recipients, c.delivered, c.seen), '-'), ' ' ORDER BY c.o), '')
             FROM (SELECT o, seq, recipients, CASE WHEN recipients IS NOT NULL THEN delivered END AS delivered, seen
                   FROM chatopt.receipt_counts(to_regclass('messages'), conversation, from_seq, to_seq) WITH ORDINALITY AS r(seq, recipients, delivered, seen, o)) c),
            replace(expected, ':-', ':'), test.says(what))
$$;

-- The same for every number by plain SQL, one number at a time.
CREATE FUNCTION test.recount_receipts(conversation int) RETURNS TABLE (seq bigint, recipients bigint, delivered bigint, seen bigint)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE $q$
    SELECT n, CASE WHEN m.id IS NOT NULL THEN count(r.slot) END,
      CASE WHEN m.id IS NOT NULL THEN count(r.slot) FILTER (WHERE n <= r.delivered_seq OR k.delivered @> ((n - 1) % 4096)) END,
      CASE WHEN m.id IS NOT NULL THEN count(r.slot) FILTER (WHERE n <= r.read_seq OR k.read @> ((n - 1) % 4096)) END
    FROM generate_series(1, (SELECT last_sequence_number FROM counts WHERE conversation_id = $1)) AS n
    LEFT JOIN messages m ON m.conversation_id = $1 AND m.sequence_number = n
    LEFT JOIN members_read_state r ON r.conversation_id = $1 AND r.joined_seq < n AND n <= coalesce(r.left_seq, n)
      AND r.member_id IS DISTINCT FROM m.sender_id
    LEFT JOIN members_read_marks k ON k.conversation_id = $1 AND k.member_id = r.member_id AND k.chunk = (n - 1) / 4096
    GROUP BY n, m.id ORDER BY n $q$ USING conversation;
END $$;

-- Two tests: receipt_counts is that recount, and receipts has those counts.
CREATE FUNCTION test.receipts_exact(conversation int, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT results_eq(format('SELECT * FROM chatopt.receipt_counts(''messages'', %s, 1, 100000)', conversation),
    format('SELECT * FROM test.recount_receipts(%s)', conversation), test.says(what || ': counts as recounted'));
  RETURN NEXT is_empty(format('SELECT c.*, x.r FROM test.recount_receipts(%s) c, LATERAL (SELECT chatopt.receipts(''messages'', %1$s, c.seq)) x(r)
    WHERE (recipient_count(x.r), delivered_count(x.r), seen_count(x.r)) IS DISTINCT FROM (c.recipients, c.delivered, c.seen)
      OR c.seen IS DISTINCT FROM nullif((SELECT count(*) FROM chatopt.seen_by(''messages'', %1$s, c.seq)), CASE WHEN c.seen IS NULL THEN 0 END)',
    conversation), test.says(what || ': every message by itself'));
END $$;

\set layout plain
\ir forms/reads_receipts.psql
\set layout partitioned
\ir forms/reads_receipts.psql
\set layout apart
\ir forms/reads_receipts.psql
\set layout enforced
\ir forms/reads_receipts.psql

\ir teardown.psql
