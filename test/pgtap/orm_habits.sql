-- What ORMs do: save every column, upsert every column, write stale counters,
-- prepare SELECT * (R1, R2, R53).
\set file orm_habits
\ir setup.psql
SELECT plan(83);

\set layout plain
\ir forms/orm_habits.psql
\set layout apart
\ir forms/orm_habits.psql

-- attach breaks a prepared SELECT * once a session; a named list of columns goes on
SELECT test.build('later', adopt => false);
SET search_path = later, test, tap, public;
INSERT INTO conversations (id) VALUES (1);
PREPARE named AS SELECT id, title FROM conversations WHERE id = $1;
PREPARE send AS INSERT INTO messages (id, conversation_id, body) VALUES ($1, $2, 'prepared');
PREPARE positional AS INSERT INTO messages VALUES ($1, $2, NULL, 'positional');
PREPARE save AS UPDATE conversations SET title = $2 WHERE id = $1;
EXECUTE named (1) \g /dev/null
EXECUTE send (1, 1);
DELETE FROM messages;
SELECT test.adopt('later');
EXECUTE named (1) \g /dev/null
EXECUTE send (2, 1);
EXECUTE positional (3, 1);
EXECUTE save (1, 'saved');
SELECT test.numbers(1, '2:1 3:2', 'statements prepared before attach go on');
SELECT test.exact('statements prepared before attach');
PREPARE star AS SELECT * FROM conversations WHERE id = $1;
EXECUTE star (1) \g /dev/null
EXECUTE send (4, 1);
EXECUTE star (1) \gset star_
SELECT is(:'star_last_sequence_number'::text, '3', test.says('a prepared SELECT * sees the counters'));
SELECT chatopt.detach('messages') \g /dev/null
EXECUTE send (5, 1);
EXECUTE star (1) \g /dev/null
EXECUTE save (1, 'saved again');
SELECT pass(test.says('and go on after detach'));
DEALLOCATE ALL;

\ir teardown.psql
