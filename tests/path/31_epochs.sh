#!/bin/bash
# A node's disk is destroyed under traffic. It does not start on nothing; with a statement that the
# authorities signed it begins a new epoch, its peer and its client give back what they hold, and
# clients' ledgers decide whether anything was lost or came as new twice. Then the old log comes back
# in a thief's hands. FAULTS=full: more traffic, more kills.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-7680}"
for i in 1 2 3; do
    (umask 077; openssl genpkey -algorithm ed25519 -out "$WORK/authority-$i.key") || exit 1
done
(umask 077; openssl genpkey -algorithm ed25519 -out "$WORK/new-log.key") || exit 1
{
    printf 'enlace-authorities v1\nquorum 2\n'
    for i in 1 2 3; do
        printf 'authority %s\n' "$("$BUILD/bin/enlace" log vkey --key "$WORK/authority-$i.key" --name "authority.cdmx/$i")"
    done
} >"$WORK/authorities"
for code in cdmx ssc; do
    node_settings "$code"
    echo "authorities = $WORK/authorities" >>"$WORK/node/$code/enlaced.conf"
done
seconds=2 kills=3
if [ "${FAULTS:-}" = full ]; then seconds=20 kills=12; fi
timeout 220 /usr/bin/python3 "$ROOT/tests/path/31_epochs.py" "$WORK" "$BUILD" "$seconds" "$kills"
