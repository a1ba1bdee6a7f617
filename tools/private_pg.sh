#!/bin/sh
# private_pg.sh FOLDER: copies the installed PostgreSQL into FOLDER and prints the copy's pg_config.
# PostgreSQL finds its own files from the place of its programs, so an extension can be installed into
# the copy, and a server run from it, without any right on the system's folders and without a trace there.
set -eu
folder=$1
pg_config=$(sh "$(dirname "$0")/pg_config.sh")

for option in bindir pkglibdir sharedir; do        # written to, or located from: real copies
	from=$("$pg_config" --$option)
	[ ! -e "$folder$from" ] || continue            # inside one copied already
	mkdir -p "$folder${from%/*}"
	cp -a "$from" "$folder$from"
done
for option in includedir pkgincludedir includedir-server libdir; do        # only read
	from=$("$pg_config" --$option)
	if [ ! -e "$from" ] || [ -e "$folder$from" ]; then
		continue
	fi
	mkdir -p "$folder${from%/*}"
	ln -s "$from" "$folder$from"
done
echo "$folder$("$pg_config" --bindir)/pg_config"
