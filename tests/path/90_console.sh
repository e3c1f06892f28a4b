#!/bin/bash
# The console in a real browser: the way in and who is kept out, the log searched, opened, verified and
# exported, nodes that lie shown red; a screenshot of each page stays in BUILD/console.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=console.sh
. "$(dirname "$0")/console.sh"
need_browser
federation 7760
node_start cdmx || exit 1
node_start ssc || exit 1

profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-01
profile ssc ssc cdmx/ssc system/cdmx.ssc.adapter adapter cdmx.ssc.enlace-01
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
# A member's system reads that member's own records at its own node: ssc's is another.
profile stranger cdmx cdmx/ssc system/cdmx.ssc.adapter adapter
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
story 90_console.mjs
node_stop cdmx
node_stop ssc
promises_end
