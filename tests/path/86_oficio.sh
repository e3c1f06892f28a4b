#!/bin/bash
#
# 86_oficio.sh: an institution with no system. A request becomes an oficio in PDF, whose liaison
# officer, played by a script, reads it off the page, answers by signed forms, makes every mistake, and
# refers people by forms of the institution's own; the adapter is killed meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
oficio=$ROOT/adapters/oficio
adapter_profile mpi mpi-cdmx plataforma
adapter_profile ceavi ceavi adapter
system=$WORK/pki/system/cdmx.ceavi.adapter
official=$WORK/pki/official/cdmx.ceavi.enlace-01
mkdir -p "$WORK/oficios" "$WORK/acuses"
cat >"$WORK/oficio.conf" <<CONF
mapping = $oficio/mappings/comun.map
wording = $oficio/texts/comun.txt
outgoing = oficios
incoming = acuses
sign_certificate = $system/tls.pem
sign_key = $system/tls.key
signers = $official/tls.pem
prefix = CEAVI
CONF
instant() { date -u -d "${1:-now}" +%Y-%m-%dT%H:%M:%SZ; }
request() { # FILE NAME SUMMARY
    cat >"$WORK/$1" <<JSON
{"type": "MeasureRequest", "to": "cdmx/ceavi", "urgency": "urgent", "catalogue_code": "PRO-PSI-SEG",
 "purpose": "atencion-a-victimas", "legal_basis": "LPI-CDMX-2015",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "extraordinary"},
 "clocks": [{"id": "F2", "anchored_at": "$(instant)", "due_at": "$(instant "9 hours")"}],
 "subjects": [{"role": "person"}],
 "items": [{"code": "PRO-PSI-SEG", "cadence": {"count": 3, "period": "month"}}],
 "compartments": [
  {"subject": 0, "type": "identity", "fields": {"full_name": "$2", "sex": "mujer"}},
  {"subject": 0, "type": "contact", "fields": {"phone": "+525512345678", "safe_channel": "Mensaje cifrado",
   "safe_hours": "De 9 a 12 horas"}},
  {"subject": 0, "type": "narrative", "fields": {"summary": "$3"}}]}
JSON
}
officer() {
    simulator_start python3 "$oficio/simulator.py" --from "$WORK/oficios" --to "$WORK/acuses" \
        --cert "$official/tls.pem" --key "$official/tls.key" --system "$system/tls.pem" \
        --state "$WORK/state.json" "$@"
}
# state_says PYTHON: of the officer's file, as s.
state_says() {
    python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), s["refused"]' \
        "$WORK/state.json" "$1"
}
until_it() { for ((i = 0; i < 150; i++)); do "$@" 2>/dev/null && return 0; sleep 0.1; done; "$@"; }
sheets() { find "$WORK/oficios" -name '*.pdf.p7s' | wc -l; }
sheet_is_there() { [ "$(sheets)" -ge "$1" ]; }

promise "the settings are understood before anything runs" \
    "$BUILD/bin/enlace-oficio" --check --profile "$WORK/ceavi.conf" --agency "$WORK/oficio.conf"
wrong_words() {
    sed 's/{header.legal_basis/{header.legal_bases/' "$oficio/texts/comun.txt" >"$WORK/wrong.txt"
    sed "s#^wording.*#wording = wrong.txt#" "$WORK/oficio.conf" >"$WORK/wrong.conf"
    ! "$BUILD/bin/enlace-oficio" --check --profile "$WORK/ceavi.conf" --agency "$WORK/wrong.conf" &&
        grep -q "legal_bases" "$WORK/promise.log"
}
promise "a word in the texts that no message has is named before anything runs" wrong_words

name="María de los Ángeles Ñandú Güemes"
request request.json "$name" "Agresión sintética; pide acompañamiento."
adapter_start enlace-oficio ceavi oficio.conf
exchange=$(submit "$WORK/request.json")
promise "a request becomes an oficio" until_it sheet_is_there 1
sheet=$WORK/oficios/OF-CEAVI-$(TZ=America/Mexico_City date +%Y)-000001
not_taken() { sleep 2; case $(state_of "$exchange") in sent | received) ;; *) return 1 ;; esac; }
promise "until the officer says that it was received nobody has custody" not_taken

