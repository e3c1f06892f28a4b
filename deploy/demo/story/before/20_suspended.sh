# shellcheck shell=bash disable=SC2154 # story.sh
# One authority suspends a person; the node closes its door without a restart.
key=cdmx.autoridad/contraloria
sed -e '/^certificate/c certificate = ../pki/official/cdmx.mpi-cdmx.enlace-02/tls.pem' \
    -e '/^key/c key = ../pki/official/cdmx.mpi-cdmx.enlace-02/tls.key' \
    "$demo/clients/mpi-cdmx-plataforma.conf" >"$demo/clients/.enlace-02.conf"
knock() { as .enlace-02 ping >"$work/said" 2>&1; }
is_shut() { ! knock; }

knock || die "cdmx/mpi-cdmx/enlace-02 no entra antes de su suspensión"
title "Una persona servidora pública (cdmx/mpi-cdmx/enlace-02) entra al nodo con su certificado."
"$bin/enlace" suspend new cdmx "$key" official cdmx/mpi-cdmx/enlace-02 "Demostración" >"$work/text"
"$bin/enlace" suspend sign "$work/text" --key "$demo/pki/authority/cdmx.contraloria/sign.key" \
    --name "$key" -o "$work/suspension.note" >/dev/null
"$bin/enlace" suspend publish "$work/suspension.note" --to "$demo/directory" >/dev/null
tell "La Contraloría publica su suspensión; basta una autoridad."
wait_for 15 is_shut || die "la suspensión no llegó en 15 segundos"
tell "$(sed -n '1s/^enlace: /El nodo, sin reiniciar, ya no le abre: /p' "$work/said")"
rm -f "$demo/clients/.enlace-02.conf"
