#!/bin/sh
# The rules of tools/lint, on the checkout and on their samples.
exec "$(dirname "$0")/../../tools/lint/run"
