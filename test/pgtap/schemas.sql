-- The schemas that attach adopts: keys of every kind, with and without foreign
-- keys, snake_case and quoted camelCase, partitioned, counters elsewhere.
\set file schemas
\ir setup.psql
SELECT plan(295);

-- Of every message, all that it says: to see that nothing is lost.
CREATE FUNCTION test.digest() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT md5(string_agg(m::text, %L ORDER BY m::text)) FROM %s m', E'\n', test.messages()) INTO digest;
  RETURN digest;
END $$;

-- Which column plays which role, as the triggers say.
CREATE FUNCTION test.roles(tbl regclass) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(role || '=' || column_name, ' ' ORDER BY role COLLATE "C") FROM chatopt.trigger_roles(tbl) $$;

\set layout uuid_keys
\ir schemas/uuid_keys.psql
\ir schemas/check.psql
\set layout prisma
\ir schemas/prisma.psql
\ir schemas/check.psql
\set layout bigserial_keys
\ir schemas/bigserial_keys.psql
\ir schemas/check.psql
\set layout epoch_times
\ir schemas/epoch_times.psql
\ir schemas/check.psql
\set layout by_month
\ir schemas/by_month.psql
\ir schemas/check.psql
\set layout counters_apart
\ir schemas/counters_apart.psql
\ir schemas/check.psql
\set layout enforced
\ir schemas/enforced.psql
\ir schemas/check.psql

\ir teardown.psql
