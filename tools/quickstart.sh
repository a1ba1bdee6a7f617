#!/bin/sh
# sh tools/quickstart.sh [--logs PATH] [--messages N]
#     builds chatopt, and shows it on a chat in a private PostgreSQL: IRC logs at PATH (a folder or an archive in
#     the format of irclogs.ubuntu.com), or else a made-up chat of N messages (default 100000).
# sh tools/quickstart.sh test
#     builds chatopt, and runs every test.
#
# Both install the Debian packages they need where they may, else say what is missing. Everything else happens in
# a temporary folder, on a copy of this checkout and of the installed PostgreSQL, and is gone at the end.
# CHATOPT_PG_VERSION (15 to 18) or PG_CONFIG choose the PostgreSQL, else it is the newest installed.
set -eu
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; }

mode=demo logs='' messages=100000
while [ $# -gt 0 ]; do
	case $1 in
		test) mode='test' ;;
		--logs) logs=${2:?--logs takes a path}; shift ;;
		--messages) messages=${2:?--messages takes a number}; shift ;;
		-h | --help) usage; exit ;;
		*) usage >&2; exit 2 ;;
	esac
	shift
done
if [ -n "$logs" ]; then
	[ -r "$logs" ] || { echo "quickstart: cannot read $logs" >&2; exit 2; }
	logs=$(cd "$(dirname "$logs")" && pwd)/$(basename "$logs")
fi
cd "$(dirname "$0")/.."

sh tools/setup.sh "$mode"
if [ -z "${PG_CONFIG:-}" ] && [ -n "${CHATOPT_PG_VERSION:-}" ]; then
	PG_CONFIG=/usr/lib/postgresql/$CHATOPT_PG_VERSION/bin/pg_config
	export PG_CONFIG
fi

tmp=${TMPDIR:-/tmp}
[ ${#tmp} -le 40 ] || tmp=/tmp        # the sockets of test servers need short paths
work=$(mktemp -d "$tmp/chatopt.XXXXXX")
child=
ticker=
# shellcheck disable=SC2317,SC2329  # called by the traps
finish() {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$ticker" ] || kill "$ticker" 2>/dev/null || :
	if [ -n "$child" ]; then
		kill "$child" 2>/dev/null || :
		wait "$child" || :
	fi
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# PostgreSQL does not run as root: root only sets up, the rest is done by user postgres.
as_user=
if [ "$(id -u)" = 0 ]; then
	as_user='runuser -u postgres --'
fi
# In the background, so that a signal is answered at once; timeout passes it on.
run() {
	# shellcheck disable=SC2086
	timeout -k 30 3600 $as_user "$@" &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	return "$status"
}
# step TITLE COMMAND...: with a dot every two seconds; the output is shown when it fails.
step() {
	printf '%s ' "$1"
	shift
	start=$(date +%s)
	(while sleep 2; do printf .; done) &
	ticker=$!
	failed=0
	run "$@" >"$work/log" 2>&1 || failed=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null || :
	ticker=
	echo " $(($(date +%s) - start)) s"
	if [ "$failed" -ne 0 ]; then
		tail -n 60 "$work/log"
		echo "quickstart: that failed" >&2
		exit 1
	fi
}

mkdir "$work/src" "$work/pg" "$work/tmp"
tar -cf - --exclude=./.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude=./build . | tar -xf - -C "$work/src"
if [ -n "$logs" ]; then
	cp -RL "$logs" "$work/${logs##*/}"
	logs=$work/${logs##*/}
fi
if [ -n "$as_user" ]; then
	chown -R postgres "$work"
fi
cd "$work/src"
HOME=$work/tmp TMPDIR=$work/tmp
export HOME TMPDIR

step 'Copying PostgreSQL' sh tools/private_pg.sh "$work/pg"
PG_CONFIG=$(tail -n 1 "$work/log")
export PG_CONFIG
"$PG_CONFIG" --version
step 'Building chatopt' make -s -j "$(getconf _NPROCESSORS_ONLN)"
step 'Installing it there' make -s install

if [ "$mode" = test ]; then
	run sh test/run
else
	if [ -n "$logs" ]; then
		set -- "$logs"
	else
		echo "No --logs PATH given: a made-up chat of $messages messages."
		set -- --generate "$messages"
	fi
	# shellcheck disable=SC2016  # "$@" is the inner shell's
	run sh tools/with_server.sh sh -ec 'tools/load_irc --load "" "$@"; psql -X -q -f tools/demo.sql' load "$@"
	echo
	echo '== Speed, against a bare insert, what people do today, and COUNT(*); one short round (docs/bench.md has the long ones)'
	run sh tools/with_server.sh sh bench/run --quick --only send,one,count --out "$work/tmp/figures.tsv" >"$work/figures"
	grep -v 'not measured' "$work/figures"
fi
