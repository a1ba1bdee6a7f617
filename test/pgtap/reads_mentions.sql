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

\set apart true
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
\set reference 'REFERENCES messages ON DELETE CASCADE ON UPDATE CASCADE'
\set renumbered 'bob 7,8,10 cat 10'
\set resent 'bob - cat 10'
\set deleted 'bob - cat 10'
\set copied 'bob - cat 10'
\ir forms/mention_table.psql
\set reference ''
\set renumbered 'bob 7,8 cat -'
\set resent 'bob - cat -'
\set deleted 'bob - cat -'
\set copied 'bob - cat -'
\ir forms/mention_table.psql
\ir teardown.psql
