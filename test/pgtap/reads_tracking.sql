-- track_reads and untrack_reads: every kind of chat, every refusal, what comes
-- and goes with attach, detach and enable, and the guard of the positions.
\set file reads_tracking
\ir setup.psql
SELECT no_plan();
CREATE ROLE chatopt_reads_owner;
CREATE ROLE chatopt_reads_app;

-- the four layouts, with conversations of before, and one without
\set layout plain
\ir forms/reads_layouts.psql
\set layout partitioned
\ir forms/reads_layouts.psql
\set layout apart
\ir forms/reads_layouts.psql
\set layout enforced
\ir forms/reads_layouts.psql

-- quoted camelCase, text keys with a collation and varchar members
\set layout 'Camel Case'
CREATE SCHEMA "Camel Case";
SET search_path = "Camel Case", test, tap, public;
CREATE TABLE "Conversation" (id text COLLATE "C" PRIMARY KEY, "createdAt" timestamptz);
CREATE TABLE "Message" (id uuid PRIMARY KEY, "conversationId" text COLLATE "C" REFERENCES "Conversation", "authorId" varchar(26), "createdAt" timestamptz);
CREATE TABLE "Room ""Members""" ("conversationId" text COLLATE "C", "userId" varchar(26), UNIQUE ("userId", "conversationId"));
SELECT test.snapshot(:'layout') AS before,
  $$ SELECT chatopt.attach('"Conversation"', '"Message"', '"Room ""Members"""') $$ AS again, '"Camel Case"."Message"' AS messages \gset
:again \g /dev/null
\ir forms/reads_tracking.psql

-- bigint and uuid keys, unlogged
\set layout unlogged
CREATE SCHEMA unlogged;
SET search_path = unlogged, test, tap, public;
CREATE UNLOGGED TABLE rooms (id bigint PRIMARY KEY);
CREATE UNLOGGED TABLE posts (id bigint PRIMARY KEY, room_id bigint REFERENCES rooms, author uuid);
CREATE UNLOGGED TABLE guests (room_id bigint, account_id uuid, PRIMARY KEY (account_id, room_id) INCLUDE (room_id));
SELECT test.snapshot(:'layout') AS before, $$ SELECT chatopt.attach('rooms', 'posts', 'guests') $$ AS again, 'unlogged.posts' AS messages \gset
:again \g /dev/null
\ir forms/reads_tracking.psql

-- members partitioned, in another schema than the rest, unique by a partial index that says what member_counted says
\set layout partial
CREATE SCHEMA partial;
SET search_path = partial, test, tap, public;
CREATE TABLE conversations (id uuid PRIMARY KEY);
CREATE TABLE messages (id uuid PRIMARY KEY, conversation_id uuid REFERENCES conversations, user_id bigint, kind text);
CREATE TABLE members (id bigint, conversation_id uuid, user_id bigint, left_at date, role text) PARTITION BY HASH (user_id);
CREATE TABLE members_0 PARTITION OF members FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE members_1 PARTITION OF members FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE UNIQUE INDEX ON members (user_id, conversation_id) WHERE left_at IS NULL AND role <> 'ban''ned';
SELECT test.snapshot(:'layout') AS before,
  $$ SELECT chatopt.attach('conversations', 'messages', 'members', member_counted => 'left_at IS NULL AND role <> ''ban''''ned''') $$ AS again, 'partial.messages' AS messages \gset
:again \g /dev/null
\ir forms/reads_tracking.psql

