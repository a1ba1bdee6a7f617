# A streaming standby: counters, views and verify read there as on the primary, a send is refused
# cleanly, and after promotion the numbers go on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db      = 'postgres';
my $primary = new_server('primary', streaming => 1);
$primary->safe_psql($db, 'CREATE EXTENSION chatopt');
make_chat($primary, $db);
attach_chat($primary, $db);
send_some($primary, $db, 'a');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# What is written while the standby follows.
send_some($primary, $db, 'b');
$primary->safe_psql($db, q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('p', 1, 'prepared'); PREPARE TRANSACTION 'chatopt_standby'});
$primary->wait_for_catchup($standby);

is($standby->safe_psql($db, 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');
exact($primary, $db, 'the primary is exact');
exact($standby, $db, 'the standby is exact: verify runs there');
is(counters($standby, $db), counters($primary, $db), 'counters are equal');
is(messages_of($standby, $db), messages_of($primary, $db), 'numbers are equal');
is($standby->safe_psql($db, 'SELECT messages, state FROM chatopt.chats'), 'messages|attached', 'the view chats reads');
is($standby->safe_psql($db, 'SELECT count(*) FROM chatopt.progress'), '0', 'the view progress reads');
is($standby->safe_psql($db, "SELECT count(*) FROM chatopt.verify('messages', conversation => '2')"), '0', 'verify of one conversation reads');

# Writes are refused by the server's own rule, in the same session that goes on reading.
my $session = $standby->background_psql($db, on_error_stop => 0);
foreach my $try (
	[ 'a send',             "INSERT INTO messages (id, conversation_id, body) VALUES ('s', 1, 's');" ],
	[ 'attach',             "SELECT chatopt.attach('conversations', 'messages', 'members', message_counted => 'true');" ],
	[ 'detach',             "SELECT chatopt.detach('messages');" ],
	[ 'disable',            "SELECT chatopt.disable('messages');" ],
	[ 'repair',             "CALL chatopt.repair('messages');" ],
	[ 'backfill',           "CALL chatopt.backfill('messages');" ],
	# Conversation 2 is free, 1 is held by the prepared transaction: neither may be waited for.
	[ 'lock_conversations of a free conversation', "SELECT chatopt.lock_conversations('messages', 2::bigint);" ],
	[ 'lock_conversations of a held conversation', "SELECT chatopt.lock_conversations('messages', 1::bigint);" ])
{
	my ($what, $sql) = @$try;
	sqlstate_is($standby, $db, $sql, '25006', "$what is refused on the standby") or next;
	$session->query($sql);
	$session->{stderr} = '';
}
is($session->query('SELECT sum(message_count) = (SELECT count(*) FROM messages WHERE deleted_at IS NULL) FROM conversations'), 't', 'the session that tried goes on reading');
$session->quit;

# A transaction that is read only by its own wish may not lock either.
sqlstate_is($primary, $db, "BEGIN READ ONLY; SELECT chatopt.lock_conversations('messages', 2::bigint);", '25006', 'lock_conversations is refused in a read-only transaction');

# Promotion: the standby takes over, prepared transaction included.
my $last = $primary->safe_psql($db, 'SELECT last_sequence_number FROM conversations WHERE id = 1');
$primary->stop('immediate');
$standby->promote;
$standby->safe_psql($db, q{COMMIT PREPARED 'chatopt_standby'});
is($standby->safe_psql($db, "SELECT sequence_number FROM messages WHERE id = 'p'"), $last + 1, 'the prepared message has its number');
is($standby->safe_psql($db, "INSERT INTO messages (id, conversation_id, body) VALUES ('after', 1, 'a') RETURNING sequence_number"), $last + 2, 'after promotion the numbers go on');
exact($standby, $db, 'exact after promotion');
$standby->stop;
done_testing();
