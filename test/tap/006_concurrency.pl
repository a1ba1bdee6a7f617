# 16 sessions at once: first plain sends only, which never deadlock; then everything an application
# does. At the end verify is empty, a recount in plain SQL agrees, no number is there twice, and each
# number from 1 to the last is on a row or was removed by a statement that said so.
#
# CHATOPT_LOAD_SECONDS  seconds of each phase (default 6)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{CHATOPT_LOAD_SECONDS} // 6;
my $db      = 'postgres';
my $node    = new_server('load', conf => "deadlock_timeout = 100ms\nautovacuum_naptime = 1s");
my $folder  = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db, conversations => 20);
attach_chat($node, $db);

# Every number that is taken off a conversation is written down in the same transaction,
# by a trigger such as an application's own audit would be.
$node->safe_psql($db, q{
	CREATE TABLE gone (conversation_id bigint, sequence_number bigint);
	CREATE FUNCTION note_gone() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO gone VALUES (OLD.conversation_id, OLD.sequence_number);
		RETURN NULL;
	END $$;
	CREATE TRIGGER note_deleted AFTER DELETE ON messages FOR EACH ROW EXECUTE FUNCTION note_gone();
	CREATE TRIGGER note_moved AFTER UPDATE ON messages FOR EACH ROW
		WHEN (OLD.conversation_id <> NEW.conversation_id) EXECUTE FUNCTION note_gone();
});

sub load_with
{
	my ($what, @files) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($out, $err) = ('', '');
	my @command = ('pgbench', '-n', '-c', '16', '-j', '2', '-T', $seconds, '--max-tries=100', '-h', $node->host, '-p', $node->port, @files, $db);
	my $good = IPC::Run::run(\@command, '>', \$out, '2>', \$err, IPC::Run::timeout($seconds + 60));
	ok($good && $out !~ /number of failed transactions: [1-9]/, $what) or diag("$out\n$err");
	my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($done // 0, '>', 16, "$what: " . ($done // 0) . ' transactions');
	return;
}

sub deadlocks
{
	# The counter is reported by the session that found one, at the latest when it ends.
	$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'");
	$node->safe_psql($db, 'SELECT pg_stat_clear_snapshot()');
	return $node->safe_psql($db, "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'");
}

sub numbers_ok
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exact($node, $db, "$what: exact");
	is($node->safe_psql($db, 'SELECT conversation_id, sequence_number, count(*) FROM messages GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 5'), '', "$what: no number twice");
	is( $node->safe_psql($db, q{
			SELECT c.id, c.last_sequence_number, count(n), count(DISTINCT n), min(n), max(n)
			FROM conversations c LEFT JOIN (SELECT conversation_id, sequence_number FROM messages UNION ALL SELECT * FROM gone) AS x (conversation_id, n) ON x.conversation_id = c.id
			GROUP BY c.id HAVING count(n) <> c.last_sequence_number OR count(DISTINCT n) <> c.last_sequence_number OR max(n) <> c.last_sequence_number OR min(n) <> 1 LIMIT 5}),
		'', "$what: each number from 1 to the last is on a row or was removed");
	return;
}

# Phase 1: plain sends to one hot conversation, to all, many in a statement, in savepoints that come back, retries.
my $send = q{INSERT INTO messages (id, conversation_id, sender_id, body) };
load_with('plain sends', pgbench_files($folder,
	hot   => [ 4, "$send VALUES (gen_random_uuid(), 1, :client_id, 'hot');\n" ],
	any   => [ 4, "\\set c random(1, 20)\n$send VALUES (gen_random_uuid(), :c, :client_id, 'any') RETURNING sequence_number;\n" ],
	many  => [ 1, "\\set c random(1, 3)\n$send SELECT gen_random_uuid(), :c, :client_id, 'many' FROM generate_series(1, 20);\n" ],
	retry => [ 1, "\\set c random(1, 3)\n\\set r random(1, 400)\n$send VALUES (:c || '-retry-' || :r, :c, :client_id, 'retry') ON CONFLICT DO NOTHING;\n" ],
	save  => [ 1, "\\set c random(1, 3)\nBEGIN;\n$send VALUES (gen_random_uuid(), :c, 1, 'kept');\nSAVEPOINT p;\n$send VALUES (gen_random_uuid(), :c, 1, 'lost');\nROLLBACK TO p;\n$send VALUES (gen_random_uuid(), :c, 1, 'kept');\nCOMMIT;\n" ],
	back  => [ 1, "\\set c random(1, 3)\nBEGIN;\n$send SELECT gen_random_uuid(), :c, 1, 'lost' FROM generate_series(1, 3);\nROLLBACK;\n" ],
	# Several conversations: with the locks first, in whatever order they come.
	multi => [ 1, "\\set a random(1, 20)\n\\set b random(1, 20)\nBEGIN;\nSELECT chatopt.lock_conversations('messages', :a::bigint, :b::bigint);\n$send VALUES (gen_random_uuid(), :a, 1, 'a');\n$send VALUES (gen_random_uuid(), :b, 1, 'b');\nCOMMIT;\n" ]));
