# shellcheck shell=bash disable=SC2154 # story.sh
# A person takes her consent back: what was sent is recalled, purged under an official's signature,
# and unreadable from then on. What is open, and where each step was, stands on two screens.
state_is() { as "$1" --json track "$exchange" 2>/dev/null | grep -Eq "\"state\": \"($2)\""; }

as mpi-cdmx-plataforma --json submit "$here/solicitud.json" >"$work/sent"
exchange=$(sed -n 's/.*"message_id": "\([0-9a-f-]*\)".*/\1/p' "$work/sent" | head -n 1)
wait_for 30 state_is mpi-cdmx-plataforma 'in-custody|accepted|in-progress|in-force|ended' ||
    die "la policía no tomó custodia"
title "Una persona retira su consentimiento cuando la policía ya tiene sus datos."
as mpi-cdmx-plataforma receipt --person "$exchange" >"$work/card"
tell "La constancia que se lleva (enlace receipt --person) dice su folio, los plazos y cómo inconformarse:"
sed -n '3,5s/^/   /p' "$work/card"
as mpi-cdmx-plataforma withdraw "$exchange" >"$work/said"
wait_for 30 state_is ssc recalled || die "el retiro no llegó a la policía"
tell "El Mecanismo pide retirarlos a quien los recibió (enlace withdraw); hay 72 horas para contestar."
as mpi-cdmx-plataforma board --once >"$work/board"
tell "En el tablero (enlace board): $(grep -A1 "RETIRO.*$exchange" "$work/board" | sed -n '2s/^ *//p')"
as ssc act purge "$exchange" --evidence "$here/solicitud.json" >"$work/said"
wait_for 30 state_is mpi-cdmx-plataforma purged || die "el certificado de purga no llegó"
tell "Una persona servidora pública de la policía certifica la purga; su nodo destruye las llaves. Paso por paso"
tell "(enlace trace):"
as mpi-cdmx-plataforma trace "$exchange" | sed 's/^/   /'
