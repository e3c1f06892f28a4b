#!/bin/bash
#
# configure.sh BUILD: everything on disk that the demonstration needs before a process starts: PKI,
# directory, settings of six nodes, profiles of every system and auditor, what institutions' simulated
# systems and their adapters need. A second run keeps what is there and writes the rest again with the
# same bytes.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=agencies.sh
. "$here/agencies.sh"

mkdir -p "$demo"/{nodes,clients,spool,scripts,w2019,log,run,agencies/mpi-cdmx}

# Of stanza "KIND CODE" in the directory, the value of KEY.
of_directory() { # KIND CODE KEY
    awk -v head="$1 $2" -v key="$3" '
        /^[a-z]/ { inside = ($0 == head) }
        inside && $1 == key { print $2; exit }' "$demo/directory.txt"
}

write_if_changed() { # FILE: from standard input
    cat >"$1.part"
    if cmp -s "$1.part" "$1"; then rm -f "$1.part"; else mv -f "$1.part" "$1"; fi
}

node_settings() { # NODE such as cdmx/ssc
    local code=${1#*/} folder=$demo/nodes/${1/\//-}
    mkdir -p "$folder"/{data,vault}
    write_if_changed "$folder/enlaced.conf" <<END
# Hecho por deploy/demo/configure.sh; vea enlaced --help-settings
node = $1
listen = $(of_directory node "$1" address)
certificate = $demo/pki/node/$code/tls.pem
key = $demo/pki/node/$code/tls.key
ca = $demo/pki/ca/all.pem
log_key = $demo/pki/node/$code/log.key
witness_key = $demo/pki/node/$code/witness.key
witness_policy = $demo/policy.txt
directory = $demo/directory
data = $folder/data
vault = $folder/vault
log_level = info
END
}

# The logs that a client trusts, its own node's first, and which of them speaks for each member.
trusted_logs() { # NODE
    local node member
    echo "node_log = $(of_directory node "$1" log-key)"
    for node in "${nodes[@]}"; do
        [[ $node == "$1" ]] || echo "log = $(of_directory node "$node" log-key)"
    done
    for member in "${members[@]}"; do
        node=$(of_directory member "$member" node)
        echo "peer = $member $(of_directory node "$node" origin)"
    done
}

# Paths count from the profile's own folder.
profile() { # NAME NODE MEMBER SYSTEM(or -) CREDENTIALS
    local network=${2%%/*} code=${2#*/} member=$3
    write_if_changed "$demo/clients/$1.conf" <<END
# Hecho por deploy/demo/configure.sh
address = $(of_directory node "$2" address)
node = spiffe://enlace.$network/node/$code
certificate = ../pki/$5/tls.pem
key = ../pki/$5/tls.key
ca = ../pki/ca/all.pem
member = $member
policy = ../policy.txt
$([[ $4 == - ]] || echo "system = $4")
$(profile_of_system "$1" "$member" "$4" "$5")
${logs_of[$2]}
END
}

# What only a system has: an official to sign with, a seal to open with, a spool.
profile_of_system() { # NAME MEMBER SYSTEM CREDENTIALS
    [[ $3 != - ]] || return 0
    cat <<END
official_certificate = ../pki/official/${2/\//.}.enlace-01/tls.pem
official_key = ../pki/official/${2/\//.}.enlace-01/tls.key
seal_certificate = ../pki/$4/seal.pem
seal_key = ../pki/$4/seal.key
spool = ../spool/$1
END
}

system_profiles() {
    local kind network code name rest member
    while IFS=$'\t' read -r kind network code name rest; do
        [[ $kind == system ]] || continue
        member=$network/$code
        case $name in
        adapter) profile "$code" "$(of_directory member "$member" node)" "$member" "$name" \
            "system/$network.$code.$name" ;;
        *) profile "$code-$name" "$(of_directory member "$member" node)" "$member" "$name" \
            "system/$network.$code.$name" ;;
        esac
    done <"$demo/pki/identities.tsv"
}

# Each network's own auditor reads the logs of its nodes.
auditor_profiles() {
    local node
    for node in "${nodes[@]}"; do
        case $node in
        mx/*) profile "auditoria-${node/\//-}" "$node" mx/segob - auditor/mx.segob.auditor-01 ;;
        *) profile "auditoria-${node/\//-}" "$node" cdmx/contraloria - \
            auditor/cdmx.contraloria.auditor-01 ;;
        esac
    done
}

"$root/certs/make_pki.sh" "$demo/pki" >"$demo/log/pki.log" 2>&1 ||
    { cat "$demo/log/pki.log" >&2; die "no se pudieron hacer los certificados"; }
"$here/make_directory.sh" "$demo/pki" "$demo/directory.txt" --ports-from "$ports"

"$here/make_policy.sh" "$demo/directory.txt" "$demo/policy.txt"

mapfile -t nodes < <(awk '$1 == "node" && /^node/ { print $2 }' "$demo/directory.txt")
mapfile -t members < <(awk '/^member/ { print $2 }' "$demo/directory.txt" | sort -u)
declare -A logs_of
for node in "${nodes[@]}"; do
    node_settings "$node"
    logs_of[$node]=$(trusted_logs "$node")
done
system_profiles
auditor_profiles
printf '%s\n' "${nodes[@]}" | write_if_changed "$demo/nodes/list"
for code in $(agencies); do
    agency_configure "$code" &
    configuring+=($!)
done
for pid in "${configuring[@]}"; do wait "$pid"; done
