-- The policy on receipts, by the size of a conversation, the log of when positions moved, and what went wrong with the
-- receipts of other chat servers, by the numbers of the list of such reports.
\set file reads_policy
\ir setup.psql
SELECT no_plan();

\set layout plain
\ir forms/reads_policy.psql
\ir forms/read_log.psql
\set layout partitioned
\ir forms/reads_policy.psql
\ir forms/read_log.psql
\set layout apart
\ir forms/reads_policy.psql
\ir forms/read_log.psql
\set layout enforced
\ir forms/reads_policy.psql
\ir forms/read_log.psql

\ir teardown.psql
