#!/bin/bash
# The year 2019 through a federation of its own and every agency's adapter: the report of 2019 comes
# out, counted in the logs and in the institutions' own books, a second run changes nothing, processes killed at random lose and double nothing, and lost or forged evidence shows.
# FAULTS=full kills them 12 times instead of 2; ENLACE_STORMS says another number.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/enlace-year.XXXXXX")
# shellcheck source-path=SCRIPTDIR source=ports.sh
. "$root/tests/path/ports.sh"
ENLACE_DEMO_PORTS=${PORT:-$(free_ports)}
export ENLACE_DEMO_PORTS ENLACE_DEMO_DIR=$work/demo
passed=0
failed=0
storms=${ENLACE_STORMS:-2}
[[ ${FAULTS:-} != full ]] || storms=${ENLACE_STORMS:-12}
# The same storm again: RANDOM=seed.
seed=${ENLACE_SEED:-$SRANDOM}
RANDOM=$((seed % 32768))

demo() { "$root/deploy/demo/$1.sh" "$build"; }
cleanup() {
    [[ ! -d $work/demo ]] || demo down >/dev/null 2>&1
    if [[ -n ${KEEP:-} ]]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

promise() { # TEXT COMMAND...
    local text=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        echo "✔ $text"
    else
        failed=$((failed + 1))
        echo "✖ $text"
        tail -n 30 "$work/said" | sed 's/^/    /'
    fi
}

report() { "$build/bin/enlace-report2019" "$work/demo" >"$work/report" 2>"$work/report.err"; }
last_line() { [[ $(tail -n 1 "$work/report") == "recibos verificados: $1 de 1,502" ]]; }
show_report() { cat "$work/report" "$work/report.err"; }

the_year() {
    # Of the story before it, one ✖ is the point: what may not leave did not.
    demo demo >"$work/report" 2>&1 && last_line 1,502 && grep -q 'ya no le abre' "$work/report" &&
        grep -q '^[0-9]*\. A la mitad del año se cae' "$work/report" &&
        [[ -s $work/demo/w2019/informe.txt ]] && ! grep -q ✖ "$work/demo/w2019/informe.txt" && return
    cat "$work/report"
    return 1
}

nothing_changes() {
    demo demo >"$work/report" 2>&1
    grep -q '^Nada que enviar' "$work/report" && last_line 1,502 &&
        grep -q '^Sin cambios desde la corrida anterior' "$work/report" && return
    cat "$work/report"
    return 1
}

nothing_runs() { ! compgen -G "$work/demo/run/*.pid"; }

# The report's exit and last line after something was done to the evidence of one unit.
a_receipt() { find "$work/demo/spool/ssc/adapter/receipts" -type f | sort | sed -n 100p; }
spoilt() { # WHOLE WORDS
    if report; then echo "the report was content"; return 1; fi
    { last_line "$1" && grep -q -- "$2" "$work/report"; } || { show_report; return 1; }
}
forged_receipt() {
    local file
    file=$(a_receipt)
    cp "$file" "$work/kept"
    # One digit of the leaf.
    sed -i 's/^leaf \(..........\)./leaf \1Z/' "$file"
    spoilt 1,501 '1 no se sostienen' || spoilt 1,502 '1 no se sostienen'
}
# c5 reported 22 of the units: without what its adapter kept they are not whole.
lost_receipts() {
    local kept=$work/demo/spool/c5/adapter/receipts
    cp "$work/kept" "$(a_receipt)"
    mv "$kept" "$work/lost"
    spoilt 1,480 ' 0 no se sostienen' || return 1
    mv "$work/lost" "$kept"
    report && last_line 1,502 && return
    show_report
    return 1
}

# What an institution did not write down itself does not count as done, nor what it made up.
own_book() {
    local book=$work/demo/agencies/pgj/book.tsv
    cp "$book" "$work/book"
    sed -i '0,/^accion/{/^accion/d}' "$book"
    spoilt 1,502 'por pgj  *88  *88  *87  *✖' || return 1
    cp "$work/book" "$book"
    grep -m 1 '^accion' "$work/book" | sed 's/\t[0-9]*\t2019/\t99\t2019/' >>"$book"
    spoilt 1,502 'en los libros de las instituciones, las mismas  *1,503  *1,502  *✖' || return 1
    cp "$work/book" "$book"
    report
}

kill_at_random() {
    local file
    for file in "$work"/demo/run/*.pid; do
        ((RANDOM % 3 == 0)) && kill -KILL "$(head -n 1 "$file")" 2>/dev/null
    done
    return 0
}

one_storm() {
    local pid
    "$build/bin/enlace-w2019" "$work/demo" 60 >"$work/flow" 2>&1 &
    pid=$!
    sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
    kill_at_random
    sleep 0.2
    demo up >"$work/up" 2>&1 || { cat "$work/up"; return 1; }
    sleep 0.3
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    return 0
}

storm_and_end() {
    local n
    echo "ENLACE_SEED=$seed"
    demo up || return 1
    for ((n = 0; n < storms; n++)); do
        one_storm || return 1
    done
    "$build/bin/enlace-w2019" "$work/demo" 90 || return 1
    "$root/deploy/demo/story.sh" "$build" before && "$root/deploy/demo/story.sh" "$build" after || return 1
    report && last_line 1,502 && grep -q "^Hay $records registros" "$work/report" && return
    show_report
    echo "the first run had $records records"
    return 1
}

promise "the year flows, and its report equals that of 2019 line by line" the_year
records=$(sed -n 's/^Hay \([0-9,]*\) registros.*/\1/p' "$work/report")
promise "run again in the same place, it changes nothing and says so" nothing_changes
promise "what it started it has stopped" nothing_runs
demo up >/dev/null
promise "a forged receipt does not hold" forged_receipt
promise "lost receipts are missed" lost_receipts
promise "what an institution's own book lacks, or has too much, shows" own_book
demo down >/dev/null
rm -rf "$work/demo"
promise "programs killed at random $storms times: no unit lost, none twice, no record too many" \
    storm_and_end
echo "$(basename "$0"): $passed passed, $failed failed"
[[ $failed -eq 0 ]]
