#!/bin/bash
#
# 83_ssc.sh: a police centre that speaks CAP 1.2. Alerts name nobody; the detail is pulled once, by the
# certificate that pulled it first, and is gone after that; statuses come back with who did it; the
# centre is slow, broken and hostile in turn; the adapter is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
node_start ssc
ssc=$ROOT/adapters/ssc
port=$(free_ports $((24000 + RANDOM % 500 * 8)))
listen=$((port + 1))
adapter_profile mpi mpi-cdmx plataforma
adapter_profile ssc ssc adapter ssc
agency_pki
agency_certificate() { # NAME CA
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/$1.key" -out "$WORK/$1.csr" \
        -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$WORK/$1.csr" -CA "$WORK/$2.pem" -CAkey "$WORK/$2.key" -CAcreateserial -days 2 \
        -out "$WORK/$1.pem" -extfile <(echo "subjectAltName=IP:127.0.0.1") 2>/dev/null
    chmod 600 "$WORK/$1.key"
}
for name in adapter-server centre-client centre-other; do agency_certificate $name agency-ca; done
openssl req -x509 -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/stranger-ca.key" \
    -out "$WORK/stranger-ca.pem" -subj "/CN=stranger" 2>/dev/null
agency_certificate stranger stranger-ca

agency() { # DETAIL_SECONDS
    cat >"$WORK/ssc.agency" <<CONF
mapping = $ssc/mappings/comun.map
schema = $ssc/cap.xsd
detail_schema = $ssc/detalle.xsd
url = https://127.0.0.1:$port
ca = agency-ca.pem
certificate = agency-client.pem
key = agency-client.key
timeout_ms = 2000
sender = enlace.cdmx
addresses = centro.sintetico
listen = 127.0.0.1:$listen
server_certificate = adapter-server.pem
server_key = adapter-server.key
detail_seconds = $1
exercise = 1
CONF
}
cat >"$WORK/request.json" <<JSON
{"type": "MeasureRequest", "to": "cdmx/ssc", "urgency": "ordinary", "catalogue_code": "PRO-COD-VIG",
 "purpose": "proteccion", "legal_basis": "LPPDDHP-29",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "ordinary"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "PRO-COD-VIG", "cadence": {"count": 4, "period": "week"}}],
 "seal_to": ["$WORK/pki/system/cdmx.ssc.adapter/seal.pem"],
 "compartments": [
  {"subject": 0, "type": "identity", "fields": {"alias": "Canario <Sintético>"}},
  {"subject": 0, "type": "contact", "fields": {"safe_channel": "Canario-canal", "code_word": "canariazul"}},
  {"subject": 0, "type": "location", "sealed": true,
   "fields": {"alcaldia": "09016", "street": "Calle Canario 1 bis", "directions": "portón Canario"}}]}
JSON
sed -e 's/MeasureRequest/Recall/; s/"items".*/"reason": "error-de-captura",/' \
    -e '/"seal_to"/d; /"compartments"/,$d; s/"subjects".*/"exchange_id": "EXCHANGE", "regards": "EXCHANGE",/' \
    "$WORK/request.json" | sed '$s/,$/}/' >"$WORK/recall.json"
centre() {
    simulator_start python3 "$ssc/simulator.py" --port "$port" --adapter "$listen" --ca "$WORK/agency-ca.pem" \
        --cert "$WORK/agency-server.pem" --key "$WORK/agency-server.key" --state "$WORK/state.json" \
        --client-cert "$WORK/centre-client.pem" --client-key "$WORK/centre-client.key" \
        --other-cert "$WORK/centre-other.pem" --other-key "$WORK/centre-other.key" \
        --schema "$ssc/cap.xsd" --detail-schema "$ssc/detalle.xsd" "$@"
}
# state_says PYTHON: of the centre's file, as s; alert(FOLIO) is its alert.
state_says() {
    python3 - "$WORK/state.json" "$1" <<'PY'
import json, re, sys
s = json.load(open(sys.argv[1]))
def alert(folio, kind="Alert"):
    return next(a for a in s["alerts"].values() if f"<incidents>{folio}<" in a and f"<msgType>{kind}<" in a)
def token(folio):
    return re.search(r"<valueName>detalle</valueName><value>([^<]*)<", re.sub(r">\s+<", "><", alert(folio)))[1]
code = sys.argv[2]
if code.startswith("print"):
    exec(code)
else:
    assert eval(code), s["pulls"]
PY
}
# pull TOKEN CERTIFICATE [OFFICER]: the answer, status and headers that do not vary.
pull() {
    curl -s -m 5 --tlsv1.3 --cacert "$WORK/agency-ca.pem" --cert "$WORK/$2.pem" --key "$WORK/$2.key" \
        -H "Enlace-Officer: ${3-PLACA-0007}" -D - "https://127.0.0.1:$listen/detail/$1" | grep -v '^Date:'
}
full_until() { for ((i = 0; i < 100; i++)); do state_says "$1" 2>/dev/null && return 0; sleep 0.1; done; state_says "$1"; }

