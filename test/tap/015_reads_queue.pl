# Receipt queues under kill -9: of the worker, of a backend that drains, and of the server, while 100,000 receipts
# are drained. No receipt is lost, none is left behind, and each position is the greatest number reported.
#
# CHATOPT_QUEUE_ENTRIES  receipts of each round (default 100000)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $entries = $ENV{CHATOPT_QUEUE_ENTRIES} // 100000;
my $db      = 'postgres';
my $node    = new_server('reads_queue', conf => "restart_after_crash = on\nautovacuum_naptime = 1s\nchatopt.receipt_interval = 50ms\nmax_wal_size = 256MB");
my $folder  = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, 'CREATE EXTENSION chatopt; CREATE ROLE somebody');
make_chat($node, $db, conversations => 20);
attach_chat($node, $db);
$node->safe_psql($db, q{
	DO $$ BEGIN PERFORM chatopt.track_reads('messages'); CALL chatopt.backfill('messages'); PERFORM chatopt.create_receipt_queue('messages'); END $$;
	INSERT INTO conversations SELECT g, 'conversation ' || g FROM generate_series(101, 120) g;
	INSERT INTO members SELECT c, u FROM generate_series(101, 120) c, generate_series(1, 50) u;
	INSERT INTO messages (id, conversation_id, sender_id, body) SELECT c || '-' || n, c, 0, 'message' FROM generate_series(101, 120) c, generate_series(1, 1000) n;
	CREATE TABLE reported (conversation_id bigint, member_id bigint, upto bigint, status text);
});

# Receipts up to this number of each conversation, so that each round has something to move.
sub report
{
	my ($most) = @_;
	$node->safe_psql($db, qq{
		WITH r AS (INSERT INTO reported SELECT 101 + i % 20, 1 + (i / 20) % 50, 1 + (i::bigint * 7919) % $most, CASE WHEN i % 3 = 0 THEN 'delivered' ELSE 'read' END
			FROM generate_series(1, $entries) i RETURNING *)
		INSERT INTO members_receipt_queue SELECT r.* FROM r});
	return;
}

sub waiting { return $node->safe_psql($db, 'SELECT waiting FROM chatopt.receipt_queues'); }

sub worker_pid { return $node->safe_psql($db, 'SELECT worker_pid FROM chatopt.receipt_queues'); }

sub start_worker
{
	my ($what) = @_;
	my $pid = $node->safe_psql($db, q{SELECT chatopt.start_receipt_worker('messages')});
	ok($node->poll_query_until($db, "SELECT worker_pid = $pid FROM chatopt.receipt_queues"), "$what: a worker is started, the view shows it");
	return $pid;
}

# What is in nobody's position and in no entry any more, and positions that nobody reported.
my $lost = q{
	SELECT s.conversation_id, s.member_id, s.read_seq, s.delivered_seq, r.read, r.delivered, q.read_waits, q.delivered_waits
	FROM members_read_state s
	JOIN (SELECT conversation_id, member_id, coalesce(max(upto) FILTER (WHERE status = 'read'), 0) AS read, max(upto) AS delivered FROM reported GROUP BY 1, 2) r
		USING (conversation_id, member_id)
	LEFT JOIN (SELECT conversation_id, member_id, max(upto) FILTER (WHERE status = 'read') AS read_waits, max(upto) AS delivered_waits FROM members_receipt_queue GROUP BY 1, 2) q
		USING (conversation_id, member_id)
	WHERE greatest(s.read_seq, q.read_waits) <> r.read OR greatest(s.delivered_seq, q.delivered_waits) <> r.delivered LIMIT 5};

sub nothing_lost
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($db, $lost), '', $what);
}

sub all_applied
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($node->poll_query_until($db, 'SELECT waiting = 0 FROM chatopt.receipt_queues'), "$what: the queue is drained");
	nothing_lost("$what: each position is the greatest number reported");
	is($node->safe_psql($db, 'SELECT count(*) FROM members_read_state WHERE conversation_id > 100 AND read_seq > 0'), '1000', "$what: of every member");
	exact($node, $db, "$what: exact");
	return;
}

