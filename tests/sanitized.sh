#!/bin/bash
# sanitized.sh COMMAND...: runs it with what the sanitizers of our builds need, and fails when any
# process below it, a node that a test has killed included, left a report.
set -uo pipefail
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
common=log_path=$reports/report:exitcode=99
export ASAN_OPTIONS=$common:detect_stack_use_after_return=1
export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
# gRPC and LMDB are not instrumented: what happens inside of them is not watched. A test that forks
# may start threads in its child.
export TSAN_OPTIONS=$common:ignore_noninstrumented_modules=1:die_after_fork=0

# ThreadSanitizer's runtime and a store's address space of 1 TiB go together only where addresses
# are not shuffled, if the machine lets a process ask for that.
as_is=()
if setarch -R true 2>/dev/null; then as_is=(setarch -R); fi
"${as_is[@]}" "$@"
code=$?
shopt -s nullglob
found=("$reports"/report.*)
if [[ ${#found[@]} -gt 0 ]]; then
    echo "✖ ${#found[@]} processes left a sanitizer's report"
    head -n 60 "${found[@]}"
    [[ $code -ne 0 ]] || code=1
fi
exit "$code"
