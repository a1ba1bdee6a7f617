-- INSERT in every form, on every layout of the tables: numbers from 1, counters, NULL numbers, leaves, views.
\set file inserts
\ir setup.psql
SELECT plan(256);

\set layout plain
\ir forms/inserts.psql
\set layout partitioned
\ir forms/inserts.psql
\set layout apart
\ir forms/inserts.psql
\set layout enforced
\ir forms/inserts.psql

\ir teardown.psql
