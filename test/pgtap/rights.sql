-- Who may do what: senders with only INSERT, row-level security, foreign
-- triggers, calls by hand, other people's tables (R27 to R33).
\set file rights
\ir setup.psql
SELECT plan(227);
DROP ROLE IF EXISTS chatopt_rights_owner, chatopt_rights_app, chatopt_rights_other, chatopt_rights_members, chatopt_rights_reader;
CREATE ROLE chatopt_rights_owner;
CREATE ROLE chatopt_rights_app;
CREATE ROLE chatopt_rights_other;
CREATE ROLE chatopt_rights_members;
CREATE ROLE chatopt_rights_reader;
CREATE FUNCTION test.hand_over(layout text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r regclass;
BEGIN
  FOR r IN SELECT oid FROM pg_class WHERE relnamespace = layout::regnamespace AND relkind IN ('r', 'p') LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO chatopt_rights_owner', r);
  END LOOP;
  EXECUTE format('ALTER SCHEMA %I OWNER TO chatopt_rights_owner', layout);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', layout);
END $$;

\set layout plain
\ir forms/rights.psql
\set layout partitioned
\ir forms/rights.psql
\set layout apart
\ir forms/rights.psql
\set layout enforced
\ir forms/rights.psql
\ir forms/foreign_triggers.psql
\ir forms/administration_rights.psql

RESET SESSION AUTHORIZATION;
DROP OWNED BY chatopt_rights_owner, chatopt_rights_app, chatopt_rights_other, chatopt_rights_members, chatopt_rights_reader CASCADE;
DROP ROLE chatopt_rights_owner, chatopt_rights_app, chatopt_rights_other, chatopt_rights_members, chatopt_rights_reader;
\ir teardown.psql
