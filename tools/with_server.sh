#!/bin/sh
# with_server.sh COMMAND...: runs COMMAND in the checkout against a private PostgreSQL server that lives
# in a temporary folder, listens on a unix socket there only, and is gone when COMMAND has ended.
# COMMAND finds it by PGHOST, PGPORT, PGUSER (a superuser) and PGDATABASE.
#
# PG_CONFIG               which PostgreSQL (else the newest installed of 15 to 18)
# CHATOPT_FSYNC=on        a server that survives a crash of the machine (off: faster, for tests)
# CHATOPT_SERVER_OPTIONS  more options for the server, such as "-c jit=on"
# CHATOPT_TIMEOUT         seconds after which COMMAND is stopped (default 1800)
#
# The server runs as an ordinary user: as "postgres" when this is called by root.
set -eu
if [ $# -eq 0 ]; then
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
cd "$(dirname "$0")/.."
bin=$("$(sh tools/pg_config.sh)" --bindir)

tmp=${TMPDIR:-/tmp}
[ ${#tmp} -le 60 ] || tmp=/tmp        # a socket's path has at most 107 bytes
folder=$(mktemp -d "$tmp/chatopt.XXXXXX")
child=

if [ "$(id -u)" = 0 ]; then
	chown postgres "$folder"
	chmod 755 "$folder"
fi
as_server_user() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$folder" && exec runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# shellcheck disable=SC2317,SC2329  # called by the traps
finish() {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$child" ] || kill "$child" 2>/dev/null || :
	if [ "$status" -ne 0 ] && [ -f "$folder/log" ]; then
		grep -E 'PANIC|FATAL:  could not|terminated by signal|TRAP:' "$folder/log" >&2 || :
	fi
	if [ -f "$folder/data/postmaster.pid" ]; then
		as_server_user "$bin/pg_ctl" stop -D "$folder/data" -m immediate -s -w -t 60 || :
	fi
	rm -rf "$folder"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

as_server_user "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$folder/initdb.log" 2>&1 ||
	{ cat "$folder/initdb.log" >&2; exit 1; }
cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
port = 5432
fsync = ${CHATOPT_FSYNC:-off}
wal_level = logical
max_prepared_transactions = 20
timezone = 'UTC'
log_line_prefix = '%m [%p] '
CONF
as_server_user "$bin/pg_ctl" start -D "$folder/data" -l "$folder/log" -s -w -t 60 -o "${CHATOPT_SERVER_OPTIONS:-}" ||
	{ cat "$folder/log" >&2; exit 1; }

PGHOST=$folder PGPORT=5432 PGUSER=postgres PGDATABASE=postgres PATH=$bin:$PATH
export PGHOST PGPORT PGUSER PGDATABASE PATH

# In the background, so that a signal is answered at once; timeout passes it on to all of COMMAND's processes.
foreground=
[ ! -t 0 ] || foreground=--foreground
exec 3<&0
# shellcheck disable=SC2086
timeout $foreground -k 10 "${CHATOPT_TIMEOUT:-1800}" "$@" <&3 3<&- &
child=$!
status=0
wait $child || status=$?
child=
[ $status -ne 124 ] || echo "with_server.sh: stopped after ${CHATOPT_TIMEOUT:-1800} seconds: $*" >&2
exit $status
