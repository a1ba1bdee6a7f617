# Reads outlive what a server goes through: dump and restore, prepared transactions over restart and
# crash, a standby and its promotion, logical replication, and kill -9 under load with marks acknowledged.
#
# CHATOPT_CRASH_ROUNDS  rounds of the last (default 5; 50 for the long run)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $db     = 'postgres';
my $folder = PostgreSQL::Test::Utils::tempdir();

sub new_chat
{
	my ($node, $name) = @_;
	$node->safe_psql($name, 'CREATE EXTENSION chatopt');
	make_chat($node, $name, conversations => 0);
	attach_chat($node, $name);
	$node->safe_psql($name, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.track_reads('messages'); END $$;
		INSERT INTO conversations SELECT g, 'conversation ' || g FROM generate_series(1, 4) g});
	return;
}

# Senders, who have read their own, and two readers; unread marks, a leaver, somebody who came back, removed and
# uncounted numbers.
sub read_some
{
	my ($node, $name, $prefix) = @_;
	$node->safe_psql($name, 'INSERT INTO members SELECT c, u FROM generate_series(1, 4) c, generate_series(6, 7) u ON CONFLICT DO NOTHING');
	send_some($node, $name, $prefix);
	$node->safe_psql($name, q{
		SELECT chatopt.mark_read('messages', c, 6::bigint, 10 * c), chatopt.mark_delivered('messages', c, 7::bigint, 30) FROM generate_series(1, 4) c;
		SELECT chatopt.mark_unread('messages', 1, 1, 7), chatopt.mark_unread('messages', 2, 4, 11);
		DELETE FROM members WHERE conversation_id = 3 AND user_id = 4;
		UPDATE members SET left_at = NULL WHERE conversation_id = 1 AND user_id = 3;
	});
	return;
}

# Everything that is kept of reads, as text: equal on both sides or not.
sub reads_of
{
	my ($node, $name) = @_;
	return $node->safe_psql($name, q{
		SELECT conversation_id, member_id, joined_seq, left_seq, delivered_seq, read_seq, slot FROM members_read_state ORDER BY 1, 2, 3;
		SELECT * FROM conversations_read_heads ORDER BY 1;
		SELECT * FROM messages_skipped_numbers ORDER BY 1, 2, 3;
		SELECT * FROM members_read_marks ORDER BY 1, 2, 3;
	});
}

# Unread counts of all members, by the function.
sub unread_of
{
	my ($node, $name) = @_;
	return $node->safe_psql($name,
		q{SELECT conversation_id, user_id, chatopt.unread_count('messages', conversation_id, user_id) FROM members ORDER BY 1, 2});
}

