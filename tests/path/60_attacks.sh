#!/bin/bash
# A node's log leaves it as tiles and is verified by programs that know only keys: whole, in steps,
# and after what an attacker does to a copy. Two nodes, one exchange, an auditor.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7660
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace
alone=$BUILD/bin/enlace-verify

log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE CODE MEMBER CREDENTIALS SYSTEM
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address "$2")
node = spiffe://enlace.cdmx/node/$2
certificate = $WORK/pki/$4/tls.pem
key = $WORK/pki/$4/tls.key
ca = $WORK/pki/ca/all.pem
member = $3
${5:+system = $5}
spool = $WORK/spool-$1
node_log = $(log_key "cdmx/$2")
CONF
}
profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma
cat >>"$WORK/mpi.conf" <<CONF
official_certificate = $WORK/pki/official/cdmx.mpi-cdmx.enlace-01/tls.pem
official_key = $WORK/pki/official/cdmx.mpi-cdmx.enlace-01/tls.key
log = $(log_key cdmx/ssc)
CONF
profile audit-cdmx cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
profile audit-ssc ssc cdmx/contraloria auditor/cdmx.contraloria.auditor-01
keys=(--vkey "$(log_key cdmx/cdmx)" --vkey "$(log_key cdmx/ssc)")

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
export_log() { # CODE FOLDER OPTIONS...
    local code=$1 folder=$2
    shift 2
    timeout 60 "$enlace" --profile "$WORK/audit-$code.conf" log export "$WORK/$folder" --purpose revision "$@"
}
submit() {
    timeout 30 "$enlace" --json --profile "$WORK/mpi.conf" submit "$ROOT/deploy/demo/solicitud.json" >"$WORK/sent" &&
        id=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/sent") && [[ -n $id ]]
}
receipts() { # both receipts, when the peer has answered
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        "$enlace" --profile "$WORK/mpi.conf" receipt "$id" -o "$WORK/acuse" && grep -q '^receipt R1' "$WORK/acuse" && return
        sleep 0.1
    done
    return 1
}
fails_with() { # CODE OF THE FINDING, COMMAND...: exit 1, and that finding in JSON
    local check=$1 status
    shift
    "$@" >"$WORK/answer" 2>&1
    status=$?
    cat "$WORK/answer"
    [[ $status -eq 1 ]] && grep -q "\"check\": \"$check\"" "$WORK/answer"
}
usage() { "$@"; [[ $? -eq 2 ]]; }
only_hashes() { [[ ! -e $WORK/mirror/tile/entries && ! -e $WORK/mirror/records ]] && [[ -f $WORK/mirror/vkey ]]; }
nothing_of_the_message() { ! grep -raqE "solicitud|$id|mpi-cdmx|contraloria" "$WORK/mirror/tile"; }
tiles() { /usr/bin/python3 "$ROOT/tests/path/tiles.py" "$@"; }
forged() { # HOW: the receiver rewrites its log with its own key; the copy verifies by itself
    copy_of other
    tiles forge "$WORK/copy" "$WORK/pki/node/ssc/log.key" "$id" "$1" &&
        tiles check "$WORK/copy" "$(log_key cdmx/ssc)" && "$alone" log "$WORK/copy" "${keys[@]}"
}
exchange() { "$enlace" --json verify exchange "$WORK/log" "$WORK/copy" "${keys[@]}" "$@"; }
static() { # a build with sanitizers cannot be
    readelf -d "$alone" >"$WORK/needed" 2>&1
    grep -qE 'lib[at]san' "$WORK/needed" || ! grep NEEDED "$WORK/needed"
}
copy_of() { rm -rf "$WORK/copy" && cp -r "$WORK/$1" "$WORK/copy"; }
flip() { # FILE OFFSET
    printf '\\x%02x' $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 1)) >"$WORK/octet"
    printf '%b' "$(cat "$WORK/octet")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
partial() { find "$WORK/$1/$2" -type f | sort -V | "${3:-tail}" -n 1; } # FOLDER PREFIX [head]: the newest, or the oldest
policy_of_witnesses() { # it that wants another institution's witness
    {
        echo "log $(log_key cdmx/cdmx)"
        awk '$1 == "witness-key" { print "witness w" ++n, $2 }' "$WORK/directory.txt"
        echo "group g 4 w1 w2 w3 w4 w5 w6"
        echo "quorum g"
    } >"$WORK/policy"
}
}

promise "the receiver's log is exported before any message" export_log ssc before --records
promise "and verifies" "$alone" log "$WORK/before" "${keys[@]}"
promise "a message is sent" submit
promise "and both nodes give receipts" receipts
promise "an auditor's export is verified as it is read" export_log cdmx log --records
promise "the whole of it verifies without the node" "$enlace" verify log "$WORK/log" "${keys[@]}"
promise "and with nothing of ours but enlace-verify" "$alone" log "$WORK/log" "${keys[@]}"
promise "which needs no library" static
promise "and with the standard's text alone, in another language" tiles check "$WORK/log" "$(log_key cdmx/cdmx)"
promise "a second export continues the first" export_log cdmx log --records
promise "and it verifies against the first's checkpoint" bash -c \
    "ls '$WORK'/log/checkpoints | sort -n | head -n 1 | xargs -I{} '$alone' log '$WORK/log' ${keys[*]} --checkpoint '$WORK/log/checkpoints/{}'"
