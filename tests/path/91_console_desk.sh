#!/bin/bash
# The console as two officials' desk, in real browsers: an urgent request by keyboard, taken, accepted
# and put in force at the other institution; another one declined; what a route does not allow.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=console.sh
. "$(dirname "$0")/console.sh"
need_browser
federation 7780
node_start cdmx || exit 1
node_start ssc || exit 1
profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-01
profile ssc ssc cdmx/ssc system/cdmx.ssc.adapter adapter cdmx.ssc.enlace-01
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
# An official of ssc opens what is sealed to its system.
cat >>"$WORK/ssc.conf" <<CONF
seal_certificate = $WORK/pki/system/cdmx.ssc.adapter/seal.pem
seal_key = $WORK/pki/system/cdmx.ssc.adapter/seal.key
CONF
mkdir "$WORK/seals"
cp "$WORK/pki/system/cdmx.ssc.adapter/seal.pem" "$WORK/seals/ssc.pem"
story 91_console_desk.mjs
node_stop cdmx
node_kill ssc
promises_end
