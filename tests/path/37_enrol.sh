#!/bin/bash
#
# 37_enrol.sh: a new system of ssc joins a running network by `enlace enrol`, as deploy/alta.md says
# it: installed programs, keys, request, signature, installation, profile, the roster that lets it
# in while the node runs, the echo; then it receives a message sealed to it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7870
node_start cdmx || exit 1
node_start ssc || exit 1
installed=$WORK/root/usr/bin/enlace
agency=$WORK/agency

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
enrol() { (cd "$WORK" && timeout 60 "$installed" enrol "$@") >"$WORK/said" 2>&1; }
install_it() {
    make -s -C "$ROOT" BUILD="$BUILD" install DESTDIR="$WORK/root" >"$WORK/install.log" 2>&1 ||
        { tail -5 "$WORK/install.log"; return 1; }
}
request() { enrol request --kind system --network cdmx --member ssc --name nuevo "$agency"; }
heard() { openssl req -in "$agency/$1.csr" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }
sign_both() {
    for use in tls seal; do
        local as=()
        [ "$use" = tls ] || as=(--seal)
        enrol sign --ca "$WORK/pki/ca/cdmx.pem" --ca-key "$WORK/pki/ca/cdmx.key" "$agency/$use.csr" \
            --fingerprint "$(heard "$use")" --out "$WORK/$use.pem" "${as[@]}" || return 1
        grep -q 'Identidad: spiffe://enlace.cdmx/member/ssc/system/nuevo' "$WORK/said" || return 1
    done
}
no_blind_signature() { ! enrol sign --ca "$WORK/pki/ca/cdmx.pem" --ca-key "$WORK/pki/ca/cdmx.key" "$agency/tls.csr"; }
install_both() {
    enrol install "$WORK/tls.pem" "$agency" --ca "$WORK/pki/ca/cdmx.pem" && enrol install "$WORK/seal.pem" "$agency"
}
connect() { enrol connect "$agency" --with "$WORK/directory" -o "$agency/enlace.conf"; }
keys_are_private() { [ -z "$(find "$agency" -name '*.key' -perm /077)" ] && [ -z "$(find "$agency/enlace.conf" -perm /077)" ]; }
is_told_what_to_publish() {
    ! connect && grep -q "certificate $(openssl x509 -in "$agency/tls.pem" -outform DER | sha256sum | cut -d' ' -f1)" "$WORK/said" &&
        grep -q "seal $(openssl x509 -in "$agency/seal.pem" -outform DER | sha256sum | cut -d' ' -f1)" "$WORK/said" &&
        grep -q '✖ el directorio tiene en vigor' "$WORK/said"
}
not_twice() { ! connect && grep -q 'file.exists' "$WORK/said"; }
publish() { # the lines that it said, into ssc's roster, signed by ssc
    local note=$WORK/directory/cdmx.ssc.roster.note
    sed '/^$/,$d' "$note" >"$WORK/roster.txt"
    python3 - "$note" "$WORK/said.first" "$WORK/roster.txt" <<'PY'
import re, sys
note, said = open(sys.argv[1]).read(), open(sys.argv[2]).read()
text = note.rsplit("\n\n", 1)[0] + "\n"
lines = re.search(r"^  (system .*)\n    (certificate .*)\n    (seal .*)$", said, re.M)
version = int(re.search(r"\nversion (\d+)\n", text).group(1))
text = text.replace(f"\nversion {version}\n", f"\nversion {version + 1}\n", 1)
text += f"\n{lines[1]}\n  {lines[2]}\n  {lines[3]}\n  in-force 2026-01-01..2030-12-31\n"
open(sys.argv[3], "w").write(text)
PY
    "$installed" roster sign "$WORK/roster.txt" --key "$WORK/pki/member/cdmx.ssc/roster.key" \
        --name cdmx.ssc/roster -o "$WORK/cdmx.ssc.roster.note" &&
        "$installed" roster publish "$WORK/cdmx.ssc.roster.note" --to "$WORK/directory"
}
doctor() { "$installed" --profile "$agency/enlace.conf" doctor --with "$WORK/directory" >"$WORK/said" 2>&1; }
eventually() { for _ in $(seq 100); do "$@" && return 0; sleep 0.1; done; cat "$WORK/said"; return 1; }
takes_a_message() {
    cat >"$WORK/mpi.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.pem
key = $WORK/pki/system/cdmx.mpi-cdmx.plataforma/tls.key
ca = $WORK/pki/ca/all.pem
member = cdmx/mpi-cdmx
system = plataforma
spool = $WORK/spool
$(sed -n 's/^log = \(gw.cdmx.*\)/node_log = \1/p' "$agency/enlace.conf")
CONF
    "$installed" --profile "$WORK/mpi.conf" submit "$ROOT/deploy/demo/solicitud.json" || return 1
    "$installed" --profile "$agency/enlace.conf" inbox --ack --wait 8000 >"$WORK/inbox" && grep -q 'PRO-COD-VIG' "$WORK/inbox"
}
wrong_folder() { ! enrol connect "$WORK/directory" --with "$WORK/directory" -o "$WORK/x.conf" && [ ! -e "$WORK/x.conf" ]; }
no_member() {
    ENLACE_NETWORK=cdmx openssl x509 -new -force_pubkey <(openssl pkey -in "$agency/tls.key" -pubout) -subj /CN=x -days 2 \
        -CA "$WORK/pki/ca/cdmx.pem" -CAkey "$WORK/pki/ca/cdmx.key" -out "$WORK/stray/tls.pem" \
        -extfile <(printf '[p]\nsubjectAltName=URI:spiffe://enlace.cdmx/member/nadie/system/x\n') -extensions p &&
        ! enrol connect "$WORK/stray" --with "$WORK/directory" -o "$WORK/x.conf" && grep -q member.no_node "$WORK/said"
}
}
promise "make install puts everything where it is found" install_it
promise "keys and request are made where they will live" request
promise "the authority signs nothing that was not read to it" no_blind_signature
promise "it sees whom it signs" sign_both
promise "what came is checked and put in place" install_both
promise "the profile is written, and the lines that the roster lacks are said" is_told_what_to_publish
cp "$WORK/said" "$WORK/said.first"
promise "keys and profile are the owner's alone" keys_are_private
promise "a profile is never overwritten" not_twice
promise "the institution publishes its roster" publish
promise "and the running node answers: all well to the echo" eventually doctor
promise "the new system receives" takes_a_message
promise "a folder without a certificate is refused" wrong_folder
mkdir "$WORK/stray"
promise "as is a member that the directory does not have" no_member
promises_end
