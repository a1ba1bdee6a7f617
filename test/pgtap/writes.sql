-- How often the counters are written: once a conversation and statement, HOT
-- where nothing indexed changes, not at all where no counted fact changes.
\set file writes
\ir setup.psql
SELECT plan(80);

\set layout plain
\ir forms/writes.psql
\set layout partitioned
\ir forms/writes.psql
\set layout apart
\ir forms/writes.psql
\set layout enforced
\ir forms/writes.psql

\ir teardown.psql
