#!/bin/bash
#
# 40_attachments.sh: a file of 200 MiB from a member's system to another member's system, through
# both nodes, each killed with SIGKILL in the middle; constant memory, nothing readable on disk, gone
# with its shard's key.
#
# The route mpi-sedesa-medidas lets attachments travel; mpi-ssc-medidas does not.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

SIZE_MIB=200
MEMORY_MAX_MIB=${MEMORY_MAX_MIB:-150} # a sanitizer needs more
CANARY="Calle-del-Canario-17-que-nadie-debe-leer"
peak=0

# profile NAME NODE SYSTEM-FOLDER MEMBER: what `enlace --profile` reads.
profile() {
    cat >"$WORK/$1.conf" <<END
address = $(node_address "$2")
node = spiffe://enlace.$(node_network "$2")/node/$2
certificate = $WORK/pki/$3/tls.pem
key = $WORK/pki/$3/tls.key
ca = $WORK/pki/ca/all.pem
member = $4
END
}

new_id() {
    local hex
    hex=$(head -c 10 /dev/urandom | od -An -tx1 | tr -d ' \n')
    printf '%s-%s-7%s-8%s-%s' "$(printf '%012x' "$(date +%s%3N)" | cut -c1-8)" \
        "$(printf '%012x' "$(date +%s%3N)" | cut -c9-12)" "${hex:0:3}" "${hex:3:3}" "${hex:6:12}"
}

put() { # PROFILE ID FILE TO
    "$BUILD/bin/enlace" --profile "$WORK/$1.conf" put "$3" --to "$4" --id "$2"
}

get() { # PROFILE ID OUT
    "$BUILD/bin/enlace" --profile "$WORK/$1.conf" get "$2" -o "$3"
}

make_file() { # FILE MIB: random, with a canary in each MiB
    local i
    for ((i = 0; i < $2; i++)); do
        head -c 1048000 /dev/urandom
        printf '%-576s' "$CANARY"
    done >"$1"
}

bytes_in() { # FOLDER: what stands there, in MiB
    du -sm --apparent-size "$1" 2>/dev/null | cut -f1
}

note_peak() { # NODE
    local kib
    kib=$(awk '/^VmHWM/ { print $2 }' "/proc/$(cat "$WORK/node/$1/pid")/status" 2>/dev/null)
    ((${kib:-0} <= peak)) || peak=$kib
}

# kill_when NODE RECEIVER MIB: SIGKILL to the node once the receiver holds so much of a file.
kill_when() {
    local tries=0
    until (($(bytes_in "$WORK/node/$2/data/files/part") >= $3)); do
        ((tries++ < 3000)) || return 1
        sleep 0.01
    done
    note_peak "$1"
    node_kill "$1"
}

waits_for() { # SECONDS COMMAND...
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || return 1
        sleep 0.1
    done
}

refused_with() { # REASON COMMAND...
    local reason=$1 out
    shift
    out=$("$@" 2>&1) && { echo "it was not refused: $out"; return 1; }
    [[ $out == *"$reason"* ]] || { echo "another reason: $out"; return 1; }
}

has_nothing_readable() { # NODE
    ! grep -rqF "$CANARY" "$WORK/node/$1/data" "$WORK/node/$1/vault"
}

federation "${PORT:-7640}"
profile mpi cdmx system/cdmx.mpi-cdmx.plataforma cdmx/mpi-cdmx
profile sedesa sedesa system/cdmx.sedesa.adapter cdmx/sedesa
profile ssc ssc system/cdmx.ssc.adapter cdmx/ssc
profile ceavi cdmx system/cdmx.ceavi.adapter cdmx/ceavi
profile auditor cdmx auditor/cdmx.contraloria.auditor-01 cdmx/contraloria
big=$WORK/big
make_file "$big" "$SIZE_MIB"
id=$(new_id)
node_start cdmx && node_start sedesa && node_start ssc || exit 1

# ---- what is not allowed ----

promise "no route with attachments: refused" refused_with route.none put mpi "$(new_id)" "$WORK/mpi.conf" cdmx/ssc
promise "an unknown member: the same answer" refused_with route.none put mpi "$(new_id)" "$WORK/mpi.conf" cdmx/nadie
promise "an auditor neither sends" refused_with identity.not_allowed put auditor "$(new_id)" "$WORK/mpi.conf" cdmx/sedesa

# ---- the sender's node dies while it receives, the recipient's while it is sent to ----

put mpi "$id" "$big" cdmx/sedesa >"$WORK/put.1" 2>&1 &
first=$!
promise "the sending node is killed at 60 MiB" kill_when cdmx cdmx 60
wait "$first"
promise "what was cut is not called sent" [ $? -ne 0 ]
node_start cdmx || exit 1
promise "it goes on after the restart" put mpi "$id" "$big" cdmx/sedesa
promise "the same again is no refusal" put mpi "$id" "$big" cdmx/sedesa
promise "the receiving node is killed at 60 MiB" kill_when sedesa sedesa 60
node_start sedesa || exit 1
promise "the sending node is killed when 120 MiB are there" kill_when cdmx sedesa 120
node_start cdmx || exit 1
promise "the recipient's system gets it" waits_for 90 get sedesa "$id" "$WORK/got"
promise "byte for byte" cmp "$big" "$WORK/got"
promise "the debt is paid" waits_for 5 grep -q "attachment.delivered attachment=$id" "$WORK/node/cdmx/log"

