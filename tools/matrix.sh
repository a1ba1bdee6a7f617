#!/bin/sh
# matrix.sh VERSION...: builds and tests this checkout on PostgreSQL 15, 17 and 18, each in a fresh Debian
# of its own (12, 13 and sid), made by debootstrap in a temporary folder: `sh tools/quickstart.sh test` is run
# there, as on a new machine. Prints one line a version, PASS or FAIL, and leaves a log of each.
#
# Needs root, and the right to mount (not every container has it). The work tree is tested as git sees it:
# with changes not committed, without ignored files. Packages come from where this machine's apt takes them,
# with its proxy and certificates. All mounts live in a mount namespace of the run and end with it, however
# it ends, and so do its processes; the folder is removed.
#
# CHATOPT_MATRIX_CACHE    folder that keeps each fresh Debian as an archive for the next time
# CHATOPT_MATRIX_LOGS     folder of the logs (default: chatopt-matrix-logs in $TMPDIR or /tmp)
# CHATOPT_MATRIX_MIRROR   Debian mirror to use instead of the one of this machine's apt
# CHATOPT_MATRIX_COMMAND  what to run instead of: sh tools/quickstart.sh test
# CHATOPT_MATRIX_TIMEOUT  seconds after which a version has failed (default 5400)
# TMPDIR                  where the folders are made (default /var/tmp; 4 GB are needed)
set -eu

debian_of() {
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo sid ;;
		*) return 1 ;;
	esac
}
say() { echo "matrix: $*" >&2; }
die() { say "$*"; exit 2; }

# --- inside the namespaces: matrix.sh --inside SUITE BASE FOLDER, everything to the log -----------------------

