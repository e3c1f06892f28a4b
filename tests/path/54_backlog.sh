#!/bin/bash
#
# 54_backlog.sh: a peer that is down, a queue that is full, clients that do not read. What cannot be
# taken is refused with its reason, memory stays bounded, urgent messages do not wait for ordinary ones.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
node_settings cdmx
node_settings ssc
/usr/bin/python3 "$ROOT/tests/path/54_backlog.py" "$WORK" "$BUILD"
