-- create_api, refresh_api and drop_api: one chat's functions with its own types, made, called, refreshed, refused and dropped.
\set file reads_api
\ir setup.psql
SELECT no_plan();
CREATE ROLE chatopt_api_owner;
CREATE ROLE chatopt_api_app;

SET search_path = public, test, tap;
CREATE SCHEMA chat;
CREATE SCHEMA api;
CREATE TABLE chat.conversations (id uuid PRIMARY KEY);
CREATE TABLE chat.messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation_id uuid REFERENCES chat.conversations,
  sender_id varchar(20), deleted_at timestamptz);
CREATE TABLE chat.members (conversation_id uuid, user_id varchar(20), PRIMARY KEY (conversation_id, user_id));
SELECT chatopt.attach('chat.conversations', 'chat.messages', 'chat.members', message_counted => 'deleted_at IS NULL') \g /dev/null

CREATE FUNCTION test.made(target text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc p WHERE p.pronamespace = to_regnamespace($1) $$;
CREATE FUNCTION test.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;

-- what is refused
SELECT refused($$ SELECT chatopt.create_api('chat.messages', 'api') $$, '55000', 'reads that are not tracked');
SELECT chatopt.track_reads('chat.messages') \g /dev/null
SELECT refused($$ SELECT chatopt.create_api('chat.members', 'api') $$, '55000', 'a table that is no chat');
SELECT refused($$ SELECT chatopt.create_api(NULL, 'api') $$, '22004', 'no table');
SELECT refused($$ SELECT chatopt.create_api('chat.messages', NULL) $$, '22004', 'no schema');
SELECT refused($$ SELECT chatopt.create_api('chat.messages', 'none') $$, '3F000', 'an unknown schema');
SELECT refused($$ SELECT chatopt.create_api('chat.messages', 'chatopt') $$, '42939', 'the schema of chatopt');
SELECT refused($$ SELECT chatopt.create_api('chat.messages', 'pg_catalog') $$, '42939', 'a schema of PostgreSQL');
SELECT refused($$ SELECT chatopt.create_api('chat.messages', 'api') $$, '42501', 'somebody who does not own the tables', 'chatopt_api_app');
SELECT refused($$ SELECT chatopt.drop_api(NULL) $$, '22004', 'drop_api of no table');
SELECT is(made('api'), NULL, 'a refusal makes nothing');

-- what is made
CREATE TABLE test.ran AS SELECT s, o FROM chatopt.create_api('chat.messages', 'api', dry_run => true) WITH ORDINALITY AS c(s, o);
SELECT is(made('api'), NULL, 'a dry run makes nothing');
SELECT results_eq($$ SELECT s FROM chatopt.create_api('chat.messages', 'api') AS s $$, $$ SELECT s FROM test.ran ORDER BY o $$, 'the call runs what the dry run showed');
SELECT matches(made('api'), 'ack_message add_views apply_receipts mark_delivered mark_read mark_unread mention_count receipt_counts receipts seen_by unread_count unread_counts unread_mentions view_count', 'the functions of reads');
SELECT is_empty($$ SELECT w.function_name FROM chatopt._api_wanted('chat.messages') w EXCEPT SELECT p.proname FROM pg_proc p WHERE pronamespace = 'api'::regnamespace $$,
  'every function that there is behind one');
SELECT is_empty($$ SELECT s FROM chatopt.create_api('chat.messages', 'api') AS s $$, 'once more: nothing to do');
SELECT is_empty($$ SELECT s FROM chatopt.refresh_api() AS s $$, 'refresh: nothing to do');
SELECT is(pg_get_function_arguments('api.mark_read'::regproc), 'conversation uuid, member character varying, upto bigint', 'arguments have the types of the keys');
SELECT is(pg_get_function_arguments('api.apply_receipts'::regproc), 'conversations uuid[], members character varying[], upto bigint[], status text[]', 'and arrays of them');
SELECT is(pg_get_function_result('api.unread_counts'::regproc), 'TABLE(conversation uuid, unread bigint, last_read bigint, last_sequence bigint, mentions bigint)', 'results have them too');
SELECT is_empty($$ SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'api'::regnamespace AND (obj_description(oid, 'pg_proc') IS NULL OR proconfig IS NOT NULL OR prosecdef) $$,
  'each has a comment, no setting, and the rights of the caller');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'api'::regnamespace AND (provolatile, proparallel) NOT IN (
  SELECT i.provolatile, i.proparallel FROM pg_proc i WHERE i.pronamespace = 'chatopt'::regnamespace AND i.proname = p.proname) $$, 'volatility is that of the function behind it');