# ---- the sheet, judged by programs that nobody here wrote ----
verifies_cms() {
    openssl cms -verify -binary -inform DER -in "$1.p7s" -content "$1" -certfile "$system/tls.pem" \
        -noverify -out /dev/null
}
promise "openssl verifies its signature" verifies_cms "$sheet.pdf"
is_pdf() {
    qpdf --check "$sheet.pdf" && pdffonts "$sheet.pdf" | awk 'NR > 2 && $(NF - 4) != "yes" { exit 1 }' &&
        qpdf --qdf --object-streams=disable "$sheet.pdf" - | grep -aq '/Lang (es-MX)'
}
promise "it is sound PDF, its fonts inside, in Mexican Spanish" is_pdf
metadata() {
    pdfinfo "$sheet.pdf" >"$WORK/info"
    grep -q "^Title: *Oficio CEAVI/" "$WORK/info" && ! grep -qi "Ñandú\|12345678\|Agresi" "$WORK/info"
}
promise "what it says of itself names nobody" metadata
in_order() {
    pdftotext "$sheet.pdf" - | tr '\n\f' '  ' | tr -s ' ' >"$WORK/words"
    python3 - "$WORK/words" "$name" <<'PY'
import sys
words, at = open(sys.argv[1]).read(), 0
for part in ("Protección Integral de Personas Defensoras de Derechos Humanos y Periodistas", "Ciudad de México, a ",
             "Oficio CEAVI/", "Asunto: Solicitud de medidas de protección", "URGENTE",
             "Comisión Ejecutiva de Atención a Víctimas", "Con fundamento en la Ley", "Plazo", " horas (",
             "de dos mil ", "hora de la Ciudad de México", "Atención psicológica", "PRO-PSI-SEG", "3 por mes",
             sys.argv[2], "Mujer", "+525512345678", "Mensaje cifrado", "De 9 a 12 horas",
             "Agresión sintética; pide acompañamiento.", "AVISO-MPI-CDMX, versión 2026-1", "PLAN-SINTETICO-01",
             "información reservada", "Verificación sin conexión", "Acuse de recibo en papel"):
    found = words.find(part, at)
    assert found >= 0, part
    at = found
assert "Página 1 de 2" in words and "Página 2 de 2" in words
PY
}
promise "its words are there in their order: every field of the route, the deadline in figures and words" in_order
due() {
    python3 - "$WORK/request.json" "$WORK/words" <<'PY'
import datetime, json, sys
due = json.load(open(sys.argv[1]))["clocks"][0]["due_at"]
local = datetime.datetime.fromisoformat(due.replace("Z", "+00:00")) - datetime.timedelta(hours=6)
assert f"{local.day} de " in open(sys.argv[2]).read() and f"{local:%Y, %H:%M} horas" in open(sys.argv[2]).read()
PY
}
promise "the deadline is Mexico City's" due
scan() {
    pdftoppm -r 150 -gray -f 2 "$sheet.pdf" "$WORK/page" && zbarimg -q --raw "$WORK/page-2.pgm" >"$WORK/code"
}
promise "its code can be scanned off the page" scan
scan
verify() { "$BUILD/bin/enlace" verify oficio "$@"; }
signs() { verify - --certificate "$system/tls.pem" <"$WORK/code" && verify "$(cat "$WORK/code")" --certificate "$system/tls.pem"; }
promise "what it says verifies without node or profile, and says who printed it" signs
says_who() { verify "$WORK/code" --certificate "$system/tls.pem" | grep -q "member/ceavi/system/adapter"; }
promise "by the name of the system" says_who
receipt() {
    "$BUILD/bin/enlace-verify" oficio "$WORK/code" --certificate "$system/tls.pem" --receipt "$sheet.receipt" \
        --vkey "$(log_key cdmx/cdmx)" | tee "$WORK/verified" && grep -q "gw.cdmx/audit" "$WORK/verified"
}
promise "the receipt beside it is the one that it names, and holds" receipt
altered() {
    sed 's/^due ..../due 2031/' "$WORK/code" >"$WORK/code-altered"
    ! verify "$WORK/code-altered" --certificate "$system/tls.pem" && grep -q "fue alterado" "$WORK/promise.log"
}
promise "a deadline that was altered does not verify" altered
other() { ! verify "$WORK/code" --certificate "$official/tls.pem"; }
promise "nor does another's certificate" other

# ---- answers ----
officer
promise "the officer's forms bring it to its end" becomes "$exchange" ended 300
counted() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$exchange" |
        python3 -c 'import json, sys; n = json.load(sys.stdin)["items"][0]["occurrences"]; assert n == 3, n'
}
promise "each time counts once" counted
promise "page and code said the same to the officer" state_says 'not s["bad"] and len(s["seen"]) == 1'
dispute() {
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" act dispute "$exchange" --item 1 --reason no-reconocida &&
        until_it sheet_is_there 2 && becomes "$exchange" ended 300
}
acts() { # EVENT N: so many of them came back
    "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json inbox 2>/dev/null |
        python3 -c 'import json, sys; n = sum(d.get("event") == sys.argv[1] for d in json.load(sys.stdin)["deliveries"]); assert n == int(sys.argv[2]), n' "$1" "$2"
}
promise "what the person disputes is told on paper, and put in force again" dispute
promise "by an act of its own" acts in-force 2

# ---- the adapter is killed ----
adapter_kill
many=()
times=4
[ "${FAULTS:-}" = full ] && times=12
for ((i = 0; i < times; i++)); do many+=("$(submit "$WORK/request.json")"); done
adapter_start enlace-oficio ceavi oficio.conf
for ((i = 0; i < times; i++)); do
    sleep "0.$((RANDOM % 8 + 2))"
    adapter_kill
    adapter_start enlace-oficio ceavi oficio.conf
done
all_end() { for one in "${many[@]}"; do becomes "$one" ended 400 || return 1; done; }
promise "killed again and again, it loses none" all_end
none_twice() {
    [ "$(sheets)" = $((times + 2)) ] && state_says "len({p['folio'] for p in s['seen'].values()}) == $((times + 2))"
}
promise "and prints none twice" none_twice

