# pg_upgrade: an attached chat goes through with its numbers, counters, triggers and configuration.
# Always from this version to itself; and from 15 to 17 where both are installed with chatopt.
#
# CHATOPT_UPGRADE_FROM, CHATOPT_UPGRADE_TO   pg_config of the two, instead of Debian's 15 and 17

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub config { my ($pg_config, $what) = @_; my $value = `'$pg_config' --$what`; chomp $value; return $value; }

sub why_not
{
	my ($pg_config) = @_;
	return "$pg_config is not there" unless -x $pg_config;
	foreach my $program (qw(postgres initdb pg_upgrade))
	{
		return config($pg_config, 'bindir') . "/$program is not there" unless -x config($pg_config, 'bindir') . "/$program";
	}
	return "chatopt is not installed for $pg_config" unless -f config($pg_config, 'sharedir') . '/extension/chatopt.control';
	return;
}

sub upgrade
{
	my ($name, $from, $to) = @_;
	my $db = 'postgres';

	# The old server is run by its own programs.
	my ($old_bin, $new_bin) = map { config($_, 'bindir') } ($from, $to);
	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my ($old, $new) = ("$folder/old", "$folder/new");
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $log  = "$PostgreSQL::Test::Utils::tmp_check/log/005_$name.log";

	local %ENV = (%ENV, PGHOST => $folder, PGPORT => $port, PGUSER => (getpwuid($>))[0]);
	my @initdb = ('-A', 'trust', '-N', '--encoding=UTF8', '--locale=C');
	my $new_major = (config($to, 'version') =~ /(\d+)/)[0];
	my $old_major = (config($from, 'version') =~ /(\d+)/)[0];
	# Checksums are on by default since 18; both sides have to agree.
	my @checksums = $new_major >= 18 && $old_major < 18 ? ('--no-data-checksums') : ();
	run_log([ "$old_bin/initdb", '-D', $old, @initdb ]) or die 'initdb';
	run_log([ "$new_bin/initdb", '-D', $new, @initdb, @checksums ]) or die 'initdb';
	foreach my $data ($old, $new)
	{
		append_to_file("$data/postgresql.conf", "port = $port\nlisten_addresses = ''\nunix_socket_directories = '$folder'\nfsync = off\ntimezone = 'UTC'\nmax_prepared_transactions = 5\n");
	}
	my $start = sub { my ($bin, $data) = @_; return run_log([ "$bin/pg_ctl", '-s', '-w', '-D', $data, '-l', $log, 'start' ]); };
	my $stop  = sub { my ($bin, $data) = @_; return run_log([ "$bin/pg_ctl", '-s', '-w', '-D', $data, '-m', 'fast', 'stop' ]); };

	my $server = bless { host => $folder, port => $port, psql => "$new_bin/psql" }, 'Upgraded';
	$start->($old_bin, $old) or die 'start';
	my ($counters, $messages);
	my $good = eval {
		$server->safe_psql($db, 'CREATE SCHEMA app; CREATE EXTENSION chatopt');
		make_chat($server, $db);
		attach_chat($server, $db);
		send_some($server, $db, 'a');
		# A second chat: partitioned, counters on a table of their own, its own check of the conversation.
		$server->safe_psql($db, q{
			CREATE TABLE app."Room" ("roomId" text PRIMARY KEY);
			CREATE TABLE app."RoomCounters" ("roomId" text PRIMARY KEY);
			CREATE TABLE app."Message" ("messageId" text, "roomId" text REFERENCES app."Room" ON DELETE CASCADE, "createdAt" timestamptz NOT NULL DEFAULT now(), PRIMARY KEY ("messageId", "createdAt")) PARTITION BY RANGE ("createdAt");
			CREATE TABLE app.m1 PARTITION OF app."Message" FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
			CREATE TABLE app.m2 PARTITION OF app."Message" FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
			SET client_min_messages = error;
			DO $$ BEGIN PERFORM chatopt.attach('app."Room"', 'app."Message"', counters => 'app."RoomCounters"', conversation_key => 'roomId',
				message_conversation => 'roomId', message_key => 'messageId', enforce_conversation => true); END $$;
			INSERT INTO app."Room" VALUES ('r1'), ('r2');
			INSERT INTO app."Message" ("messageId", "roomId", "createdAt") VALUES ('a', 'r1', '2019-01-01'), ('b', 'r1', '2021-01-01'), ('c', 'r2', '2021-01-01');
		});
		$counters = counters($server, $db);
		$messages = messages_of($server, $db);
		1;
	};
	my $error = $@;
	$stop->($old_bin, $old);
	die $error unless $good;

	chdir $folder or die $!;
	my @upgrade = ("$new_bin/pg_upgrade", '-b', $old_bin, '-B', $new_bin, '-d', $old, '-D', $new, '-p', $port, '-P', $port, '-s', $folder, '--no-sync');
	my $upgraded = ok(run_log(\@upgrade), "$name: pg_upgrade") or diag(join '', map { slurp_file($_) } glob("$folder/*.log $new/pg_upgrade_output.d/*/log/*.log $new/pg_upgrade_output.d/*/*.txt"));
	chdir '/';
	return unless $upgraded;

	ok($start->($new_bin, $new), "$name: the new server starts");
	$good = eval {
		is(counters($server, $db), $counters, "$name: counters as they were");
		is(messages_of($server, $db), $messages, "$name: numbers as they were");
		exact($server, $db, "$name: exact");
		is($server->safe_psql($db, q{SELECT messages, conversations, counters, state FROM chatopt.chats ORDER BY messages::text COLLATE "C"}),
			qq{app."Message"|app."Room"|app."RoomCounters"|attached\nmessages|conversations|conversations|attached}, "$name: chats shows both");
		send_some($server, $db, 'b');
		exact($server, $db, "$name: exact after more changes");
		is($server->safe_psql($db, q{INSERT INTO app."Message" ("messageId", "roomId", "createdAt") VALUES ('d', 'r1', '2019-06-01') RETURNING sequence_number}) // '', '3', "$name: the partitioned chat goes on numbering")
		  if $server->safe_psql($db, q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'app."Message"'::regclass AND attname = 'sequence_number'}) eq '1';
		is($server->safe_psql($db, q{INSERT INTO app."Message" ("messageId", "roomId", "createdAt") VALUES ('d', 'r1', '2019-06-01') RETURNING "sequenceNumber"}) // '', '3', "$name: the partitioned chat goes on numbering")
		  if $server->safe_psql($db, q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'app."Message"'::regclass AND attname = 'sequenceNumber'}) eq '1';
		is($server->safe_psql($db, q{SELECT * FROM chatopt.verify('app."Message"')}), '', "$name: the partitioned chat is exact");
		sqlstate_is($server, $db, q{INSERT INTO app."Message" ("messageId", "roomId") VALUES ('e', 'nowhere');}, '23503', "$name: its own check still refuses unknown conversations");
		$server->safe_psql($db, q{DELETE FROM app."Room" WHERE "roomId" = 'r1'});
		is($server->safe_psql($db, q{SELECT "messageId" FROM app."Message"}), 'c', "$name: and still cascades");
		$server->safe_psql($db, q{SET client_min_messages = error; DO $$ BEGIN PERFORM chatopt.detach('app."Message"', drop_columns => true); END $$});
		is($server->safe_psql($db, q{SELECT count(*) FROM pg_constraint WHERE conrelid = 'app."Message"'::regclass AND contype = 'f'}), '1', "$name: detach puts the foreign key back");
		1;
	};
	$error = $@;
	$stop->($new_bin, $new);
	fail("$name: $error") unless $good;
	return;
}

