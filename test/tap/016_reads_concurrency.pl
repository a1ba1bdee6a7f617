# Readers and senders of one busy conversation at once, overlapping batches in different orders, and snapshots that are
# too old: no deadlock, no error, no mark lost.
#
# CHATOPT_LOAD_SECONDS  seconds of each phase (default 5)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{CHATOPT_LOAD_SECONDS} // 5;
my $db      = 'postgres';
my $node    = new_server('reads_load', conf => "deadlock_timeout = 100ms\nautovacuum_naptime = 1s", connections => 130);
my $folder  = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db, conversations => 0);
attach_chat($node, $db);
# Users 0 to 7 send to conversation 1, 100 to 199 only read it; 50 people are in conversations 2 to 11.
$node->safe_psql($db, q{
	DO $$ BEGIN PERFORM chatopt.track_reads('messages'); END $$;
	INSERT INTO conversations SELECT g FROM generate_series(1, 11) g;
	INSERT INTO members SELECT 1, u FROM generate_series(0, 7) u UNION ALL SELECT 1, u FROM generate_series(100, 199) u
		UNION ALL SELECT c, u FROM generate_series(2, 11) c, generate_series(100, 149) u;
	INSERT INTO messages (id, conversation_id, sender_id, body) SELECT c || '-' || n, c, 0, 'before' FROM generate_series(2, 11) c, generate_series(1, 500) n;
	-- what each reader was told, and what each sender sent, written in the transaction itself
	CREATE TABLE told (conversation_id bigint, member_id bigint, delivered bigint, read bigint);
	CREATE TABLE sent (conversation_id bigint, member_id bigint, number bigint);
});

sub load_of
{
	my ($clients, $seconds, @files) = @_;
	my ($out, $err) = ('', '');
	my @command = ('pgbench', '-n', '-c', $clients, '-j', '2', '-T', $seconds, '--max-tries=1', '-h', $node->host, '-p', $node->port, @files, $db);
	return { command => \@command, out => \$out, err => \$err, handle => IPC::Run::start(\@command, '>', \$out, '2>', \$err, IPC::Run::timeout($seconds + 60)) };
}

# Every transaction is tried once: not one may fail.
sub no_error
{
	my ($what, $load) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $good = $load->{handle}->finish;
	my ($done) = ${ $load->{out} } =~ /number of transactions actually processed: (\d+)/;
	ok($good && ${ $load->{err} } !~ /ERROR|aborted/ && ${ $load->{out} } !~ /number of failed transactions: [1-9]/, "$what: no error") or diag("${$load->{out}}\n${$load->{err}}");
	cmp_ok($done // 0, '>', 100, "$what: " . ($done // 0) . ' transactions');
	return;
}

sub no_deadlock
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'");
	return is($node->safe_psql($db, "SELECT pg_stat_clear_snapshot(); SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'"), "\n0", "$what: no deadlock");
}

# Each position is the greatest that its member was told or sent, and unread is what a recount says.
sub nothing_lost
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is( $node->safe_psql($db, q{
			SELECT s.conversation_id, s.member_id, s.delivered_seq, s.read_seq, t.* FROM members_read_state s
			LEFT JOIN (SELECT conversation_id, member_id, max(greatest(delivered, read)) AS delivered, max(read) AS read
				FROM (TABLE told UNION ALL SELECT conversation_id, member_id, number, number FROM sent) x GROUP BY 1, 2) t USING (conversation_id, member_id)
			WHERE (s.delivered_seq, s.read_seq) IS DISTINCT FROM (coalesce(t.delivered, 0), coalesce(t.read, 0)) LIMIT 5}),
		'', "$what: each position is the greatest its member was told or sent");
	is( $node->safe_psql($db, q{
			SELECT s.conversation_id, s.member_id, s.read_seq, chatopt.unread_count('messages', s.conversation_id, s.member_id) AS said, r.n
			FROM members_read_state s CROSS JOIN LATERAL (SELECT count(*) AS n FROM messages m WHERE m.conversation_id = s.conversation_id
				AND m.sequence_number > s.read_seq AND m.sender_id <> s.member_id AND m.deleted_at IS NULL) r
			WHERE NOT EXISTS (SELECT FROM members_read_marks k WHERE (k.conversation_id, k.member_id) = (s.conversation_id, s.member_id))
				AND chatopt.unread_count('messages', s.conversation_id, s.member_id) IS DISTINCT FROM r.n LIMIT 5}),
		'', "$what: unread is what a recount says");
	is($node->safe_psql($db, q{SELECT * FROM members_read_state s JOIN conversations c ON c.id = s.conversation_id
			WHERE NOT (joined_seq <= read_seq AND read_seq <= delivered_seq AND delivered_seq <= last_sequence_number) LIMIT 5}), '', "$what: positions are in order");
	exact($node, $db, "$what: exact");
	return;
}