promise "it only grew" bash -c \
    "ls '$WORK'/log/checkpoints | sort -n | head -n 1 | xargs -I{} '$alone' consistency '$WORK/log/checkpoints/{}' '$WORK/log' ${keys[*]}"
promise "a mirror is exported" export_log cdmx mirror
promise "and holds hash tiles and the key, nothing else" only_hashes
promise "nothing of any message stands in it" nothing_of_the_message
promise "a mirror verifies too" "$alone" log "$WORK/mirror" "${keys[@]}"
promise "the receipts verify" "$alone" receipt "$WORK/acuse" "${keys[@]}"
promise "the same with enlace and the profile's keys" "$enlace" --profile "$WORK/mpi.conf" verify receipt "$WORK/acuse"
promise "without a key it is a usage error" usage "$alone" receipt "$WORK/acuse"
promise "another's key proves nothing" fails_with checkpoint.unknown_log "$alone" --json log "$WORK/log" --vkey "$(log_key cdmx/ssc)"
policy_of_witnesses
promise "with a policy, a log without witnesses fails" fails_with policy.quorum "$alone" --json log "$WORK/log" --policy "$WORK/policy"
promise "unless it is asked for, and said" "$alone" log "$WORK/log" --policy "$WORK/policy" --unwitnessed

promise "the receiver's log is exported" export_log ssc other --records
promise "the exchange is paired in both logs" "$enlace" verify exchange "$WORK/log" "$WORK/other" "${keys[@]}"
promise "and by its id" "$enlace" verify exchange "$WORK/log" "$WORK/other" --exchange "$id" "${keys[@]}"
promise "the receiver's log of before, valid in itself, is found one-sided" fails_with exchange.one_sided \
    "$enlace" --json verify exchange "$WORK/log" "$WORK/before" --exchange "$id" "${keys[@]}"
promise "of two receipts of one message each says the same" "$alone" exchange "$WORK/acuse" "$WORK/acuse" "${keys[@]}"

# What the log's own key can do: nothing inside the log shows it, the other log and the memory do.
promise "a receiver rewrites another content into its log, which verifies by itself" forged content
promise "the two logs differ" fails_with exchange.differing exchange
promise "and who remembers its checkpoint has the proof" fails_with checkpoint.fork \
    "$alone" --json log "$WORK/copy" "${keys[@]}" --checkpoint "$WORK/other/checkpoint"
promise "or compares the two" fails_with consistency.fork "$alone" --json consistency "$WORK/other" "$WORK/copy" "${keys[@]}"
promise "a receiver shows auditors a record of another content than its leaf's" forged record
promise "the leaf gives it away" fails_with exchange.commitment exchange
promise "a receiver leaves the message out" forged omit
promise "the sender's log names what is missing" fails_with exchange.one_sided exchange --exchange "$id"

# What an attacker does to a copy. Controls: each copy verified before.
copy_of log
flip "$(partial copy tile/entries)" 60
promise "a flipped bit in an entry is found" fails_with entry.hash "$alone" --json log "$WORK/copy" "${keys[@]}"
copy_of log
flip "$(partial copy tile/0)" 33
promise "a flipped bit in a tile is found" fails_with root "$alone" --json log "$WORK/copy" "${keys[@]}"
copy_of log
flip "$(partial copy records)" 40
promise "a flipped bit in an audit record is found" fails_with record.commitment "$alone" --json log "$WORK/copy" "${keys[@]}"
copy_of log
flip "$(partial copy tile/0 head)" 33
promise "and in a tile that only an earlier checkpoint needed" fails_with tile.partial "$alone" --json log "$WORK/copy" "${keys[@]}"
copy_of log
rm -r "$WORK/copy/tile/0"
promise "a tail that is cut off is found" fails_with tile.missing "$alone" --json log "$WORK/copy" "${keys[@]}"
copy_of log
cp "$WORK/copy/checkpoints/$(find "$WORK/copy/checkpoints" -type f -printf '%f\n' | sort -n | head -n 1)" "$WORK/copy/checkpoint"
promise "an older state is found by its own memory" fails_with checkpoint.rollback "$alone" --json log "$WORK/copy" "${keys[@]}"
rm -r "$WORK/copy/checkpoints"
promise "and without any memory it is not (tiles kept beyond it say nothing)" "$alone" log "$WORK/copy" "${keys[@]}"
promise "the auditor who remembers finds it" fails_with checkpoint.rollback "$alone" --json log "$WORK/copy" "${keys[@]}" --checkpoint "$WORK/log/checkpoint"
sed -i 's/^commitment .*/commitment AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=/' "$WORK/acuse"
promise "a receipt of another message is refused" fails_with receipt.other_message "$alone" --json receipt "$WORK/acuse" "${keys[@]}"
node_stop cdmx
node_stop ssc
promises_end
