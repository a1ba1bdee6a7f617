# pg_dump and pg_restore in every usual form: counters and numbers arrive as they were, nothing is
# counted twice, the restored chat goes on numbering, and can be left without a trace.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = new_server('dump');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $source = 'source';

$node->safe_psql('postgres', "CREATE DATABASE $source");
$node->safe_psql($source, 'CREATE EXTENSION chatopt');
make_chat($node, $source);
my $columns_before = $node->safe_psql($source, q{SELECT attrelid::regclass, attname FROM pg_attribute
	WHERE attrelid IN ('conversations'::regclass, 'messages'::regclass, 'members'::regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid::regclass::text, attname});
attach_chat($node, $source);
send_some($node, $source, 'a');
exact($node, $source, 'the source is exact');
my $counters = counters($node, $source);
my $messages = messages_of($node, $source);

sub run_ok { my ($what, @command) = @_; local $Test::Builder::Level = 2; return ok(run_log(\@command), $what); }
sub fresh  { my ($name) = @_; $node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0"); return $name; }
sub same
{
	my ($db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(counters($node, $db), $counters, "$what: counters as they were");
	is(messages_of($node, $db), $messages, "$what: numbers as they were");
	exact($node, $db, "$what: exact");
	return;
}
sub goes_on
{
	my ($db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $last = $node->safe_psql($db, 'SELECT last_sequence_number FROM conversations WHERE id = 1');
	is($node->safe_psql($db, "INSERT INTO messages (id, conversation_id, body) VALUES ('next', 1, 'n') RETURNING sequence_number"), $last + 1, "$what: the next message gets the next number");
	$node->safe_psql($db, "DELETE FROM messages WHERE id IN ('next', 'a-100'); UPDATE messages SET deleted_at = now() WHERE id = 'a-104'; DELETE FROM members WHERE user_id = 1");
	exact($node, $db, "$what: exact after more changes");
	return;
}
sub leaves
{
	my ($db, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql($db, "SET client_min_messages = warning; DO \$\$ BEGIN PERFORM chatopt.detach('messages', drop_columns => true); END \$\$");
	is($node->safe_psql($db, q{SELECT attrelid::regclass, attname FROM pg_attribute
		WHERE attrelid IN ('conversations'::regclass, 'messages'::regclass, 'members'::regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid::regclass::text, attname}),
		$columns_before, "$what: detach drops the columns that attach had added before the dump");
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal}), '0', "$what: and every trigger");
	return;
}

my @connection = ('-h', $node->host, '-p', $node->port);

# Custom format.
my $custom = "$folder/custom";
run_ok('pg_dump -Fc', 'pg_dump', @connection, '-Fc', '-f', $custom, $source);
my $db = fresh('custom');
run_ok('pg_restore', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $custom);
same($db, 'custom format');
is($node->safe_psql($db, 'SELECT messages, conversations, members, state FROM chatopt.chats'), 'messages|conversations|members|attached', 'custom format: chats shows it attached');
is($node->safe_psql($db, "SELECT count(*) FROM chatopt.attach('conversations', 'messages', 'members', message_counted => 'deleted_at IS NULL', member_counted => 'left_at IS NULL')"), '0', 'custom format: attach once more changes nothing');
goes_on($db, 'custom format');
leaves($db, 'custom format');

# Plain SQL, and restored in parallel.
my $plain = "$folder/plain.sql";
run_ok('pg_dump as SQL', 'pg_dump', @connection, '-f', $plain, $source);
$db = fresh('plain');
run_ok('psql', 'psql', @connection, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $plain);
same($db, 'plain SQL');
goes_on($db, 'plain SQL');

$db = fresh('parallel');
run_ok('pg_restore -j 4', 'pg_restore', @connection, '--exit-on-error', '-j', '4', '-d', $db, $custom);
same($db, 'parallel');

# By the application's owner, who may not create extensions; INSERTs instead of COPY.
$node->safe_psql('postgres', 'CREATE ROLE chat_owner LOGIN');
my $inserts = "$folder/inserts";
run_ok('pg_dump --inserts', 'pg_dump', @connection, '-Fc', '--inserts', '-f', $inserts, $source);
$db = fresh('inserts');
run_ok('pg_restore of INSERTs', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $inserts);
same($db, 'INSERTs');

# Data only (rule R58), into a chat that is attached and empty.
my $data = "$folder/data";
run_ok('pg_dump --data-only', 'pg_dump', @connection, '-Fc', '--data-only', '-t', 'conversations', '-t', 'messages', '-t', 'members', '-f', $data, $source);
sub empty_chat
{
	my ($name) = @_;
	fresh($name);
	$node->safe_psql($name, 'CREATE EXTENSION chatopt');
	make_chat($node, $name);
	attach_chat($node, $name);
	$node->safe_psql($name, 'DELETE FROM conversations');
	return $name;
}

$db = empty_chat('data_triggers');
run_ok('data only, --disable-triggers', 'pg_restore', @connection, '--exit-on-error', '--disable-triggers', '-d', $db, $data);
same($db, 'data only, --disable-triggers');
goes_on($db, 'data only, --disable-triggers');

$db = empty_chat('data_replica');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	run_ok('data only, as replica', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $data);
}
same($db, 'data only, as replica');
$node->safe_psql($db, "CALL chatopt.repair('messages')");
same($db, 'data only, as replica, after repair');

# With the triggers on: the numbers of the dump are explicit ones.
$db = empty_chat('data_refused');
my ($out, $err);
my $ok = IPC::Run::run([ 'pg_restore', @connection, '--exit-on-error', '-d', $db, $data ], '>', \$out, '2>', \$err);
ok(!$ok, 'data only, no setting: refused');
like($err, qr/chatopt\.explicit_sequence/, 'data only, no setting: the hint names chatopt.explicit_sequence');
is($node->safe_psql($db, 'SELECT count(*) FROM messages'), '0', 'data only, no setting: no message arrived');

$db = empty_chat('data_explicit');
{
	local $ENV{PGOPTIONS} = '-c chatopt.explicit_sequence=on';
	run_ok('data only, chatopt.explicit_sequence', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $data);
}
is(messages_of($node, $db), $messages, 'data only, chatopt.explicit_sequence: numbers as they were');
exact($node, $db, 'data only, chatopt.explicit_sequence: exact');
goes_on($db, 'data only, chatopt.explicit_sequence');

# Tables without the configuration (rule R57): a send says what to do, and attach takes it up again.
foreach my $part ([ 'tables', [ '-t', 'conversations', '-t', 'messages', '-t', 'members' ] ], [ 'schema', [ '-n', 'public' ] ])
{
	my ($name, $options) = @$part;
	my $file = "$folder/partial_$name";
	run_ok("pg_dump of the $name only", 'pg_dump', @connection, '-Fc', @$options, '-f', $file, $source);
	$db = fresh("partial_$name");
	$node->safe_psql($db, $name eq 'schema' ? 'CREATE EXTENSION chatopt; DROP SCHEMA public CASCADE' : 'CREATE EXTENSION chatopt')
	  unless $name eq 'schema';
	if ($name eq 'schema')
	{
		# The extension's types live in its own schema, so that schema public comes from the dump.
		$node->safe_psql($db, 'CREATE SCHEMA extensions; CREATE EXTENSION chatopt SCHEMA extensions; DROP SCHEMA public');
	}
	run_ok("partial restore, $name", 'pg_restore', @connection, '--exit-on-error', '-d', $db, $file);
	sqlstate_is($node, $db, "INSERT INTO messages (id, conversation_id, body) VALUES ('new', 1, 'n');", '55000', "partial restore, $name: a send is refused", qr/is not attached/, qr/chatopt\.attach/);
	is(messages_of($node, $db), $messages, "partial restore, $name: nothing changed by that");
	attach_chat($node, $db);
	same($db, "partial restore, $name, attached again");
	is($node->safe_psql($db, 'SELECT state FROM chatopt.chats'), 'attached', "partial restore, $name: no filling is needed");
	goes_on($db, "partial restore, $name");
}

# Renamed columns and tables travel as they are called now.
my $renamed = fresh('renamed');
run_ok('a copy to rename', 'pg_restore', @connection, '--exit-on-error', '-d', $renamed, $custom);
$node->safe_psql($renamed, q{
	ALTER TABLE messages RENAME COLUMN conversation_id TO "conversationId";
	ALTER TABLE messages RENAME COLUMN sequence_number TO "order";
	ALTER TABLE messages RENAME COLUMN id TO "Id";
	ALTER TABLE messages RENAME COLUMN deleted_at TO "deletedAt";
	ALTER TABLE conversations RENAME COLUMN last_sequence_number TO "lastOrder";
	ALTER TABLE conversations RENAME COLUMN id TO key;
	ALTER TABLE members RENAME COLUMN conversation_id TO room;
	ALTER TABLE messages RENAME TO "Messages";
	ALTER TABLE conversations RENAME TO rooms;
});
my $renamed_send = q{INSERT INTO "Messages" ("Id", "conversationId", body) VALUES ('renamed', 1, 'r') RETURNING "order"};
my $renamed_last = q{SELECT "lastOrder" FROM rooms WHERE key = 1};
my $before       = $node->safe_psql($renamed, $renamed_last);
is($node->safe_psql($renamed, $renamed_send), $before + 1, 'renamed columns: numbering goes on');
my $renamed_dump = "$folder/renamed";
run_ok('pg_dump of renamed columns', 'pg_dump', @connection, '-Fc', '-f', $renamed_dump, $renamed);
$db = fresh('renamed_copy');
run_ok('pg_restore of renamed columns', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $renamed_dump);
is($node->safe_psql($db, q{SELECT * FROM chatopt.verify('"Messages"')}), '', 'renamed columns: verify is empty');
is($node->safe_psql($db, $renamed_last), $before + 1, 'renamed columns: the counter came along');
is($node->safe_psql($db, q{DELETE FROM "Messages" WHERE "Id" = 'renamed'; } . $renamed_send), $before + 2, 'renamed columns: the copy goes on numbering');
is($node->safe_psql($db, q{SELECT * FROM chatopt.verify('"Messages"')}), '', 'renamed columns: verify is empty after that');
is( $node->safe_psql($db, q{SELECT coalesce(string_agg(c::text, ', '), '') FROM (SELECT key FROM rooms JOIN "Messages" ON "conversationId" = key AND "deletedAt" IS NULL
	GROUP BY rooms.key HAVING count(*) <> message_count) AS x(c)}), '', 'renamed columns: and the counts are those of the rows');

# A dropped table leaves a row in the configuration: the dump must still restore.
$db = fresh('dropped');
run_ok('a copy to drop from', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $custom);
$node->safe_psql($db, 'DROP TABLE messages');
my $dropped = "$folder/dropped";
run_ok('pg_dump after DROP TABLE of an attached table', 'pg_dump', @connection, '-Fc', '-f', $dropped, $db);
$db = fresh('dropped_copy');
run_ok('pg_restore after DROP TABLE of an attached table', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $dropped);
is($node->safe_psql($db, 'SELECT count(*) FROM chatopt.chats'), '0', 'the configuration of the dropped table stayed behind');
unlike($node->safe_psql($db, "INSERT INTO conversations (id, title) VALUES (99, 'still works') RETURNING id"), qr/ERROR/, 'conversations still take rows');

# Typed functions travel with the chat: each is bound to the table, not to its name.
$db = fresh('api');
run_ok('a copy to make an API of', 'pg_restore', @connection, '--exit-on-error', '-d', $db, $custom);
$node->safe_psql($db, q{
	SET client_min_messages = warning;
	ALTER TABLE messages RENAME TO posts;
	CREATE SCHEMA api;
	DO $$ BEGIN PERFORM chatopt.track_reads('posts'); PERFORM chatopt.create_api('posts', 'api'); END $$;
	GRANT EXECUTE ON FUNCTION api.unread_count(bigint, bigint) TO chat_owner;
	INSERT INTO conversations (id) VALUES (100);
	INSERT INTO members VALUES (100, 1), (100, 2);
	INSERT INTO posts (id, conversation_id, sender_id) SELECT 'api' || g, 100, 1 FROM generate_series(1, 5) g;
	SELECT api.mark_read(100, 2, 2);
});
my $api = q{SELECT p.oid::regprocedure, (SELECT array_agg(a ORDER BY a::text) FROM unnest(p.proacl) a), pg_get_functiondef(p.oid), obj_description(p.oid) FROM pg_proc p WHERE pronamespace = 'api'::regnamespace ORDER BY p.proname};
my $api_dump = "$folder/api";
run_ok('pg_dump of an API', 'pg_dump', @connection, '-Fc', '-f', $api_dump, $db);
my $api_copy = fresh('api_copy');
run_ok('pg_restore of an API', 'pg_restore', @connection, '--exit-on-error', '-d', $api_copy, $api_dump);
is($node->safe_psql($api_copy, $api), $node->safe_psql($db, $api), 'an API: functions, rights and comments as they were');
is($node->safe_psql($api_copy, 'SELECT unread, last_read, last_sequence FROM api.unread_counts(2) WHERE conversation = 100'), '3|2|5', 'an API: positions came along');
is($node->safe_psql($api_copy, 'SELECT api.mark_read(100, 2, 4); SELECT api.unread_count(100, 2)'), "4\n1", 'an API: the functions work');
is($node->safe_psql($api_copy, 'SELECT * FROM chatopt.refresh_api()'), '', 'an API: nothing to refresh');

$node->stop;
done_testing();
