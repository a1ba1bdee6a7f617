package ChatoptTest;

# What the TAP tests share: a server, a chat schema, and the two judges of every
# counter, chatopt.verify and a recount in plain SQL that knows nothing of chatopt.

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
  new_server make_chat attach_chat send_some exact counters messages_of sqlstate_is
  run_sql start_psql finish_all wait_for_no_backends pgbench_files
);

# A server on a unix socket.  Options: conf => text, streaming => 1 or 'logical', connections => number.
sub new_server
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my @init = defined $options{streaming} ? (allows_streaming => $options{streaming}) : ();
	$node->init(@init, extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf(
		'postgresql.conf', join "\n",
		'log_statement = none',
		'shared_buffers = 32MB',
		'max_connections = ' . ($options{connections} // 40),
		'max_prepared_transactions = 20',
		"timezone = 'UTC'",
		$options{conf} // '', '');
	$node->start unless $options{stopped};
	return $node;
}

# The tables of a chat application, empty, in schema public.
sub make_chat
{
	my ($node, $db, %options) = @_;
	my $conversations = $options{conversations} // 4;
	$node->safe_psql(
		$db, qq{
		CREATE TABLE conversations (id bigint PRIMARY KEY, title text);
		CREATE TABLE members (conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
			user_id bigint NOT NULL, left_at timestamptz, PRIMARY KEY (conversation_id, user_id));
		CREATE TABLE messages (id text PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
			sender_id bigint, body text, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), deleted_at timestamptz);
		INSERT INTO conversations SELECT g, 'conversation ' || g FROM generate_series(1, $conversations) g;
	});
	return;
}

sub attach_chat
{
	my ($node, $db, %options) = @_;
	my $more = $options{more} ? ", $options{more}" : '';
	$node->safe_psql(
		$db, qq{
		SET client_min_messages = warning;
		DO \$\$ BEGIN PERFORM chatopt.attach('conversations', 'messages', 'members',
			message_counted => 'deleted_at IS NULL', member_counted => 'left_at IS NULL'$more); END \$\$;
	});
	return;
}

# Some history with every kind of change in it; leaves holes in the middle and at the end.
sub send_some
{
	my ($node, $db, $prefix) = @_;
	$node->safe_psql(
		$db, qq{
		INSERT INTO members SELECT c, u FROM generate_series(1, 4) c, generate_series(1, 5) u ON CONFLICT DO NOTHING;
		UPDATE members SET left_at = now() WHERE user_id = 3;
		INSERT INTO messages (id, conversation_id, sender_id, body)
			SELECT '$prefix-' || g, 1 + g % 4, 1 + g % 5, 'message ' || g FROM generate_series(1, 200) g;
		DELETE FROM messages WHERE id IN ('$prefix-17', '$prefix-40');
		UPDATE messages SET deleted_at = now() WHERE id IN ('$prefix-18', '$prefix-199');
		UPDATE messages SET conversation_id = 2 WHERE id = '$prefix-20';
		DELETE FROM messages WHERE id IN ('$prefix-200', '$prefix-196');
	});
	return;
}

# Rows that are wrong by a recount in plain SQL: nothing of chatopt is asked.
# A number may be missing (removed) but never doubled, NULL, below 1 or above the last.
my $recount = q{
	SELECT c.id, c.last_sequence_number, c.message_count, c.member_count, c.last_message_id, c.last_message_at, m.*, b.members
	FROM conversations c
	CROSS JOIN LATERAL (
		SELECT count(*) AS live, count(sequence_number) AS numbered, count(DISTINCT sequence_number) AS numbers,
			coalesce(min(sequence_number), 1) AS lowest, coalesce(max(sequence_number), 0) AS highest,
			count(*) FILTER (WHERE deleted_at IS NULL) AS counted,
			(array_agg(id ORDER BY sequence_number DESC) FILTER (WHERE deleted_at IS NULL))[1] AS last_id,
			(array_agg(created_at ORDER BY sequence_number DESC) FILTER (WHERE deleted_at IS NULL))[1] AS last_at
		FROM messages WHERE conversation_id = c.id) m
	CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE left_at IS NULL) AS members FROM members WHERE conversation_id = c.id) b
	WHERE (c.last_sequence_number >= m.highest AND c.message_count = m.counted AND c.member_count = b.members
			AND c.last_message_id IS NOT DISTINCT FROM m.last_id AND c.last_message_at IS NOT DISTINCT FROM m.last_at
			AND m.numbered = m.live AND m.numbers = m.live AND m.lowest >= 1) IS NOT TRUE
	ORDER BY c.id LIMIT 5};