# verify, the counters recounted, and unread counts, memberships and heads recounted in plain SQL.
sub sound
{
	my ($node, $name, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $wrong = $node->safe_psql($name, q{
		SELECT 'unread', b.conversation_id, b.user_id, chatopt.unread_count('messages', b.conversation_id, b.user_id), n.unread
		FROM members b LEFT JOIN members_read_state r ON r.conversation_id = b.conversation_id AND r.member_id = b.user_id AND r.left_seq IS NULL
		LEFT JOIN members_read_marks k ON k.conversation_id = b.conversation_id AND k.member_id = b.user_id AND k.chunk = -1
		CROSS JOIN LATERAL (SELECT CASE WHEN b.left_at IS NULL THEN count(m) END AS unread FROM messages m
			WHERE m.conversation_id = b.conversation_id AND m.sequence_number > coalesce(k.unread_seq, r.read_seq)
			AND m.sender_id IS DISTINCT FROM b.user_id AND m.deleted_at IS NULL) n
		WHERE chatopt.unread_count('messages', b.conversation_id, b.user_id) IS DISTINCT FROM n.unread
		UNION ALL SELECT 'member', b.conversation_id, b.user_id, NULL, count(r) FROM members b
		LEFT JOIN members_read_state r ON r.conversation_id = b.conversation_id AND r.member_id = b.user_id AND r.left_seq IS NULL
		GROUP BY b.conversation_id, b.user_id, b.left_at HAVING count(r) <> (b.left_at IS NULL)::int
		UNION ALL SELECT 'head', h.conversation_id, h.next_slot, h.members, count(*) FILTER (WHERE r.left_seq IS NULL) FROM conversations_read_heads h
		LEFT JOIN members_read_state r USING (conversation_id) GROUP BY h.conversation_id, h.next_slot, h.members
		HAVING count(*) FILTER (WHERE r.left_seq IS NULL AND r.slot IS NOT NULL) <> h.members OR max(r.slot) >= h.next_slot
		UNION ALL SELECT 'slot', conversation_id, slot, count(DISTINCT member_id), NULL FROM members_read_state
		GROUP BY conversation_id, slot HAVING count(DISTINCT member_id) > 1
		UNION ALL SELECT 'position', r.conversation_id, r.member_id, r.read_seq, r.delivered_seq FROM members_read_state r
		JOIN conversations c ON c.id = r.conversation_id
		WHERE NOT (joined_seq <= read_seq AND read_seq <= delivered_seq AND delivered_seq <= coalesce(left_seq, last_sequence_number)) LIMIT 5});
	is($wrong, '', "$what: reads") or return 0;
	return exact($node, $name, $what);
}

subtest 'dump and restore' => sub {
	my $node = new_server('reads_dump');
	$node->safe_psql('postgres', 'CREATE DATABASE source');
	new_chat($node, 'source');
	read_some($node, 'source', 'a');
	sound($node, 'source', 'the source');
	my ($reads, $unread) = (reads_of($node, 'source'), unread_of($node, 'source'));
	my @connection = ('-h', $node->host, '-p', $node->port);
	foreach my $format ('c', 'p')
	{
		my ($file, $name) = ("$folder/dump.$format", "restored_$format");
		ok(run_log([ 'pg_dump', @connection, "-F$format", '-f', $file, 'source' ]), "pg_dump -F$format");
		$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
		ok( run_log($format eq 'c' ? [ 'pg_restore', @connection, '--exit-on-error', '-d', $name, $file ]
				: [ 'psql', @connection, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $name, '-f', $file ]),
			"$name: restore");
		is(reads_of($node, $name), $reads, "$name: reads as they were");
		is(unread_of($node, $name), $unread, "$name: the same is unread");
		is($node->safe_psql($name, 'SELECT messages, members, read_state, state FROM chatopt.reads'), 'messages|members|members_read_state|tracked', "$name: the view shows it");
		is($node->safe_psql($name, q{SELECT count(*) FROM chatopt.track_reads('messages')}), '0', "$name: track_reads once more changes nothing");
		read_some($node, $name, 'b');
		sound($node, $name, "$name: goes on");
		$node->safe_psql($name, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.untrack_reads('messages', drop_tables => true); END $$});
		is($node->safe_psql($name, q{SELECT count(*) FROM pg_class WHERE relname ~ '_read_|_skipped_'}), '0', "$name: and leaves no table");
		exact($node, $name, "$name: nor a wrong counter");
	}
	$node->stop;
};

subtest 'prepared transactions' => sub {
	my $node = new_server('reads_2pc');
	new_chat($node, $db);
	read_some($node, $db, 'a');
	$node->safe_psql($db, q{BEGIN; SELECT chatopt.mark_read('messages', 4, 6, 42), chatopt.mark_unread('messages', 4, 1, 3);
		INSERT INTO messages (id, conversation_id, sender_id) VALUES ('2pc-1', 1, 5); SAVEPOINT p;
		INSERT INTO messages (id, conversation_id, sender_id) VALUES ('2pc-2', 1, 2); ROLLBACK TO p;
		INSERT INTO members VALUES (1, 70); DELETE FROM members WHERE conversation_id = 1 AND user_id = 4; PREPARE TRANSACTION 'kept'});
	$node->safe_psql($db, q{BEGIN; SELECT chatopt.mark_read('messages', 2, 6, 45); INSERT INTO members VALUES (2, 71);
		INSERT INTO messages (id, conversation_id, sender_id) VALUES ('2pc-3', 2, 1); PREPARE TRANSACTION 'lost'});
	sound($node, $db, 'while prepared');
	foreach my $way ('restart', 'crash')
	{
		if ($way eq 'restart') { $node->restart; }
		else { $node->stop('immediate'); $node->start; }
		sqlstate_is($node, $db, q{SET lock_timeout = '50ms'; SELECT chatopt.mark_read('messages', 4, 6, 43);}, '55P03', "after a $way the marked position is still held");
		is($node->safe_psql($db, q{SET lock_timeout = '50ms'; SELECT chatopt.mark_read('messages', 4, 7, 41)}), '41', "after a $way other members are not");
	}
	$node->safe_psql($db, q{COMMIT PREPARED 'kept'});
	$node->safe_psql($db, q{ROLLBACK PREPARED 'lost'});
	is($node->safe_psql($db, 'SELECT read_seq FROM members_read_state WHERE conversation_id = 4 AND member_id = 6'), '42', 'the mark is there');
	is($node->safe_psql($db, 'SELECT r.read_seq = m.sequence_number FROM members_read_state r, messages m WHERE r.conversation_id = 1 AND r.member_id = 5 AND m.id = \'2pc-1\''), 't', 'the sender has read what it sent');
	is($node->safe_psql($db, 'SELECT count(*) FROM members_read_state WHERE member_id IN (70, 71)'), '1', 'who joined is a member, who did not is none');
	sound($node, $db, 'after commit and rollback');
	$node->stop;
};

