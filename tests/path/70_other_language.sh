#!/bin/bash
# A client in another language, with none of our C code: builds, submits, verifies, receives,
# reports. Two nodes of the demonstration's directory.
# shellcheck source=tests/path/lib.sh
. "$(dirname "$0")/lib.sh"

if [ ! -d "$ROOT/tests/interop/node_modules/@grpc" ]; then
    echo "npm ci has not run in tests/interop"
    exit 77
fi
federation 8370
node_start cdmx || exit 1
node_start ssc || exit 1
node "$ROOT/tests/interop/client/story.js" "$WORK"
