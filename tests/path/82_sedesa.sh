#!/bin/bash
#
# 82_sedesa.sh: a hospital that speaks HL7 FHIR R4. A request goes out as a transaction and comes back
# as Tasks; the hospital is slow, broken, hostile and of another version in turn; the adapter is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
node_start sedesa
sedesa=$ROOT/adapters/sedesa
port=$(free_ports $((24000 + RANDOM % 500 * 8)))
adapter_profile mpi mpi-cdmx plataforma
adapter_profile hospital sedesa adapter sedesa
agency_pki
cat >"$WORK/sedesa.agency" <<CONF
mapping = $sedesa/mappings/comun.map
url = https://127.0.0.1:$port/fhir
ca = agency-ca.pem
certificate = agency-client.pem
key = agency-client.key
timeout_ms = 2000
poll_ms = 300
poll_max_ms = 1000
CONF
instant() { date -u -d "${1:-now}" +%Y-%m-%dT%H:%M:%SZ; }
cat >"$WORK/request.json" <<JSON
{"type": "MeasureRequest", "to": "cdmx/sedesa", "urgency": "ordinary", "catalogue_code": "PRO-PSI-SEG",
 "purpose": "atencion-a-la-salud", "legal_basis": "LPPDDHP-29",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "ordinary"},
 "clocks": [{"id": "F6", "anchored_at": "$(instant)", "due_at": "$(instant "30 days")"}],
 "subjects": [{"role": "person"}],
 "items": [{"code": "PRO-PSI-SEG", "cadence": {"count": 3, "period": "month"}}],
 "compartments": [
  {"subject": 0, "type": "identity", "fields": {"full_name": "Persona Sintética \"Ñ\" \\\\ <otra>",
   "curp": "MOTR930411HJCRMN03", "birth_date": "1993-04-11", "sex": "hombre"}},
  {"subject": 0, "type": "contact", "fields": {"phone": "+525512345678", "safe_channel": "correo",
   "safe_hours": "9 a 12", "interpreter": "náhuatl"}},
  {"subject": 0, "type": "health", "fields": {"needs": "Apoyo sintético", "allergies": "Penicilina",
   "medication": "Ninguno"}}]}
JSON
hospital() {
    simulator_start python3 "$sedesa/simulator.py" --port "$port" --cert "$WORK/agency-server.pem" \
        --key "$WORK/agency-server.key" --ca "$WORK/agency-ca.pem" --state "$WORK/hospital" "$@"
}

promise "the settings are understood before anything runs" \
    "$BUILD/bin/enlace-sedesa" --check --profile "$WORK/hospital.conf" --agency "$WORK/sedesa.agency"
adapter_start enlace-sedesa hospital sedesa.agency
exchange=$(submit "$WORK/request.json")
not_taken() { sleep 2; case $(state_of "$exchange") in sent | received) ;; *) return 1 ;; esac; }
promise "while the hospital is away nobody has custody" not_taken
hospital
promise "the hospital takes it and brings it to its end" becomes "$exchange" ended 250
counted() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$1" |
        python3 -c 'import json, sys; n = json.load(sys.stdin)["items"][0]["occurrences"]; assert n == 3, n'
}
promise "each session counts once" counted "$exchange"
answered() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json inbox --full 2>/dev/null |
        python3 -c 'import json, sys
fields = [f for d in json.load(sys.stdin)["deliveries"] for c in d["compartments"] for f in c["fields"] or []]
assert any(f["path"] == "health.needs" and "mensual" in f["text"] for f in fields), fields'
}
promise "what the hospital answers of the person comes back" answered
whole() {
    python3 - "$WORK/request.json" "$WORK/hospital/state.json" <<'PY'
import json, sys
asked = json.load(open(sys.argv[1]))
store = json.load(open(sys.argv[2]))["resources"].values()
kinds = sorted(r["resourceType"] for r in store)
assert kinds == ["Patient", "ServiceRequest", "Task"], kinds
said = json.dumps(list(store), ensure_ascii=False)
for compartment in asked["compartments"]:
    for name, value in compartment["fields"].items():
        value = {"hombre": "male"}.get(value, value)
        assert json.dumps(value, ensure_ascii=False) in said, name
task = next(r for r in store if r["resourceType"] == "Task")
assert task["focus"]["reference"].startswith("ServiceRequest/")
assert task["restriction"]["period"]["end"][-6:] == "-06:00"
assert task["owner"]["identifier"]["value"] == "cdmx/sedesa"
PY
}
promise "every field of the route arrives, with its deadline, once" whole

simulator_stop
faults=(other-version slow 500 503 throttled wrong-answer too-few lost-answer half
    elsewhere bomb duplicate-keys huge-number other-type no-zone foreign twice half-page)
hospital "${faults[@]/#/--fault=}"
adapter_kill
adapter_start enlace-sedesa hospital sedesa.agency
many=()
for _ in 1 2 3 4; do many+=("$(submit "$WORK/request.json")"); done
# Each life begins without the pauses that the one before had earned.
for _ in 1 2 3 4 5 6 7 8; do
    sleep 1.2
    adapter_kill
    adapter_start enlace-sedesa hospital sedesa.agency
done
all_end() { for one in "${many[@]}"; do becomes "$one" ended 600 || return 1; done; }
promise "a hospital that is slow, down, wrong and hostile loses nothing" all_end
for reason in fhir.version fhir.depth fhir.json fhir.type task.time exchange.unknown fhir.next; do
    promise "it says so: $reason" logged "$reason" 200
done
is_aside() { grep -q exchange.unknown "$WORK"/spool/*/adapter/aside/*.why; }
promise "a Task of another agency's exchange is kept for a person beside its reason" is_aside
promise "a session that was told twice counts once" counted "${many[1]}"
once() {
    python3 - "$WORK/hospital/state.json" <<'PY'
import json, sys
names = [r["resourceType"] + r["identifier"][0]["value"]
         for r in json.load(open(sys.argv[1]))["resources"].values()]
assert len(names) == len(set(names)) == 15, names
PY
}
promise "after kills and lost answers nothing stands twice at the hospital" once

simulator_stop
hospital --referrals 3 --fault invalid
refused=$(submit "$WORK/request.json")
promise "what the hospital refuses for good fails, and its sender hears of it" becomes "$refused" failed 200
promise "its own referrals reach the Mechanism, page by page, once" referrals_become 3
if [ -d "$ROOT/tests/interop/node_modules/fhir" ]; then
    promise "what went out is FHIR to validators that nobody here wrote" \
        node "$ROOT/tests/interop/check_fhir.mjs" "$WORK"/hospital/posted/*.json
else
    echo "  (npm ci has not run in tests/interop: what went out was not validated)"
fi
no_personal_data() { ! grep -i "Sintétic\|MOTR930411\|Penicilina\|12345678" "$WORK/adapter.log" "$WORK"/node/*/log; }
promise "no personal data is in any log" no_personal_data
promise "the adapter stops in order" adapter_stop
simulator_stop
promises_end