subtest 'standby' => sub {
	my $primary = new_server('reads_primary', streaming => 1);
	new_chat($primary, $db);
	read_some($primary, $db, 'a');
	$primary->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('reads_standby');
	$standby->init_from_backup($primary, 'base', has_streaming => 1);
	$standby->start;
	read_some($primary, $db, 'b');
	$primary->wait_for_catchup($standby);
	is(reads_of($standby, $db), reads_of($primary, $db), 'reads are equal');
	is(unread_of($standby, $db), unread_of($primary, $db), 'unread counts are equal');
	sound($standby, $db, 'the standby');
	is($standby->safe_psql($db, q{SELECT sum(unread) FROM chatopt.unread_counts('messages', 1)}),
		$primary->safe_psql($db, q{SELECT sum(unread) FROM chatopt.unread_counts('messages', 1)}), 'unread_counts reads there');
	is($standby->safe_psql($db, 'SELECT state FROM chatopt.reads'), 'tracked', 'and the view');
	foreach my $call ("chatopt.mark_read('messages', 1, 5, 1)", "chatopt.mark_read('messages', 1, 6, 30)", "chatopt.mark_delivered('messages', 1, 6, 31)",
		"chatopt.mark_unread('messages', 1, 5, 2)", "chatopt.track_reads('messages', 'count')", "chatopt.untrack_reads('messages')")
	{
		sqlstate_is($standby, $db, "SELECT $call;", '25006', "$call is refused on the standby");
	}
	sqlstate_is($primary, $db, "BEGIN READ ONLY; SELECT chatopt.mark_read('messages', 1, 6, 30);", '25006', 'a mark is refused in a read-only transaction');
	$primary->stop('immediate');
	$standby->promote;
	read_some($standby, $db, 'c');
	sound($standby, $db, 'after promotion');
	$standby->stop;
};

subtest 'logical replication' => sub {
	my $publisher  = new_server('reads_publisher',  streaming => 'logical');
	my $subscriber = new_server('reads_subscriber', streaming => 'logical');
	new_chat($_, $db) foreach $publisher, $subscriber;
	$subscriber->safe_psql($db, 'DELETE FROM conversations');
	read_some($publisher, $db, 'a');
	$publisher->safe_psql($db, 'CREATE PUBLICATION chat FOR TABLES IN SCHEMA public');
	my $connection = $publisher->connstr . ' dbname=postgres';
	$subscriber->safe_psql($db, "SET client_min_messages = warning; CREATE SUBSCRIPTION chat CONNECTION '$connection' PUBLICATION chat");
	$subscriber->wait_for_subscription_sync($publisher, 'chat');
	is(reads_of($subscriber, $db), reads_of($publisher, $db), 'first copy: reads are equal');
	sound($subscriber, $db, 'first copy');
	read_some($publisher, $db, 'b');
	$publisher->safe_psql($db, q{DELETE FROM conversations WHERE id = 4;
		INSERT INTO conversations VALUES (9, 'new'); INSERT INTO members SELECT 9, u FROM generate_series(1, 3) u;
		INSERT INTO messages (id, conversation_id, sender_id) VALUES ('n1', 9, 1), ('n2', 9, 2);
		SELECT chatopt.mark_read('messages', 9, 3, 1);});
	$publisher->wait_for_catchup('chat');
	is(reads_of($subscriber, $db), reads_of($publisher, $db), 'streamed: reads are equal');
	is(unread_of($subscriber, $db), unread_of($publisher, $db), 'streamed: unread counts are equal');
	sound($subscriber, $db, 'streamed');
	$subscriber->safe_psql($db, 'SET client_min_messages = warning; DROP SUBSCRIPTION chat');
	is($subscriber->safe_psql($db, q{SELECT chatopt.mark_read('messages', 9, 3, 99)}), '2', 'the subscriber takes over');
	$subscriber->safe_psql($db, q{INSERT INTO messages (id, conversation_id, sender_id) VALUES ('n3', 9, 1); DELETE FROM members WHERE conversation_id = 9 AND user_id = 2});
	sound($subscriber, $db, 'taken over');
	$_->stop foreach $subscriber, $publisher;
};

