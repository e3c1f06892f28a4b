#!/bin/bash
# The console in a real browser: the way in and who is kept out, the log searched, opened, verified and
# exported, nodes that lie shown red; a screenshot of each page stays in BUILD/console.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v chromium >/dev/null || { echo "no chromium"; exit 77; }
[ -d "$ROOT/tests/interop/node_modules/playwright-core" ] || { echo "make interop-modules installs playwright-core"; exit 77; }
federation 7760
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
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
profile system cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma
# A node that lies: beside the real one, with its certificate and its log's key.
false_address=127.0.0.1:$(($(node_address cdmx | cut -d: -f2) + 6))
sed "s/^address = .*/address = $false_address/" "$WORK/auditor.conf" >"$WORK/deceived.conf"
: >"$WORK/lie"
/usr/bin/python3 "$ROOT/tests/path/false_node.py" "$WORK" cdmx auditor/cdmx.contraloria.auditor-01 \
    "$false_address" >"$WORK/false_node.log" 2>&1 &
echo $! >"$WORK/pids/false_node"
tries=0
until grep -q ready "$WORK/false_node.log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { cat "$WORK/false_node.log"; exit 1; }
    sleep 0.1
done
export WORK ROOT BUILD
timeout 220 node "$ROOT/tests/path/90_console.mjs" | tee "$WORK/story.log"
PASSED=$((PASSED + $(grep -c '^✔' "$WORK/story.log")))
FAILED=$((FAILED + $(grep -c '^✖' "$WORK/story.log")))
promise "the browser's story came to its end" grep -q 'passed' "$WORK/story.log"
node_stop cdmx
node_stop ssc
promises_end
