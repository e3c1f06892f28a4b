#!/bin/bash
#
# enrol.sh - how a real institution gets its certificates. Three steps, three places:
#
#   request   on the machine where the keys will live: makes them, and what the authority needs
#   sign      at the network's authority: over a public key confirmed by telephone
#   install   back on the machine: checks what came, then puts it in place
#
# Renewal is the same three steps in the same folder: the new key waits as <use>.key.next until its
# certificate is installed, and a replaced seal pair is kept, because parcels sealed to it may still
# come. Messages are in Spanish: they are for the institutions' staff.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

warn_days=7 # a certificate that comes with less than this left is installed with a warning
days_max=90 # short-lived: what the authority may give at most

usage() {
    cat >&2 <<'TXT'
Uso:
  enrol.sh request --kind system|node|official|auditor --network RED --member CLAVE [--name NOMBRE] CARPETA
  enrol.sh sign --ca CA.pem --ca-key CA.key SOLICITUD.csr [--days N] [--seal] [--host DNS|IP]...
                [--fingerprint HUELLA] [--out CERT.pem]
  enrol.sh install CERT.pem CARPETA [--ca CA.pem]
TXT
    exit 2
}

# A fingerprint in groups of four, as it is read aloud.
spoken() { sed 's/..../& /g; s/ $//' <<<"$1"; }

key_uses() { # KIND: the certificates that a kind asks for
    if [[ $1 == system ]]; then echo tls seal; else echo tls; fi
}

use_in_words() {
    case $1 in
    tls) echo "conexión (TLS)" ;;
    seal) echo "sello de mensajes" ;;
    log) echo "bitácora" ;;
    witness) echo "testigo" ;;
    esac
}

key_fingerprint() { pem_sha256 /dev/stdin; } # of the public key in PEM on standard input

# --- request ---------------------------------------------------------------------------------------

request_one() { # USE URI: the key if it is not there, and a request over it
    local key=$out/$1.key
    [[ ! -e $out/$1.pem ]] || key=$out/$1.key.next
    [[ -s $key ]] || new_key P-256 "$key"
    openssl req -new -sha256 -key "$key" -config /dev/null -subj "$(identity_subject "$2")" \
        -addext "subjectAltName=URI:$2" -out "$out/$1.csr.part"
    mv -f "$out/$1.csr.part" "$out/$1.csr"
}

request_summary() { # URI USE...
    local uri=$1 use pub
    shift
    echo "Solicitud de certificados de Enlace"
    echo "  Red: $network   Institución: $member   Identidad: $uri"
    echo
    echo "Lea por teléfono a la autoridad de la red la huella (SHA-256) de cada llave pública:"
    for use in "$@"; do
        pub=$(openssl req -in "$out/$use.csr" -noout -pubkey | key_fingerprint)
        printf '  %s\n    %s\n' "$(use_in_words "$use")" "$(spoken "$pub")"
    done
    if [[ $kind == node ]]; then
        for use in log witness; do
            printf '  %s (llave pública %s)\n    %s\n' "$(use_in_words "$use")" \
                "$(ed25519_raw "$out/$use.pub")" "$(spoken "$(key_fingerprint <"$out/$use.pub")")"
        done
    fi
    echo
    echo "Envíe a la autoridad: $(for use in "$@"; do printf '%s.csr ' "$use"; done)$(
        [[ $kind != node ]] || echo 'log.pub witness.pub')"
    echo "Las llaves privadas (*.key) no salen de esta carpeta ni se copian a otra máquina."
}

