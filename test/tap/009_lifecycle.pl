# From CREATE EXTENSION to DROP EXTENSION: what is refused, what is left behind, what a restart does.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db   = 'postgres';
my $node = new_server('life');
my @connection = ('-h', $node->host, '-p', $node->port);

sub schema_of
{
	my ($name) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pg_dump', @connection, '--schema-only', $name ], '>', \$out, '2>', \$err) or die $err;
	# Newer pg_dump brackets its output with random keys.
	return join "\n", grep { !/^\\(un)?restrict / } split /\n/, $out;
}

# Every object of the database that is not the catalogue's own.
my $objects = q{
	SELECT 'class ' || c.oid::regclass FROM pg_class c WHERE c.oid >= 16384 AND c.relkind <> 't' AND c.relnamespace <> 'pg_toast'::regnamespace
	UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE oid >= 16384
	UNION ALL SELECT 'type ' || oid::regtype FROM pg_type WHERE oid >= 16384
	UNION ALL SELECT 'operator ' || oid::regoperator FROM pg_operator WHERE oid >= 16384
	UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE oid >= 16384 AND NOT tgisinternal
	UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_'
	UNION ALL SELECT 'constraint ' || conname || ' on ' || conrelid::regclass FROM pg_constraint WHERE oid >= 16384 AND contype <> 'n'
	UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE oid >= 16384
	UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
	ORDER BY 1};

subtest 'CREATE EXTENSION' => sub {
	my $before = $node->safe_psql($db, $objects);
	$node->safe_psql($db, 'CREATE SCHEMA chatopt');
	my ($status, $out, $err) = run_sql($node, $db, 'CREATE EXTENSION chatopt SCHEMA chatopt');
	ok($status != 0, 'SCHEMA chatopt is refused') or diag($out);
	like($err, qr/HINT:.*schema/is, 'with a hint') or diag($err);
	($status, $out, $err) = run_sql($node, $db, 'CREATE EXTENSION chatopt');
	ok($status != 0, 'a schema chatopt of somebody else is not taken over');
	$node->safe_psql($db, 'DROP SCHEMA chatopt');
	($status, $out, $err) = run_sql($node, $db, 'CREATE EXTENSION chatopt SCHEMA chatopt');
	ok($status != 0, 'SCHEMA chatopt is refused where it does not exist');
	is($node->safe_psql($db, $objects), $before, 'nothing of that is left');

	$node->safe_psql($db, 'CREATE ROLE somebody LOGIN; CREATE DATABASE theirs OWNER somebody');
	($status, $out, $err) = run_sql($node, 'theirs', "SET ROLE somebody;\n\\set VERBOSITY verbose\nCREATE EXTENSION chatopt");
	like($err, qr/42501/, 'only a superuser creates it');

	$node->safe_psql($db, 'CREATE SCHEMA types; CREATE EXTENSION chatopt SCHEMA types');
	is($node->safe_psql($db, q{SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'chatopt'}), 'types', 'another schema is taken');
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'chatopt'::regnamespace AND p.prosecdef}), '0', 'no function is SECURITY DEFINER');
	is($node->safe_psql($db, q{SELECT default_version = installed_version FROM pg_available_extensions WHERE name = 'chatopt'}), 't', 'the default version is installed');
	$node->safe_psql($db, 'ALTER EXTENSION chatopt UPDATE');
	($status, $out, $err) = run_sql($node, $db, 'ALTER EXTENSION chatopt SET SCHEMA public');
	ok($status != 0, 'it is not relocatable');
	is($node->safe_psql($db, q{SELECT p.oid::regprocedure FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
		WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'chatopt') AND obj_description(p.oid, 'pg_proc') IS NULL}), '', 'every function has a comment');
	$node->safe_psql($db, 'DROP EXTENSION chatopt; DROP SCHEMA types');
	is($node->safe_psql($db, $objects), $before, 'DROP EXTENSION leaves nothing');
	$node->safe_psql($db, 'CREATE EXTENSION chatopt');
	$node->safe_psql($db, 'DROP EXTENSION chatopt');
	is($node->safe_psql($db, $objects), $before, 'twice');
};

