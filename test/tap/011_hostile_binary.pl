# Binary COPY of values that no honest client sends, 100,000 for receipt_bitmap and some for group_receipts: each is
# refused with 22P03, or it is a canonical value and comes back as it was sent. The server stays up and so does the
# session.  CHATOPT_HOSTILE_VALUES is how many; CHATOPT_HOSTILE_SEED makes another run.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatoptTest;
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $values = $ENV{CHATOPT_HOSTILE_VALUES} // 100_000;
my $seed   = $ENV{CHATOPT_HOSTILE_SEED}   // 20;
srand($seed);

my $db   = 'postgres';
my $node = new_server('hostile', conf => "restart_after_crash = off\nlog_min_messages = fatal");
$node->safe_psql($db, 'CREATE EXTENSION chatopt');

# A client of the wire protocol, as small as can be: COPY is over too soon for a psql each.
sub connect_raw
{
	my $user   = $node->safe_psql($db, 'SELECT current_user');
	my $socket = IO::Socket::UNIX->new(Peer => $node->host . '/.s.PGSQL.' . $node->port) or die "no connection: $!";
	my $body   = pack('N', 196608) . "user\0$user\0database\0$db\0\0";
	$socket->print(pack('N', 4 + length $body) . $body);
	answer($socket);
	return $socket;
}

sub take
{
	my ($socket, $length) = @_;
	my $bytes = '';
	while (length $bytes < $length)
	{
		$socket->read($bytes, $length - length $bytes, length $bytes) or die "the server closed the connection\n";
	}
	return $bytes;
}

# Reads until the server is ready: the SQLSTATE of an error, or 00000.  Stops at the invitation to send data too.
sub answer
{
	my ($socket) = @_;
	my $state = '00000';
	while (1)
	{
		my ($type, $length) = unpack 'aN', take($socket, 5);
		my $body = $length > 4 ? take($socket, $length - 4) : '';
		$state = $1 if $type eq 'E' && $body =~ /\0C([0-9A-Z]{5})\0/;
		return $state if $type eq 'Z' || $type eq 'G';
	}
}

sub message { my ($type, $body) = @_; return $type . pack('N', 4 + length $body) . $body; }

# One value in one COPY, beside its bytes as bytea.
sub copy_value
{
	my ($socket, $table, $value) = @_;
	my $row = "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0) . pack('n', 2) . (pack('N', length $value) . $value) x 2 . pack('n', 65535);
	$socket->print(message('Q', "COPY $table FROM STDIN (FORMAT binary)\0") . message('d', $row) . message('c', ''));
	$socket->flush;
	my $state = answer($socket);                # the invitation
	return $state if $state ne '00000';
	return answer($socket);
}

