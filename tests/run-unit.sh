#!/bin/bash
# run-unit.sh PROGRAM...: runs each cmocka program, several side by side, and prints the output of
# those that fail; the closing line counts tests. A program that does not exist, dies or takes more
# than UNIT_SECONDS counts as one failed test.
set -uo pipefail
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
export said UNIT_SECONDS=${UNIT_SECONDS:-120}

one() {
    local program=$1 out began took code
    out=$said/$(tr / _ <<<"$program")
    began=${EPOCHREALTIME/[.,]/}
    timeout -k 5 "$UNIT_SECONDS" "$program" >"$out" 2>&1
    code=$?
    took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000000))
    printf '%s\t%d\t%d\n' "$program" "$code" "$took" >"$out.outcome"
}
export -f one
# shellcheck disable=SC2016 # the inner shell's argument
printf '%s\0' "$@" | xargs -0 -r -n 1 -P "$(nproc)" bash -c 'one "$1"' one

sum() { # FILE WORD: N of cmocka's line "[  WORD  ] N test(s)"
    sed -nE "s/^\[ *$2 *\] ([0-9]+) test\(s\).*/\1/p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}
passed=0 failed=0 skipped=0
for program in "$@"; do
    out=$said/$(tr / _ <<<"$program")
    IFS=$'\t' read -r _ code took <"$out.outcome"
    bad=$(sum "$out" FAILED)
    passed=$((passed + $(sum "$out" PASSED)))
    skipped=$((skipped + $(sum "$out" SKIPPED)))
    if [[ $code -ne 0 ]]; then
        failed=$((failed + (bad > 0 ? bad : 1)))
        echo "✖ $program (exit $code after $took s)"
        grep -avE '^\[( RUN  |      OK)|^[0-9-]+T[0-9:.]+Z (debug|info|warn|error)' "$out" | tail -n 60
    elif [[ $took -ge 20 ]]; then
        echo "$program took $took s"
    fi
done
printf 'unit: %d passed, %d failed' "$passed" "$failed"
[[ $skipped -eq 0 ]] || printf ', %d skipped' "$skipped"
echo
[[ $failed -eq 0 && $passed -gt 0 ]]
