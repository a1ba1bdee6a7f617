# build_indexes: a background worker builds what attach leaves to be built outside a transaction (R8),
# as the owner of the table, while the application goes on sending, and attaches again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db   = 'postgres';
my $node = new_server('build_indexes', conf => "max_worker_processes = 4\nmax_parallel_maintenance_workers = 0");
$node->safe_psql($db, q{
	CREATE EXTENSION chatopt;
	CREATE ROLE chat_owner LOGIN;
	CREATE ROLE somebody;
	GRANT CREATE ON SCHEMA public TO chat_owner;
	GRANT CREATE ON DATABASE postgres TO chat_owner;
	CREATE FUNCTION public.who() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'command by % of %', current_user, session_user; END $$;
	CREATE EVENT TRIGGER who ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.who();
});

sub make_large
{
	my ($schema, $how) = @_;
	$node->safe_psql($db, qq{
		CREATE SCHEMA $schema AUTHORIZATION chat_owner;
		GRANT USAGE ON SCHEMA $schema TO PUBLIC;
		SET ROLE chat_owner;
		SET search_path = $schema;
		CREATE TABLE conversations (id int PRIMARY KEY);
		CREATE TABLE messages (id bigint, conversation_id int REFERENCES conversations, created_at timestamptz, PRIMARY KEY (id, created_at)) $how;
	});
	return;
}

sub fill
{
	my ($schema) = @_;
	$node->safe_psql($db, qq{
		SET search_path = $schema;
		INSERT INTO conversations SELECT generate_series(1, 100);
		INSERT INTO messages SELECT i, 1 + i % 100, '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 100001) AS i;
		ANALYZE;
		SET ROLE chat_owner;
		SET client_min_messages = warning;
		DO \$\$ BEGIN PERFORM chatopt.attach('conversations', 'messages'); END \$\$;
	});
	return;
}

sub state_of { my ($schema) = @_; return $node->safe_psql($db, "SELECT state FROM chatopt.chats WHERE messages = '$schema.messages'::regclass"); }

# The worker ends by itself; how long it takes does not matter.
sub build
{
	my ($schema) = @_;
	my $pid = $node->safe_psql($db, "SET ROLE chat_owner; SELECT chatopt.build_indexes('$schema.messages')");
	$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die 'the worker does not end';
	return $pid;
}

sub finish
{
	my ($schema) = @_;
	$node->safe_psql($db, "CALL chatopt.backfill('$schema.messages')");
	is(state_of($schema), 'attached', "$schema: backfill finishes");
	is($node->safe_psql($db, "SELECT count(*) FROM chatopt.verify('$schema.messages')"), '0', "$schema: verify is empty");
	return;
}

make_large('plain', '');
fill('plain');
is(state_of('plain'), 'index missing', 'attach leaves the index of a large table');
sqlstate_is($node, $db, q{SET ROLE somebody; SELECT chatopt.build_indexes('plain.messages');}, '42501', 'only the owner builds it');

# A snapshot that is older keeps CREATE INDEX CONCURRENTLY waiting: the application sends meanwhile.
my $reader = $node->background_psql($db);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM plain.messages');
my $pid = $node->safe_psql($db, "SET ROLE chat_owner; SELECT chatopt.build_indexes('plain.messages')");
like($pid, qr/^\d+$/, 'it gives the process id of the worker');
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE pid = $pid AND phase LIKE 'waiting%'"), 'the worker shows its progress');
is($node->safe_psql($db, "SET ROLE chat_owner; SELECT backend_type || ' ' || usename FROM pg_stat_activity WHERE pid = $pid"), 'chatopt index builder chat_owner', 'the owner sees it, in a session of the owner');
$node->safe_psql($db, "INSERT INTO plain.messages VALUES (200000, 1, '2026-06-01')");
pass('the application sends while the index is being built');

