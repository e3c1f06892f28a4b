#!/bin/bash
#
# 53_adapter_kill.sh: the reference adapter, and now and then a node, killed while measures are
# executed and reported; each step of each measure reaches the requester, and once.
# FAULTS=full kills 50 times instead of 14; SEED repeats a run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kills=14
[ "${FAULTS:-}" = full ] && kills=50
federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
node_settings cdmx
node_settings ssc
sed -i '$a stop_grace_ms = 500' "$WORK/node/cdmx/enlaced.conf" "$WORK/node/ssc/enlaced.conf"

log_key() { awk -v code="$1" '$1 == "node" { mine = $2 == code } mine && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt"; }

cat >"$WORK/ssc.conf" <<CONF
address = $(node_address ssc)
node = spiffe://enlace.cdmx/node/ssc
certificate = $WORK/pki/system/cdmx.ssc.adapter/tls.pem
key = $WORK/pki/system/cdmx.ssc.adapter/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/ssc
system = adapter
official_certificate = $WORK/pki/official/cdmx.ssc.enlace-01/tls.pem
official_key = $WORK/pki/official/cdmx.ssc.enlace-01/tls.key
spool = $WORK/spool
node_log = $(log_key cdmx/ssc)
log = $(log_key cdmx/cdmx)
peer = cdmx/mpi-cdmx $(log_key cdmx/cdmx | cut -d+ -f1)
CONF
mkdir -m 700 "$WORK/spool"
echo "PRO-COD-VIG 5" >"$WORK/script"
/usr/bin/python3 "$ROOT/tests/path/53_adapter_kill.py" "$WORK" "$BUILD" "$kills" "${SEED:-$RANDOM}"
