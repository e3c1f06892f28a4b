# shellcheck shell=bash
#
# What the demonstration's scripts share: where things are, and how a process is started, awaited
# and ended. Sourced, never run, as `. common.sh BUILD`.
#
#   BUILD/demo/pki, directory.txt          certs/make_pki.sh, make_directory.sh
#   BUILD/demo/nodes/<node>/               enlaced.conf, data/, vault/
#   BUILD/demo/clients/<name>.conf         profiles: `enlace --profile FILE ...`
#   BUILD/demo/spool/<name>/               what each system must not forget
#   BUILD/demo/scripts/<code>              what each institution does, and when
#   BUILD/demo/agencies/<code>/            an institution's own system and its adapter's settings
#   BUILD/demo/w2019/                      seed and start, checkpoints seen, last count
#   BUILD/demo/log/<name>.log, run/<name>.pid
#
# ENLACE_DEMO_PORTS: the first of fourteen ports on 127.0.0.1 (7441). ENLACE_DEMO_DIR: another folder than
# BUILD/demo.
# shellcheck disable=SC2034 # what others use
set -euo pipefail
export LC_ALL=C
umask 077

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
[[ $# -eq 1 && -n $1 ]] || { echo "uso: $(basename "$0") CARPETA-DE-CONSTRUCCIÓN" >&2; exit 2; }
mkdir -p "$1"
build=$(cd "$1" && pwd -P)
demo=${ENLACE_DEMO_DIR:-$build/demo}
mkdir -p "$demo"
demo=$(cd "$demo" && pwd -P)
bin=$build/bin
ports=${ENLACE_DEMO_PORTS:-7441}
start_limit_s=30
stop_limit_s=15

say() { printf '%s\n' "$*"; }
die() {
    printf 'demostración: %s\n' "$*" >&2
    exit 1
}

# is_ours NAME: the process in run/NAME.pid lives and is the one that was started, not a later one
# that got its number.
is_ours() {
    local pid program
    [[ -s $demo/run/$1.pid ]] || return 1
    { read -r pid && read -r program; } <"$demo/run/$1.pid" || return 1
    [[ -r /proc/$pid/cmdline ]] || return 1
    [[ $(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | head -n 1) == "$program" ]]
}

# begin NAME PROGRAM ARGUMENT...: in the background, with its own log; nothing when it runs already.
begin() {
    local name=$1 tries
    shift
    ! is_ours "$name" || return 0
    [[ -x $1 ]] || die "falta $1: constrúyalo con make"
    setsid "$@" </dev/null >"$demo/log/$name.log" 2>&1 &
    printf '%s\n%s\n' "$!" "$1" >"$demo/run/$name.pid.part"
    mv -f "$demo/run/$name.pid.part" "$demo/run/$name.pid"
    disown
    # Until the shell that was forked has become the program, it is not ours by name.
    for ((tries = 0; tries < 500; tries++)); do
        if is_ours "$name" || ! kill -0 "$!" 2>/dev/null; then break; fi
        sleep 0.01
    done
}

# await NAME WORD: until its log says WORD, or it ends, or time is up.
await() {
    local until=$((SECONDS + start_limit_s))
    while ! grep -qs -- "$2" "$demo/log/$1.log"; do
        is_ours "$1" || {
            tail -n 5 "$demo/log/$1.log" >&2
            die "$1 terminó al arrancar; vea $demo/log/$1.log"
        }
        ((SECONDS < until)) || die "$1 no estuvo listo en $start_limit_s s; vea $demo/log/$1.log"
        sleep 0.05
    done
}

# finish NAME...: in good order all at once; by force, and said, when one does not end in time.
finish() {
    local name pid until=$((SECONDS + stop_limit_s))
    for name in "$@"; do
        is_ours "$name" || continue
        read -r pid <"$demo/run/$name.pid"
        kill -TERM "$pid" 2>/dev/null || true
    done
    for name in "$@"; do
        while is_ours "$name"; do
            if ((SECONDS >= until)); then
                read -r pid <"$demo/run/$name.pid"
                say "demostración: $name no se detuvo en $stop_limit_s s; se termina por la fuerza" >&2
                kill -KILL "$pid" 2>/dev/null || true
                sleep 0.2
                break
            fi
            sleep 0.05
        done
        rm -f "$demo/run/$name.pid"
    done
}

# Names of what was started: adapters, then nodes.
started() {
    local file
    for file in "$demo"/run/"$1"*.pid; do
        [[ -e $file ]] && basename "$file" .pid
    done
    return 0
}
