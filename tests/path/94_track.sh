#!/bin/bash
#
# 94_track.sh: where an exchange hangs, in each place where it can, said by the node that it hangs at
# and by the other one; and the board, what is due first on top.
# shellcheck source-path=SCRIPTDIR source=lib.sh source=adapter.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/adapter.sh"

federation "${PORT:-$((15000 + RANDOM % 1000 * 8))}"
node_start cdmx || exit 1
node_start ssc || exit 1
adapter_profile mpi mpi-cdmx plataforma
adapter_profile ssc ssc adapter ssc

request() { # URGENCY
    cat >"$WORK/request.json" <<JSON
{"type": "MeasureRequest", "to": "cdmx/ssc", "urgency": "${1:-ordinary}", "catalogue_code": "PRO-COD-VIG",
 "purpose": "proteccion", "legal_basis": "LPPDDHP-29",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"},
 "consent": {"state": "given", "reference": "SINTETICO-0001"},
 "plan": {"issuer": "cdmx/mpi-cdmx", "id": "PLAN-SINTETICO-01", "version": 1, "procedure": "ordinary"},
 "subjects": [{"role": "person"}],
 "items": [{"code": "PRO-COD-VIG", "cadence": {"count": 4, "period": "week"}}],
 "compartments": [{"subject": 0, "type": "identity", "fields": {"alias": "Canario-trazado"}}]}
JSON
    submit "$WORK/request.json"
}
mpi() { "$BUILD/bin/enlace" --profile "$WORK/mpi.conf" "$@"; }
ssc() { "$BUILD/bin/enlace" --profile "$WORK/ssc.conf" "$@"; }
# says SIDE EXCHANGE PYTHON: of its trace, as t.
says() {
    "$1" --json trace "$2" | python3 -c 'import json, sys
t = json.load(sys.stdin)
hang, hops = t["summary"]["hang"], t["hops"]
ok = eval(sys.argv[1])
if not ok: print(json.dumps(t["summary"], ensure_ascii=False), [(h["type"], h["event"], h["state"]) for h in hops])
sys.exit(not ok)' "$3"
}
until_says() {
    for ((tries = 0; tries < 40; tries++)); do
        says "$@" >"$WORK/said" 2>&1 && return
        sleep 0.2
    done
    cat "$WORK/said"
    return 1
}
refused() { # REASON COMMAND...
    wanted=$1
    shift
    "$@" >"$WORK/refused" 2>&1 && return 1
    grep -q "$wanted" "$WORK/refused" || { cat "$WORK/refused"; return 1; }
}

# ---- where it hangs ----

node_stop ssc
one=$(request)
[ -n "$one" ] || { mpi submit "$WORK/request.json"; exit 1; }
promise "the peer is away: its node's operator must act" \
    until_says mpi "$one" 'hang["kind"] == "peer-unreachable" and hang["who"] == "cdmx/ssc" and hang["since_ms"] > 0'
promise "in words" grep -q "cdmx/ssc no se alcanza desde" <(mpi trace "$one")
node_start ssc || exit 1
promise "received, and no system is attached there" \
    until_says ssc "$one" 'hang["kind"] == "no-system" and hang["who"] == "cdmx/ssc" and hops[0]["state"] == "no-system"'
promise "the sender knows that nobody took custody" until_says mpi "$one" 'hang["kind"] == "no-custody"'
promise "with the time and the leaf of both logs" \
    says mpi "$one" 'hops[0]["sent"]["node"] == "cdmx/cdmx" and hops[0]["received"]["node"] == "cdmx/ssc" and 0 < hops[0]["received"]["time_ms"] - hops[0]["sent"]["time_ms"] + 1000'
ssc inbox --ack --wait 300 >/dev/null
promise "custody without a decision" until_says mpi "$one" 'hang["kind"] == "no-decision" and t["summary"]["responsible"] == "cdmx/mpi-cdmx"'
ssc act accept "$one" >/dev/null
promise "accepted without force: the executor is responsible, its official is named" \
    until_says mpi "$one" 'hang["kind"] == "not-in-force" and t["summary"]["responsible"] == "cdmx/ssc" and hops[-1]["official"] == "enlace-01"'
