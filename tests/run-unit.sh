#!/bin/sh
# Runs each unit program; prints the output of those that fail, and one closing line.
passed=0
failed=0
for program in "$@"; do
    out=$("$program" 2>&1) && { passed=$((passed + 1)); continue; }
    failed=$((failed + 1))
    printf '%s\n%s\n' "✖ $program" "$out"
done
printf 'unit: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
