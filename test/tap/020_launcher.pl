# The launcher: in shared_preload_libraries chatopt maintains the partitions of the databases it is told of, through
# whatever happens to them, and never in the way of a shutdown. No sleeping: a changed chatopt.clock ticks at once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $day  = 0;
my $node = new_server('launcher', streaming => 1, conf => <<'CONF');
shared_preload_libraries = 'chatopt'
max_worker_processes = 3
max_logical_replication_workers = 0
max_parallel_workers = 0
log_min_messages = log
CONF

# The launcher of a node; '' where there is none.
sub launcher { my ($on) = @_; return $on->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'chatopt launcher'}); }

sub has_launcher
{
	my ($on, $what) = @_;
	return ok($on->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'chatopt launcher'}), $what);
}

sub set { my ($on, $name, $value) = @_; return $on->safe_psql('postgres', "ALTER SYSTEM SET $name = $value"); }

# The next day; gives it as it is logged.
sub tick
{
	my ($on) = @_;
	my $clock = sprintf '2026-03-%02d 12:00:00+00', ++$day;
	set($on, 'chatopt.clock', "'$clock'");
	$on->reload;
	return $clock;
}

sub ran
{
	my ($on, $db, $clock, $what) = @_;
	return ok($on->poll_query_until($db, "SELECT count(*) >= 1 FROM chatopt.maintenance_history WHERE action = 'run' AND clock = '$clock'"), $what);
}

sub logged { my ($on, $pattern) = @_; my @found = slurp_file($on->logfile) =~ /$pattern/g; return scalar @found; }

has_launcher($node, 'the launcher runs');
my $launcher = launcher($node);
$node->safe_psql('postgres', 'CREATE EXTENSION chatopt');
foreach my $db ('one', 'two', 'Without It')
{
	$node->safe_psql('postgres', qq{CREATE DATABASE "$db"});
	$node->safe_psql($db, 'CREATE EXTENSION chatopt') unless $db =~ /Without/;
}

# ---------------------------------------------------------------------------
# Settings.
sqlstate_is($node, 'postgres', q{ALTER SYSTEM SET chatopt.clock = 'tomorrow'}, '22023', 'the clock is a time', qr/such as 2026-11-20/);
sqlstate_is($node, 'postgres', q{ALTER SYSTEM SET chatopt.clock = '2026-03-01 12:00'}, '22023', 'with an offset');
sqlstate_is($node, 'postgres', q{ALTER SYSTEM SET chatopt.clock = '300000-01-01 12:00+00'}, '22023', 'that PostgreSQL can hold');
sqlstate_is($node, 'postgres', q{CREATE ROLE somebody; SET ROLE somebody; SET chatopt.clock = '2026-03-01 12:00Z'}, '42501', 'and a superuser sets it');
sqlstate_is($node, 'postgres', q{SET chatopt.databases = 'one'}, '55P02', 'databases are set for the server');
is($node->psql('postgres', q{ALTER SYSTEM SET chatopt.databases = 'one,,two'}), 3, 'as a list of names');
sqlstate_is($node, 'postgres', q{ALTER SYSTEM SET chatopt.maintenance_interval = '59s'}, '22023', 'not more often than every minute');

# ---------------------------------------------------------------------------
# Each database, and what is not one.
set($node, 'chatopt.databases', q{'one, gone, "Without It", two'});
my $clock = tick($node);
ran($node, $_, $clock, "$_ is maintained") foreach 'one', 'two';
$clock = tick($node);
ran($node, $_, $clock, "$_ is maintained when the clock changes") foreach 'one', 'two';
is(logged($node, qr/partitions of database "gone" could not be maintained: database "gone" does not exist/), 1, 'a database that is missing is said once');
is(logged($node, qr/partitions of database "Without It" could not be maintained: extension "chatopt" does not exist/), 1, 'so is one without the extension');
$node->safe_psql('postgres', 'CREATE DATABASE gone TEMPLATE one');
$node->safe_psql('Without It', 'CREATE EXTENSION chatopt');
$clock = tick($node);
ran($node, 'gone',       $clock, 'a database that comes is maintained');
ran($node, 'Without It', $clock, 'so is one that gets the extension');
ran($node, 'two',        $clock, 'and so are the others');
is(logged($node, qr/partitions of database "(gone|Without It)" are maintained again/), 2, 'which is said');

