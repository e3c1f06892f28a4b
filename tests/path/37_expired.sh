#!/bin/bash
# What runs out degrades as the law of the network says: nothing ordinary leaves on a convenio or a
# directory that is over; what is urgent does for 30 days, says so in its record and in the operator's
# log, and is reviewed; after that nothing does.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
TERMS=$WORK/routes.txt
awk -v over="$(date -d '-10 days' +%F)" '
    /^(convenio|law|route|member|aviso) / { name = $2 }
    $1 == "in-force" && name == "CONV-C5-2019" { $0 = "  in-force 2019-01-01.." over }
    { print }' \
    "$ROOT/deploy/demo/routes.txt" >"$TERMS"
federation "${PORT:-8240}"
node_start cdmx || exit 1
node_start ssc || exit 1
enlace=$BUILD/bin/enlace
port=$(node_address cdmx)
cat >"$WORK/mpi.conf" <<CONF
address = $port
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.pem
key = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/mpi-cdmx
system = plataforma
spool = $WORK/spool
node_log = $(awk '/^[a-z]/ { inside = ($0 == "node cdmx/cdmx") } inside && $1 == "log-key" { print $2; exit }' "$WORK/directory.txt")
CONF
sed "s#^member = .*#member = cdmx/mpi-cdmx#; s#system/cdmx.mpi-cdmx.plataforma#official/cdmx.mpi-cdmx.enlace-02#; /^system/d; s#spool\$#spool-2#" \
    "$WORK/mpi.conf" >"$WORK/second.conf"

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
draft() { # URGENCY CHANGES
    python3 - "$ROOT/deploy/demo/solicitud.json" "$@" >"$WORK/draft.json" <<'PY'
import json, sys
draft = json.load(open(sys.argv[1]))
draft["urgency"] = sys.argv[2]
exec(sys.argv[3])
json.dump(draft, sys.stdout)
PY
}
sent() { # URGENCY CHANGES
    draft "$@" && "$enlace" --json --profile "$WORK/mpi.conf" submit "$WORK/draft.json" >"$WORK/answer" 2>&1
    local status=$?
    cat "$WORK/answer"
    id=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/answer")
    return "$status"
}
refused() { # REASON URGENCY CHANGES
    local reason=$1
    shift
    ! sent "$@" && grep -q "\"reason\": \"$reason\"" "$WORK/answer"
}
waived() { grep -q "message.waived.*$id.*reason=waived:$1" "$WORK/node/cdmx/log"; }
reviewed() { "$enlace" --json --profile "$WORK/second.conf" review list | grep -q "$id"; }
republish() { # OPTIONS...: the next version of every text, and both nodes have taken it
    local before taken tries
    before=$(grep -c 'directory.taken' "$WORK/node/cdmx/log")
    "$ROOT/deploy/demo/make_directory.sh" "$WORK/pki" "$WORK/directory.txt" --ports-from "${port##*:}" \
        --terms "$TERMS" "$@" || return 1
    for ((tries = 0; tries < 150; tries++)); do
        taken=$(grep -c 'directory.taken' "$WORK/node/cdmx/log")
        [[ $taken -gt $before ]] && sleep 1 && [[ $taken -eq $(grep -c 'directory.taken' "$WORK/node/cdmx/log") ]] && return
        sleep 0.1
    done
    return 1
}
}
c5='draft.update(to="cdmx/c5", catalogue_code="PRO-NUM-EME", items=[{"code": "PRO-NUM-EME"}], legal_basis="CONV-C5-2019", compartments=draft["compartments"][:1])'

promise "along what is in force an ordinary request leaves" sent ordinary ''
promise "on a convenio that is over nothing ordinary does" refused basis.not_in_force ordinary "$c5"
promise "what is urgent does" sent urgent "$c5"
promise "the operator's log says without what" waived basis.not_in_force
promise "and another official is to review it" reviewed
promise "the texts run out" republish --until "$(date -d '-10 days' +%F)"
promise "then nothing ordinary leaves" refused directory.not_in_force ordinary ''
promise "what is urgent does" sent urgent ''
promise "and says without what" waived directory.not_in_force
promise "they ran out long ago" republish --until "$(date -d '-40 days' +%F)"
promise "then nothing does" refused directory.not_in_force urgent ''
promise "a new text is signed" republish
promise "and ordinary requests leave again" sent ordinary ''
promises_end
