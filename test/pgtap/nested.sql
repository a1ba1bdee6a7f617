-- Triggers of the application that send, change, refuse or delete messages, before and after ours.
\set file nested
\ir setup.psql
SELECT plan(360);

\set layout plain
\ir forms/nested.psql
\set layout partitioned
\ir forms/nested.psql
\set layout apart
\ir forms/nested.psql
\set layout enforced
\ir forms/nested.psql

\ir teardown.psql
