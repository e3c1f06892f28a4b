#!/bin/bash
# A machine's clock goes backward and jumps forward under a running node: leaf times never decrease,
# ordinary messages wait, urgent ones go on and say so, and a jump is adopted when two peers agree,
# or the operator.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
library=$BUILD/tests/support/clockshift.so
[ -f "$library" ] || { echo "✖ make path-support has built $library"; exit 1; }
federation "${PORT:-7780}"
node_settings cdmx
node_settings ssc
node_settings pgj
awk '$1 == "node" { code = $2 }
    $1 == "log-key" && code == "cdmx/cdmx" { print "log " $2 }
    $1 == "witness-key" && code == "cdmx/pgj" { print "witness pgj " $2 "\nquorum pgj" }' \
    "$WORK/directory.txt" >"$WORK/policy.txt"
cat >>"$WORK/node/cdmx/enlaced.conf" <<CONF
witness_policy = $WORK/policy.txt
witness_interval_ms = 100
CONF
timeout 100 /usr/bin/python3 "$ROOT/tests/path/68_clock.py" "$WORK" "$BUILD" "$library"
