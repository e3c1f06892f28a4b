#!/bin/bash
#
# 93_recall.sh: what was sent is taken back: purged under an official's signature, and then unreadable
# on the receiver's disks; kept for a coded reason; not answered. What crosses on the way ends in one
# state on both sides.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx || exit 1
node_start ssc || exit 1
adapter_profile mpi mpi-cdmx plataforma
adapter_profile ssc ssc adapter ssc

request() { # NAME: a request whose text can be looked for on disks
    cat >"$WORK/$1.json" <<JSON
{"type": "MeasureRequest", "to": "cdmx/ssc", "urgency": "ordinary", "catalogue_code": "PRO-COD-VIG",
 "purpose": "proteccion", "legal_basis": "LPPDDHP-29",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "ordinary"},
 "subjects": [{"role": "person", "local": "${2:-11111111-1111-4111-8111-111111111111}"}],
 "items": [{"code": "PRO-COD-VIG", "cadence": {"count": 4, "period": "week"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"alias": "Canario-$1-alias"}}]}
JSON
    submit "$WORK/$1.json"
}
mpi() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" "$@"; }
ssc() { "$BUILD/bin/enlace" --profile "$WORK/ssc.conf" "$@"; }
# state SIDE EXCHANGE; until SIDE EXCHANGE STATE: of the first item, as that side's node has it.
state() { "$1" --json track "$2" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["state"])'; }
until_state() {
    for ((tries = 0; tries < 200; tries++)); do
        [ "$(state "$1" "$2")" = "$3" ] && return
        sleep 0.1
    done
    echo "$1 has $(state "$1" "$2") instead of $3"
    return 1
}
# SSC takes what waits until it has taken this exchange.
taken() {
    until_state ssc "$1" received && ssc inbox --ack --wait 300 >/dev/null && until_state mpi "$1" in-custody
}
readable() { # NODE NAME: can the text be recovered from that node's disk and keys?
    python3 - "$ROOT/tests/path" "$WORK/node/$1" "Canario-$2-alias" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import forensic
sys.exit(0 if sys.argv[3].encode() in forensic.recover([f"{sys.argv[2]}/data"], [f"{sys.argv[2]}/vault"]) else 1)
PY
}
gone() {
    for ((tries = 0; tries < 100; tries++)); do
        readable "$1" "$2" || return 0
        sleep 0.2
    done
    return 1
}
refused() { # REASON COMMAND...
    wanted=$1
    shift
    "$@" >"$WORK/refused" 2>&1 && return 1
    grep -q "$wanted" "$WORK/refused" || { cat "$WORK/refused"; return 1; }
}
erased_receipt() {
    mpi --json receipt "$1" | python3 -c 'import json, sys; sys.exit("R1" not in json.dumps(json.load(sys.stdin)))'
}

answered() { ssc act purge "$1" --evidence "$0" && until_state mpi "$1" purged; }
undelivered() { ! ssc --json inbox --wait 500 | grep "\"$1\""; }

# ---- purged ----

other=$(request vecino 22222222-2222-4222-8222-222222222222)
one=$(request retirado)
promise "requests in the executor's custody" taken "$one"
promise "their texts can be read on its disks by who holds disk and keys (control)" readable ssc retirado
promise "a purge that nobody asked for is refused" refused life.not_from_here ssc act purge "$one" --evidence "$0"
promise "one message of an exchange is not recalled" refused recall.regards \
    mpi submit <(sed -e 's/MeasureRequest/Recall/; s/"items".*/"reason": "error", "exchange_id": "'"$one"'", "regards": "'"$other"'",/' \
        -e '/"compartments"/d; /"subjects"/d; $d' "$WORK/retirado.json" | sed '$s/,$/}/')
promise "the requester recalls it, signed" mpi withdraw "$one" --reason revocacion-del-consentimiento
promise "both sides know it as recalled" until_state ssc "$one" recalled
promise "nothing else goes on meanwhile" refused life.not_from_here ssc act accept "$one"
promise "a purge without the evidence's hash is refused" refused evidence.missing ssc act purge "$one"
promise "an official certifies the purge" ssc act purge "$one" --evidence "$0"
promise "the requester has the certificate" until_state mpi "$one" purged
promise "its texts cannot be recovered from the executor's disks any more" gone ssc retirado
promise "those of another exchange in the same shard can" readable ssc vecino
promise "leaf and receipt stay, and verify" erased_receipt "$one"
promise "it is over: a second recall finds nothing" refused withdraw.nothing mpi withdraw "$one"
promise "by itself neither" refused life.not_from_here mpi withdraw "$one" --only

