# Cancel, timeouts and errors in the middle of things: nothing half done stays, the session and
# everybody else go on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $db   = 'postgres';
my $node = new_server('cancel', conf => "restart_after_crash = off\nlog_min_messages = warning");
$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db, conversations => 1000);
attach_chat($node, $db);
send_some($node, $db, 'a');

my $many = q{INSERT INTO messages (id, conversation_id, body) SELECT 'big-' || g, 1 + g %% %s, 'm' FROM generate_series(1, 5000000) g};

sub last_of { my ($conversation) = @_; return $node->safe_psql($db, "SELECT last_sequence_number FROM conversations WHERE id = $conversation"); }

# Waits until a session of that name is running, or waits for a lock.
sub wait_for
{
	my ($name, $condition) = @_;
	return $node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' AND $condition");
}

subtest 'statement_timeout' => sub {
	foreach my $conversations (1, 1000)
	{
		my $session = $node->background_psql($db, on_error_stop => 0);
		my $last    = last_of(1);
		my $sql     = sprintf $many, $conversations;
		$session->query(q{SET statement_timeout = '300ms'});
		my $start = time();
		$session->query($sql);
		like($session->{stderr}, qr/statement timeout/, "a big insert into $conversations conversation(s) is stopped");
		cmp_ok(time() - $start, '<', 20, 'without a long wait');
		$session->{stderr} = '';
		exact($node, $db, 'exact after that');
		is($session->query(q{RESET statement_timeout; INSERT INTO messages (id, conversation_id, body) VALUES ('t-} . $conversations . q{', 1, 'n') RETURNING sequence_number}), $last + 1, 'the same session sends, no number is lost');

		# The same in a transaction that goes on, by a savepoint.
		$session->query(q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('s-} . $conversations . q{', 1, 'n'); SAVEPOINT p; SET LOCAL statement_timeout = '200ms'});
		$session->query($sql);
		like($session->{stderr}, qr/statement timeout/, 'stopped in a savepoint');
		$session->{stderr} = '';
		$session->query(q{ROLLBACK TO p; RESET statement_timeout});
		is($session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('u-} . $conversations . q{', 1, 'n') RETURNING sequence_number}), $last + 3, 'the transaction goes on where it was');
		$session->query('COMMIT');
		exact($node, $db, 'exact');
		$session->quit;
	}

	# Other long statements of an application.
	$node->safe_psql($db, q{INSERT INTO messages (id, conversation_id, body) SELECT 'x-' || g, 5 + g % 200, 'm' FROM generate_series(1, 60000) g});
	my $all = messages_of($node, $db);
	foreach my $sql (q{DELETE FROM messages WHERE id LIKE 'x-%' AND pg_sleep(CASE WHEN id = 'x-30000' THEN 5 ELSE 0 END) IS NOT NULL},
		q{UPDATE messages SET deleted_at = now() WHERE id LIKE 'x-%' AND pg_sleep(CASE WHEN id = 'x-30000' THEN 5 ELSE 0 END) IS NOT NULL},
		q{UPDATE messages SET conversation_id = 300 + conversation_id WHERE id LIKE 'x-%' AND pg_sleep(CASE WHEN id = 'x-30000' THEN 5 ELSE 0 END) IS NOT NULL})
	{
		sqlstate_is($node, $db, "SET statement_timeout = '1s'; $sql;", '57014', (split ' ', $sql)[0] . ' is stopped');
	}
	is(messages_of($node, $db), $all, 'nothing of it stays');
	exact($node, $db, 'exact after those');
};

