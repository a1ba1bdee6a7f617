# What outlives a session or moves between sessions: prepared transactions through restart and crash,
# prepared statements through attach, rename and detach, and PgBouncer in transaction mode, where
# one server session serves many clients.
#
# CHATOPT_PGBOUNCER  the program, where it is not in the path or /usr/sbin

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $db   = 'postgres';
my $node = new_server('pool');
my $pooler;

# Whatever happens above, no pooler stays behind.
END { local $?; $pooler->kill_kill(grace => 2) if defined $pooler; }

$node->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($node, $db);

subtest 'prepared statements' => sub {
	# A session of an application that was there before the attach, each statement planned as generic plan.
	my $app = $node->background_psql($db);
	$app->query_safe(q{SET plan_cache_mode = force_generic_plan;
		PREPARE send (text, bigint) AS INSERT INTO messages (id, conversation_id, body) VALUES ($1, $2, 'x') RETURNING id;
		PREPARE hide (text) AS UPDATE messages SET deleted_at = now() WHERE id = $1;
		PREPARE drop_it (text) AS DELETE FROM messages WHERE id = $1;
		PREPARE save (bigint, text) AS UPDATE conversations SET title = $2 WHERE id = $1;});
	is($app->query_safe(q{EXECUTE send('a', 1)}), 'a', 'before attach');
	attach_chat($node, $db);
	$node->safe_psql($db, q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	is($app->query_safe(q{EXECUTE send('b', 1)}), 'b', 'after attach, the same session');
	is($node->safe_psql($db, q{SELECT id, sequence_number FROM messages ORDER BY 2}), "a|1\nb|2", 'it is numbered');
	$app->query_safe(q{EXECUTE hide('b')});
	$app->query_safe(q{EXECUTE save(1, 'saved')});
	exact($node, $db, 'exact');

	$node->safe_psql($db, q{ALTER TABLE messages RENAME sequence_number TO number; ALTER TABLE conversations RENAME last_sequence_number TO top;
		ALTER TABLE conversations ADD note text; ALTER TABLE messages ADD extra int DEFAULT 7});
	is($app->query_safe(q{EXECUTE send('c', 1)}), 'c', 'after columns were renamed and added');
	is($node->safe_psql($db, q{SELECT m.number, c.top, c.message_count, c.last_message_id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.id = 'c'}), '3|3|2|c', 'the counters follow the new names');
	$node->safe_psql($db, q{ALTER TABLE messages RENAME TO letters; ALTER TABLE conversations RENAME TO rooms});
	$node->safe_psql($db, q{INSERT INTO letters (id, conversation_id) VALUES ('d', 1)});
	is($node->safe_psql($db, q{SELECT * FROM chatopt.verify('letters')}), '', 'and the new names of the tables');
	$node->safe_psql($db, q{ALTER TABLE letters RENAME TO messages; ALTER TABLE rooms RENAME TO conversations;
		ALTER TABLE messages RENAME number TO sequence_number; ALTER TABLE conversations RENAME top TO last_sequence_number;});
	is($app->query_safe(q{EXECUTE send('e', 1)}), 'e', 'and back');

	$node->safe_psql($db, q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.detach('messages'); END $$});
	is($app->query_safe(q{EXECUTE send('f', 1)}), 'f', 'after detach');
	is($node->safe_psql($db, q{SELECT sequence_number IS NULL FROM messages WHERE id = 'f'}), 't', 'no number any more');
	attach_chat($node, $db);
	$node->safe_psql($db, q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	$node->safe_psql($db, q{CALL chatopt.repair('messages')});
	is($app->query_safe(q{EXECUTE send('g', 1)}), 'g', 'after attach once more');
	exact($node, $db, 'exact again');
	$app->quit;
};

subtest 'prepared transactions' => sub {
	my $last = $node->safe_psql($db, 'SELECT last_sequence_number FROM conversations WHERE id = 1');
	$node->safe_psql($db, q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('2pc-1', 1, 'x'), ('2pc-2', 1, 'y'); SAVEPOINT p;
		INSERT INTO messages (id, conversation_id, body) VALUES ('2pc-lost', 1, 'z'); ROLLBACK TO p; DELETE FROM messages WHERE id = '2pc-1'; PREPARE TRANSACTION 'one'});
	$node->safe_psql($db, q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('2pc-3', 2, 'x'); INSERT INTO members VALUES (2, 77); PREPARE TRANSACTION 'two'});
	exact($node, $db, 'exact while prepared');
	sqlstate_is($node, $db, q{SET lock_timeout = '50ms'; INSERT INTO messages (id, conversation_id, body) VALUES ('waits', 1, 'w');}, '55P03', 'a sender of the conversation waits');
	$node->restart;
	sqlstate_is($node, $db, q{SET lock_timeout = '50ms'; INSERT INTO messages (id, conversation_id, body) VALUES ('waits', 1, 'w');}, '55P03', 'after a restart it still waits');
	$node->stop('immediate');
	$node->start;
	sqlstate_is($node, $db, q{SET lock_timeout = '50ms'; INSERT INTO messages (id, conversation_id, body) VALUES ('waits', 1, 'w');}, '55P03', 'after a crash it still waits');
	$node->safe_psql($db, q{COMMIT PREPARED 'one'});
	$node->safe_psql($db, q{ROLLBACK PREPARED 'two'});
	exact($node, $db, 'exact after commit and rollback');
	is($node->safe_psql($db, q{INSERT INTO messages (id, conversation_id, body) VALUES ('2pc-4', 1, 'x') RETURNING sequence_number}), $last + 3, 'numbers go on after the prepared ones');
	is($node->safe_psql($db, q{SELECT count(*) FROM messages WHERE id IN ('2pc-1', '2pc-lost', '2pc-3')}), '0', 'what was rolled back or deleted is not there');

	# The session that prepared goes on at once; its memory of the conversation is gone with PREPARE.
	my $session = $node->background_psql($db, on_error_stop => 0);
	$session->query(q{BEGIN});
	is($session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('s-1', 3, 'x') RETURNING sequence_number}), '1', 'number 1');
	$session->query(q{PREPARE TRANSACTION 'three'});
	is($session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('s-2', 4, 'x') RETURNING sequence_number}), '1', 'the session sends elsewhere');
	$node->safe_psql($db, q{ROLLBACK PREPARED 'three'});
	is($session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('s-3', 3, 'x') RETURNING sequence_number}), '1', 'and gets number 1 after the rollback by another session');
	$session->quit;
	exact($node, $db, 'exact');
};

