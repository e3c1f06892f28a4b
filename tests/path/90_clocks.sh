#!/bin/bash
# The law's clocks with simulated time: what runs out is told up the ladder by both nodes, each by
# itself, after restarts too; answers stop it; what cannot be is refused with its reason.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
library=$BUILD/tests/support/clockshift.so
[ -f "$library" ] || { echo "✖ make path-support has built $library"; exit 1; }
# A build with sanitizers is not first in the list when the clock is preloaded.
export ASAN_OPTIONS=${ASAN_OPTIONS:-verify_asan_link_order=0}
PKI_DAYS=120 federation "${PORT:-7900}"
for code in cdmx ssc segob; do node_settings "$code"; done
timeout 200 /usr/bin/python3 "$ROOT/tests/path/90_clocks.py" "$WORK" "$BUILD" "$library"
