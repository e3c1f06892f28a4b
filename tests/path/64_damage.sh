#!/bin/bash
#
# 64_damage.sh: bits flipped and files cut, in every kind of page of a node's stores, its vault and
# its anchor. `enlaced --check` names the place, and what it lets pass changes nothing of the log;
# the node itself starts, or ends with a line that says why. No process dies of it.
# FAULTS=full flips 60 bits of each kind of page instead of 4; SEED repeats a run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation 14200
node_settings cdmx
node_settings ssc
for code in cdmx ssc; do
    echo "disk_floor_mib = 16" >>"$WORK/node/$code/enlaced.conf"
done
/usr/bin/python3 "$ROOT/tests/path/64_damage.py" "$WORK" "$BUILD" "${FAULTS:-short}" "${SEED:-$RANDOM}"
