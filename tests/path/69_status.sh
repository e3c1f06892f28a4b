#!/bin/bash
#
# 69_status.sh: how a node is doing, asked in two ways: by an operator's certificate and by
# Prometheus on this machine. What needs doing is said first; nothing of a message is said at all.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7790
node_settings cdmx
echo "metrics_listen = unix:$WORK/metrics.sock" >>"$WORK/node/cdmx/enlaced.conf"
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE MEMBER CREDENTIALS [SYSTEM]
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/$3/tls.pem
key = $WORK/pki/$3/tls.key
ca = $WORK/pki/ca/all.pem
member = $2
${4:+system = $4}
spool = $WORK/spool-$1
node_log = $(log_key cdmx/cdmx)
CONF
}
as() { timeout 20 "$enlace" --profile "$WORK/$1.conf" "${@:2}" 2>&1; }
status() { as operator status; }
metrics() { curl -sf --max-time 10 --unix-socket "$WORK/metrics.sock" http://localhost/metrics; }
metric() { # NAME{LABELS}: its value
    metrics | awk -v name="$1" 'index($0, name " ") == 1 { print $NF }'
}
is() { [ "$(metric "$1")" = "$2" ] || { metrics | grep "^${1%%\{*}"; return 1; }; }
eventually() { for _ in $(seq 200); do "$@" && return 0; sleep 0.1; done; return 1; }
# The demonstration's certificates are of 30 days: that is told, and is nothing for today.
all_well() { as operator status >"$WORK/said" && ! grep -q '✖' "$WORK/said" && grep -q '^! Al certificado' "$WORK/said"; }
not_for() { ! as "$1" status >"$WORK/said" && grep -q audit.not_allowed "$WORK/said"; }
counted() { is 'enlace_messages_total{way="sent",urgency="ordinary"}' 3; }
drained() { [ -z "$(metric 'enlace_queue_messages{destination="node:cdmx/ssc",urgency="ordinary"}')" ]; }
linked() { is 'enlace_link_up{peer="cdmx/ssc",urgency="ordinary"}' 1; }
refused_counted() {
    sed 's/"cdmx\/ssc"/"cdmx\/contraloria"/' "$ROOT/deploy/demo/solicitud.json" >"$WORK/bad.json"
    ! as mpi submit "$WORK/bad.json" && is enlace_refusals_total 1
}
peer_is_missed() {
    ! as operator status >"$WORK/said" && grep -q 'No se alcanza al nodo de cdmx/ssc' "$WORK/said"
}
first_line_says_it() { sed -n 3p "$WORK/said" | grep -q '^✖ No se alcanza'; }
json_says_it() {
    ! as operator --json status >"$WORK/said.json"
    python3 - "$WORK/said.json" <<'PY'
import json, sys
said = json.load(open(sys.argv[1]))
assert said["attention"][0]["grade"] == "now" and said["attention"][0]["remedy"], said["attention"]
names = {f["name"] for f in said["figures"]}
assert {"enlace_queue_oldest_seconds", "enlace_certificate_expires_seconds"} <= names, names
PY
}
same_names() { # the two ways name the same figures
    metrics | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' | sort >"$WORK/names.http"
    python3 -c 'import json, sys
print("\n".join(sorted({f["name"] for f in json.load(open(sys.argv[1]))["figures"]})))' \
        "$WORK/said.json" >"$WORK/names.rpc"
    diff "$WORK/names.http" "$WORK/names.rpc"
}
says_no_value() { ! grep -iE 'Sintétic|SINTETICO|PRO-COD|[0-9a-f]{8}-[0-9a-f]{4}-7' "$1"; }
nothing_personal() { metrics >"$WORK/metrics" && says_no_value "$WORK/metrics" && says_no_value "$WORK/said"; }
elsewhere_is_nothing() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$WORK/metrics.sock" http://localhost/)" = 404 ] &&
        [ "$(curl -s -o /dev/null -w '%{http_code}' -d x --unix-socket "$WORK/metrics.sock" http://localhost/metrics)" = 404 ]
}
not_beyond_this_machine() {
    sed 's|^metrics_listen.*|metrics_listen = 0.0.0.0:9464|; s|/node/cdmx/|/node/other/|' \
        "$WORK/node/cdmx/enlaced.conf" >"$WORK/beyond.conf"
    ! timeout 20 "$BUILD/bin/enlaced" "$WORK/beyond.conf" >"$WORK/beyond.log" 2>&1
}
}
profile operator cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-02
profile official cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-01
profile mpi cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma
profile auditor cdmx/contraloria auditor/cdmx.contraloria.auditor-01

promise "a node that is well says so to its operator" all_well
promise "and to an auditor" as auditor status
promise "not to an official without that role" not_for official
promise "nor to a partner's system" not_for mpi
for _ in 1 2 3; do as mpi submit "$ROOT/deploy/demo/solicitud.json" >/dev/null; done
promise "what was sent is counted" counted
promise "the queue to the peer is empty again" eventually drained
promise "over a link that is up" eventually linked
promise "a refusal is counted" refused_counted
node_kill ssc
sed 's/"urgency": "ordinary"/"urgency": "urgent"/' "$ROOT/deploy/demo/solicitud.json" >"$WORK/urgent.json"
as mpi submit "$WORK/urgent.json" >"$WORK/submitted" || cat "$WORK/submitted"
promise "an urgent message that waits for a peer out of reach needs somebody now" eventually peer_is_missed
promise "as the first thing that is said" first_line_says_it
promise "for programs as well, with the remedy" json_says_it
promise "both ways name the same figures" same_names
promise "no value of a message in either" nothing_personal
promise "nothing else is served there" elsewhere_is_nothing
promise "nor beyond this machine" not_beyond_this_machine
promises_end
