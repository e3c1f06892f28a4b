#!/bin/bash
#
# 52_disk.sh: a disk that is full is said clearly, and service goes on when there is room; a disk that
# fails ends the process at once, for the kernel may have dropped what it could not write and would
# call the next sync good. The next start has everything that was answered.
# FAULTS=full strikes each of the first 30 commits instead of 5.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

commits=5
[ "${FAULTS:-}" = full ] && commits=30
small=
federation "${PORT:-$((12000 + RANDOM % 1000 * 8))}"
mkdir -p "$WORK/node/cdmx"
if mount -t tmpfs -o size=64m,mode=700 tmpfs "$WORK/node/cdmx" 2>"$WORK/mount.log"; then
    small=small
    trap 'kill -9 "$(cat "$WORK/node/cdmx/pid")" 2>/dev/null; sleep 0.2; umount -l "$WORK/node/cdmx"; cleanup' EXIT
fi
node_settings cdmx
printf "disk_floor_mib = 16\nurgent_reserve_mib = 0\n" >>"$WORK/node/cdmx/enlaced.conf"
[ -n "$small" ] || sed -i 's/^disk_floor_mib = .*/disk_floor_mib = 1/' "$WORK/node/cdmx/enlaced.conf"
/usr/bin/python3 "$ROOT/tests/path/52_disk.py" "$WORK" "$BUILD" "$commits" $small >"$WORK.said"
status=$?
[ -n "$small" ] || sed -i -E '$s/failed$/failed, 9 skipped: a full disk needs root, to mount a small one/' "$WORK.said"
cat "$WORK.said"
rm -f "$WORK.said"
exit $status
