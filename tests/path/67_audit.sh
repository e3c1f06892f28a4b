#!/bin/bash
# What people may ask a node's log: by time, member, route, kind, exchange and person; with a purpose
# that is opened at the end, a second official where a person is named, a rescan that finds what a
# lying index hides. One node, its members' officials, auditors of the Contraloría.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7720
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace

log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE CODE MEMBER CREDENTIALS [SYSTEM]
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
profile official cdmx cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-01
profile second cdmx cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-02
profile stranger cdmx cdmx/c5 official/cdmx.c5.enlace-01
profile elsewhere cdmx cdmx/ssc official/cdmx.ssc.enlace-01
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-01
profile auditor2 cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-02
profile foreign cdmx mx/segob auditor/mx.segob.auditor-01
ana=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11
eva=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d12
nobody=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d13

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
as() { # WHO ARGUMENTS...
    local who=$1
    shift
    timeout 60 "$enlace" --json --profile "$WORK/$who.conf" "$@" >"$WORK/answer" 2>&1
    local status=$?
    cat "$WORK/answer"
    return $status
}
submit() { # PERSON...: a request about these persons, in this order
    python3 - "$ROOT/deploy/demo/solicitud.json" "$@" >"$WORK/draft.json" <<'PY'
import json, sys
draft = json.load(open(sys.argv[1]))
draft["subjects"] = [{"role": "person", "pseudonym": p} for p in sys.argv[2:]]
json.dump(draft, sys.stdout)
PY
    as mpi submit "$WORK/draft.json" && exchange=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/answer")
}
found() { # HOW MANY, WHO, ARGUMENTS...
    local wanted=$1
    shift
    as "$@" && grep -q "\"found\": $wanted,$" "$WORK/answer" && grep -q '"verified": true' "$WORK/answer"
}
refused() { # REASON WHO ARGUMENTS...: exit 1, and that reason
    local reason=$1
    shift
    as "$@"
    [[ $? -eq 1 ]] && grep -q "\"reason\": \"$reason\"" "$WORK/answer"
}
usage() { as "$@"; [[ $? -eq 2 ]]; }
open_audit() { rm -f "$WORK/$2" && as "$1" audit open --purpose "${3:-revision}" -o "$WORK/$2"; }
petition() { # WHO FILE PERSON OPTIONS...
    local who=$1 file=$2 person=$3
    shift 3
    rm -f "$WORK/$file"
    as "$who" audit request --audit "$WORK/$who.audit" --person "$person" --holder cdmx/mpi-cdmx -o "$WORK/$file" "$@"
}
approved() { # WHO SECOND FILE PERSON OPTIONS...
    local who=$1 second=$2
    shift 2
    petition "$who" "$@" && as "$second" audit approve "$WORK/$1"
}
in_log() { # KIND: how many such records the auditor sees
    as auditor audit query --audit "$WORK/auditor.audit" --kind "$1" && sed -n 's/.*"found": \(.*\),/\1/p' "$WORK/answer" >"$WORK/count"
}
more_of() { # KIND HOW MANY COMMAND...: so many more leaves of the kind (counting them is a reading)
    local kind=$1 more=$2 before
    shift 2
    in_log "$kind" && before=$(cat "$WORK/count") && "$@" && in_log "$kind" && [[ $(cat "$WORK/count") -eq $((before + more)) ]]
}
indexed() { # until the index has caught up
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        as auditor log reindex --status >/dev/null
        [[ $(sed -n 's/.*"size": \(.*\),/\1/p' "$WORK/answer") -eq $(sed -n 's/.*"indexed_to": \(.*\),/\1/p' "$WORK/answer") ]] &&
            grep -q '"state": "following"' "$WORK/answer" && return
        sleep 0.1
    done
    return 1
}
data_of() { echo "$WORK"/node/cdmx/data/index/[0-9]*/data.mdb; }
person_answer() { as auditor audit person "$WORK/ana.petition" && python3 -c '
import json, sys
answer = json.load(open(sys.argv[1]))
print([(r["index"], r["from"], r["to"], r["legal_basis"]) for r in answer["records"]])' "$WORK/answer"; }
same_answer() { person_answer | tail -1 | diff - "$WORK/wanted"; }
lie() { "$BUILD/tests/attack/empty_index" "$WORK/node/cdmx/data/index" "$(log_key cdmx/cdmx | cut -d+ -f1)"; }
}

