-- Savepoints, exception blocks, prepared transactions, isolation levels.
\set file transactions
\ir setup.psql
SELECT plan(236);

\set layout plain
\ir forms/transactions.psql
\set layout partitioned
\ir forms/transactions.psql
\set layout apart
\ir forms/transactions.psql
\set layout enforced
\ir forms/transactions.psql

\ir teardown.psql
