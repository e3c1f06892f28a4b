# shellcheck shell=bash
# ports.sh - sourced by lib.sh and 60_year.sh: ports of this machine that are one test's until it ends.

# free_ports: the first of twenty ports in a row on 127.0.0.1 that nobody listens on and that no other
# test holds, of this run or of another one beside it. They stay this test's while its nodes are down;
# what a test held that has ended is free again. Below the ports that outgoing connections use.
free_ports() {
    local claims=/tmp/enlace-ports-$UID base=$((7600 + RANDOM % 1200 * 20)) owner
    mkdir -p "$claims"
    (
        flock 9
        for ((tries = 0; tries < 1200; tries++)); do
            owner=$(cat "$claims/$base" 2>/dev/null)
            if ! kill -0 "${owner:-none}" 2>/dev/null && nobody_listens "$base"; then
                echo $$ >"$claims/$base"
                echo "$base"
                exit 0
            fi
            base=$((base < 31580 ? base + 20 : 7600))
        done
        echo "no free ports: look into $claims" >&2
        exit 1
    ) 9>"$claims/lock"
}

nobody_listens() { # BASE
    for ((port = $1; port < $1 + 20; port++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 1
    done
    return 0
}
