# Receipts of before, a row a message and user or a map a message, taken over: the same sets message by message, also when it is
# stopped in the middle and called again, and when it is called twice.
#
# CHATOPT_TEST_ROWS (default 60000) is how many receipts there are.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows          = $ENV{CHATOPT_TEST_ROWS} // 60000;
my $conversations = 20;
my $users         = 30;
my $messages      = int($rows / $conversations / $users) + 1;
my $node          = new_server('reads_migration', conf => "fsync = off\nshared_buffers = 256MB");

# A chat with receipts of everything that an application may have: out of order, of people who have left, of messages that
# are gone, from somewhere in the middle on. Members come after the messages: as after backfill, nothing is known of before.
sub make_receipts
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION chatopt');
	make_chat($node, $db, conversations => 0);
	$node->safe_psql($db, 'ALTER TABLE messages ADD seen_by jsonb');
	attach_chat($node, $db);
	$node->safe_psql(
		$db, qq{
		SET client_min_messages = warning;
		SELECT count(*) FROM chatopt.track_reads('messages');
		INSERT INTO conversations SELECT g, 'conversation ' || g FROM generate_series(1, $conversations) g;
		CREATE TABLE message_receipts (message_id text, user_id bigint, status text, at timestamptz, PRIMARY KEY (message_id, user_id));
		INSERT INTO messages (id, conversation_id, sender_id)
			SELECT c || '-' || n, c, 1 + (n * 7 + c) % ($users + 1) FROM generate_series(1, $conversations) c, generate_series(1, $messages) n;
		INSERT INTO message_receipts SELECT m.id, u, CASE
				WHEN n <= read THEN 'READ' WHEN h % 53 = 0 THEN 'seen' WHEN n <= delivered THEN 'DELIVERED' WHEN h % 41 = 0 THEN 'delivered' ELSE 'SENT' END,
				timestamptz '2024-01-01' + n * interval '1 minute'
			FROM (SELECT *, sequence_number AS n FROM messages) m CROSS JOIN generate_series(1, $users + 1) u
			CROSS JOIN LATERAL (SELECT abs(hashint8(u * 1000003 + m.conversation_id))) AS k(k)
			CROSS JOIN LATERAL (SELECT k % (2 * $messages), k % $messages, k / 7 % $messages, abs(hashtext(m.id || ' ' || u))) AS p(joined, read, delivered, h)
			WHERE u <> m.sender_id AND (n > joined OR joined > $messages) AND NOT (u = 3 AND n % 100 BETWEEN 40 AND 45);
		UPDATE messages m SET seen_by = r.map FROM (SELECT message_id, jsonb_object_agg(user_id,
				CASE user_id % 3 WHEN 0 THEN to_jsonb(status) WHEN 1 THEN jsonb_build_object('status', status, 'timestamp', at)
					ELSE jsonb_build_object(status, at) END) AS map FROM message_receipts GROUP BY message_id) r WHERE r.message_id = m.id;
		DELETE FROM messages WHERE sequence_number % 97 = 5;
		UPDATE messages SET deleted_at = now() WHERE sequence_number % 89 = 7;
		INSERT INTO members SELECT c, u FROM generate_series(1, $conversations) c, generate_series(1, $users) u WHERE (c + u) % 11 <> 0;
		UPDATE members SET left_at = now() WHERE user_id = 5;
		VACUUM ANALYZE;});
	return;
}

