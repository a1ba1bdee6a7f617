-- INSERT ... ON CONFLICT: no number is burnt (R3) and none is changed (R1).
\set file conflicts
\ir setup.psql
SELECT plan(196);

\set layout plain
\ir forms/conflicts.psql
\set layout partitioned
\ir forms/conflicts.psql
\set layout apart
\ir forms/conflicts.psql
\set layout enforced
\ir forms/conflicts.psql

\ir teardown.psql
