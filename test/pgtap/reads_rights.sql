-- Who may see and move what of reads: privileges on the tables, row-level security on positions and on messages.
\set file reads_rights
\ir setup.psql
SELECT no_plan();
DROP ROLE IF EXISTS chatopt_reads_owner, chatopt_reads_app, chatopt_reads_reader, chatopt_reads_other;
CREATE ROLE chatopt_reads_owner;
CREATE ROLE chatopt_reads_app;
CREATE ROLE chatopt_reads_reader;
CREATE ROLE chatopt_reads_other;

\set layout plain
\ir forms/reads_rights.psql
\set layout partitioned
\ir forms/reads_rights.psql
\set layout apart
\ir forms/reads_rights.psql
\set layout enforced
\ir forms/reads_rights.psql

RESET SESSION AUTHORIZATION;
DROP OWNED BY chatopt_reads_owner, chatopt_reads_app, chatopt_reads_reader, chatopt_reads_other CASCADE;
DROP ROLE chatopt_reads_owner, chatopt_reads_app, chatopt_reads_reader, chatopt_reads_other;
\ir teardown.psql
