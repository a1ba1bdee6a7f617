-- Every form of statement on messages, members and conversations, followed by positions and unread counts.
\set file reads_statements
\ir setup.psql
\ir reads.psql
SELECT no_plan();

\set layout plain
\set key id
\ir forms/reads_statements.psql
\set layout apart
\ir forms/reads_statements.psql
\set key 'id, created_at'
\set layout partitioned
\ir forms/reads_statements.psql
\set layout enforced
\ir forms/reads_statements.psql

\ir teardown.psql
