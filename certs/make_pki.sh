#!/bin/bash
#
# make_pki.sh DIR [--days N]: a demonstration PKI for two networks under DIR.
#
# For demonstration only: every private key of every institution ends up on one machine, the
# authorities' too. A real institution uses enrol.sh, and its keys never leave its own machine.
#
# A second run keeps whatever is valid for more than one day; what is not gets a new certificate over
# the same key, because a log's key is the log's name and a seal key still has to open old parcels.
#
#   DIR/ca/<network>.pem .key, ca/all.pem
#   DIR/node/<code>/{tls.pem,tls.key,log.key,log.pub,witness.key,witness.pub}
#   DIR/system/<network>.<code>.<name>/{tls.pem,tls.key,seal.pem,seal.key}
#   DIR/official/<network>.<code>.<id>/{tls.pem,tls.key}     the same key signs acts
#   DIR/auditor/<network>.<code>.<id>/{tls.pem,tls.key}
#   DIR/authority/<network>.<name>/sign.key .pub     who signs the network's directory
#   DIR/member/<network>.<code>/roster.key .pub       who signs the member's roster
#   DIR/identities.tsv     one line each; its first line names the columns; "-" is "none"
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ca_days=365
export ENLACE_HOSTS=DNS:localhost,IP:127.0.0.1
keep_s=86400 # a certificate with less than this left is replaced

# kind, network, code, name. A seal pair comes with each system, log and witness keys with each node.
roster() {
    local code
    for code in cdmx ssc pgj sedesa contraloria; do
        echo "node cdmx $code -"
    done
    echo "node mx segob -"
    echo "system cdmx mpi-cdmx plataforma"
    echo "system cdmx mpi-cdmx atencion"
    echo "official cdmx mpi-cdmx enlace-01"
    echo "official cdmx mpi-cdmx enlace-02"
    for code in ssc c5 pgj sedesa ceavi saf styfe dif sibiso cdhcm alc-mh casa-refugio injuve secgob; do
        echo "system cdmx $code adapter"
        echo "official cdmx $code enlace-01"
    done
    echo "system mx segob sistema"
    echo "official mx segob enlace-01"
    echo "auditor cdmx contraloria auditor-01"
    echo "auditor cdmx contraloria auditor-02"
    echo "auditor mx segob auditor-01"
}

# Who signs the directories: three authorities of each network, and each member for its roster.
signers() {
    local name
    for name in mpi-cdmx contraloria cdhcm; do echo "authority/cdmx.$name/sign"; done
    for name in segob organo-interno consejo-consultivo; do echo "authority/mx.$name/sign"; done
    roster | awk '$1 == "system" || $1 == "auditor" { print "member/" $2 "." $3 "/roster" }' | sort -u
}

folder_of() { # KIND NETWORK CODE NAME
    if [[ $1 == node ]]; then echo "node/$3"; else echo "$1/$2.$3.$4"; fi
}

# An authority's renewal keeps its key and its name, so that certificates it signed stay good. It is
# due when it would end before a certificate that is signed now.
make_ca() {
    local network=$1 ca=$dir/ca/$1
    [[ -s $ca.key ]] || new_key P-256 "$ca.key"
    if [[ -s $ca.pem && $profiles_changed == no ]] &&
        openssl x509 -in "$ca.pem" -noout -checkend "$2" >/dev/null; then
        return
    fi
    ENLACE_NETWORK=$network openssl x509 -new -key "$ca.key" -sha256 -days "$ca_days" \
        -set_serial "$(new_serial)" -extfile "$profiles/ca.cnf" -extensions profile \
        -subj "/O=enlace.$network/CN=Enlace $network, demonstration only" -out "$ca.pem.part"
    mv -f "$ca.pem.part" "$ca.pem"
}

# Prints the certificates that still stand: right chain, and good for longer than keep_s.
standing() {
    local network at
    at=$(($(date +%s) + keep_s))
    [[ $profiles_changed == no ]] || return 0
    for network in cdmx mx; do
        [[ -s $dir/ca/$network.pem ]] || continue
        { # the other network's certificates fail here, as they should
            find "$dir"/{node,system,official,auditor} -name '*.pem' \
                -exec openssl verify -attime "$at" -CAfile "$dir/ca/$network.pem" {} + 2>/dev/null ||
                true
        } | sed -n 's/: OK$//p'
    done
}

# certificate PROFILE URI NETWORK BASE: BASE.key and BASE.pem, made or kept; counts what it makes.
certificate() {
    local profile=$1 uri=$2 ca=$dir/ca/$3 base=$4 pub
    [[ -s $base.key ]] || new_key P-256 "$base.key"
    pub=$(public_key "$base.key")
    if [[ $kept == *"|$base.pem|"* && $(openssl x509 -in "$base.pem" -noout -pubkey) == "$pub" ]]; then
        return
    fi
    printf '%s\n' "$pub" >"$base.pub.part"
    issue "$profile" "$uri" "$base.pub.part" "$ca.pem" "$ca.key" "$days" "$base.pem"
    rm -f "$base.pub.part"
    echo "$base.pem"
}