-- names are cut to 63 bytes, between characters
\set layout long
CREATE SCHEMA long;
SET search_path = long, test, tap, public;
SELECT repeat('é', 31) AS conv, repeat('m', 63) AS msg, 'x' || repeat('ü', 31) AS mem \gset
CREATE TABLE :"conv" (id int PRIMARY KEY);
CREATE TABLE :"msg" (id int PRIMARY KEY, conversation_id int REFERENCES :"conv", sender_id int);
CREATE TABLE :"mem" (conversation_id int, user_id int, PRIMARY KEY (conversation_id, user_id));
SELECT test.snapshot(:'layout') AS before, format('SELECT chatopt.attach(%L, %L, %L)', quote_ident(:'conv'), :'msg', quote_ident(:'mem')) AS again, 'long.' || :'msg' AS messages \gset
:again \g /dev/null
BEGIN;
SELECT chatopt.track_reads(:'messages') \g /dev/null
SELECT is((SELECT string_agg(octet_length(c.relname) || ' ' || c.relname, ', ' ORDER BY o) FROM chatopt.reads r, unnest(ARRAY[r.read_state, r.read_heads, r.skipped_numbers, r.read_marks])
  WITH ORDINALITY AS u(t, o) JOIN pg_class c ON c.oid = u.t),
  '62 x' || repeat('ü', 25) || '_read_state, 63 ' || repeat('é', 26) || '_read_heads, 63 ' || repeat('m', 47) || '_skipped_numbers, 62 x' || repeat('ü', 25) || '_read_marks',
  test.says('names of at most 63 bytes'));
ROLLBACK;
\ir forms/reads_tracking.psql

