#!/bin/bash
#
# down.sh BUILD: stops what up.sh started, adapters before nodes, and nothing else.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ -d $demo/run ]] || { say "No hay demostración en $demo"; exit 0; }
exec 8>"$demo/run/.lock"
flock -w 5 8 || die "otra orden está arrancando o deteniendo esta demostración"
mapfile -t adapters < <(started adapter-)
mapfile -t nodes < <(started node-)
finish "${adapters[@]}"
finish "${nodes[@]}"
say "Abajo: ${#nodes[@]} nodos y ${#adapters[@]} adaptadores detenidos."
