# shellcheck shell=bash
# adapter.sh - sourced, after lib.sh, by the tests of agencies' adapters: profiles, an agency's own
# certificates, submitting and tracking.

log_key() { awk -v code="$1" '$1 == "node" { mine = $2 == code } mine && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt"; }

# adapter_profile NAME MEMBER SYSTEM [NODE]: $WORK/NAME.conf
adapter_profile() {
    local node=${4:-cdmx} other
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address "$node")
node = spiffe://enlace.cdmx/node/$node
certificate = $WORK/pki/system/cdmx.$2.$3/tls.pem
key = $WORK/pki/system/cdmx.$2.$3/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/$2
system = $3
official_certificate = $WORK/pki/official/cdmx.$2.enlace-01/tls.pem
official_key = $WORK/pki/official/cdmx.$2.enlace-01/tls.key
seal_certificate = $WORK/pki/system/cdmx.$2.$3/seal.pem
seal_key = $WORK/pki/system/cdmx.$2.$3/seal.key
spool = $WORK/spool/$1
node_log = $(log_key "cdmx/$node")
CONF
    for other in cdmx ssc pgj sedesa; do
        [ "$other" = "$node" ] && continue
        echo "log = $(log_key "cdmx/$other")"
        echo "peer = cdmx/${other/#cdmx/mpi-cdmx} $(log_key "cdmx/$other" | cut -d+ -f1)"
    done >>"$WORK/$1.conf"
    mkdir -p "$WORK/spool" && mkdir -m 700 "$WORK/spool/$1"
}

# agency_pki: the agency's own authority, its server and the adapter's certificate towards it.
agency_pki() {
    (
        umask 077
        cd "$WORK" || exit 1
        new_key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }
        new_key -x509 -days 2 -keyout agency-ca.key -out agency-ca.pem -subj "/CN=Institución sintética"
        for name in agency-server agency-client; do
            new_key -keyout $name.key -out $name.csr -subj "/CN=$name"
            openssl x509 -req -in $name.csr -CA agency-ca.pem -CAkey agency-ca.key -CAcreateserial \
                -days 2 -out $name.pem -extfile <(echo "subjectAltName=IP:127.0.0.1") 2>/dev/null
        done
    )
}

# adapter_start PROGRAM PROFILE AGENCY; adapter_kill; adapter_stop: the latter in good order.
adapter_start() {
    "$BUILD/bin/$1" --profile "$WORK/$2.conf" --agency "$WORK/$3" >>"$WORK/adapter.log" 2>&1 &
    echo $! >"$WORK/pids/adapter"
}
adapter_kill() {
    kill -KILL "$(cat "$WORK/pids/adapter")" 2>/dev/null
    wait "$(cat "$WORK/pids/adapter")" 2>/dev/null
}
adapter_stop() { kill -TERM "$(cat "$WORK/pids/adapter")" && wait "$(cat "$WORK/pids/adapter")"; }

# simulator_start COMMAND...; simulator_stop
simulator_start() {
    "$@" >>"$WORK/simulator.log" 2>&1 &
    echo $! >"$WORK/pids/simulator"
}
simulator_stop() {
    kill -TERM "$(cat "$WORK/pids/simulator")" 2>/dev/null
    wait "$(cat "$WORK/pids/simulator")" 2>/dev/null
}

# submit FILE: as the Mechanism; prints the exchange. state_of EXCHANGE: of its first item.
submit() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json submit "$1" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["message_id"])'
}
state_of() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$1" 2>/dev/null |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["state"])' 2>/dev/null
}
# becomes EXCHANGE STATE [TENTHS]
becomes() {
    for ((i = 0; i < ${3:-150}; i++)); do
        [ "$(state_of "$1")" = "$2" ] && return 0
        sleep 0.1
    done
    echo "is $(state_of "$1")"
    tail -n 3 "$WORK/adapter.log" "$WORK/simulator.log"
    return 1
}
# logged PATTERN [TENTHS]: the adapter's log says so.
logged() {
    for ((i = 0; i < ${2:-100}; i++)); do
        grep -q "$1" "$WORK/adapter.log" && return 0
        sleep 0.1
    done
    tail -n 5 "$WORK/adapter.log"
    return 1
}
# referrals_become N: so many referrals wait for the Mechanism.
referrals_become() {
    local n
    for ((i = 0; i < 60; i++)); do
        n=$("$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json inbox 2>/dev/null |
            python3 -c 'import json, sys; print(sum(d["type"] == "Referral" for d in json.load(sys.stdin)["deliveries"]))')
        [ "${n:-0}" = "$1" ] && return 0
        sleep 0.2
    done
    echo "$n wait"
    tail -n 5 "$WORK/adapter.log"
    return 1
}
aviso_sha256() { sha256sum "$ROOT/deploy/demo/aviso-mpi-cdmx-2026-1.txt" | cut -d' ' -f1; }
