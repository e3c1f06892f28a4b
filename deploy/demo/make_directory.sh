#!/bin/bash
#
# make_directory.sh PKI_DIR OUT [--ports-from N]: the demonstration's directory, as one text.
#
# Nodes, systems, officials and auditors come from PKI_DIR/identities.tsv (certs/make_pki.sh);
# members, legal bases, avisos and routes from routes.txt beside this script, where "document title"
# becomes the SHA-256 of the title and "document file:NAME" that of the file. Nodes listen on
# 127.0.0.1, on consecutive ports from N (7441) in the order of identities.tsv. The same input gives
# the same text: a second run changes nothing.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
in_force=2026-01-01..2030-12-31
log_year=2026

die() {
    printf 'make_directory.sh: %s\n' "$*" >&2
    exit 1
}

sha256() { sha256sum | cut -c1-64; }

# vkey NAME TYPE(hex) KEY(base64): C2SP's name+id+base64(type ‖ key)
vkey() {
    local id key
    id=$({ printf '%s\n' "$1"; printf '%b' "\\x$2"; base64 -d <<<"$3"; } | sha256)
    key=$({ printf '%b' "\\x$2"; base64 -d <<<"$3"; } | base64 -w0)
    printf '%s+%s+%s' "$1" "${id:0:8}" "$key"
}

list_node() { # NETWORK CODE PORT LOG WITNESS
    printf 'node %s/%s\n' "$1" "$2"
    printf '  address 127.0.0.1:%s\n' "$3"
    printf '  origin gw.%s/audit/%s\n' "$2" "$log_year"
    printf '  log-key %s\n' "$(vkey "gw.$2/audit/$log_year" 01 "$4")"
    printf '  witness-key %s\n' "$(vkey "gw.$2/witness" 04 "$5")"
    printf '  in-force %s\n\n' "$in_force"
}

list_person() { # KIND NETWORK CODE NAME CERTIFICATE SEAL
    printf '%s %s/%s/%s\n  certificate %s\n' "$1" "$2" "$3" "$4" "$5"
    [[ $6 == - ]] || printf '  seal %s\n' "$6"
    printf '  in-force %s\n\n' "$in_force"
}

list_identities() {
    local kind network code name cert_sha seal_sha log witness port=$ports_from
    while IFS=$'\t' read -r kind network code name _ _ cert_sha _ seal_sha log witness; do
        case $kind in
        '#'*) ;;
        node)
            list_node "$network" "$code" "$port" "$log" "$witness"
            port=$((port + 1))
            ;;
        system | official | auditor)
            list_person "$kind" "$network" "$code" "$name" "$cert_sha" "$seal_sha"
            ;;
        *) die "identities.tsv: unknown kind $kind" ;;
        esac
    done <"$pki/identities.tsv"
}

list_terms() {
    local line title='' hash
    while IFS= read -r line; do
        case $line in
        '  title '*) title=${line#  title } ;;
        '  document title')
            hash=$(printf '%s' "$title" | sha256)
            line="  document $hash"
            ;;
        '  document file:'*)
            hash=$(sha256 <"$here/${line#  document file:}")
            line="  document $hash"
            ;;
        esac
        printf '%s\n' "$line"
    done <"$here/routes.txt"
}

usage="usage: make_directory.sh PKI_DIR OUT [--ports-from N]"
pki='' out='' ports_from=7441
while [[ $# -gt 0 ]]; do
    case $1 in
    --ports-from) [[ $# -ge 2 ]] || die "$usage"; ports_from=$2; shift 2 ;;
    -*) die "$usage" ;;
    *)
        if [[ -z $pki ]]; then pki=$1; elif [[ -z $out ]]; then out=$1; else die "$usage"; fi
        shift
        ;;
    esac
done
[[ -n $out && $ports_from =~ ^[1-9][0-9]{3,4}$ && $ports_from -le 65000 ]] || die "$usage"
[[ -s $pki/identities.tsv ]] || die "$pki/identities.tsv is missing: run certs/make_pki.sh $pki"

trap 'rm -f "$out.part"' EXIT
{
    printf 'enlace-directory v1\nnetwork cdmx\nversion 1\nin-force %s\n\n' "$in_force"
    list_identities
    list_terms
} >"$out.part"
if cmp -s "$out.part" "$out"; then rm -f "$out.part"; else mv -f "$out.part" "$out"; fi
