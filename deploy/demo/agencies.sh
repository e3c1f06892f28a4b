# shellcheck shell=bash
#
# The institutions' side of the demonstration: for each line of institutions.txt a simulated system,
# which shares no code with its adapter, and what both need. Sourced, after common.sh.
#
#   BUILD/demo/agencies/<code>/adapter.conf   the adapter's settings towards that system
#   BUILD/demo/agencies/<code>/*.pem, *.key   that system's own authority and certificates
#   BUILD/demo/agencies/<code>/state*         what the system remembers
#   BUILD/demo/agencies/<code>/book.tsv       what it did, in its own book (adapters/simulated/year.py)
# shellcheck disable=SC2154 # common.sh

# The program itself: what stands in PATH may be a script that finds it.
python=$(python3 -c 'import sys; print(sys.executable)') || die "falta python3"

# agencies: their codes. agency_word CODE N: of its line.
agencies() { awk '/^[a-z]/ { print $1 }' "$here/institutions.txt"; }
agency_word() { awk -v code="$1" -v n="$2" '$1 == code { print $n }' "$here/institutions.txt"; }

# Two ports each for those that listen, after the nodes' six.
agency_port() { # CODE
    awk -v code="$1" -v port="$((ports + 6))" '
        !/^[a-z]/ { next }
        $1 == code { print port }
        $2 != "lote" { port += 2 }' "$here/institutions.txt"
}

# ---- certificates ----

new_key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }
self_signed() { # NAME SUBJECT
    [[ -s $1.pem ]] || new_key -x509 -days 825 -keyout "$1.key" -out "$1.pem" -subj "/CN=$2"
}
issued() { # NAME: by ca
    [[ ! -s $1.pem ]] || return 0
    new_key -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -out "$1.part" \
        -extfile <(echo "subjectAltName=IP:127.0.0.1") 2>/dev/null
    mv -f "$1.part" "$1.pem"
    rm -f "$1.csr"
}

agency_certificates() { # CODE
    (
        cd "$demo/agencies/$1" || exit 1
        if [[ $(agency_word "$1" 2) == lote ]]; then
            self_signed enlace "Enlace: lotes para $1"
            self_signed institution "$1 (sintético)"
            exit
        fi
        self_signed ca "Autoridad de $1 (sintética)"
        issued server
        issued client
        if [[ $(agency_word "$1" 2) == ssc ]]; then issued adapter-server && issued centre-client; fi
    )
}

# ---- the adapter's settings ----

agency_settings() { # CODE
    local code=$1 port adapter
    adapter=$(agency_word "$code" 2)
    port=$(agency_port "$code")
    echo "# Hecho por deploy/demo/agencies.sh; vea enlace-$adapter --help-settings"
    echo "mapping = $root/adapters/$adapter/mappings/$(agency_word "$code" 3)"
    if [[ $adapter == lote ]]; then
        printf '%s\n' "outgoing = out" "incoming = in" "sign_certificate = enlace.pem" \
            "sign_key = enlace.key" "signers = institution.pem" "every_s = 1"
        return
    fi
    printf '%s\n' "url = https://127.0.0.1:$port$([[ $adapter != sedesa ]] || echo /fhir)" \
        "ca = ca.pem" "certificate = client.pem" "key = client.key" "timeout_ms = 5000"
    case $adapter in
    pgj) printf '%s\n' "schema = $root/adapters/pgj/pgj.xsd" "poll_ms = 500" "poll_max_ms = 2000" ;;
    sedesa) printf '%s\n' "poll_ms = 500" "poll_max_ms = 2000" ;;
    ssc)
        printf '%s\n' "schema = $root/adapters/ssc/cap.xsd" \
            "detail_schema = $root/adapters/ssc/detalle.xsd" "sender = enlace.cdmx" \
            "addresses = centro.sintetico" "listen = 127.0.0.1:$((port + 1))" \
            "server_certificate = adapter-server.pem" "server_key = adapter-server.key" "exercise = 1"
        ;;
    esac
}

# agency_configure CODE: what is there already stays.
agency_configure() {
    local folder=$demo/agencies/$1
    mkdir -p "$folder"/{in,out}
    agency_certificates "$1" || die "no se pudieron hacer los certificados de $1"
    agency_settings "$1" >"$folder/adapter.conf.part"
    mv -f "$folder/adapter.conf.part" "$folder/adapter.conf"
}

# ---- its system ----

# agency_begin CODE: its simulated system, agency-CODE; nothing when it runs.
agency_begin() {
    local code=$1 folder=$demo/agencies/$1 adapter port
    local -a more
    adapter=$(agency_word "$code" 2)
    port=$(agency_port "$code")
    case $adapter in
    lote)
        more=(--from "$folder/out" --to "$folder/in" --cert "$folder/institution.pem"
            --key "$folder/institution.key" --enlace "$folder/enlace.pem" --state "$folder/state.json")
        ;;
    *)
        more=(--port "$port" --ca "$folder/ca.pem" --cert "$folder/server.pem" --key "$folder/server.key")
        ;;
    esac
    case $adapter in
    pgj) more+=(--schema "$root/adapters/pgj/pgj.xsd" --state "$folder/state.json") ;;
    sedesa) more+=(--state "$folder/state" --page 50) ;;
    ssc)
        more+=(--adapter "$((port + 1))" --schema "$root/adapters/ssc/cap.xsd"
            --detail-schema "$root/adapters/ssc/detalle.xsd" --state "$folder/state.json"
            --client-cert "$folder/centre-client.pem" --client-key "$folder/centre-client.key"
            --other-cert "$folder/centre-client.pem" --other-key "$folder/centre-client.key")
        ;;
    esac
    begin "agency-$code" "$python" "$root/adapters/$adapter/simulator.py" "${more[@]}" \
        --agenda "$demo/scripts/$code" --book "$folder/book.tsv" --referrals "$(agency_word "$code" 4)"
}
