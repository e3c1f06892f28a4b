#!/bin/bash
#
# 81_pgj.sh: a prosecutor's office that speaks XML over HTTPS. A request goes out and comes back with
# an opaque case number; the office is slow, broken and hostile in turn; the adapter is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
node_start pgj
pgj=$ROOT/adapters/pgj
port=$(free_ports $((24000 + RANDOM % 500 * 8)))
adapter_profile mpi mpi-cdmx plataforma
adapter_profile fgj pgj adapter pgj
agency_pki
cat >"$WORK/pgj.agency" <<CONF
mapping = $pgj/mappings/comun.map
schema = $pgj/pgj.xsd
url = https://127.0.0.1:$port
ca = agency-ca.pem
certificate = agency-client.pem
key = agency-client.key
timeout_ms = 2000
poll_ms = 300
poll_max_ms = 1000
CONF
cat >"$WORK/request.json" <<JSON
{"type": "MeasureRequest", "to": "cdmx/pgj", "urgency": "ordinary", "catalogue_code": "PRO-JUR-CAR",
 "purpose": "acceso-a-la-justicia", "legal_basis": "LPPDDHP-29",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "ordinary"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "PRO-JUR-CAR", "cadence": {"count": 4, "period": "month"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"full_name": "Persona <Sintética> & \"otra\""}},
                  {"subject": 0, "type": "contact", "fields": {"safe_channel": "correo"}}]}
JSON
office() {
    simulator_start python3 "$pgj/simulator.py" --port "$port" --cert "$WORK/agency-server.pem" \
        --key "$WORK/agency-server.key" --ca "$WORK/agency-ca.pem" --schema "$pgj/pgj.xsd" \
        --state "$WORK/state.json" "$@"
}

promise "the settings are understood before anything runs" \
    "$BUILD/bin/enlace-pgj" --check --profile "$WORK/fgj.conf" --agency "$WORK/pgj.agency"
adapter_start enlace-pgj fgj pgj.agency
exchange=$(submit "$WORK/request.json")
not_taken() { sleep 2; case $(state_of "$exchange") in sent | received) ;; *) return 1 ;; esac; }
promise "while the office is away nobody has custody" not_taken
office
promise "the office takes it and brings it to its end" becomes "$exchange" ended 200
has_case() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json inbox --full 2>/dev/null |
        python3 -c 'import json, sys
fields = [f for d in json.load(sys.stdin)["deliveries"] for c in d["compartments"] for f in c["fields"] or []]
assert any(f["path"] == "legal.carpeta" and f["text"].startswith("CI-FCH/CUH-8/UI-2 S/D/") for f in fields), fields'
}
promise "the case number comes back as opaque text" has_case

simulator_stop
office --fault slow --fault 500 --fault 503 --fault other-message --fault lost-answer --fault doctype --fault bomb --fault cut --fault wrong-answer --fault foreign --fault again
many=()
for _ in 1 2 3 4; do many+=("$(submit "$WORK/request.json")"); done
for _ in 1 2 3; do
    sleep 1
    adapter_kill
    adapter_start enlace-pgj fgj pgj.agency
done
all_end() { for one in "${many[@]}"; do becomes "$one" ended 600 || return 1; done; }
promise "an office that is slow, down, wrong and hostile loses nothing" all_end
promise "a document type is refused" logged xml.doctype
promise "a bomb is refused" logged "xml.malformed\|xml.depth"
promise "a status for another agency's exchange is refused" logged exchange.unknown
is_aside() { grep -q exchange.unknown "$WORK"/spool/*/adapter/aside/*.why; }
promise "and kept for a person beside its reason" is_aside
counted() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "${many[0]}" |
        python3 -c 'import json, sys; assert json.load(sys.stdin)["items"][0]["occurrences"] == 4'
}
promise "each occurrence counts once" counted

simulator_stop
office --referrals 2
promise "its own referrals reach the Mechanism, once" referrals_become 2
no_personal_data() { ! grep -i "Sintética\|CI-FCH" "$WORK/adapter.log" "$WORK"/node/*/log; }
promise "no personal data is in any log" no_personal_data
promise "the adapter stops in order" adapter_stop
simulator_stop
promises_end