# ---------------------------------------------------------------------------
# 100 members read one conversation while 8 send to it.
my $tell = 'INSERT INTO told SELECT 1, :u';
my $senders = load_of(8, $seconds, pgbench_files($folder,
	send => [ 6, "WITH m AS (INSERT INTO messages (id, conversation_id, sender_id, body) VALUES (gen_random_uuid(), 1, :client_id, 'send') RETURNING *) INSERT INTO sent SELECT conversation_id, sender_id, sequence_number FROM m;\n" ],
	many => [ 1, "WITH m AS (INSERT INTO messages (id, conversation_id, sender_id, body) SELECT gen_random_uuid(), 1, :client_id, 'many' FROM generate_series(1, 5) RETURNING *) INSERT INTO sent SELECT conversation_id, sender_id, sequence_number FROM m;\n" ],
	hide => [ 1, "UPDATE messages SET deleted_at = now() WHERE id = (SELECT id FROM messages WHERE conversation_id = 1 AND sender_id = :client_id AND deleted_at IS NULL ORDER BY sequence_number DESC LIMIT 1);\n" ],
	gone => [ 1, "DELETE FROM messages WHERE id = (SELECT id FROM messages WHERE conversation_id = 1 AND sender_id = :client_id ORDER BY sequence_number DESC LIMIT 1);\n" ]));
my $u       = "\\set u 100 + :client_id\n";
my $last    = 'SELECT last_sequence_number AS n FROM conversations WHERE id = 1';
my $readers = load_of(100, $seconds, pgbench_files($folder,
	read      => [ 5, "$u$last \\gset\n$tell, 0, chatopt.mark_read('messages', 1::bigint, :u::bigint, :n);\n" ],
	delivered => [ 3, "$u$last \\gset\n$tell, chatopt.mark_delivered('messages', 1::bigint, :u::bigint, :n), 0;\n" ],
	late      => [ 1, "$u$last \\gset\n$tell, 0, chatopt.mark_read('messages', 1::bigint, :u::bigint, :n / 2);\n" ],
	ahead     => [ 1, "$u$tell, 0, chatopt.mark_read('messages', 1::bigint, :u::bigint, 1000000000);\n" ],
	count     => [ 2, "${u}SELECT chatopt.unread_count('messages', 1::bigint, :u::bigint);\nSELECT count(*) FROM chatopt.unread_counts('messages', :u::bigint);\n" ],
	unread    => [ 1, "$u$last \\gset\nSELECT chatopt.mark_unread('messages', 1::bigint, :u::bigint, :n - 3);\n" ],
	back      => [ 1, "${u}BEGIN;\nSELECT chatopt.mark_read('messages', 1::bigint, :u::bigint, 1000000000);\nROLLBACK;\n" ],
	# two devices of the same member
	device    => [ 1, "\\set u 100 + (:client_id + 1) % 100\n$last \\gset\n$tell, 0, chatopt.mark_read('messages', 1::bigint, :u::bigint, :n);\n" ]));
no_error('8 senders', $senders);
no_error('100 readers', $readers);
no_deadlock('readers and senders');
nothing_lost('readers and senders');

# Marks out of order beside them: positions then pass what nobody was told, so only that all is taken along is asked.
$senders = load_of(4, $seconds, '-f', "$folder/send.sql\@1");
my $ackers = load_of(20, $seconds, pgbench_files($folder,
	ack    => [ 8, "\\set u 100 + :client_id % 10\n$last \\gset\n\\set n greatest(1, :n - random(0, 20))\nSELECT chatopt.ack_message('messages', 1::bigint, :u::bigint, :n, 'read');\n" ],
	upto   => [ 1, "\\set u 100 + :client_id % 10\n$last \\gset\nSELECT chatopt.mark_read('messages', 1::bigint, :u::bigint, :n - 10);\n" ],
	both   => [ 1, "\\set u 100 + :client_id % 10\n$last \\gset\nSELECT chatopt.mark_unread('messages', 1::bigint, :u::bigint, :n - 5), chatopt.ack_message('messages', 1::bigint, :u::bigint, :n, 'delivered');\n" ]));
no_error('4 senders more', $senders);
no_error('20 sessions of 10 members acknowledge out of order', $ackers);
no_deadlock('acknowledging');
$node->safe_psql($db, q{SELECT chatopt.mark_read('messages', 1::bigint, u::bigint, 1000000000) FROM generate_series(0, 199) u});
is($node->safe_psql($db, 'SELECT count(*) FROM members_read_marks'), '0', 'when all is read, no mark is left');
is($node->safe_psql($db, q{SELECT count(*) FROM members_read_state JOIN conversations ON id = conversation_id WHERE conversation_id = 1 AND read_seq <> last_sequence_number}), '0', 'and every position is at the end');
exact($node, $db, 'acknowledging: exact');

