-- Tables, schemas and columns are renamed, added and dropped under running
-- sessions and prepared statements: everything stays exact.
\set file renames
\ir setup.psql
SELECT plan(220);

\set layout plain
\ir forms/renames.psql
\set layout partitioned
\ir forms/renames.psql
\set layout apart
\ir forms/renames.psql
\set layout enforced
\ir forms/renames.psql

\ir teardown.psql
