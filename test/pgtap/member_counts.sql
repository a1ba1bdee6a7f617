-- Joining and leaving (R37).
\set file member_counts
\ir setup.psql
SELECT plan(180);

\set layout plain
\ir forms/member_counts.psql
\set layout partitioned
\ir forms/member_counts.psql
\set layout apart
\ir forms/member_counts.psql
\set layout enforced
\ir forms/member_counts.psql

\ir teardown.psql
