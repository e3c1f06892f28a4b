#!/bin/bash
# The person's will: whom she or he excluded gets nothing, and nobody learns of it but the officials
# who attend the case; consent that was decided for the person waits for ratification; after a
# withdrawal nothing new leaves. A will that cannot be read lets nothing through.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation "${PORT:-8160}"
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
ana=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11
eva=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d12
isa=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d13

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
as() { # WHO ARGUMENTS...
    local who=$1
    shift
    ${LATER:+later "$LATER"} timeout 60 "$enlace" --json --profile "$WORK/$who.conf" "$@" >"$WORK/answer" 2>&1
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
draft() { # PERSON [CHANGES: of the draft, in Python]
    python3 - "$ROOT/deploy/demo/solicitud.json" "$@" >"$WORK/draft.json" <<'PY'
import json, sys
draft = json.load(open(sys.argv[1]))
draft["subjects"] = [{"role": "person", "local": sys.argv[2]} if sys.argv[2] else {"role": "person"}]
for change in sys.argv[3:]:
    exec(change)
json.dump(draft, sys.stdout)
PY
}
about() { # PERSON [CHANGES]: sends a request about this person
    draft "$@" && as mpi submit "$WORK/draft.json" && id=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/answer")
}
refused_about() { # REASON PERSON [CHANGES]
    local reason=$1
    shift
    draft "$@" && refused "$reason" mpi submit "$WORK/draft.json"
}
named='draft["on_behalf_of"] = "enlace-01"'
another='draft["on_behalf_of"] = "enlace-02"'
unit='draft["to_system"] = "adapter"'
impeded='draft["consent"] = {"state": "impeded"}'
told() { refused_about veto.excluded "$ana" "$named" && grep -q "excluyó este destino; permitidos: .*cdmx/" "$WORK/answer" && ! grep -q "permitidos:.*cdmx/ssc" "$WORK/answer"; }
# The same words as for an exchange that is not there.
uniform() {
    refused_about exchange.unknown "$ana" && sed 's/[0-9a-f-]\{36\}//' "$WORK/answer" >"$WORK/vetoed"
    cp "$WORK/draft.json" "$WORK/act.json"
    python3 - "$WORK/act.json" >"$WORK/draft.json" <<'PY'
import json, sys
draft = json.load(open(sys.argv[1]))
for name in ("items", "compartments", "plan", "subjects", "catalogue_code"):
    draft.pop(name)
draft.update(type="Act", event="close", exchange_id="0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9dff",
             regards="0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9dff", consent={"state": "not_needed"})
json.dump(draft, sys.stdout)
PY
    refused exchange.unknown mpi submit "$WORK/draft.json" && sed 's/[0-9a-f-]\{36\}//' "$WORK/answer" | diff - "$WORK/vetoed"
}
silent() { ! grep -q 'veto\|excluy' "$WORK/node/cdmx/log" "$WORK/node/ssc/log" && ! grep -qa 'cdmx/ssc/official/enlace-01' "$WORK/node/cdmx/data/log/data.mdb"; }
listed() { as first veto list "$ana" && grep -q '"cdmx/ssc"' "$WORK/answer"; }
too_many() {
    local name count=0
    while read -r name; do
        [[ $((count++)) -ge 16 ]] && break
        as first veto add "$eva" "$name" </dev/null || return 1
    done < <(awk '$1 == "member" { print $2 } $1 == "official" { split($2, p, "/"); print p[1] "/" p[2] "/official/" p[3] }' "$WORK/directory.txt")
    refused will.too_many first veto add "$eva" cdmx/mpi-cdmx/system/plataforma
}
removed() { as first veto remove "$ana" cdmx/ssc && about "$ana"; }
ratified() { as second review list && ! grep -q "$impeded_id" "$WORK/answer"; }
overdue() {
    node_stop cdmx
    LATER=+73h
    node_start cdmx later "$LATER" || return 1
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        grep -q "consent.overdue.*$impeded_id" "$WORK/node/cdmx/log" && return
        sleep 0.1
    done
    return 1
}
}

promise "without a will a request leaves" about "$ana"
promise "who attends the case declares whom the person excluded" as first veto add "$ana" cdmx/ssc
promise "an agency that nobody knows is refused" refused will.target first veto add "$ana" cdmx/sss
promise "who attends the case is told, and where it may go" told
promise "who does not gets the answer for what is not there, in the same words" uniform
promise "another official has no say" refused person.unknown second veto add "$ana" cdmx/c5
promise "and sees nothing" refused person.unknown second veto list "$ana"
promise "nor does the excluded side" refused person.unknown stranger veto list "$ana"
promise "who attends sees it" listed
promise "who attends gives standing to another" as first veto grant "$ana" enlace-02
promise "who then is told, too" refused_about veto.excluded "$ana" "$another"
promise "about others it leaves as before" about "$eva"
promise "a request that names nobody does not leave any more" refused_about subject.not_named ""
promise "to another destination it leaves" about "$ana" 'draft.update(to="cdmx/c5", catalogue_code="PRO-NUM-EME", items=[{"code": "PRO-NUM-EME"}], legal_basis="CONV-C5-2019", compartments=draft["compartments"][:1])'
promise "it stands after a restart" bash -c "kill -9 \$(cat '$WORK/node/cdmx/pid'); sleep 0.2"
node_start cdmx
promise "the veto holds then" refused_about exchange.unknown "$ana"
promise "what was lifted is no longer in force" removed
promise "what was not excluded can not be lifted" refused will.not_excluded first veto remove "$ana" cdmx/ssc
promise "nobody excludes without end" too_many
promise "a unit can be excluded" as first veto add "$ana" cdmx/ssc/system/adapter
promise "what names no unit does not leave" refused_about veto.excluded "$ana" "$named"
promise "nor what names it" refused_about veto.excluded "$ana" "$named" "$unit"
as first veto remove "$ana" cdmx/ssc/system/adapter >/dev/null
promise "an official can be excluded" as first veto add "$ana" cdmx/ssc/official/enlace-01
promise "and every system that acts for him or her with it" refused_about veto.excluded "$ana" "$named" "$unit"
promise "neither log says a word of it, nor does the disk" silent
promise "for an impeded person a named official decides" about "$isa" "$impeded"
impeded_id=$id
promise "it waits for ratification" bash -c "'$enlace' --json --profile '$WORK/second.conf' review list | grep -q $id"
promise "meanwhile more may leave" about "$isa" "$impeded"
promise "three days later the operator is told" overdue
promise "and nothing more leaves" refused_about consent.not_ratified "$isa" "$named"
promise "but by breaking the glass" as mpi submit "$WORK/draft.json" --break-glass --reason peligro-inminente
promise "once the person ratifies" as first consent ratify "$isa" --reference ACTA-7
promise "it leaves again" about "$isa"
promise "nothing waits then" ratified
promise "the person withdraws" as first consent withdraw "$isa" --reference ESCRITO-9
promise "and nothing new leaves" refused_about consent.withdrawn "$isa" "$named"
promise "as if it were not there, for who does not attend" refused_about exchange.unknown "$isa"
promises_end
