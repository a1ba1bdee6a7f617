#!/usr/bin/perl
# Drivers: libpq without types, psycopg2, psycopg, node-postgres and JDBC make the calls of calls.txt with what an application has in
# hand, with keys of three types, each key as a value of its type or as text. A driver that is not installed is skipped.
#
# A driver's program reads a line for each call: how keys are passed (of conversations, of members, into columns), the SQL, the
# arguments; tabs between. An argument is its kind and its text: C, M, K keys of those, I bigint, P int, S text, R a table's name,
# B boolean, A an array that is NULL; in small letters an array, elements parted by \x1f, \x1d if there is none; \N is NULL.
# It writes a line for each: the columns joined by |, rows by ;, or "error", the SQLSTATE, a tab, the message.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $here = abs_path(dirname(__FILE__));
my $top = "$here/../..";
exec('sh', "$top/tools/with_server.sh", $^X, abs_path(__FILE__)) if !defined $ENV{PGHOST};

my $tmp = tempdir(CLEANUP => 1);
my $jar = '/usr/share/java/postgresql.jar';
$ENV{NODE_PATH} = join ':', $ENV{NODE_PATH} // (), '/usr/share/nodejs';        # Debian's folder, for another node than Debian's

# The keys of each type: of conversations 1 to 3 (3 of none), and of members 1 to 5 (5 of none).
my %keys = (
	uuid => {
		(map { ("c$_" => "00000000-0000-4000-8000-00000000000$_") } 1 .. 3),
		(map { ("m$_" => "aaaaaaaa-0000-4000-8000-00000000000$_") } 1 .. 5),
	},
	bigint => { c1 => 1, c2 => 5000000002, c3 => 3, m1 => 11, m2 => 12, m3 => 6000000013, m4 => 14, m5 => 15 },
	text => { c1 => '#, {1}', c2 => "o'neil", c3 => 'three', m1 => "m\xc3\xbcller", m2 => ' 2 ', m3 => '"3"\\', m4 => 'NULL', m5 => '{}' },
);
my %select = (
	seen_by => 'r.member, (r.seen_at IS NOT NULL)::text',
	receipts => 'r::text',
);

my @python = ('/usr/bin/python3', '-B', "$here/python.py");
my @java = ('java', '-XX:TieredStopAtLevel=1', '-cp', "$tmp:$jar", 'Jdbc');
# knows: the types that an application has values of; keys of the others are text to it.
my @drivers = (
	{ name => 'libpq', knows => '', skip => \&no_libpq, run => ["$tmp/libpq"] },
	{ name => 'psycopg2', knows => 'uuid bigint', skip => sub { no_module('psycopg2', 'python3-psycopg2') }, run => [ @python, 'psycopg2' ] },
	{ name => 'psycopg', knows => 'uuid bigint', skip => sub { no_module('psycopg', 'python3-psycopg') }, run => [ @python, 'psycopg' ] },
	{ name => 'psycopg in binary', knows => 'uuid bigint', skip => sub { no_module('psycopg', 'python3-psycopg') }, run => [ @python, 'psycopg', '%b' ] },
	{ name => 'node-postgres', knows => 'bigint', skip => \&no_node, run => [ 'node', "$here/node.js" ] },
	{ name => 'JDBC', knows => 'uuid bigint', skip => \&no_jdbc, run => [ @java, 'varchar' ] },
	{ name => 'JDBC with untyped strings', knows => 'uuid bigint', skip => \&no_jdbc, run => [ @java, 'unspecified' ] },
);

sub quietly { return system("$_[0] >$tmp/log 2>&1") == 0 }

sub build
{
	my ($command) = @_;
	return if quietly($command);
	open my $log, '<', "$tmp/log" or die $!;
	diag(<$log>);
	BAIL_OUT("this failed: $command");
}

sub run_or_stop
{
	system(@_) == 0 or BAIL_OUT("this failed: @_");
}