subtest 'cancel and terminate' => sub {
	# One holds the conversation, one waits for it.
	my $holder = $node->background_psql($db, on_error_stop => 0);
	my $waiter = $node->background_psql($db, on_error_stop => 0);
	$holder->query(q{SET application_name = 'holder'});
	$waiter->query(q{SET application_name = 'waiter'});
	my $last = last_of(1);
	$holder->query(q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('h-1', 1, 'h')});

	$waiter->query_until(qr/^/, qq{INSERT INTO messages (id, conversation_id, body) VALUES ('w-1', 1, 'w') RETURNING sequence_number;\n});
	ok(wait_for('waiter', "wait_event_type = 'Lock'"), 'a second sender waits for a lock');
	$node->safe_psql($db, q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'});
	ok(wait_for('waiter', "state = 'idle'"), 'it is cancelled while it waits');
	is($waiter->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('w-2', 2, 'w') RETURNING sequence_number > 0}), 't', 'and sends elsewhere');
	like($waiter->{stderr}, qr/user request/, 'it was told');
	$waiter->{stderr} = '';

	# lock_timeout, and lock_conversations waiting.
	$waiter->query(q{SET lock_timeout = '50ms'});
	$waiter->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('w-1', 1, 'w')});
	like($waiter->{stderr}, qr/lock timeout/, 'lock_timeout ends the wait of a send');
	$waiter->{stderr} = '';
	$waiter->query(q{SELECT chatopt.lock_conversations('messages', 2::bigint, 1::bigint)});
	like($waiter->{stderr}, qr/lock timeout/, 'and that of lock_conversations');
	$waiter->{stderr} = '';
	$waiter->query(q{RESET lock_timeout});

	# The holder is terminated: the waiter gets its number.
	$waiter->query_until(qr/^/, qq{INSERT INTO messages (id, conversation_id, body) VALUES ('w-3', 1, 'w');\n});
	ok(wait_for('waiter', "wait_event_type = 'Lock'"), 'waiting again');
	$node->safe_psql($db, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'});
	ok(wait_for('waiter', "state = 'idle'"), 'the holder is terminated, the waiter goes on');
	is($node->safe_psql($db, q{SELECT sequence_number FROM messages WHERE id = 'w-3'}), $last + 1, 'with the number that the holder had');
	eval { $holder->quit };
	exact($node, $db, 'exact');

	# Terminated in the middle of a big insert.
	my $big = $node->background_psql($db, on_error_stop => 0);
	$big->query(q{SET application_name = 'big'});
	$last = last_of(1);
	$big->query_until(qr/^/, sprintf("$many;\n", 1000));
	ok(wait_for('big', "state = 'active' AND clock_timestamp() > query_start + interval '0.3 s'"), 'a big insert runs');
	$node->safe_psql($db, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'big'});
	ok($node->poll_query_until($db, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'big'}), 'it is terminated');
	eval { $big->quit };
	is($waiter->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('w-4', 1, 'w') RETURNING sequence_number}), $last + 1, 'the next number is the next number');
	$waiter->quit;
	exact($node, $db, 'exact after that');
	is($node->safe_psql($db, "SELECT count(*) FROM pg_locks WHERE locktype NOT IN ('relation', 'virtualxid')"), '0', 'no lock is left');
};