promise "a message about Ana" submit "$ana"
promise "one about Eva and Ana" submit "$eva" "$ana"
first=$exchange
promise "and one about Ana again" submit "$ana"
promise "an auditor opens an audit" open_audit auditor auditor.audit
promise "an official, too" open_audit official official.audit
promise "and another" open_audit second second.audit
promise "an audit's file is never written over" usage auditor audit open --purpose revision -o "$WORK/auditor.audit"
promise "a purpose is a code" usage auditor audit open --purpose "por si acaso" -o "$WORK/x.audit"

# Questions that name no person.
promise "by kind" found 3 auditor audit query --audit "$WORK/auditor.audit" --kind sent
promise "by member" found 3 auditor audit query --audit "$WORK/auditor.audit" --member cdmx/ssc
promise "by exchange" found 1 auditor audit query --audit "$WORK/auditor.audit" --exchange "$first"
promise "by route" found 3 auditor audit query --audit "$WORK/auditor.audit" --route "$(as auditor audit query --audit "$WORK/auditor.audit" --exchange "$first" | sed -n 's/.*"route": "\(.*\)".*/\1/p')"
promise "by time" found 3 auditor audit query --audit "$WORK/auditor.audit" --kind sent --from "$(date -d yesterday +%F)" --to "$(date -d tomorrow +%F)"
promise "of another time there is nothing" found 0 auditor audit query --audit "$WORK/auditor.audit" --to 2026-01-01
promise "an official sees what is kept for his member" found 3 official audit query --audit "$WORK/official.audit"
promise "and of the node's own doings nothing" found 0 official audit query --audit "$WORK/official.audit" --kind reading
promise "what makes no sense is usage" usage auditor audit query --audit "$WORK/auditor.audit" --kind everything
promise "without an audit nothing is read" usage auditor audit query --kind sent
promise "an official of another node is refused" refused audit.not_allowed elsewhere audit query --audit "$WORK/official.audit"
promise "an auditor of another network is refused" refused audit.not_allowed foreign audit query --audit "$WORK/auditor.audit"
promise "a system sees what is kept for its member, to hold its spool against it" found 3 mpi audit query --audit "$WORK/auditor.audit"
promise "and nothing else" found 0 mpi audit query --audit "$WORK/auditor.audit" --kind reading
promise "an official does not read the whole log" refused audit.not_allowed official log export "$WORK/no" --purpose revision

# A person: the second official.
promise "a petition is written" petition auditor ana.petition "$ana" --tag-key
promise "alone it is refused" refused audit.second_missing auditor audit person "$WORK/ana.petition"
promise "its asker cannot approve it" as auditor audit approve "$WORK/ana.petition"
promise "and it stays refused" refused audit.second_not_other auditor audit person "$WORK/ana.petition"
promise "an official of another institution cannot" approved auditor second ana.petition "$ana" --tag-key
promise "and it stays refused" refused audit.second_not_official auditor audit person "$WORK/ana.petition"
promise "a second auditor approves" approved auditor auditor2 ana.petition "$ana" --tag-key
promise "who received Ana's data: three messages, as proven" found 3 auditor audit person "$WORK/ana.petition"
person_answer | tail -1 >"$WORK/wanted"
promise "what, why and on what basis stands in it" grep -q 'LPPDDHP-29' "$WORK/wanted"
promise "the petition of one reader is no other's" refused audit.not_this auditor2 audit person "$WORK/ana.petition"
sed 's/^\(signature ......\)..../\1AAAA/' "$WORK/ana.petition" >"$WORK/bad.petition"
promise "another signature is refused" refused audit.second_invalid auditor audit person "$WORK/bad.petition"
sed 's/^purpose .*/purpose curiosidad/' "$WORK/ana.petition" >"$WORK/bad.petition"
promise "a purpose that is not the one committed to is not understood" usage auditor audit person "$WORK/bad.petition"
promise "an official asks about his own member's person" approved official second own.petition "$ana"
promise "and is answered" found 3 official audit person "$WORK/own.petition"
promise "but gets no key of tags" approved official second key.petition "$ana" --tag-key
promise "whoever approves" refused audit.not_allowed official audit person "$WORK/key.petition"
promise "an official of another member of the node is refused" bash -c \
    "'$enlace' --json --profile '$WORK/stranger.conf' audit request --audit '$WORK/official.audit' --person $ana --holder cdmx/mpi-cdmx -o '$WORK/stranger.petition' &&
     '$enlace' --json --profile '$WORK/stranger.conf' audit person '$WORK/stranger.petition' | grep -q audit.holder"
