#!/bin/sh
# tidy.sh GENERATED JOBS: clang-tidy over our programs.
set -eu
checks='-*,bugprone-*,cert-*,clang-analyzer-*'
# Names of macros and headers, chosen by house style.
checks="$checks,-bugprone-reserved-identifier,-cert-dcl37-c,-cert-dcl51-cpp,-bugprone-easily-swappable-parameters"
# What snprintf or fclose returned, each time; constants such as 64 * 1024.
checks="$checks,-cert-err33-c,-bugprone-implicit-widening-of-multiplication-result"
checks="$checks,-bugprone-narrowing-conversions,-bugprone-not-null-terminated-result,-bugprone-sizeof-expression"
checks="$checks,-bugprone-branch-clone"
# It reads one file at a time: it does not know that refuse() and failed() never return RC_OK, so
# that an out parameter looks unset, nor what OWN frees. The sanitizers watch these.
checks="$checks,-clang-analyzer-core.NullDereference,-clang-analyzer-core.NonNullParamChecker"
checks="$checks,-clang-analyzer-core.uninitialized.*,-clang-analyzer-core.UndefinedBinaryOperatorResult"
checks="$checks,-clang-analyzer-core.CallAndMessage,-clang-analyzer-unix.Malloc"
checks="$checks,-clang-analyzer-valist.Uninitialized,-clang-analyzer-security.insecureAPI.*"
# shellcheck disable=SC2016 # expanded by the inner shell
find gateway adapters -name '*.c' | sort | xargs -P "$2" -n 2 sh -c \
    'clang-tidy --quiet --warnings-as-errors="*" --checks="$0" "$@" -- -std=c17 -D_GNU_SOURCE -Igateway -Iadapters -Itests -I'"$1"' 2>/dev/null' \
    "$checks"
