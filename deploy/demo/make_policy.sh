#!/bin/bash
#
# make_policy.sh DIRECTORY OUT: the network's policy of witnesses (C2SP tlog-policy) from its
# directory: every node's log, every node's witness, and a quorum of 1 + floor(2n/3) of the n
# witnesses that are foreign to a log. A witness of a log's own house never counts, so that one text
# serves all nodes: of six, each log needs 4 of the 5 others, and one may be down.
set -euo pipefail
export LC_ALL=C

[[ $# -eq 2 && -s $1 ]] || { echo "usage: make_policy.sh DIRECTORY OUT" >&2; exit 2; }
trap 'rm -f "$2.part"' EXIT
awk '
    $1 == "node" && /^node/ { name = $2; sub(/.*\//, "", name); names[++count] = name }
    $1 == "log-key" { print "log " $2 }
    $1 == "witness-key" { keys[count] = $2 }
    END {
        for (i = 1; i <= count; i++) print "witness " names[i] " " keys[i]
        printf "group others %d", 1 + int(2 * (count - 1) / 3)
        for (i = 1; i <= count; i++) printf " %s", names[i]
        printf "\nquorum others\n"
    }' "$1" >"$2.part"
if cmp -s "$2.part" "$2"; then rm -f "$2.part"; else mv -f "$2.part" "$2"; fi
