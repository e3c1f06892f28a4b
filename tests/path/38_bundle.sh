#!/bin/bash
#
# 38_bundle.sh: the evidence of an exchange as a folder for a court. Made by an auditor from a
# witnessed log, verified by enlace-verify with keys from elsewhere, by sha256sum, openssl and a
# reading of C2SP's texts that shares no code with us; every file of it changed is found out.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
federation 7910
enlace=$BUILD/bin/enlace
verify=$BUILD/bin/enlace-verify
folder=$WORK/expediente

of_node() { # NETWORK/CODE KEY
    awk -v head="node $1" -v key="$2" '/^[a-z]/ { inside = ($0 == head) } inside && $1 == key { print $2; exit }' \
        "$WORK/directory.txt"
}
cat >"$WORK/policy" <<POLICY
log $(of_node cdmx/cdmx log-key)
witness ssc $(of_node cdmx/ssc witness-key)
quorum ssc
POLICY
node_settings cdmx
printf 'witness_policy = %s\nwitness_interval_ms = 200\n' "$WORK/policy" >>"$WORK/node/cdmx/enlaced.conf"
node_start cdmx || exit 1
node_start ssc || exit 1

# shellcheck disable=SC2317,SC2329 # the checks below are called by name
{
profile() { # FILE MEMBER CREDENTIALS [SYSTEM]
    cat >"$WORK/$1.conf" <<CONF
address = $(node_address cdmx)
node = spiffe://enlace.cdmx/node/cdmx
certificate = $WORK/pki/$3/tls.pem
key = $WORK/pki/$3/tls.key
ca = $WORK/pki/ca/all.pem
member = $2
${4:+system = $4}
spool = $WORK/spool-$1
node_log = $(of_node cdmx/cdmx log-key)
CONF
}
as() { timeout 60 "$enlace" --json --profile "$WORK/$1.conf" "${@:2}" >"$WORK/said" 2>"$WORK/log"; }
submit() { as mpi submit "$ROOT/deploy/demo/solicitud.json" && exchange=$(sed -n 's/.*"message_id": "\(.*\)".*/\1/p' "$WORK/said"); }
others() { for _ in $(seq 40); do as mpi submit "$ROOT/deploy/demo/solicitud.json" || return 1; done; }
open_audit() { as auditor audit open --purpose juicio-2026 -o "$WORK/audit"; }
bundle() { as auditor audit bundle --audit "$WORK/audit" --exchange "$exchange" -o "$folder" --with "$WORK/directory"; }
not_twice() { ! bundle; }
others_are_not_in() { [ "$(find "$folder/hojas" -name '*.leaf' | wc -l)" -lt 5 ] && [ -s "$folder/hojas/$(printf %010d "$1").leaf" ]; }
check() { # FOLDER ARGUMENTS...
    timeout 60 "$verify" --json bundle "$@" >"$WORK/said" 2>&1
}
signer=$WORK/pki/auditor/cdmx.contraloria.auditor-01/tls.pem
verifies() { check "$folder" --policy "$WORK/policy" --certificate "$signer" && grep -q '"signature": "verifica"' "$WORK/said"; }
by_key_alone() { check "$folder" --vkey "$(of_node cdmx/cdmx log-key)"; }
facts_too() { timeout 60 "$enlace" --json verify bundle "$folder" --policy "$WORK/policy" --certificate "$signer" >"$WORK/said" && grep -q '"facts"' "$WORK/said"; }
other_key() { ! check "$folder" --vkey "$(of_node cdmx/ssc log-key)" --unwitnessed && grep -q unknown "$WORK/said"; }
other_signer() { ! check "$folder" --policy "$WORK/policy" --certificate "$WORK/pki/auditor/cdmx.contraloria.auditor-02/tls.pem" && grep -q evidence.signature "$WORK/said"; }
sums_by_coreutils() { (cd "$folder" && sha256sum --quiet -c SUMAS); }
signed_for_openssl() {
    openssl cms -verify -binary -inform DER -in "$folder/SUMAS.p7s" -content "$folder/SUMAS" -certfile "$signer" \
        -noverify -out /dev/null
}
by_another_hand() { # RFC 6962 and C2SP's texts alone; hashlib and nothing of ours
    python3 - "$folder" <<'PY'
import base64, glob, hashlib, sys
folder, sha = sys.argv[1], lambda *p: hashlib.sha256(b"".join(p)).digest()
def checkpoint(text):
    lines = text.split("\n")
    return lines[0], int(lines[1]), base64.b64decode(lines[2])
def root_of(h, index, size, path):
    node, last = index, size - 1
    for p in path:
        assert last > 0
        if node & 1 or node == last:
            h = sha(b"\1", p, h)
            while not node & 1 and node: node >>= 1; last >>= 1
        else: h = sha(b"\1", h, p)
        node >>= 1; last >>= 1
    assert last == 0
    return h
def grown(old, old_root, new, new_root, path):  # RFC 9162, 2.1.4.2
    if old == new: return old_root == new_root and not path
    path = list(path)
    if old & (old - 1) == 0: path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn & 1: fn >>= 1; sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0: return False
        if fn & 1 or fn == sn:
            fr, sr = sha(b"\1", c, fr), sha(b"\1", c, sr)
            while not fn & 1 and fn: fn >>= 1; sn >>= 1
        else: sr = sha(b"\1", sr, c)
        fn >>= 1; sn >>= 1
    return fr == old_root and sr == new_root and sn == 0
origin, sealed, sealed_root = checkpoint(open(f"{folder}/sello.checkpoint").read())
proofs = sorted(glob.glob(f"{folder}/hojas/*.tlog-proof"))
assert proofs
for name in proofs:
    head, note = open(name).read().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index ")
    index, path = int(lines[1][6:]), [base64.b64decode(l) for l in lines[2:]]
    log, size, root = checkpoint(note)
    leaf = open(name.replace(".tlog-proof", ".leaf"), "rb").read()
    assert log == origin and index < sealed and len(leaf) == 200
    assert root_of(sha(b"\0", leaf), index, size, path) == root, name
    record = open(name.replace(".tlog-proof", ".record"), "rb").read()
    assert leaf[56:88] == sha(b"enlace/record/v1\0", record[:32], (len(record) - 32).to_bytes(8, "big"), record[32:])
    if size != sealed:
        body, _ = open(f"{folder}/crecio/{size}.add-checkpoint").read().split("\n\n", 1)
        body = body.split("\n")
        assert body[0] == f"old {sealed}"
        assert grown(sealed, sealed_root, size, root, [base64.b64decode(l) for l in body[1:]])
PY
}
each_change_is_found() { # every file, one byte at a time, in a copy
    local bad=0
    while read -r name; do
        rm -rf "$WORK/copy" && cp -r "$folder" "$WORK/copy"
        python3 - "$WORK/copy/$name" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
# In a signature the certificate that it carries counts for nothing; its end does.
data[-10 if sys.argv[1].endswith(".p7s") else len(data) // 2] ^= 1
open(sys.argv[1], "wb").write(data)
PY
        check "$WORK/copy" --policy "$WORK/policy" --certificate "$signer" && { echo "$name"; bad=1; }
    done < <(cd "$folder" && find . -type f ! -name sello.tsr | sed 's|^\./||')
    [ "$bad" -eq 0 ]
}
resum() { (cd "$WORK/copy" && find . -type f ! -name 'SUMAS*' ! -name sello.tsr | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum >SUMAS); }
even_with_new_sums() { # who remakes the sums still cannot make the log say it
    rm -rf "$WORK/copy" && cp -r "$folder" "$WORK/copy"
    local leaf
    leaf=$(find "$WORK/copy/hojas" -name '*.record' | head -1)
    printf 'x' >>"$leaf"
    resum
    ! check "$WORK/copy" --policy "$WORK/policy" && grep -q evidence.record "$WORK/said"
}
facts_that_lie() {
    rm -rf "$WORK/copy" && cp -r "$folder" "$WORK/copy"
    sed -i 's/mpi-ssc-medidas/mpi-pgj-medidas/' "$WORK/copy/hechos.json"
    resum
    check "$WORK/copy" --policy "$WORK/policy" || return 1
    ! timeout 60 "$enlace" --json verify bundle "$WORK/copy" --policy "$WORK/policy" >"$WORK/said" &&
        grep -q evidence.facts "$WORK/said"
}
no_folder() { ! check "$WORK/directory" --policy "$WORK/policy" && grep -q evidence.sums "$WORK/said"; }
pdf_is_sound() {
    qpdf --check "$folder/expediente.pdf" && pdftotext "$folder/expediente.pdf" - | grep -q "$exchange" &&
        pdftotext "$folder/expediente.pdf" - | grep -q 'LPPDDHP'
}
no_personal_data() { ! grep -raiE 'Sintétic|SINTETICO' "$folder" --include='*.json' --include='*.record' --include='*.txt'; }
tsa() { # an RFC 3161 authority of our own
    mkdir -p "$WORK/tsa" && cd "$WORK/tsa" || return 1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem -subj '/CN=TSA CA' 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.csr -subj '/CN=TSA' 2>/dev/null
    openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -days 2 -out tsa.pem \
        -extfile <(echo 'extendedKeyUsage=critical,timeStamping') 2>/dev/null
    echo 01 >serial
    printf '[tsa]\ndefault_tsa=one\n[one]\nserial=%s\nsigner_cert=%s\nsigner_key=%s\ncerts=%s\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\n' \
        "$PWD/serial" "$PWD/tsa.pem" "$PWD/tsa.key" "$PWD/ca.pem" >tsa.cnf
    openssl ts -reply -config tsa.cnf -queryfile "$folder/sello.tsq" -out "$WORK/good.tsr" &&
        openssl ts -query -data "$WORK/policy" -sha256 -cert -out other.tsq &&
        openssl ts -reply -config tsa.cnf -queryfile other.tsq -out "$WORK/other.tsr"
}
stamp() { as auditor audit stamp "$folder" --answer "$WORK/$1.tsr" --tsa "$WORK/tsa/ca.pem"; }
not_of_this() { ! stamp other && [ ! -e "$folder/sello.tsr" ]; }
stamp_verifies() { check "$folder" --policy "$WORK/policy" --tsa "$WORK/tsa/ca.pem" && grep -q 'existía el' "$WORK/said"; }
stamp_of_another() { ! check "$folder" --policy "$WORK/policy" --tsa "$WORK/pki/ca/cdmx.pem" && grep -q evidence.stamp "$WORK/said"; }
not_for_a_stranger() { ! as stranger audit bundle --audit "$WORK/audit" --exchange "$exchange" -o "$WORK/no" && [ ! -e "$WORK/no" ]; }
nothing_of_it() { ! as auditor audit bundle --audit "$WORK/audit" --exchange 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d99 -o "$WORK/no" && grep -q evidence.none "$WORK/said" "$WORK/log" && [ ! -e "$WORK/no" ]; }
}
profile mpi cdmx/mpi-cdmx system/cdmx.mpi-cdmx.plataforma plataforma
profile stranger cdmx/ssc system/cdmx.ssc.adapter adapter
profile auditor cdmx/contraloria auditor/cdmx.contraloria.auditor-01
echo "policy = $WORK/policy" >>"$WORK/auditor.conf"
submit || cat "$WORK/log"
promise "messages of other exchanges stand in the log" others
promise "an audit is open" open_audit
promise "the evidence of one exchange is gathered, under a quorum" bundle
promise "of that exchange alone" others_are_not_in 1
promise "and never written over" not_twice
promise "it verifies with the network's policy and the maker's certificate" verifies
promise "with the log's key alone as well: the quorum is not asked for" by_key_alone
promise "the facts are those of the records" facts_too
promise "another log's key does not verify it" other_key
promise "nor does another signer's certificate" other_signer
promise "the sums are coreutils'" sums_by_coreutils
promise "the signature is openssl's" signed_for_openssl
promise "proofs hold by C2SP's texts alone" by_another_hand
promise "each file changed by one bit is found" each_change_is_found
promise "new sums do not help who changes a record" even_with_new_sums
promise "facts that lie are told from the records" facts_that_lie
promise "a folder that is none is refused" no_folder
promise "the document is sound and says it" pdf_is_sound
promise "no value of a field anywhere" no_personal_data
promise "an authority stamps the seal" tsa
promise "a stamp of something else is refused" not_of_this
promise "the right one is added" stamp good
promise "and verifies" stamp_verifies
promise "not by another authority" stamp_of_another
promise "another institution's system makes none" not_for_a_stranger
promise "an exchange that is not there makes none" nothing_of_it
promises_end
