#!/bin/bash
#
# down.sh BUILD: stops what up.sh started, adapters, then institutions' systems, then nodes, and
# nothing else.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ -d $demo/run ]] || { say "No hay demostración en $demo"; exit 0; }
exec 8>"$demo/run/.lock"
flock -w 5 8 || die "otra orden está arrancando o deteniendo esta demostración"
mapfile -t adapters < <(started adapter-)
mapfile -t agencies < <(started agency-)
mapfile -t nodes < <(started node-)
finish "${adapters[@]}"
finish "${agencies[@]}"
finish "${nodes[@]}"
say "Abajo: detenidos ${#nodes[@]} nodos, ${#agencies[@]} sistemas de instituciones y ${#adapters[@]} adaptadores."
