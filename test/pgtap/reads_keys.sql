-- Every type of key that an application has, in snake_case and camelCase, with counters on a table of their own or not;
-- and every way in which a driver may send such keys.
\set file reads_keys
\ir setup.psql
SELECT no_plan();

-- A chat of these types, in a schema of its own; users 1 to 3 are key(1) … of their type.
CREATE FUNCTION test.key(n int, type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN type = 'uuid' THEN format('%s-0000-4000-8000-000000000000', lpad(n::text, 8, '0'))
              WHEN type IN ('text', 'varchar', 'varchar(40)') THEN format('it''s "%s" \é', n) ELSE n::text END $$;

CREATE FUNCTION test.try_types(name text, conversation text, member text, camel boolean DEFAULT false, apart boolean DEFAULT false)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  n jsonb := CASE WHEN camel THEN '{"c": "Conversation", "m": "Message", "u": "Member", "cid": "conversationId", "uid": "userId", "sid": "senderId", "k": "Counters"}'
                  ELSE '{"c": "conversations", "m": "messages", "u": "members", "cid": "conversation_id", "uid": "user_id", "sid": "sender_id", "k": "chat_counters"}' END;
  c text := test.key(1, conversation);
  u text[] := ARRAY[test.key(1, member), test.key(2, member), test.key(3, member)];
  msg regclass;
  found text;
  call text;
  wanted text;
BEGIN
  EXECUTE format('CREATE SCHEMA %I', name);
  PERFORM set_config('search_path', format('%I, test, tap', name), true);
  EXECUTE format('CREATE TABLE %I (id %s PRIMARY KEY)', n->>'c', conversation);
  EXECUTE format('CREATE TABLE %I (id bigint PRIMARY KEY, %I %s REFERENCES %I ON UPDATE CASCADE, %I %s)', n->>'m', n->>'cid', conversation, n->>'c', n->>'sid', member);
  EXECUTE format('CREATE TABLE %I (%I %s REFERENCES %I ON UPDATE CASCADE, %I %s, PRIMARY KEY (%2$I, %5$I))', n->>'u', n->>'cid', conversation, n->>'c', n->>'uid', member);
  IF apart THEN
    EXECUTE format('CREATE TABLE %I (%I %s PRIMARY KEY)', n->>'k', n->>'cid', conversation);
  END IF;
  msg := format('%I', n->>'m')::regclass;
  PERFORM chatopt.attach(format('%I', n->>'c')::regclass, msg, format('%I', n->>'u')::regclass,
    counters => CASE WHEN apart THEN format('%I', n->>'k')::regclass END);
  PERFORM chatopt.track_reads(msg);
  EXECUTE format('INSERT INTO %I VALUES (%L)', n->>'c', c);
  EXECUTE format('INSERT INTO %I SELECT %L, unnest(%L::text[])::%s', n->>'u', c, u, member);
  EXECUTE format('INSERT INTO %s SELECT i, %L, (%L::text[])[1 + i %% 2]::%s FROM generate_series(1, 10) i', msg, c, u, member);
  -- member 3 reads by every combination of typed and untyped keys, each a number further
  wanted := '';
  FOREACH call IN ARRAY ARRAY[format('%L::%s, %L::%s', c, conversation, u[3], member), format('%L, %L', c, u[3]),
      format('%L, %L::%s', c, u[3], member), format('%L::%s, %L', c, conversation, u[3]), format('%L::text, %L::text', c, u[3])] LOOP
    wanted := call;
    EXECUTE format('SELECT chatopt.mark_read(%L, %s, 1 + chatopt.mark_read(%L, %s, 0))::text', msg, call, msg, call) INTO found;
    EXECUTE format('SELECT %L || chatopt.unread_count(%L, %s)', found || ' ', msg, call) INTO found;
    RETURN NEXT is(found, format('%s %s', (10 - split_part(found, ' ', 2)::int), split_part(found, ' ', 2)), format('%s: keys as %s', name, call));
  END LOOP;
  EXECUTE format('SELECT string_agg(format(''%%s %%s %%s %%s'', conversation, unread, last_read, last_sequence), '', '')
    FROM chatopt.unread_counts(%L, %L)', msg, u[3]) INTO found;
  RETURN NEXT is(found, format('%s 5 5 10', c), name || ': unread_counts by an untyped key');
  EXECUTE format('SELECT string_agg(format(''%%s %%s %%s %%s'', conversation, unread, last_read, last_sequence), '', '')
    FROM chatopt.unread_counts(%L, %L::%s)', msg, u[1], member) INTO found;
  RETURN NEXT is(found, format('%s 0 10 10', c), name || ': and by a typed one');
  EXECUTE format('UPDATE %I SET id = %L', n->>'c', test.key(2, conversation));
  EXECUTE format('SELECT concat_ws('' '', chatopt.unread_count(%L, %L, %L), chatopt.unread_count(%1$L, %4$L, %3$L) IS NULL)',
    msg, test.key(2, conversation), u[3], c) INTO found;
  RETURN NEXT is(found, '5 t', name || ': under another key');
  EXECUTE format('DELETE FROM %I WHERE %I = %L', n->>'u', n->>'uid', u[3]);
  EXECUTE format('DELETE FROM %s WHERE id = 3', msg);
  EXECUTE format('SELECT string_agg(format(''%%s %%s %%s'', member_id, left_seq, read_seq), '', '' ORDER BY slot) FROM %I', (n->>'u') || '_read_state') INTO found;
  RETURN NEXT is(found, format('%s  10, %s  9, %s 10 5', u[1], u[2], u[3]), name || ': positions');
  SELECT string_agg(v::text, ' ') INTO found FROM chatopt.verify(msg) v;
  RETURN NEXT is(found, NULL, name || ': verify');
END $$;

SELECT test.try_types('uuid_uuid', 'uuid', 'uuid');
SELECT test.try_types('uuid_uuid_camel', 'uuid', 'uuid', camel => true);
SELECT test.try_types('uuid_bigint_apart', 'uuid', 'bigint', apart => true);
SELECT test.try_types('bigint_bigint', 'bigint', 'bigint');
SELECT test.try_types('bigint_int', 'bigint', 'int', camel => true, apart => true);
SELECT test.try_types('int_int', 'int', 'int');
SELECT test.try_types('int_uuid', 'int', 'uuid');
SELECT test.try_types('text_text', 'text', 'text', camel => true);
SELECT test.try_types('text_varchar', 'text', 'varchar(40)');
SELECT test.try_types('varchar_text', 'varchar', 'text', apart => true);
SELECT test.try_types('varchar_bigint', 'varchar(40)', 'bigint');

-- Prepared statements, whose parameters have the types the driver says or none.
SET search_path = bigint_int, test, tap;
SELECT is((SELECT concat_ws(' ', chatopt.mark_read('"Message"', 2::int, 1::bigint, 1), chatopt.mark_read('"Message"', 2::bigint, 1::smallint, 1),
  chatopt.mark_delivered('"Message"', 2::numeric, 1::numeric, 1))), '10 10 10', 'numbers of other types are the same keys');
PREPARE typed (regclass, bigint, int, bigint) AS SELECT chatopt.mark_read($1, $2, $3, $4);
PREPARE untyped AS SELECT chatopt.mark_read($1, $2, $3, $4);
PREPARE names (varchar, varchar, varchar, bigint) AS SELECT chatopt.mark_read($1, $2, $3, $4);
PREPARE half (text, text, int, bigint) AS SELECT chatopt.mark_read($1::regclass, $2, $3, $4);
SELECT results_eq('EXECUTE typed (''"Message"'', 2, 2, 9)', 'VALUES (9::bigint)', 'typed parameters');
SELECT results_eq('EXECUTE untyped (''"Message"'', ''2'', ''2'', 3)', 'VALUES (9::bigint)', 'untyped parameters');
SELECT results_eq('EXECUTE names (''"Message"'', ''2'', ''2'', 10)', 'VALUES (10::bigint)', 'everything as varchar');
SELECT results_eq('EXECUTE half (''"Message"'', ''2'', 2, 3)', 'VALUES (10::bigint)', 'an untyped first key and a typed second');

-- What is NULL, malformed or unknown.
SELECT is(chatopt.mark_read('"Message"', NULL, NULL, 1), NULL, 'NULL keys are nobody''s');
SELECT is(chatopt.mark_read('"Message"', NULL, 1, 1), NULL, 'one NULL key');
SELECT is(chatopt.unread_count('"Message"', 2, NULL::int), NULL, 'the other');
SELECT is((SELECT count(*)::text FROM chatopt.unread_counts('"Message"', NULL)), '0', 'unread_counts of NULL');
SELECT is(chatopt.mark_unread('"Message"', 4711, 1, 1), NULL, 'an unknown conversation');
-- the argument's name is in the context of the error
CREATE FUNCTION test.names_argument(statement text, wanted text, argument text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text := 'no error';
BEGIN
  BEGIN
    EXECUTE statement;
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_CONTEXT;
    said := SQLSTATE || ' ' || coalesce(substring(said FROM '^[^\n]*argument "(\w+)"'), split_part(said, E'\n', 1));
  END;
  RETURN is(said, wanted || ' ' || argument, what);
END $$;
SELECT test.names_argument($$ SELECT chatopt.mark_read('"Message"', 'x', '1', 1) $$, '22P02', 'conversation', 'a malformed conversation');
SELECT test.names_argument($$ SELECT chatopt.mark_read('"Message"', '2', 'y', 1) $$, '22P02', 'member', 'a malformed member');
SELECT test.names_argument($$ SELECT chatopt.unread_count('"Message"', 2, 99999999999) $$, '22003', 'member', 'a member beyond the type');
SELECT test.names_argument($$ SELECT * FROM chatopt.unread_counts('"Message"', 'y') $$, '22P02', 'member', 'a malformed member of unread_counts');
SELECT throws_ok($$ SELECT chatopt.mark_read(NULL, '2', '1', 1) $$, '22004', NULL, 'no messages table');
SELECT throws_ok($$ SELECT chatopt.mark_read('"Message"', '2', '1', NULL) $$, '22004', NULL, 'no number');
SELECT throws_ok($$ SELECT chatopt.mark_unread('"Message"', 2, 1, NULL) $$, '22004', NULL, 'no number to be unread from');
SELECT throws_ok($$ SELECT chatopt.mark_read('"Member"', 2, 1, 1) $$, '55000', NULL, 'a table that is no messages table');
SELECT throws_ok($$ SELECT chatopt.unread_count('pg_class', 2, 1) $$, '55000', NULL, 'nor this');
SELECT is(chatopt.mark_read('"Message"', 2, 2, 9223372036854775807), 10::bigint, 'the greatest number there is');
SELECT is(chatopt.mark_read('"Message"', 2, 2, -9223372036854775808), 10::bigint, 'and the least');
SELECT is(chatopt.mark_unread('"Message"', 2, 2, -9223372036854775808), 0::bigint, 'unread from the least');
SELECT is(chatopt.mark_unread('"Message"', 2, 2, 9223372036854775807), 10::bigint, 'and from the greatest, which ends it');

\ir teardown.psql
