-- Statements that write several tables at once: data-modifying WITH (R13, R41).
\set file ctes
\ir setup.psql
SELECT plan(264);

\set layout plain
\ir forms/ctes.psql
\set layout partitioned
\ir forms/ctes.psql
\set layout apart
\ir forms/ctes.psql
\set layout enforced
\ir forms/ctes.psql

\ir teardown.psql
