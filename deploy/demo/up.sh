#!/bin/bash
#
# up.sh BUILD: configures the demonstration and starts six nodes and the reference adapters. What
# runs already is left alone.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$here/configure.sh" "$build"
exec 8>"$demo/run/.lock"
flock -w 5 8 || die "otra orden está arrancando o deteniendo esta demostración"

# A port that somebody else holds is said before a node fails on it.
check_port() { # NODE
    local address
    address=$(awk '$1 == "listen" { print $3 }' "$demo/nodes/${1/\//-}/enlaced.conf")
    if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
        die "alguien usa ya $address: elija otros puertos con ENLACE_DEMO_PORTS=9441 make demo"
    fi
}

mapfile -t nodes <"$demo/nodes/list"
for node in "${nodes[@]}"; do
    name=node-${node/\//-}
    is_ours "$name" || check_port "$node"
    begin "$name" "$bin/enlaced" "$demo/nodes/${node/\//-}/enlaced.conf" 8>&-
done
for node in "${nodes[@]}"; do
    await "node-${node/\//-}" node.ready
done

"$bin/enlace-w2019" --prepare "$demo" || die "no se pudieron escribir los guiones"
adapters=()
for script in "$demo"/scripts/*; do
    code=$(basename "$script")
    case $code in
    # The city's attention serves its own and federal cases, and closes what it asked of agencies.
    mpi-cdmx) profile=mpi-cdmx-atencion more=--requester ;;
    *) profile=$code more= ;;
    esac
    begin "adapter-$code" "$bin/enlace-reference" --profile "$demo/clients/$profile.conf" \
        --script "$script" ${more:+"$more"} 8>&-
    adapters+=("adapter-$code")
done
for name in "${adapters[@]}"; do
    await "$name" adapter.started
done
say "Arriba: ${#nodes[@]} nodos y ${#adapters[@]} adaptadores. Perfiles: $demo/clients"
