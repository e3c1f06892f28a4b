#!/bin/bash
# A node's disk is destroyed under traffic. It does not start on nothing; with a statement that the
# authorities signed it begins a new epoch, its peer and its client give back what they hold, and
# clients' ledgers decide whether anything was lost or came as new twice. Then the old log comes back
# in a thief's hands. FAULTS=full: more traffic, more kills.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-7680}"
(umask 077; openssl genpkey -algorithm ed25519 -out "$WORK/new-log.key") || exit 1
node_settings cdmx
node_settings ssc
seconds=2 kills=3
if [ "${FAULTS:-}" = full ]; then seconds=20 kills=12; fi
timeout 220 /usr/bin/python3 "$ROOT/tests/path/31_epochs.py" "$WORK" "$BUILD" "$seconds" "$kills"
