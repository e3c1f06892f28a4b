#!/bin/bash
#
# 63_export.sh: two nodes keep their logs as folders by themselves: a mirror for anybody and, for
# auditors, one with entries and records. What is cut goes on; what fails is tried again and told.
# Two mirrors of the same exchanges pair by nothing; with the openings they pair at once.
# FAULTS=full cuts an export at each of its calls, not at a sample, and kills the node more often.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation 9100
small=
mkdir "$WORK/mirror-ssc"
if mount -t tmpfs -o size=64m,nr_inodes=16,mode=755 tmpfs "$WORK/mirror-ssc" 2>"$WORK/mount.log"; then
    small=small
    unmount() {
        for code in cdmx ssc; do kill -9 "$(cat "$WORK/node/$code/pid")" 2>/dev/null; done
        sleep 0.2
        umount -l "$WORK/mirror-ssc"
    }
    trap 'unmount; cleanup' EXIT
fi
for code in cdmx ssc; do
    node_settings "$code"
    cat >>"$WORK/node/$code/enlaced.conf" <<CONF
mirror = $WORK/mirror-$code
export = $WORK/auditors-$code
export_interval_s = 1
disk_floor_mib = 16
CONF
done
cat >"$WORK/audit.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/auditor/cdmx.contraloria.auditor-01/tls.pem
key = $WORK/pki/auditor/cdmx.contraloria.auditor-01/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/contraloria
spool = $WORK/spool-audit
node_log = $(awk '$1 == "node" { mine = $2 == "cdmx/cdmx" } mine && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt")
CONF
/usr/bin/python3 "$ROOT/tests/path/63_export.py" "$WORK" "$BUILD" "${FAULTS:-short}" $small >"$WORK.said"
status=$?
[ -n "$small" ] || sed -i -E '$s/failed$/failed, 2 skipped: a full disk needs root, to mount a small one/' "$WORK.said"
cat "$WORK.said"
rm -f "$WORK.said"
exit $status
