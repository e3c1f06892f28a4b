#!/bin/bash
#
# up.sh BUILD: configures the demonstration and starts six nodes, the institutions' simulated systems
# and the adapter of each. What runs already is left alone.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=agencies.sh
. "$here/agencies.sh"

"$here/configure.sh" "$build"
exec 8>"$demo/run/.lock"
flock -w 5 8 || die "otra orden está arrancando o deteniendo esta demostración"

# A port that somebody else holds is said before a process fails on it.
check_port() { # ADDRESS
    if (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; then
        die "alguien usa ya $1: elija otros puertos con ENLACE_DEMO_PORTS=9441 make demo"
    fi
}

mapfile -t nodes <"$demo/nodes/list"
for node in "${nodes[@]}"; do
    name=node-${node/\//-} conf=$demo/nodes/${node/\//-}/enlaced.conf
    is_ours "$name" || check_port "$(awk '$1 == "listen" { print $3 }' "$conf")"
    begin "$name" "$bin/enlaced" "$conf" 8>&-
done
for node in "${nodes[@]}"; do
    await "node-${node/\//-}" node.ready
done

"$bin/enlace-w2019" --prepare "$demo" || die "no se pudieron escribir los guiones"
mapfile -t agencies < <(agencies)
for code in "${agencies[@]}"; do
    if [[ $(agency_word "$code" 2) != lote ]] && ! is_ours "agency-$code"; then
        check_port "127.0.0.1:$(agency_port "$code")"
    fi
    agency_begin "$code" 8>&-
done
for code in "${agencies[@]}"; do
    await "agency-$code" simulator.ready
    begin "adapter-$code" "$bin/enlace-$(agency_word "$code" 2)" \
        --profile "$demo/clients/$code.conf" --agency "$demo/agencies/$code/adapter.conf" 8>&-
done
# The city's attention serves its own and federal cases, and closes what it asked of agencies.
begin adapter-mpi-cdmx "$bin/enlace-reference" --profile "$demo/clients/mpi-cdmx-atencion.conf" \
    --script "$demo/scripts/mpi-cdmx" --book "$demo/agencies/mpi-cdmx/book.tsv" --requester 8>&-
for code in "${agencies[@]}" mpi-cdmx; do
    await "adapter-$code" adapter.started
done
say "Arriba: ${#nodes[@]} nodos, ${#agencies[@]} sistemas de instituciones, simulados, y sus adaptadores." \
    "Perfiles: $demo/clients"
