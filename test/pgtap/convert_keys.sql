-- foreign_keys => 'composite': tables that refer to the messages get the control column beside the key, filled from the message, so that their foreign
-- keys stay, with their actions, for old rows and for new ones. A conversion given up takes it all back.
\set file convert_keys
\ir setup.psql
SELECT plan(26);
CREATE SCHEMA f;
SET search_path = f, test, tap, public;
CREATE TABLE m (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT '2026-01-15', body text);
CREATE TABLE receipts (id int GENERATED ALWAYS AS IDENTITY, m_id bigint NOT NULL CONSTRAINT of_m REFERENCES m ON DELETE CASCADE, "Who" int);
CREATE TABLE reactions ("messageId" bigint CONSTRAINT "React" REFERENCES m ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, emoji text);
COMMENT ON CONSTRAINT of_m ON receipts IS 'with its message';
INSERT INTO m (id, at) SELECT i, '2026-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 500) AS i;
INSERT INTO receipts (m_id, "Who") SELECT 1 + i % 500, i FROM generate_series(1, 60000) AS i;
INSERT INTO reactions SELECT nullif(i, 3), 'smile' FROM generate_series(1, 10) AS i;
SELECT test.snapshot('f') AS before \gset
SELECT set_eq($$ SELECT action FROM chatopt.convert_plan('m', 'at', primary_key => 'extend', foreign_keys => 'composite') WHERE step = 4 AND object IN ('f.receipts', 'f.reactions') $$,
  ARRAY['column', 'function', 'trigger', 'check'], 'the plan names what the tables get');

-- given up when everything but the swap is done
CREATE TABLE blocks (id int);
CREATE INDEX m_pkey_before_2100_01 ON blocks (id);
\set ON_ERROR_STOP 0
CALL chatopt.convert('m', 'at', primary_key => 'extend', foreign_keys => 'composite', boundary => '2100-01-01');
\set ON_ERROR_STOP 1
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42P07', 'stopped at the swap');
SELECT is((SELECT count(*)::int FROM receipts r JOIN m ON m.id = r.m_id WHERE r.m_at = m.at), 60000, 'every row that refers is filled');
SELECT ok((SELECT convalidated FROM pg_constraint WHERE conname = 'of_m_whole'), 'and that is checked');
INSERT INTO receipts (m_id, "Who") VALUES (7, 0);
UPDATE receipts SET m_id = 8 WHERE "Who" = 0;
SELECT is((SELECT m_at FROM receipts WHERE "Who" = 0), (SELECT at FROM m WHERE id = 8), 'rows that come or change meanwhile are filled too');
DELETE FROM receipts WHERE "Who" = 0;
DROP TABLE blocks;
SELECT chatopt.cancel_conversion('m') \g /dev/null
SELECT test.same(:'before'::text, test.snapshot('f'), 'given up, nothing is left');

CALL chatopt.convert('m', 'at', primary_key => 'extend', foreign_keys => 'composite', boundary => '2100-01-01');
SELECT is((SELECT relkind::text FROM pg_class WHERE oid = 'm'::regclass), 'p', 'converted');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'of_m' AND conparentid = 0), 'FOREIGN KEY (m_id, m_at) REFERENCES m(id, at) ON DELETE CASCADE', 'the foreign key has the control column');
SELECT is((SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'React' AND conparentid = 0), 'FOREIGN KEY ("messageId", "messageId_at") REFERENCES m(id, at) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED', 'with actions and deferral as before');
SELECT ok((SELECT bool_and(convalidated) FROM pg_constraint WHERE conname IN ('of_m', 'React', 'of_m_whole', 'React_whole') AND conparentid = 0), 'all validated');
SELECT is((SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 'of_m' AND conparentid = 0), 'with its message', 'with its comment');
SELECT is((SELECT count(*)::int FROM receipts), 60000, 'no row that refers is lost');

-- the application goes on with the key alone
SELECT lives_ok($$ INSERT INTO receipts (m_id, "Who") VALUES (9, -1) $$, 'a row that refers to an old message');
INSERT INTO m VALUES (1001, '2100-01-05');
SELECT lives_ok($$ INSERT INTO receipts (m_id, "Who") VALUES (1001, -2) $$, 'and to one of a new partition');
SELECT is((SELECT m_at FROM receipts WHERE "Who" = -2), '2100-01-05 00:00:00+00'::timestamptz, 'filled');
SELECT throws_ok($$ INSERT INTO receipts (m_id) VALUES (5555) $$, '23514', NULL, 'not to one that is not there');
SELECT throws_ok($$ UPDATE receipts SET m_id = 5555 WHERE m_id = 9 $$, '23514', NULL, 'nor by an update');
SELECT lives_ok($$ INSERT INTO reactions VALUES (NULL, 'none') $$, 'none at all where that is allowed');
DELETE FROM m WHERE id IN (9, 1001);
SELECT is((SELECT count(*)::int FROM receipts WHERE m_id IN (9, 1001)), 0, 'deleting cascades, in both partitions');
DELETE FROM m WHERE id = 1;
SELECT is((SELECT count(*)::int FROM reactions WHERE "messageId" IS NULL AND "messageId_at" IS NULL), 4, 'SET NULL sets both');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'zzz_chatopt_fill_%'), 2, 'the triggers stay');

-- roles that may not read the messages still refer to them
CREATE ROLE convert_writer;
GRANT USAGE ON SCHEMA f TO convert_writer;
GRANT INSERT ON receipts TO convert_writer;
SELECT is(test.attempt('INSERT INTO f.receipts (m_id) VALUES (10)', 'convert_writer'), 'done', 'who may not read the messages refers to them as before');
REVOKE ALL ON SCHEMA f FROM convert_writer;
REVOKE ALL ON receipts FROM convert_writer;

-- keys to what has no control column beside it, and keys that stay
CREATE TABLE u (id bigint PRIMARY KEY, at timestamptz NOT NULL, code text UNIQUE);
CREATE TABLE by_code (code text CONSTRAINT by_code REFERENCES u (code));
SELECT is((SELECT state || ' ' || message FROM test.complaint($$ SELECT chatopt.convert_plan('u', 'at', primary_key => 'extend', foreign_keys => 'composite', unique_indexes => 'leaf') $$)),
  '0A000 foreign key "by_code" of table f.by_code cannot be made composite', 'a key to another unique column cannot');
CREATE TABLE s (id bigint, at timestamptz, PRIMARY KEY (id, at));
CREATE TABLE of_s (s_id bigint, s_at timestamptz, FOREIGN KEY (s_id, s_at) REFERENCES s);
INSERT INTO s VALUES (1, '2026-01-01');
INSERT INTO of_s VALUES (1, '2026-01-01');
CALL chatopt.convert('s', 'at', foreign_keys => 'composite', boundary => '2100-01-01');
SELECT columns_are('f', 'of_s', ARRAY['s_id', 's_at'], 'a key that has the control column already stays as it is');
SELECT throws_ok($$ INSERT INTO of_s VALUES (2, '2026-01-01') $$, '23503', NULL, 'and holds');
SELECT is_empty('SELECT * FROM chatopt.conversion', 'all are over');
\ir teardown.psql
DROP ROLE convert_writer;
