#!/bin/bash
#
# story.sh BUILD before|during|after: what the demonstration shows besides the year itself, told in
# Spanish. A step is a file in story/<when>/, run in the order of their names:
#
#   before/   the federation is up, nothing of 2019 has been sent
#   during/   in the background while the year flows; told with what comes after
#   after/    the year is closed, before its report
#
# A step is sourced here, in a shell of its own. It does one thing, checks that it happened (`die`
# when it did not) and tells it: `title` once, then `tell` for each line. It has $work (a folder that
# goes away), `as PROFILE ARGUMENT...` (enlace, with a profile of clients/), `wait_for SECONDS
# COMMAND...` and what common.sh gives. Done once: its words stay in w2019/story/, and later runs
# tell what happened then.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" "${1:-}"

when=${2:-}
[[ $when =~ ^(before|during|after)$ ]] ||
    die "uso: story.sh CARPETA-DE-CONSTRUCCIÓN before|during|after"
told=$demo/w2019/story
mkdir -p "$told"
work=$(mktemp -d "$demo/run/.story.XXXXXX")
trap 'rm -rf "$work"' EXIT

title() { say "@ $*"; }
tell() { say "   $*"; }
as() {
    local profile=$1
    shift
    "$bin/enlace" --profile "$demo/clients/$profile.conf" "$@"
}
wait_for() { # SECONDS COMMAND...
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.05
    done
}

run_step() { # FILE WORDS
    local rc
    set +e
    (
        set -e
        # shellcheck source=/dev/null # a step
        . "$1"
    ) >"$2.part"
    rc=$?
    set -e
    if ((rc != 0)); then
        sed 's/^@ /   /' "$2.part" >&2
        die "no ocurrió lo que este paso muestra: ${1#"$root/"}"
    fi
    mv -f "$2.part" "$2"
}

# Numbered in the order in which they were first told.
tell_all() { # WHEN
    local words number earlier
    for words in "$told/$1".*.words; do
        [[ -e $words ]] || continue
        number=$words.number
        if [[ ! -s $number ]]; then
            earlier=("$told"/*.number)
            [[ -e ${earlier[0]} ]] || earlier=()
            printf '%s\n' "$((${#earlier[@]} + 1))" >"$number"
        fi
        sed "s/^@ /$(cat "$number"). /" "$words"
    done
}

for step in "$here/story/$when"/*.sh; do
    [[ -e $step ]] || continue
    words=$told/$when.$(basename "$step" .sh).words
    if [[ ! -s $words ]]; then run_step "$step" "$words"; fi
done
case $when in
before) say "En el camino:" && tell_all before && say "" ;;
after) tell_all during && tell_all after && say "" ;;
esac
