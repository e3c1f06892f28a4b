#!/bin/bash
# promise.sh PROMISE COMMAND...: runs the command and says in one line whether the promise was kept,
# and how long it took. What the command said is shown when it failed, kept in LEDGER's folder else.
#
# Exit 77 of the command means skipped; the line that says why is its last one. A closing line
# "N passed, M failed" of the command is added up. With LEDGER=FILE a line per promise goes there
# (passed, failed, skipped, the promise), and whoever reads the ledger decides: the exit is 0.
set -u
promise=$1
shift
said=$(mktemp)
trap 'rm -f "$said"' EXIT
began=${EPOCHREALTIME/[.,]/}
"$@" >"$said" 2>&1
code=$?
took=$(((${EPOCHREALTIME/[.,]/} - began) / 100000))
took="$((took / 10)).$((took % 10)) s"

closing=$(grep -aE '(^|: )[0-9]+ passed, [0-9]+ failed' "$said" | tail -n 1)
read -r passed failed skipped < <(sed -nE 's/^.*\b([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*$/\1 \2 \4/p' <<<"$closing")
if [[ $code -eq 77 ]]; then
    passed=0 failed=0 skipped=1
elif [[ -z $closing ]]; then
    passed=$((code == 0)) failed=$((code != 0))
elif [[ $code -ne 0 && $failed -eq 0 ]]; then
    failed=1
fi
if [[ -n ${LEDGER:-} ]]; then
    printf '%d\t%d\t%d\t%s\n' "$passed" "$failed" "${skipped:-0}" "$promise" >>"$LEDGER"
fi
if [[ $code -eq 77 ]]; then
    echo "– $promise: skipped: $(tail -n 1 "$said")"
    exit 0
fi
detail=${closing:+: ${closing##*: }}
if [[ $failed -eq 0 ]]; then
    echo "✔ $promise$detail ($took)"
    exit 0
fi
# One write, so that promises that run side by side do not mix their lines.
echo "✖ $promise$detail ($took)
$(grep -avE '^ *✔' "$said" | tail -n 120 | sed 's/^/    /')"
[[ -n ${LEDGER:-} ]]
