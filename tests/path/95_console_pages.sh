#!/bin/bash
# The console's pages about the whole rather than one exchange: Red, Directorio, Informes; in a real
# browser, against real nodes, one of which is then gone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v chromium >/dev/null || { echo "no chromium"; exit 77; }
[ -d "$ROOT/tests/interop/node_modules/playwright-core" ] || { echo "make interop-modules installs playwright-core"; exit 77; }
federation 7960
node_start cdmx || exit 1
node_start ssc || exit 1
mkdir -p "$BUILD/console"

log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE CODE MEMBER CREDENTIALS [SYSTEM [OFFICIAL]]
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address "$2")
node = spiffe://enlace.cdmx/node/$2
certificate = $WORK/pki/$4/tls.pem
key = $WORK/pki/$4/tls.key
ca = $WORK/pki/ca/all.pem
member = $3
${5:+system = $5}
${6:+official_certificate = $WORK/pki/official/$6/tls.pem}
${6:+official_key = $WORK/pki/official/$6/tls.key}
spool = $WORK/spool-$1
node_log = $(log_key "cdmx/$2")
log = $(log_key cdmx/cdmx)
log = $(log_key cdmx/ssc)
CONF
}
profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-01
profile ssc ssc cdmx/ssc system/cdmx.ssc.adapter adapter cdmx.ssc.enlace-01
profile operator cdmx cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-02
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
export WORK ROOT BUILD
SSC_PID=$(cat "$WORK/node/ssc/pid") timeout 200 node "$ROOT/tests/path/95_console_pages.mjs" | tee "$WORK/story.log"
PASSED=$((PASSED + $(grep -c '^✔' "$WORK/story.log")))
FAILED=$((FAILED + $(grep -c '^✖' "$WORK/story.log")))
promise "the browser's story came to its end" grep -q 'passed' "$WORK/story.log"
promises_end
