#!/bin/bash
#
# 50_kill.sh: both nodes and both systems killed under load, at random and at chosen points between
# the sync of a commit and its answers; nothing answered is lost, nothing is delivered as new twice.
# FAULTS=full kills 60 times instead of 12; SEED repeats a run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kills=12
[ "${FAULTS:-}" = full ] && kills=60
federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
node_settings cdmx
node_settings ssc
/usr/bin/python3 "$ROOT/tests/path/50_kill.py" "$WORK" "$BUILD" "$kills" "${SEED:-$RANDOM}"