-- ---------------------------------------------------------------------------
-- refusals: nothing changes
CREATE SCHEMA refusals;
GRANT USAGE ON SCHEMA refusals TO PUBLIC;
SET search_path = refusals, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id bigint PRIMARY KEY, conversation_id int REFERENCES conversations, sender_id bigint, nobody int, body text);
CREATE TABLE members (conversation_id int, user_id bigint, left_at date, active boolean, PRIMARY KEY (conversation_id, user_id));
CREATE FUNCTION test.refused_track(state text, hint text, what text, arguments text DEFAULT '''refusals.messages''', role text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c record;
  before text := test.snapshot(current_schema());
BEGIN
  SELECT * INTO c FROM test.complaint(format('SELECT chatopt.track_reads(%s)', arguments), role);
  RETURN ok((c.state, coalesce(c.hint, '') ~ hint, test.snapshot(current_schema())) = (refused_track.state, true, before), test.says(what))
    || CASE WHEN (c.state, coalesce(c.hint, '') ~ hint) = (refused_track.state, true) THEN '' ELSE E'\n' || diag(format('%s: %s; %s; %s', c.state, c.message, c.detail, c.hint)) END;
END $$;
SELECT test.refused_track('22004', 'Name the messages', 'no table', 'NULL');
SELECT test.refused_track('55000', 'chatopt.chats', 'not attached');
SELECT test.refused('SELECT chatopt.untrack_reads(NULL)', '22004', 'untrack_reads of no table');
SELECT test.refused($$ SELECT chatopt.untrack_reads('messages') $$, '55000', 'untrack_reads of a table that is not attached');
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT test.refused_track('55000', 'members =>', 'no members table');
SELECT test.refused($$ SELECT chatopt.untrack_reads('messages') $$, '55000', 'untrack_reads of a chat that is not tracked');
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT test.refused_track('22004', 'read', 'own_messages NULL', $$ 'messages', NULL $$);
SELECT test.refused_track('22023', 'count', 'own_messages unknown', $$ 'messages', 'Read' $$);
SELECT test.refused_track('42501', '', 'by another role', role => 'chatopt_reads_app');
SELECT test.refused_track('42501', '', 'dry_run by another role', $$ 'refusals.messages', dry_run => true $$, 'chatopt_reads_app');
SELECT chatopt.disable('messages') \g /dev/null
SELECT test.refused_track('55000', 'enable', 'a disabled chat');
SELECT chatopt.enable('messages') \g /dev/null
-- the sender
BEGIN;
SELECT chatopt.attach('conversations', 'messages', message_sender => 'nobody') \g /dev/null
SELECT test.refused_track('42804', 'message_sender', 'a sender of another type than the members');
ROLLBACK;
BEGIN;
SELECT chatopt.detach('messages') \g /dev/null
ALTER TABLE messages RENAME sender_id TO whoever;
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT test.refused_track('42703', 'message_sender', 'no sender column');
SELECT chatopt.attach('conversations', 'messages', message_sender => 'whoever') \g /dev/null
SELECT test.accepted($$ SELECT chatopt.track_reads('messages') $$, 'one that is named later');
ROLLBACK;
BEGIN;
DROP TRIGGER zzz_chatopt_number ON messages;
CREATE TRIGGER zzz_chatopt_number BEFORE INSERT OR UPDATE OF conversation_id, sequence_number, id ON messages FOR EACH ROW
  EXECUTE FUNCTION chatopt.number_message('conversation', 'sequence_number', 'message_id');
SELECT test.refused_track('55000', 'chatopt.attach again', 'a trigger that names no sender');
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT test.accepted($$ SELECT chatopt.track_reads('messages') $$, 'attach again puts it right');
ROLLBACK;
-- message_count
BEGIN;
SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": null}') \g /dev/null
SELECT test.refused_track('55000', 'message_count', 'no message_count');
ROLLBACK;
-- members twice
BEGIN;
ALTER TABLE members DROP CONSTRAINT members_pkey;
SELECT test.refused_track('42830', '^CREATE UNIQUE INDEX CONCURRENTLY ON refusals.members \(conversation_id, user_id\);$', 'no unique index');
CREATE UNIQUE INDEX one ON members (conversation_id, user_id, left_at);
SELECT test.refused_track('42830', '', 'on three columns');
DROP INDEX one;
CREATE UNIQUE INDEX one ON members (conversation_id, user_id) WHERE left_at IS NULL;
SELECT test.refused_track('42830', '', 'of some rows where all count');
SELECT chatopt.attach('conversations', 'messages', 'members', member_counted => 'active') \g /dev/null
SELECT test.refused_track('42830', 'WHERE active;$', 'of other rows than those that count');
DROP INDEX one;
CREATE UNIQUE INDEX one ON members (conversation_id, user_id) WHERE active;
SELECT test.accepted($$ SELECT chatopt.track_reads('messages') $$, 'of just those that count');
ROLLBACK;
BEGIN;
ALTER TABLE members DROP CONSTRAINT members_pkey, ADD UNIQUE (conversation_id, user_id) DEFERRABLE;
SELECT test.refused_track('42830', '', 'a deferrable constraint');
ROLLBACK;
BEGIN;
ALTER TABLE members DROP CONSTRAINT members_pkey;
CREATE UNIQUE INDEX one ON members (conversation_id, lower(user_id::text));
SELECT test.refused_track('42830', '', 'on an expression');
DROP INDEX one;
CREATE UNIQUE INDEX one ON members (user_id, conversation_id) INCLUDE (left_at);
SELECT test.accepted($$ SELECT chatopt.track_reads('messages') $$, 'in the other order');
ROLLBACK;
-- names that are taken
BEGIN;
CREATE VIEW members_read_state AS SELECT 1;
SELECT test.refused_track('42P07', 'Rename or drop', 'a view of that name');
ROLLBACK;
BEGIN;
CREATE TABLE conversations_read_heads (conversation_id int PRIMARY KEY, next_slot int NOT NULL, members int NOT NULL, filled_upto bigint, more text);
SELECT test.refused_track('42P07', 'Rename or drop', 'a table with a column more');
ALTER TABLE conversations_read_heads DROP COLUMN more;
SELECT test.refused_track('42P07', 'Rename or drop', 'or with one dropped');
DROP TABLE conversations_read_heads;
CREATE TABLE conversations_read_heads (conversation_id int PRIMARY KEY, next_slot int NOT NULL, members int NOT NULL, filled_upto bigint);
ALTER TABLE conversations_read_heads OWNER TO chatopt_reads_app;
SELECT test.refused_track('42P07', 'Rename or drop', 'a table of another owner''s');
ALTER TABLE conversations_read_heads OWNER TO CURRENT_USER;
SELECT test.accepted($$ SELECT chatopt.track_reads('messages') $$, 'the same table, our owner''s');
ROLLBACK;
BEGIN;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER aaa_chatopt_conversation AFTER INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION noop();
SELECT test.refused_track('42710', 'Rename or drop', 'a trigger of ours by name only');
ROLLBACK;

-- ---------------------------------------------------------------------------
-- own_messages => 'count': an index, and the way back
SELECT test.snapshot('refusals') AS attached \gset
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.snapshot('refusals') AS tracked \gset
SELECT is((SELECT string_agg(s, ' ') FROM chatopt.track_reads('messages', 'count') AS s WHERE s LIKE 'CREATE%'),
  'CREATE INDEX ON refusals.messages (conversation_id, sender_id, sequence_number);', test.says('own_messages => count wants an index'));
SELECT is((SELECT own_messages FROM chatopt.reads), 'count', test.says('and says so'));
SELECT is_empty($$ SELECT chatopt.track_reads('messages', 'count') $$, test.says('twice does nothing'));
SELECT isnt_empty($$ SELECT chatopt.track_reads('messages') $$, test.says('own_messages counts as given'));
SELECT is((SELECT own_messages FROM chatopt.reads), 'read', test.says('back to read'));
SELECT chatopt.untrack_reads('messages', drop_tables => true) \g /dev/null
SELECT test.same(:'attached', test.snapshot('refusals'), 'untrack_reads drops the index too');
CREATE INDEX theirs ON messages (conversation_id, sender_id, sequence_number);
SELECT chatopt.track_reads('messages', 'count') \g /dev/null
SELECT chatopt.untrack_reads('messages', drop_tables => true) \g /dev/null
SELECT has_index('refusals', 'messages', 'theirs', test.says('an index that was there stays'));
DROP INDEX theirs;

-- what is missing is put back
SELECT chatopt.track_reads('messages') \g /dev/null
DROP TRIGGER zzz_chatopt_guard_reads ON members_read_state;
DROP TRIGGER zzz_chatopt_truncate ON conversations;
DROP INDEX members_read_marks_conversation_id_idx;
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.same(:'tracked', test.snapshot('refusals'), 'a trigger and an index are put back');
ALTER TABLE members_read_state DISABLE TRIGGER zzz_chatopt_guard_reads;
ALTER TABLE conversations DISABLE TRIGGER aaa_chatopt_conversation;
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.same(:'tracked', test.snapshot('refusals'), 'triggers that were switched off are switched on');
DROP TABLE members_read_marks;
SELECT chatopt.track_reads('messages') \g /dev/null
SELECT test.same(:'tracked', test.snapshot('refusals'), 'a table that was dropped is made again');
ALTER TABLE members_read_state RENAME TO positions;
ALTER TABLE members RENAME TO people;
ALTER TABLE messages RENAME sender_id TO "from whom";
SELECT is_empty($$ SELECT chatopt.track_reads('messages') $$, test.says('tables and columns may be renamed'));
ALTER TABLE positions RENAME TO members_read_state;
ALTER TABLE people RENAME TO members;
ALTER TABLE messages RENAME "from whom" TO sender_id;

-- attach may not take away what reads need; where it changes what counts, backfill begins anew
INSERT INTO conversations VALUES (1);
TRUNCATE conversations_read_heads;
INSERT INTO conversations_read_heads VALUES (1, 0, 0, NULL);
SELECT test.refused($$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": null}') $$, '55000', 'attach without message_count');
SELECT test.refused($$ SELECT chatopt.attach('conversations', 'messages', message_sender => 'nobody') $$, '42804', 'attach with a sender of another type');
SELECT test.refused($$ SELECT chatopt.attach('conversations', 'messages', member_user => 'left_at') $$, '0A000', 'attach with members of another type');
BEGIN;
SELECT chatopt.attach('conversations', 'messages', message_counted => 'body IS NOT NULL') \g /dev/null
SELECT is((SELECT filled_upto FROM conversations_read_heads)::text || ' ' || (SELECT state FROM chatopt.reads), '0 filling', test.says('other messages count: filled again'));
ROLLBACK;
BEGIN;
SELECT chatopt.attach('conversations', 'messages', member_counted => 'active') \g /dev/null
SELECT is((SELECT filled_upto FROM conversations_read_heads)::text || ' ' || (SELECT state FROM chatopt.reads), '0 filling', test.says('others are members: filled again'));
ROLLBACK;
BEGIN;
ALTER TABLE members DROP CONSTRAINT members_pkey;
CREATE UNIQUE INDEX ON members (conversation_id, user_id) WHERE left_at IS NULL;
SELECT test.refused($$ SELECT chatopt.attach('conversations', 'messages', member_counted => 'active') $$, '42830', 'a condition without its unique index');
ROLLBACK;
BEGIN;
SELECT chatopt.attach('conversations', 'messages', enforce_conversation => true) \g /dev/null
SELECT chatopt.attach('conversations', 'messages') \g /dev/null
SELECT is((SELECT filled_upto FROM conversations_read_heads), NULL, test.says('enforce_conversation on and off fills nothing again'));
SELECT test.same(:'tracked', test.snapshot('refusals'), 'and leaves the triggers of the reads');
ROLLBACK;
-- disable and enable
SELECT chatopt.disable('messages') \g /dev/null
SELECT test.accepted($$ SELECT chatopt.untrack_reads('messages', dry_run => true) $$, 'untrack_reads of a disabled chat');
SELECT is((SELECT count(*) FROM chatopt.untrack_reads('messages', dry_run => true) s WHERE s LIKE '%ENABLE%')::text, '0', test.says('switches nothing on'));
SELECT chatopt.enable('messages') \g /dev/null
SELECT is((SELECT filled_upto FROM conversations_read_heads)::text || ' ' || (SELECT state FROM chatopt.reads), '0 filling', test.says('enable has everything filled again'));
SELECT test.same(:'tracked', test.snapshot('refusals'), 'and the triggers are on');

-- a large table: the index is handed out, leaf by leaf, and dropped again by untrack_reads
CREATE SCHEMA large;
SET search_path = large, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int, conversation_id int, sender_id int) PARTITION BY RANGE (id);
CREATE TABLE messages_a PARTITION OF messages FOR VALUES FROM (0) TO (100002);
CREATE TABLE messages_b PARTITION OF messages FOR VALUES FROM (100002) TO (200000);
CREATE TABLE members (conversation_id int, user_id int, PRIMARY KEY (user_id, conversation_id));
INSERT INTO messages SELECT i, 1, 1 FROM generate_series(1, 100001) i;
SELECT chatopt.attach('conversations', 'messages', 'members', message_key => 'id') \g /dev/null
SELECT test.snapshot('large') AS attached \gset
SELECT is((SELECT string_agg(s, E'\n') FROM chatopt.track_reads('messages', 'count') s WHERE s LIKE '%INDEX%messages%'),
  E'-- outside a transaction block\nCREATE INDEX CONCURRENTLY ON large.messages_a (conversation_id, sender_id, sequence_number);\n'
  '-- outside a transaction block\nCREATE INDEX CONCURRENTLY ON large.messages_b (conversation_id, sender_id, sequence_number);', test.says('an index on a large table is handed out'));
SELECT is((SELECT state || ' ' || own_messages FROM chatopt.reads WHERE messages = 'messages'::regclass), 'tracked count', test.says('and the chat tracked without it'));
SELECT is_empty($$ SELECT s FROM chatopt.track_reads('messages', 'count') AS s WHERE s !~ '^-- outside' $$, test.says('a second time it is only handed out again'));
CREATE INDEX a ON messages_a (conversation_id, sender_id, sequence_number);
CREATE INDEX b ON messages_b (conversation_id, sender_id, sequence_number);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a'::regclass;
SELECT is((SELECT string_agg(split_part(s, E'\n', 2), ' ') FROM chatopt._plan_sender_index(chatopt._reads_layout('messages', 'count', false, false), true) AS p, LATERAL (SELECT E'\n' || p.statement) AS x(s)),
  'DROP INDEX CONCURRENTLY large.a; CREATE INDEX CONCURRENTLY ON large.messages_a (conversation_id, sender_id, sequence_number);', test.says('one that failed is dropped first'));
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'a'::regclass;
SELECT is((SELECT string_agg(s, ' ') FROM chatopt.track_reads('messages', 'count') s WHERE s LIKE '%INDEX%messages%'),
  'CREATE INDEX ON large.messages (conversation_id, sender_id, sequence_number);', test.says('built on every leaf, they are joined'));
SELECT is_empty($$ SELECT chatopt.track_reads('messages', 'count') $$, test.says('and that is all'));
BEGIN;
SELECT chatopt.untrack_reads('messages', drop_tables => true) \g /dev/null
SELECT test.same(:'attached', test.snapshot('large'), 'untrack_reads drops it');
ROLLBACK;
DROP INDEX messages_conversation_id_sender_id_sequence_number_idx;
CREATE INDEX c ON messages_a (conversation_id, sender_id, sequence_number);
SELECT chatopt.untrack_reads('messages', drop_tables => true) \g /dev/null
SELECT test.same(:'attached', test.snapshot('large'), 'also where it is not complete');
SELECT chatopt.detach('messages') \g /dev/null
DROP SCHEMA large CASCADE;
SET search_path = refusals, test, tap, public;

-- ---------------------------------------------------------------------------
-- the guard: conversation 1 is at number 3; members 1 and 3 are there, 2 has left
TRUNCATE conversations_read_heads, members_read_state;
SELECT chatopt.untrack_reads('messages') \g /dev/null
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1), (3, 1);
INSERT INTO members_read_state VALUES (1, 1, 0, NULL, 1, 1, NULL, 0), (1, 2, 0, 2, 2, 1, NULL, 1), (1, 3, 0, NULL, 0, 0, NULL, 2);
SELECT chatopt.track_reads('messages') \g /dev/null
CREATE FUNCTION test.positions(member bigint) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s %s %s', delivered_seq, read_seq, updated_at IS NOT NULL) FROM refusals.members_read_state WHERE member_id = member $$;
SELECT is(test.positions(1), '1 1 f', test.says('positions are taken up as they were'));
UPDATE members_read_state SET delivered_seq = 2 WHERE member_id = 1;
SELECT is(test.positions(1), '2 1 f', test.says('delivered, which has no time'));
UPDATE members_read_state SET read_seq = 3 WHERE member_id = 1;
SELECT is(test.positions(1), '3 3 t', test.says('read is delivered, and has one'));
UPDATE members_read_state SET delivered_seq = 99, updated_at = 'infinity' WHERE member_id = 3;
SELECT is(test.positions(3), '3 0 f', test.says('not beyond the last number, and the time is not the statement''s to say'));
UPDATE members_read_state SET read_seq = 9223372036854775807 WHERE member_id = 3;
SELECT is(test.positions(3), '3 3 t', test.says('nor read'));
SELECT test.accepted('UPDATE members_read_state SET slot = slot, read_seq = read_seq, updated_at = NULL', 'what changes nothing passes');
SELECT is(test.positions(3), '3 3 t', test.says('and changes nothing'));
SELECT test.attempt(format('UPDATE members_read_state SET %s WHERE member_id = 1', s)) FROM unnest(ARRAY['read_seq = 2', 'delivered_seq = 2', 'read_seq = 1, delivered_seq = 1',
  'read_seq = NULL', 'delivered_seq = -1', 'updated_at = NULL']) AS s \g /dev/null
