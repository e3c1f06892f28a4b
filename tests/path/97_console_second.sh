#!/bin/bash
# A request that needs a second official, in two real browsers: it waits, and leaves with the other one's
# signature.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=console.sh
. "$(dirname "$0")/console.sh"
need_browser
# shellcheck disable=SC2034 # federation reads it
TERMS=$WORK/routes.txt
awk '/^route / { mine = $2 == "mpi-ssc-medidas" }
    mine && $1 == "second-official" { $0 = "  second-official yes" } { print }' \
    "$ROOT/deploy/demo/routes.txt" >"$WORK/routes.txt"
federation 7990
node_start cdmx || exit 1
node_start ssc || exit 1
profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-01
profile mpi2 cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-02
story 97_console_second.mjs
node_stop cdmx
node_stop ssc
promises_end
