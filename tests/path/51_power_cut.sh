#!/bin/bash
#
# 51_power_cut.sh: SIGKILL cannot show a missing fsync, so here the power goes: writes that were not
# synced are taken back, some, all, or torn by sectors, and names whose folder was not synced. The
# same test over a node that does not sync must fail, and does.
# FAULTS=full cuts 40 times instead of 6; SEED repeats a run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cuts=6
[ "${FAULTS:-}" = full ] && cuts=40
seed=${SEED:-$RANDOM}
federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
node_settings cdmx
node_settings ssc
cut() { /usr/bin/python3 "$ROOT/tests/path/51_power_cut.py" "$WORK" "$BUILD" "$1" "$seed"; }

cut "$cuts" >"$WORK/cuts"
cat "$WORK/cuts"
rm -rf "$WORK/ledger" "$WORK"/node/*/data "$WORK"/node/*/vault
cut no-sync >"$WORK/no-sync"
cat "$WORK/no-sync"
PASSED=$(cat "$WORK/cuts" "$WORK/no-sync" | grep -c '^✔')
FAILED=$(cat "$WORK/cuts" "$WORK/no-sync" | grep -c '^✖')
grep -q 'passed' "$WORK/cuts" && grep -q 'passed' "$WORK/no-sync" || FAILED=$((FAILED + 1))
promises_end
