#!/bin/bash
#
# 66_erasure.sh: two officials order an erasure; a compartment, an exchange, a person are gone, from
# everything that lies raw on the disks, while the log verifies and the accounting stands. A hold of
# the authority suspends it; a kill at any step of it changes nothing; a retention class ends by
# itself. FAULTS=full kills at every one of the first 25 syncs and commits.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
kills=4
[ "${FAULTS:-}" = full ] && kills=25
federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
node_settings cdmx
cat >>"$WORK/node/cdmx/enlaced.conf" <<CONF
blocking_days = 0
backup = $WORK/medium-3
disk_floor_mib = 16
CONF
/usr/bin/python3 "$ROOT/tests/path/66_erasure.py" "$WORK" "$BUILD" "$kills"
