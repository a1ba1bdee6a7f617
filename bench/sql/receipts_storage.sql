-- Receipts of :messages messages to groups of 30, stored three ways; each member has a message, half have seen it.
\set QUIET on
SET client_min_messages = warning;
SELECT setseed(0.6) \g /dev/null
DROP TABLE IF EXISTS receipts_rows, receipts_jsonb, receipts_chatopt, people, posts;
CREATE UNLOGGED TABLE people AS SELECT slot, gen_random_uuid() AS id FROM generate_series(0, 29) slot;
CREATE UNLOGGED TABLE posts AS
SELECT gen_random_uuid() AS id, (SELECT coalesce(array_agg(slot), '{}') FROM generate_series(0, 29) slot WHERE random() < 0.5 AND m > 0) AS seen
FROM generate_series(1, :messages) m;

CREATE TABLE receipts_rows (message_id uuid, user_id uuid, status text NOT NULL, changed_at timestamptz NOT NULL, PRIMARY KEY (message_id, user_id));
INSERT INTO receipts_rows
SELECT m.id, p.id, CASE WHEN p.slot = ANY (m.seen) THEN 'SEEN' ELSE 'DELIVERED' END, '2026-11-20 12:00:00.123456+00' FROM posts m CROSS JOIN people p;

CREATE TABLE receipts_jsonb (message_id uuid PRIMARY KEY, receipts jsonb NOT NULL);
INSERT INTO receipts_jsonb
SELECT m.id, (SELECT jsonb_object_agg(p.id, jsonb_build_object('status', CASE WHEN p.slot = ANY (m.seen) THEN 'SEEN' ELSE 'DELIVERED' END,
  'timestamp', '2026-11-20T12:00:00.123Z')) FROM people p) FROM posts m;

CREATE TABLE receipts_chatopt (message_id uuid PRIMARY KEY, receipts group_receipts NOT NULL);
INSERT INTO receipts_chatopt
SELECT m.id, mark_seen(mark_delivered(group_receipts(30), '{0-29}'::receipt_bitmap), m.seen::receipt_bitmap) FROM posts m;
