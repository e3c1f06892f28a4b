#!/bin/bash
#
# 36_doctor.sh: `enlace doctor` says at which step a connection fails: name, network, TLS,
# certificate, node, directory, routes, clock. Each fault is made for real, one at a time.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7830
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
profile() { # FILE [SED-EXPRESSION]: mpi-cdmx's platform, changed
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.pem
key = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/mpi-cdmx
system = plataforma
CONF
    [ -z "${2:-}" ] || sed -i "$2" "$WORK/$1.conf"
}
doctor() { timeout 30 "$enlace" --profile "$WORK/$1.conf" --json doctor "${@:2}" >"$WORK/said" 2>"$WORK/log"; }
all_well() { doctor good "$@"; }
steps_are() { # the checks, in order
    python3 -c 'import json, sys
checks = [c["check"] for c in json.load(open(sys.argv[1]))["checks"]]
assert checks == sys.argv[2:], checks' "$WORK/said" "$@"
}
fails_at() { # STEP: the last one, and the only one that failed, with a remedy
    ! doctor bad "${@:2}" && python3 -c 'import json, sys
said = json.load(open(sys.argv[1]))
failed = [c for c in said["checks"] if not c["ok"]]
assert [c["check"] for c in failed] == [sys.argv[2]], said
assert len(failed[0]["remedy"]) > 20 and not said["ok"], failed' "$WORK/said" "$1"
}
reads_well() {
    timeout 30 "$enlace" --profile "$WORK/good.conf" doctor >"$WORK/text" 2>&1 &&
        [ "$(grep -c '^✔' "$WORK/text")" -eq "$(wc -l <"$WORK/text")" ]
}
spent() { # the certificate that the library of bad ones holds under this name
    echo "s|$WORK/pki/system/cdmx.mpi-cdmx.plataforma|$WORK/bad/$1|"
}
}
profile good
promise "all is well, step by step" all_well
promise "in the order of the way there" \
    steps_are own_certificate dns tcp tls node_certificate directory clock echo
promise "with a copy of the directory, also its routes" all_well --with "$WORK/directory"
promise "between directory and clock" \
    steps_are own_certificate dns tcp tls node_certificate directory law route clock echo
promise "people read a line for each" reads_well

profile bad 's/^address.*/address = no-hay.invalid:7443/'
promise "a name without an address" fails_at dns
profile bad "s/^address.*/address = 127.0.0.1:1/"
promise "nobody listens there" fails_at tcp
python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); open(sys.argv[1], "w").write(str(s.getsockname()[1]))
s.settimeout(60)
while True: c = s.accept()[0]; c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"); c.close()' "$WORK/plain" &
echo $! >"$WORK/pids/plain"
for _ in $(seq 50); do [ -s "$WORK/plain" ] && break; sleep 0.1; done
profile bad "s/^address.*/address = 127.0.0.1:$(cat "$WORK/plain")/"
promise "something else than a node listens there" fails_at tls
profile bad "s/^address.*/address = $(node_address ssc)/"
promise "another node listens there" fails_at node_certificate
"$ROOT/certs/bad_pki.sh" "$WORK/bad" "$WORK/pki" >"$WORK/bad.log" 2>&1 || cat "$WORK/bad.log"
profile bad "$(spent expired)"
promise "our certificate has expired" fails_at own_certificate
profile bad "$(spent mismatched-key)"
promise "the key is not that of the certificate" fails_at tls
profile bad "$(spent other-ca)"
promise "another authority signed it" fails_at tls
profile bad "$(spent unknown-name)"
promise "the directory does not list it" fails_at directory
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$WORK/x.key" \
    -out "$WORK/stranger.pem" -subj "/CN=stranger" 2>/dev/null
profile bad "s|^ca = .*|ca = $WORK/stranger.pem|"
promise "the authority that we trust does not vouch for the node" fails_at node_certificate
profile bad
promise "a copy of the directory that is none" fails_at law --with "$WORK/pki"
promise "said with its reason" grep -q file.unreadable "$WORK/said"
mkdir "$WORK/empty" && cp "$WORK"/directory/*.authorities "$WORK/empty"
promise "a copy without a text in force" fails_at law --with "$WORK/empty"
promise "said likewise" grep -q law.none "$WORK/said"
promises_end