# What of this machine's apt the new Debian takes over: the settings of downloads (proxies among them), keys.
copy_apt() {
	apt-config dump Acquire |
		grep -E '^Acquire::(http|https|ftp|Retries|Queue-Mode|ForceIPv[46]|Check-(Date|Valid-Until)|M(ax|in)-ValidTime)[: ]' |
		grep -v ' "";$' >"$1/etc/apt/apt.conf.d/90matrix" || :
	for keys in keyrings trusted.gpg.d; do
		for key in "/etc/apt/$keys"/*; do
			[ ! -f "$key" ] || [ -e "$1$key" ] || cp "$key" "$1/etc/apt/$keys/"
		done
	done
}

# Names, certificates: a certificate in /usr/local outlives the installation of the package ca-certificates.
copy_network() {
	for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
		[ -f "$file" ] || continue
		mkdir -p "$1${file%/*}"
		rm -f "$1$file"
		cat "$file" >"$1$file"
	done
	if [ -d /usr/local/share/ca-certificates ]; then
		mkdir -p "$1/usr/local/share"
		cp -rL /usr/local/share/ca-certificates "$1/usr/local/share/"
	fi
}

# Where Debian's packages come from: the mirror, and beside it the updates of a stable Debian.
write_sources() {
	echo "deb $MATRIX_MIRROR $2 main"
	if [ "$2" != sid ]; then
		echo "deb $MATRIX_MIRROR $2-updates main"
		[ -z "$MATRIX_SECURITY" ] || echo "deb $MATRIX_SECURITY $2-security main"
	fi
} >"$1/etc/apt/sources.list"

in_debian() {
	timeout -k 30 "$MATRIX_TIMEOUT" chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive CHATOPT_PG_VERSION="$version" \
		${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} ${no_proxy:+"no_proxy=$no_proxy"} "$@"
}

inside() {
	version=$1 suite=$2 base=$3 root=$4/debian
	mkdir "$root"
	if [ -n "$base" ] && [ -f "$base" ]; then
		tar -xzf "$base" -C "$root" --numeric-owner
	else
		debootstrap --variant=minbase "$suite" "$root" "$MATRIX_MIRROR"
		if [ -n "$base" ]; then
			tar -I 'gzip -1' -cf "$base.new" -C "$root" --numeric-owner --one-file-system --exclude='./var/cache/apt/*' .
			mv "$base.new" "$base"
		fi
	fi
	mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	copy_apt "$root"
	copy_network "$root"
	write_sources "$root" "$suite"
	echo 'DPkg::Use-Pty "false";' >>"$root/etc/apt/apt.conf.d/90matrix"        # no progress bars in the log
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"        # no package starts a server
	chmod 755 "$root/usr/sbin/policy-rc.d"

	mkdir -p "$root/srv/chatopt"
	tar -xf "$MATRIX_CHECKOUT" -C "$root/srv/chatopt" --no-same-owner
	in_debian apt-get -q update
	in_debian apt-get -q -y dist-upgrade
	status=0
	in_debian sh -c "cd /srv/chatopt && $MATRIX_COMMAND" || status=$?
	postgres=/usr/lib/postgresql/$version/bin/postgres
	if [ -x "$root$postgres" ]; then
		in_debian "$postgres" --version | sed 's/^postgres (PostgreSQL)/PostgreSQL/' >"$MATRIX_RESULT"
	else
		echo "matrix: that did not install PostgreSQL $version"
		[ $status -ne 0 ] || status=1
	fi
	return $status
}

if [ "${1:-}" = --inside ]; then
	shift
	inside "$@"
	exit $?        # not the shell's last command: this process collects what others leave behind
fi

# --- outside --------------------------------------------------------------------------------------------------

if [ $# -eq 0 ]; then
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
for version in "$@"; do
	debian_of "$version" >/dev/null || die "no Debian is known for PostgreSQL $version: give 15, 17 or 18"
done
[ "$(id -u)" = 0 ] || die "making a Debian in a folder needs root"
if ! command -v debootstrap >/dev/null; then
	command -v apt-get >/dev/null || die "debootstrap is missing"
	apt-get -q update >&2
	apt-get -q -y install --no-install-recommends debootstrap >&2 || die "debootstrap is missing, and could not be installed"
fi
unshare --mount --pid --ipc --fork true 2>/dev/null || die "no right to mount here (a container without CAP_SYS_ADMIN?)"

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
checkout=$(cd "$(dirname "$0")/.." && pwd)
logs=${CHATOPT_MATRIX_LOGS:-${TMPDIR:-/tmp}/chatopt-matrix-logs}
cache=${CHATOPT_MATRIX_CACHE:-}
mkdir -p "$logs" ${cache:+"$cache"}

# The mirror: the first repository of this machine's apt that has a main of Debian proper, not of its updates.
# shellcheck disable=SC2016  # the fields are apt's
targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null || :)
MATRIX_MIRROR=${CHATOPT_MATRIX_MIRROR:-$(echo "$targets" |
	awk '$3 == "main" && $2 ~ /^(bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/ { print $1; exit }')}
MATRIX_SECURITY=$(echo "$targets" | awk '$3 == "main" && $2 ~ /-security$/ { print $1; exit }')
[ -n "$MATRIX_MIRROR" ] || die "no Debian mirror in this machine's apt sources: give CHATOPT_MATRIX_MIRROR"
MATRIX_COMMAND=${CHATOPT_MATRIX_COMMAND:-sh tools/quickstart.sh test}
MATRIX_TIMEOUT=${CHATOPT_MATRIX_TIMEOUT:-5400}
export MATRIX_MIRROR MATRIX_SECURITY MATRIX_COMMAND MATRIX_TIMEOUT

# debootstrap knows proxies by the environment only; apt's are taken where that has none.
for protocol in http https; do
	eval "given=\${${protocol}_proxy:-}"
	[ -n "$given" ] || given=$(apt-config dump "Acquire::$protocol::Proxy" | sed -n 's/^[^ ]*::[Pp]roxy "\(.*\)";$/\1/p')
	[ -z "$given" ] || [ "$given" = DIRECT ] || eval "${protocol}_proxy=\$given && export ${protocol}_proxy"
done

work=
child=
# shellcheck disable=SC2317,SC2329  # called by the traps
clean() {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || :        # takes the namespaces with it
	[ -z "$child" ] || wait "$child" 2>/dev/null || :
	[ -z "$work" ] || rm -rf --one-file-system "$work"
	exit "$status"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d "${TMPDIR:-/var/tmp}/chatopt-matrix.XXXXXX")
MATRIX_CHECKOUT=$work/checkout.tar
MATRIX_RESULT=$work/result
export MATRIX_CHECKOUT MATRIX_RESULT

if git -c safe.directory='*' -C "$checkout" rev-parse --git-dir >/dev/null 2>&1; then
	(cd "$checkout" && git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
		tar -cf "$MATRIX_CHECKOUT" --null --no-recursion --ignore-failed-read -T -)
else
	tar -cf "$MATRIX_CHECKOUT" -C "$checkout" .
fi

failed=0
for version in "$@"; do
	suite=$(debian_of "$version")
	base=${cache:+$cache/$suite.tar.gz}
	log=$logs/postgresql-$version.log
	folder=$work/$version
	rm -rf --one-file-system "$folder"
	mkdir "$folder"
	: >"$MATRIX_RESULT"
	say "PostgreSQL $version on Debian $suite, log: $log"
	start=$(date +%s)
	unshare --mount --pid --ipc --fork --kill-child sh "$script" --inside \
		"$version" "$suite" "$base" "$folder" >"$log" 2>&1 </dev/null &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	seconds=$(($(date +%s) - start))
	[ $status -ne 124 ] || say "stopped after $seconds seconds"
	result=PASS
	if [ $status -ne 0 ]; then
		result=FAIL
		failed=1
		tail -n 20 "$log" | sed 's/^/    /' >&2
	fi
	server=$(cat "$MATRIX_RESULT")
	echo "$result  ${server:-PostgreSQL $version}  on $suite  ${seconds} s"
	rm -rf --one-file-system "$folder"
done
exit $failed
