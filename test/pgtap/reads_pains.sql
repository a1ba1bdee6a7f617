-- What went wrong in other chat servers, by the numbers of the list of such reports; here it must not.
\set file reads_pains
\ir setup.psql
\ir reads.psql
SELECT no_plan();

\set layout plain
\ir forms/reads_pains.psql
\set layout partitioned
\ir forms/reads_pains.psql
\set layout apart
\ir forms/reads_pains.psql
\set layout enforced
\ir forms/reads_pains.psql

\ir teardown.psql