subtest 'PgBouncer in transaction mode' => sub {
	my ($program) = grep { defined $_ && -x $_ } $ENV{CHATOPT_PGBOUNCER}, map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	plan skip_all => 'pgbouncer is not installed (Debian package pgbouncer)' unless defined $program;

	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my $port   = PostgreSQL::Test::Cluster::get_free_port();
	append_to_file("$folder/users", '"' . (getpwuid($>))[0] . '" ""' . "\n");
	append_to_file("$folder/pgbouncer.ini", join "\n", '[databases]', "* = host=" . $node->host . " port=" . $node->port,
		'[pgbouncer]', "listen_addr =", "listen_port = $port", "unix_socket_dir = $folder", 'auth_type = trust', "auth_file = $folder/users",
		'pool_mode = transaction', 'default_pool_size = 3', 'max_client_conn = 100', "pidfile = $folder/pid", "logfile = $folder/log", '');
	my $log    = '';
	$pooler = IPC::Run::start([ $program, "$folder/pgbouncer.ini" ], '<', \undef, '>', \$log, '2>', \$log);
	my $pooled = "host=$folder port=$port dbname=$db";
	my $sql    = sub {
		my ($statement, %options) = @_;
		my ($out, $err) = ('', '');
		IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $pooled, '-f', '-' ], '<', \$statement, '>', \$out, '2>', \$err, IPC::Run::timeout(30));
		chomp $out;
		return wantarray ? ($? >> 8, $out, $err) : $out;
	};
	my $up;
	foreach (1 .. 100) { ($up) = $sql->('SELECT 1'); last if $up == 0; sleep 0.1; }
	is($up, 0, 'the pooler runs') or diag(slurp_file("$folder/log"));

	# 16 clients on 3 server sessions.  (No PREPARE TRANSACTION among them: it keeps its locks and gives up its server
	# session, so the pool may be full of those who wait for it and its COMMIT PREPARED never gets through.)
	my @files = pgbench_files(PostgreSQL::Test::Utils::tempdir(),
		plain => [ 4, "\\set c random(1, 4)\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'p') RETURNING sequence_number;\n" ],
		block => [ 2, "\\set c random(1, 4)\nBEGIN;\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'a');\nSAVEPOINT p;\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'b');\nROLLBACK TO p;\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'c');\nCOMMIT;\n" ],
		back  => [ 1, "\\set c random(1, 4)\nBEGIN;\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'a');\nROLLBACK;\n" ],
		local => [ 1, "\\set c random(1, 4)\nBEGIN;\nSET LOCAL chatopt.counter_writes = 'error';\nINSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), :c, 'a');\nCOMMIT;\n" ]);
	foreach my $mode (qw(simple extended))
	{
		my ($out, $err) = ('', '');
		my $good = IPC::Run::run([ 'pgbench', '-n', '-M', $mode, '-c', '16', '-j', '2', '-T', '3', '-h', $folder, '-p', $port, @files, $db ], '>', \$out, '2>', \$err, IPC::Run::timeout(60));
		ok($good && $out !~ /number of failed transactions: [1-9]/, "16 clients on 3 sessions, $mode protocol") or diag("$out\n$err");
		exact($node, $db, "exact, $mode protocol");
	}

	# A setting of one client's transaction is not the next one's.
	my $n = $node->safe_psql($db, 'SELECT last_sequence_number + 10 FROM conversations WHERE id = 4');
	is($sql->("BEGIN; SET LOCAL chatopt.explicit_sequence = on; INSERT INTO messages (id, conversation_id, sequence_number) VALUES ('explicit', 4, $n) RETURNING sequence_number; COMMIT"), $n, 'an explicit number in one transaction');
	foreach (1 .. 6)
	{
		my ($status, $out, $err) = $sql->("INSERT INTO messages (id, conversation_id, sequence_number) VALUES ('refused', 4, $n + 5)");
		ok($status != 0 && $err =~ /explicit_sequence/, 'refused in the next');
	}
	is($sql->(q{INSERT INTO messages (id, conversation_id) VALUES ('next', 4) RETURNING sequence_number}), $n + 1, 'the next number follows the explicit one');

	# Prepared by one client, committed by another.
	$sql->(q{BEGIN; INSERT INTO messages (id, conversation_id) VALUES ('elsewhere', 4); PREPARE TRANSACTION 'elsewhere'});
	$sql->(q{COMMIT PREPARED 'elsewhere'});
	is($node->safe_psql($db, q{SELECT sequence_number FROM messages WHERE id = 'elsewhere'}), $n + 2, 'prepared by one client, committed by another');
	exact($node, $db, 'exact at the end');
	$pooler->kill_kill(grace => 2);
	undef $pooler;
};

$node->stop;
done_testing();
