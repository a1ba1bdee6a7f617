-- MERGE: inserts, updates, deletes and moves across partitions and conversations (R41).
\set file merges
\ir setup.psql
SELECT plan(148);

\set layout plain
\ir forms/merges.psql
\set layout partitioned
\ir forms/merges.psql
\set layout apart
\ir forms/merges.psql
\set layout enforced
\ir forms/merges.psql

\ir teardown.psql
