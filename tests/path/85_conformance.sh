#!/bin/bash
#
# 85_conformance.sh: the kit that an agency runs against its own system. Against the simulators as they
# are every line is ✔; each fault of a simulator turns its line to ✖. The certificate is signed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kit=$ROOT/adapters/conformance/run.py
mkdir -p "$WORK/pids"
try() { # NAME ADAPTER ARGUMENTS...: in the background; what it said and its exit stand in $WORK/NAME
    local name=$1
    shift
    mkdir "$WORK/$name"
    (
        "$kit" "$@" --out "$WORK/$name" >"$WORK/$name/said" 2>&1
        echo $? >"$WORK/$name/exit"
    ) &
}
has_faults() { # NAME EXIT [ID]: so it ends, and that line is ✖; without one, none is
    [ "$(cat "$WORK/$1/exit")" = "$2" ] || { cat "$WORK/$1/said"; return 1; }
    python3 - "$WORK/$1/certificado.json" "${@:3}" <<'PY'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    found = json.load(file)
bad = {c["id"] for c in found["comprobaciones"] if not c["cumple"]}
wanted = sys.argv[2:]
assert wanted[0] in bad if wanted else not bad, (bad, wanted)
assert found["resultado"] == ("no conforme" if bad else "conforme")
PY
}

adapters="lote oficio pgj sedesa ssc"
for adapter in $adapters; do try "$adapter" "$adapter"; done
wait
for adapter in $adapters; do promise "the simulator of $adapter conforms" has_faults "$adapter" 0; done

# fault or habit, its line
declare -A cases
cases[lote]="fault/no-signature/entrega fault/wrong-signature/firma fault/wrong-hash/sumas
fault/half/sumas fault/wrong-count/cuenta fault/twice-key/manifiesto fault/unknown/estados
fault/unknown/folios habit/no-custody/custodia habit/backwards/orden habit/skips/ocurrencias
habit/forgetful/repetido habit/trusting/rechazo habit/bad-date/fechas habit/formula/csv"
cases[pgj]="fault/slow/servicio fault/500/servicio fault/lost-answer/servicio fault/other-message/custodia
fault/wrong-answer/esquema fault/cut/esquema fault/doctype/esquema fault/bomb/esquema
fault/no-zone/fechas fault/foreign/folios habit/forgetful/repetido habit/trusting/rechazo
habit/backwards/orden habit/skips/ocurrencias habit/invented/estados"
cases[sedesa]="fault/too-few/custodia fault/duplicate-keys/json habit/forgetful/repetido
habit/contrary/estados"
cases[ssc]="fault/no-zone/fechas fault/no-officer/oficial habit/gives-up/insiste habit/talkative/privado"
cases[oficio]="fault/wrong-folio/oficio fault/half/firma habit/no-custody/custodia habit/trusting/rechazo"
if [ "${FAULTS:-}" = full ]; then
    cases[oficio]+=" fault/wrong-key/oficio fault/unsigned/entrega fault/other-signer/firma fault/changed/firma
fault/unknown-state/estados fault/unknown-item/medidas fault/formula/forma habit/forgetful/repetido
habit/backwards/orden"
    cases[sedesa]+=" fault/other-version/version fault/lost-answer/servicio fault/elsewhere/paginas
fault/foreign/folios habit/trusting/rechazo fault/slow/servicio fault/500/servicio
fault/503/servicio fault/throttled/custodia
fault/invalid/custodia fault/half/json fault/wrong-answer/json fault/huge-number/json fault/bomb/json
fault/other-type/json fault/half-page/json fault/no-zone/folios habit/backwards/orden
habit/backwards/ocurrencias habit/skips/termino habit/invented/estados"
    cases[ssc]+=" fault/500/servicio fault/other-alert/custodia fault/doctype/esquema
fault/foreign/folios habit/forgetful/repetido fault/slow/servicio fault/lost-answer/servicio
fault/wrong-answer/esquema
fault/half/esquema fault/error/custodia fault/bomb/esquema habit/trusting/rechazo habit/backwards/orden
habit/skips/ocurrencias habit/invented/estados habit/blind/detalle habit/greedy/una-vez"
fi
running=0
for adapter in $adapters; do
    for one in ${cases[$adapter]}; do
        IFS=/ read -r kind name line <<<"$one"
        # An officer who answers too much is seen when he does, however slow the machine.
        settle=1
        [ "$adapter/$kind" = oficio/habit ] && [ "$name" != no-custody ] && settle=20
        try "$adapter-$name-$line" "$adapter" "--$kind" "$name" --timeout 3 --settle "$settle"
        running=$((running + 1))
        [ $((running % 15)) -ne 0 ] || wait
    done
done
wait
for adapter in $adapters; do
    for one in ${cases[$adapter]}; do
        IFS=/ read -r kind name line <<<"$one"
        promise "$adapter: $name is seen: $line" has_faults "$adapter-$name-$line" 1 "$line"
    done
done

certificate=$WORK/pgj-500-servicio/certificado.json
verifies() {
    openssl cms -verify -binary -inform DER -in "$certificate.p7s" -content "$certificate" \
        -certfile "$(dirname "$certificate")/firmante.pem" -noverify -nointern -out /dev/null
}
promise "openssl verifies the certificate" verifies
has_run() { grep -q "\"corrida_sha256\": \"$(sha256sum "$WORK/pgj-500-servicio/corrida.jsonl" | cut -d' ' -f1)\"" "$certificate"; }
promise "it holds the digest of the run" has_run
says_remedy() { grep -q '^✖.*5xx' "$WORK/pgj-500-servicio/said" && grep -q 'Remedio: Revise' "$WORK/pgj-500-servicio/said"; }
promise "and each ✖ its remedy" says_remedy
sed -i 's/"no conforme"/"conforme"/' "$certificate"
is_broken() { ! verifies; }
promise "a certificate that was changed does not verify" is_broken
no_personal_data() { ! grep -rq "Sintética" "$WORK"/*/corrida.jsonl "$WORK"/*/certificado.json; }
promise "neither holds what was sent" no_personal_data

# An agency's own settings: a system that the kit did not start.
mkdir "$WORK/out" "$WORK/in"
for name in enlace institution; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
        -keyout "$WORK/$name.key" -out "$WORK/$name.pem" 2>/dev/null
done
cat >"$WORK/lote.conf" <<CONF
mapping = $ROOT/adapters/lote/mappings/comun.map
outgoing = out
incoming = in
sign_certificate = enlace.pem
sign_key = enlace.key
signers = institution.pem
settle_s = 1
CONF
python3 "$ROOT/adapters/lote/simulator.py" --from "$WORK/out" --to "$WORK/in" --state "$WORK/state.json" \
    --cert "$WORK/institution.pem" --key "$WORK/institution.key" --enlace "$WORK/enlace.pem" &
echo $! >"$WORK/pids/simulator"
own() { make -s -C "$ROOT" BUILD="$BUILD" conformance ADAPTER=lote CONFIG="$WORK/lote.conf" CONFORMANCE_OUT="$WORK/own"; }
promise "it runs against an agency's own system, by its settings" own
echo "mapping = lote.conf" >"$WORK/none.conf"
cannot() { "$kit" lote --config "$WORK/none.conf" --out "$WORK/none"; [ $? -eq 2 ]; }
promise "settings that are not understood end with 2" cannot
promises_end