SELECT results_eq($$ SELECT messages, target_schema = 'api', cardinality(functions) FROM chatopt.api $$,
  $$ SELECT 'chat.messages'::regclass, true, count(*)::int FROM pg_proc WHERE pronamespace = 'api'::regnamespace $$, 'the view lists them');

-- what they do
INSERT INTO chat.conversations VALUES ('11111111-1111-1111-1111-111111111111'), ('22222222-2222-2222-2222-222222222222');
INSERT INTO chat.members SELECT c.id, u FROM chat.conversations c, unnest('{ann,bob}'::text[]) u;
INSERT INTO chat.messages (conversation_id, sender_id) SELECT c.id, 'ann' FROM chat.conversations c, generate_series(1, 5);
\set one '11111111-1111-1111-1111-111111111111'
SELECT results_eq($$ SELECT * FROM api.unread_counts('bob') ORDER BY 1 $$, $$ SELECT id, 5::bigint, 0::bigint, 5::bigint, NULL::bigint FROM chat.conversations ORDER BY 1 $$, 'unread_counts');
SELECT is(api.mark_read(:'one', 'bob', 2), 2::bigint, 'mark_read gives the position');
SELECT is(api.unread_count(:'one', 'bob'), 3::bigint, 'unread_count');
SELECT is(api.mark_delivered(:'one', 'bob', 4), 4::bigint, 'mark_delivered');
SELECT is(api.mark_unread(:'one', 'bob', 2), 1::bigint, 'mark_unread');
SELECT is(api.unread_count(:'one', 'bob'), 4::bigint, 'unread_count after it');
SELECT is(api.ack_message(:'one', 'bob', 5, 'delivered'), 5::bigint, 'ack_message');
SELECT is(api.apply_receipts(ARRAY[:'one']::uuid[], ARRAY['bob'], '{5}', '{read}'), 1::bigint, 'apply_receipts');
SELECT is(api.unread_count(:'one', 'bob'), 0::bigint, 'all read');
SELECT is(api.unread_count(member => 'bob', conversation => :'one'), 0::bigint, 'arguments have names');
SELECT is(api.mark_read(:'one', 'nobody', 2), NULL, 'somebody else: NULL');
PREPARE untyped AS SELECT api.mark_read($1, $2, $3);
SELECT is((SELECT array_agg(t) FROM pg_prepared_statements p, unnest(p.parameter_types) t WHERE p.name = 'untyped')::text, '{uuid,"character varying",bigint}', 'untyped parameters resolve');


-- mentions
SELECT refused($$ SELECT api.mention_count('11111111-1111-1111-1111-111111111111', 'bob') $$, '55000', 'mention_count where they are not kept');
ALTER TABLE chat.messages ADD mentions varchar(30)[];
SELECT chatopt.track_reads('chat.messages', mentions => 'mentions') \g /dev/null
CALL chatopt.backfill('chat.messages');
INSERT INTO chat.messages (conversation_id, sender_id, mentions) VALUES (:'one', 'ann', '{ann,bob}'), (:'one', 'ann', '{bob}');
SELECT is(api.mention_count(:'one', 'bob'), 2::bigint, 'mention_count');
SELECT results_eq($$ SELECT * FROM api.unread_mentions('11111111-1111-1111-1111-111111111111', 'bob') $$, 'VALUES (6::bigint), (7)', 'unread_mentions');
SELECT is((SELECT mentions FROM api.unread_counts('bob') WHERE conversation = :'one'), 2::bigint, 'and in unread_counts');
DELETE FROM chat.messages WHERE mentions IS NOT NULL;
SELECT chatopt.track_reads('chat.messages') \g /dev/null
ALTER TABLE chat.messages DROP COLUMN mentions;

