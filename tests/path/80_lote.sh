#!/bin/bash
#
# 80_lote.sh: an institution that exchanges signed batches of rows. A referral goes out as a row, the
# simulated institution answers by batches, and refers people of its own; bad batches are refused and
# told to it; the adapter is killed meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
lote=$ROOT/adapters/lote

log_key() { awk -v code="$1" '$1 == "node" { mine = $2 == code } mine && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt"; }

profile() { # NAME MEMBER SYSTEM
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/system/cdmx.$2.$3/tls.pem
key = $WORK/pki/system/cdmx.$2.$3/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/$2
system = $3
official_certificate = $WORK/pki/official/cdmx.$2.enlace-01/tls.pem
official_key = $WORK/pki/official/cdmx.$2.enlace-01/tls.key
spool = $WORK/spool/$1
node_log = $(log_key cdmx/cdmx)
CONF
    mkdir -p "$WORK/spool" && mkdir -m 700 "$WORK/spool/$1"
}

signer() { # NAME: a certificate that signs batches
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -keyout "$WORK/$1.key" -out "$WORK/$1.pem" -subj "/CN=$1 (sintético)" 2>/dev/null)
}

profile mpi mpi-cdmx plataforma
profile styfe styfe adapter
signer enlace
signer institution
signer stranger
mkdir -p "$WORK/out" "$WORK/in"
cat >"$WORK/lote.conf" <<CONF
mapping = $lote/mappings/comun.map
outgoing = out
incoming = in
sign_certificate = enlace.pem
sign_key = enlace.key
signers = institution.pem
every_s = 1
CONF
document=$(sha256sum "$ROOT/deploy/demo/aviso-mpi-cdmx-2026-1.txt" | cut -d' ' -f1)
cat >"$WORK/referral.json" <<JSON
{"type": "Referral", "to": "cdmx/styfe", "urgency": "ordinary", "catalogue_code": "CAN-EMP-SDE",
 "purpose": "canalizacion", "legal_basis": "LPI-CDMX-2015",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$document"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "CAN-EMP-SDE", "cadence": {"count": 3, "period": "month"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"full_name": "=Persona, \"Sintética\""}},
                  {"subject": 0, "type": "contact", "fields": {"phone": "+525512345678"}}]}
JSON

adapter_start() {
    "$BUILD/bin/enlace-lote" --profile "$WORK/styfe.conf" --agency "$WORK/lote.conf" \
        >>"$WORK/adapter.log" 2>&1 &
    echo $! >"$WORK/pids/adapter"
}
adapter_kill() {
    kill -KILL "$(cat "$WORK/pids/adapter")" 2>/dev/null
    wait "$(cat "$WORK/pids/adapter")" 2>/dev/null
}
institution_start() { # ARGUMENTS...
    python3 "$lote/simulator.py" --from "$WORK/out" --to "$WORK/in" --cert "$WORK/institution.pem" \
        --key "$WORK/institution.key" --enlace "$WORK/enlace.pem" --state "$WORK/state.json" "$@" \
        >>"$WORK/institution.log" 2>&1 &
    echo $! >"$WORK/pids/institution"
}
institution_stop() {
    kill -TERM "$(cat "$WORK/pids/institution")" 2>/dev/null
    wait "$(cat "$WORK/pids/institution")" 2>/dev/null
}
submit() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json submit "$WORK/referral.json" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["message_id"])'; }
state_of() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$1" 2>/dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["state"])'; }
becomes() { # EXCHANGE STATE [TRIES]
    for ((i = 0; i < ${3:-100}; i++)); do
        [ "$(state_of "$1")" = "$2" ] && return 0
        sleep 0.1
    done
    echo "is $(state_of "$1")"
    tail -n 3 "$WORK/adapter.log" "$WORK/institution.log"
    return 1
}
has_reason() { # REASON: the institution was told
    for ((i = 0; i < 100; i++)); do
        grep -q "\"$1\"" "$WORK/state.json" 2>/dev/null && return 0
        sleep 0.1
    done
    cat "$WORK/state.json" "$WORK/adapter.log" | tail -n 5
    return 1
}