# Sets of receipts, recounted in plain SQL; those that differ.
my $different = q{
	WITH there AS (SELECT m.conversation_id, m.sequence_number, r.user_id, CASE lower(r.status) WHEN 'seen' THEN 'read' ELSE lower(r.status) END AS status
		FROM message_receipts r JOIN messages m ON m.id = r.message_id),
	beyond AS (SELECT conversation_id, member_id, 4096 * chunk + 1 + unnest(read::int[]) AS n, 'read' AS status FROM members_read_marks
		UNION ALL SELECT conversation_id, member_id, 4096 * chunk + 1 + unnest(delivered::int[]), 'delivered' FROM members_read_marks),
	here AS (SELECT m.conversation_id, m.sequence_number, s.member_id, CASE WHEN m.sequence_number <= s.read_seq OR r.n IS NOT NULL THEN 'read'
			WHEN m.sequence_number <= s.delivered_seq OR d.n IS NOT NULL THEN 'delivered' ELSE 'sent' END
		FROM members_read_state s JOIN messages m ON m.conversation_id = s.conversation_id AND m.sequence_number > s.joined_seq
			AND (s.left_seq IS NULL OR m.sequence_number <= s.left_seq) AND m.sender_id <> s.member_id
		LEFT JOIN beyond r ON (r.conversation_id, r.member_id, r.n, r.status) = (m.conversation_id, s.member_id, m.sequence_number, 'read')
		LEFT JOIN beyond d ON (d.conversation_id, d.member_id, d.n, d.status) = (m.conversation_id, s.member_id, m.sequence_number, 'delivered'))
	SELECT 'lost', x.* FROM (TABLE there EXCEPT ALL TABLE here) x UNION ALL SELECT 'too many', x.* FROM (TABLE here EXCEPT ALL TABLE there) x LIMIT 5};

# What is unread: every live counted message of others that was not read, since the member's present membership began.
my $miscounted = q{
	SELECT s.conversation_id, s.member_id, u.n, count(m.id) FROM members_read_state s
	CROSS JOIN LATERAL (SELECT chatopt.unread_count('messages', s.conversation_id, s.member_id)) u(n)
	LEFT JOIN (messages m JOIN message_receipts r ON r.message_id = m.id AND lower(r.status) NOT IN ('read', 'seen')) ON m.conversation_id = s.conversation_id
		AND r.user_id = s.member_id AND m.sequence_number > s.joined_seq AND m.deleted_at IS NULL
	WHERE s.left_seq IS NULL GROUP BY 1, 2, 3 HAVING u.n IS DISTINCT FROM count(m.id) LIMIT 5};

# Memberships and heads that do not fit together.
my $unsound = q{
	SELECT 'order', s.conversation_id, s.member_id FROM members_read_state s JOIN conversations c ON c.id = s.conversation_id
		WHERE NOT (joined_seq <= read_seq AND read_seq <= delivered_seq AND delivered_seq <= coalesce(left_seq, last_sequence_number))
	UNION ALL SELECT 'overlap', a.conversation_id, a.member_id FROM members_read_state a JOIN members_read_state b USING (conversation_id, member_id)
		WHERE a.joined_seq < b.joined_seq AND coalesce(a.left_seq > b.joined_seq, true)
	UNION ALL SELECT 'slot', conversation_id, slot FROM members_read_state GROUP BY conversation_id, slot HAVING count(DISTINCT member_id) > 1
	UNION ALL SELECT 'head', h.conversation_id, h.members FROM conversations_read_heads h JOIN members_read_state s USING (conversation_id)
		GROUP BY h.conversation_id, h.members, h.next_slot HAVING h.members <> count(*) FILTER (WHERE left_seq IS NULL) OR h.next_slot <= max(slot)
	LIMIT 5};

sub is_the_same
{
	my ($db, $what) = @_;
	is($node->safe_psql($db, $different), '', "$what: the same sets message by message");
	is($node->safe_psql($db, $miscounted), '', "$what: unread counts");
	is($node->safe_psql($db, $unsound), '', "$what: memberships are sound");
	is($node->safe_psql($db, q{SELECT * FROM chatopt.compare_receipts('messages', 'message_receipts') LIMIT 5}), '', "$what: compare_receipts finds nothing");
	exact($node, $db, "$what: counters");
	return;
}

# All that chatopt keeps of reads, and which versions of rows.
sub kept
{
	my ($db) = @_;
	return join "\n", map { $node->safe_psql($db, "SELECT count(*), md5(string_agg(t.ctid::text || t.xmin || t::text, ',' ORDER BY t.ctid)) FROM $_ t") }
		qw(members_read_state members_read_marks conversations_read_heads);
}

sub migrate
{
	my ($db, $call) = @_;
	my ($status, $out, $error) = $node->psql($db, $call);
	is($status, 0, $call) or diag($error);
	unlike($error, qr/WARNING/, 'without a warning') or diag($error);
	return;
}

