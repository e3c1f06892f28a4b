#!/bin/sh
# What is committed runs anywhere: no path of one machine, no mark of work that is missing.
set -eu
if git grep -nIE '(^|[^A-Za-z0-9_.$}/-])(/work/|/tmp/[a-z]{1,2}[-/]|/home/[a-z]|/Users/|/root/)' -- . ':!tests/lint/places.sh'; then
    exit 1
fi
if git grep -nIE '\b(TODO|FIXME)\b' -- '*.c' '*.h' '*.sh' '*.mk' '*.proto' '*.js' '*.mjs' '*.py' Makefile ':!tests/lint/places.sh'; then
    exit 1
fi
