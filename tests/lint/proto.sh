#!/bin/bash
# buf's STANDARD rules over proto/, as proto/buf.yaml says. buf is pinned in tests/interop.
set -euo pipefail
for buf in tests/interop/node_modules/@bufbuild/buf-linux-*/bin/buf; do
    if [[ -x $buf ]]; then
        exec "$buf" lint proto
    fi
done
if [[ -n ${ENLACE_OFFLINE:-} ]]; then
    echo "buf is not installed and ENLACE_OFFLINE is set"
    exit 77
fi
echo "tests/interop has no buf for this machine"
exit 1
