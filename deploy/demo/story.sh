#!/bin/bash
#
# story.sh BUILD: two things that the directory does while the demonstration runs, told in Spanish: a
# request with more data than its route allows, and a person who is suspended. Once; later runs tell
# what happened then. The nodes must be up.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

told=$demo/w2019/historia.txt
if [[ -s $told ]]; then
    cat "$told"
    exit 0
fi
plataforma=$demo/clients/mpi-cdmx-plataforma.conf
work=$(mktemp -d "$demo/run/.historia.XXXXXX")
trap 'rm -rf "$work"' EXIT

too_much() {
    sed 's/"alias": /"curp": "SABC560626MDFLRN01", "alias": /' "$here/solicitud.json" >"$work/de-mas.json"
    say "1. La plataforma pide a la policía un código de vigilancia y agrega, de más, la CURP de la persona."
    if "$bin/enlace" --profile "$plataforma" submit "$work/de-mas.json" >"$work/dicho" 2>&1; then
        die "la CURP salió hacia la policía"
    fi
    sed -n '1p' "$work/dicho" | sed 's/^enlace: /   El nodo no la deja salir: /'
    say "   Por qué (enlace submit --dry-run --with directory):"
    "$bin/enlace" --profile "$plataforma" submit --dry-run "$work/de-mas.json" --with "$demo/directory" 2>&1 |
        grep -A1 '✖' | sed 's/^/   /' || true
}

knock() { "$bin/enlace" --profile "$demo/clients/.enlace-02.conf" ping >"$work/dicho" 2>&1; }

suspended() {
    local text=$work/suspension.txt key=cdmx.autoridad/contraloria tries
    sed -e '/^certificate/c certificate = ../pki/official/cdmx.mpi-cdmx.enlace-02/tls.pem' \
        -e '/^key/c key = ../pki/official/cdmx.mpi-cdmx.enlace-02/tls.key' "$plataforma" \
        >"$demo/clients/.enlace-02.conf"
    knock || die "cdmx/mpi-cdmx/enlace-02 no entra antes de su suspensión"
    say "2. Una persona servidora pública (cdmx/mpi-cdmx/enlace-02) entra al nodo con su certificado."
    "$bin/enlace" suspend new cdmx "$key" official cdmx/mpi-cdmx/enlace-02 "Demostración" >"$text"
    "$bin/enlace" suspend sign "$text" --key "$demo/pki/authority/cdmx.contraloria/sign.key" \
        --name "$key" -o "$work/suspension.note" >/dev/null
    "$bin/enlace" suspend publish "$work/suspension.note" --to "$demo/directory" >/dev/null
    say "   La Contraloría publica su suspensión; basta una autoridad."
    for ((tries = 0; tries < 100; tries++)); do
        knock || break
        sleep 0.05
    done
    ! knock || die "la suspensión no llegó en 5 segundos"
    sed -n '1p' "$work/dicho" | sed 's/^enlace: /   El nodo, sin reiniciar, ya no le abre: /'
    rm -f "$demo/clients/.enlace-02.conf"
}

{
    say "En el camino:"
    too_much
    suspended
    say ""
} | tee "$told.part"
mv -f "$told.part" "$told"
