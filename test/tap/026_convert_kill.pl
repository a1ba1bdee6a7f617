# A conversion is killed at every step, which waits there for a lock that somebody holds, and called again goes on and finishes. Whatever was done
# before stays or is done again; no row is lost or copied, and the application is never in the way of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db   = 'postgres';
my $node = new_server('convert_kill', conf => "max_worker_processes = 8\nautovacuum = off");
$node->safe_psql($db, q{
	CREATE EXTENSION chatopt;
	CREATE TABLE conversations (id int PRIMARY KEY);
	CREATE TABLE messages (id bigint, conversation_id int NOT NULL REFERENCES conversations ON DELETE CASCADE, body text,
		created_at timestamptz, PRIMARY KEY (id, created_at));
	CREATE INDEX ON messages (conversation_id, created_at);
	CREATE TABLE seen (message_id bigint, message_at timestamptz, FOREIGN KEY (message_id, message_at) REFERENCES messages ON DELETE CASCADE);
	CREATE MATERIALIZED VIEW counted AS SELECT conversation_id, count(*) AS n FROM messages GROUP BY 1;
	SET client_min_messages = warning;
	DO $$ BEGIN PERFORM chatopt.attach('conversations', 'messages'); END $$;
	INSERT INTO conversations SELECT generate_series(1, 10);
	INSERT INTO messages SELECT i, 1 + i % 10, 'text', '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 5000) AS i;
	INSERT INTO seen SELECT id, created_at FROM messages WHERE id % 100 = 0;
});
my $file = $node->safe_psql($db, q{SELECT pg_relation_filenode('messages')});
my $call = q{CALL chatopt.convert('messages', 'created_at', boundary => '2100-01-01')};

# done: every step before the one that waits is done.
my $step = q{(SELECT step FROM chatopt.conversion)};
my $left = q{(SELECT jsonb_array_length(originals->'after') FROM chatopt.conversion)};
my $waits = q{EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)};
# if: the commands that wait for an advisory lock, where a lock of the table would stop an earlier step
my @steps = (
	{ name => 'index', lock => 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM messages', done => q{EXISTS (SELECT FROM pg_index WHERE indrelid = 'messages'::regclass AND NOT indisvalid)} },
	{ name => 'check', if => q{TG_TAG = 'ALTER TABLE'} },
	{ name => 'validate', if => q{TG_TAG = 'ALTER TABLE' AND EXISTS (SELECT FROM pg_constraint WHERE conname = 'messages_chatopt_before')} },
	{ name => 'shadow', if => q{TG_TAG = 'CREATE TABLE'} },
	{ name => 'shadow keys', lock => 'BEGIN; LOCK TABLE conversations IN ROW EXCLUSIVE MODE', done => "$step = 'shadow'" },
	{ name => 'swap', lock => 'BEGIN; SELECT count(*) FROM messages', done => q{EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('messages_chatopt_new') AND contype = 'f')} },
	{ name => 'foreign key in', if => qq{TG_TAG = 'ALTER TABLE' AND $step = 'swapped'} },
	{ name => 'analyze', lock => 'BEGIN; LOCK TABLE messages IN SHARE UPDATE EXCLUSIVE MODE', done => "$step = 'swapped' AND $left = 4" },
);
plan tests => @steps * 4 + 12;

sub convert_in_background
{
	my $session = $node->background_psql($db, on_error_stop => 0);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_until(qr/started/, "\\echo started\n$call;\n");
	return ($session, $pid);
}

sub intact
{
	my ($when) = @_;
	is($node->safe_psql($db, q{SELECT count(*) || ' ' || count(DISTINCT id) FROM messages}), '5000 5000', "$when: no row is lost or double");
	is($node->safe_psql($db, q{SELECT count(*) FROM chatopt.verify('messages')}), '0', "$when: numbers and counters are exact");
	return;
}

foreach my $s (@steps)
{
	my $blocker = $node->background_psql($db);
	$blocker->query_safe($s->{lock} // 'BEGIN; SELECT pg_advisory_xact_lock(42)');
	$node->safe_psql($db, qq{
		CREATE OR REPLACE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql AS \$\$ BEGIN IF $s->{if} THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; END \$\$;
		CREATE EVENT TRIGGER wait ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE') EXECUTE FUNCTION wait();
	}) if defined $s->{if};
	my ($session, $pid) = convert_in_background();
	ok($node->poll_query_until($db, "SELECT " . ($s->{done} // $waits)), "$s->{name}: all before it is done");
	$node->safe_psql($db, "SELECT pg_terminate_backend($pid)");
	ok($node->poll_query_until($db, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid OR backend_type LIKE 'chatopt%')"), "$s->{name}: killed, with its worker");
	eval { $session->quit };
	$blocker->query_safe('COMMIT');
	$node->safe_psql($db, 'DROP EVENT TRIGGER IF EXISTS wait');
	$blocker->quit;
	intact($s->{name});
}

# two at once
my $reader = $node->background_psql($db);
$reader->query_safe('BEGIN; SELECT count(*) FROM counted');
my ($session, $pid) = convert_in_background();
ok($node->poll_query_until($db, "SELECT $left = 2"), 'the materialized view is built beside itself');
sqlstate_is($node, $db, $call, '55006', 'nobody else converts meanwhile', qr/is being converted by another session/);
$reader->query_safe('COMMIT');
$reader->quit;
$session->quit;
ok($node->poll_query_until($db, 'SELECT count(*) = 0 FROM chatopt.conversion'), 'it ends');
intact('at the end');
is($node->safe_psql($db, q{SELECT pg_relation_filenode('messages_before_2100_01')}), $file, 'the same file');
is($node->safe_psql($db, q{SELECT string_agg(conname || convalidated, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0}),
	'messages_conversation_id_fkeytrue seen_message_id_message_at_fkeytrue', 'foreign keys are there and validated');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_class WHERE relname LIKE '%chatopt\_%' AND relnamespace = 'public'::regnamespace}), '0', 'nothing made in passing is left');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), '0', 'no index is invalid');
is($node->safe_psql($db, q{INSERT INTO messages VALUES (9001, 1, 'x', '2100-01-05'); REFRESH MATERIALIZED VIEW counted; SELECT sum(n) FROM counted}), '5001', 'the materialized view reads the new table');
is($node->safe_psql($db, q{SELECT count(*) FROM chatopt.attach('conversations', 'messages')}), '0', 'the chat is attached as it was');
sqlstate_is($node, $db, $call, '42809', 'once more: it is partitioned', qr/is partitioned already/);
$node->stop;
