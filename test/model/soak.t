#!/bin/sh
# The long run of the random model test: 1,000,000 statements over all schema variants.
# MODEL_SEED and MODEL_STATEMENTS choose another run.
cd "$(dirname "$0")/../.." || exit 1
[ -n "${PGHOST:-}" ] || exec sh tools/with_server.sh "$PWD/test/model/soak.t"
exec /usr/bin/python3 -B test/model/model_test.py --statements "${MODEL_STATEMENTS:-1000000}" --seed "${MODEL_SEED:-2}" --shrink
