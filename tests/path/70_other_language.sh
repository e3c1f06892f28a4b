#!/bin/bash
# A client in another language, with none of our C code (tests/interop/client): packs, seals,
# submits, verifies, receives, signs and reports, over two nodes of the demonstration's directory.
# shellcheck source=tests/path/lib.sh
. "$(dirname "$0")/lib.sh"

if [ ! -d "$ROOT/tests/interop/node_modules/@grpc" ]; then
    echo "npm ci has not run in tests/interop"
    exit 77
fi

story() {
    node "$ROOT/tests/interop/client/story.js" "$WORK" >"$WORK/story"
    grep -v '^interop: ' "$WORK/story"
    read -r PASSED FAILED < <(sed -nE 's/^interop: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$WORK/story")
    [ -n "${FAILED:-}" ] || { PASSED=0 FAILED=1; echo "✖ the story ended early"; }
}

federation 7670
node_start cdmx || exit 1
node_start ssc || exit 1
story
promise "the sender's node stops in good order" node_stop cdmx
promise "the receiver's, too" node_stop ssc
promises_end