agency 900
promise "the settings are understood before anything runs" \
    "$BUILD/bin/enlace-ssc" --check --profile "$WORK/ssc.conf" --agency "$WORK/ssc.agency"
too_long() { agency 901; ! "$BUILD/bin/enlace-ssc" --check --profile "$WORK/ssc.conf" --agency "$WORK/ssc.agency"; }
promise "a pulled detail is never repeated for more than 15 minutes" too_long
c5() {
    agency 900
    sed -i 's/comun.map/c5.map/' "$WORK/ssc.agency"
    "$BUILD/bin/enlace-ssc" --check --profile "$WORK/ssc.conf" --agency "$WORK/ssc.agency"
}
promise "c5 is another mapping" c5
agency 900
adapter_start enlace-ssc ssc ssc.agency
exchange=$(submit "$WORK/request.json")
not_taken() { sleep 2; case $(state_of "$exchange") in sent | received) ;; *) return 1 ;; esac; }
promise "while the centre is away nobody has custody" not_taken
centre --fault pull-twice --fault pull-other --fault bad-token --fault foreign --fault no-officer --fault no-zone --fault doctype --fault bomb --fault duplicate-ack
promise "the centre takes it, pulls the detail and brings it to its end" becomes "$exchange" ended 200
simulator_stop
is_cap() {
    state_says "print(alert('$exchange'))" >"$WORK/alert.xml"
    xmllint --noout --nonet --schema "$ssc/cap.xsd" "$WORK/alert.xml" &&
        grep -q '<scope>Private</scope>' "$WORK/alert.xml" && grep -q '<addresses>centro.sintetico<' "$WORK/alert.xml" &&
        grep -q '<language>es-MX<' "$WORK/alert.xml" && grep -q '<value>09016</value>' "$WORK/alert.xml" &&
        grep -q '<value>CODIGO-VIGILANCIA<' "$WORK/alert.xml" && grep -qE '<sent>[0-9T:-]{19}-06:00<' "$WORK/alert.xml"
}
promise "the alert is CAP 1.2 of the profile: folio, measure, alcaldía, with offset" is_cap
promise "no alert says anything of the person" state_says "'anari' not in json.dumps(s['alerts'], ensure_ascii=False).lower()"
promise "same token and certificate: the same bytes" \
    state_says "[p[:2] for p in s['pulls'] if p[0] == 200 and not p[2]].__len__() == 2 and len({p[1] for p in s['pulls'] if p[0] == 200}) == 1"
promise "another certificate and a wrong token get nothing" \
    state_says "sorted(p[0] for p in s['pulls']) == [200, 200, 404, 404] and [p[0] for p in s['pulls'] if p[2]] == [404]"
promise "what is foreign, unsigned by an officer, without a zone or hostile is refused and said" \
    state_says "set(s['refused']) == {'alert.unknown', 'alert.officer', 'xml.invalid', 'xml.doctype', 'xml.malformed'}"
each_reason() { for r in alert.unknown alert.officer xml.invalid xml.doctype; do logged "reason=$r" 10 || return 1; done; }
promise "each with its own reason" each_reason
is_aside() { grep -q alert.unknown "$WORK"/spool/*/adapter/aside/*.why; }
promise "and what answers no alert of ours is kept for a person" is_aside
counted() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$exchange" |
        python3 -c 'import json, sys; assert json.load(sys.stdin)["items"][0]["occurrences"] == 4'
}
promise "each occurrence counts once" counted
attributed() {
    opaque=$(sed -n 's/.*detail.pulled.*officer=\(oficial-[0-9a-f]*\).*/\1/p' "$WORK/adapter.log" | head -1)
    [ -n "$opaque" ] && grep -q "^$opaque"$'\t'"PLACA-0451$" "$WORK"/spool/ssc/adapter/officers.book &&
        grep -q "state.said.*officer=$opaque" "$WORK/adapter.log" && ! grep -q PLACA "$WORK/adapter.log"
}
promise "who pulled and who did it stands under an opaque name, which only the spool's book resolves" attributed

