#!/bin/bash
# tally.sh LEDGER: adds up what tests/promise.sh wrote. Names again what failed, so that it stands
# at the end of a long page; the last line is the count.
set -euo pipefail
awk -F '\t' '
    { passed += $1; failed += $2; skipped += $3 }
    $2 > 0 { print "✖ " $4 }
    END {
        if (NR == 0) { failed = 1 }
        printf "%d passed, %d failed", passed, failed
        if (skipped > 0) printf ", %d skipped", skipped
        print ""
        exit failed > 0
    }' "$1"