promise "of somebody unknown there is nothing" approved auditor auditor2 nobody.petition "$nobody"
promise "and it is said as an answer" found 0 auditor audit person "$WORK/nobody.petition"

# Completeness.
promise "the log is exported under the same audit" as auditor log export "$WORK/copy" --audit "$WORK/auditor.audit" --entries
promise "a rescan of all leaves finds nothing hidden" as auditor audit rescan "$WORK/ana.petition" "$WORK/copy"
promise "its key is logged" more_of tag-key-given 1 as auditor audit rescan "$WORK/ana.petition" "$WORK/copy"
promise "as is each reading, with its count at the end" more_of reading-ended 2 found 3 auditor audit person "$WORK/ana.petition"

# The index is disposable.
promise "the index has caught up" indexed
promise "an operator makes it anew, and it was the same" as second log reindex
promise "nobody else may" refused audit.not_allowed auditor log reindex
promise "without the index the answer is the same" bash -c "kill -TERM $(cat "$WORK/node/cdmx/pid")"
wait "$(cat "$WORK/node/cdmx/pid")" 2>/dev/null
rm -r "$WORK/node/cdmx/data/index"
promise "the node starts without it" node_start cdmx
promise "and answers the same" same_answer
promise "the index is there again" indexed
node_stop cdmx
printf 'x' | dd of="$(data_of)" bs=1 seek=5 conv=notrunc status=none
promise "a node with a damaged one starts" node_start cdmx
promise "and answers the same" same_answer
promise "and it is there again" indexed
node_stop cdmx
truncate -s 4096 "$(data_of)"
promise "with a truncated one, too" node_start cdmx
promise "with the same answer" same_answer
promise "until it has caught up" indexed

# Attack 17: an index that hides. Control: without rescan and rebuild nothing shows it.
node_stop cdmx
promise "an operator empties the index, sums and all" lie
promise "the node starts and finds nothing wrong" node_start cdmx
promise "its own check passes: the index is sound in itself" indexed
promise "the answer is short, and every proof in it holds" found 0 auditor audit person "$WORK/ana.petition"
promise "the rescan names the hidden leaves" bash -c \
    "'$enlace' --json --profile '$WORK/auditor.conf' audit rescan '$WORK/ana.petition' '$WORK/copy' | grep -q rescan.hidden"
promise "with status 1" bash -c \
    "'$enlace' --profile '$WORK/auditor.conf' audit rescan '$WORK/ana.petition' '$WORK/copy'; [ \$? -eq 1 ]"
promise "an index made anew differs, and says so" bash -c \
    "'$enlace' --json --profile '$WORK/second.conf' log reindex >'$WORK/answer'; [ \$? -eq 1 ] && ! grep -q '\"missing\": 0,' '$WORK/answer'"
promise "after it the answer is whole" same_answer
promise "and the rescan content" as auditor audit rescan "$WORK/ana.petition" "$WORK/copy"

# The end.
promise "an audit is closed, its purpose logged" more_of audit-closed 1 as second audit close "$WORK/official.audit"
promise "once" refused audit.closed second audit close "$WORK/official.audit"
promise "nothing more is read under it" refused audit.closed official audit query --audit "$WORK/official.audit"
promise "an audit is opened under which nobody reads" open_audit auditor other.audit otra
promise "and it is not known" refused audit.unknown auditor audit close "$WORK/other.audit"
promise "no purpose stands in the log before its end" bash -c "! grep -q 'purpose=revision' <(grep audit.reading '$WORK/node/cdmx/log')"

# The ceiling: an official's day is twenty persons.
promise "another audit" open_audit official official.audit
promise "a petition for it" approved official second own.petition "$ana"
# shellcheck disable=SC2317,SC2329
many() {
    local i
    for i in $(seq 30); do
        as official audit person "$WORK/own.petition" >/dev/null || break
    done
    [[ $i -gt 10 && $i -lt 30 ]] && grep -q '"reason": "audit.ceiling"' "$WORK/answer"
}
promise "past the ceiling a reader is refused" many
promise "after an alarm at half of it" grep -q 'audit.rate identity=spiffe://enlace.cdmx/member/mpi-cdmx/official/enlace-01 what=persons.*alarm=half' "$WORK/node/cdmx/log"
promise "no person's id stands in the operator's log" bash -c "! grep -q '$ana' '$WORK/node/cdmx/log'"
node_stop cdmx
node_stop ssc
promises_end
