# kill -9 of the postmaster and of single backends under the load of 16 sessions: after each
# restart verify is empty and every acknowledged message is there with the number it was told.
#
# CHATOPT_CRASH_ROUNDS   rounds (default 5; 50 for the long run)
# CHATOPT_CRASH_SECONDS  seconds of load before each kill (default 1.5)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds  = $ENV{CHATOPT_CRASH_ROUNDS}  // 5;
my $seconds = $ENV{CHATOPT_CRASH_SECONDS} // 1.5;
my $clients = 16;
my $db      = 'postgres';

# synchronous_commit stays on: an acknowledged message has been written out.
my $node = new_server('crash', conf => "restart_after_crash = on\nautovacuum_naptime = 1s\nmax_wal_size = 128MB\ncheckpoint_timeout = 30s");
my $folder = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db, conversations => 6);
attach_chat($node, $db);
$node->safe_psql($db, 'CREATE TABLE acknowledged (id text PRIMARY KEY, conversation_id bigint, sequence_number bigint);
	CREATE TABLE acknowledged_gone (id text PRIMARY KEY)');

# What each client sends: one, three in a statement, a transaction with a savepoint, an upsert, a
# soft delete and a delete of messages of its own.  Conversations 1 and 2 are hot.  A line
# "+ id conversation number" is an acknowledged message, "- id" an acknowledged removal; messages
# with an x in their id are those somebody may remove.
my $script = "$folder/client.sql";
open my $out, '>', $script or die $!;
foreach my $n (1 .. 4000)
{
	my $id   = "'r' || :r || 'c' || :c || 'n$n'";
	my $conv = $n % 3 ? 1 + $n % 2 : 3 + $n % 4;
	my $ack  = "RETURNING '+ ' || id || ' ' || conversation_id || ' ' || sequence_number";
	print $out "INSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id, $conv, :c, 'one') $ack;\n";
	print $out "INSERT INTO messages (id, conversation_id, sender_id, body) SELECT $id || 'm' || g, $conv, :c, 'three' FROM generate_series(1, 3) g $ack;\n"
	  if $n % 5 == 0;
	if ($n % 11 == 0)
	{
		print $out "BEGIN;\nINSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id || 't1', $conv, :c, 'in');\n",
		  "SAVEPOINT p;\nINSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id || 't2', $conv, :c, 'lost');\nROLLBACK TO p;\n",
		  "INSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id || 't3', $conv, :c, 'in');\nCOMMIT;\n",
		  "SELECT '+ ' || id || ' ' || conversation_id || ' ' || sequence_number FROM messages WHERE id IN ($id || 't1', $id || 't3');\n";
	}
	if ($n % 13 == 0)
	{
		print $out "INSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id || 'x', $conv, :c, 'to go') $ack;\n",
		  "UPDATE messages SET deleted_at = now() WHERE id = $id || 'x';\n",
		  "DELETE FROM messages WHERE id = $id || 'x' RETURNING '- ' || id;\n";
	}
	print $out "INSERT INTO messages (id, conversation_id, sender_id, body) VALUES ($id, $conv, :c, 'again') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, sequence_number = EXCLUDED.sequence_number $ack;\n"
	  if $n % 17 == 0;
	print $out "INSERT INTO members VALUES ($conv, :r * 100000 + :c * 5000 + $n);\n" if $n % 19 == 0;
}
close $out;

my $acknowledged = 0;
my %killed = (postmaster => 0, backend => 0);
foreach my $round (1 .. $rounds)
{
	my (@handles, @outputs);
	foreach my $client (1 .. $clients)
	{
		my $output = "$folder/r$round.c$client";
		push @outputs, $output;
		push @handles, start_psql($node, $db, $script, $output, r => $round, c => $client);
	}
	sleep $seconds * (0.6 + rand(0.8));

	# Children first: after a kill nobody answers questions any more.
	my @pids = split /\n/, $node->safe_psql($db, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
	my $victim = $round % 2 ? 'postmaster' : 'backend';
	if ($victim eq 'postmaster')
	{
		$node->kill9;
		wait_for_no_backends($node, @pids) or diag('backends outlived the postmaster');
		finish_all(@handles);
		# Auxiliary processes may need a moment more: a start that finds them is tried again.
		my $up = 0;
		foreach (1 .. 20) { last if $up = $node->start(fail_ok => 1); sleep 0.5; }
		ok($up, "round $round: the server starts after kill -9 of the postmaster") or BAIL_OUT('no server');
	}
	else
	{
		my $pid = $pids[ rand @pids ];
		kill 'KILL', $pid;
		finish_all(@handles);
		ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), "round $round: the server restarts by itself after kill -9 of a backend");
	}
	$killed{$victim}++;

	my (%is, %gone, $lines);
	foreach my $output (@outputs)
	{
		foreach my $line (split /\n/, slurp_file($output))
		{
			$lines++;
			if ($line =~ /^\+ (\S+) (\d+) (\d+)$/) { $is{$1} = "$2\t$3"; }
			elsif ($line =~ /^- (\S+)$/)         { $gone{$1} = 1; }
			else { fail("unexpected answer: $line"); }
		}
		my $errors = join "\n", grep { /ERROR/ && !/deadlock/ } split /\n/, slurp_file("$output.err");
		is($errors, '', "round $round: no error but the lost connection") if $errors;
	}
	my $rows = join '', map { "$_\t$is{$_}\n" } grep { !/x$/ } sort keys %is;
	my $gone = join '', map { "$_\n" } sort keys %gone;
	$acknowledged += scalar keys %is;
	$node->safe_psql($db, "COPY acknowledged FROM STDIN;\n$rows\\.\nCOPY acknowledged_gone FROM STDIN;\n$gone\\.\n");
	is( $node->safe_psql($db, q{
			SELECT a.*, m.sequence_number FROM acknowledged a LEFT JOIN messages m USING (id, conversation_id)
			WHERE m.sequence_number IS DISTINCT FROM a.sequence_number ORDER BY a.id LIMIT 5}),
		'', "round $round: " . scalar(keys %is) . ' acknowledged messages are there with their numbers');
	is($node->safe_psql($db, 'SELECT id FROM acknowledged_gone JOIN messages USING (id) LIMIT 5'), '', "round $round: acknowledged removals stay removed");
	exact($node, $db, "round $round: every counter is exact after kill -9 of a $victim");
	unlink @outputs, map { "$_.err" } @outputs;
}
cmp_ok($acknowledged, '>', 50 * $rounds, "$acknowledged messages were acknowledged over $killed{postmaster} kills of the postmaster and $killed{backend} of a backend");

# Numbers go on without a gap at the top.
is($node->safe_psql($db, q{WITH before AS (SELECT last_sequence_number AS n FROM conversations WHERE id = 1)
	INSERT INTO messages (id, conversation_id, body) SELECT 'after', 1, 'after' FROM before RETURNING sequence_number - (SELECT n FROM before)}), '1', 'the next number follows');
$node->stop;
done_testing();
