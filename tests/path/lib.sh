# shellcheck shell=bash
# lib.sh - sourced by the path tests: a small federation of real nodes on the loopback, in a folder
# of its own, ended with the test. Promises are counted: say "what holds" after each check.
#
#     . "$(dirname "$0")/lib.sh"
#     federation                       # PKI, directory; nodes listen on ports of this test
#     node_start cdmx; node_start ssc
#     promise "a submission is answered" some_command
#     promises_end

set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
WORK=$(mktemp -d "${TMPDIR:-/tmp}/enlace-path.XXXXXX")
PASSED=0
FAILED=0
# shellcheck source-path=SCRIPTDIR source=ports.sh
. "$ROOT/tests/path/ports.sh"

cleanup() {
    for pid_file in "$WORK"/node/*/pid "$WORK"/pids/*; do
        [ -f "$pid_file" ] && kill -9 "$(cat "$pid_file")" 2>/dev/null
    done
    if [ -n "${KEEP:-}" ]; then echo "kept: $WORK"; else rm -rf "$WORK"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# TERMS, when it is set, is a file of routes instead of the demonstration's.
# federation: keys and the demonstration's directory for six nodes. PORT: the first of their ports.
# PKI_DAYS: how long certificates last, for a test that moves the clock past the usual 30.
federation() {
    "$ROOT/certs/make_pki.sh" "$WORK/pki" ${PKI_DAYS:+--days "$PKI_DAYS"} >"$WORK/pki.log" 2>&1 || { cat "$WORK/pki.log"; exit 1; }
    "$ROOT/deploy/demo/make_directory.sh" "$WORK/pki" "$WORK/directory.txt" \
        --ports-from "${PORT:-$(free_ports)}" ${TERMS:+--terms "$TERMS"} >"$WORK/directory.log" 2>&1 ||
        { cat "$WORK/directory.log"; exit 1; }
    mkdir -p "$WORK/pids"
}

# node_address CODE
node_address() {
    awk -v code="$1" '$1 == "node" { split($2, parts, "/"); mine = parts[2] == code }
        mine && $1 == "address" { print $2; exit }' "$WORK/directory.txt"
}

node_network() {
    awk -v code="$1" '$1 == "node" { split($2, parts, "/"); if (parts[2] == code) { print parts[1]; exit } }' "$WORK/directory.txt"
}

# node_settings CODE: writes the settings file once; a test may append to it before node_start.
node_settings() {
    home=$WORK/node/$1
    mkdir -p "$home"
    [ -f "$home/enlaced.conf" ] && return
    cat >"$home/enlaced.conf" <<CONF
node = $(node_network "$1")/$1
listen = $(node_address "$1")
health_listen = unix:$home/health.sock
certificate = $WORK/pki/node/$1/tls.pem
key = $WORK/pki/node/$1/tls.key
ca = $WORK/pki/ca/all.pem
log_key = $WORK/pki/node/$1/log.key
witness_key = $WORK/pki/node/$1/witness.key
directory = $WORK/directory
data = $home/data
vault = $home/vault
CONF
}

# node_start CODE [PREFIX...]: starts it (PREFIX: strace, faketime ...) and waits until it is ready.
node_start() {
    code=$1
    shift
    node_settings "$code"
    home=$WORK/node/$code
    before=$(grep -c 'node.ready' "$home/log" 2>/dev/null || true)
    "$@" "$BUILD/bin/enlaced" "$home/enlaced.conf" >>"$home/log" 2>&1 &
    echo $! >"$home/pid"
    tries=0
    while ready=$(grep -c 'node.ready' "$home/log" 2>/dev/null); [ "${ready:-0}" -le "${before:-0}" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$(cat "$home/pid")" 2>/dev/null; then
            echo "node $code did not start:" >&2
            tail -5 "$home/log" >&2
            return 1
        fi
        sleep 0.05
    done
}

# node_stop CODE: orderly; the exit status of the node. node_kill CODE: SIGKILL.
node_stop() {
    pid=$(cat "$WORK/node/$1/pid")
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
}

node_kill() {
    pid=$(cat "$WORK/node/$1/pid")
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    return 0
}

node_log() {
    cat "$WORK/node/$1/log"
}

# later +25h COMMAND...: runs it as if it were so much later.
later() {
    offset=$1
    shift
    # In the background its process is the command's own: who is to be killed by its number.
    [ "$BASHPID" = "$$" ] || set -- exec "$@"
    [ "$1" = exec ] && shift && exec env LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 \
        "FAKETIME=$offset" "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "$@"
    env LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 "FAKETIME=$offset" \
        "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "$@"
}

# promise TEXT COMMAND...: one promise, kept when the command succeeds.
promise() {
    text=$1
    shift
    if "$@" >"$WORK/promise.log" 2>&1; then
        PASSED=$((PASSED + 1))
        echo "✔ $text"
    else
        FAILED=$((FAILED + 1))
        echo "✖ $text"
        sed 's/^/    /' "$WORK/promise.log" | tail -20
    fi
}

promises_end() {
    echo "$(basename "$0"): $PASSED passed, $FAILED failed"
    [ "$FAILED" -eq 0 ]
    exit $?
}