cmd_request() {
    local kind='' network='' member='' name='' out='' uri use uses
    while [[ $# -gt 0 ]]; do
        case $1 in
        --kind | --network | --member | --name)
            [[ $# -ge 2 ]] || usage
            printf -v "${1#--}" %s "$2"
            shift 2
            ;;
        -*) usage ;;
        *) [[ -z $out ]] || usage; out=$1; shift ;;
        esac
    done
    [[ -n $kind && -n $network && -n $member && -n $out ]] || usage
    case $kind in
    node) [[ -z $name ]] || die "un nodo no lleva --name" ;;
    system | official | auditor) [[ -n $name ]] || die "falta --name" ;;
    *) die "--kind debe ser system, node, official o auditor; se recibió «$kind»" ;;
    esac
    uri=$(identity_uri "$kind" "$network" "$member" "$name")
    identity_parse "$uri" || die "«$uri» no es una identidad válida: minúsculas, cifras y guiones," \
        "hasta 31 caracteres (la red, 15)"
    outside_repository "$out" || die "$out está dentro del repositorio: elija otra carpeta para las llaves"
    [[ ! -e $out/tls.csr ]] || [[ $(csr_uri "$out/tls.csr") == "$uri" ]] ||
        die "$out ya es de otra identidad: $(csr_uri "$out/tls.csr")"

    mkdir -p "$out"
    chmod 0700 "$out"
    read -r -a uses <<<"$(key_uses "$kind")"
    for use in "${uses[@]}"; do
        request_one "$use" "$uri"
    done
    if [[ $kind == node ]]; then
        for use in log witness; do
            [[ -s $out/$use.key ]] || new_key ED25519 "$out/$use.key"
            public_key "$out/$use.key" >"$out/$use.pub.part"
            mv -f "$out/$use.pub.part" "$out/$use.pub"
        done
    fi
    request_summary "$uri" "${uses[@]}" | tee "$out/solicitud.txt"
}

# --- sign ------------------------------------------------------------------------------------------

