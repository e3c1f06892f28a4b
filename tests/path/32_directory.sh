#!/bin/bash
# The directory as law in force: k of n authorities sign on machines of their own, publishing refuses
# what is not enough, running nodes take it and tell each other, a suspension cuts open streams, and
# certificates swap without a restart.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-8040}"
node_settings cdmx
node_settings ssc
# ssc watches a folder of its own: what is published at cdmx reaches it from its peer.
cp -r "$WORK/directory" "$WORK/directory-ssc"
sed -i "s#^directory = .*#directory = $WORK/directory-ssc#" "$WORK/node/ssc/enlaced.conf"
node_start cdmx || exit 1
node_start ssc || exit 1
timeout 150 /usr/bin/python3 "$ROOT/tests/path/32_directory.py" "$WORK" "$BUILD" "$ROOT"
status=$?
node_stop cdmx
node_stop ssc
exit "$status"