promise "the settings are understood before anything runs" \
    "$BUILD/bin/enlace-lote" --check --profile "$WORK/styfe.conf" --agency "$WORK/lote.conf"

exchange=$(submit)
adapter_start
is_sent() { compgen -G "$WORK/out/*.json.p7s" >/dev/null; }
no_custody() { sleep 2.5; is_sent && [ "$(state_of "$exchange")" != "in-custody" ]; }
promise "a row that the institution has not confirmed is in nobody's custody" no_custody
formula_is_text() { grep -q "'=Persona" "$WORK"/out/*.csv && grep -q "'+5255" "$WORK"/out/*.csv; }
promise "what a spreadsheet would run is text" formula_is_text
institution_start
promise "the institution's batches bring it to its end" becomes "$exchange" ended
reports() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$exchange" | grep -q '"occurrences": *3'; }
promise "each occurrence was reported" reports

adapter_kill
many=()
for _ in 1 2 3 4 5 6 7 8; do many+=("$(submit)"); done
adapter_start
for _ in 1 2 3 4 5 6; do
    sleep "0.$((RANDOM % 8 + 2))"
    adapter_kill
    adapter_start
done
all_end() { for one in "${many[@]}"; do becomes "$one" ended 200 || return 1; done; }
promise "killed six times, it loses none of eight" all_end
none_twice() { python3 - "$WORK/state.json" <<'PY'
import json, sys
state = json.load(open(sys.argv[1]))
assert all(n == 3 for n in state["done"].values()), state["done"]
PY
}
promise "and none is done twice as new" none_twice

institution_stop
institution_start --fault wrong-count --fault wrong-hash --fault wrong-signature --fault twice-key \
    --fault half --fault duplicate --fault unknown
faulty=$(submit)
promise "batches with faults do not stop what is right in them" becomes "$faulty" ended 200
for reason in manifest.rows manifest.sha256 signature.wrong manifest.json; do
    promise "the institution is told: $reason" has_reason $reason
done
another=$(submit)
promise "it goes on" becomes "$another" ended 200
third=$(submit)
promise "and on" becomes "$third" ended 200
promise "rows of another's folio, of no state and of no item are told one by one" has_reason exchange.unknown
promise "of no state" has_reason state.unknown
promise "of no item" has_reason state.item
why_beside() { ls "$WORK"/in/refused/*.why >/dev/null; }
promise "refused batches stand beside their reason" why_beside

institution_stop
sed -i "s#institution.pem#stranger.pem#" "$WORK/lote.conf"
adapter_kill
adapter_start
strange=$(submit)
institution_start
promise "a stranger's signature counts for nothing" has_reason signature.unknown_signer
still() { [ "$(state_of "$strange")" != ended ]; }
promise "and changes nothing" still
institution_stop
adapter_kill
sed -i "s#stranger.pem#institution.pem#" "$WORK/lote.conf"
adapter_start

institution_start --referrals 3
referred() {
    for ((i = 0; i < 100; i++)); do
        n=$("$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json inbox 2>/dev/null |
            python3 -c 'import json, sys; print(sum(d["type"] == "Referral" for d in json.load(sys.stdin)["deliveries"]))')
        [ "${n:-0}" = 3 ] && return 0
        sleep 0.2
    done
    echo "$n"; tail -5 "$WORK/adapter.log"
    return 1
}
promise "its own referrals reach the Mechanism, once" referred
healthy() { "$BUILD/bin/enlace-lote" --health --profile "$WORK/styfe.conf"; }
promise "it says how it fares" healthy
no_personal_data() { ! grep -i "Sintética\|5512345678" "$WORK/adapter.log" "$WORK/node/cdmx/log"; }
promise "no personal data is in any log" no_personal_data
institution_stop
stops() { kill -TERM "$(cat "$WORK/pids/adapter")" && wait "$(cat "$WORK/pids/adapter")"; }
promise "the adapter stops in order" stops
promises_end
