# Logical replication to a second server: messages and counters arrive as data, nothing is counted
# twice, verify is empty there, and the subscriber can take over.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db         = 'postgres';
my $publisher  = new_server('publisher', streaming => 'logical');
my $subscriber = new_server('subscriber', streaming => 'logical');
foreach my $node ($publisher, $subscriber)
{
	$node->safe_psql($db, 'CREATE EXTENSION chatopt');
	make_chat($node, $db);
	attach_chat($node, $db);
}
$subscriber->safe_psql($db, 'DELETE FROM conversations');

# History before the subscription: the first copy brings it.
send_some($publisher, $db, 'a');
$publisher->safe_psql($db, 'CREATE PUBLICATION chat FOR TABLE conversations, messages, members');
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql($db, "SET client_min_messages = warning; CREATE SUBSCRIPTION chat CONNECTION '$connection' PUBLICATION chat");
$subscriber->wait_for_subscription_sync($publisher, 'chat');
is(counters($subscriber, $db), counters($publisher, $db), 'first copy: counters are equal');
is(messages_of($subscriber, $db), messages_of($publisher, $db), 'first copy: numbers are equal');
exact($subscriber, $db, 'first copy: the subscriber is exact');

# Everything that changes counters, streamed.
send_some($publisher, $db, 'b');
$publisher->safe_psql($db, q{
	INSERT INTO conversations VALUES (9, 'new');
	INSERT INTO messages (id, conversation_id, body) VALUES ('new-1', 9, 'x'), ('new-2', 9, 'y');
	UPDATE conversations SET title = 'renamed' WHERE id = 1;
	DELETE FROM conversations WHERE id = 4;
	INSERT INTO messages (id, conversation_id, body) VALUES ('new-2', 9, 'z') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, sequence_number = EXCLUDED.sequence_number;
	UPDATE conversations SET id = 10 WHERE id = 9 AND NOT EXISTS (SELECT FROM messages WHERE conversation_id = 9);
});
$publisher->safe_psql($db, q{BEGIN; INSERT INTO messages (id, conversation_id, body) VALUES ('kept', 1, 'k'); SAVEPOINT p;
	INSERT INTO messages (id, conversation_id, body) VALUES ('lost', 1, 'l'); ROLLBACK TO p; COMMIT});
$publisher->wait_for_catchup('chat');
is(counters($subscriber, $db), counters($publisher, $db), 'streamed: counters are equal');
is(messages_of($subscriber, $db), messages_of($publisher, $db), 'streamed: numbers are equal');
exact($publisher, $db, 'streamed: the publisher is exact');
exact($subscriber, $db, 'streamed: the subscriber is exact');

# TRUNCATE travels as well; the last number stays.
my $last = $publisher->safe_psql($db, 'SELECT last_sequence_number FROM conversations WHERE id = 1');
$publisher->safe_psql($db, 'TRUNCATE messages');
$publisher->safe_psql($db, "INSERT INTO messages (id, conversation_id, body) VALUES ('fresh', 1, 'f')");
$publisher->wait_for_catchup('chat');
is($publisher->safe_psql($db, 'SELECT last_sequence_number, message_count FROM conversations WHERE id = 1'), ($last + 1) . '|1', 'TRUNCATE: the numbers go on');
is(counters($subscriber, $db), counters($publisher, $db), 'TRUNCATE: counters are equal');
exact($subscriber, $db, 'TRUNCATE: the subscriber is exact');

# The subscriber takes over.
$subscriber->safe_psql($db, 'SET client_min_messages = warning; DROP SUBSCRIPTION chat');
is($subscriber->safe_psql($db, "INSERT INTO messages (id, conversation_id, body) VALUES ('over', 1, 'o') RETURNING sequence_number"), $last + 2, 'after taking over the subscriber goes on numbering');
exact($subscriber, $db, 'after taking over: exact');

# A subscriber without the extension takes the same stream: plain columns.
$subscriber->safe_psql($db, 'CREATE DATABASE plain TEMPLATE template0');
make_chat($subscriber, 'plain');
$subscriber->safe_psql('plain', q{DELETE FROM conversations;
	ALTER TABLE messages ADD sequence_number bigint;
	ALTER TABLE conversations ADD last_sequence_number bigint, ADD message_count bigint, ADD member_count bigint, ADD last_message_id text, ADD last_message_at timestamptz;});
$subscriber->safe_psql('plain', "SET client_min_messages = warning; CREATE SUBSCRIPTION plain CONNECTION '$connection' PUBLICATION chat");
$subscriber->wait_for_subscription_sync($publisher, 'plain', 'plain');
$publisher->safe_psql($db, "INSERT INTO messages (id, conversation_id, body) VALUES ('wide', 2, 'w')");
$publisher->wait_for_catchup('plain');
is(counters($subscriber, 'plain'), counters($publisher, $db), 'a subscriber without the extension has the same counters');

$subscriber->stop;
$publisher->stop;
done_testing();
