-- What bench/receipts measures with. psql variable: roaring.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS intarray;

-- A set as bits, slot 0 first.
CREATE FUNCTION bench_varbit(members int[], universe int) RETURNS varbit LANGUAGE sql AS $$
  SELECT string_agg(CASE WHEN m.x IS NULL THEN '0' ELSE '1' END, '' ORDER BY u)::varbit
  FROM generate_series(0, universe - 1) u LEFT JOIN unnest(members) m(x) ON m.x = u
$$;

-- bench_rate(PEER, EXPRESSION, SECONDS): evaluations a second of an expression on the peer's sets a, b and s, which are
-- in memory, not out of line. Each is evaluated ten times a row, so that the row costs little; a CASE is not simplified,
-- and a generic plan folds nothing. PL/pgSQL keeps arrays in a form of its own, which
-- costs a function that wants another one copy; those of intarray make one anyhow.
CREATE FUNCTION bench_rate(peer text, expression text, seconds float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  datatype text := CASE peer WHEN 'chatopt' THEN 'receipt_bitmap' WHEN 'intarray' THEN 'int[]' WHEN 'varbit' THEN 'varbit' ELSE 'roaringbitmap' END;
  in_memory text := CASE peer WHEN 'intarray' THEN '' ELSE 'a := a | a; b := b | b; s := s | s;' END;
  rounds bigint := 1;
  took float8;
BEGIN
  EXECUTE format($f$
    CREATE OR REPLACE FUNCTION pg_temp.bench_run(a %1$s, b %1$s, s %1$s, rounds bigint) RETURNS float8 LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET jit = off AS $b$
    DECLARE
      started timestamptz; nulls bigint;
    BEGIN
      %2$s
      started := clock_timestamp();
      SELECT count(CASE %3$s END) INTO nulls FROM generate_series(1, rounds);
      IF nulls <> 0 THEN RAISE 'bench_run: the expression is null'; END IF;
      RETURN extract(epoch FROM clock_timestamp() - started);
    END $b$ $f$, datatype, in_memory, repeat(format('WHEN (%s) IS NULL THEN 1 ', expression), 10));
  LOOP
    EXECUTE format('SELECT pg_temp.bench_run(a, b, s, $1) FROM sets_%s', peer) INTO took USING rounds;
    EXIT WHEN took > seconds / 2;
    rounds := greatest(rounds + 1, least(rounds * 20, (rounds * seconds * 0.8 / greatest(took, 1e-6))::bigint));
  END LOOP;
  RETURN rounds * 10 / took;
END $$;