signing_key() { # BASE: an Ed25519 pair, never replaced
    [[ -s $1.key ]] || new_key ED25519 "$1.key"
    [[ -s $1.pub ]] || { public_key "$1.key" >"$1.pub.part" && mv -f "$1.pub.part" "$1.pub"; }
}

make_identity() { # KIND NETWORK CODE NAME
    local uri folder
    uri=$(identity_uri "$@")
    folder=$dir/$(folder_of "$@")
    mkdir -p "$folder"
    certificate "$1" "$uri" "$2" "$folder/tls"
    case $1 in
    system) certificate seal "$uri" "$2" "$folder/seal" ;;
    node)
        signing_key "$folder/log"
        signing_key "$folder/witness"
        ;;
    esac
}

list_identity() { # KIND NETWORK CODE NAME: its line of identities.tsv
    local folder seal=- seal_sha=- log=- witness=-
    folder=$(folder_of "$@")
    case $1 in
    system)
        seal=$folder/seal.pem
        seal_sha=$(pem_sha256 "$dir/$seal")
        ;;
    node)
        log=$(ed25519_raw "$dir/$folder/log.pub")
        witness=$(ed25519_raw "$dir/$folder/witness.pub")
        ;;
    esac
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@" "$(identity_uri "$@")" \
        "$folder/tls.pem" "$(pem_sha256 "$dir/$folder/tls.pem")" "$seal" "$seal_sha" "$log" "$witness"
}

# worker K: each jobs-th line of the roster, from the K-th on.
worker() {
    local i
    for ((i = $1; i < ${#people[@]}; i += jobs)); do
        # shellcheck disable=SC2086 # four words
        make_identity ${people[i]} >>"$work/made.$1"
        # shellcheck disable=SC2086
        list_identity ${people[i]} >"$work/line.$(printf %04d "$i")"
    done
}

replace_if_changed() { # NEW OLD
    if cmp -s "$1" "$2"; then rm -f "$1"; else mv -f "$1" "$2"; fi
}

usage="usage: make_pki.sh DIR [--days N]   (N from 2 to 364; 30 unless said)"
dir='' days=30
while [[ $# -gt 0 ]]; do
    case $1 in
    --days) [[ $# -ge 2 ]] || die "$usage"; days=$2; shift 2 ;;
    -*) die "$usage" ;;
    *) [[ -z $dir ]] || die "$usage"; dir=$1; shift ;;
    esac
done
[[ -n $dir && $days =~ ^[1-9][0-9]{0,2}$ && $days -ge 2 && $days -lt $ca_days ]] || die "$usage"
outside_repository "$dir" || die "$dir lies inside the repository: private keys go to build/ or elsewhere"

dir=$(realpath -m -- "$dir")
mkdir -p "$dir"/{ca,node,system,official,auditor,authority,member}
chmod 0700 "$dir" "$dir"/{ca,node,system,official,auditor,authority,member}
exec 9>"$dir/.lock"
flock -w 60 9 || die "another run holds $dir/.lock"
rm -rf "$dir"/.work.* # left by a run that was killed
work=$(mktemp -d "$dir/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat "$profiles"/*.cnf | sha256sum >"$work/profiles"
profiles_changed=no
cmp -s "$work/profiles" "$dir/.profiles" || profiles_changed=yes

kept="|$(standing | sort -u | tr '\n' '|')"
mapfile -t people < <(roster)
for network in cdmx mx; do
    make_ca "$network" $((days * 86400))
done
cat "$dir/ca/cdmx.pem" "$dir/ca/mx.pem" >"$work/all.pem"
replace_if_changed "$work/all.pem" "$dir/ca/all.pem"

while read -r signer; do
    mkdir -p "$dir/$(dirname "$signer")"
    signing_key "$dir/$signer"
done < <(signers)

jobs=$(nproc)
workers=()
for ((k = 0; k < jobs; k++)); do
    worker "$k" &
    workers+=($!)
done
failures=0
for pid in "${workers[@]}"; do
    wait "$pid" || failures=$((failures + 1))
done
[[ $failures -eq 0 ]] || die "a certificate could not be made; see above"

{
    printf '# kind\tnetwork\tcode\tname\turi\ttls_cert\ttls_sha256\tseal_cert\tseal_sha256\tlog_key\twitness_key\n'
    cat "$work"/line.*
} >"$work/identities.tsv"
replace_if_changed "$work/identities.tsv" "$dir/identities.tsv"
replace_if_changed "$work/profiles" "$dir/.profiles"

made=$(cat "$work"/made.* | wc -l)
total=$(find "$dir"/{node,system,official,auditor} -name '*.pem' | wc -l)
echo "Demonstration PKI in $dir: $total certificates, $made made now. For demonstration only:" \
    "one machine holds every institution's private key."
