#!/bin/bash
# run.sh BUILD SECONDS TARGET.c...: fuzzes each target for so long, as many at once as there are
# cores. A finding's input stays in BUILD/found; it is run again by the same program with that file.
set -uo pipefail
build=$1 seconds=$2
shift 2
mkdir -p "$build/found"
export ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0

one() {
    local source=$1 name parser corpus log code
    name=$(basename "$source" .c)
    parser=${name#fuzz_}
    corpus=$build/corpus/$parser
    log=$build/found/$name.log
    mkdir -p "$corpus"
    local folders=("$corpus")
    [[ ! -d tests/fuzz/data/$parser ]] || folders+=("tests/fuzz/data/$parser")
    "$build/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
        -print_final_stats=1 -verbosity=1 -artifact_prefix="$build/found/$name-" "${folders[@]}" >"$log" 2>&1
    code=$?
    local runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [[ $code -eq 0 && ${runs:-0} -gt 0 ]]; then
        echo "✔ $name: ${runs} inputs"
        return 0
    fi
    echo "✖ $name
$(grep -aE 'ERROR|Assertion|runtime error|Test unit written|SUMMARY|#[0-9]+ 0x' "$log" | head -n 30 | sed 's/^/    /')
    more in $log"
    return 1
}

jobs_max=$(nproc)
passed=0 failed=0 running=0
reap() {
    if wait -n; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    running=$((running - 1))
}
for source in "$@"; do
    [[ $running -lt $jobs_max ]] || reap
    one "$source" &
    running=$((running + 1))
done
while [[ $running -gt 0 ]]; do reap; done
echo "fuzz: $passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
