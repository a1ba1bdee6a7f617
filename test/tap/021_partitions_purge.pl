# A partition's messages leave the counters, and come back, in small batches while sixteen sessions send, delete, hide, show
# and read. Half of the times the server process at it is killed with -9, and with it the whole server crashes; else it is
# terminated. Whenever anybody looks, before, in between and afterwards, verify finds nothing; the next call goes on where
# the last batch ended; nobody deadlocks. A dump taken half way is restored as it was.
#
# CHATOPT_PURGE_ROUNDS  rounds (default 4)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{CHATOPT_PURGE_ROUNDS} // 4;
my $db     = 'postgres';
my $node   = new_server('purge', conf => "restart_after_crash = on\ndeadlock_timeout = 100ms\nautovacuum_naptime = 1s");
my $folder = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, q{
	SET client_min_messages = warning;
	CREATE EXTENSION chatopt;
	CREATE TABLE conversations (id bigint PRIMARY KEY);
	CREATE TABLE members (conversation_id bigint REFERENCES conversations ON DELETE CASCADE, user_id bigint, PRIMARY KEY (conversation_id, user_id));
	CREATE TABLE messages (id text, conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE, sender_id bigint,
		month int NOT NULL DEFAULT 2, deleted_at timestamptz, PRIMARY KEY (id, month)) PARTITION BY RANGE (month);
	CREATE TABLE old PARTITION OF messages FOR VALUES FROM (1) TO (2);
	CREATE TABLE present PARTITION OF messages FOR VALUES FROM (2) TO (3);
	INSERT INTO conversations SELECT generate_series(1, 40);
	INSERT INTO members SELECT c, u FROM generate_series(1, 40) c, generate_series(1, 4) u;
	DO $$ BEGIN PERFORM chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL'); PERFORM chatopt.track_reads('messages'); END $$});
$node->safe_psql($db, q{CALL chatopt.backfill('messages')});
$node->safe_psql($db, q{
	INSERT INTO messages SELECT 'old-' || g, 1 + g % 40, 1 + g % 5, 1 + (g % 9 = 0)::int, CASE WHEN g % 11 = 0 THEN now() END FROM generate_series(1, 8000) g});

my $c   = "\\set c random(1, 40)\n";
my $r   = "\\set r random(1, 8000)\n";
my $u   = "\\set u random(1, 4)\n";
my $old = q{'old-' || :r};
my @load = pgbench_files($folder,
	send   => [ 6, "$c${u}INSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid(), :c, :u);\n" ],
	delete => [ 2, "${r}DELETE FROM messages WHERE id = $old;\n" ],
	hide   => [ 3, "${r}UPDATE messages SET deleted_at = now() WHERE id = $old;\n" ],
	show   => [ 3, "${r}UPDATE messages SET deleted_at = NULL WHERE id = $old;\n" ],
	move   => [ 1, "${r}UPDATE messages SET month = 2 WHERE id = $old;\n" ],
	sweep  => [ 1, "${c}DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE conversation_id = :c ORDER BY sequence_number LIMIT 3);\n" ],
	back   => [ 1, "${r}BEGIN;\nDELETE FROM messages WHERE id = $old;\nROLLBACK;\n" ],
	repeat => [ 1, "$c${u}BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM conversations;\nINSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid(), :c, :u);\nCOMMIT;\n" ],
	read   => [ 3, "$c${u}SELECT chatopt.mark_read('messages', :c, :u, (SELECT last_sequence_number - 5 FROM conversations WHERE id = :c));\n" ]);

# Everything again in plain SQL, by the mark.
my $recount = q{
	WITH alive AS (SELECT * FROM messages m WHERE NOT EXISTS (SELECT FROM chatopt.partition_purge p WHERE p.leaf = m.tableoid
		AND (p.finished OR (m.conversation_id, m.sequence_number) <= (p.key::bigint, p.number))))
	SELECT c.id, c.message_count, m.* FROM conversations c CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS messages,
		(array_agg(id ORDER BY sequence_number DESC) FILTER (WHERE deleted_at IS NULL))[1] AS last FROM alive WHERE conversation_id = c.id) m
	WHERE (c.message_count, coalesce(c.last_message_id, '')) <> (m.messages, coalesce(m.last, ''))
	UNION ALL SELECT s.conversation_id, s.member_id, m.unread, NULL FROM members_read_state s
	LEFT JOIN members_read_marks k ON k.member_id = s.member_id AND k.conversation_id = s.conversation_id AND k.chunk = -1
	CROSS JOIN LATERAL (SELECT count(*) FROM alive m WHERE m.conversation_id = s.conversation_id AND m.deleted_at IS NULL
		AND m.sequence_number > coalesce(k.unread_seq, s.read_seq) AND m.sender_id IS DISTINCT FROM s.member_id) AS m(unread)
	WHERE s.left_seq IS NULL AND chatopt.unread_count('messages', s.conversation_id, s.member_id) IS DISTINCT FROM m.unread LIMIT 5};

