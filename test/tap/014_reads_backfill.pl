# The reads of a chat with a past are filled in, in small batches, while sixteen sessions send, delete, edit, join, leave
# and read. Backfill is terminated in the middle again and again, and made to begin anew; it never fails otherwise.
# Nothing here locks in opposite orders, so that nobody deadlocks. At the end verify finds nothing, and what each member
# has unread is what a recount in plain SQL says.
#
# CHATOPT_LOAD_SECONDS  seconds of load (default 6)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seconds = $ENV{CHATOPT_LOAD_SECONDS} // 6;
my $db      = 'postgres';
my $node    = new_server('reads_backfill', conf => "deadlock_timeout = 100ms\nautovacuum_naptime = 1s");
my $folder  = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db, conversations => 6);
attach_chat($node, $db);
send_some($node, $db, 'old');
$node->safe_psql($db, q{
	INSERT INTO messages (id, conversation_id, sender_id, deleted_at)
		SELECT 'more-' || g, 1 + g % 2, 1 + g % 7, CASE WHEN g % 11 = 0 THEN now() END FROM generate_series(1, 12000) g;
	DELETE FROM messages WHERE conversation_id = 1 AND sequence_number BETWEEN 100 AND 4500 OR id LIKE 'more-%7';
	SET client_min_messages = warning;
	DO $$ BEGIN PERFORM chatopt.track_reads('messages'); END $$});

my $c = "\\set c random(1, 6)\n";
my $r = "\\set r random(1, 12000)\n";
my $u = "\\set u random(1, 12)\n";
my $old = q{'more-' || :r};
my @load = pgbench_files($folder,
	send   => [ 6, "$c${u}INSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid(), :c, :u);\n" ],
	delete => [ 4, "${r}DELETE FROM messages WHERE id = $old;\n" ],
	sweep  => [ 1, "${c}DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE conversation_id = :c ORDER BY sequence_number LIMIT 5);\n" ],
	hide   => [ 3, "${r}UPDATE messages SET deleted_at = now() WHERE id = $old;\n" ],
	show   => [ 3, "${r}UPDATE messages SET deleted_at = NULL WHERE id = $old;\n" ],
	join   => [ 2, "$c${u}INSERT INTO members VALUES (:c, :u) ON CONFLICT (conversation_id, user_id) DO UPDATE SET left_at = NULL;\n" ],
	leave  => [ 1, "$c${u}UPDATE members SET left_at = now() WHERE conversation_id = :c AND user_id = :u;\n" ],
	kick   => [ 1, "$c${u}DELETE FROM members WHERE conversation_id = :c AND user_id = :u;\n" ],
	read   => [ 4, "$c${u}\\set back random(0, 20)\nSELECT count(chatopt.mark_read('messages', :c, :u, (SELECT last_sequence_number - :back FROM conversations WHERE id = :c)));\n" ],
	unread => [ 1, "$c${u}\\set back random(0, 20)\nSELECT count(chatopt.mark_unread('messages', :c, :u, (SELECT last_sequence_number - :back FROM conversations WHERE id = :c)));\n" ],
	repeat => [ 1, "$c${u}BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM conversations;\nINSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid(), :c, :u);\nCOMMIT;\n" ],
	back   => [ 1, "${r}BEGIN;\nDELETE FROM messages WHERE id = $old;\nINSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid(), 1 + :r % 2, 1);\nROLLBACK;\n" ]);
my ($out, $err) = ('', '');
my @command = ('pgbench', '-n', '-c', '16', '-j', '2', '-T', $seconds, '--max-tries=0', '-h', $node->host, '-p', $node->port, @load, $db);
my $bench = IPC::Run::start(\@command, '>', \$out, '2>', \$err, IPC::Run::timeout($seconds + 120));

# Every other backfill is terminated, at another place each time; the others go through, then all begins anew.
my %ended = (stopped => 0, through => 0);
for (my $round = 0; $bench->pumpable; ++$round)
{
	my ($done, $error) = ('', '');
	my $backfill = IPC::Run::start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-d', $db, '-c', q{CALL chatopt.backfill('messages', 20)} ],
		'>', \$done, '2>', \$error, IPC::Run::timeout(120));
	if ($round % 2 == 0)
	{
		sleep 0.05 + rand(0.4);
		$node->safe_psql($db, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL chatopt.backfill%'});
	}
	$backfill->finish;
	if ($error =~ /terminating connection/) { ++$ended{stopped}; }
	elsif ($error =~ /ERROR|FATAL/) { fail('backfill under load'); diag($error); last; }
	else
	{
		++$ended{through};
		$node->safe_psql($db, 'UPDATE conversations_read_heads SET filled_upto = 0') if $bench->pumpable;
	}
	$bench->pump_nb;
}
$bench->finish;
ok($out !~ /number of failed transactions: [1-9]/, 'the load went on') or diag("$out\n$err");
is($node->safe_psql($db, "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'"), '0', 'no deadlock');
cmp_ok($ended{$_}, '>', 0, "backfill was $_ $ended{$_} times") foreach sort keys %ended;

$node->safe_psql($db, q{CALL chatopt.backfill('messages', 20)});
is($node->safe_psql($db, 'SELECT state FROM chatopt.reads'), 'tracked', 'all is tracked in the end');
is($node->safe_psql($db, 'SELECT count(*) FROM conversations_read_heads WHERE filled_upto IS NULL'), '6', 'each conversation');
exact($node, $db, 'exact');
my $recount = sub { my ($sender) = @_; return qq{
	SELECT s.conversation_id, s.member_id, chatopt.unread_count('messages', s.conversation_id, s.member_id) AS unread, m.unread
	FROM members_read_state s
	LEFT JOIN members_read_marks k ON k.member_id = s.member_id AND k.conversation_id = s.conversation_id AND k.chunk = -1
	CROSS JOIN LATERAL (SELECT count(*) FROM messages m WHERE m.conversation_id = s.conversation_id AND m.deleted_at IS NULL
		AND m.sequence_number > coalesce(k.unread_seq, s.read_seq) AND $sender) AS m(unread)
	WHERE s.left_seq IS NULL AND chatopt.unread_count('messages', s.conversation_id, s.member_id) IS DISTINCT FROM m.unread LIMIT 5} };
is($node->safe_psql($db, $recount->('m.sender_id IS DISTINCT FROM s.member_id')), '', 'unread counts');
# Behind one's own messages, where sending never leaves anybody, all is counted.
$node->safe_psql($db, q{SET session_replication_role = replica; DELETE FROM members_read_marks; UPDATE members_read_state AS s SET joined_seq = joined_seq / 2, read_seq = joined_seq / 2 WHERE left_seq IS NULL AND NOT EXISTS (SELECT FROM members_read_state AS o WHERE (o.member_id, o.conversation_id, o.joined_seq) = (s.member_id, s.conversation_id, s.joined_seq / 2))});
is($node->safe_psql($db, $recount->('true')), '', 'unread counts from the middle of what is old');

$node->stop;
done_testing();
