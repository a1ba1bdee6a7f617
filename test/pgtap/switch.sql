-- disable and enable (R55), detach_all (R57), the views.
\set file switch
\ir setup.psql
SELECT plan(82);

\set layout plain
\ir forms/switch.psql
\set layout partitioned
\ir forms/switch.psql
\set layout apart
\ir forms/switch.psql
\set layout enforced
\ir forms/switch.psql

-- detach_all
SELECT is((SELECT count(*) FROM chatopt.chats)::text, '4', 'four chats are attached');
SELECT chatopt.detach_all() \g /dev/null
SELECT is_empty('SELECT * FROM chatopt.chats', 'detach_all detaches all of them');
SELECT is((SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.pronamespace = 'chatopt'::regnamespace)::text, '0', 'detach_all leaves no trigger');
SELECT is(test.attempt('SELECT chatopt.detach_all()'), 'done', 'detach_all with nothing attached');
SELECT is(test.attempt('DROP EXTENSION chatopt'), 'done', 'the extension goes without CASCADE');
SELECT is(test.attempt('CREATE EXTENSION chatopt'), 'done', 'and comes back');

\ir teardown.psql
