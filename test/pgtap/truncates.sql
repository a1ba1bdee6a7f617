-- TRUNCATE of the messages, of a leaf, of members and of conversations (R44).
\set file truncates
\ir setup.psql
SELECT plan(196);

\set layout plain
\ir forms/truncates.psql
\set layout partitioned
\ir forms/truncates.psql
\set layout apart
\ir forms/truncates.psql
\set layout enforced
\ir forms/truncates.psql

\ir teardown.psql
