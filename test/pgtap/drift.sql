-- verify reports every kind of drift, repair cures it (R6, R48).
\set file drift
\ir setup.psql
SELECT plan(259);

\set layout plain
\ir forms/drift.psql
\set layout partitioned
\ir forms/drift.psql
\set layout apart
\ir forms/drift.psql
\set layout enforced
\ir forms/drift.psql

\ir teardown.psql
