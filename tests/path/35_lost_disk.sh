#!/bin/bash
# A node acknowledges messages that it has not forwarded, and one between two of its own members;
# then its disk is gone. What only the senders' systems still have comes back from them: nothing that
# was acknowledged is lost.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-7860}"
(umask 077; openssl genpkey -algorithm ed25519 -out "$WORK/new-log.key") || exit 1
node_settings cdmx
node_settings ssc
node_settings sedesa
timeout 120 /usr/bin/python3 "$ROOT/tests/path/35_lost_disk.py" "$WORK" "$BUILD" "$ROOT"
