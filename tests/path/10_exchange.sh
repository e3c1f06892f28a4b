#!/bin/bash
# An exchange between two nodes, two members of one node, two systems of one member; then what
# stays after a restart, and what is left when a shard key is destroyed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7610
node_start cdmx || exit 1
node_start ssc || exit 1
promise "an exchange from the request to the measure in force" \
    timeout 100 /usr/bin/python3 "$ROOT/tests/path/10_exchange.py" "$WORK"
cat "$WORK/promise.log"
promise "the nodes stop orderly" node_stop cdmx
node_stop ssc

same_receipt() {
    /usr/bin/python3 - "$WORK" <<'PY'
import os, sys
sys.path.insert(0, os.path.join(os.environ["ROOT"], "tests/path"))
import client
work = sys.argv[1]
mpi = client.Partner(work, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
request = open(f"{work}/kept.bin", "rb").read()
answer = mpi.call("Submit", request, mpi.x.SubmitResponse)
sys.exit(0 if answer.receipt.SerializeToString() == open(f"{work}/kept.receipt", "rb").read() else 1)
PY
}

unreadable() {
    grep -q 'parked' "$WORK/node/ssc/log" || { tail -3 "$WORK/node/ssc/log"; return 1; }
}

export ROOT
node_start cdmx || exit 1
promise "after a restart the same bytes get the same receipt" same_receipt

# Erasure: the key is gone, the log stands, the bodies are noise.
for key in "$WORK"/node/ssc/vault/cdmx.ssc/R2/*.1; do
    dd if=/dev/urandom of="$key" bs=32 count=1 conv=notrunc status=none
done
node_start ssc || exit 1
late_delivery() {
    timeout 20 /usr/bin/python3 - "$WORK" <<'PY'
import os, sys
sys.path.insert(0, os.path.join(os.environ["ROOT"], "tests/path"))
import client
ssc = client.Partner(sys.argv[1], "cdmx.ssc.adapter", "cdmx/ssc")
stream = ssc.attach(urgency=2)
client.in_thread(lambda: [print(r) for r in stream])
import time
time.sleep(2)
PY
}
late_delivery >/dev/null 2>&1
promise "with another shard key, bodies are unreadable and parked, and the node goes on" unreadable
node_stop cdmx
node_stop ssc
promises_end
