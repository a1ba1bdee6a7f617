-- UPDATE: content, times, keys, soft deletion, moves to another partition and conversation.
\set file updates
\ir setup.psql
SELECT plan(392);

\set layout plain
\ir forms/updates.psql
\set layout partitioned
\ir forms/updates.psql
\set layout apart
\ir forms/updates.psql
\set layout enforced
\ir forms/updates.psql

\ir teardown.psql
