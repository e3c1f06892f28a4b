# shellcheck shell=bash disable=SC2154 # story.sh
# Institutions refer people to the Mechanism, too, each in its own format; its answer goes back.
sent=$(cat "$demo"/agencies/*/book.tsv | grep -c '^canalizacion')
inbox() { as mpi-cdmx-plataforma --json inbox "$@" >"$work/inbox"; }
has_all() { inbox && (($(grep -c '"type": "Referral"' "$work/inbox") == sent)); }
row_of_answer() { grep -hs "$exchange,AVANCE,ACEPTADA" "$demo"/agencies/styfe/out/*.csv >"$work/row"; }

wait_for 60 has_all || die "no llegaron las canalizaciones de las instituciones"
title "También ellas canalizan: $sent, por CAP, XML, FHIR y renglones de un lote firmado."
exchange=$(awk -F'"' '/"exchange_id"/ { id = $4 } /"from": "cdmx\/styfe"/ { print id; exit }' "$work/inbox")
inbox --ack
as mpi-cdmx-plataforma act accept "$exchange" >"$work/said"
tell "El Mecanismo las toma en custodia (enlace inbox --ack) y acepta la de styfe (enlace act accept)."
wait_for 30 row_of_answer || die "styfe no supo que se aceptó la suya"
tell "styfe lo lee en su carpeta, en un lote firmado: «$(cut -d, -f2-4 "$work/row" | head -n 1)»."
