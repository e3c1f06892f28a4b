#!/bin/bash
# What bad input gets: bad credentials, bad messages, garbage. One node, a partner in Python.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7620
"$ROOT/certs/bad_pki.sh" "$WORK/bad" "$WORK/pki" >/dev/null || exit 1
node_start cdmx || exit 1
timeout 120 /usr/bin/python3 "$ROOT/tests/path/20_refusals.py" "$WORK"
status=$?
node_stop cdmx || { echo "✖ the node did not stop orderly"; status=1; }
exit $status
