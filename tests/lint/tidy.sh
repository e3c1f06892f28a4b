#!/bin/sh
# tidy.sh GENERATED JOBS: clang-tidy over our programs. It stops at the first finding of a file.
set -eu
checks='-*,bugprone-*,cert-*,clang-analyzer-*,-bugprone-easily-swappable-parameters'
checks="$checks,-bugprone-reserved-identifier,-cert-dcl37-c,-clang-analyzer-security.insecureAPI.*"
# shellcheck disable=SC2016 # expanded by the inner shell
find gateway adapters -name '*.c' | sort | xargs -P "$2" -n 2 sh -c \
    'clang-tidy --quiet --warnings-as-errors="*" --checks="$0" "$@" -- -std=c17 -D_GNU_SOURCE -Igateway -Iadapters -Itests -I'"$1" \
    "$checks"