SELECT is(test.positions(1), '3 3 t', test.says('never back, nor away'));
SELECT test.refused('UPDATE members_read_state SET slot = 7 WHERE member_id = 1', '428C9', 'a slot');
SELECT test.refused('UPDATE members_read_state SET left_seq = 3 WHERE member_id = 1', '428C9', 'leaving');
SELECT test.refused('UPDATE members_read_state SET left_seq = NULL WHERE member_id = 2', '428C9', 'rejoining');
SELECT test.refused('UPDATE members_read_state SET joined_seq = 1 WHERE member_id = 1', '428C9', 'another join');
SELECT test.refused('UPDATE members_read_state SET member_id = 4 WHERE member_id = 1', '428C9', 'another member');
SELECT test.refused('UPDATE members_read_state SET conversation_id = 4 WHERE member_id = 1', '428C9', 'another conversation');
SELECT test.attempt('UPDATE members_read_state SET read_seq = 2, delivered_seq = 3 WHERE member_id = 2') \g /dev/null
SELECT is(test.positions(2), '2 1 f', test.says('who left reads nothing'));
SELECT test.refused('INSERT INTO members_read_state VALUES (1, 5, 0, NULL, 0, 0, NULL, 3)', '428C9', 'an INSERT');
SELECT test.refused($$ INSERT INTO members_read_state VALUES (1, 1, 0, NULL, 9, 9, NULL, 0) ON CONFLICT (member_id, conversation_id, joined_seq) DO UPDATE SET read_seq = 9 $$, '428C9', 'an upsert');
SELECT test.refused('DELETE FROM members_read_state WHERE member_id = 1', '428C9', 'a member''s row cannot be deleted');
GRANT SELECT, DELETE, UPDATE (delivered_seq, read_seq, updated_at) ON members_read_state TO chatopt_reads_app;
SELECT test.refused('DELETE FROM refusals.members_read_state WHERE member_id = 2', '428C9', 'a leaver''s not by others', 'chatopt_reads_app');
SELECT test.refused('UPDATE refusals.members_read_state SET slot = slot', '42501', 'a column that is not granted', 'chatopt_reads_app');
SELECT test.accepted('UPDATE refusals.members_read_state SET read_seq = 4 WHERE member_id = 1', 'who was granted the columns marks, without any right on the rest', 'chatopt_reads_app');
SELECT test.accepted('DELETE FROM members_read_state WHERE member_id = 2', 'a leaver''s row by the owner');
SET session_replication_role = replica;
SELECT test.accepted('INSERT INTO members_read_state VALUES (1, 5, 0, NULL, 0, 0, NULL, 3)', 'a replica is not guarded');
RESET session_replication_role;
-- on a table of somebody else's, or fired otherwise, it does nothing
CREATE TABLE borrowed (LIKE members_read_state);
INSERT INTO borrowed VALUES (1, 5, 0, NULL, 0, 0, NULL, 3);
CREATE TRIGGER zzz_chatopt_guard_reads BEFORE INSERT OR UPDATE OR DELETE ON borrowed FOR EACH ROW EXECUTE FUNCTION chatopt.guard_reads();
SELECT test.refused('UPDATE borrowed SET read_seq = 1', '55000', 'a table that is not tracked');
CREATE TABLE late (a int);
CREATE TRIGGER late AFTER INSERT ON late FOR EACH ROW EXECUTE FUNCTION chatopt.guard_reads();
SELECT test.refused('INSERT INTO late VALUES (1)', '39P01', 'fired after the row');
DROP TABLE borrowed, late;

