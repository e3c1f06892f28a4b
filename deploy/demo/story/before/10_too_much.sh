# shellcheck shell=bash disable=SC2154 # story.sh
# A request with more data than its route allows does not leave.
sed 's/"alias": /"curp": "SABC560626MDFLRN01", "alias": /' "$here/solicitud.json" >"$work/de-mas.json"
title "La plataforma pide a la policía un código de vigilancia y agrega, de más, la CURP de la persona."
if as mpi-cdmx-plataforma submit "$work/de-mas.json" >"$work/said" 2>&1; then
    die "la CURP salió hacia la policía"
fi
tell "$(sed -n '1s/^enlace: /El nodo no la deja salir: /p' "$work/said")"
tell "Por qué (enlace submit --dry-run --with directory):"
as mpi-cdmx-plataforma submit --dry-run "$work/de-mas.json" --with "$demo/directory" >"$work/said" 2>&1 || true
grep -A1 '✖' "$work/said" | sed 's/^/   /'
