#!/bin/bash
# banned.sh FILE...: calls that do not stand in our C, each with the reason and what to use instead.
# Comments and string literals do not count.
set -euo pipefail

# WORD, WHY, and the files that may (an extended regular expression of paths; "-": none).
rules() {
    cat <<'RULES'
strcpy|unbounded: bytes.h|-
strcat|unbounded: buffer_put|-
sprintf|unbounded: snprintf, buffer_putf|-
vsprintf|unbounded: vsnprintf|-
gets|unbounded|-
alloca|the stack is not bounded by it|-
strtok|hidden state: bytes.h|-
rand|not random|-
srand|not random|-
random|not random: crypto/digest.h|-
system|a shell: tests only|^tests/
popen|a shell: tests only|^tests/
SHA256|three times a fetched algorithm's cost: crypto/digest.h|-
EVP_Digest|three times a fetched algorithm's cost: crypto/digest.h|-
EVP_sha256|looked up at each use: fetch once|^tests/
goto|the end of the block releases: own.h|-
MDB_WRITEMAP|a stray write would reach the disk|-
MDB_NOMETASYNC|an acknowledged commit could be lost|-
MDB_MAPASYNC|an acknowledged commit could be lost|-
longjmp|no owner would be released|-
RULES
}

strip() { # FILE: without comments and string literals, line numbers kept
    awk '
        {
            out = ""; line = $0; n = length(line)
            for (i = 1; i <= n; i++) {
                two = substr(line, i, 2); c = substr(line, i, 1)
                if (in_comment) { if (two == "*/") { in_comment = 0; i++ } continue }
                if (two == "/*") { in_comment = 1; i++; continue }
                if (two == "//") break
                if (c == "\"" || c == "\047") {
                    quote = c
                    for (i++; i <= n; i++) {
                        c = substr(line, i, 1)
                        if (c == "\\") { i++; continue }
                        if (c == quote) break
                    }
                    out = out "\"\""
                    continue
                }
                out = out c
            }
            printf "%s:%d:%s\n", FILENAME, FNR, out
        }' "$1"
}

text=$(for file in "$@"; do strip "$file"; done)
wrong=0
while IFS='|' read -r word why may; do
    case $word in
    goto | MDB_*) pattern="\\b$word\\b" ;;
    *) pattern="(^|[^A-Za-z0-9_])${word}[[:space:]]*\\(" ;;
    esac
    hits=$(grep -E "^[^:]*:[0-9]*:.*$pattern" <<<"$text" | { [[ $may == - ]] && cat || grep -vE "$may"; }) || continue
    wrong=1
    printf '%s\n' "$hits" "    ^ $word: $why"
done < <(rules)

# What is not synced: the index, which is made again, in the one line that names it; and a build for
# one test only, behind one switch that the tests set.
unsynced=$(grep -E 'MDB_NOSYNC' <<<"$text" | grep -vE '^gateway/store/db\.c:') && { wrong=1; echo "$unsynced"; }
if [[ -f gateway/store/db.c ]] && grep -q MDB_NOSYNC gateway/store/db.c; then
    awk '/^#if/ { switch_line = $0 } /^#(else|endif)/ { switch_line = "" }
         /MDB_NOSYNC/ && !/DB_INDEX \? MDB_NOSYNC : 0/ && !/\/\*|^ \*/ && switch_line !~ /ENLACE_[A-Z_]+/ { print FILENAME ":" FNR ": MDB_NOSYNC outside a test switch"; bad = 1 }
         END { exit bad }' gateway/store/db.c || wrong=1
fi
exit "$wrong"