# What may be done to a value.
my @extremes = ("\0", "\1", "\x7f", "\x80", "\xff", "\xff\xff\xff\x7f", "\xff\xff\xff\xff\x07", "\xff\xff\xff\xff\x0f", "\x80\0", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
sub mutate
{
	my ($value, $other) = @_;
	for my $times (0 .. int rand 3)
	{
		my $size  = length $value;
		my $place = int rand(rand() < 0.5 ? ($size < 12 ? $size + 1 : 12) : $size + 1);
		my $what  = int rand 9;
		my $byte  = chr int rand 256;
		if    ($what == 0 && $place < $size) { substr($value, $place, 1) ^= chr(1 << int rand 8); }
		elsif ($what == 1 && $place < $size) { substr($value, $place, 1, $byte); }
		elsif ($what == 2) { $value = substr $value, 0, $place; }
		elsif ($what == 3) { substr($value, $place, 0, $byte); }
		elsif ($what == 4 && $place < $size) { substr($value, $place, 1, ''); }
		elsif ($what == 5) { substr($value, $place, 0, $extremes[rand @extremes]); }
		elsif ($what == 6 && $place < $size) { my $x = $extremes[rand @extremes]; substr($value, $place, length $x, $x); }
		elsif ($what == 7) { $value = substr($value, 0, $place) . substr($other, int rand(1 + length $other)); }
		elsif ($size > 0)  { substr($value, 0, 1, chr(0x10 + int rand 8)); }
	}
	return $value;
}

sub hostile
{
	my ($type, $count, $sets) = @_;
	my @bases = map { pack 'H*', $_ } split /\n/, $node->safe_psql($db, "SELECT encode(${type}_send(s), 'hex') FROM ($sets) x (s)");
	$node->safe_psql($db, "CREATE TABLE got_$type (bytes bytea, s $type)");
	my $socket = connect_raw();
	my %states = ();
	is(copy_value($socket, "got_$type", $_), '00000', "$type: an honest value of " . length($_) . ' bytes') foreach @bases[0 .. 1];
	my $survived = eval {
		for my $i (1 .. $count)
		{
			my $value = rand() < 0.05 ? join('', chr(0x10 + int rand 6), map { chr int rand 256 } 1 .. int rand 24) : mutate($bases[ rand @bases ], $bases[ rand @bases ]);
			$states{ copy_value($socket, "got_$type", $value) }++;
		}
		1;
	};
	ok($survived, "$type: the session is still there after $count values, seed $seed") or diag($@);
	is(join(' ', sort keys %states), '00000 22P03', "$type: each was taken or refused with 22P03");
	note(join ', ', map { "$_: $states{$_}" } sort keys %states);
	is($node->safe_psql($db, "SELECT count(*) FROM got_$type"), ($states{'00000'} // 0) + 2, "$type: what was taken is there");
	is($node->safe_psql($db, "SELECT count(*) FROM got_$type WHERE ${type}_send(s) <> bytes"), 0, "$type: and comes back as it was sent");
	return;
}

my $sets = q{
	SELECT receipt_bitmap '{}' UNION ALL SELECT '{5}' UNION ALL SELECT '{0-29}' UNION ALL SELECT '{2147483647}' UNION ALL SELECT '{0-2147483647}'
	UNION ALL SELECT (SELECT receipt_bitmap_agg(m * k) FROM generate_series(0, 5 * k) m) FROM generate_series(1, 30) k
	UNION ALL SELECT (SELECT receipt_bitmap_agg(m * m) FROM generate_series(k, 3 * k) m) FROM generate_series(1, 60, 3) k
	UNION ALL SELECT add_range(add_range('{}', k, 3 * k), 5 * k, 100 * k) FROM generate_series(1, 30) k
	UNION ALL SELECT (SELECT receipt_bitmap_agg(m * 65536 + m % 7) FROM generate_series(1, k) m) FROM generate_series(80, 100) k
	UNION ALL SELECT (SELECT receipt_bitmap_agg(m * 3) FROM generate_series(1, k * 1000) m) FROM generate_series(4, 40, 6) k
	UNION ALL SELECT add_range('{}', 0, 200000) - (SELECT receipt_bitmap_agg(m * 113) FROM generate_series(0, 1700) m)};
hostile('receipt_bitmap', $values, $sets);
is($node->safe_psql($db, q{SELECT count(*) FROM got_receipt_bitmap WHERE cardinality(s) < 100000 AND receipt_bitmap_send(s::text::receipt_bitmap) <> bytes}),
	0, 'receipt_bitmap: what was taken is canonical');
hostile('group_receipts', int($values / 5), q{
	SELECT mark_seen(mark_delivered(group_receipts(30), d), s) FROM generate_series(0, 20) k,
		LATERAL (SELECT receipt_bitmap_agg(m) FROM generate_series(0, 29) m WHERE m % (k + 1) = 0) x (d), LATERAL (SELECT add_range('{}', 0, k)) y (s)
	UNION ALL SELECT group_receipts(3000) UNION ALL SELECT group_receipts(0) UNION ALL SELECT mark_seen(group_receipts(5), '{0-9}'::receipt_bitmap)});
is($node->safe_psql($db, 'SELECT 1'), 1, 'the server is up');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/, 'and says nothing of a crash');

done_testing();