promise "both sides tell the same" says ssc "$one" 'hang["kind"] == "not-in-force"'
ssc act in-force "$one" --evidence "$0" >/dev/null
promise "in force, nothing hangs" until_says mpi "$one" 'hang["kind"] == "running"'
node_stop cdmx
ssc report "$one" --item 1 --occurrence 1 >/dev/null
promise "a report on its way to a node that is away" \
    until_says ssc "$one" 'hops[-1]["state"] == "peer-unreachable" and hang["who"] == "cdmx/cdmx"'
node_start cdmx || exit 1
promise "and gone when it is back" until_says ssc "$one" 'hops[-1]["state"] == "settled" and hang["kind"] == "running"'
mpi withdraw "$one" >/dev/null
promise "a recall that nobody answers" until_says ssc "$one" 'hang["kind"] == "recall-unanswered" and t["summary"]["clock"] == "RETIRO"'
promise "what is not one's own gets the answer of what is not there" \
    refused exchange.unknown mpi trace 0198aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa

# ---- a session that is over ----

rule() { awk -v key="$1" '$1 == "route" { mine = $2 == "mpi-ssc-consulta" } mine && $1 == key { print $2; exit }' "$WORK/directory.txt"; }
cat >"$WORK/consult.json" <<JSON
{"type": "Consultation", "to": "cdmx/ssc", "urgency": "ordinary", "purpose": "$(rule purpose)", "legal_basis": "$(rule basis)",
 "aviso": {"id": "AVISO-MPI-CDMX", "version": "2026-1", "sha256": "$(aviso_sha256)"}, "consent": {"state": "not_needed"},
 "session": "MESA-1", "expires_at": "$(date -u -d '+6 seconds' +%FT%TZ)"}
JSON
late=$(submit "$WORK/consult.json")
failed_at() { "$1" --json track "$late" | grep -q '"state": "failed"'; }
promise "a consultation that nobody took ends with its session, on both sides" \
    eval 'for ((i = 0; i < 100; i++)); do failed_at mpi && failed_at ssc && break; sleep 0.2; done; failed_at mpi && failed_at ssc'
promise "and is delivered to nobody any more" eval '! ssc --json inbox --wait 500 | grep -q Consultation'
promise "nothing of it is owed" until_says ssc "$late" 'hops[0]["state"] == "settled"'

# ---- the board ----

urgent=$(request urgent)
ordinary=$(request)
board() {
    mpi --json board | python3 -c 'import json, sys
b = json.load(sys.stdin)
ids = [e["exchange_id"] for e in b["exchanges"]]
sys.exit(not eval(sys.argv[1]))' "$1"
}
promise "the board has what is open, urgent first, then by what is left" \
    board "ids.index('$urgent') < ids.index('$one') < ids.index('$ordinary')"
promise "one shot where it is no terminal, without a control character" \
    eval 'mpi board | grep -q "quedan" && ! mpi board | grep -q $'"'\\033'"
node_stop ssc
request >/dev/null
promise "the oldest that was not delivered is its headline" \
    eval 'sleep 1; mpi board | head -1 | grep -q "el más antiguo espera desde hace"'
promise "a system sees its own member's only" refused board.not_allowed mpi board --member cdmx/ssc

# ---- the card ----

promise "the person's card has a folio, what is due, and how to complain" \
    eval 'mpi receipt --person "$one" --html "$WORK/card.html" >"$WORK/card" && grep -q "^Folio " "$WORK/card" && grep -q "inconformarse" "$WORK/card" && grep -q "61 y 62" "$WORK/card.html"'
promise "it reveals neither measure, nor agency, nor anything of the message" \
    eval '! grep -iE "PRO-|COD-VIG|ssc|vigilancia|seguridad|canario|polic|$one|medida [0-9]" "$WORK/card" "$WORK/card.html"'
promise "it bears the folio of the paper file, as text in the page" \
    eval 'mpi receipt --person "$one" --folio "MPI/2026/<1>" --html "$WORK/card.html" | grep -q "MPI/2026/<1>" && grep -q "MPI/2026/&lt;1&gt;" "$WORK/card.html"'

node_stop cdmx
promises_end
