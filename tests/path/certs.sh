#!/bin/bash
#
# The promises of certs/: the demonstration PKI, the bad credentials, and enrolment. Prints a line
# per promise; the last line counts them. Real TLS handshakes, no mock.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
server_pid=
# shellcheck disable=SC2329 # called by the trap
cleanup() {
    [[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

passed=0 failed=0
kept() { # PROMISE COMMAND...: it succeeds; what it said stays in $work/said
    local promise=$1
    shift
    if "$@" >"$work/now" 2>&1; then
        passed=$((passed + 1))
        echo "✔ $promise"
    else
        failed=$((failed + 1))
        echo "✖ $promise"
        sed 's/^/    /' "$work/now"
    fi
    mv "$work/now" "$work/said"
}
# shellcheck disable=SC2329 # called by name
fails_saying() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "accepted: $said"
        return 1
    fi
    printf '%s\n' "$said"
    [[ $said == *"$words"* ]]
}
refuses() { # PROMISE WORDS COMMAND...: it fails and says WORDS
    local promise=$1
    shift
    kept "$promise" fails_saying "$@"
}

# Each of these reads the outer variables and is run by `kept` in this shell.
pki=$work/pki bad=$work/bad
each_identity() { # COMMAND: with a line's columns as arguments, all lines at once
    local line column pids=() pid bad_lines=0
    while IFS= read -r line; do
        [[ $line != \#* ]] || continue
        IFS=$'\t' read -r -a column <<<"$line"
        { "$1" "${column[@]}" || { echo "at: $line"; false; }; } &
        pids+=($!)
    done <"$pki/identities.tsv"
    for pid in "${pids[@]}"; do
        wait "$pid" || bad_lines=$((bad_lines + 1))
    done
    [[ ${#pids[@]} -eq 43 && $bad_lines -eq 0 ]]
}

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
modes() { [[ -z $(find "$pki" \( -type d ! -perm 0700 -o -name '*.key' ! -perm 0600 \)) ]]; }
chains() {
    local network
    for network in cdmx mx; do
        grep -P "^[a-z]+\t$network\t" "$pki/identities.tsv" | cut -f 6,8 | tr '\t' '\n' | grep -v '^-$' |
            sed "s,^,$pki/," | xargs openssl verify -x509_strict -CAfile "$pki/ca/$network.pem" || return 1
    done
}
counts() {
    local said
    said=$(cut -f 1 "$pki/identities.tsv" | grep -v '^#' | sort | uniq -c | awk '{ print $1, $2 }' | tr '\n' ';')
    echo "$said"
    [[ $said == '3 auditor;6 node;17 official;17 system;' && $(find "$pki" -name seal.pem | wc -l) -eq 17 ]]
}
one_right() { # a line's columns: the certificate says what the line says
    local said cert
    for cert in "$6" "$8"; do
        [[ $cert != - ]] || continue
        said=$(openssl x509 -in "$pki/$cert" -noout -subject -fingerprint -sha256 \
            -ext subjectAltName,keyUsage,extendedKeyUsage -pubkey) || return 1
        [[ $(grep -o 'URI:[^,]*' <<<"$said") == "URI:$5" ]] || return 1
        [[ $said == *"subject=O = enlace.$2, CN = $3/"* ]] || return 1
        [[ $(grep -A 20 'BEGIN PUBLIC' <<<"$said") == "$(openssl pkey -in "$pki/${cert%.pem}.key" -pubout)" ]] || return 1
        fingerprint=$(sed -n 's/.*Fingerprint=//p' <<<"$said" | tr -d : | tr A-F a-f)
        case $1/${cert##*/} in
        node/*) [[ $fingerprint == "$7" && $said == *"Server Authentication, TLS Web Client"* && $said == *DNS:localhost* ]] ;;
        */seal.pem) [[ $fingerprint == "$9" && $said == *"Key Agreement"* && $said != *"TLS Web"* && $said != *"Digital Sig"* ]] ;;
        *) [[ $fingerprint == "$7" && $said == *"TLS Web Client"* && $said != *Server* && $said != *"Key Agr"* ]] ;;
        esac || return 1
    done
}
log_keys() { # a node's line: two different Ed25519 keys, the listed ones
    [[ $1 == node ]] || { [[ ${10} == - && ${11} == - ]]; return; }
    local which listed
    for which in log/${10} witness/${11}; do
        listed=${which#*/}
        [[ $(openssl pkey -in "$pki/node/$3/${which%%/*}.key" -pubout -outform DER | tail -c 32 | base64) == "$listed" ]] || return 1
        [[ $(openssl pkey -pubin -in "$pki/node/$3/${which%%/*}.pub" -outform DER | tail -c 32 | base64) == "$listed" ]] || return 1
    done
    [[ ${10} != "${11}" ]]
}
state_of() { (cd "$pki" && find . -type f ! -name .lock -exec stat -c '%n %Y %i %a' {} + | sort; cd "$pki" && find . -type f -exec sha256sum {} + | sort); }
second_run() {
    state_of >"$work/before"
    certs/make_pki.sh "$pki" && state_of | cmp - "$work/before"
}
renewal() { # one certificate lost, one foreign: both come back over the same keys, nothing else moves
    local key system=$pki/system/cdmx.c5.adapter
    key=$(sha256sum "$system"/*.key)
    state_of | grep -v -e c5.adapter -e identities >"$work/before"
    rm "$system/seal.pem"
    cp "$pki/system/cdmx.saf.adapter/tls.pem" "$system/tls.pem"
    certs/make_pki.sh "$pki" | grep ' 2 made now' || return 1
    [[ $(sha256sum "$system"/*.key) == "$key" ]] || return 1
    state_of | grep -v -e c5.adapter -e identities | cmp - "$work/before" || return 1
    local column
    IFS=$'\t' read -r -a column < <(grep -P '^system\tcdmx\tc5\t' "$pki/identities.tsv")
    one_right "${column[@]}"
}
lasts_30_days() {
    local at
    at=$(($(date +%s) + 29 * 86400))
    openssl verify -attime "$at" -CAfile "$pki/ca/cdmx.pem" "$pki/node/ssc/tls.pem" &&
        ! openssl verify -attime $((at + 2 * 86400)) -CAfile "$pki/ca/cdmx.pem" "$pki/node/ssc/tls.pem"
}
seals() {
    local system=$pki/system/cdmx.sedesa.adapter
    head -c 5000 /dev/urandom >"$work/plain"
    openssl cms -encrypt -binary -aes-256-gcm -in "$work/plain" -outform DER -out "$work/sealed" \
        -recip "$system/seal.pem" -keyopt ecdh_kdf_md:sha256 &&
        openssl cms -decrypt -binary -inform DER -in "$work/sealed" -inkey "$system/seal.key" -recip "$system/seal.pem" |
        cmp - "$work/plain" || return 1
    ! openssl cms -decrypt -binary -inform DER -in "$work/sealed" -inkey "$pki/system/cdmx.ssc.adapter/seal.key" >/dev/null
}

# --- handshakes
handshake() { # FOLDER: a client with these credentials gets an answer from the node
    local pair=$1
    [[ $(printf 'hola\nCLOSE\n' | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" -tls1_3 -CAfile "$pki/ca/all.pem" \
        -verify_return_error -verify_hostname localhost -cert "$pair/tls.pem" -cert_chain "$pair/tls.pem" -key "$pair/tls.key" 2>/dev/null |
        head -n 1) == aloh ]]
}
bad_cases() { # REFUSED_AT COMMAND...: for each case of that kind
    local case at why seen=0
    while IFS=$'\t' read -r case at why; do
        [[ $at == "$1" ]] || continue
        seen=$((seen + 1))
        "${@:2}" "$bad/$case" || { echo "case $case: $why"; return 1; }
    done <"$bad/cases.tsv"
    [[ $seen -gt 0 ]]
}
no_handshake() { ! handshake "$1"; }
start_server() {
    local i
    openssl s_server -accept 127.0.0.1:0 -tls1_3 -rev -Verify 3 -verify_return_error -CAfile "$pki/ca/all.pem" \
        -cert "$pki/node/cdmx/tls.pem" -key "$pki/node/cdmx/tls.key" >"$work/server" 2>&1 &
    server_pid=$!
    for ((i = 0; i < 100; i++)); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/server")
        [[ -z $port ]] || return 0
        sleep 0.05
    done
    cat "$work/server"
    return 1
}
lax_passes_its_own() {
    openssl verify -x509_strict -purpose sslclient -CAfile "$bad/lax-ca.pem" "$bad/lax-other-network/tls.pem"
}

# --- enrolment
fingerprint_of() { openssl req -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1; }
sign() { # CSR OPTIONS...: as the authority of cdmx that heard the right fingerprint
    certs/enrol.sh sign --ca "$work/authority/ca.pem" --ca-key "$work/authority/ca.key" \
        --fingerprint "$(fingerprint_of "$1")" "$@"
}
make_csr() { # FILE CONFIG LINES OF EXTENSIONS...
    local file=$1
    shift
    printf '%s\n' '[req]' 'distinguished_name = dn' 'req_extensions = ext' '[dn]' '[ext]' "$@" >"$file.cnf"
    openssl req -new -key "$work/key" -config "$file.cnf" -subj '/CN=Persona Nombrada' -out "$file"
}
request_system() { certs/enrol.sh request --kind system --network cdmx --member ssc --name adapter "$work/agency"; }
system_installs() {
    local use
    for use in tls seal; do
        openssl x509 -in "$work/agency/$use.pem" -noout -pubkey | cmp - <(openssl pkey -in "$work/agency/$use.key" -pubout) || return 1
    done
    [[ -z $(find "$work/agency" -name '*.key*' ! -perm 0600) ]]
}
renewed_system() { # new keys wait, then replace; the old seal pair still opens what was sealed to it
    local agency=$work/agency old_tls use
    old_tls=$(sha256sum <"$agency/tls.key")
    openssl cms -encrypt -binary -aes-256-gcm -in "$work/key.pub" -outform DER -out "$work/old.sealed" \
        -recip "$agency/seal.pem" -keyopt ecdh_kdf_md:sha256 || return 1
    request_system || return 1
    [[ $(sha256sum <"$agency/tls.key") == "$old_tls" && -s $agency/tls.key.next ]] || return 1
    sign "$agency/tls.csr" --out "$work/new-tls.pem" && sign "$agency/seal.csr" --seal --out "$work/new-seal.pem" || return 1
    for use in tls seal; do
        certs/enrol.sh install "$work/new-$use.pem" "$agency" || return 1
    done
    [[ $(sha256sum <"$agency/tls.key") != "$old_tls" && ! -e $agency/tls.key.next ]] && system_installs || return 1
    openssl cms -decrypt -binary -inform DER -in "$work/old.sealed" -inkey "$agency"/seal-*.key -recip "$agency"/seal-*.pem |
        cmp - "$work/key.pub"
}
only_the_uri() { # what else a request asks for is not in the certificate, nor is the person's name
    make_csr "$work/greedy.csr" 'subjectAltName = URI:spiffe://enlace.cdmx/member/ssc/official/enlace-09' \
        'basicConstraints = critical, CA:TRUE' 'keyUsage = keyCertSign' 'extendedKeyUsage = serverAuth' &&
        sign "$work/greedy.csr" --days 5 || return 1
    openssl x509 -in "$work/greedy.pem" -noout -text >"$work/text"
    ! grep -E 'CA:TRUE|Certificate Sign|Server Auth|Persona' "$work/text" &&
        grep -q 'CN = ssc/enlace-09' "$work/text" && grep -q 'URI:spiffe://enlace.cdmx/member/ssc/official/enlace-09$' "$work/text"
}
bytes_right() {
    make_csr "$work/bytes.csr" "subjectAltName = $(der_uri "$uri")" && sign "$work/bytes.csr"
}
spoiled_csr() { # a byte of the signature flipped
    openssl req -in "$work/greedy.csr" -outform DER -out "$work/spoiled.der" || return 1
    local size
    size=$(stat -c %s "$work/spoiled.der")
    printf '\x55\xaa' | dd of="$work/spoiled.der" bs=1 seek=$((size - 2)) conv=notrunc status=none
    { echo '-----BEGIN CERTIFICATE REQUEST-----'; base64 -w 64 "$work/spoiled.der"; echo '-----END CERTIFICATE REQUEST-----'; } >"$work/spoiled.csr"
}
node_round() {
    certs/enrol.sh request --kind node --network cdmx --member ssc "$work/node" || return 1
    sign "$work/node/tls.csr" --host gw.ssc.example --host 10.1.2.3 --out "$work/node.pem" || return 1
    certs/enrol.sh install --ca "$work/authority/ca.pem" "$work/node.pem" "$work/node" || return 1
    openssl x509 -in "$work/node/tls.pem" -noout -ext subjectAltName | grep -q 'node/ssc, DNS:gw.ssc.example, IP Address:10.1.2.3$' || return 1
    local log
    log=$(sha256sum "$work"/node/{log,witness}.key)
    certs/enrol.sh request --kind node --network cdmx --member ssc "$work/node" && [[ $(sha256sum "$work"/node/{log,witness}.key) == "$log" ]]
}
no_key_in_repository() { [[ -z $(git ls-files '*.key' '*.pem') ]] && ! git grep -lE -e '-----BEGIN [A-Z ]*PRIVATE KEY' -- ':!*.md'; }
}

kept "make_pki makes the demonstration PKI" certs/make_pki.sh "$pki"
kept "and says that it is for demonstration" grep -q 'For demonstration only' "$work/said"
kept "folders are 0700 and private keys 0600" modes
kept "6 nodes, 17 systems, 17 officials, 3 auditors" counts
kept "each chain verifies, strictly, by its own network's CA" chains
kept "each certificate has the listed URI, fingerprint, key and usage, and nothing else" each_identity one_right
kept "each node has two different Ed25519 keys, as listed" each_identity log_keys
kept "a certificate lasts the 30 days it has unless told" lasts_30_days
kept "a second run changes nothing" second_run
kept "a lost and a wrong certificate are replaced over the same keys, the others stay" renewal
kept "what is sealed to a system opens with its seal key only" seals
refuses "no PKI inside the repository" "inside the repository" certs/make_pki.sh certs/demo
refuses "nor through a path that winds into it" "inside the repository" certs/make_pki.sh build/../tests/x
refuses "days that outlive the authority are refused" "usage" certs/make_pki.sh "$work/x" --days 365
kept "no private key is in the repository" no_key_in_repository

kept "bad_pki makes its cases" certs/bad_pki.sh "$bad" "$pki"
refuses "bad_pki does not empty a folder that is not its own" "not a folder of bad" certs/bad_pki.sh "$pki" "$pki"
kept "a node answers TLS 1.3" start_server
kept "a system's certificate is let in" handshake "$pki/system/cdmx.ssc.adapter"
kept "a peer node's certificate is let in" handshake "$pki/node/segob"
kept "an official's certificate is let in" handshake "$pki/official/mx.segob.enlace-01"
kept "each handshake case is refused in the handshake" bad_cases handshake no_handshake
kept "each call case passes the handshake, so that the call is what refuses it" bad_cases call handshake
kept "a certificate with another's key does not load" bad_cases load no_handshake
kept "the lax authority's certificate is refused by the two CAs" bad_cases lax no_handshake
kept "and passes where that authority is trusted" lax_passes_its_own

mkdir "$work/authority"
cp "$pki/ca/cdmx.pem" "$work/authority/ca.pem"
cp "$pki/ca/cdmx.key" "$work/authority/ca.key"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key"
openssl pkey -in "$work/key" -pubout -out "$work/key.pub"
agency=$work/agency
kept "a system makes its keys and requests" request_system
kept "and is told the fingerprint to read aloud" grep -q "$(fingerprint_of "$agency/tls.csr" | sed 's/..../& /g; s/ $//')" "$work/said"
refuses "no signature without a fingerprint" "falta --fingerprint" certs/enrol.sh sign --ca "$work/authority/ca.pem" --ca-key "$work/authority/ca.key" "$agency/tls.csr"
refuses "nor with another's fingerprint" "no coincide" sign "$agency/tls.csr" --fingerprint "$(fingerprint_of "$agency/seal.csr")"
kept "the authority signs for TLS" sign "$agency/tls.csr" --out "$work/tls.pem"
kept "and the seal" sign "$agency/seal.csr" --seal --out "$work/seal.pem"
refuses "install without an authority is refused" "falta --ca" certs/enrol.sh install "$work/tls.pem" "$agency"
refuses "install refuses another network's authority" "no lo firmó" certs/enrol.sh install --ca "$pki/ca/mx.pem" "$work/tls.pem" "$agency"
kept "install puts TLS in place" certs/enrol.sh install --ca "$work/authority/ca.pem" "$work/tls.pem" "$agency"
kept "and the seal" certs/enrol.sh install "$work/seal.pem" "$agency"
kept "certificates match their keys, which stay 0600" system_installs
refuses "install refuses a certificate over another key" "no corresponde" certs/enrol.sh install "$pki/system/cdmx.ssc.adapter/tls.pem" "$agency"
kept "renewal swaps both, and keeps the old seal for what was sealed to it" renewed_system
kept "the authority's register has every issue" bash -c "[[ \$(grep -c 'member/ssc/system/adapter' '$work/authority/emitidos.tsv') -eq 4 ]]"
sign "$agency/seal.csr" --out "$work/slip.pem" >/dev/null 2>&1
refuses "install refuses a seal that was signed for TLS" "no es para sello" certs/enrol.sh install "$work/slip.pem" "$agency"
openssl req -new -key "$agency/tls.key" -subj /CN=x -addext subjectAltName=URI:spiffe://enlace.cdmx/member/c5/system/adapter \
    -out "$work/swapped.csr"
sign "$work/swapped.csr" --out "$work/swapped.pem" >/dev/null 2>&1
refuses "install refuses another identity over the right key" "no lleva la identidad" certs/enrol.sh install "$work/swapped.pem" "$agency"
kept "a node's round, and its log and witness keys are never replaced" node_round
kept "a certificate carries nothing of the request but its URI" only_the_uri

uri=spiffe://enlace.cdmx/member/ssc/system/adapter
refused_san() { # NAME PROMISE SAN
    make_csr "$work/$1.csr" ${3:+"subjectAltName = $3"} 2>/dev/null
    refuses "sign refuses $2" "exactamente una identidad" sign "$work/$1.csr"
}
refused_san none "a request without SAN" ""
refused_san two "two URIs" "URI:$uri,URI:spiffe://enlace.cdmx/member/c5/system/adapter"
refused_san dns "a URI and a DNS name" "URI:$uri,DNS:localhost"
refused_san scheme "another scheme" "URI:https://enlace.cdmx/member/ssc/system/adapter"
refused_san climbs "a path that climbs" "URI:spiffe://enlace.cdmx/member/c5/../ssc/system/adapter"
refused_san slash "a trailing slash" "URI:$uri/"
refused_san capitals "capitals" "URI:spiffe://enlace.cdmx/member/SSC/system/adapter"
refused_san kind "an unknown kind" "URI:spiffe://enlace.cdmx/member/ssc/robot/adapter"
refused_san long "a label of 32 characters" "URI:spiffe://enlace.cdmx/node/abcdefghijklmnopqrstuvwxyzabcdef"
der_uri() { # the DER of a SAN with one URI of any bytes
    local hex
    hex=$(printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n')
    printf 'DER:30%02x86%02x%s' $((${#hex} / 2 + 2)) $((${#hex} / 2)) "$hex"
}
kept "(a SAN written byte by byte is signed when right)" bytes_right
refused_san newline "a line break inside the URI" "$(der_uri "$uri\\nURI:spiffe://x")"
refused_san nul "a NUL inside the URI" "$(der_uri "$uri\\0.evil")"
make_csr "$work/other.csr" 'subjectAltName = URI:spiffe://enlace.mx/node/segob'
refuses "sign refuses a name of another network" "no es la de la red" sign "$work/other.csr" --host localhost
refuses "sign refuses a node without a host" "necesita --host" sign "$work/node/tls.csr"
refuses "sign refuses a host that smuggles a URI" "no es un nombre" sign "$work/node/tls.csr" --host 'a,URI:spiffe://enlace.cdmx/node/pgj'
refuses "sign refuses a seal for an official" "sólo un sistema" sign "$work/greedy.csr" --seal --out "$work/y.pem"
refuses "sign refuses 91 days" "de 1 a 90" sign "$work/greedy.csr" --days 91 --out "$work/y.pem"
refuses "sign does not overwrite" "ya existe" sign "$work/greedy.csr"
spoiled_csr
refuses "sign refuses a request whose signature is spoiled" "rechazada: la firma" sign "$work/spoiled.csr"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$work/key"
make_csr "$work/p384.csr" "subjectAltName = URI:$uri"
refuses "sign refuses a key that is not P-256" "no es P-256" sign "$work/p384.csr"
refuses "request refuses a name with capitals" "no es una identidad" certs/enrol.sh request --kind official --network cdmx --member ssc --name Ana "$work/z"
refuses "request refuses a folder of another identity" "ya es de otra" certs/enrol.sh request --kind official --network cdmx --member ssc --name enlace-01 "$agency"
refuses "request refuses a folder in the repository" "dentro del repositorio" certs/enrol.sh request --kind node --network cdmx --member ssc certs/x

echo "certs: $passed passed, $failed failed"
[[ $failed -eq 0 ]]
