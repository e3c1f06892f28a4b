#!/bin/bash
# Node to node: a peer that lies about its log, one that writes what it should not, one that was away
# while large messages gathered; and a node that is started on an old copy of its data.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-7640}"
node_settings cdmx
node_settings ssc
timeout 200 /usr/bin/python3 "$ROOT/tests/path/30_federation.py" "$WORK" "$BUILD"
