#!/bin/bash
# A follower keeps an encrypted copy of a node's log on another disk, under traffic, while both are
# killed. The node's disk is destroyed; the copy goes in its place, the same log goes on, and clients'
# ledgers decide whether anything was lost. A copy that is older is refused, a node that is older
# than its copy is found. FAULTS=full: more traffic, more kills.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-7740}"
node_settings cdmx
node_settings ssc
seconds=2 kills=4
if [ "${FAULTS:-}" = full ]; then seconds=20 kills=20; fi
timeout 150 /usr/bin/python3 "$ROOT/tests/path/33_follower.py" "$WORK" "$BUILD" "$seconds" "$kills"