# Killed in the middle, it leaves a broken index behind, which the next call replaces.
$node->safe_psql($db, "SET ROLE chat_owner; SELECT pg_terminate_backend($pid)");
$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die 'the worker does not end';
$reader->query_safe('COMMIT');
$reader->quit;
is(state_of('plain'), 'index missing', 'a worker that was stopped leaves the state');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_index WHERE indrelid = 'plain.messages'::regclass AND NOT indisvalid}), '1', 'and an index that is not valid');
# Cancelled, while it drops that index, it leaves it to the next call, too.
my $log_size = -s $node->logfile;
$reader = $node->background_psql($db);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM plain.messages');
$pid = $node->safe_psql($db, "SET ROLE chat_owner; SELECT chatopt.build_indexes('plain.messages')");
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND wait_event_type = 'Lock'"), 'the worker waits again');
$node->safe_psql($db, "SET ROLE chat_owner; SELECT pg_cancel_backend($pid)");
$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die 'the worker does not end';
like(slurp_file($node->logfile, $log_size), qr/canceling statement due to user request.*STATEMENT:  DROP INDEX CONCURRENTLY/s, 'a cancel ends the worker, and the log names its command');
$reader->query_safe('COMMIT');
$reader->quit;
is(state_of('plain'), 'index missing', 'a worker that was cancelled leaves the state');
$log_size = -s $node->logfile;
build('plain');
like(slurp_file($node->logfile, $log_size), qr/command by chat_owner of chat_owner/, 'the worker acts as the owner of the table');
is(state_of('plain'), 'filling', 'called again it builds the index and attaches');
is($node->safe_psql($db, q{SELECT string_agg(indisvalid::text || indisunique, ' ') FROM pg_index WHERE indrelid = 'plain.messages'::regclass AND NOT indisprimary}), 'truetrue', 'one valid unique index, and no broken one');
is($node->safe_psql($db, "SELECT chatopt.build_indexes('plain.messages') IS NULL"), 't', 'nothing is missing: no worker is started');
finish('plain');

# Two at once: the second waits, and finds nothing left to do.
make_large('twice', '');
fill('twice');
$reader = $node->background_psql($db);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM twice.messages');
my @pids = map { $node->safe_psql($db, "SELECT chatopt.build_indexes('twice.messages')") } 1, 2;
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE pid = $pids[0] AND phase LIKE 'waiting%'"), 'the first of two is building');
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_locks WHERE pid = $pids[1] AND relation = 'twice.messages'::regclass AND NOT granted"), 'the second waits');
my $index = $node->safe_psql($db, q{SELECT indexrelid FROM pg_index WHERE indrelid = 'twice.messages'::regclass AND NOT indisprimary});
$reader->query_safe('COMMIT');
$reader->quit;
$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid IN ($pids[0], $pids[1])") or die 'the workers do not end';
is($node->safe_psql($db, q{SELECT indexrelid || ' ' || indisvalid FROM pg_index WHERE indrelid = 'twice.messages'::regclass AND NOT indisprimary}), "$index true", 'and leaves the index of the first alone');
is(state_of('twice'), 'filling', 'the state is that of one call');

sqlstate_is($node, $db, q{BEGIN; SELECT chatopt.build_indexes('twice.messages');}, '25001', 'not in a transaction block, which the worker would not see', qr/cannot run inside a transaction block/, qr/after COMMIT/);

# What the owner's functions do in the worker they do as the owner: there is no way from it to another role.
make_large('hostile', '');
$node->safe_psql($db, q{
	SET ROLE chat_owner;
	CREATE FUNCTION hostile.f(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
		IF current_setting('application_name') = '' THEN PERFORM set_config('session_authorization', (SELECT rolname FROM pg_roles WHERE oid = 10), false); END IF;
		RETURN true; END $$;
	CREATE INDEX ON hostile.messages (conversation_id) WHERE hostile.f(1);
});
fill('hostile');
$log_size = -s $node->logfile;
build('hostile');
like(slurp_file($node->logfile, $log_size), qr/permission denied to set session authorization/, 'the owner cannot become a superuser in the worker');

make_large('parted', 'PARTITION BY RANGE (created_at)');
$node->safe_psql($db, q{
	SET ROLE chat_owner;
	CREATE TABLE parted.early PARTITION OF parted.messages FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
	CREATE TABLE parted.late PARTITION OF parted.messages FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
});
fill('parted');
build('parted');
is(state_of('parted'), 'filling', 'the index of every partition');
finish('parted');

# No worker to be had: the error says so, nothing has changed.
make_large('busy', '');
fill('busy');
$node->safe_psql($db, 'ALTER SYSTEM SET max_worker_processes = 0');
$node->restart;
sqlstate_is($node, $db, q{SELECT chatopt.build_indexes('busy.messages');}, '53000', 'no background worker is free', qr/no background worker is free/, qr/max_worker_processes/);
is(state_of('busy'), 'index missing', 'and the state is as it was');

done_testing();