exact($node, $db, 'before', recount => $recount);
my %ended = ('killed half way' => 0, 'terminated half way' => 0, 'looked at' => 0);
my $deadlocks = 0;
foreach my $round (1 .. $rounds)
{
	my $kill = $round % 2;
	my $call = $round % 4 < 2 ? q{CALL chatopt.retire('old', 'purge', 15)} : q{CALL chatopt.restore_partition('old', 15)};
	# What a round before has left is where it began.
	$node->safe_psql($db, $round % 4 < 2 ? q{DO $$ BEGIN END $$} : q{CALL chatopt.retire('old', 'purge', 100)});
	my ($out, $err, $said, $error) = ('', '', '', '');
	my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', '16', '-j', '2', '-T', 20, '-R', 300, '--max-tries=0', '-h', $node->host, '-p', $node->port, @load, $db ],
		'>', \$out, '2>', \$err, IPC::Run::timeout(180));
	my $purge = IPC::Run::start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-d', $db, '-c', $call ],
		'>', \$said, '2>', \$error, IPC::Run::timeout(180));
	# Until some batches are through.
	my ($pid, $looks) = ('', 0);
	foreach (1 .. 600)
	{
		$purge->pump_nb;
		last unless $purge->pumpable;
		$pid = $node->safe_psql($db, q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL chatopt.re%' AND backend_type = 'client backend'});
		my $found = $node->safe_psql($db, q{SELECT * FROM chatopt.verify('messages') LIMIT 3});
		if ($found ne '') { fail("round $round: verify while batches go on"); diag($found); last; }
		++$looks;
		last if $pid ne '' && $node->safe_psql($db, 'SELECT coalesce(max(messages), 0) > 200 FROM chatopt.partition_purge') eq 't';
		sleep 0.01;
	}
	cmp_ok($looks, '>', 0, "round $round: verify found nothing while batches went on, $looks times");
	$ended{'looked at'} += $looks;
	$deadlocks += $node->safe_psql($db, "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'");
	if ($kill && $pid ne '' && kill 'KILL', $pid)
	{
		finish_all($purge, $bench);
		ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), "round $round: the server is back after kill -9");
	}
	else
	{
		$node->safe_psql($db, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL chatopt.re%' AND backend_type = 'client backend'});
		finish_all($purge);
		$bench->kill_kill;
		$node->poll_query_until($db, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'});
	}
	my $half = $node->safe_psql($db, q{SELECT NOT finished AND key IS NOT NULL FROM chatopt.partition_purge}) eq 't';
	$ended{ $kill ? 'killed half way' : 'terminated half way' } += $half;
	exact($node, $db, "round $round: exact where it stopped" . ($half ? ', half way' : ''), recount => $recount);
	if ($round == 1 && $half)
	{
		# A dump knows as much.
		my $dump = "$folder/half.sql";
		$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr($db) ], 'a dump half way');
		$node->safe_psql($db, 'CREATE DATABASE restored');
		$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
		is($node->safe_psql('restored', 'SELECT * FROM chatopt.partition_purge'), $node->safe_psql($db, 'SELECT * FROM chatopt.partition_purge'), 'with its mark');
		exact($node, 'restored', 'exact in the copy', recount => $recount);
		sqlstate_is($node, 'restored', q{INSERT INTO messages (id, conversation_id, month) VALUES ('x', 1, 1)}, '23514', 'and nothing comes in there');
		$node->safe_psql('restored', q{CALL chatopt.restore_partition('old', 500)});
		exact($node, 'restored', 'put back in the copy', recount => $recount);
	}
}
cmp_ok($ended{$_}, '>', 0, "$_ $ended{$_} times") foreach sort keys %ended;
is($deadlocks, 0, 'no deadlock');

$node->safe_psql($db, q{CALL chatopt.retire('old', 'purge')});
exact($node, $db, 'purged', recount => $recount);
my $counters = $node->safe_psql($db, 'SELECT * FROM conversations ORDER BY id');
$node->safe_psql($db, q{BEGIN; ALTER TABLE messages DETACH PARTITION old; DELETE FROM chatopt.partition_purge; COMMIT});
is($node->safe_psql($db, 'SELECT * FROM conversations ORDER BY id'), $counters, 'detached: no counter has changed');
exact($node, $db, 'detached', recount => $recount);
$node->stop;
done_testing();