-- ---------------------------------------------------------------------------
-- rights: tables of the owner of messages, also when somebody else tracks
CREATE SCHEMA owned;
SET search_path = owned, test, tap, public;
CREATE TABLE conversations (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, conversation_id int REFERENCES conversations, sender_id int);
CREATE TABLE members (conversation_id int, user_id int, PRIMARY KEY (conversation_id, user_id));
ALTER TABLE conversations OWNER TO chatopt_reads_owner;
ALTER TABLE messages OWNER TO chatopt_reads_owner;
ALTER TABLE members OWNER TO chatopt_reads_owner;
GRANT INSERT ON messages TO chatopt_reads_app;
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
SELECT test.refused_track('42501', 'GRANT CREATE ON SCHEMA owned TO chatopt_reads_owner', 'the owner may not create tables there', '''messages''');
GRANT ALL ON SCHEMA owned TO chatopt_reads_owner;
SELECT test.snapshot('owned') AS attached \gset
SELECT is((SELECT count(*) FROM chatopt.track_reads('messages') s WHERE s LIKE 'ALTER TABLE % OWNER TO chatopt_reads_owner;')::text, '4', test.says('by a superuser'));
SELECT is_empty($$ SELECT r.oid::regclass FROM chatopt.reads t JOIN pg_class r ON r.oid IN (t.read_state, t.read_heads, t.skipped_numbers, t.read_marks)
  WHERE t.messages = 'owned.messages'::regclass AND r.relowner <> 'chatopt_reads_owner'::regrole $$, test.says('the tables are the owner''s'));
