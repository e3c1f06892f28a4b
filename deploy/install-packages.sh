#!/bin/sh
# Installs what deploy/packages.txt lists and this machine lacks; says so before it does.
set -eu
list=$(dirname "$0")/packages.txt
missing=
# shellcheck disable=SC2013 # a word per line
for package in $(sed 's/#.*//' "$list"); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
    # A tool that came another way counts (npm inside another nodejs package, say).
    command -v "$package" >/dev/null || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Enlace needs these Debian packages; as root: apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "Enlace installs these Debian packages first:$missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # one word per package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
# The tests start an sshd of their own on the loopback; a machine that had none gets no service by it.
case " $missing " in
*" openssh-server "*)
    if [ -d /run/systemd/system ]; then
        echo "Enlace leaves the ssh service of this package off: systemctl enable --now ssh turns it on."
        $as_root systemctl disable --now ssh.service ssh.socket 2>/dev/null || true
    fi
    ;;
esac
