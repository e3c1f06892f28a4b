#!/bin/bash
# Six institutions witness each other's logs; logs and witnesses that nobody here wrote take part over
# HTTP; and what a log with its key stolen, a lying witness or a cut network can and cannot do.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-7740}"
"$ROOT/deploy/demo/make_policy.sh" "$WORK/directory.txt" "$WORK/policy.txt"
for code in cdmx ssc pgj sedesa contraloria segob; do
    node_settings "$code"
    cat >>"$WORK/node/$code/enlaced.conf" <<CONF
witness_listen = unix:$WORK/node/$code/witness.sock
witness_interval_ms = 200
CONF
done
timeout 280 /usr/bin/python3 "$ROOT/tests/path/65_witness.py" "$WORK" "$BUILD"