SELECT test.refused($$ SELECT chatopt.untrack_reads('owned.messages') $$, '42501', 'untrack_reads by others', 'chatopt_reads_app');
SELECT test.refused($$ SELECT chatopt.forget_reads('owned.messages') $$, '42501', 'forget_reads by others', 'chatopt_reads_app');
SELECT test.refused($$ SELECT chatopt.reads_config('owned.messages') $$, '42501', 'the configuration of what the caller may not read', 'chatopt_reads_app');
SELECT test.refused($$ INSERT INTO chatopt.read_tracking SELECT * FROM chatopt.read_tracking $$, '42501', 'nobody writes the configuration', 'chatopt_reads_owner');
SELECT test.refused($$ SELECT chatopt.save_reads('owned.messages', 'owned.members_read_state', 'owned.conversations_read_heads', 'owned.messages_skipped_numbers', 'owned.members_read_marks', 'read', 'tracked', '{}') $$,
  '42501', 'save_reads by others', 'chatopt_reads_app');
SELECT test.refused($$ SELECT chatopt.save_reads('owned.messages', 'owned.members_read_state', 'owned.conversations_read_heads', 'refusals.messages_skipped_numbers', 'owned.members_read_marks', 'read', 'tracked', '{}') $$,
  '55006', 'with a table of another chat''s');
