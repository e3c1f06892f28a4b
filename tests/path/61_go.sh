#!/bin/bash
# A node's log, verified by software that nobody here wrote: the Go project's packages for its own
# transparency log, as Debian ships them. Signature, tiles, entries, inclusion, consistency; and what
# is not so is found by them, too.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod ] || exit 77
mkdir -p "$BUILD/go"
program=$BUILD/go/check_log
GOCACHE=$BUILD/go/cache GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS=-buildvcs=false \
    go build -o "$program" "$ROOT/tests/interop/go/check_log.go" || exit 1

log_key() { awk -v code="$1" '$1 == "node" { mine = $2 == code } mine && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt"; }
federation "${PORT:-7960}"
node_start cdmx || exit 1
keys=$WORK/pki/auditor/cdmx.contraloria.auditor-01
vkey=$(log_key cdmx/cdmx)
cat >"$WORK/auditor.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $keys/tls.pem
key = $keys/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/contraloria
node_log = $vkey
CONF
traffic() {
    timeout 60 /usr/bin/python3 - "$WORK" "$1" <<'PY'
import os, sys
sys.path.insert(0, os.path.join(os.environ["ROOT"], "tests/path"))
import client
client.generate_protocol(f"{sys.argv[1]}/py")
mpi = client.Partner(sys.argv[1], "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
for _ in range(int(sys.argv[2])):
    message = mpi.wrap(mpi.request(), mpi.alias())
    mpi.call("Submit", mpi.x.SubmitRequest(submission=mpi.x.Submission(message=message)),
             mpi.x.SubmitResponse)
PY
}
export ROOT
export_to() {
    "$BUILD/bin/enlace" --profile "$WORK/auditor.conf" log export "$@" --purpose prueba
}
flip() { # FILE AT: one bit
    /usr/bin/python3 -c 'import sys
at = int(sys.argv[2])
with open(sys.argv[1], "r+b") as file:
    file.seek(at); byte = file.read(1)[0]; file.seek(at); file.write(bytes([byte ^ 1]))' "$1" "$2"
}
refuses() { ! "$program" "$@"; }

promise "messages pass" traffic 20
promise "the log is exported, with its entries" export_to "$WORK/log" --entries
promise "it verifies: signature, tiles, entries, proofs" "$program" "$WORK/log" "$vkey"
cp "$WORK/log/checkpoint" "$WORK/old"
promise "more pass than fit into one tile" traffic 300
promise "the folder is brought up to date" export_to "$WORK/log" --entries
promise "it verifies, and extends the checkpoint of before" "$program" "$WORK/log" "$vkey" "$WORK/old"
promise "so does a mirror of its hashes alone" export_to "$WORK/mirror"
promise "which verifies" "$program" "$WORK/mirror" "$vkey" "$WORK/old"
cp -r "$WORK/log" "$WORK/entry"
flip "$WORK/entry/tile/entries/000" 1000
promise "a flipped bit in an entry is found" refuses "$WORK/entry" "$vkey"
cp -r "$WORK/mirror" "$WORK/tile"
flip "$WORK/tile/tile/0/000" 3000
promise "and in a tile" refuses "$WORK/tile" "$vkey"
cp -r "$WORK/mirror" "$WORK/sealed"
flip "$WORK/sealed/checkpoint" 20
promise "and in the checkpoint" refuses "$WORK/sealed" "$vkey"
promises_end
