-- Bad input: each a clear error that names the culprit, nothing changed.
\set file bad_input
\ir setup.psql
SELECT plan(326);
SELECT test.build('bad', adopt => false);
INSERT INTO conversations (id) VALUES (1), (2);
INSERT INTO messages (id, conversation_id) VALUES (1, 1), (2, 1);

-- bad('what', 'SQLSTATE pattern', 'what the error names', 'statement'): refused like that, and nothing changed.
CREATE FUNCTION test.bad(what text, wanted text, named text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  before text := test.snapshot('bad');
  c record;
BEGIN
  SELECT * INTO c FROM test.complaint(statement);
  RETURN NEXT ok(c.state ~ ('^(' || wanted || ')$') AND concat_ws(' ', c.message, c.detail, c.hint) ~ named, test.says(what))
    || CASE WHEN c.state ~ ('^(' || wanted || ')$') AND concat_ws(' ', c.message, c.detail, c.hint) ~ named THEN ''
       ELSE E'\n' || diag(format(E'wanted %s naming %s, got %s: %s\ndetail: %s\nhint: %s', wanted, named, c.state, c.message, c.detail, c.hint)) END;
  RETURN NEXT test.same(before, test.snapshot('bad') , what || ': nothing changed');
  RETURN NEXT ok((SELECT count(*) = 0 FROM chatopt.chats) AND c.message = lower(left(c.message, 1)) || substr(c.message, 2) AND c.message !~ '\.$',
    test.says(what || ': nothing attached, and the message is in PostgreSQL''s style'));
END $$;

-- tables
SELECT test.bad('no such messages table', '42P01', 'nothing', $$ SELECT chatopt.attach('conversations', 'bad.nothing') $$);
SELECT test.bad('no such conversations table', '42P01', 'nothing', $$ SELECT chatopt.attach('nothing', 'messages') $$);
SELECT test.bad('a table that is no more', '42P01|42809|42704', '1234567', $$ SELECT chatopt.attach('conversations', 1234567::regclass) $$);
SELECT test.bad('no messages', '22004', 'messages', $$ SELECT chatopt.attach('conversations', NULL) $$);
SELECT test.bad('no conversations', '22004', 'conversations', $$ SELECT chatopt.attach(NULL, 'messages') $$);
CREATE VIEW a_view AS SELECT * FROM messages;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM messages;
CREATE SEQUENCE a_sequence;
CREATE INDEX an_index ON messages (created_at);
CREATE TYPE a_type AS (id int);
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER dummy FOREIGN DATA WRAPPER dummy;
CREATE FOREIGN TABLE a_foreign_table (id int, conversation_id int, created_at timestamptz) SERVER dummy;
SELECT test.bad('a view as messages', '42809', 'a_view', $$ SELECT chatopt.attach('conversations', 'a_view') $$);
SELECT test.bad('a view as conversations', '42809', 'a_view', $$ SELECT chatopt.attach('a_view', 'messages') $$);
SELECT test.bad('a view as members', '42809', 'a_view', $$ SELECT chatopt.attach('conversations', 'messages', 'a_view') $$);
SELECT test.bad('a view as counters', '42809', 'a_view', $$ SELECT chatopt.attach('conversations', 'messages', counters => 'a_view') $$);
SELECT test.bad('a materialized view', '42809', 'a_matview', $$ SELECT chatopt.attach('conversations', 'a_matview') $$);
SELECT test.bad('a foreign table as messages', '42809', 'a_foreign_table', $$ SELECT chatopt.attach('conversations', 'a_foreign_table') $$);
SELECT test.bad('a foreign table as conversations', '42809', 'a_foreign_table', $$ SELECT chatopt.attach('a_foreign_table', 'messages') $$);
SELECT test.bad('a foreign table as members', '42809', 'a_foreign_table', $$ SELECT chatopt.attach('conversations', 'messages', 'a_foreign_table') $$);
SELECT test.bad('a sequence', '42809', 'a_sequence', $$ SELECT chatopt.attach('conversations', 'a_sequence') $$);
SELECT test.bad('an index', '42809', 'an_index', $$ SELECT chatopt.attach('conversations', 'an_index') $$);
SELECT test.bad('a composite type', '42809', 'a_type', $$ SELECT chatopt.attach('conversations', 'a_type') $$);
SELECT test.bad('a system catalogue', '42809|42501|0A000', 'pg_class', $$ SELECT chatopt.attach('conversations', 'pg_class') $$);
SELECT test.bad('our own configuration', '42809|42501|0A000|42703', 'chat', $$ SELECT chatopt.attach('conversations', 'chatopt.chat') $$);
SELECT test.bad('messages as conversations', '42809|22023|0A000', 'messages', $$ SELECT chatopt.attach('messages', 'messages') $$);
SELECT test.bad('messages as members', '42809|22023|0A000', 'messages', $$ SELECT chatopt.attach('conversations', 'messages', 'messages') $$);
SELECT test.bad('messages as counters', '42809|22023|0A000', 'messages', $$ SELECT chatopt.attach('conversations', 'messages', counters => 'messages') $$);
CREATE TEMP TABLE temp_messages (id bigint PRIMARY KEY, conversation_id int, created_at timestamptz);
CREATE TEMP TABLE temp_conversations (id int PRIMARY KEY);
SELECT test.bad('a temporary table as messages (R51)', '0A000|42809', 'temp_messages', $$ SELECT chatopt.attach('conversations', 'temp_messages') $$);
SELECT test.bad('a temporary table as conversations', '0A000|42809', 'temp_conversations', $$ SELECT chatopt.attach('temp_conversations', 'messages') $$);
CREATE UNLOGGED TABLE unlogged_messages (id bigint PRIMARY KEY, conversation_id int, created_at timestamptz);
SELECT test.bad('unlogged messages and logged conversations (R51)', '0A000|42809', 'unlogged', $$ SELECT chatopt.attach('conversations', 'unlogged_messages') $$);
CREATE TABLE parted_conversations (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE parted_conversations_0 PARTITION OF parted_conversations FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT test.bad('partitioned conversations (R12)', '0A000', 'parted_conversations', $$ SELECT chatopt.attach('parted_conversations', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE parted_messages (id bigint, conversation_id int, created_at timestamptz, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE parted_messages_1 PARTITION OF parted_messages FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
SELECT test.bad('one partition instead of the table', '0A000|42809', 'parted_messages_1', $$ SELECT chatopt.attach('conversations', 'parted_messages_1') $$);

-- keys and columns
CREATE TABLE no_key (id int, title text);
CREATE TABLE no_key_messages (id bigint, conversation_id int, created_at timestamptz);
CREATE TABLE no_columns ();
CREATE TABLE partial_key (id int);
CREATE UNIQUE INDEX ON partial_key (id) WHERE id > 0;
CREATE TABLE deferred_key (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE two_columns (tenant int, id int, PRIMARY KEY (tenant, id));
SELECT test.bad('conversations without a unique key', '42830|42P10|42703|0A000|42704|55000|42804|42P16|22023', 'no_key', $$ SELECT chatopt.attach('no_key', 'messages', conversation_key => 'id', message_conversation => 'conversation_id') $$);
SELECT test.bad('conversations with a partial unique key', '42830|42P10|42703|0A000|42704|55000|42P16|22023', 'partial_key', $$ SELECT chatopt.attach('partial_key', 'messages', conversation_key => 'id', message_conversation => 'conversation_id') $$);
SELECT test.bad('conversations with a deferrable key', '42830|42P10|42703|0A000|42704|55000|42P16|22023', 'deferred_key', $$ SELECT chatopt.attach('deferred_key', 'messages', conversation_key => 'id', message_conversation => 'conversation_id') $$);
SELECT test.bad('conversations with a key of two columns', '42830|42P10|42703|0A000|42704|55000|42P16|22023', 'two_columns', $$ SELECT chatopt.attach('two_columns', 'messages', conversation_key => 'id', message_conversation => 'conversation_id') $$);
SELECT test.bad('counters without a unique key', '42830|42P10|42703|0A000|42704|55000|42P16|22023', 'no_key', $$ SELECT chatopt.attach('conversations', 'messages', counters => 'no_key') $$);
SELECT test.bad('a table without columns', '42703', 'no_columns', $$ SELECT chatopt.attach('conversations', 'no_columns') $$);
SELECT test.bad('conversation_key that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', conversation_key => 'nonsense') $$);
SELECT test.bad('message_key that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', message_key => 'nonsense') $$);
SELECT test.bad('message_conversation that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', message_conversation => 'nonsense') $$);
SELECT test.bad('message_time that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', message_time => 'nonsense') $$);
SELECT test.bad('message_sender that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', message_sender => 'nonsense') $$);
SELECT test.bad('member_conversation that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', 'members', member_conversation => 'nonsense') $$);
SELECT test.bad('member_user that is not there', '42703', 'nonsense', $$ SELECT chatopt.attach('conversations', 'messages', 'members', member_user => 'nonsense') $$);
SELECT test.bad('a system column as key', '42703|0A000|42804|42P10|22023', 'ctid', $$ SELECT chatopt.attach('conversations', 'messages', message_key => 'ctid') $$);
SELECT test.bad('a system column as conversation', '42703|0A000|42804|42P10|22023', 'tableoid', $$ SELECT chatopt.attach('conversations', 'messages', message_conversation => 'tableoid') $$);
CREATE TABLE strange (a int PRIMARY KEY, b int, c text, d int);
SELECT test.bad('nothing can be found: one error that says what to pass', '42703', 'message_conversation.*message_time|message_time.*message_conversation', $$ SELECT chatopt.attach('conversations', 'strange') $$);
SELECT test.bad('nothing can be found on members', '42703', 'member_conversation.*member_user|member_user.*member_conversation', $$ SELECT chatopt.attach('conversations', 'messages', 'strange') $$);