# The one URI of a request, read from the bytes of its SAN and not from a printed form that a crafted
# name could imitate: SEQUENCE { [6] uri } and nothing else.
csr_uri() {
    local san uri
    san=$(openssl req -in "$1" -outform DER 2>/dev/null | openssl asn1parse -inform DER 2>/dev/null |
        grep -a -A 2 ':X509v3 Subject Alternative Name$' | sed -n 's/.*\[HEX DUMP\]:\([0-9A-F]*\)$/\1/p')
    [[ $san =~ ^30(..)86(..)(([2-7][0-9A-F])+)$ ]] || return 1
    [[ $((16#${BASH_REMATCH[1]})) -eq $((${#san} / 2 - 2)) &&
        $((16#${BASH_REMATCH[2]})) -eq $((${#BASH_REMATCH[3]} / 2)) ]] || return 1
    # shellcheck disable=SC2001 # a \x before each pair is sed's work
    uri=$(printf '%b' "$(sed 's/../\\x&/g' <<<"${BASH_REMATCH[3]}")")
    identity_parse "$uri" && printf '%s\n' "$uri"
}

# The request is well made: its own signature, and a P-256 key. `openssl req -verify` of 3.0 leaves
# with 0 even when the signature is bad, so its words count.
check_csr() {
    local spki
    grep -q -a -e '-----BEGIN CERTIFICATE REQUEST-----' "$1" || die "$1 no es una solicitud en PEM"
    openssl req -in "$1" -noout -verify 2>&1 | grep -q 'verify OK$' ||
        die "rechazada: la firma de la solicitud no corresponde a su llave"
    spki=$(openssl req -in "$1" -noout -pubkey | sed '/^-----/d' | base64 -d | od -An -v -tx1 | tr -d ' \n')
    [[ ${#spki} -eq 182 && $spki == 3059301306072a8648ce3d020106082a8648ce3d03010703420004* ]] ||
        die "rechazada: la llave no es P-256"
}

# No certificate without a comparison: the fingerprint heard on the telephone is typed or given.
confirm() { # FINGERPRINT GIVEN
    local heard=$2
    if [[ -z $heard ]]; then
        [[ -t 0 ]] || die "falta --fingerprint con la huella que la institución leyó por teléfono"
        printf 'Escriba la huella que le leyeron por teléfono: ' >&2
        read -r heard
    fi
    heard=$(tr -d ' :' <<<"${heard,,}")
    [[ $heard == "$1" ]] || die "rechazada: la huella no coincide con la de la solicitud; no se firmó nada"
}

san_hosts() { # NAME...: as a profile writes them
    local host list=()
    for host in "$@"; do
        if [[ $host =~ ^[0-9.]+$ || $host == *:* ]]; then
            [[ $host =~ ^[0-9a-fA-F.:]+$ ]] || return 1
            list+=("IP:$host")
        else
            [[ $host =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ ]] || return 1
            list+=("DNS:$host")
        fi
    done
    (IFS=,; echo "${list[*]}")
}

cmd_sign() {
    local ca='' ca_key='' csr='' days=30 use=tls out='' heard='' hosts=() uri profile fingerprint
    while [[ $# -gt 0 ]]; do
        case $1 in
        --seal) use=seal; shift; continue ;;
        --ca | --ca-key | --days | --host | --fingerprint | --out) [[ $# -ge 2 ]] || usage ;;
        -*) usage ;;
        *) [[ -z $csr ]] || usage; csr=$1; shift; continue ;;
        esac
        case $1 in
        --ca) ca=$2 ;;
        --ca-key) ca_key=$2 ;;
        --days) days=$2 ;;
        --host) hosts+=("$2") ;;
        --fingerprint) heard=$2 ;;
        --out) out=$2 ;;
        esac
        shift 2
    done
    [[ -n $ca && -n $ca_key && -n $csr ]] || usage
    [[ -r $csr ]] || die "no se puede leer $csr"
    [[ $days =~ ^[1-9][0-9]?$ && $days -le $days_max ]] || die "--days va de 1 a $days_max"
    openssl x509 -in "$ca" -noout -checkend $((days * 86400)) >/dev/null ||
        die "la autoridad vence antes de $days días: renuévela o firme por menos"

    check_csr "$csr"
    uri=$(csr_uri "$csr") || die "rechazada: la solicitud debe traer exactamente una identidad (URI SAN)" \
        "de la forma spiffe://enlace.<red>/…, y ningún otro nombre"
    identity_parse "$uri"
    openssl x509 -in "$ca" -noout -ext nameConstraints 2>/dev/null | grep -qx " *URI:enlace\\.$id_network" ||
        die "rechazada: esta autoridad no es la de la red «$id_network»"
    profile=$id_kind
    if [[ $use == seal ]]; then
        [[ $id_kind == system ]] || die "rechazada: sólo un sistema lleva sello"
        profile=seal
    fi
    if [[ $id_kind == node ]]; then
        [[ ${#hosts[@]} -gt 0 ]] || die "un nodo necesita --host con el nombre al que se conectan los demás"
        ENLACE_HOSTS=$(san_hosts "${hosts[@]}") || die "--host no es un nombre ni una dirección"
        export ENLACE_HOSTS
    elif [[ ${#hosts[@]} -gt 0 ]]; then
        die "--host es sólo para nodos"
    fi

    fingerprint=$(openssl req -in "$csr" -noout -pubkey | key_fingerprint)
    cat >&2 <<TXT
Se firmará, por la autoridad de la red «$id_network»:
  Identidad: $uri
  Clase:     $id_kind   Uso: $(use_in_words "$use")   ${ENLACE_HOSTS:+Nombres: $ENLACE_HOSTS}
  Vigencia:  $days días, desde ahora
  Huella de la llave pública:
    $(spoken "$fingerprint")
Lo demás que pida la solicitud no se toma en cuenta.
TXT
    confirm "$fingerprint" "$heard"
    sign_confirmed
}

# Signs into a folder of its own, verifies against the authority, and only then shows the result.
sign_confirmed() {
    local work
    out=${out:-${csr%.csr}.pem}
    [[ ! -e $out ]] || die "$out ya existe; no se sobrescribe"
    work=$(mktemp -d "$(dirname "$out")/.firma.XXXXXX")
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf '$work'" EXIT
    openssl req -in "$csr" -noout -pubkey >"$work/pub.pem"
    issue "$profile" "$uri" "$work/pub.pem" "$ca" "$ca_key" "$days" "$work/cert.pem"
    openssl verify -x509_strict -CAfile "$ca" "$work/cert.pem" >/dev/null ||
        die "el certificado no se verifica con la autoridad: no se entrega"
    # The register of what was issued stands beside the authority's key and is only added to.
    printf '%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$uri" "$use" "$(pem_sha256 "$work/cert.pem")" \
        "$(openssl x509 -in "$work/cert.pem" -noout -enddate | cut -d = -f 2)" \
        >>"$(dirname "$ca_key")/emitidos.tsv"
    sync "$(dirname "$ca_key")/emitidos.tsv"
    mv "$work/cert.pem" "$out"
    echo "Firmado: $out. Envíelo a la institución; el certificado no es secreto."
    echo "Huella del certificado, para el directorio: $(pem_sha256 "$out")"
}

# --- install ---------------------------------------------------------------------------------------

# Sets use and key to what the certificate belongs to in the folder.
find_key() {
    local pub
    pub=$(openssl x509 -in "$cert" -noout -pubkey)
    for use in tls seal; do
        for key in "$out/$use.key.next" "$out/$use.key"; do
            [[ ! -s $key || $(public_key "$key") != "$pub" ]] || return 0
        done
    done
    die "el certificado no corresponde a ninguna llave de $out"
}

check_dates() {
    local left_s start
    start=$(date -d "$(openssl x509 -in "$cert" -noout -startdate | cut -d = -f 2)" +%s)
    [[ $start -le $(date +%s) ]] ||
        die "el certificado todavía no es válido: revise el reloj de esta máquina ($(date -u +%FT%TZ))"
    left_s=$(($(date -d "$(openssl x509 -in "$cert" -noout -enddate | cut -d = -f 2)" +%s) - $(date +%s)))
    [[ $left_s -gt 0 ]] || die "el certificado ya venció"
    [[ $left_s -ge $((warn_days * 86400)) ]] || echo "Aviso: al certificado le quedan menos de $warn_days días."
}

# It must serve for what its key is for, and not for the other.
check_use() {
    local said
    said=$(openssl x509 -in "$cert" -noout -ext keyUsage,extendedKeyUsage)
    case $use in
    tls) [[ $said == *"Digital Signature"* && $said == *"TLS Web Client Authentication"* ]] ;;
    seal) [[ $said == *"Key Agreement"* && $said != *"TLS Web"* ]] ;;
    esac || die "el certificado no es para $(use_in_words "$use"): pida a la autoridad que lo firme de nuevo$(
        [[ $use != seal ]] || echo ' con --seal')"
}

check_identity() {
    local uri
    uri=$(csr_uri "$out/$use.csr") || die "falta la solicitud $out/$use.csr"
    openssl x509 -in "$cert" -noout -ext subjectAltName | sed -n 's/^ *//; 2p' | tr ',' '\n' |
        sed -n 's/^ *URI://p' | cmp -s - <(printf '%s\n' "$uri") ||
        die "el certificado no lleva la identidad que se pidió ($uri)"
}

cmd_install() {
    local cert='' out='' ca='' use key staged
    while [[ $# -gt 0 ]]; do
        case $1 in
        --ca) [[ $# -ge 2 ]] || usage; ca=$2; shift 2 ;;
        -*) usage ;;
        *) if [[ -z $cert ]]; then cert=$1; elif [[ -z $out ]]; then out=$1; else usage; fi; shift ;;
        esac
    done
    [[ -n $cert && -n $out ]] || usage
    [[ -d $out ]] || die "no existe la carpeta $out"
    ca=${ca:-$out/ca.pem}
    [[ -s $ca ]] || die "falta --ca con el certificado de la autoridad de la red"

    staged=$(mktemp -d "$out/.instalar.XXXXXX")
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf '$staged'" EXIT
    openssl x509 -in "$cert" -out "$staged/cert.pem" 2>/dev/null || die "$cert no es un certificado en PEM"
    cert=$staged/cert.pem # from here on the same bytes that are put in place
    find_key
    check_dates
    openssl verify -x509_strict -CAfile "$ca" "$cert" >/dev/null 2>&1 ||
        die "el certificado no lo firmó la autoridad de $ca"
    check_use
    check_identity

    if [[ ! -e $out/ca.pem ]]; then
        cp "$ca" "$staged/ca.pem"
        mv "$staged/ca.pem" "$out/ca.pem"
        echo "Autoridad guardada. Confirme por teléfono su huella: $(spoken "$(pem_sha256 "$out/ca.pem")")"
    fi
    put_in_place
    echo "Instalado: $out/$use.pem, para $(use_in_words "$use")," \
        "válido hasta $(openssl x509 -in "$out/$use.pem" -noout -enddate | cut -d = -f 2)"
    [[ ! -e $out/seal.key || -e $out/seal.pem ]] || echo "Falta instalar el certificado de sello."
}

# Two renames, key first. A crash between them leaves a certificate that does not match its key,
# which programs refuse to load; running install again finishes the work.
put_in_place() {
    local old
    if [[ $key == *.next ]]; then
        if [[ $use == seal ]]; then
            old=$out/seal-$(pem_sha256 "$out/seal.pem" | cut -c 1-16)
            [[ -e $old.key ]] || cp -p "$out/seal.key" "$old.key"
            [[ -e $old.pem ]] || cp -p "$out/seal.pem" "$old.pem"
            sync "$old.key" "$old.pem"
            echo "Se conserva el sello anterior en $old.pem: abre lo que ya se selló para él."
        fi
        mv -f "$key" "$out/$use.key"
    fi
    sync "$cert"
    mv -f "$cert" "$out/$use.pem"
    sync "$out"
}

case ${1-} in
request | sign | install)
    command=$1
    shift
    "cmd_$command" "$@"
    ;;
*) usage ;;
esac
