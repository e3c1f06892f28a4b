#!/bin/bash
#
# 66_attacks_live.sh: what a peer's operator, a network and an auditor do to a running node: records
# that were not logged, or that differ from what was logged; the same again; readers that hold on, die
# or come in crowds while others send.
# The table of all attacks: tests/ATTACKS.md; a promise here keeps its names true.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation 14800
node_settings cdmx
echo "disk_floor_mib = 16" >>"$WORK/node/cdmx/enlaced.conf"
/usr/bin/python3 "$ROOT/tests/path/66_attacks_live.py" "$WORK" "$BUILD"
