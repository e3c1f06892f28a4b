#!/bin/bash
#
# 87_reconcile.sh: what an adapter keeps is held against its node's log. Its spool is lost in part,
# altered, or says more than the log; its books are deleted: each difference is named, what can be
# healed is, and the institution gets nothing twice as new.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
lote=$ROOT/adapters/lote
adapter_profile mpi mpi-cdmx plataforma
adapter_profile styfe styfe adapter
for name in enlace institution; do
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -keyout "$WORK/$name.key" -out "$WORK/$name.pem" -subj "/CN=$name (sintético)" 2>/dev/null)
done
mkdir -p "$WORK/out" "$WORK/in"
cat >"$WORK/lote.conf" <<CONF
mapping = $lote/mappings/comun.map
outgoing = out
incoming = in
sign_certificate = enlace.pem
sign_key = enlace.key
signers = institution.pem
every_s = 1
reconcile_s = 5
CONF
cat >"$WORK/referral.json" <<JSON
{"type": "Referral", "to": "cdmx/styfe", "urgency": "ordinary", "catalogue_code": "CAN-EMP-SDE",
 "purpose": "canalizacion", "legal_basis": "LPI-CDMX-2015",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "CAN-EMP-SDE", "cadence": {"count": 3, "period": "month"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"full_name": "Persona Sintética"}}]}
JSON
spool=$WORK/spool/styfe/adapter

mine() { "$BUILD/bin/enlace" --profile "$WORK/styfe.conf" "$@" audit --mine; }
# finds STATUS [WORDS...]: how it ends, and lines that it says.
finds() {
    local status=$1 word
    shift
    mine >"$WORK/mine" 2>&1
    [ $? = "$status" ] || { cat "$WORK/mine"; return 1; }
    for word in "$@"; do grep -qE -- "$word" "$WORK/mine" || { cat "$WORK/mine"; return 1; }; done
}
agrees() {
    for ((i = 0; i < 150; i++)); do mine >"$WORK/mine" 2>&1 && return 0; sleep 0.2; done
    cat "$WORK/mine"
    tail -n 20 "$WORK/adapter.log"
    return 1
}
counted() { # KIND N: in JSON
    mine --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d[sys.argv[1]] == int(sys.argv[2]), d' "$@"
}
receipts() { find "$spool/receipts" -type f | sort; }
id_of() { basename "$(receipts | sed -n "$1p")"; }
start() { adapter_start enlace-lote styfe lote.conf; }

simulator_start python3 "$lote/simulator.py" --from "$WORK/out" --to "$WORK/in" --state "$WORK/state.json" \
    --cert "$WORK/institution.pem" --key "$WORK/institution.key" --enlace "$WORK/enlace.pem" --referrals 1
start
exchanges=()
for _ in 1 2 3; do exchanges+=("$(submit "$WORK/referral.json")"); done
all_end() { for one in "${exchanges[@]}"; do becomes "$one" ended 300 || return 1; done; }
promise "three referrals reach their end" all_end
promise "what the adapter keeps is what its log holds, proven record by record" agrees
said_so() { logged 'reconcile.done .*differences=0'; }
promise "the adapter finds the same by itself at its start" said_so
in_json() { counted missing_here 0 && counted differing 0 && counted missing_there 0; }
promise "and programs can read it" in_json

adapter_stop
rm -f "$spool/receipts/$(id_of 2)" "$spool/receipts/$(id_of 4)"
sed -i "/^${exchanges[1]} /d" "$spool/handled.log"
promise "receipts and a delivery that are lost are missing here" \
    finds 1 'falta aquí +enviado' "falta aquí +recibido  ${exchanges[1]}" '3 faltan aquí, 0 faltan allá, 0 son'
start
promise "the adapter gets both from its node: all agrees" agrees
once() { python3 - "$WORK/state.json" "$1" <<'PY'
import json, sys
state = json.load(open(sys.argv[1]))
assert all(n == 3 for n in state["done"].values()) and len(state["done"]) == 3, state["done"]
if sys.argv[2] == "rows":
    assert all(n == 1 for n in state["messages"].values()), state["messages"]
PY
}
promise "the institution got nothing a second time" once rows

adapter_stop
sed -i '0,/^leaf ........../s/^\(leaf .........\)\(.\)/\1Z/' "$spool/receipts/$(id_of 3)"
changed=$(id_of 5)
sed "s/$(id_of 6)/$changed/" "$spool/receipts/$(id_of 6)" >"$WORK/other" && cp "$WORK/other" "$spool/receipts/$changed"
promise "an altered receipt, and one of another message, differ" finds 1 'distinto +enviado .*receipt' '2 son distintos'
start
promise "both are fetched anew" agrees

invented=${changed%????}dead
sed "s/$changed/$invented/" "$spool/receipts/$changed" >"$spool/receipts/$invented"
promise "a receipt of what the log does not hold is missing there" finds 1 "falta allá .*$invented"
unhealthy() { "$BUILD/bin/enlace-lote" --health --profile "$WORK/styfe.conf" | grep -q '✖ diferencias'; }
is_told() {
    logged "reconcile.left msg=$invented" 300 || return 1
    for ((i = 0; i < 100; i++)); do unhealthy && return 0; sleep 0.1; done
    return 1
}
promise "nobody can heal that: a person is told" is_told
rm -f "$spool/receipts/$invented"

adapter_stop
rm -f "$spool/handled.log" "$spool"/sent.book
promise "without its books it knows of no delivery" finds 1 'falta aquí +recibido'
start
promise "it asks for all of them and is whole again" agrees
promise "the institution knows them: nothing is done twice" once "done"
settled() { counted waiting 0; }
promise "nothing stays owed" settled

# Only what is its own.
other() {
    adapter_profile dif dif adapter
    "$BUILD/bin/enlace" --profile "$WORK/dif.conf" --json audit --mine |
        python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["sent"] == 0 and d["received"] == 0, d'
}
promise "another member's system sees none of it" other
not_open() { ! "$BUILD/bin/enlace" --profile "$WORK/styfe.conf" log export "$WORK/copy" --purpose prueba; }
promise "and a system reads no whole log" not_open
is_logged() { "$BUILD/bin/enlace" --profile "$WORK/styfe.conf" audit --mine >/dev/null &&
    grep -q 'audit.closed.*purpose=conciliacion' "$WORK/node/cdmx/log"; }
promise "each reconciliation is a reading that the log holds, with its purpose" is_logged
promise "the adapter stops in order" adapter_stop
simulator_stop
promises_end
