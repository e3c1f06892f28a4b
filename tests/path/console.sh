# shellcheck shell=bash
# console.sh - sourced after lib.sh by the stories that a browser plays: what they need, who they are.

need_browser() {
    command -v "${CHROMIUM:-chromium}" >/dev/null || { echo "no chromium"; exit 77; }
    [ -d "$ROOT/tests/interop/node_modules/playwright-core" ] ||
        { echo "make interop-modules installs playwright-core"; exit 77; }
    mkdir -p "$BUILD/console"
    export WORK ROOT BUILD
}

log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE CODE MEMBER CREDENTIALS [SYSTEM [OFFICIAL]]
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address "$2")
node = spiffe://enlace.cdmx/node/$2
certificate = $WORK/pki/$4/tls.pem
key = $WORK/pki/$4/tls.key
ca = $WORK/pki/ca/all.pem
member = $3
${5:+system = $5}
${6:+official_certificate = $WORK/pki/official/$6/tls.pem}
${6:+official_key = $WORK/pki/official/$6/tls.key}
spool = $WORK/spool-$1
node_log = $(log_key "cdmx/$2")
log = $(log_key cdmx/cdmx)
log = $(log_key cdmx/ssc)
CONF
}

# story FILE.mjs: its promises are counted with the others.
story() {
    timeout 220 node "$ROOT/tests/path/$1" | tee "$WORK/story.log"
    PASSED=$((PASSED + $(grep -c '^✔' "$WORK/story.log")))
    FAILED=$((FAILED + $(grep -c '^✖' "$WORK/story.log")))
    promise "the browser's story came to its end" grep -q 'passed' "$WORK/story.log"
}
