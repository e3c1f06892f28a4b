# shellcheck shell=bash
#
# What the scripts of this folder share: the grammar of identities, how a key is made and how a
# certificate is issued from a profile. Sourced, never run.
#
# An identity is one URI (design: X.509 with one SPIFFE-style URI SAN):
#   spiffe://enlace.<network>/node/<code>
#   spiffe://enlace.<network>/member/<code>/system/<name>
#   spiffe://enlace.<network>/member/<code>/official/<id>
#   spiffe://enlace.<network>/auditor/<code>/<id>

export LC_ALL=C # [a-z] means ASCII; the bytes of Spanish messages pass as they are
umask 077

certs_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
profiles=$certs_dir/profiles

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Private keys stay out of the repository; build/ is ignored by it.
outside_repository() {
    local root dir
    root=$(cd "$certs_dir/.." && pwd -P)
    dir=$(realpath -m -- "$1")
    case $dir/ in
    "$root"/build/?*) return 0 ;;
    "$root"/*) return 1 ;;
    esac
}

# Short enough for a subject's 64 characters and for one-byte lengths in the SAN's DER.
is_label() { [[ ${#1} -le 31 && $1 =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]]; }
is_network() { is_label "$1" && [[ ${#1} -le 15 ]]; }

# identity_uri KIND NETWORK CODE [NAME]
identity_uri() {
    case $1 in
    node) printf 'spiffe://enlace.%s/node/%s' "$2" "$3" ;;
    system | official) printf 'spiffe://enlace.%s/member/%s/%s/%s' "$2" "$3" "$1" "$4" ;;
    auditor) printf 'spiffe://enlace.%s/auditor/%s/%s' "$2" "$3" "$4" ;;
    *) return 1 ;;
    esac
}

# Sets id_kind, id_network, id_code, id_name ("-" for a node), or fails. What is parsed is written
# back and compared, so that only the one canonical spelling passes.
identity_parse() {
    local rest part
    [[ $1 == spiffe://enlace.*/* ]] || return 1
    rest=${1#spiffe://enlace.}
    IFS=/ read -r -a part <<<"$rest"
    id_network=${part[0]} id_name=-
    case ${#part[@]}/${part[1]} in
    3/node) id_kind=node id_code=${part[2]} ;;
    4/auditor) id_kind=auditor id_code=${part[2]} id_name=${part[3]} ;;
    5/member) id_kind=${part[3]} id_code=${part[2]} id_name=${part[4]} ;;
    *) return 1 ;;
    esac
    is_network "$id_network" && is_label "$id_code" || return 1
    [[ $id_name == - ]] || is_label "$id_name" || return 1
    [[ $(identity_uri "$id_kind" "$id_network" "$id_code" "$id_name") == "$1" ]]
}

# The subject says what the URI says and nobody's name; authorisation never reads it.
identity_subject() {
    identity_parse "$1" || return 1
    local name=$id_name
    [[ $id_kind != node ]] || name=node
    printf '/O=enlace.%s/CN=%s\\/%s' "$id_network" "$id_code" "$name"
}

# new_key P-256|ED25519 FILE: a whole key appears under its name or none does.
new_key() {
    local algorithm=(-algorithm ED25519)
    [[ $1 != P-256 ]] || algorithm=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
    openssl genpkey "${algorithm[@]}" -out "$2.part.$BASHPID" && mv -f "$2.part.$BASHPID" "$2"
}

public_key() { openssl pkey -in "$1" -pubout; }

# new_serial: 127 random bits, positive.
new_serial() { printf '0x4%07x%08x%08x%08x' $((SRANDOM >> 4)) "$SRANDOM" "$SRANDOM" "$SRANDOM"; }

# issue PROFILE URI PUBLIC_KEY CA CA_KEY DAYS OUT: certificate over a public key. Everything in it
# comes from the profile and the URI; nothing is copied from a request. For a node, the caller
# exports ENLACE_HOSTS ("DNS:gw.example,IP:127.0.0.1").
issue() {
    local subject
    subject=$(identity_subject "$2") || return 1
    ENLACE_URI=$2 openssl x509 -new -force_pubkey "$3" -subj "$subject" -sha256 \
        -CA "$4" -CAkey "$5" -set_serial "$(new_serial)" -days "$6" \
        -extfile "$profiles/$1.cnf" -extensions profile -out "$7.part.$BASHPID" &&
        mv -f "$7.part.$BASHPID" "$7"
}

# pem_sha256 FILE: SHA-256 of the DER inside a file with one PEM block, in hex.
pem_sha256() { sed '/^-----/d' "$1" | base64 -d | sha256sum | cut -d ' ' -f 1; }

# The raw 32 bytes of an Ed25519 public key, base64: they end its DER.
ed25519_raw() { sed '/^-----/d' "$1" | base64 -d | tail -c 32 | base64; }
