#!/bin/bash
#
# make_directory.sh PKI_DIR OUT.txt [--ports-from N] [--remark TEXT] [--terms FILE] [--until DATE]:
# the demonstration's directory, in two networks, signed and published; its texts in force until DATE.
#
#   OUT/<network>.note                   its text, signed by two of its three authorities
#   OUT/<network>.<code>.roster.note     a member's systems, officials and auditors, signed by it
#   OUT/<network>.authorities            who the authorities were at first: what a node trusts
#   OUT.txt                              all of it in one text, unsigned: for scripts that only read
#
# Nodes, systems, officials and auditors come from PKI_DIR/identities.tsv (certs/make_pki.sh);
# members, legal bases, avisos and routes from routes.txt beside this script (or from FILE), where "document title"
# becomes the SHA-256 of the title and "document file:NAME" that of the file. Nodes listen on
# 127.0.0.1, on consecutive ports from N (7441) in the order of identities.tsv. The same input gives
# the same bytes: a second run changes nothing; a text that changed gets the next version. Notes are
# signed with openssl, a second implementation of the format that nodes read.
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

# As what somebody reads a log (policy/directory_file.h), where it is more than the rule.
roles_of() { # KIND NETWORK/CODE/NAME
    case $1:$2 in
    official:cdmx/mpi-cdmx/enlace-02 | official:cdmx/ssc/enlace-01) echo 'official operator' ;;
    official:mx/segob/enlace-01) echo 'official coordinator' ;;
    auditor:cdmx/contraloria/auditor-02) echo 'auditor authority' ;;
    esac
}

# For whom a system may act: here for all officials of its institution.
bound_to() { # NETWORK CODE
    awk -F'\t' -v network="$1" -v code="$2" '
        $1 == "official" && $2 == network && $3 == code { printf "%s%s", between, $4; between = " " }
        ' "$pki/identities.tsv"
}

list_person() { # KIND NETWORK CODE NAME CERTIFICATE SEAL
    local roles officials
    printf '%s %s/%s/%s\n  certificate %s\n' "$1" "$2" "$3" "$4" "$5"
    [[ $6 == - ]] || printf '  seal %s\n' "$6"
    if [[ $1 == system ]]; then
        officials=$(bound_to "$2" "$3")
        [[ -z $officials ]] || printf '  acts-for %s\n' "$officials"
    fi
    roles=$(roles_of "$1" "$2/$3/$4")
    [[ -z $roles ]] || printf '  role %s\n' "$roles"
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
    done <"$terms"
}

# The same terms, each stanza only where it belongs: stanzas of ONE network, or, for the view, all.
terms_of() { # NETWORK: what its authorities sign
    list_terms | awk -v network="$1" '
        function flush() {
            if (stanza != "" && (!is_route || crosses)) printf "%s\n", stanza
            stanza = ""
        }
        /^#/ || /^$/ { next }
        /^[a-z]/ {
            flush()
            is_route = $1 == "route"
            skip = $1 == "member" && index($2, network "/") != 1
            if (skip) next
            crosses = !is_route
            stanza = $0 "\n"
            next
        }
        skip { next }
        { stanza = stanza $0 "\n" }
        is_route && ($1 == "from" || $1 == "to") && index($2, network "/") == 1 { crosses = 1 }
        END { flush() }'
}

raw_key() { sed '/^-----/d' "$1" | base64 -d | tail -c 32 | base64 -w0; }

authorities_of() { # NETWORK: names
    local folder
    for folder in "$pki/authority/$1".*/; do
        basename "$folder" | cut -d. -f2-
    done
}

authority_vkey() { vkey "$1.autoridad/$2" 01 "$(raw_key "$pki/authority/$1.$2/sign.pub")"; }
roster_vkey() { vkey "$1.$2/roster" 01 "$(raw_key "$pki/member/$1.$2/roster.pub")"; }

