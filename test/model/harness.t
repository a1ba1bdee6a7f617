#!/bin/sh
# Tests the model test itself, without the extension: on slow stand-in triggers it finds nothing,
# and each fault put into them it finds and makes short.
cd "$(dirname "$0")/../.." || exit 1
[ -n "${PGHOST:-}" ] || exec sh tools/with_server.sh "$PWD/test/model/harness.t"

database=model_harness_$$
createdb "$database" || exit 1
export PGDATABASE="$database"
run() {
	/usr/bin/python3 -B test/model/model_test.py --statements "$1" --seed 3 --schema "$2" --shrink --reference "$3" >"$output" 2>&1
}
output=$(mktemp)
trap 'rm -f "$output"; PGDATABASE=postgres dropdb --force "$database"' EXIT

echo 1..7
number=0
for schema in plain partitioned+counted counters+triggers; do
	number=$((number + 1))
	if run 2000 "$schema" right; then
		echo "ok $number - $schema: nothing wrong where nothing is"
	else
		echo "not ok $number - $schema: nothing wrong where nothing is"
		sed 's/^/# /' "$output"
	fi
done
for fault in "burn" "stale save" "moved member" "truncate"; do
	number=$((number + 1))
	if ! run 30000 partitioned+counted "$fault" && grep -Eq 'shortest list found \([1-6] of' "$output"; then
		echo "ok $number - finds the fault \"$fault\" and at most 6 statements that show it"
	else
		echo "not ok $number - finds the fault \"$fault\" and at most 6 statements that show it"
		sed 's/^/# /' "$output"
	fi
done
