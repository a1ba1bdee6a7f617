#!/bin/sh
# Prints the path of the pg_config to build and test with: $PG_CONFIG, else that of the newest
# installed PostgreSQL (15 to 18) that has its server headers, else the one on the PATH.
set -eu
if [ -n "${PG_CONFIG:-}" ]; then
	command -v "$PG_CONFIG" || { echo "$PG_CONFIG (PG_CONFIG): no such program" >&2; exit 1; }
	exit
fi
for version in 18 17 16 15; do
	found=/usr/lib/postgresql/$version/bin/pg_config
	if [ -x "$found" ] && [ -e "$("$found" --pgxs)" ] && [ -x "${found%/*}/initdb" ]; then
		echo "$found"
		exit
	fi
done
command -v pg_config && exit
echo "no pg_config found: install PostgreSQL 15 to 18 with its server headers (sh tools/setup.sh), or set PG_CONFIG" >&2
exit 1
