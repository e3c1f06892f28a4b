#!/bin/bash
# Somebody is woken: the officials on duty one after the other, by mail, program and webhook, then
# the other institution, until a named one answers; through restarts; with nothing in the alert that
# an intercepted phone may tell. And how urgency is bounded, reviewed and counted.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-8340}"
node_settings cdmx
node_settings ssc
timeout 170 /usr/bin/python3 "$ROOT/tests/path/91_duty.py" "$WORK" "$BUILD" "$ROOT"
