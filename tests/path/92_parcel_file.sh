#!/bin/bash
# The link of last resort: two nodes that cannot reach each other carry an exchange from the request
# to the measure in force by files alone; files that were changed, are for somebody else, out of
# order or repeated do no harm; and when the link returns, nothing is doubled.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-8440}"
node_settings cdmx
node_settings ssc
timeout 120 /usr/bin/python3 "$ROOT/tests/path/92_parcel_file.py" "$WORK" "$BUILD"
