#!/bin/bash
# No oracle: what is not there, what is another's and what the person does not allow are one answer,
# in words, in size and, within noise, in time. And nobody can be looked up by a name or a CURP.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-8200}"
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace
cat >"$WORK/official.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/official/cdmx.mpi-cdmx.enlace-01/tls.pem
key = $WORK/pki/official/cdmx.mpi-cdmx.enlace-01/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/mpi-cdmx
CONF
timeout 120 /usr/bin/python3 "$ROOT/tests/path/36_oracle.py" "$WORK" "$enlace"
status=$?
node_stop cdmx
node_stop ssc
exit "$status"