SELECT test.refused($$ SELECT chatopt.save_reads('owned.members', 'owned.members_read_state', 'owned.conversations_read_heads', 'owned.messages_skipped_numbers', 'owned.members_read_marks', 'read', 'tracked', '{}') $$,
  '55000', 'for a table that is not attached');
SELECT test.refused($$ SELECT chatopt.save_reads('owned.messages', NULL, 'owned.conversations_read_heads', 'owned.messages_skipped_numbers', 'owned.members_read_marks', 'read', 'tracked', '{}') $$,
  '22004', 'with no table of positions');
SELECT test.accepted($$ SELECT chatopt.untrack_reads('owned.messages', drop_tables => true) $$, 'untrack_reads by the owner', 'chatopt_reads_owner');
SELECT test.same(:'attached', test.snapshot('owned'), 'leaves no trace');
SELECT test.accepted($$ SELECT chatopt.track_reads('owned.messages') $$, 'track_reads by the owner', 'chatopt_reads_owner');
SET ROLE chatopt_reads_app;
SELECT count(*) AS seen FROM chatopt.reads \gset
RESET ROLE;
SELECT is(:'seen'::text, '0', test.says('the view shows nothing of messages that the caller may not read'));
SELECT is((SELECT count(*) FROM chatopt.reads)::text, '2', test.says('the view shows them'));
SELECT is((SELECT string_agg(p.proname, ' ') FROM pg_proc p WHERE p.pronamespace = 'chatopt'::regnamespace AND p.prosecdef), NULL, test.says('nothing is SECURITY DEFINER'));
-- a table that others build on is not dropped from under them
CREATE VIEW unread AS SELECT * FROM members_read_state;
SELECT test.refused($$ SELECT chatopt.untrack_reads('messages', drop_tables => true) $$, '2BP01', 'a view on the positions');
SELECT isnt_empty($$ SELECT chatopt.reads_config('messages') $$, test.says('still tracked'));
DROP VIEW unread;
-- a chat whose tables are gone is forgotten
DROP TABLE messages, members CASCADE;
SELECT is((SELECT count(*) FROM chatopt.reads)::text, '1', test.says('a chat whose messages were dropped is not in the view'));

-- types in a schema of their own
SET search_path = public, test, tap;
SELECT chatopt.detach_all("cascade" => true) \g /dev/null
DROP SCHEMA refusals, owned CASCADE;
DROP EXTENSION chatopt;
CREATE SCHEMA "My types";
CREATE EXTENSION chatopt SCHEMA "My types";
\set layout plain
\ir forms/reads_layouts.psql

DROP ROLE chatopt_reads_owner, chatopt_reads_app;
\ir teardown.psql
