-- What group_receipts says to values it does not take, word for word.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS chatopt;
\set SHOW_CONTEXT never
\set VERBOSITY default
SELECT '30'::group_receipts;
SELECT ''::group_receipts;
SELECT 'recipients={0-29}'::group_receipts;
SELECT '{readers={0-29}}'::group_receipts;
SELECT '{recipients {0-29}}'::group_receipts;
SELECT '{recipients=30}'::group_receipts;
SELECT '{recipients={0-29},seen={3},seen={4}}'::group_receipts;
SELECT '{recipients={0-29} seen={3}}'::group_receipts;
SELECT '{recipients={0-29}} and more'::group_receipts;
SELECT '{recipients={0-29},delivered={5-2}}'::group_receipts;
SELECT '{recipients={0-29},delivered={-2}}'::group_receipts;
SELECT '{0-2147483648}'::group_receipts;
SELECT '{recipients={0-29},delivered={12,30,31}}'::group_receipts;
SELECT '{recipients={0-29},delivered={0-12},seen={3,13}}'::group_receipts;
SELECT group_receipts(-1);
SELECT group_receipts(2147483649);
SELECT mark_seen(group_receipts(30), -1);
SELECT mark_delivered(group_receipts(30), 2147483648);
SELECT mark_seen(group_receipts(30), 'Ann');
SELECT mark_seen(group_receipts(30), '{3,x}');
SELECT receipt_status(group_receipts(30), -1);
SELECT receipt_status(group_receipts(30), 'Ann');
SELECT group_receipts_agg(1, 'read');
SELECT group_receipts_agg(-1, 'seen');
SELECT group_receipts(30) | 17;
