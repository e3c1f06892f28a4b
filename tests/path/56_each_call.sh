#!/bin/bash
#
# 56_each_call.sh: every call by which a node touches its disk, one after the other, is where it is
# killed, or where the disk says no: at its first start, at a member's first message, and while it
# exchanges with a peer. Never is a root signed whose leaves are not durable; what was durable and
# unsigned is signed by the next start. A node built to sign first is caught.
# FAULTS=full strikes each call until a run is through without meeting the fault; else a sample.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || { echo "needs root: a node lets nobody else trace it"; exit 77; }
federation 13600
node_settings cdmx
node_settings ssc
echo "disk_floor_mib = 16" >>"$WORK/node/cdmx/enlaced.conf"
cat >"$WORK/mpi.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.pem
key = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/mpi-cdmx
CONF
/usr/bin/python3 "$ROOT/tests/path/56_each_call.py" "$WORK" "$BUILD" "${FAULTS:-short}"