# Members get the key of their roster.
with_roster_keys() {
    local line
    while IFS= read -r line; do
        printf '%s\n' "$line"
        [[ $line == 'member '* ]] || continue
        line=${line#member }
        [[ ! -s $pki/member/${line/\//.}/roster.pub ]] ||
            printf '  roster-key %s\n' "${roster_keys[$line]:=$(roster_vkey "${line%%/*}" "${line#*/}")}"
    done
}

network_text() { # NETWORK
    local name
    printf 'in-force %s\n\n' "${in_force%%..*}..$until"
    [[ -z $remark ]] || printf '# %s\n' "$remark"
    printf 'quorum 2\n\n'
    for name in $(authorities_of "$1"); do
        printf 'authority %s\n  key %s\n\n' "$name" "$(authority_vkey "$1" "$name")"
    done
    list_identities | awk -v head="node $1/" '
        /^[a-z]/ { mine = index($0, head) == 1 }
        mine { print }'
    terms_of "$1" | with_roster_keys
}

roster_text() { # NETWORK CODE
    printf 'in-force %s\n\n' "${in_force%%..*}..$until"
    awk -v code="$1/$2/" '
        /^[a-z]/ { mine = index($2, code) == 1 }
        mine { print }' <<<"$identities"
}

# sign NAME KEY VKEY: over the file "$note.text", one C2SP signature line.
sign() {
    local id
    id=$(cut -d+ -f2 <<<"$3")
    openssl pkeyutl -sign -rawin -inkey "$2" -in "$note.text" -out "$note.sig"
    printf '\xe2\x80\x94 %s %s\n' "$1" \
        "$({ printf '%b' "\\x${id:0:2}\\x${id:2:2}\\x${id:4:2}\\x${id:6:2}"; cat "$note.sig"; } | base64 -w0)"
}

# publish FILE FIRST-TWO-LINES < REST: the next version when the text is another than in FILE; then
# signed by what stands in the array `signers`, "NAME KEY VKEY" each.
publish() {
    local body version=1 old='' line
    note=$1
    body=$(cat)
    if [[ -s $note ]]; then
        version=$(sed -n '3s/version //p' "$note")
        old=$(head -n "-$(($(grep -c $'^\xe2\x80\x94 ' "$note") + 1))" "$note" | sed '1,3d')
        [[ $old != "$body" ]] || return 0
        version=$((version + 1))
    fi
    printf '%s\nversion %s\n%s\n' "$2" "$version" "$body" >"$note.text"
    {
        cat "$note.text"
        printf '\n'
        for line in "${signers[@]}"; do
            # shellcheck disable=SC2086 # three words
            sign $line
        done
    } >"$note.part"
    mv -f "$note.part" "$note"
    rm -f "$note.text" "$note.sig"
}

publish_network() { # NETWORK
    local name
    signers=()
    for name in $(authorities_of "$1" | head -n 2); do
        signers+=("$1.autoridad/$name $pki/authority/$1.$name/sign.key $(authority_vkey "$1" "$name")")
    done
    network_text "$1" | publish "$folder/$1.note" $'enlace-directory v1\nnetwork '"$1"
    [[ -s $folder/$1.authorities ]] || {
        printf 'enlace-authorities v1\nquorum 2\n'
        for name in $(authorities_of "$1"); do
            printf 'authority %s\n' "$(authority_vkey "$1" "$name")"
        done
    } >"$folder/$1.authorities"
}

publish_roster() { # NETWORK CODE
    signers=("$1.$2/roster $pki/member/$1.$2/roster.key $(roster_vkey "$1" "$2")")
    roster_text "$1" "$2" |
        publish "$folder/$1.$2.roster.note" $'enlace-roster v1\nmember '"$1/$2"
}

usage="usage: make_directory.sh PKI_DIR OUT.txt [--ports-from N] [--remark TEXT] [--terms FILE] [--until DATE]"
pki='' out='' ports_from=7441 remark='' terms=$here/routes.txt until=${in_force#*..}
while [[ $# -gt 0 ]]; do
    case $1 in
    --ports-from) [[ $# -ge 2 ]] || die "$usage"; ports_from=$2; shift 2 ;;
    --remark) [[ $# -ge 2 ]] || die "$usage"; remark=$2; shift 2 ;;
    --until) [[ $# -ge 2 ]] || die "$usage"; until=$2; shift 2 ;;
    --terms) [[ $# -ge 2 ]] || die "$usage"; terms=$2; shift 2 ;;
    -*) die "$usage" ;;
    *)
        if [[ -z $pki ]]; then pki=$1; elif [[ -z $out ]]; then out=$1; else die "$usage"; fi
        shift
        ;;
    esac
done
[[ $out == *.txt && $ports_from =~ ^[1-9][0-9]{3,4}$ && $ports_from -le 65000 ]] || die "$usage"
[[ -s $pki/identities.tsv ]] || die "$pki/identities.tsv is missing: run certs/make_pki.sh $pki"

folder=${out%.txt}
mkdir -p "$folder"
trap 'rm -f "$out.part" "$folder"/*.{part,text,sig}' EXIT
declare -A roster_keys=()
identities=$(list_identities)
{
    printf 'enlace-directory v1\nnetwork cdmx\nversion 1\nin-force %s\n\n' "$in_force"
    printf '%s\n\n' "$identities"
    list_terms
} >"$out.part"
if cmp -s "$out.part" "$out"; then rm -f "$out.part"; else mv -f "$out.part" "$out"; fi
for network in cdmx mx; do
    publish_network "$network"
done
while IFS=. read -r network code; do
    publish_roster "$network" "$code" &
done < <(find "$pki/member" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)
wait
