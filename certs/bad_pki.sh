#!/bin/bash
#
# bad_pki.sh DIR GOODDIR: credentials that must not get in, for tests. GOODDIR is what make_pki.sh
# made; nothing in it changes. DIR is made anew on each run: DIR/<case>/tls.pem tls.key.
#
# DIR/cases.tsv says of each case where it must be refused, and why:
#   load        by the program that is given it as its own
#   handshake   by the TLS library's checks of a client
#   call        passes TLS; the identity is what is wrong
#   roster      by a directory that lists certificates by fingerprint, and by nothing else
#   lax         at the handshake by ca/all.pem; at the call where DIR/lax-ca.pem is trusted for mx,
#               an authority without constraint on names: our own check of the network must stand
#               without OpenSSL's
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ $# -eq 2 ]] || die "usage: bad_pki.sh DIR GOODDIR"
outside_repository "$1" || die "$1 lies inside the repository: private keys go to build/ or elsewhere"
dir=$(realpath -m -- "$1") good=$(realpath -m -- "$2")
[[ -s $good/ca/cdmx.key && -s $good/system/cdmx.ssc.adapter/tls.pem ]] ||
    die "$2 holds no PKI; run make_pki.sh $2 first"
[[ ! -e $dir || -e $dir/cases.tsv ]] || die "$dir exists and is not a folder of bad credentials"
rm -rf "$dir"
mkdir -p "$dir"

cdmx=$good/ca/cdmx
ssc=spiffe://enlace.cdmx/member/ssc/system/adapter
new_key P-256 "$dir/key.pem" # one key serves all cases: what is wrong is what stands around it
public_key "$dir/key.pem" >"$dir/pub.pem"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '# case\trefused_at\twhy\n' >"$dir/cases.tsv"

new_case() { # NAME REFUSED_AT WHY: its folder, and its line of cases.tsv
    mkdir -p "$dir/$1"
    cp "$dir/key.pem" "$dir/$1/tls.key"
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$dir/cases.tsv"
}

# sign CASE CA SAN [EXTENSION LINE...]: the SAN as the configuration writes it, or "-" for none.
sign() {
    local case=$1 ca=$2 san=$3
    shift 3
    {
        printf '%s\n' '[profile]' 'basicConstraints = critical, CA:FALSE' \
            'keyUsage = critical, digitalSignature' 'subjectKeyIdentifier = hash' \
            'authorityKeyIdentifier = keyid:always'
        [[ $* == *extendedKeyUsage* ]] || echo 'extendedKeyUsage = clientAuth'
        [[ $san == - ]] || echo "subjectAltName = $san"
        printf '%s\n' "$@"
    } >"$work/$case.cnf"
    openssl x509 -new -force_pubkey "$dir/pub.pem" -subj '/O=enlace.cdmx/CN=ssc\/adapter' -sha256 \
        -CA "$ca.pem" -CAkey "$ca.key" -set_serial "$(new_serial)" -days 30 \
        -extfile "$work/$case.cnf" -extensions profile -out "$dir/$case/tls.pem"
}

# dated CASE START END: a certificate that is right in all but its time (`openssl x509` 3.0 cannot
# set the beginning; `openssl ca` can).
dated() {
    local db=$work/db-$1
    mkdir "$db"
    : >"$db/index.txt"
    {
        printf '[ca]\ndefault_ca = one\n[one]\ndatabase = %s\nnew_certs_dir = %s\n' "$db/index.txt" "$db"
        printf 'default_md = sha256\nrand_serial = yes\npolicy = any\nunique_subject = no\n'
        printf '[any]\norganizationName = optional\ncommonName = supplied\n'
    } >"$db/ca.cnf"
    openssl req -new -key "$dir/key.pem" -subj '/O=enlace.cdmx/CN=ssc\/adapter' -out "$db/csr.pem"
    ENLACE_URI=$ssc openssl ca -batch -notext -config "$db/ca.cnf" -cert "$cdmx.pem" -keyfile "$cdmx.key" \
        -in "$db/csr.pem" -startdate "$(utc "$2")" -enddate "$(utc "$3")" \
        -extfile "$profiles/system.cnf" -extensions profile -out "$dir/$1/tls.pem" 2>"$db/said" ||
        die "$(cat "$db/said")"
}
utc() { date -u -d "$1" +%Y%m%d%H%M%SZ; }

authority() { # BASE NETWORK SUBJECT CONSTRAINED(yes|no)
    new_key P-256 "$1.key"
    sed "$([[ $4 == yes ]] || echo '/^nameConstraints/d')" "$profiles/ca.cnf" >"$work/ca.cnf"
    ENLACE_NETWORK=$2 openssl x509 -new -key "$1.key" -sha256 -days 30 -subj "$3" \
        -set_serial "$(new_serial)" -extfile "$work/ca.cnf" -extensions profile -out "$1.pem"
}