# Both judges in one check.  Options: recount => sql of another schema, verify_only => 1.
sub exact
{
	my ($node, $db, $what, %options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $table = $options{messages} // 'messages';
	my ($status, $verify, $error) = $node->psql($db, "SELECT * FROM chatopt.verify('$table') LIMIT 5");
	my $wrong = '';
	($status, $wrong, $error) = $node->psql($db, $options{recount} // $recount) if $status == 0 && !$options{verify_only};
	return ok(1, $what) if $status == 0 && $verify eq '' && $wrong eq '';
	ok(0, $what);
	diag("verify: $verify\nrecount: $wrong\nerror: $error");
	return 0;
}

# All counters, and all numbers, as text: equal on both sides or not.
sub counters
{
	my ($node, $db) = @_;
	return $node->safe_psql($db,
		'SELECT id, last_sequence_number, message_count, member_count, last_message_id, last_message_at FROM conversations ORDER BY id');
}

sub messages_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, 'SELECT id, conversation_id, sequence_number FROM messages ORDER BY id');
}

# A statement fails with this SQLSTATE; further patterns are looked for in the whole message.
sub sqlstate_is
{
	my ($node, $db, $sql, $sqlstate, $what, @patterns) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($status, $out, $error) = run_sql($node, $db, "\\set VERBOSITY verbose\n$sql");
	my $good = $status != 0 && $error =~ /ERROR:\s+\Q$sqlstate\E:/;
	foreach my $pattern (@patterns) { $good &&= $error =~ $pattern; }
	ok($good, $what) or diag("status $status\noutput: $out\nerror: $error");
	return $good;
}

# Runs SQL and returns (status, output, error), whatever happens; status -1 after half a minute.
sub run_sql
{
	my ($node, $db, $sql, %options) = @_;
	my $timed_out = 0;
	my ($status, $out, $error) = $node->psql($db, $sql, timeout => 30, timed_out => \$timed_out, %options);
	return $timed_out ? (-1, $out, 'timed out') : ($status, $out, $error);
}

# A psql that runs a file and writes what the server answered into another; it
# prints a result only after the server has said that the statement is complete, so a printed
# row of a statement outside a transaction block is a committed one.
sub start_psql
{
	my ($node, $db, $input, $output, %vars) = @_;
	my @vars = map { ('-v', "$_=$vars{$_}") } sort keys %vars;
	my $handle = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), @vars, '-f', $input ],
		'>', $output, '2>', "$output.err", IPC::Run::timeout(300));
	return $handle;
}

# Waits for clients to end, whatever their exit status.
sub finish_all
{
	foreach my $handle (@_)
	{
		eval { $handle->finish; 1 } or $handle->kill_kill;
	}
	return;
}

# After the postmaster died its children go one by one; the next start has to wait for them.
sub wait_for_no_backends
{
	my ($node, @pids) = @_;
	my $end = time() + 30;
	while (time() < $end)
	{
		my @alive = grep { kill 0, $_ } @pids;
		return 1 unless @alive;
		sleep 0.05;
	}
	return 0;
}

# Writes pgbench scripts and returns the arguments that run them by weight.
sub pgbench_files
{
	my ($folder, %scripts) = @_;
	my @arguments;
	foreach my $name (sort keys %scripts)
	{
		my ($weight, $text) = @{ $scripts{$name} };
		my $file = "$folder/$name.sql";
		open my $out, '>', $file or die "could not write $file: $!";
		print $out $text;
		close $out;
		push @arguments, '-f', "$file\@$weight";
	}
	return @arguments;
}

1;