# The window, by hand.
adapter_stop
agency 3
adapter_start enlace-ssc ssc ssc.agency
centre --idle
window=$(submit "$WORK/request.json")
promise "an Ack is custody" becomes "$window" in-custody 100
token=$(state_says "print(token('$window'))")
refused_at_the_door() {
    [ -z "$(pull "$token" stranger)" ] &&
        [ -z "$(curl -s -m 5 --cacert "$WORK/agency-ca.pem" "https://127.0.0.1:$listen/detail/$token")" ] &&
        ! curl -s -m 5 --tls-max 1.2 --cacert "$WORK/agency-ca.pem" --cert "$WORK/centre-client.pem" \
            --key "$WORK/centre-client.key" "https://127.0.0.1:$listen/detail/$token"
}
promise "no certificate, a stranger's, or TLS 1.2: no connection" refused_at_the_door
pull "$token" centre-client "" >"$WORK/no-officer"
once() {
    pull "$token" centre-client >"$WORK/first" && pull "$token" centre-client >"$WORK/second"
    cmp "$WORK/first" "$WORK/second" && grep -q '200 OK' "$WORK/first" &&
        for field in 'Canario &lt;Sintético&gt;' Canario-canal canariazul 'Calle Canario 1 bis' 'portón Canario'; do
            grep -q "$field" "$WORK/first" || return 1
        done
}
promise "the detail has every field of the route, twice the same" once
adapter_kill
adapter_start enlace-ssc ssc ssc.agency
uniform() {
    sleep 3.2
    pull "$token" centre-client >"$WORK/late"
    pull "$token" centre-other >"$WORK/other"
    pull "${token%????}0000" centre-client >"$WORK/unknown"
    pull "nada" centre-client >"$WORK/nothing"
    grep -q '404 Not Found' "$WORK/late" && for one in other unknown nothing no-officer; do
        cmp "$WORK/late" "$WORK/$one" || return 1
    done
}
promise "after the window, also over a crash: gone, and every no is the same no" uniform
removed() { ! grep -q Canario -r "$WORK/spool/ssc/adapter/details" && [ ! -e "$WORK/spool/ssc/adapter/details/${token%%.*}" ]; }
promise "what was pulled is removed from the spool" removed
recalled=$(submit "$WORK/request.json")
promise "another in custody" becomes "$recalled" in-custody 100
sed -i "s/EXCHANGE/$recalled/g" "$WORK/recall.json"
recall() { submit "$WORK/recall.json" && full_until "'<references>enlace.cdmx,$recalled,' in alert('$recalled', 'Cancel')"; }
promise "a recall is a Cancel that refers to its alert" recall
pull "$(state_says "print(token('$recalled'))")" centre-client >"$WORK/recalled"
promise "its detail is not given any more" cmp "$WORK/late" "$WORK/recalled"
simulator_stop

adapter_stop
agency 900
adapter_start enlace-ssc ssc ssc.agency
centre --fault error
refused=$(submit "$WORK/request.json")
promise "an Error of the centre is told to the sender" becomes "$refused" failed 150
simulator_stop
centre --referrals 2 --fault slow --fault 500 --fault wrong-answer --fault half --fault lost-answer --fault other-alert
many=()
for _ in 1 2 3 4; do many+=("$(submit "$WORK/request.json")"); done
for _ in 1 2 3; do
    sleep 1
    adapter_kill
    adapter_start enlace-ssc ssc ssc.agency
done
all_end() { for one in "${many[@]}"; do becomes "$one" ended 400 || return 1; done; }
promise "a centre that is slow, down and wrong loses nothing" all_end
promise "one alert for each, the same bytes each time" state_says "sum('>Alert<' in a for a in s['alerts'].values()) == 8"
promise "its own referrals reach the Mechanism, once" referrals_become 2
no_personal_data() { ! grep -ri "canari\|PLACA-0" "$WORK/adapter.log" "$WORK"/node/*/log; }
promise "no personal data is in any log" no_personal_data
promise "the adapter stops in order" adapter_stop
simulator_stop
promises_end
