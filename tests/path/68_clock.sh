#!/bin/bash
# A machine's clock goes backward and jumps forward under a running node: leaf times never decrease,
# ordinary messages wait, urgent ones go on and say so, and a jump is adopted when a peer agrees, or
# the operator.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
library=$BUILD/tests/support/clockshift.so
[ -f "$library" ] || { echo "✖ make path-support has built $library"; exit 1; }
federation "${PORT:-7780}"
node_settings cdmx
node_settings ssc
timeout 100 /usr/bin/python3 "$ROOT/tests/path/68_clock.py" "$WORK" "$BUILD" "$library"