subtest 'crash' => sub {
	my $rounds = $ENV{CHATOPT_CRASH_ROUNDS} // 5;
	my $clients = 8;
	my $node = new_server('reads_crash', conf => "restart_after_crash = on\nmax_wal_size = 128MB\ncheckpoint_timeout = 30s");
	new_chat($node, $db);
	$node->safe_psql($db, 'INSERT INTO members SELECT c, u FROM generate_series(1, 4) c, generate_series(1, 8) u;
		CREATE TABLE acknowledged (conversation_id bigint, member_id bigint, read_seq bigint)');
	# Every client is a member of all conversations: it sends, reads as far as it is, comes and goes. A line "r conversation
	# member position" is an acknowledged position.
	my $script = "$folder/reader.sql";
	open my $out, '>', $script or die $!;
	foreach my $n (1 .. 4000)
	{
		my $c = 1 + $n % 4;
		print $out "INSERT INTO messages (id, conversation_id, sender_id) VALUES ('r' || :r || 'c' || :c || 'n$n', $c, :c);\n";
		print $out "SELECT 'r $c ' || :c || ' ' || chatopt.mark_read('messages', $c, :c, (SELECT last_sequence_number - " . $n % 3 . " FROM conversations WHERE id = $c));\n";
		print $out "SELECT chatopt.mark_delivered('messages', $c, 1 + :c % 8, 100000), chatopt.unread_count('messages', $c, :c) >= 0;\n" if $n % 4 == 0;
		print $out "SELECT chatopt.mark_unread('messages', $c, :c, $n);\n" if $n % 7 == 0;
		print $out "DELETE FROM messages WHERE id = 'r' || :r || 'c' || :c || 'n' || " . ($n - 2) . ";\n" if $n % 9 == 0;
		print $out "BEGIN; DELETE FROM members WHERE conversation_id = $c AND user_id = :c; INSERT INTO members VALUES ($c, :c); COMMIT;\n" if $n % 11 == 0;
	}
	close $out;
	my $positions = 0;
	foreach my $round (1 .. $rounds)
	{
		my (@handles, @outputs);
		foreach my $client (1 .. $clients)
		{
			push @outputs, "$folder/reads$round.$client";
			push @handles, start_psql($node, $db, $script, $outputs[-1], r => $round, c => $client);
		}
		sleep 0.8 + rand(0.8);
		my @pids = split /\n/, $node->safe_psql($db, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
		if ($round % 2)
		{
			$node->kill9;
			wait_for_no_backends($node, @pids) or diag('backends outlived the postmaster');
			finish_all(@handles);
			my $up = 0;
			foreach (1 .. 20) { last if $up = $node->start(fail_ok => 1); sleep 0.5; }
			ok($up, "round $round: the server starts after kill -9 of the postmaster") or BAIL_OUT('no server');
		}
		else
		{
			kill 'KILL', $pids[ rand @pids ];
			finish_all(@handles);
			ok($node->poll_query_until($db, 'SELECT NOT pg_is_in_recovery()'), "round $round: the server restarts by itself after kill -9 of a backend");
		}
		my $rows = '';
		foreach my $output (@outputs)
		{
			foreach my $line (split /\n/, slurp_file($output)) { $rows .= "$1\t$2\t$3\n", $positions++ if $line =~ /^r (\d+) (\d+) (\d+)$/; }
			my $errors = join "\n", grep { /ERROR/ && !/deadlock/ } split /\n/, slurp_file("$output.err");
			is($errors, '', "round $round: no error but the lost connection") if $errors;
		}
		$node->safe_psql($db, "COPY acknowledged FROM STDIN;\n$rows\\.\n");
		is( $node->safe_psql($db, q{
				SELECT a.*, r.read_seq FROM (SELECT conversation_id, member_id, max(read_seq) AS read_seq FROM acknowledged GROUP BY 1, 2) a
				LEFT JOIN members_read_state r ON r.conversation_id = a.conversation_id AND r.member_id = a.member_id AND r.left_seq IS NULL
				WHERE (r.read_seq >= a.read_seq) IS NOT TRUE}),
			'', "round $round: no acknowledged position is lost");
		sound($node, $db, "round $round");
	}
	cmp_ok($positions, '>', 100, "$positions positions acknowledged in all");
	$node->stop;
};

# 16 sessions; each transaction sends, recalls, joins, leaves, reads and acknowledges in five conversations in random order,
# with their locks first; others mark, and apply batches, without any lock. Nobody deadlocks, and nothing drifts.
subtest 'abuse' => sub {
	my $seconds = $ENV{CHATOPT_LOAD_SECONDS} // 6;
	my $node = new_server('reads_load', conf => "deadlock_timeout = 100ms\nautovacuum_naptime = 1s");
	new_chat($node, $db);
	$node->safe_psql($db, 'INSERT INTO conversations SELECT g FROM generate_series(5, 12) g;
		INSERT INTO members SELECT c, u FROM generate_series(1, 12) c, generate_series(1, 30) u;
		CREATE SEQUENCE message_ids');
	my $keys = join '', map { "\\set c$_ random(1, 12)\n\\set u$_ random(1, 10)\n" } 1 .. 5;
	my $send = q{INSERT INTO messages (id, conversation_id, sender_id) VALUES (nextval('message_ids'), };
	my $acks = $node->safe_psql($db, q{SELECT count(*) > 0 FROM pg_proc WHERE pronamespace = 'chatopt'::regnamespace AND proname = 'ack_message'}) eq 't';
	my @five = (
		"$send :c1, :u1), (nextval('message_ids'), :c1, :u2);\n",
		"UPDATE messages SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = (SELECT id FROM messages WHERE conversation_id = :c2 ORDER BY random() LIMIT 1) AND conversation_id = :c2;\n",
		"DELETE FROM messages WHERE id = (SELECT id FROM messages WHERE conversation_id = :c2 ORDER BY sequence_number DESC OFFSET 3 LIMIT 1) AND conversation_id = :c2;\n",
		"INSERT INTO members VALUES (:c3, :u3) ON CONFLICT (conversation_id, user_id) DO UPDATE SET left_at = CASE WHEN members.left_at IS NULL THEN now() END;\n",
		"SELECT chatopt.mark_read('messages', :c4, :u4, (SELECT last_sequence_number - :u1 FROM conversations WHERE id = :c4));\n",
		"SELECT chatopt.mark_unread('messages', :c5, :u5, (SELECT last_sequence_number - :u2 FROM conversations WHERE id = :c5));\n",
		($acks ? "SELECT chatopt.ack_message('messages', :c5, :u4, (SELECT last_sequence_number - :u3 FROM conversations WHERE id = :c5), 'read');\n" : ()));
	my %scripts = map {
		my $shift = $_;
		("five$shift" => [ 2, "${keys}BEGIN;\nSELECT chatopt.lock_conversations('messages', :c1::bigint, :c2::bigint, :c3::bigint, :c4::bigint, :c5::bigint);\n"
				. join('', @five[ map { ($_ * 5 + $shift) % @five } 0 .. $#five ]) . "COMMIT;\n" ])
	} 0 .. 3;
	$scripts{plain}  = [ 2, "${keys}$send :c1, :u1);\n" ];
	$scripts{marks}  = [ 4, "${keys}SELECT chatopt.mark_read('messages', :c1, :u1, 100000), chatopt.unread_count('messages', :c1, :u2) >= 0;\n" ];
	$scripts{unread} = [ 2, "${keys}SELECT count(*) FILTER (WHERE unread < 0) / 0 FROM chatopt.unread_counts('messages', :u1) HAVING count(*) FILTER (WHERE unread < 0) > 0;\n" ];
	$scripts{batch}  = [ 2, "${keys}SELECT chatopt.apply_receipts('messages', ARRAY[:c1, :c2, :c3, :c4, :c5], ARRAY[10 + :u5, 10 + :u4, 10 + :u3, 10 + :u2, 10 + :u1],
		ARRAY[:u1, 100, 5000, :c1, 100000]::bigint[], ARRAY['read', 'delivered', 'read', 'delivered', 'read']);\n" =~ s/\n\t+/ /r ] if $acks;
	my ($out, $err) = ('', '');
	my @command = ('pgbench', '-n', '-c', '16', '-j', '2', '-T', $seconds, '-h', $node->host, '-p', $node->port, pgbench_files($folder, %scripts), $db);
	my $good = IPC::Run::run(\@command, '>', \$out, '2>', \$err, IPC::Run::timeout($seconds + 60));
	ok($good && $err !~ /ERROR|aborted/, 'no session fails') or diag("$out\n$err");
	my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($done // 0, '>', 100, ($done // 0) . ' transactions');
	$node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'");
	is($node->safe_psql($db, "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'"), '0', 'no deadlock');
	# What is acknowledged out of order is not in the recount.
	$node->safe_psql($db, q{SELECT chatopt.mark_read('messages', conversation_id, member_id, 100000) FROM members_read_marks WHERE chunk >= 0});
	sound($node, $db, 'afterwards');
	$node->stop;
};

done_testing();
