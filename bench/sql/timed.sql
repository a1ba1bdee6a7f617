-- Runs the file :statement once and prints its wall time in milliseconds, commit included.
\set QUIET on
SET client_min_messages = warning;
SELECT clock_timestamp() AS started \gset
\o /dev/null
\i :statement
\o
SELECT round((extract(epoch FROM clock_timestamp() - :'started'::timestamptz) * 1000)::numeric, 3);
