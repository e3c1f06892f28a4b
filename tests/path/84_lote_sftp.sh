#!/bin/bash
#
# 84_lote_sftp.sh: the institution of 80_lote.sh behind an SFTP server of its own: an sshd of this
# user, with a key of its own. A server that is not the known one gets nothing; a line that breaks
# while a batch goes leaves no half batch; the server away and back loses nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || { echo "openssh-server is missing"; exit 77; }
# Run as root, sshd wants the empty folder that its service would make.
[ "$(id -u)" -ne 0 ] || [ -d /run/sshd ] || mkdir -m 755 /run/sshd

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx
lote=$ROOT/adapters/lote
port=$(free_ports $((24000 + RANDOM % 500 * 8)))
line=$((port + 1))
server=$WORK/server
mkdir -p "$server/out" "$server/in" "$WORK/out" "$WORK/in"

signer() { # NAME: a certificate that signs batches
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -keyout "$WORK/$1.key" -out "$WORK/$1.pem" -subj "/CN=$1 (sintético)" 2>/dev/null)
}
signer enlace
signer institution
for key in host stranger client; do ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$WORK/$key"; done
cat >"$WORK/sshd.conf" <<CONF
Port $port
ListenAddress 127.0.0.1
HostKey $WORK/host
AuthorizedKeysFile $WORK/client.pub
AuthenticationMethods publickey
PidFile none
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
AllowUsers $(id -un)
CONF
sshd_start() {
    "$sshd" -D -e -f "$WORK/sshd.conf" >>"$WORK/sshd.log" 2>&1 &
    echo $! >"$WORK/pids/sshd"
}
# With the sessions that it serves: they outlive the one that listens, and would go on taking files.
sshd_stop() {
    local listener sessions
    listener=$(cat "$WORK/pids/sshd")
    kill -STOP "$listener"
    sessions=$(pgrep -P "$listener")
    # shellcheck disable=SC2046,SC2086 # pids, a word each
    kill -TERM $(for one in $sessions; do pgrep -P "$one"; done) $sessions "$listener" 2>/dev/null
    kill -CONT "$listener"
    wait "$listener" 2>/dev/null
}
known_host() { echo "[127.0.0.1]:$line $(cut -d' ' -f1,2 "$WORK/$1.pub")" >"$WORK/known_hosts"; }

adapter_profile mpi mpi-cdmx plataforma
adapter_profile styfe styfe adapter
cat >"$WORK/lote.conf" <<CONF
mapping = $lote/mappings/comun.map
outgoing = out
incoming = in
sign_certificate = enlace.pem
sign_key = enlace.key
signers = institution.pem
every_s = 1
sftp = 127.0.0.1:$line
sftp_user = $(id -un)
sftp_key = client
sftp_known_hosts = known_hosts
sftp_outgoing = $server/out
sftp_incoming = $server/in
sftp_every_ms = 100
CONF
cat >"$WORK/referral.json" <<JSON
{"type": "Referral", "to": "cdmx/styfe", "urgency": "ordinary", "catalogue_code": "CAN-EMP-SDE",
 "purpose": "canalizacion", "legal_basis": "LPI-CDMX-2015",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "CAN-EMP-SDE", "cadence": {"count": 3, "period": "month"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"full_name": "Persona Sintética"}}]}
JSON
institution_start() {
    simulator_start python3 "$lote/simulator.py" --from "$server/out" --to "$server/in" \
        --cert "$WORK/institution.pem" --key "$WORK/institution.key" --enlace "$WORK/enlace.pem" \
        --state "$WORK/state.json"
}

: >"$WORK/cuts"
python3 "$ROOT/tests/path/relay.py" "$line" "$port" "$WORK/cuts" >>"$WORK/relay.log" 2>&1 &
echo $! >"$WORK/pids/relay"
sshd_start
known_host stranger
exchange=$(submit "$WORK/referral.json")
adapter_start enlace-lote styfe lote.conf
# A refused key ends the session before anyone has said who he is.
is_refused() { logged 'sftp.failed.*not OK' && ! grep -q Accepted "$WORK/sshd.log"; }
promise "a server whose key is not the known one is refused" is_refused
is_empty() { [ -z "$(find "$server" -type f)" ]; }
promise "and gets nothing" is_empty
adapter_stop

known_host host
institution_start
adapter_start enlace-lote styfe lote.conf
promise "through the known one the institution's batches bring it to its end" becomes "$exchange" ended
reports() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" --json track "$1" | grep -q '"occurrences": *3'; }
promise "each occurrence was reported" reports "$exchange"
is_put_away() { ls "$server"/in/taken/*.json.p7s >/dev/null && ! ls "$server"/in/*.p7s 2>/dev/null; }
promise "what was read is put away there, not deleted" is_put_away

simulator_stop
adapter_stop
# Each connection breaks further on: in the greeting, while the CSV goes, after it, at the signature.
printf "%s\n" 1900 2700 3100 3500 4300 >"$WORK/cuts"
broken=$(submit "$WORK/referral.json")
# From here on a watcher looks at every signature that is there: is what it completes whole?
python3 - "$server/out" "$WORK/watch.done" >"$WORK/watch.log" 2>&1 <<'PY' &
import hashlib, json, os, sys, time
folder, done = sys.argv[1:]
parts, seen = set(), set()
while not os.path.exists(done):
    names = os.listdir(folder)
    parts |= {n for n in names if n.endswith(".part")}
    for name in (n[:-9] for n in names if n.endswith(".json.p7s") and n not in seen):
        with open(f"{folder}/{name}.json", encoding="utf-8") as file:
            manifest = json.load(file)
        with open(f"{folder}/{name}.csv", "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == manifest["sha256"], name
        seen.add(name + ".json.p7s")
    time.sleep(0.002)
print(len(seen), "whole;", len(parts), "in part")
PY
watcher=$!
adapter_start enlace-lote styfe lote.conf
is_worn() { for ((i = 0; i < 200; i++)); do [ -s "$WORK/cuts" ] || return 0; sleep 0.1; done; return 1; }
promise "a line that breaks at five places is tried again" is_worn
saw_parts() { grep -q 'cut after' "$WORK/relay.log"; }
promise "it did break" saw_parts
institution_start
promise "and nothing is lost" becomes "$broken" ended
touch "$WORK/watch.done"
is_whole() { wait "$watcher" && cat "$WORK/watch.log" && ! grep -q '^0 whole' "$WORK/watch.log"; }
promise "no signature ever stood beside half a batch" is_whole
no_part() { ! ls "$server"/out/*.part 2>/dev/null; }
promise "and no .part is left" no_part

sshd_stop
away=()
for _ in 1 2 3; do away+=("$(submit "$WORK/referral.json")"); done
is_away() { logged 'step=list\|step=upload' && sleep 1.5 && [ "$(state_of "${away[0]}")" != ended ]; }
promise "while the server is away nobody has custody" is_away
sshd_start
all_end() { for one in "${away[@]}"; do becomes "$one" ended 200 || return 1; done; }
promise "back again, nothing was lost" all_end
done_once() { python3 -c 'import json, sys
done = json.load(open(sys.argv[1]))["done"]
assert len(done) == 5 and all(n == 3 for n in done.values()), done' "$WORK/state.json"; }
promise "and nothing was done twice" done_once
no_personal_data() { ! grep -i "Sintética" "$WORK/adapter.log" "$WORK/sshd.log"; }
promise "no personal data is in any log" no_personal_data
simulator_stop
promise "the adapter stops in order" adapter_stop
promises_end
