#!/bin/bash
#
# 12_manual.sh: help, the manual page and what Tab offers come from one table, and say the same. No
# node is needed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
enlace=$BUILD/bin/enlace

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
orders() { "$enlace" --help | sed -n '/^  [a-z]/s/^  \([a-z]*\) .*/\1/p'; }
each_has_help() {
    for order in $(orders); do
        "$enlace" "$order" --help >"$WORK/help" || return 1
        head -1 "$WORK/help" | grep -q "^Uso: enlace --profile ARCHIVO $order" || return 1
    done
}
page_is_clean() { "$enlace" --manual >"$WORK/enlace.1" && [ -z "$(groff -k -ww -man -Tutf8 -P-cbou "$WORK/enlace.1" 2>&1 >"$WORK/page")" ]; }
page_names_each() { for order in $(orders); do grep -qw "$order" "$WORK/page" || { echo "$order"; return 1; }; done; }
bash_is_clean() { "$enlace" --completion bash >"$WORK/bash" && shellcheck -s bash "$WORK/bash"; }
offers() { # WORD EXPECTED...: after these words, Tab offers the expected
    local expected=$1
    shift
    bash -c 'source "$1"; shift; COMP_WORDS=(enlace "$@"); COMP_CWORD=$#; _enlace; printf "%s\n" "${COMPREPLY[@]}"' \
        - "$WORK/bash" "$@" >"$WORK/offered"
    grep -qx -- "$expected" "$WORK/offered" || { cat "$WORK/offered"; return 1; }
}
offers_each() { for order in $(orders); do offers "$order" "" || return 1; done; }
fish_names_each() {
    "$enlace" --completion fish >"$WORK/fish"
    for order in $(orders); do grep -q "use_subcommand -a $order -d" "$WORK/fish" || return 1; done
}
other_shell() { "$enlace" --completion tcsh; [ $? -eq 2 ]; }
is_guessed() { "$enlace" statsu >"$WORK/said" 2>&1; [ $? -eq 2 ] && grep -q '«status»' "$WORK/said"; }
no_colour() { ! "$enlace" --help | grep -q "$(printf '\033')"; }
}
promise "each order has help of its own" each_has_help
promise "the manual page is sound" page_is_clean
promise "and names each order" page_names_each
promise "what completes in bash is sound" bash_is_clean
promise "Tab offers each order" offers_each
promise "after the profile, too" offers track --profile x.conf tr
promise "an order's verbs" offers reindex log ""
promise "and its options" offers --occurred-at --json act --occ
promise "fish gets the same" fish_names_each
promise "another shell is told how to ask" other_shell
promise "a mistyped order is guessed" is_guessed
promise "no colour where nobody asked for it" no_colour
promises_end