# ---- nobody else's ----

promise "another member is told that there is none" refused_with attachment.unknown get ssc "$id" "$WORK/stolen"
promise "and a co-hosted member too" refused_with attachment.unknown get ceavi "$id" "$WORK/stolen"
promise "an id that nobody has: the same answer" refused_with attachment.unknown get sedesa "$(new_id)" "$WORK/stolen"

# ---- what wrong clients get ----

if [ -d "$ROOT/tests/interop/node_modules/@grpc" ]; then
    promise "wrong clients get a reason each" node --no-deprecation "$ROOT/tests/path/40_attachments.mjs" "$WORK" "$(node_address cdmx)" "$(node_address sedesa)"
else
    echo "  (npm ci has not run in tests/interop: wrong clients not tried)"
fi

# ---- acknowledged is kept: killed at any moment, and right after the answer ----

make_file "$WORK/medium" 8
for ((round = 1; round <= 5; round++)); do
    again=$(new_id)
    put mpi "$again" "$WORK/medium" cdmx/sedesa >/dev/null 2>&1 &
    sending=$!
    sleep "0.0$((RANDOM % 9))"
    node_kill cdmx
    wait "$sending"
    node_start cdmx || exit 1
    promise "round $round: sent after a kill" put mpi "$again" "$WORK/medium" cdmx/sedesa
    node_kill cdmx
    node_start cdmx || exit 1
    promise "round $round: killed after the answer, it arrives" waits_for 30 get sedesa "$again" "$WORK/got.medium"
    promise "byte for byte" cmp "$WORK/medium" "$WORK/got.medium"
    rm -f "$WORK/got.medium"
done

# ---- a peer that hangs ----

hung=$(new_id)
kill -STOP "$(cat "$WORK/node/sedesa/pid")"
promise "the sender does not wait for the recipient's node" put mpi "$hung" "$big" cdmx/sedesa
sleep 1
before=$SECONDS
promise "a peer that hangs does not keep the node from stopping" node_stop cdmx
promise "within 10 seconds" [ $((SECONDS - before)) -le 10 ]
kill -CONT "$(cat "$WORK/node/sedesa/pid")"
node_start cdmx || exit 1
promise "and gets the file when it wakes up" waits_for 90 get sedesa "$hung" "$WORK/got.hung"

# ---- a slow reader ----

get sedesa "$id" "$WORK/slow" >"$WORK/slow.log" 2>&1 &
slow=$!
until (($(stat -c %s "$WORK/slow.part" 2>/dev/null || echo 0) > 10 << 20)) || ! kill -0 "$slow" 2>/dev/null; do
    sleep 0.01
done
kill -STOP "$slow"
promise "a reader that stops delays nobody" get sedesa "$id" "$WORK/fast"
kill -CONT "$slow"
wait "$slow"
promise "and gets all of it later" cmp "$big" "$WORK/slow"
note_peak sedesa

# ---- several at once, and to a member of the same node ----

for i in 1 2 3 4; do
    make_file "$WORK/small.$i" 24
    small[i]=$(new_id)
done
pids=()
for i in 1 2 3; do
    put mpi "${small[i]}" "$WORK/small.$i" cdmx/sedesa >"$WORK/put.small.$i" 2>&1 &
    pids+=($!)
done
put mpi "${small[4]}" "$WORK/small.4" cdmx/ceavi >"$WORK/put.small.4" 2>&1 &
pids+=($!)
several=yes
for pid in "${pids[@]}"; do
    wait "$pid" || several=no
done
promise "four files at once" [ "$several" = yes ]
for i in 1 2 3; do
    promise "file $i arrives" waits_for 30 get sedesa "${small[i]}" "$WORK/got.$i"
    promise "byte for byte" cmp "$WORK/small.$i" "$WORK/got.$i"
done
promise "a member of the same node gets its own at once" get ceavi "${small[4]}" "$WORK/got.4"
promise "byte for byte" cmp "$WORK/small.4" "$WORK/got.4"
promise "the same again is no refusal here either" put mpi "${small[4]}" "$WORK/small.4" cdmx/ceavi
promise "the same id with other bytes is refused" refused_with attachment.exists put mpi "${small[4]}" "$WORK/small.3" cdmx/ceavi

# ---- memory, disk, erasure ----

note_peak cdmx
note_peak sedesa
promise "memory stays below $MEMORY_MAX_MIB MiB (peak $((peak / 1024)) MiB)" [ "$peak" -lt $((MEMORY_MAX_MIB * 1024)) ]
promise "what is looked for can be found" grep -qF "$CANARY" "$WORK/got"
promise "nothing readable on the sender's node's disk" has_nothing_readable cdmx
promise "nothing readable on the recipient's node's disk" has_nothing_readable sedesa
promise "an orderly stop" node_stop sedesa
for key in "$WORK"/node/sedesa/vault/cdmx.sedesa/*/*.1; do
    : >"$key.erased" # as an erasure that a crash cut short; the start finishes it
done
node_start sedesa || exit 1
promise "with its shard's key the file is gone" refused_with attachment.unknown get sedesa "$id" "$WORK/again"
promise "and its blocks are removed" waits_for 10 bash -c "[ -z \"\$(ls '$WORK/node/sedesa/data/files/kept')\" ]"
promise "an orderly stop of all" node_stop sedesa
promise "also of the sender's node" node_stop cdmx
promises_end
