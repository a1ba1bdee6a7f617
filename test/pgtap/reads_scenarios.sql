-- Scenarios that other chat servers test, or got wrong, with their exact results.
\set file reads_scenarios
\ir setup.psql
\ir reads.psql
SELECT no_plan();

\set layout plain
\ir forms/reads_scenarios.psql
\set layout partitioned
\ir forms/reads_scenarios.psql
\set layout apart
\ir forms/reads_scenarios.psql
\set layout enforced
\ir forms/reads_scenarios.psql

\ir teardown.psql
