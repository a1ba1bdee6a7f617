-- DELETE, cascades and key changes of conversations.
\set file deletes
\ir setup.psql
SELECT plan(284);

\set layout plain
\ir forms/deletes.psql
\set layout partitioned
\ir forms/deletes.psql
\set layout apart
\ir forms/deletes.psql
\set layout enforced
\ir forms/deletes.psql

\ir teardown.psql