# ---- mistakes ----
simulator_stop
officer --fault wrong-folio --fault wrong-key --fault unsigned --fault other-signer --fault half --fault changed \
    --fault twice --fault no-state --fault unknown-state --fault unknown-item --fault formula --fault bom
faulty=$(submit "$WORK/request.json")
promise "an officer who makes every mistake brings it to its end" becomes "$faulty" ended 400
for reason in acuse.folio exchange.unknown signature.unknown_signer signature.wrong acuse.state state.unknown \
    state.item form.line; do
    promise "and is told: $reason" until_it state_says "'$reason' in [r for _, r in s['refused']]"
done
why_beside() { ls "$WORK"/acuses/refused/*.why >/dev/null && [ "$(state_of "$faulty")" = ended ]; }
promise "refused forms stand beside their reason" why_beside
simulator_stop
officer --habit refuses
refused=$(submit "$WORK/request.json")
promise "what the institution does not take fails, and its sender hears of it" becomes "$refused" failed 300
simulator_stop
officer --habit silent
held=$(submit "$WORK/request.json")
promise "a form that only says RECIBIDO is custody" becomes "$held" in-custody 300
sed -e 's/MeasureRequest/Recall/; s/"plan".*/"reason": "error-de-captura",/; /"items"/d; /"compartments"/,$d' \
    -e "s/\"subjects\".*/\"exchange_id\": \"$held\", \"regards\": \"$held\"}/; /\"clocks\"/d" \
    "$WORK/request.json" >"$WORK/recall.json"
before=$(sheets)
recalled() {
    submit "$WORK/recall.json" && until_it sheet_is_there $((before + 1)) &&
        pdftotext "$(find "$WORK/oficios" -name '*.pdf' | sort | tail -n 1)" - | tr '\n' ' ' |
        grep -q "Se retira lo solicitado .* error de captura.* destruya el oficio"
}
promise "a recall is an oficio that asks to destroy the one before" recalled

# ---- a long one ----
long=$(printf 'Persona sintética que relata hechos sintéticos ocurridos en días distintos y ante personas distintas. %.0s' {1..35})
request long.json "Wenceslao Xóchitl Ütz’iil de la Concepción Iñárritu-Güemes y Fernández de Córdoba Ñáñez" "$long"
submit "$WORK/long.json" >/dev/null
three() {
    until_it sheet_is_there $((before + 2)) &&
        pdftotext "$(find "$WORK/oficios" -name '*.pdf' | sort | tail -n 1)" - >"$WORK/long.txt" &&
        grep -q "Página 3 de 3" "$WORK/long.txt" && grep -q "Xóchitl Ütz’iil" "$WORK/long.txt" &&
        [ "$(grep -c "Oficio CEAVI" "$WORK/long.txt")" = 3 ]
}
promise "a long name and three pages, each with its number" three
healthy() { "$BUILD/bin/enlace-oficio" --health --profile "$WORK/ceavi.conf"; cat "$WORK"/spool/ceavi/adapter/health.json; }
promise "it says how it fares" healthy
no_personal_data() { ! grep -i "Ñandú\|12345678\|Agresi\|Xóchitl" "$WORK/adapter.log" "$WORK/node/cdmx/log"; }
promise "no personal data is in any log" no_personal_data
promise "the adapter stops in order" adapter_stop
simulator_stop

# ---- another institution is other settings ----
adapter_profile dif dif adapter
official=$WORK/pki/official/cdmx.dif.enlace-01
system=$WORK/pki/system/cdmx.dif.adapter
mkdir "$WORK/dif-oficios" "$WORK/dif-acuses"
sed -e 's/CEAVI/DIF/; s/= oficios/= dif-oficios/; s/= acuses/= dif-acuses/; s/cdmx.ceavi/cdmx.dif/' \
    "$WORK/oficio.conf" >"$WORK/dif-oficio.conf"
cat >"$WORK/referral.json" <<JSON
{"type": "Referral", "to": "cdmx/dif", "urgency": "ordinary", "catalogue_code": "CAN-DIF-INT",
 "purpose": "canalizacion", "legal_basis": "LPI-CDMX-2015",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"}, "subjects": [{"role": "person"}],
 "items": [{"code": "CAN-DIF-INT"}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"full_name": "Persona Sintética"}},
                  {"subject": 0, "type": "social", "fields": {"support_needs": "Guardería sintética"}}]}
JSON
adapter_start enlace-oficio dif dif-oficio.conf
simulator_start python3 "$oficio/simulator.py" --from "$WORK/dif-oficios" --to "$WORK/dif-acuses" --referrals 2 \
    --cert "$official/tls.pem" --key "$official/tls.key" --system "$system/tls.pem" --state "$WORK/dif.json"
promise "another institution, by other settings, takes a referral" becomes "$(submit "$WORK/referral.json")" ended 300
promise "and its own reach the Mechanism, once" referrals_become 2
promise "its adapter stops, too" adapter_stop
simulator_stop
promises_end
