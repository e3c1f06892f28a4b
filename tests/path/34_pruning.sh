#!/bin/bash
#
# 34_pruning.sh: what a person's erasure leaves, old audit records, is given up by order of two
# officials and by the node's setting. Never below what a witness, a hold, a readable message or a
# debt needs; afterwards every receipt, export, backup and copy still verifies. A follower's copy of
# what was erased cannot be read either.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-$((13000 + RANDOM % 800 * 8))}"
for code in cdmx ssc pgj; do node_settings "$code"; done
cat >>"$WORK/node/cdmx/enlaced.conf" <<CONF
blocking_days = 0
witness_policy = $WORK/policy.txt
witness_interval_ms = 100
export = $WORK/export
export_interval_s = 1
follower = spiffe://enlace.cdmx/member/mpi-cdmx/official/enlace-01
disk_floor_mib = 16
CONF
mkdir "$WORK/export"
timeout 240 /usr/bin/python3 "$ROOT/tests/path/34_pruning.py" "$WORK" "$BUILD"