# ---------------------------------------------------------------------------
# Overlapping batches in eight orders: the same 500 memberships, from both ends and at random, with drains and single marks between.
$node->safe_psql($db, 'DO $$ BEGIN PERFORM chatopt.create_receipt_queue(\'messages\'); END $$; TRUNCATE told, sent');
my $batch = sub {
	my ($order) = @_;
	return qq{\\set n random(1, 500)
		WITH b AS (SELECT c, u, 1 + (:n + c * u) % 500 AS n, CASE WHEN (c + u + :n) % 3 = 0 THEN 'delivered' ELSE 'read' END AS s
				FROM generate_series(2, 11) c, generate_series(100, 149) u WHERE (c * 50 + u + :n) % 3 > 0),
			a AS MATERIALIZED (SELECT chatopt.apply_receipts('messages', array_agg(c::bigint ORDER BY $order), array_agg(u::bigint ORDER BY $order),
				array_agg(n::bigint ORDER BY $order), array_agg(s ORDER BY $order)) AS moved FROM b)
		INSERT INTO told SELECT c, u, n, CASE WHEN s = 'read' THEN n ELSE 0 END FROM b, a WHERE a.moved >= 0;
	};
};
my $n = 0;
my @orders = ('c, u', 'c DESC, u DESC', 'u, c', 'u DESC, c', 'c, u DESC', 'n, c, u', 'md5(c::text || u)', 'md5(u::text || c)');
my $batches = load_of(8, $seconds, pgbench_files($folder, map { ('batch' . $n++ => [ 1, $batch->($_) ]) } @orders));
my $singles = load_of(8, $seconds, pgbench_files($folder,
	single => [ 4, "\\set c random(2, 11)\n\\set u random(100, 149)\n\\set n random(1, 500)\nINSERT INTO told SELECT :c, :u, 0, :n FROM chatopt.mark_read('messages', :c::bigint, :u::bigint, :n);\n" ],
	queue  => [ 4, "\\set c random(2, 11)\n\\set u random(100, 149)\n\\set n random(1, 500)\nWITH q AS (INSERT INTO members_receipt_queue VALUES (:c, :u, :n, 'read') RETURNING *) INSERT INTO told SELECT conversation_id, member_id, 0, upto FROM q;\n" ],
	drain  => [ 1, "SELECT chatopt.drain_receipts('messages', 1000);\n" ]));
no_error('batches from 8 sessions in 8 orders', $batches);
no_error('single marks, reports and drains beside them', $singles);
no_deadlock('batches');
$node->safe_psql($db, q{SELECT chatopt.drain_receipts('messages', 1000000)});
is($node->safe_psql($db, 'SELECT count(*) FROM members_receipt_queue'), '0', 'the queue is drained');
is( $node->safe_psql($db, q{
		SELECT s.conversation_id, s.member_id, s.delivered_seq, s.read_seq, t.* FROM members_read_state s
		JOIN (SELECT conversation_id, member_id, max(greatest(delivered, read)) AS delivered, max(read) AS read FROM told GROUP BY 1, 2) t USING (conversation_id, member_id)
		WHERE (s.delivered_seq, s.read_seq) IS DISTINCT FROM (t.delivered, t.read) LIMIT 5}),
	'', 'each position is the greatest of what batches, marks and reports said');
exact($node, $db, 'batches: exact');

# ---------------------------------------------------------------------------
# With an old snapshot a mark that moves a position which has moved since is told to try again, by 40001 and nothing else.
$node->safe_psql($db, q{INSERT INTO messages (id, conversation_id, sender_id, body) SELECT 'more-' || n, 2, 0, 'more' FROM generate_series(1, 100) n});
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $late = $node->background_psql($db, on_error_stop => 0);
	$late->query_safe("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM conversations");
	$node->safe_psql($db, q{SELECT chatopt.mark_read('messages', 2::bigint, 100::bigint, read_seq + 1) FROM members_read_state WHERE conversation_id = 2 AND member_id = 100});
	$late->query(q{\set VERBOSITY sqlstate
SELECT chatopt.mark_read('messages', 2::bigint, 100::bigint, 1000000);});
	like($late->{stderr}, qr/ERROR:\s+40001/, "$level: a mark over one that is newer than the snapshot is 40001");
	$late->quit;
}
# A send needs the counter as it is now: with an old snapshot it is told to try again, by 40001 and nothing else.
my $old = $node->background_psql($db, on_error_stop => 0);
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM conversations');
$node->safe_psql($db, q{INSERT INTO messages (id, conversation_id, sender_id, body) VALUES (gen_random_uuid(), 3, 100, 'newer')});
my $answer = $old->query(q{\set VERBOSITY sqlstate
INSERT INTO messages (id, conversation_id, sender_id, body) VALUES (gen_random_uuid(), 3, 100, 'too late');});
like($old->{stderr}, qr/ERROR:\s+40001/, 'a send with a snapshot that is too old is 40001');
$old->quit;
no_deadlock('old snapshots');
exact($node, $db, 'old snapshots: exact');
is($node->safe_psql($db, "SELECT count(*) FROM pg_locks WHERE locktype NOT IN ('relation', 'virtualxid')"), '0', 'no lock is left');

$node->stop;
done_testing();
