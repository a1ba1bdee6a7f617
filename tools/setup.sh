#!/bin/sh
# Installs the Debian packages that building and testing need and that are missing: as root, or by sudo
# where that asks for no password. Without the right to it, says what is missing and how to install it.
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
offered() { apt-cache policy "postgresql-server-dev-$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }
newest_offered() {
	for candidate in 18 17 16 15; do
		if offered $candidate; then
			echo $candidate
			return
		fi
	done
}

packages_for() {
	echo "postgresql-$1 postgresql-server-dev-$1 postgresql-$1-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl
		g++ make cmake libboost-dev libgtest-dev clang clang-tools libclang-rt-dev python3 python3-psycopg2 xz-utils"
}
missing_of() {
	for package in $(packages_for "$1"); do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || :) in
			'install ok installed') ;;
			*) echo "$package" ;;
		esac
	done | tr '\n' ' '
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
		exit 1
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