my $here = $ENV{PG_CONFIG};
subtest 'to itself' => sub {
	my $reason = why_not($here);
	plan skip_all => $reason if $reason;
	upgrade('same', $here, $here);
};

subtest 'to a later version' => sub {
	my $from = $ENV{CHATOPT_UPGRADE_FROM} // '/usr/lib/postgresql/15/bin/pg_config';
	my $to   = $ENV{CHATOPT_UPGRADE_TO}   // '/usr/lib/postgresql/17/bin/pg_config';
	my $reason = why_not($from) // why_not($to);
	plan skip_all => $reason if $reason;
	note(join ' to ', map { config($_, 'version') } ($from, $to));
	upgrade('major', $from, $to);
};

done_testing();

# What ChatoptTest asks of a server, without PostgreSQL::Test::Cluster around it.
package Upgraded;

sub psql
{
	my ($self, $db, $sql) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $self->{psql}, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $self->{host}, '-p', $self->{port}, '-d', $db, '-f', '-' ], '<', \$sql, '>', \$out, '2>', \$err);
	my $status = $? >> 8;
	chomp $out;
	chomp $err;
	return ($status, $out, $err);
}

sub safe_psql
{
	my ($self, $db, $sql) = @_;
	my ($status, $out, $err) = $self->psql($db, $sql);
	die "psql: $err\nin: $sql" if $status;
	return $out;
}
