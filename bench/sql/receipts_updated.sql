-- :rows messages whose receipts are about to be updated, for peer :peer. Made anew for each run.
\set QUIET on
SET client_min_messages = warning;
DROP TABLE IF EXISTS updated_chatopt, updated_jsonb;
SELECT :'peer' = 'chatopt' AS chatopt \gset
\if :chatopt
CREATE TABLE updated_chatopt (id bigint PRIMARY KEY, seen receipt_bitmap NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO updated_chatopt SELECT i, '{0-9,20,22,24}' FROM generate_series(1, :rows) i;
\else
CREATE TABLE updated_jsonb (id bigint PRIMARY KEY, receipts jsonb NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO updated_jsonb
SELECT i, (SELECT jsonb_object_agg(md5(slot::text)::uuid, jsonb_build_object('status', 'DELIVERED', 'timestamp', '2026-11-20T12:00:00.123Z'))
           FROM generate_series(0, 29) slot) FROM generate_series(1, :rows) i;
\endif
CHECKPOINT;