$node->safe_psql('postgres', 'DROP DATABASE two');
$clock = tick($node);
ran($node, 'one',        $clock, 'after DROP DATABASE of one the launcher goes on');
ran($node, 'Without It', $clock, 'with all others');
$node->safe_psql('postgres', q{UPDATE pg_database SET datallowconn = false WHERE datname = 'gone'});
$clock = tick($node);
ran($node, 'Without It', $clock, 'so it does when one accepts no connections');
is(logged($node, qr/database "gone" is not currently accepting connections/), 1, 'which it says');
set($node, 'chatopt.databases', q{'one'});
ran($node, 'one', tick($node), 'a shorter list');
is(launcher($node), $launcher, 'it has been the same process all the time');

# ---------------------------------------------------------------------------
# No worker is free: two receipt workers and the launcher are all there may be.
foreach my $db ('one', 'gone')
{
	$node->safe_psql('postgres', qq{UPDATE pg_database SET datallowconn = true WHERE datname = '$db'});
	make_chat($node, $db);
	attach_chat($node, $db);
	$node->safe_psql($db, q{DO $$ BEGIN PERFORM chatopt.track_reads('messages'); CALL chatopt.backfill('messages'); PERFORM chatopt.create_receipt_queue('messages'); END $$;});
	$node->safe_psql($db, q{SELECT chatopt.start_receipt_worker('messages')});
}
$clock = tick($node);
ok($node->wait_for_log(qr/partitions of database "one" could not be maintained: no background worker is free/), 'no worker is free: the log says so');
is($node->safe_psql('one', "SELECT count(*) FROM chatopt.maintenance_history WHERE clock = '$clock'"), '0', 'and nothing is maintained');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'chatopt receipts'});
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'chatopt receipts'}) or die 'the receipt workers do not end';
ran($node, 'one', tick($node), 'when one is free again it goes on');

# ---------------------------------------------------------------------------
# Cancelled and terminated, alone and with a run that waits.
sub block
{
	my $holder = $node->background_psql('one', on_error_die => 1);
	$holder->query_safe('BEGIN; LOCK TABLE chatopt.maintenance_history');
	my $when = tick($node);
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'chatopt maintenance' AND wait_event_type = 'Lock'}), 'a run is under way, and waits');
	return ($holder, $when);
}

$node->safe_psql('postgres', "SELECT pg_cancel_backend($launcher)");
ran($node, 'one', tick($node), 'a cancel means nothing to the launcher');
is(launcher($node), $launcher, 'it is the same');
my ($holder, $when) = block();
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'chatopt maintenance'});
ok($node->wait_for_log(qr/partitions of database "one" could not be maintained: background worker was terminated/), 'a run that is stopped is said');
$holder->query_safe('COMMIT');
$holder->quit;
ran($node, 'one', tick($node), 'and the next one runs');
($holder, $when) = block();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'chatopt maintenance'}), 'the end of the launcher ends the run');
$holder->query_safe('COMMIT');
$holder->quit;
has_launcher($node, 'the launcher is started again');
isnt(launcher($node), $launcher, 'as another process');
ran($node, 'one', $when, 'and does what is due');

# ---------------------------------------------------------------------------
# A standby has a launcher when it is promoted.
$node->backup('before');
my $standby = PostgreSQL::Test::Cluster->new('launcher_standby');
$standby->init_from_backup($node, 'before', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(launcher($standby), '', 'a standby has no launcher');
($holder, $when) = block();
$node->stop('fast');
eval { $holder->quit };
pass('a fast shutdown ends a run and the launcher');
$standby->promote;
has_launcher($standby, 'a standby that is promoted has one');
$when = tick($standby);
ran($standby, 'one', $when, 'and is maintained');
$standby->stop('fast');
$node->start;
has_launcher($node, 'after the restart it runs again');
$node->stop('smart');
pass('a smart shutdown ends it, too');

done_testing();
