# More than a year of maintenance by the launcher, a tick a day, through chatopt.clock: tables in five time zones, each with
# a period of its own. The server is down for some days, one table is dropped, the owner of one may not create tables for
# two months. Whatever happens to one, all others always have a partition for today's rows and lose none that is kept.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX qw(strftime);
use Test::More;

my $days  = 400;
my $first = 1767225600 + 43200;    # 2026-01-01 12:00 UTC
my %zones = (day => 'America/Sao_Paulo', week => 'Europe/Berlin', month => 'Asia/Kolkata', quarter => 'Pacific/Apia', year => 'America/St_Johns');
my $db    = 'postgres';
my $node  = new_server('year', conf => "shared_preload_libraries = 'chatopt'\nautovacuum = off\nfsync = off\nlog_min_messages = warning\nmax_locks_per_transaction = 256");

sub clock { my ($day) = @_; return strftime('%Y-%m-%d %H:%M:%S+00', gmtime($first + 86400 * $day)); }

# Periods of each length; "gone" will be dropped, "denied" is in a schema where its owner will not be let create tables.
$node->safe_psql($db, 'CREATE EXTENSION chatopt; CREATE ROLE app; CREATE SCHEMA app AUTHORIZATION app; CREATE SCHEMA other; GRANT USAGE, CREATE ON SCHEMA other TO app');
$node->safe_psql($db, "ALTER SYSTEM SET chatopt.clock = '" . clock(0) . q{'});
$node->reload;
$node->poll_query_until($db, qq{SELECT current_setting('chatopt.clock') = '} . clock(0) . q{'}) or die 'the clock is not set';
my %tables = (map({ ("app.per_$_" => $_) } keys %zones), 'app.gone' => 'day', 'other.denied' => 'month');
foreach my $table (sort keys %tables)
{
	my $zone = $zones{ $tables{$table} };
	$node->safe_psql($db, qq{SET ROLE app; CREATE TABLE $table (at timestamptz NOT NULL) PARTITION BY RANGE (at);
		DO \$\$ BEGIN PERFORM chatopt.partition('$table', every => '$tables{$table}', time_zone => '$zone'); END \$\$});
}
$node->safe_psql($db, q{SET ROLE app; DO $$ BEGIN
	PERFORM chatopt.set_retention('app.per_day', '30 days', 'drop');
	PERFORM chatopt.set_retention('app.per_week', '8 weeks', 'detach');
	PERFORM chatopt.set_retention('app.per_month', '6 months', 'detach'); END $$});

my $session = $node->background_psql($db, on_error_stop => 0);
$session->set_query_timer_restart;

# The launcher has run at that day; then the application writes.
sub after_run
{
	my ($day) = @_;
	my $now = clock($day);
	$session->query_safe(qq{DO \$\$ DECLARE tries int := 0; BEGIN
		WHILE NOT EXISTS (SELECT FROM chatopt.maintenance_history WHERE action = 'run' AND clock = '$now') LOOP
			tries := tries + 1;
			IF tries > 6000 THEN RAISE 'no run at $now'; END IF;
			PERFORM pg_sleep(0.01);
		END LOOP; END \$\$});
	foreach my $table (sort keys %tables)
	{
		next if $table eq 'app.gone' && $day >= 150;
		$session->query_safe(qq{DO \$\$ BEGIN INSERT INTO $table VALUES ('$now'), ('$now'::timestamptz + '1 day');
			EXCEPTION WHEN check_violation THEN INSERT INTO refused VALUES ('$table', '$now'); END \$\$});
	}
	return;
}

sub tick
{
	my ($day) = @_;
	$session->query_safe("ALTER SYSTEM SET chatopt.clock = '" . clock($day) . q{'});
	$session->query_safe('SELECT pg_reload_conf()');
	after_run($day);
	return;
}

$node->safe_psql($db, 'CREATE TABLE refused (tbl text, at timestamptz)');
$node->safe_psql($db, "ALTER SYSTEM SET chatopt.databases = '$db'");
$node->reload;
after_run(0);
my $ticks = 1;
foreach my $day (1 .. $days)
{
	next if $day == 200 || $day == 201;
	if ($day == 202)
	{
		# Nobody was there for two days.
		$session->quit;
		$node->stop;
		$node->append_conf('postgresql.auto.conf', "chatopt.clock = '" . clock($day) . q{'});
		$node->start;
		$session = $node->background_psql($db, on_error_stop => 0);
		$session->set_query_timer_restart;
		after_run($day);
	}
	else
	{
		$node->safe_psql($db, 'DROP TABLE app.gone') if $day == 150;
		$node->safe_psql($db, 'REVOKE CREATE ON SCHEMA other FROM app') if $day == 100;
		$node->safe_psql($db, 'GRANT CREATE ON SCHEMA other TO app') if $day == 165;
		tick($day);
	}
	$ticks++;
}
$session->quit;

my $now = clock($days);
is($node->safe_psql($db, 'SELECT string_agg(concat(tbl, at), chr(10)) FROM refused'), '', 'every row of every day had a partition');
is($node->safe_psql($db, q{SELECT count(DISTINCT clock) || ' ' || count(*) FILTER (WHERE outcome NOT IN ('done', 'failed')) FROM chatopt.maintenance_history WHERE action = 'run'}),
	"$ticks 0", 'a run each day');
is($node->safe_psql($db, q{SELECT string_agg(DISTINCT concat_ws(' ', parent_name, outcome, sqlstate), chr(10)) FROM chatopt.maintenance_history WHERE action <> 'run' AND outcome <> 'done'}),
	'denied failed 42501', 'one table failed, for want of a right, and the log says so');
is($node->safe_psql($db, qq{SELECT min(clock) >= '} . clock(100) . q{' AND max(clock) < '} . clock(165) . q{' FROM chatopt.maintenance_history WHERE sqlstate = '42501'}),
	't', 'as long as it had not got it');
is($node->safe_psql($db, 'SELECT count(*) FROM chatopt.partition_set WHERE problem IS NOT NULL OR failures > 0'), '0', 'in the end nothing is wrong');

foreach my $table (grep { $_ ne 'app.gone' } sort keys %tables)
{
	my ($every, $zone) = ($tables{$table}, $zones{ $tables{$table} });
	my $of = "FROM chatopt.partitions WHERE parent = '$table'::regclass AND state NOT IN ('detached', 'archived')";
	is($node->safe_psql($db, qq{SELECT count(*) FROM (SELECT lower_at, lag(upper_at) OVER (ORDER BY lower_at) AS before $of) AS p WHERE before <> lower_at}),
		'0', "$table: no gap and no overlap");
	is($node->safe_psql($db, qq{SELECT count(*) $of AND lower_at AT TIME ZONE '$zone' <> date_trunc('$every', lower_at AT TIME ZONE '$zone')}),
		'0', "$table: each begins with a $every in its zone");
	is($node->safe_psql($db, qq{SELECT count(*) $of AND lower_at > '$now'}), '3', "$table: three are ahead");
}
is($node->safe_psql($db, "SELECT count(*) FROM chatopt.partitions WHERE parent = 'app.per_day'::regclass AND upper_at <= '$now'::timestamptz - interval '32 days'"),
	'0', 'what was to be dropped is');
is($node->safe_psql($db, "SELECT count(DISTINCT at) FROM app.per_day WHERE at > '$now'::timestamptz - interval '30 days'"), '31', 'not a row that is kept');
foreach my $table ('app.per_week', 'app.per_month')
{
	my @detached = split /\n/, $node->safe_psql($db, "SELECT tbl FROM chatopt.retired_partition WHERE parent = '$table'::regclass");
	cmp_ok(scalar @detached, '>', 6, "$table: partitions were detached");
	my $rows = join ' + ', map { "(SELECT count(*) FROM $_)" } $table, @detached;
	is($node->safe_psql($db, "SELECT $rows"), 2 * $ticks, "$table: they have all that was written");
}

$node->stop;
done_testing();
