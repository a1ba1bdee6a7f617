#!/bin/sh
# A short slice of the random model test with a fixed seed: about 20,000 statements over all schema variants.
cd "$(dirname "$0")/../.." || exit 1
[ -n "${PGHOST:-}" ] || exec sh tools/with_server.sh "$PWD/test/model/slice.t"
exec /usr/bin/python3 -B test/model/model_test.py --statements 20000 --seed "${MODEL_SEED:-1}" --shrink