is(deadlocks(), '0', 'no deadlock among plain sends');
numbers_ok('plain sends');

# Phase 2: everything.  What rule R11 allows to deadlock, and a snapshot that came too late, is tried again by pgbench.
my $c = "\\set c random(1, 6)\n";
my $r = "\\set r random(1, 50)\n";
my $u = "\\set u random(1, 30)\n";
my $id = q{:c || '-up-' || :r};
load_with('everything', pgbench_files($folder,
	send   => [ 6, "$c$send VALUES (gen_random_uuid(), :c, :client_id, 'send');\n" ],
	upsert => [ 4, "$c$r$send VALUES ($id, :c, :client_id, 'up') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, conversation_id = EXCLUDED.conversation_id, sequence_number = EXCLUDED.sequence_number, deleted_at = NULL;\n" ],
	delete => [ 3, "$c${r}DELETE FROM messages WHERE id = $id;\n" ],
	last   => [ 2, "${c}DELETE FROM messages WHERE id = (SELECT last_message_id FROM conversations WHERE id = :c);\n" ],
	hide   => [ 2, "$c${r}UPDATE messages SET deleted_at = now() WHERE id = $id;\n" ],
	hidden => [ 1, "${c}UPDATE messages SET deleted_at = now() WHERE id = (SELECT last_message_id FROM conversations WHERE id = :c);\n" ],
	show   => [ 1, "$c${r}UPDATE messages SET deleted_at = NULL WHERE id = $id;\n" ],
	edit   => [ 2, "$c${r}UPDATE messages SET body = 'edited' WHERE id = $id;\n" ],
	stale  => [ 1, "${c}UPDATE conversations SET title = 'stale', last_sequence_number = 0, message_count = 0 WHERE id = :c;\n" ],
	join   => [ 1, "$c${u}INSERT INTO members VALUES (:c, :u) ON CONFLICT (conversation_id, user_id) DO UPDATE SET left_at = NULL;\n" ],
	leave  => [ 1, "$c${u}UPDATE members SET left_at = now() WHERE conversation_id = :c AND user_id = :u;\n" ],
	kick   => [ 1, "$c${u}DELETE FROM members WHERE conversation_id = :c AND user_id = :u;\n" ],
	move   => [ 1, "$c$r\\set d random(1, 6)\nUPDATE messages SET conversation_id = :d WHERE id = $id;\n" ],
	sweep  => [ 1, "${c}DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE conversation_id = :c ORDER BY sequence_number LIMIT 5);\n" ],
	repeat => [ 1, "${c}BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM conversations;\n$send VALUES (gen_random_uuid(), :c, 1, 'rr');\nCOMMIT;\n" ],
	back   => [ 1, "${c}BEGIN;\n$send SELECT gen_random_uuid(), :c, 1, 'lost' FROM generate_series(1, 3);\nDELETE FROM messages WHERE conversation_id = :c AND body = 'lost';\nROLLBACK;\n" ],
	twophase => [ 1, "${c}BEGIN;\n$send VALUES (gen_random_uuid(), :c, 1, '2pc');\nPREPARE TRANSACTION 'p:client_id';\n\\if :c % 2 = 0\nCOMMIT PREPARED 'p:client_id';\n\\else\nROLLBACK PREPARED 'p:client_id';\n\\endif\n" ]));
note('deadlocks with upserts, deletes and moves: ' . deadlocks());
numbers_ok('everything');
is($node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'no prepared transaction is left');
is($node->safe_psql($db, "SELECT count(*) FROM pg_locks WHERE locktype NOT IN ('relation', 'virtualxid')"), '0', 'no lock is left');

$node->stop;
done_testing();