sub no_libpq
{
	my $config = $ENV{PG_CONFIG} // 'pg_config';
	chomp(my ($include, $lib) = (`$config --includedir`, `$config --libdir`));
	return 'libpq-dev is not installed' if !-e "$include/libpq-fe.h";
	return 'there is no C compiler' if !quietly('cc --version');
	build("cc -std=gnu11 -Wall -Wextra -I$include -o $tmp/libpq $here/libpq.c -L$lib -lpq");
	return;
}

sub no_module
{
	my ($module, $package) = @_;
	return quietly("/usr/bin/python3 -c 'import $module'") ? undef : "$package is not installed";
}

sub no_node
{
	return 'nodejs is not installed' if !quietly('node --version');
	return quietly("cd $here && node -e \"require('pg')\"") ? undef : 'node-pg is not installed, nor has npm ci in test/drivers installed pg';
}

sub no_jdbc
{
	return 'libpostgresql-jdbc-java is not installed' if !-e $jar;
	return 'no JDK is installed' if !quietly('javac -version') || !quietly('java -version');
	build("javac -d $tmp $here/Jdbc.java $here/UnixSockets.java");
	return;
}

sub read_calls
{
	open my $file, '<', "$here/calls.txt" or die $!;
	my @calls;
	while (my $line = <$file>) {
		next if $line =~ /^\s*(#|$)/;
		$line =~ /^(\w+)\((.*)\) =>\s?(.*)$/ or die "calls.txt, line $.: $line";
		my %call = (line => $., text => "$1($2)", function => $1, want => $3);
		$call{arguments} = [ $2 =~ /((?:variadic )?\[.*?\](?::\w)?|[^,\s]+)/g ];
		push @calls, \%call;
	}
	return @calls;
}

# The kind and the text of one word of calls.txt.
sub scalar_argument
{
	my ($word, $chat) = @_;
	return (uc $1, '\N') if $word =~ /^null:(\w)$/;
	return (uc substr($word, 0, 1), $keys{ $chat->{type} }{$word}) if exists $keys{ $chat->{type} }{$word};
	return ('R', "$chat->{schema}.messages") if $word eq 'messages';
	return ('S', 'no key') if $word eq 'bad';
	return ('S', $1) if $word =~ /^'(.*)'$/;
	return ('B', $word) if $word =~ /^(true|false)$/;
	return ('P', $1) if $word =~ /^int:(\d+)$/;
	return ('I', $word) if $word =~ /^\d+$/;
	return ('', '\N') if $word eq 'null';
	die "calls.txt: what is $word?";
}

# An argument as the programs read it. An array whose elements are all NULL has the kind of its place.
sub argument
{
	my ($word, $chat, $place) = @_;
	if ($word !~ /^(?:variadic )?\[(.*)\](?::(\w))?$/) {
		return join '', scalar_argument($word, $chat);
	}
	my ($inside, $kind) = ($1, $2);
	my @elements;
	for my $element (split ' ', $inside) {
		my ($element_kind, $text) = scalar_argument($element, $chat);
		$kind //= lc $element_kind if $element_kind ne '';
		push @elements, $text;
	}
	$kind //= (qw(r c m i s))[$place];
	return $kind . (@elements ? join("\x1f", @elements) : "\x1d");
}

sub line_of
{
	my ($call, $chat) = @_;
	my @words = @{ $call->{arguments} };
	my @arguments = map { argument($words[$_], $chat, $_) } 0 .. $#words;
	my @places = map { ($words[ $_ - 1 ] =~ /^variadic/ ? 'VARIADIC ' : '') . "\$$_" } 1 .. @words;
	my $sql = sprintf 'SELECT %s FROM chatopt.%s(%s) AS r', $select{ $call->{function} } // 'r.*', $call->{function}, join ', ', @places;
	if ($call->{function} eq 'queue') {
		s/^[CM]/K/ for @arguments;
		$sql = "INSERT INTO $chat->{schema}.members_receipt_queue (conversation_id, member_id, upto, status) VALUES (\$1, \$2, \$3, \$4) RETURNING upto";
	}
	return join "\t", "$chat->{conversation} $chat->{member} $chat->{type}", $sql, @arguments;
}

# What a call must give for the keys of this chat. Any text is a key of type text.
sub wanted
{
	my ($call, $chat) = @_;
	my $want = $call->{want};
	if ($chat->{type} eq 'text' && $want eq 'error 22P02') {
		return $call->{function} =~ /^(unread_counts|seen_by)$/ ? '' : $call->{function} eq 'apply_receipts' ? '0' : 'null';
	}
	$want =~ s/\b([cm]\d)\b/$keys{ $chat->{type} }{$1}/g;
	return $want;
}

sub make_chat
{
	my ($chat) = @_;
	my $keys = $keys{ $chat->{type} };
	my @variables = map { ('-v', "$_=$keys->{$_}") } grep { !/c3|m5/ } sort keys %$keys;
	open my $out, '-|', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "schema=$chat->{schema}", '-v', "type=$chat->{type}", @variables, '-f', "$here/fixture.sql"
	  or die $!;
	my @said = <$out>;
	close $out or BAIL_OUT("fixture.sql failed: @said");
}

# Every way to pass the keys has a chat in a schema of its own.
sub chats_of
{
	my ($knows) = @_;
	my @chats;
	for my $type (qw(uuid bigint text)) {
		my @forms = $knows =~ /\b$type\b/ ? ($type, 'text') : ('text');
		for my $conversation (@forms) {
			push @chats, map { { type => $type, conversation => $conversation, member => $_, schema => "${type}_${conversation}_$_" } } @forms;
		}
	}
	return @chats;
}

sub answers_of
{
	my ($driver, @lines) = @_;
	open my $in, '>', "$tmp/calls" or die $!;
	print $in map { "$_\n" } @lines;
	close $in or die $!;
	my $command = join ' ', 'timeout 300', @{ $driver->{run} };
	my @answers = `$command <$tmp/calls`;
	chomp @answers;
	return @answers;
}

sub check
{
	my ($driver, @calls) = @_;
	my @chats = chats_of($driver->{knows});
	my @answers = answers_of($driver, map { my $chat = $_; map { line_of($_, $chat) } @calls } @chats);
	for my $chat (@chats) {
		my @wrong;
		for my $call (@calls) {
			my ($got, $message) = split /\t/, shift(@answers) // 'no answer', 2;
			$got //= '';
			my $want = wanted($call, $chat);
			push @wrong, "line $call->{line}: $call->{text} gives $got" . (defined $message ? " ($message)" : '') . ", not $want" if $got ne $want;
		}
		ok(!@wrong, "$driver->{name}: $chat->{type} keys, conversation as $chat->{conversation}, member as $chat->{member}") or diag(join "\n", @wrong);
	}
}

# The chats are made once, in a database that every driver gets a copy of.
my $chats = "drivers_$$";
run_or_stop('createdb', $chats);
$ENV{PGDATABASE} = $chats;
run_or_stop('psql', '-X', '-q', '-c', 'CREATE EXTENSION chatopt');
make_chat($_) for chats_of('uuid bigint');
$ENV{PGDATABASE} = "${chats}_copy";

my @calls = read_calls();
for my $driver (@drivers) {
	SKIP: {
		my $reason = $driver->{skip}->();
		skip("$driver->{name}: $reason", 1) if defined $reason;
		run_or_stop('createdb', '--maintenance-db=postgres', '-T', $chats, $ENV{PGDATABASE});
		check($driver, @calls);
		run_or_stop('dropdb', '--maintenance-db=postgres', '--force', $ENV{PGDATABASE});
	}
}
run_or_stop('dropdb', '--maintenance-db=postgres', $chats);
done_testing();
