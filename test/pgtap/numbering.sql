-- Explicit numbers (R29), unknown conversations (R42), replica role, overflow.
\set file numbering
\ir setup.psql
SELECT plan(264);

\set layout plain
\ir forms/numbering.psql
\set layout partitioned
\ir forms/numbering.psql
\set layout apart
\ir forms/numbering.psql
\set layout enforced
\ir forms/numbering.psql

\ir teardown.psql
