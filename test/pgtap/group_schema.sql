-- The types in a schema that is on nobody's path: casts, operators, indexes and aggregates work, named in full.
\set file group_schema
\ir setup.psql
SELECT plan(9);
DROP EXTENSION chatopt CASCADE;
CREATE SCHEMA hidden;
CREATE EXTENSION chatopt SCHEMA hidden;
CREATE TABLE message (id int, receipts hidden.group_receipts DEFAULT '{0-29}');
INSERT INTO message (id) SELECT generate_series(1, 10);
UPDATE message SET receipts = hidden.mark_seen(receipts, id) WHERE id % 2 = 0;
SELECT is((SELECT receipts::text FROM message WHERE id = 4), '{recipients={0-29},delivered={4},seen={4}}', 'functions');
SELECT is((SELECT to_jsonb(receipts) FROM message WHERE id = 4), '{"recipients": 30, "delivered": 1, "seen": 1}', 'the cast to json');
SELECT is((SELECT (receipts OPERATOR(hidden.|) '{30}')::text FROM message WHERE id = 4), '{recipients={0-30},delivered={4},seen={4}}', 'operators');
SELECT is((SELECT count(DISTINCT receipts) FROM message), 6::bigint, 'DISTINCT');
SELECT is((SELECT hidden.group_receipts_merge_agg(receipts)::text FROM message), '{recipients={0-29},delivered={2,4,6,8,10},seen={2,4,6,8,10}}', 'aggregates');
CREATE INDEX ON message (receipts);
CREATE INDEX message_unseen ON message USING gin (hidden.unseen(receipts));
SELECT is((SELECT count(*) FROM message WHERE hidden.unseen(receipts) OPERATOR(hidden.@>) 4), 9::bigint, 'expression indexes');
SELECT is((SELECT count(*) FROM message a JOIN message b ON a.receipts OPERATOR(hidden.=) b.receipts), 30::bigint, 'joins');
SELECT is((SELECT hidden.mark_seen(receipts, '{1-3}')::text FROM message WHERE id = 4), '{recipients={0-29},delivered={1-4},seen={1-4}}', 'the text form of a set');
CREATE FUNCTION pinned(id int) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r hidden.group_receipts := hidden.group_receipts(30);
BEGIN
  RETURN hidden.receipt_status(r OPERATOR(hidden.|) hidden.mark_delivered(r, id), id);
END $$;
SELECT is(pinned(3), 'delivered', 'from a function with a pinned path');

\ir teardown.psql