# ---- kept ----

kept=$(request conservado)
promise "another one in custody" taken "$kept"
mpi withdraw "$kept" >/dev/null
promise "it is recalled" until_state ssc "$kept" recalled
promise "keeping without a reason is refused" refused reason.missing ssc act keep "$kept"
promise "an official says why the agency keeps it" ssc act keep "$kept" --reason orden-judicial
promise "the requester knows that it is kept" until_state mpi "$kept" kept
promise "and it is still there" readable ssc conservado

# ---- what crosses on the way ----

crossed=$(request cruzado)
promise "a third one in custody" taken "$crossed"
node_kill ssc
mpi withdraw "$crossed" >/dev/null
node_stop cdmx
node_start ssc || exit 1
ssc act accept "$crossed" >/dev/null
node_start cdmx || exit 1
promise "an acceptance that crossed the recall moves nothing" until_state ssc "$crossed" recalled
promise "and does not stand in the way of what follows" \
    answered "$crossed"
promise "nor does it keep the bodies" gone ssc cruzado

# ---- entered in error ----

wrong=$(request equivocado)
promise "one that no system took yet" until_state ssc "$wrong" received
promise "it was entered in error" mpi act entered-in-error "$wrong"
promise "both sides know" until_state ssc "$wrong" entered-in-error
promise "its texts go from the receiver's disks by themselves" gone ssc equivocado
promise "it is delivered to nobody" undelivered MeasureRequest
late=$(request tarde)
promise "one in custody" taken "$late"
promise "after custody only a recall takes it back" refused life.not_from_here mpi act entered-in-error "$late"

# ---- a database put back: what was taken since comes again, and is no news ----

redelivered() { # ARGUMENTS...: all of it had been settled, what was purged is not among it
    ssc --json inbox --wait 500 --ack "$@" | python3 -c 'import json, sys
d = json.load(sys.stdin)["deliveries"]
ids = {x["message_id"] for x in d}
sys.exit(not d or not all(x["redelivered"] and x["settled_before"] for x in d) or sys.argv[1] in ids or sys.argv[2] not in ids)' "$one" "$kept"
}
before=$(state mpi "$kept")
ssc inbox --ack --wait 300 >/dev/null
promise "what was taken comes again, marked; what was purged does not" redelivered --from 0
promise "it is settled by an acknowledgement, and custody is not taken twice" undelivered Measure
promise "nothing moved by it" test "$(state mpi "$kept")" = "$before"
promise "by time, too" redelivered --since 2026-01-01T00:00:00-06:00
promise "from the future on there is nothing" grep -q "otra vez 0 mensajes" <(ssc inbox --wait 200 --from 99999999)
promise "an instant without a zone is refused" refused "con zona" ssc inbox --since 2026-01-01T00:00:00

# ---- consent withdrawn: everybody who received something of that person ----

node_start pgj || exit 1
adapter_profile pgj pgj adapter pgj
withdrawn=$(request persona 33333333-3333-4333-8333-333333333333)
sed -e 's/"to": "cdmx.ssc"/"to": "cdmx\/pgj"/; s/PRO-COD-VIG/PRO-JUR-CAR/g; s/"proteccion"/"acceso-a-la-justicia"/; s/"cadence": {[^}]*}/"cadence": {"count": 4, "period": "month"}/' \
    -e 's/{"subject": 0, "type": "identity".*/{"subject": 0, "type": "identity", "fields": {"full_name": "Canario-fiscal-alias"}}]}/' \
    "$WORK/persona.json" >"$WORK/fiscal.json"
second=$(submit "$WORK/fiscal.json")
[ -n "$second" ] || { mpi submit "$WORK/fiscal.json"; exit 1; }
bystander=$(request ajeno 44444444-4444-4444-8444-444444444444)
promise "one person's data with two institutions, another's with one" \
    eval 'until_state mpi "$withdrawn" received && until_state mpi "$second" received && until_state mpi "$bystander" received'
promise "consent withdrawn: one order, both are asked" mpi withdraw "$withdrawn"
promise "the first" until_state mpi "$withdrawn" recalled
promise "and the second" until_state mpi "$second" recalled
promise "nobody else's" until_state mpi "$bystander" received
promise "again there is nothing left to ask" refused withdraw.nothing mpi withdraw "$second"

node_stop cdmx
node_stop ssc
node_stop pgj
promises_end