subtest 'attach and leave' => sub {
	$node->safe_psql($db, 'CREATE DATABASE life');
	make_chat($node, 'life');
	$node->safe_psql('life', q{INSERT INTO messages (id, conversation_id, body) SELECT 'm' || g, 1 + g % 4, 'x' FROM generate_series(1, 20) g});
	my $before = schema_of('life');
	my $data   = $node->safe_psql('life', 'SELECT * FROM messages ORDER BY id');
	$node->safe_psql('life', 'CREATE EXTENSION chatopt');
	attach_chat($node, 'life', more => 'enforce_conversation => true');
	$node->safe_psql('life', q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	exact($node, 'life', 'attached and filled');

	sqlstate_is($node, 'life', 'DROP EXTENSION chatopt;', '2BP01', 'DROP EXTENSION is refused while a chat is attached');
	$node->safe_psql('life', q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.detach('messages', drop_columns => true); END $$; DROP EXTENSION chatopt});
	is(schema_of('life'), $before, 'detach with drop_columns and DROP EXTENSION: the schema is what it was');
	is($node->safe_psql('life', 'SELECT * FROM messages ORDER BY id'), $data, 'and so are the messages');

	# detach_all keeps columns and data; the foreign key is back.
	$node->safe_psql('life', 'CREATE EXTENSION chatopt');
	attach_chat($node, 'life', more => 'enforce_conversation => true');
	$node->safe_psql('life', q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	my $counters = counters($node, 'life');
	$node->safe_psql('life', q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.detach_all(); END $$});
	is($node->safe_psql('life', 'SELECT count(*) FROM chatopt.chats'), '0', 'detach_all: nothing is attached');
	is($node->safe_psql('life', q{SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE p.pronamespace = 'chatopt'::regnamespace}), '0', 'detach_all: no trigger is left');
	is($node->safe_psql('life', q{SELECT count(*) FROM pg_constraint WHERE conrelid = 'messages'::regclass AND contype = 'f'}), '1', 'detach_all: the foreign key is back');
	is(counters($node, 'life'), $counters, 'detach_all: the counters are kept');
	$node->safe_psql('life', 'DROP EXTENSION chatopt');
	is(counters($node, 'life'), $counters, 'DROP EXTENSION: the counters are kept');
	$node->safe_psql('life', q{INSERT INTO messages (id, conversation_id, body) VALUES ('without', 1, 'x')});

	# Coming back adopts the columns.
	$node->safe_psql('life', 'CREATE EXTENSION chatopt');
	attach_chat($node, 'life');
	$node->safe_psql('life', q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	$node->safe_psql('life', q{SET client_min_messages = warning; CALL chatopt.repair('messages')});
	exact($node, 'life', 'attached again: exact');

	# The rude way out: triggers go, data stays, and sends go on.
	$node->safe_psql('life', 'SET client_min_messages = warning; DROP EXTENSION chatopt CASCADE');
	$node->safe_psql('life', q{INSERT INTO messages (id, conversation_id, body) VALUES ('rude', 1, 'x')});
	is($node->safe_psql('life', q{SELECT count(*) FROM pg_trigger WHERE tgname ~ 'chatopt'}), '0', 'DROP EXTENSION CASCADE: no trigger is left');
	$node->safe_psql('life', 'CREATE EXTENSION chatopt');
	attach_chat($node, 'life');
	$node->safe_psql('life', q{SET client_min_messages = warning; CALL chatopt.backfill('messages')});
	$node->safe_psql('life', q{CALL chatopt.repair('messages')});
	exact($node, 'life', 'and it can be attached again');

	# A session keeps going through all of that; a dropped table and a new one of its name.
	my $session = $node->background_psql('life', on_error_stop => 0);
	my $send    = q{INSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), 1, 's') RETURNING sequence_number IS NOT NULL};
	is($session->query($send), 't', 'a session sends');
	$node->safe_psql('life', q{SET client_min_messages = warning; DO $$ BEGIN PERFORM chatopt.detach('messages', drop_columns => true); END $$; DROP EXTENSION chatopt; DROP TABLE members, messages, conversations});
	make_chat($node, 'life');
	$session->query(q{INSERT INTO messages (id, conversation_id, body) VALUES ('bare', 1, 's')});
	is($session->{stderr}, '', 'it sends to new tables without the extension');
	$node->safe_psql('life', q{CREATE EXTENSION chatopt; DELETE FROM messages});
	attach_chat($node, 'life');
	is($session->query($send), 't', 'and to those once attached');
	is($session->query('DISCARD ALL'), '', 'DISCARD ALL');
	is($session->query($send), 't', 'and after DISCARD ALL');
	$session->quit;
	exact($node, 'life', 'exact');
};