sub oldest_shown
{
	my ($what) = @_;
	return is($node->safe_psql($db, q{SELECT q.oldest = (SELECT min(queued_at) FROM members_receipt_queue) AND q.oldest < clock_timestamp() FROM chatopt.receipt_queues q}),
		't', "$what: the view shows since when the oldest waits");
}

# ---------------------------------------------------------------------------
# Who may start one, and only one runs.
report(200);
sqlstate_is($node, $db, q{SET ROLE somebody; SELECT chatopt.start_receipt_worker('messages');}, '42501', 'only the owner starts a worker');
sqlstate_is($node, $db, q{BEGIN; SELECT chatopt.start_receipt_worker('messages');}, '25001', 'not in a transaction block');
sqlstate_is($node, $db, q{SELECT chatopt.start_receipt_worker('members');}, '55000', 'not for a table that is not attached');
nothing_lost('nothing is lost before anything is drained');
oldest_shown('before');

# Killed in the middle of a batch: it has taken entries, and moved some positions, and waits for a table.
my $holder = $node->background_psql($db, on_error_die => 1);
$holder->query_safe('BEGIN; LOCK TABLE members_read_marks IN SHARE MODE');
my $pid = start_worker('first');
is($node->safe_psql($db, q{SELECT chatopt.start_receipt_worker('messages') IS NULL}), 't', 'a second one is not started');
is($node->safe_psql($db, "SELECT backend_type FROM pg_stat_activity WHERE pid = $pid"), 'chatopt receipts', 'it has a name');
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_locks WHERE pid = $pid AND NOT granted"), 'it is in the middle of a batch');
is(waiting(), $entries, 'all wait as long as nothing is committed');
kill 'KILL', $pid;
eval { $holder->quit };
ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), 'the server restarts by itself after kill -9 of the worker');
nothing_lost('killed in its first batch: nothing is lost');
all_applied('the worker comes back by itself');

# At any moment of its work.
report(400);
foreach my $round (1 .. 2)
{
	$node->poll_query_until($db, "SELECT worker_pid IS NOT NULL AND waiting < $entries FROM chatopt.receipt_queues");
	$pid = worker_pid();
	kill 'KILL', $pid if $pid;
	sleep 0.2;
	ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), "killed at work $round: the server restarts");
	nothing_lost("killed at work $round: nothing is lost");
}
all_applied('killed at work');
# Ended in order it does not come back.
$pid = worker_pid();
$node->safe_psql($db, "SELECT pg_terminate_backend($pid)");
ok($node->poll_query_until($db, 'SELECT worker_pid IS NULL FROM chatopt.receipt_queues'), 'pg_terminate_backend ends a worker');

# ---------------------------------------------------------------------------
# A backend that drains, in small batches, each a transaction.
report(600);
my $script = "$folder/drain.sql";
append_to_file($script, "SELECT chatopt.drain_receipts('messages', 1000);\n" x 200);
my $client = start_psql($node, $db, $script, "$folder/drain.out");
$node->poll_query_until($db, "SELECT waiting < $entries FROM chatopt.receipt_queues");
$pid = $node->safe_psql($db, q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT chatopt.drain_receipts%' AND backend_type = 'client backend'});
kill 'KILL', $pid if $pid;
finish_all($client);
ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), 'the server restarts by itself after kill -9 of a backend that drains');
my $rest = waiting();
cmp_ok($rest, '<', $entries, "some batches were committed, $rest entries wait");
cmp_ok($rest, '>', 0, 'and some were not');
is($rest % 1000, 0, 'none in half');
nothing_lost('a backend killed: nothing is lost');
oldest_shown('a backend killed');
is($node->safe_psql($db, q{SELECT sum(chatopt.drain_receipts('messages', 10000)) FROM generate_series(1, 11)}), $rest, 'another backend drains the rest');
all_applied('a backend killed');

