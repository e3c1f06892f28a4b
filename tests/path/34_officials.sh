#!/bin/bash
# Named officials: where a route asks, a message waits (over a kill, too) until a second official of
# its sender signs it, and the receiver checks that; a broken glass waits for nobody, is said to
# everybody, and another official reviews it within a day.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
TERMS=$WORK/routes.txt
awk '/^route / { mine = $2 == "mpi-ssc-medidas" }
    mine && $1 == "second-official" { $0 = "  second-official yes" } { print }' \
    "$ROOT/deploy/demo/routes.txt" >"$TERMS"
federation "${PORT:-8120}"
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace

log_key() { # NETWORK/CODE: the vkey that the directory gives
    awk -v head="node $1" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == "log-key" { print $2; exit }' \
        "$WORK/directory.txt"
}
profile() { # FILE CODE MEMBER CREDENTIALS [SYSTEM [OFFICIAL]]
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address "$2")
node = spiffe://enlace.cdmx/node/$2
certificate = $WORK/pki/$4/tls.pem
key = $WORK/pki/$4/tls.key
ca = $WORK/pki/ca/all.pem
member = $3
${5:+system = $5}
${6:+official_certificate = $WORK/pki/official/$6/tls.pem}
${6:+official_key = $WORK/pki/official/$6/tls.key}
spool = $WORK/spool-$1
node_log = $(log_key "cdmx/$2")
log = $(log_key "cdmx/cdmx")
CONF
}
profile mpi cdmx cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma cdmx.mpi-cdmx.enlace-01
profile first cdmx cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-01
profile second cdmx cdmx/mpi-cdmx official/cdmx.mpi-cdmx.enlace-02
profile stranger cdmx cdmx/c5 official/cdmx.c5.enlace-01
profile ssc ssc cdmx/ssc system/cdmx.ssc.adapter adapter
profile auditor cdmx cdmx/contraloria auditor/cdmx.contraloria.auditor-02

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
refused() { # REASON WHO ARGUMENTS...
    local reason=$1
    shift
    as "$@"
    [[ $? -eq 1 ]] && grep -q "\"reason\": \"$reason\"" "$WORK/answer"
}
draft() { # OFFICIAL
    sed "s#{\"type\"#{\"on_behalf_of\": \"$1\", \"type\"#" "$ROOT/deploy/demo/solicitud.json" >"$WORK/draft.json"
}
submit() { # OPTIONS...: sets id
    as mpi submit "$WORK/draft.json" "$@" && id=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/answer")
}
state() { as mpi track "$id" >/dev/null; sed -n 's/.*"state": "\([^"]*\)".*/\1/p' "$WORK/answer" | head -1; }
is_in() { # STATE: within ten seconds
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        [[ $(state) == "$1" ]] && return
        sleep 0.1
    done
    state
    return 1
}
arrived() { as ssc inbox --wait 3000 && grep -q "$id" "$WORK/answer"; }
not_arrived() { as ssc inbox --wait 1500; ! grep -q "$id" "$WORK/answer"; }
waits() { as second approve && grep -q "$id" "$WORK/answer"; }
step_refused() { refused approval.awaited mpi act close "$id"; }
killed() { node_kill cdmx; node_start cdmx && waits && [[ $(state) == awaiting-approval ]]; }
said() { grep -q "$1" "$WORK/node/$2/log"; }
marked() { arrived && grep -q '"break_glass": "peligro-inminente"' "$WORK/answer"; }
reviewable() { as second review list && grep -q "$id" "$WORK/answer"; }
nothing_to_review() { as second review list && ! grep -q message_id "$WORK/answer"; }
in_record() { # WORDS [KIND]: a leaf (of an official's act) says so
    rm -f "$WORK/audit"
    as auditor audit open --purpose revision -o "$WORK/audit" &&
        as auditor audit query --audit "$WORK/audit" --kind "${2:-official}" && grep -q "$1" "$WORK/answer"
}
too_much() {
    sed 's/"alias": /"curp": "SABC560626MDFLRN01", "alias": /' "$WORK/draft.json" >"$WORK/too-much.json"
    refused fields.excess mpi submit "$WORK/too-much.json"
}
expired() {
    later +73h "$enlace" --json --profile "$WORK/second.conf" approve "$late" --yes >"$WORK/answer" 2>&1
    grep '"reason": "approval.expired"' "$WORK/answer" || { cat "$WORK/answer"; return 1; }
}
overdue() {
    node_stop cdmx
    node_start cdmx later +73h || return 1
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        grep -q "review.overdue.*$id" "$WORK/node/cdmx/log" && return
        sleep 0.1
    done
    return 1
}
}

draft nadie
promise "nobody is named who is not in the roster" refused official.not_in_force mpi submit "$WORK/draft.json"
promise "without a first official nothing waits for a second" refused approval.no_official mpi submit "$ROOT/deploy/demo/solicitud.json"
draft enlace-01
promise "a message along such a route is held, with its receipt" submit
promise "the sender sees what it waits for" is_in awaiting-approval
promise "it has not left" not_arrived
promise "nothing follows it meanwhile" step_refused
promise "after a kill it waits still" killed
promise "the first official does not approve it" refused approval.same first approve "$id" --yes
promise "an official of another institution learns nothing of it" refused message.unknown stranger approve "$id" --yes
promise "nor a system" refused identity.not_allowed mpi approve
promise "a second official approves it" as second approve "$id" --yes
promise "then it leaves" arrived
promise "and is received" is_in received
promise "it waits no more" bash -c "! '$enlace' --json --profile '$WORK/second.conf' approve | grep -q '$id'"
promise "what was approved is not rejected" refused approval.decided second reject "$id" --reason duplicado
submit >/dev/null
promise "a rejection needs its reason" bash -c "'$enlace' --profile '$WORK/second.conf' reject '$id'; [ \$? -eq 2 ]"
promise "a second official rejects another one" as second reject "$id" --reason sin-fundamento
promise "it failed at the sender" is_in failed
promise "and never left" not_arrived
promise "what was rejected is not approved" refused message.unknown second approve "$id" --yes
promise "the decisions are leaves" in_record approval.rejected
promise "a record names the fields that the route allows and the sender kept back" in_record '"withheld": "contact.safe_channel"' sent
promise "more than the route allows does not leave" too_much
promise "and its record names what was withheld, never a value" in_record '"withheld": "identity.curp' refused
promise "a broken glass needs a reason" bash -c "'$enlace' --profile '$WORK/mpi.conf' submit '$WORK/draft.json' --break-glass; [ \$? -eq 2 ]"
promise "an urgent one leaves at once, by its official's signature" submit --break-glass --reason peligro-inminente
promise "the receiver is told" marked
promise "the sender's operator has an alarm" said 'message.waived.*break-glass=peligro-inminente' cdmx
promise "so has the receiver's" said 'message.waived.*break-glass=peligro-inminente' ssc
promise "a control leaf says that it happened" in_record glass.broken
promise "a review waits for another official" reviewable
promise "who broke it does not review it" refused review.same first review close "$id" --reason justificado
promise "nor anybody elsewhere" refused review.unknown stranger review close "$id" --reason justificado
promise "another official closes it" as second review close "$id" --reason justificado
promise "then nothing waits" nothing_to_review
submit >/dev/null
late=$id
submit --break-glass --reason peligro-inminente >/dev/null
promise "days later the operator's log says that it is overdue" overdue
promise "after three days what waited can not be approved any more" expired
promises_end