subtest 'restart' => sub {
	is($node->safe_psql($db, 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
	foreach my $preload ("", "shared_preload_libraries = 'chatopt'", "session_preload_libraries = 'chatopt'")
	{
		my $what = $preload eq '' ? 'not preloaded' : $preload;
		$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\nsession_preload_libraries = ''\n$preload");
		$node->restart;
		my $last = $node->safe_psql('life', 'SELECT last_sequence_number FROM conversations WHERE id = 1');
		is($node->safe_psql('life', q{INSERT INTO messages (id, conversation_id, body) VALUES (gen_random_uuid(), 1, 'r') RETURNING sequence_number}), $last + 1, "$what: the first statement of a new session is a send");
		exact($node, 'life', "$what: exact");

		# A setting that comes before the library is loaded is taken over when it is.
		my ($status, $out, $err) = run_sql($node, 'life', qq{SET chatopt.counter_writes = 'error'; UPDATE conversations SET message_count = 0 WHERE id = 1});
		like($err, qr/ERROR/, "$what: SET chatopt.counter_writes = error counts from the first statement on");
		($status, $out, $err) = run_sql($node, 'life', qq{SET chatopt.counter_writes = 'ignore'; UPDATE conversations SET message_count = 0 WHERE id = 1});
		is($err, '', "$what: ignore");
		exact($node, 'life', "$what: still exact");
	}
	$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\nsession_preload_libraries = ''");
	$node->restart;
};

subtest 'just-in-time compilation' => sub {
	plan skip_all => 'this server has no JIT' if $node->safe_psql($db, 'SELECT pg_jit_available()') ne 't';
	$node->safe_psql($db, 'CREATE DATABASE jit');
	$node->safe_psql('jit', 'CREATE EXTENSION chatopt');
	make_chat($node, 'jit');
	attach_chat($node, 'jit');
	{
		# Everything is compiled and inlined, whatever it costs: the foreign key check of each row, too, so there are few.
		local $ENV{PGOPTIONS} = '-c jit=on -c jit_above_cost=0 -c jit_inline_above_cost=0 -c jit_optimize_above_cost=0';
		like($node->safe_psql('jit', q{EXPLAIN (ANALYZE, TIMING off, SUMMARY off) INSERT INTO messages (id, conversation_id, body) SELECT 'j' || g, 1 + g % 4, 'j' FROM generate_series(1, 12) g}), qr/JIT:/, 'JIT is at work');
		$node->safe_psql('jit', q{UPDATE messages SET deleted_at = now() WHERE id IN ('j1', 'j11'); DELETE FROM messages WHERE id IN ('j2', 'j12');
			UPDATE messages SET conversation_id = 1 WHERE id = 'j3'; INSERT INTO members VALUES (1, 1)});
		sqlstate_is($node, 'jit', q{INSERT INTO messages (id, conversation_id) VALUES ('e', 999);}, '23503', 'an error in compiled code');
		is($node->safe_psql('jit', q{SELECT * FROM chatopt.verify('messages')}), '', 'verify is compiled too');
	}
	exact($node, 'jit', 'exact with everything compiled');
};

subtest 'caches thrown away at every chance' => sub {
	my ($status) = run_sql($node, $db, 'SET debug_discard_caches = 1');
	plan skip_all => 'this server is built without debug_discard_caches' if $status != 0;
	$node->safe_psql($db, 'CREATE DATABASE discard');
	$node->safe_psql('discard', 'CREATE EXTENSION chatopt');
	make_chat($node, 'discard');
	attach_chat($node, 'discard');
	$node->safe_psql('discard', q{SET debug_discard_caches = 1;
		INSERT INTO messages (id, conversation_id, body) SELECT 'd' || g, 1 + g % 2, 'd' FROM generate_series(1, 6) g;
		UPDATE messages SET deleted_at = now() WHERE id = 'd6';
		DELETE FROM messages WHERE id = 'd5';
		UPDATE messages SET conversation_id = 3 WHERE id = 'd1'});
	exact($node, 'discard', 'exact');
};

$node->stop;
done_testing();
