#!/bin/bash
# cppcheck.sh FOLDER JOBS: cppcheck over our programs; FOLDER remembers what has not changed.
# A finding that is not one is suppressed in the line above it, with the reason:
#     // cppcheck-suppress nullPointer ; asserted above
set -euo pipefail
folder=$1 jobs=$2
dirs=()
for dir in gateway adapters tests/bench tests/workload tests/support; do
    [[ -d $dir ]] && dirs+=("$dir")
done
cppcheck --quiet --std=c11 --language=c -j "$jobs" --cppcheck-build-dir="$folder" \
    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppressions-list=tests/lint/cppcheck-suppressions.txt \
    --template='{file}:{line}: {severity}: {message} [{id}]' \
    -D_GNU_SOURCE -D__GNUC__ -Igateway -Iadapters -Itests "${dirs[@]}"
