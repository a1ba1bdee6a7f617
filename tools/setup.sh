#!/bin/sh
# setup.sh [test|demo]: installs the Debian packages that building and testing need and that are missing: as root, or
# by sudo where that asks for no password. Without the right to it, says what is missing and how to install it.
# The drivers of test/drivers, which a demo does not need, are installed where apt can: their tests are skipped otherwise.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "setup: not a Debian system, nothing is installed. Needed: PostgreSQL 15 to 18 with server headers, pgTAP and pg_prove," >&2
	echo "  Perl with IPC::Run, a C++20 compiler, Boost headers, GoogleTest, CMake, GNU make, clang with libFuzzer, clang-query, Python 3" >&2
	exit
fi

version=${CHATOPT_PG_VERSION:-}
if [ -z "$version" ] && found=$(sh "$tools/pg_config.sh" 2>/dev/null); then
	version=$("$found" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
fi
offered() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }
newest_offered() {
	for candidate in 18 17 16 15; do
		if offered "postgresql-server-dev-$candidate"; then
			echo $candidate
			return
		fi
	done
}

packages_for() {
	echo "postgresql-$1 postgresql-server-dev-$1 postgresql-$1-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl
		g++ make cmake libboost-dev libgtest-dev libpq-dev clang clang-tools libclang-rt-dev python3 python3-psycopg2 xz-utils"
	if offered "postgresql-$1-jit"; then        # part of postgresql-$1 where there is no such package
		echo "postgresql-$1-jit"
	fi
}
drivers='python3-psycopg nodejs node-pg libpostgresql-jdbc-java'
command -v javac >/dev/null || drivers="$drivers default-jdk-headless"
[ "${1:-test}" = 'test' ] || drivers=

missing_among() {
	for package; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || :) in
			'install ok installed') ;;
			*) echo "$package" ;;
		esac
	done | tr '\n' ' '
}
# shellcheck disable=SC2046,SC2086  # lists of words
missing_of() {
	missing_among $(packages_for "$1")
	for package in $(missing_among $drivers); do
		if apt-get -q -s install --no-install-recommends "$package" >/dev/null 2>&1; then
			printf '%s ' "$package"
		fi
	done
}

if [ -n "$version" ] && [ -z "$(missing_of "$version")" ]; then
	exit
fi

sudo=
if [ "$(id -u)" != 0 ]; then
	if sudo -n true 2>/dev/null; then
		sudo='sudo -n'
	else
		version=${version:-$(newest_offered)}
		if [ -z "$version" ]; then
			echo "setup: no PostgreSQL 15 to 18 is installed, and the package lists offer none: run apt-get update as root first" >&2
			exit 1
		fi
		missing=$(missing_of "$version")
		echo "setup: packages are missing: $missing" >&2
		echo "install them with: sudo apt-get install --no-install-recommends $missing" >&2
		# shellcheck disable=SC2046
		[ -z "$(missing_among $(packages_for "$version"))" ] || exit 1
		exit
	fi
fi

export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q update
version=${version:-$(newest_offered)}
if [ -z "$version" ]; then
	echo "setup: the package lists offer no PostgreSQL 15 to 18" >&2
	exit 1
fi
missing=$(missing_of "$version")
echo "setup: installing $missing"
# shellcheck disable=SC2086
$sudo apt-get -q -y install --no-install-recommends $missing