-- types
CREATE TABLE text_messages (id bigint PRIMARY KEY, conversation_id text, created_at timestamptz, wrong text);
SELECT test.bad('the conversation is of another type than the key', '42804', 'conversation_id', $$ SELECT chatopt.attach('conversations', 'text_messages') $$);
CREATE TABLE odd_types (id bigint PRIMARY KEY, conversation_id int, created_at boolean, interval_at interval);
SELECT test.bad('a boolean as time (promise 11)', '42804', 'created_at', $$ SELECT chatopt.attach('conversations', 'odd_types', message_time => 'created_at') $$);
SELECT test.bad('an interval as time', '42804', 'interval_at', $$ SELECT chatopt.attach('conversations', 'odd_types', message_time => 'interval_at') $$);
CREATE TABLE float_conversations (id float8 PRIMARY KEY);
CREATE TABLE float_messages (id bigint PRIMARY KEY, conversation_id float8 REFERENCES float_conversations, created_at timestamptz);
SELECT test.bad('keys of a type that is not supported (R49)', '42804|0A000', 'id', $$ SELECT chatopt.attach('float_conversations', 'float_messages') $$);
CREATE TABLE text_numbers (id bigint PRIMARY KEY, conversation_id int, sequence_number text, created_at timestamptz);
SELECT test.bad('the number column is text', '42804', 'sequence_number', $$ SELECT chatopt.attach('conversations', 'text_numbers') $$);
CREATE TABLE small_numbers (id bigint PRIMARY KEY, conversation_id int, sequence_number smallint, created_at timestamptz);
SELECT test.bad('the number column is smallint', '42804', 'sequence_number', $$ SELECT chatopt.attach('conversations', 'small_numbers') $$);
CREATE TABLE default_numbers (id bigint PRIMARY KEY, conversation_id int, sequence_number bigint GENERATED ALWAYS AS IDENTITY, created_at timestamptz);
SELECT test.bad('the number column is an identity (R43)', '0A000|42804|42P16|55000', 'sequence_number', $$ SELECT chatopt.attach('conversations', 'default_numbers') $$);
CREATE TABLE generated_numbers (id bigint PRIMARY KEY, conversation_id int, sequence_number bigint GENERATED ALWAYS AS (id * 2) STORED, created_at timestamptz);
SELECT test.bad('the number column is generated', '0A000|42804|42P16|55000', 'sequence_number', $$ SELECT chatopt.attach('conversations', 'generated_numbers') $$);
SELECT test.bad('the number column is the key', '42804|22023|0A000|42P16|42701', 'id', $$ SELECT chatopt.attach('conversations', 'messages', sequence_column => 'id') $$);
SELECT test.bad('the number column is a system column', '42701|42703|0A000|22023|42P16', 'xmin', $$ SELECT chatopt.attach('conversations', 'messages', sequence_column => 'xmin') $$);
CREATE TABLE text_counters (id int PRIMARY KEY, message_count text);
SELECT test.bad('a text counter', '42804', 'message_count', $$ SELECT chatopt.attach('text_counters', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE boolean_counters (id int PRIMARY KEY, last_sequence_number boolean);
SELECT test.bad('a boolean last number', '42804', 'last_sequence_number', $$ SELECT chatopt.attach('boolean_counters', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE wrong_id (id int PRIMARY KEY, last_message_id uuid);
SELECT test.bad('last_message_id of another type than the key', '42804', 'last_message_id', $$ SELECT chatopt.attach('wrong_id', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE wrong_time (id int PRIMARY KEY, last_message_at text);
SELECT test.bad('last_message_at of another type than the time', '42804', 'last_message_at', $$ SELECT chatopt.attach('wrong_time', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE not_null_id (id int PRIMARY KEY, last_message_id bigint NOT NULL);
SELECT test.bad('last_message_id that may not be NULL', '0A000|42804|23502|42P16|55000', 'last_message_id', $$ SELECT chatopt.attach('not_null_id', 'messages', message_conversation => 'conversation_id') $$);

-- counter columns that other things depend on (R12)
CREATE TABLE checked (id int PRIMARY KEY, message_count bigint, CONSTRAINT few CHECK (message_count < 100));
SELECT test.bad('a CHECK on a counter', '0A000', 'few', $$ SELECT chatopt.attach('checked', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE generating (id int PRIMARY KEY, message_count bigint, twice bigint GENERATED ALWAYS AS (message_count * 2) STORED);
SELECT test.bad('a generated column over a counter', '0A000', 'twice', $$ SELECT chatopt.attach('generating', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE unique_counter (id int PRIMARY KEY, last_message_id bigint);
CREATE UNIQUE INDEX only_once ON unique_counter (last_message_id);
SELECT test.bad('a unique index on a counter', '0A000', 'only_once', $$ SELECT chatopt.attach('unique_counter', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE unique_expression (id int PRIMARY KEY, last_message_id bigint, title text);
CREATE UNIQUE INDEX by_expression ON unique_expression (title, (last_message_id % 10));
SELECT test.bad('a unique index on an expression over a counter', '0A000', 'by_expression', $$ SELECT chatopt.attach('unique_expression', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE pointing (id int PRIMARY KEY, last_message_id bigint CONSTRAINT pointer REFERENCES messages);
SELECT test.bad('a foreign key on a counter', '0A000', 'pointer', $$ SELECT chatopt.attach('pointing', 'messages', message_conversation => 'conversation_id') $$);
CREATE EXTENSION btree_gist;
CREATE TABLE excluding (id int PRIMARY KEY, message_count bigint, CONSTRAINT apart EXCLUDE USING gist (message_count WITH =));
SELECT test.bad('an exclusion constraint on a counter', '0A000', 'apart', $$ SELECT chatopt.attach('excluding', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE generated_counter (id int PRIMARY KEY, message_count bigint GENERATED ALWAYS AS (id) STORED);
SELECT test.bad('a counter that is generated', '0A000|42804|42P16', 'message_count', $$ SELECT chatopt.attach('generated_counter', 'messages', message_conversation => 'conversation_id') $$);
CREATE TABLE identity_counter (id int PRIMARY KEY, message_count bigint GENERATED BY DEFAULT AS IDENTITY);
SELECT test.bad('a counter that is an identity', '0A000|42804|42P16', 'message_count', $$ SELECT chatopt.attach('identity_counter', 'messages', message_conversation => 'conversation_id') $$);

-- the names of counters
SELECT test.bad('last_sequence_number cannot be left out (R48)', '22023|22004', 'last_sequence_number', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"last_sequence_number": null}') $$);
SELECT test.bad('a counter we do not know', '22023', 'reactions', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"reactions": "n"}') $$);
SELECT test.bad('counter_columns is an array', '22023', 'counter_columns', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '["message_count"]') $$);
SELECT test.bad('counter_columns is NULL', '22023|22004', 'counter_columns', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => NULL) $$);
SELECT test.bad('a name that is no text', '22023', 'message_count', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": 5}') $$);
SELECT test.bad('two counters in one column', '22023|42701', 'n', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": "n", "member_count": "n"}') $$);
SELECT test.bad('a counter in the key', '22023|42701|42804|0A000', 'id', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": "id"}') $$);
SELECT test.bad('a name that is too long', '42622|22023', 'bytes|long', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => jsonb_build_object('message_count', repeat('x', 64))) $$);
SELECT test.bad('an empty name', '22023|42601|42703|42602', '.', $$ SELECT chatopt.attach('conversations', 'messages', counter_columns => '{"message_count": ""}') $$);

-- conditions (R30)
CREATE FUNCTION volatile_condition(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION stable_condition(text) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT true';
SELECT test.bad('a condition that does not parse', '42601', 'deleted_at IS|syntax', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'deleted_at IS') $$);
SELECT test.bad('an empty condition', '42601|22023', '.', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => '') $$);
SELECT test.bad('a condition with a column that is not there', '42703', 'gone', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'gone IS NULL') $$);
SELECT test.bad('a condition that is no boolean', '42804', 'boolean', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'body') $$);
SELECT test.bad('a condition with now()', '42P17|0A000', 'now|IMMUTABLE|immutable', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'created_at < now()') $$);
SELECT test.bad('a condition with a STABLE function', '42P17|0A000', 'IMMUTABLE|immutable', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'stable_condition(body)') $$);
SELECT test.bad('a condition with a VOLATILE function', '42P17|0A000', 'IMMUTABLE|immutable', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'volatile_condition(body)') $$);
SELECT test.bad('a condition with a STABLE operator', '42P17|0A000', 'IMMUTABLE|immutable', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => $c$created_at > '2026-01-01'::timestamp$c$) $$);
SELECT test.bad('a condition with a subquery', '0A000', 'subquer', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'EXISTS (SELECT FROM members)') $$);
SELECT test.bad('a condition with an aggregate', '42803|0A000', 'aggregate', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'count(*) > 0') $$);
SELECT test.bad('a condition with a window function', '42P20|0A000', 'window', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'row_number() OVER () > 0') $$);
SELECT test.bad('a condition with a system column', '0A000|42703|42P10|42P17', 'xmin|system|ctid', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'ctid IS NOT NULL') $$);
SELECT test.bad('a condition with a column of another table', '42P01|42703', 'conversations', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'conversations.id > 0') $$);
SELECT test.bad('a condition with a parameter', '42P02|42601|0A000', '.', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => '$1') $$);
SELECT test.bad('a condition that breaks out', '42601|0A000', '.', $$ SELECT chatopt.attach('conversations', 'messages', message_counted => 'true)) EXECUTE FUNCTION x(); DROP TABLE members; --') $$);
SELECT test.bad('a condition on members that is not immutable', '42P17|0A000', 'IMMUTABLE|immutable', $$ SELECT chatopt.attach('conversations', 'messages', 'members', member_counted => 'volatile_condition(role)') $$);
SELECT test.bad('a condition on members without members', '22023|42703|22004', 'member', $$ SELECT chatopt.attach('conversations', 'messages', member_counted => 'left_at IS NULL') $$);
SELECT test.bad('names of members without members', '22023|42703|22004', 'member', $$ SELECT chatopt.attach('conversations', 'messages', member_user => 'user_id') $$);

-- what is not attached
SELECT test.bad('verify', '55000', 'not attached', $$ SELECT * FROM chatopt.verify('messages') $$);
SELECT test.bad('detach', '55000', 'not attached', $$ SELECT chatopt.detach('messages') $$);
SELECT test.bad('disable', '55000', 'not attached', $$ SELECT chatopt.disable('messages') $$);
SELECT test.bad('enable', '55000', 'not attached', $$ SELECT chatopt.enable('messages') $$);
SELECT test.bad('lock_conversations', '55000', 'not attached', $$ SELECT chatopt.lock_conversations('messages', 1) $$);
SELECT test.bad('verify of a view', '55000|42809', 'a_view', $$ SELECT * FROM chatopt.verify('a_view') $$);
SELECT test.bad('verify of nothing', '42P01', 'nothing', $$ SELECT * FROM chatopt.verify('bad.nothing') $$);
SELECT test.bad('the extension in schema chatopt', '0A000|42710|55000|3F000|42P06|2BP01|22023|58P01', '.', $$ ALTER EXTENSION chatopt SET SCHEMA bad $$);
-- procedures in transaction blocks (R9)
\set ON_ERROR_STOP 0
\set VERBOSITY terse
BEGIN;
CALL chatopt.backfill('messages');
\set backfill_in_block :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
CALL chatopt.repair('messages');
\set repair_in_block :LAST_ERROR_SQLSTATE
ROLLBACK;
CALL chatopt.backfill('messages');
\set backfill_not_attached :LAST_ERROR_SQLSTATE
CALL chatopt.repair('messages');
\set repair_not_attached :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set ON_ERROR_STOP 1
SELECT is(:'backfill_in_block'::text, '25001', test.says('backfill in a transaction block'));
SELECT is(:'repair_in_block'::text, '25001', test.says('repair in a transaction block'));
SELECT is(:'backfill_not_attached'::text, '55000', test.says('backfill of what is not attached'));
SELECT is(:'repair_not_attached'::text, '55000', test.says('repair of what is not attached'));
SELECT test.bad('backfill in a function', '25001', 'transaction', $$ CALL chatopt.backfill('messages') $$);
SELECT test.bad('repair in a function', '25001', 'transaction', $$ CALL chatopt.repair('messages') $$);

-- and after all this it attaches, and more is refused
SELECT chatopt.attach('conversations', 'messages', 'members') \g /dev/null
CALL chatopt.backfill('messages');
SELECT test.exact('attached after all', 'messages', '{"conversations": "conversations", "messages": "messages", "members": "members"}');
SELECT ok(test.attempt($$ CALL chatopt.backfill('messages', 0) $$) <> 'done', test.says('a batch of nothing'));
SELECT test.refused($$ SELECT * FROM chatopt.verify('messages', sample => 1.5) $$, '22023', 'a sample of more than all');
SELECT test.refused($$ SELECT * FROM chatopt.verify('messages', sample => -1) $$, '22023', 'a sample of less than nothing');
SELECT test.refused($$ SELECT * FROM chatopt.verify('messages', sample => 'NaN') $$, '22023', 'a sample of NaN');
SELECT test.refused($$ SELECT * FROM chatopt.verify('messages', 'nonsense') $$, '22P02', 'verify of a conversation whose key does not parse');
SELECT test.refused($$ SELECT * FROM chatopt.verify('members') $$, '55000', 'verify of the members table');
SELECT test.refused($$ ALTER TABLE messages DROP COLUMN sequence_number $$, '2BP01', 'PostgreSQL keeps the number column');
SELECT test.refused($$ ALTER TABLE conversations DROP COLUMN message_count $$, '2BP01', 'PostgreSQL keeps the counters');
SELECT test.refused($$ DROP EXTENSION chatopt $$, '2BP01', 'PostgreSQL keeps the extension while a chat is attached (R57)');
SELECT test.exact('after refused changes', 'messages', '{"conversations": "conversations", "messages": "messages", "members": "members"}');

\ir teardown.psql