subtest 'errors that are handled' => sub {
	my $session = $node->background_psql($db, on_error_stop => 0);
	my $memory  = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
	my @bad     = (
		[ q{INSERT INTO messages (id, conversation_id) VALUES ('e', 99999)},                      qr/violates|does not exist|not present/ ],
		[ q{INSERT INTO messages (id, conversation_id, sequence_number) VALUES ('e', 1, 5)},      qr/explicit_sequence/ ],
		[ q{UPDATE messages SET sequence_number = sequence_number + 1 WHERE id = 'a-1'},           qr/explicit_sequence/ ],
		[ q{INSERT INTO messages (id, conversation_id) VALUES ('a-1', 1)},                         qr/duplicate key/ ],
		[ q{INSERT INTO messages (id, conversation_id, created_at) VALUES ('e', 1, NULL)},         qr/null value/ ],
		[ q{INSERT INTO messages (id, conversation_id) SELECT 'e' || g, CASE WHEN g < 50 THEN 1 ELSE 99999 END FROM generate_series(1, 60) g}, qr/violates|does not exist|not present/ ],
		[ q{INSERT INTO messages (id, conversation_id) SELECT 'e' || g, 1 / (50 - g) FROM generate_series(1, 60) g}, qr/division by zero|violates|does not exist|not present/ ],
		[ q{SELECT * FROM chatopt.verify('pg_class')},                                             qr/attached/ ],
		[ q{SELECT chatopt.attach('conversations', 'pg_class')},                                   qr/ERROR/ ],
		[ q{SELECT chatopt.detach('members')},                                                     qr/ERROR/ ]);
	my $last = last_of(1);
	my $round = sub {
		my ($check) = @_;
		foreach my $bad (@bad)
		{
			$session->query($bad->[0]);
			like($session->{stderr}, $bad->[1], "refused: $bad->[0]") if $check;
			$session->{stderr} = '';
		}
	};
	$round->($_ == 1) foreach 1 .. 3;
	my $before = $session->query($memory);
	$round->(0) foreach 1 .. 20;

	# The same errors inside one transaction, each caught by PL/pgSQL.
	foreach my $bad (@bad)
	{
		(my $quoted = $bad->[0]) =~ s/'/''/g;
		$session->query(qq{DO \$do\$ BEGIN FOR i IN 1 .. 25 LOOP BEGIN EXECUTE '$quoted'; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END \$do\$});
		is($session->{stderr}, '', "caught 25 times: $bad->[0]");
		$session->{stderr} = '';
	}
	is($session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('fine', 1, 'n') RETURNING sequence_number}), $last + 1, 'after hundreds of handled errors the session sends, and no number is lost');
	my $after = $session->query($memory);
	cmp_ok($after, '<', $before + 2_000_000, 'and its memory has not grown');
	$session->quit;
	exact($node, $db, 'exact');
};

subtest 'backfill stopped and called again' => sub {
	$node->safe_psql('postgres', 'CREATE DATABASE old');
	$node->safe_psql('old', 'CREATE EXTENSION chatopt');
	make_chat($node, 'old', conversations => 50);
	$node->safe_psql('old', q{INSERT INTO messages (id, conversation_id, body, created_at) SELECT 'old-' || g, 1 + g % 50, 'm', '2020-01-01'::timestamptz + g * interval '1 minute' FROM generate_series(1, 60000) g});
	attach_chat($node, 'old');
	is($node->safe_psql('old', 'SELECT state FROM chatopt.chats'), 'filling', 'the chat waits for its backfill');
	my $stops = 0;
	foreach my $milliseconds (150, 200, 250, 300)
	{
		my ($status, $out, $err) = run_sql($node, 'old', "SET client_min_messages = warning; SET statement_timeout = '${milliseconds}ms'; CALL chatopt.backfill('messages', batch_size => 100)");
		$stops++ if $status != 0 && $err =~ /statement timeout/;
		is($err, '', 'no other error') if $status != 0 && $err !~ /statement timeout/;
		$node->safe_psql('old', "INSERT INTO messages (id, conversation_id, body) SELECT 'new-$milliseconds-' || g, g, 'n' FROM generate_series(1, 50) g");
		$node->safe_psql('old', "DELETE FROM messages WHERE id IN ('old-" . ($milliseconds * 7) . "', 'new-$milliseconds-9')");
	}
	cmp_ok($stops, '>', 0, "stopped $stops times");
	$node->safe_psql('old', q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	exact($node, 'old', 'called once more it ends, and is exact');
	is($node->safe_psql('old', 'SELECT state FROM chatopt.chats'), 'attached', 'the chat is attached');
	is($node->safe_psql('old', q{SELECT count(*) FROM (SELECT sequence_number, lag(sequence_number) OVER w AS before FROM messages
		WINDOW w AS (PARTITION BY conversation_id ORDER BY created_at, id)) x WHERE sequence_number <= before}), '0', 'numbers follow the time of the messages');
	sqlstate_is($node, 'old', q{BEGIN; CALL chatopt.backfill('messages');}, '25001', 'backfill in a transaction block is refused');
	sqlstate_is($node, 'old', q{BEGIN; CALL chatopt.repair('messages');}, '25001', 'repair in a transaction block is refused');
};

ok($node->safe_psql($db, 'SELECT true'), 'the server has lived through all of it');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP:/, 'its log has no crash');
$node->stop;
done_testing();
