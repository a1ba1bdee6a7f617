-- Unread mentions, from a column of messages and from a table of their own, in every layout.
\set file reads_mentions
\ir setup.psql
\ir reads.psql
\ir mentions.psql
SELECT no_plan();

\set apart false
\set key id
\set layout plain
\ir forms/reads_mentions.psql
\set layout apart
\ir forms/reads_mentions.psql
\set key 'id, created_at'
\set layout partitioned
\ir forms/reads_mentions.psql
\set layout enforced
\ir forms/reads_mentions.psql

\ir forms/mentions_tracking.psql
\ir teardown.psql