my $by_rows = q{CALL chatopt.migrate_receipts('messages', 'message_receipts', batch_size => 100)};

subtest 'rows, stopped in the middle' => sub {
	make_receipts('rows');
	cmp_ok($node->safe_psql('rows', 'SELECT count(*) FROM message_receipts'), '>', $rows / 2, 'there are receipts');
	my $holder = $node->background_psql('rows', on_error_stop => 0);
	$holder->query('BEGIN; SELECT FROM conversations WHERE id = 11 FOR UPDATE');
	my $input  = $node->basedir . '/migrate.sql';
	my $output = $node->basedir . '/migrate.out';
	append_to_file($input, "SET application_name = 'migration';\n$by_rows;\n");
	my $run = start_psql($node, 'rows', $input, $output);
	ok($node->poll_query_until('rows', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'migration' AND wait_event_type = 'Lock'}),
		'it waits for a conversation that somebody holds');
	is($node->safe_psql('rows', q{SELECT task, done > 0 AND done < total FROM chatopt.progress}), 'migrate receipts|t', 'progress');
	is($node->safe_psql('rows', q{SELECT count(DISTINCT conversation_id) FROM members_read_state WHERE left_seq IS NOT NULL AND member_id = 3}), 10, 'ten conversations are done');
	$node->safe_psql('rows', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'migration'});
	finish_all($run);
	$holder->query('ROLLBACK');
	$holder->quit;
	is($node->safe_psql('rows', $unsound), '', 'memberships are sound');
	migrate('rows', $by_rows);
	is_the_same('rows', 'rows');
	is($node->safe_psql('rows', q{SELECT count(*) FROM chatopt.progress}), 0, 'no progress is left');

	my $before = kept('rows');
	migrate('rows', $by_rows);
	is(kept('rows'), $before, 'the second run writes no row');
};

subtest 'maps' => sub {
	make_receipts('maps');
	migrate('maps', q{CALL chatopt.migrate_receipts_json('messages', 'seen_by')});
	is_the_same('maps', 'maps');
	is($node->safe_psql('maps', q{SELECT count(*) FROM chatopt.compare_receipts('messages', 'seen_by')}), 0, 'the same as the maps');
	my $before = kept('maps');
	migrate('maps', q{CALL chatopt.migrate_receipts_json('messages', 'seen_by')});
	is(kept('maps'), $before, 'the second run writes no row');
};

# While the application goes on: it sends, reads and leaves; receipts it did not write are chatopt's to know.
subtest 'under load' => sub {
	make_receipts('load');
	my $old  = $node->safe_psql('load', 'SELECT count(*) FROM messages');
	my @files = pgbench_files(
		$node->basedir,
		send => [ 3, "\\set c random(1, $conversations)\n\\set u random(1, $users)\nINSERT INTO messages (id, conversation_id, sender_id) VALUES (gen_random_uuid()::text, :c, :u);\n" ],
		mark => [ 2, "\\set c random(1, $conversations)\n\\set u random(1, $users)\nSELECT chatopt.mark_read('messages', :c, :u, 1000000);\n" ],
		move => [ 1, "\\set c random(1, $conversations)\n\\set u random(1, $users)\nUPDATE members SET left_at = CASE WHEN left_at IS NULL THEN now() END WHERE conversation_id = :c AND user_id = :u;\n" ]);
	my $load = IPC::Run::start([ 'pgbench', '-n', '-c', 4, '-T', 600, '-d', $node->connstr('load'), @files ], '>', \my $out, '2>', \my $error);
	ok($node->poll_query_until('load', "SELECT count(*) > $old FROM messages"), 'the application sends');
	migrate('load', $by_rows);
	$load->signal('INT');
	eval { $load->finish };
	is($node->safe_psql('load', q{SELECT * FROM chatopt.compare_receipts('messages', 'message_receipts') c WHERE c.there IS NOT NULL
		AND (c.here IS NULL OR c.here = 'sent' OR c.there = 'read') LIMIT 5}), '', 'nothing is lost');
	is($node->safe_psql('load', $unsound), '', 'memberships are sound');
	exact($node, 'load', 'counters');
};

$node->stop;
done_testing();