-- a call costs nothing: the body is put into the calling query
SELECT matches(plan_of('SELECT api.mark_read(id, ''bob'', 3) FROM chat.conversations'), 'Output: chatopt\.mark_read\(''chat\.messages''::regclass, (conversations\.)?id', 'mark_read is inlined');
SELECT matches(plan_of('SELECT api.unread_count(id, ''bob'') FROM chat.conversations'), 'Output: chatopt\.unread_count\(''chat\.messages''::regclass', 'unread_count is inlined');
SELECT matches(plan_of('SELECT * FROM api.unread_counts(''bob'')'), 'Function Call: chatopt\.unread_counts\(''chat\.messages''::regclass', 'unread_counts is inlined');
SELECT doesnt_match(plan_of('SELECT api.mark_read(id, ''bob'', 3), api.mark_unread(id, ''bob'', 3), api.mark_delivered(id, ''bob'', 3),
  api.ack_message(id, ''bob'', 3, ''read''), api.unread_count(id, ''bob'') FROM chat.conversations'), 'api\.', 'no scalar one is called');

-- rights
SELECT refused($$ SELECT api.unread_count(id, 'bob') FROM chat.conversations $$, '42501', 'USAGE of the schema is needed', 'chatopt_api_app');
GRANT USAGE ON SCHEMA api TO chatopt_api_app;
SELECT refused($$ SELECT api.unread_count('11111111-1111-1111-1111-111111111111', 'bob') $$, '42501', 'EXECUTE is not PUBLIC''s', 'chatopt_api_app');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO chatopt_api_app;
SELECT refused($$ SELECT api.unread_count('11111111-1111-1111-1111-111111111111', 'bob') $$, '42501', 'EXECUTE alone opens no table', 'chatopt_api_app');
GRANT SELECT, UPDATE (delivered_seq, read_seq, updated_at) ON chat.members_read_state TO chatopt_api_app;
SELECT accepted($$ SELECT api.unread_count('11111111-1111-1111-1111-111111111111', 'bob'), api.mark_read('11111111-1111-1111-1111-111111111111', 'bob', 1) $$,
  'with SELECT and UPDATE on the positions', 'chatopt_api_app');

-- renames change nothing
ALTER TABLE chat.messages RENAME TO "My Posts";
ALTER TABLE chat."My Posts" RENAME conversation_id TO "room Id";
ALTER TABLE chat.members RENAME user_id TO who;
ALTER TABLE chat.conversations RENAME id TO key;
ALTER SCHEMA chat RENAME TO talk;
ALTER SCHEMA api RENAME TO "The API";
INSERT INTO talk."My Posts" ("room Id", sender_id) VALUES (:'one', 'ann');
SELECT is("The API".unread_count(:'one', 'bob'), 1::bigint, 'after renames: unread_count');
SELECT is("The API".mark_read(:'one', 'bob', 6), 6::bigint, 'after renames: mark_read');
SELECT is_empty($$ SELECT s FROM chatopt.refresh_api() AS s $$, 'after renames: nothing to refresh');

-- what an update of the extension may bring: another body, a function more, one less, another result
\set refreshed 'SELECT string_agg(split_part(s, ''('', 1), E''\\n'') FROM chatopt.refresh_api() AS s'
BEGIN;
ALTER FUNCTION "The API".unread_count(uuid, varchar) STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION "The API".mark_read(uuid, varchar, bigint) IS 'mine';
SELECT is((:refreshed), E'COMMENT ON FUNCTION "The API".mark_read\nCREATE OR REPLACE FUNCTION "The API".unread_count\nCOMMENT ON FUNCTION "The API".unread_count',
  'what was changed by hand is put right');
SELECT is((:refreshed), NULL, 'once');
SELECT ok(has_function_privilege('chatopt_api_app', '"The API".unread_count(uuid, varchar)', 'EXECUTE'), 'with its rights');
DROP FUNCTION "The API".unread_count(uuid, varchar);
SELECT matches((:refreshed), '^CREATE FUNCTION "The API".unread_count.*\nCOMMENT .*\nREVOKE ALL ', 'what was dropped is made');
SELECT ok(NOT has_function_privilege('chatopt_api_app', '"The API".unread_count(uuid, varchar)', 'EXECUTE'), 'and is nobody''s');
ROLLBACK;
BEGIN;
SELECT pg_get_functiondef('chatopt._api_functions'::regproc) AS list \gset
SELECT regexp_replace(regexp_replace(regexp_replace(:'list', 'mentions bigint\)', 'mentions bigint, last_read_again bigint)'), 'u\.last_sequence, u\.mentions ', 'u.last_sequence, u.mentions, u.last_read AS last_read_again '),
  '\(12, ''mark_unread''.*?\(13', '(13') AS list \gset
:list;
SELECT is((:refreshed), E'DROP FUNCTION "The API".mark_unread\nDROP FUNCTION "The API".unread_counts\nCREATE FUNCTION "The API".unread_counts\n'
  'COMMENT ON FUNCTION "The API".unread_counts\nREVOKE ALL ON FUNCTION "The API".unread_counts\nGRANT EXECUTE ON FUNCTION "The API".unread_counts',
  'a function less and another result: dropped, made anew, granted again');
SELECT is((SELECT last_read_again FROM "The API".unread_counts('bob') LIMIT 1), 6::bigint, 'the new one answers');
SELECT ok(has_function_privilege('chatopt_api_app', '"The API".unread_counts(varchar)', 'EXECUTE'), 'with the old one''s rights');
SELECT ok(NOT has_function_privilege('public', '"The API".unread_counts(varchar)', 'EXECUTE'), 'and no more');
SELECT is((:refreshed), NULL, 'once');
ROLLBACK;

-- functions of others
CREATE SCHEMA other;
CREATE FUNCTION other.mark_read(conversation uuid, member varchar, upto bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION other.more() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT refused($$ SELECT chatopt.create_api('talk."My Posts"', 'other') $$, '42723', 'a function of that name and types');
SELECT is(made('other'), 'mark_read more', 'nothing is made beside it');
CREATE OR REPLACE FUNCTION other.mark_read(conversation uuid, member varchar, upto bigint) RETURNS bigint
  BEGIN ATOMIC SELECT chatopt.mark_read('talk."My Posts"'::regclass, conversation, member, upto + other.more()); END;
SELECT refused($$ SELECT chatopt.create_api('talk."My Posts"', 'other') $$, '42723', 'one that does more than ours');
DROP FUNCTION other.mark_read(uuid, varchar, bigint);
SELECT accepted($$ SELECT chatopt.create_api('talk."My Posts"', 'other') $$, 'a second schema');
SELECT is((SELECT count(*) FROM chatopt.api), 2::bigint, 'the view lists both');

-- leaving
SELECT chatopt.untrack_reads('talk."My Posts"') \g /dev/null
SELECT is((:refreshed), NULL, 'untrack_reads leaves the functions to be used again');
SELECT refused($$ SELECT other.mark_read('11111111-1111-1111-1111-111111111111', 'bob', 1) $$, '55000', 'which say what is missing');
SELECT refused($$ SELECT chatopt.drop_api('talk."My Posts"', 'other') $$, '42501', 'dropped by somebody else', 'chatopt_api_app');
SELECT is((SELECT count(*) FROM chatopt.drop_api('talk."My Posts"', 'other', dry_run => true)), (SELECT cardinality(functions)::bigint FROM chatopt.api WHERE target_schema = 'other'), 'drop_api, dry');
SELECT chatopt.drop_api('talk."My Posts"', 'other') \g /dev/null
SELECT is(made('other'), 'more', 'drop_api leaves what is not its');
SELECT refused('DROP TABLE talk."My Posts"', '2BP01', 'the table of an API is not dropped unawares');
SELECT chatopt.drop_api('talk."My Posts"') \g /dev/null
SELECT is((SELECT count(*) FROM chatopt.api), 0::bigint, 'drop_api of all');

-- an owner who is no superuser, and other types
GRANT USAGE ON SCHEMA tap, test TO chatopt_api_owner;
CREATE SCHEMA small AUTHORIZATION chatopt_api_owner;
SET ROLE chatopt_api_owner;
SET search_path = small, test, tap;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations, sender_id int);
CREATE TABLE members (conversation_id int, user_id int, PRIMARY KEY (conversation_id, user_id));
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT chatopt.create_api('messages', 'small') \g /dev/null
SELECT is(pg_get_function_identity_arguments('small.unread_count'::regproc), 'conversation integer, member integer', 'an owner who is no superuser');
INSERT INTO conversations VALUES (1);
INSERT INTO members VALUES (1, 7), (1, 8);
INSERT INTO messages VALUES (1, 1, 7);
SELECT is(small.unread_count(1, 8), 1::bigint, 'integer keys');
DROP FUNCTION small.unread_count(int, int);
RESET ROLE;
SELECT chatopt.refresh_api() \g /dev/null
SELECT is((SELECT array_agg(DISTINCT proowner::regrole::text) FROM pg_proc WHERE pronamespace = 'small'::regnamespace), ARRAY['chatopt_api_owner'], 'what a superuser refreshes stays the owner''s');

DROP SCHEMA small CASCADE;
DROP OWNED BY chatopt_api_owner, chatopt_api_app;
DROP ROLE chatopt_api_owner, chatopt_api_app;
\ir teardown.psql