authority "$work/rogue" cdmx '/O=enlace.cdmx/CN=Enlace cdmx, demonstration only' yes
authority "$work/lax-ca" mx '/O=enlace.mx/CN=lax' no
cp "$work/lax-ca.pem" "$dir/lax-ca.pem"

new_case other-ca handshake "right name, signed by a stranger who calls itself as our CA does"
sign other-ca "$work/rogue" "URI:$ssc"
new_case self-signed handshake "right name, signed by its own key"
ENLACE_URI=$ssc openssl x509 -new -key "$dir/key.pem" -subj '/O=enlace.cdmx/CN=ssc\/adapter' -days 30 \
    -set_serial "$(new_serial)" -extfile "$profiles/system.cnf" -extensions profile \
    -out "$dir/self-signed/tls.pem"
new_case expired handshake "ended yesterday"
dated expired '-31 days' '-1 day'
new_case not-yet-valid handshake "begins tomorrow"
dated not-yet-valid '+1 day' '+31 days'
new_case other-network handshake "a name of network mx signed by the CA of cdmx"
sign other-network "$cdmx" 'URI:spiffe://enlace.mx/member/segob/system/sistema'
new_case sub-network handshake "a network whose name merely begins with ours"
sign sub-network "$cdmx" 'URI:spiffe://enlace.cdmx.evil/member/ssc/system/adapter'
new_case server-only handshake "extended usage serverAuth alone, used by a client"
sign server-only "$cdmx" "URI:$ssc" 'extendedKeyUsage = serverAuth'
new_case seal-as-tls handshake "the system's own seal pair, used for TLS"
cp "$good/system/cdmx.ssc.adapter/seal.pem" "$dir/seal-as-tls/tls.pem"
cp "$good/system/cdmx.ssc.adapter/seal.key" "$dir/seal-as-tls/tls.key"
new_case signed-by-a-system handshake "a system's certificate used as if it were an authority's"
cp "$good/system/cdmx.c5.adapter/tls.pem" "$work/c5.pem"
cp "$good/system/cdmx.c5.adapter/tls.key" "$work/c5.key"
sign signed-by-a-system "$work/c5" "URI:$ssc"
cat "$work/c5.pem" >>"$dir/signed-by-a-system/tls.pem"
new_case mismatched-key load "a good certificate with another's key"
cp "$good/system/cdmx.ssc.adapter/tls.pem" "$dir/mismatched-key/tls.pem"

new_case two-uris call "two URI names: the first another agency's, the second the listed one"
sign two-uris "$cdmx" "URI:spiffe://enlace.cdmx/member/c5/system/adapter,URI:$ssc"
new_case no-san call "no subject alternative name at all"
sign no-san "$cdmx" -
new_case dns-only call "a DNS name and no URI"
sign dns-only "$cdmx" 'DNS:ssc.example'
new_case unknown-name call "a system that its member does not list"
sign unknown-name "$cdmx" 'URI:spiffe://enlace.cdmx/member/ssc/system/fantasma'
new_case unknown-member call "a member that the directory does not list"
sign unknown-member "$cdmx" 'URI:spiffe://enlace.cdmx/member/fantasma/system/adapter'
new_case unknown-node call "a node that the directory does not list"
sign unknown-node "$cdmx" 'URI:spiffe://enlace.cdmx/node/fantasma'
new_case unlisted-twin roster "a listed name over another certificate than the listed one"
sign unlisted-twin "$cdmx" "URI:$ssc"
new_case https-uri call "the right path under another scheme"
sign https-uri "$cdmx" 'URI:https://enlace.cdmx/member/ssc/system/adapter'
new_case dot-dot call "a path that climbs"
sign dot-dot "$cdmx" 'URI:spiffe://enlace.cdmx/member/c5/../ssc/system/adapter'
new_case upper-case call "the right name in capitals"
sign upper-case "$cdmx" 'URI:spiffe://enlace.cdmx/member/SSC/system/adapter'
new_case trailing-slash call "the right name and a slash"
sign trailing-slash "$cdmx" "URI:$ssc/"
new_case with-query call "the right name and a query"
sign with-query "$cdmx" "URI:$ssc?x=1"
new_case nul-in-uri call "the right name, a NUL, and more"
hex=$(printf '%s' "$ssc" | od -An -v -tx1 | tr -d ' \n')002e6576696c
sign nul-in-uri "$cdmx" "$(printf 'DER:30%02x86%02x%s' $((${#hex} / 2 + 2)) $((${#hex} / 2)) "$hex")"
new_case lax-other-network lax "a name of cdmx from an authority of mx without constraint"
sign lax-other-network "$work/lax-ca" "URI:$ssc"

rm -f "$dir/key.pem" "$dir/pub.pem"
echo "Bad credentials in $dir: $(grep -vc '^#' "$dir/cases.tsv") cases."
