-- COPY FROM, whole and refused.
\set file copies
\ir setup.psql
SELECT plan(112);

\set layout plain
\ir forms/copies.psql
\set layout partitioned
\ir forms/copies.psql
\set layout apart
\ir forms/copies.psql
\set layout enforced
\ir forms/copies.psql

\ir teardown.psql
