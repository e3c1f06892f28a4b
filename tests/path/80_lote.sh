#!/bin/bash
#
# 80_lote.sh: an institution that exchanges signed batches of rows. A referral goes out as a row, the
# simulated institution answers by batches, and refers people of its own; bad batches are refused and
# told to it; the adapter is killed meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
lote=$ROOT/adapters/lote

signer() { # NAME: a certificate that signs batches
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -keyout "$WORK/$1.key" -out "$WORK/$1.pem" -subj "/CN=$1 (sintético)" 2>/dev/null)
}

adapter_profile mpi mpi-cdmx plataforma
adapter_profile styfe styfe adapter
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

institution_start() { # ARGUMENTS...
    simulator_start python3 "$lote/simulator.py" --from "$WORK/out" --to "$WORK/in" \
        --cert "$WORK/institution.pem" --key "$WORK/institution.key" --enlace "$WORK/enlace.pem" \
        --state "$WORK/state.json" "$@"
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

exchange=$(submit "$WORK/referral.json")
adapter_start enlace-lote styfe lote.conf
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
for _ in 1 2 3 4 5 6 7 8; do many+=("$(submit "$WORK/referral.json")"); done
adapter_start enlace-lote styfe lote.conf
for _ in 1 2 3 4 5 6; do
    sleep "0.$((RANDOM % 8 + 2))"
    adapter_kill
    adapter_start enlace-lote styfe lote.conf
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

simulator_stop
institution_start --fault wrong-count --fault wrong-hash --fault wrong-signature --fault twice-key \
    --fault half --fault duplicate --fault unknown
faulty=$(submit "$WORK/referral.json")
promise "batches with faults do not stop what is right in them" becomes "$faulty" ended 200
for reason in manifest.rows manifest.sha256 signature.wrong manifest.json; do
    promise "the institution is told: $reason" has_reason $reason
done
another=$(submit "$WORK/referral.json")
promise "it goes on" becomes "$another" ended 200
third=$(submit "$WORK/referral.json")
promise "and on" becomes "$third" ended 200
promise "rows of another's folio, of no state and of no item are told one by one" has_reason exchange.unknown
promise "of no state" has_reason state.unknown
promise "of no item" has_reason state.item
why_beside() { ls "$WORK"/in/refused/*.why >/dev/null; }
promise "refused batches stand beside their reason" why_beside

simulator_stop
sed -i "s#institution.pem#stranger.pem#" "$WORK/lote.conf"
adapter_kill
adapter_start enlace-lote styfe lote.conf
strange=$(submit "$WORK/referral.json")
institution_start
promise "a stranger's signature counts for nothing" has_reason signature.unknown_signer
still() { [ "$(state_of "$strange")" != ended ]; }
promise "and changes nothing" still
simulator_stop
adapter_kill
sed -i "s#stranger.pem#institution.pem#" "$WORK/lote.conf"
adapter_start enlace-lote styfe lote.conf

institution_start --referrals 3
promise "its own referrals reach the Mechanism, once" referrals_become 3
healthy() { "$BUILD/bin/enlace-lote" --health --profile "$WORK/styfe.conf"; }
promise "it says how it fares" healthy
no_personal_data() { ! grep -i "Sintética\|5512345678" "$WORK/adapter.log" "$WORK/node/cdmx/log"; }
promise "no personal data is in any log" no_personal_data
simulator_stop
promise "the adapter stops in order" adapter_stop
promises_end