# ---------------------------------------------------------------------------
# The server, with the worker and two backends draining: nobody waits for anybody, what is busy goes back.
report(800);
start_worker('before the server is killed');
my @clients = map { start_psql($node, $db, $script, "$folder/drain$_.out") } 1, 2;
$node->poll_query_until($db, "SELECT waiting < $entries FROM chatopt.receipt_queues");
$node->stop('immediate');
finish_all(@clients);
is(join('', grep { /ERROR/ } map { slurp_file("$folder/drain$_.out.err") } 1, 2), '', 'drains side by side: no error but the lost connection');
$node->start;
$rest = waiting();
note("$rest entries wait after the restart");
nothing_lost('the server killed: nothing is lost');
oldest_shown('the server killed') if $rest;
is(worker_pid(), '', 'a restart of the server forgets the worker');
start_worker('after the restart');
all_applied('the server killed');

# ---------------------------------------------------------------------------
# Drains side by side wait for nobody, and the worker neither.
$node->safe_psql($db, 'SELECT pg_terminate_backend(worker_pid) FROM chatopt.receipt_queues');
$node->poll_query_until($db, 'SELECT worker_pid IS NULL FROM chatopt.receipt_queues');
report(900);
my $open = $node->background_psql($db, on_error_die => 1);
$open->query_safe('BEGIN');
is($open->query_safe(q{SELECT chatopt.drain_receipts('messages', 100)}), '100', 'a transaction drains a hundred, and stays open');
my ($status, $taken, $error) = run_sql($node, $db, qq{SET statement_timeout = '20s'; SELECT chatopt.drain_receipts('messages', 1000000)});
is("$status $error", '0 ', 'another drains meanwhile, and does not wait');
$rest = waiting();
# Twice a hundred members, as both kinds of receipt, at most.
cmp_ok($rest, '>', 100, "what the first holds stays in the queue: $rest entries seen, the first's own among them");
cmp_ok($rest, '<=', 300, 'folded');
oldest_shown('what went back');
start_worker('beside an open drain');
nothing_lost('nothing is lost meanwhile');
$open->query_safe('COMMIT');
$open->quit;
all_applied('side by side');

# A member's own mark, not committed yet, holds up nobody.
my $marker = $node->background_psql($db, on_error_die => 1);
$marker->query_safe(q{BEGIN; SELECT chatopt.mark_read('messages', 101::bigint, 1::bigint, 999)});
$node->safe_psql($db, q{INSERT INTO reported VALUES (101, 1, 1000, 'read'), (101, 2, 1000, 'read'); 
	INSERT INTO members_receipt_queue VALUES (101, 1, 1000, 'read'), (101, 2, 1000, 'read')});
ok($node->poll_query_until($db, 'SELECT read_seq = 1000 FROM members_read_state WHERE conversation_id = 101 AND member_id = 2'), 'the others are marked');
is(waiting(), '1', 'the busy one stays in the queue');
$marker->query_safe('ROLLBACK');
$marker->quit;
all_applied('a busy member');

# ---------------------------------------------------------------------------
# A disabled chat: the worker lives on, entries wait.
$pid = worker_pid();
$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.disable('messages'); END $$;
	INSERT INTO members_receipt_queue VALUES (102, 1, 1000, 'read'); INSERT INTO reported VALUES (102, 1, 1000, 'read')});
sleep 0.5;
is(waiting() . ' ' . worker_pid(), "1 $pid", 'disabled: the entry waits, and so does the worker');
$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.enable('messages'); END $$});
ok($node->poll_query_until($db, 'SELECT waiting = 0 FROM chatopt.receipt_queues'), 'enabled: it goes on');
nothing_lost('and nothing is lost');
# It ends with what it drains.
$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.drop_receipt_queue('messages'); END $$});
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'drop_receipt_queue ends the worker');
$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.create_receipt_queue('messages'); END $$});
$pid = start_worker('a new queue');
$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.untrack_reads('messages'); END $$});
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'untrack_reads ends it too');
sleep 0.3;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|ERROR:  (?!.*(permission denied|must be owner|cannot run inside|is not attached))/, 'the log has no error');

$node->stop;
done_testing();
