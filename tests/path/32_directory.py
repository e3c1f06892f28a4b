"""32_directory - signing, publishing, hot loading, suspension, certificates.

    32_directory.py WORK BUILD ROOT
"""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

import grpc

import client

WORK, BUILD, ROOT = sys.argv[1:4]
client.generate_protocol(f"{WORK}/py")
passed = failed = 0
FOLDER = f"{WORK}/directory"


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text)
    else:
        failed += 1
        print("✖", text, why)


def enlace(*words, check=False):
    done = subprocess.run([f"{BUILD}/bin/enlace", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise SystemExit(f"{words}: {done.stderr}")
    return done


def log_of(code):
    with open(f"{WORK}/node/{code}/log", encoding="utf-8", errors="replace") as file:
        return file.read()


def wait_for(what, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return False


def text_of(note):
    """A note's text: what stands before its last empty line."""
    with open(note, encoding="utf-8") as file:
        return file.read().rsplit("\n\n", 1)[0] + "\n"


def draft(name, text):
    path = f"{WORK}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def sign(path, signer, name, out):
    """Each authority in a folder of its own, with its own key and nothing else."""
    place = f"{WORK}/firmas/{signer.replace('/', '-')}"
    os.makedirs(place, exist_ok=True)
    shutil.copy(path, f"{place}/texto")
    enlace("directory", "sign", f"{place}/texto", "--key", f"{WORK}/pki/{signer}.key", "--name", name,
           "-o", f"{place}/{out}", check=True)
    return f"{place}/{out}"


def authority(path, who, out):
    return sign(path, f"authority/cdmx.{who}/sign", f"cdmx.autoridad/{who}", out)


def publish(*notes):
    return enlace("directory", "publish", *notes, "--to", FOLDER)


def raised(text):
    version = int(re.search(r"\nversion (\d+)\n", text).group(1))
    return version + 1, text.replace(f"\nversion {version}\n", f"\nversion {version + 1}\n", 1)


def try_submit(partner, **words):
    try:
        message = partner.wrap(partner.request(**words), partner.alias())
        partner.submit(message)
        return "OK"
    except grpc.RpcError as error:
        return client.refusal(error)[1]


def digests():
    """The directory's digest at both nodes."""
    found = []
    for system, node in (("cdmx.mpi-cdmx.plataforma", "cdmx/cdmx"), ("cdmx.ssc.adapter", "cdmx/ssc")):
        partner = client.Partner(WORK, system, node)
        try:
            answer = partner.call("Ping", partner.x.PingRequest(), partner.x.PingResponse)
            found.append(answer.directory_sha256.hex())
        except grpc.RpcError as error:
            found.append(client.refusal(error)[1])
    return found


def publishing(platform):
    version, text = raised(text_of(f"{FOLDER}/cdmx.note"))
    # The convenio with ssc's measures ends: no new request after this.
    text = text.replace("codes PRO-COD-VIG URG-INM-REF", "codes URG-INM-REF", 1)
    path = draft("cdmx.txt", text)
    say("a route is in force before", try_submit(platform) == "OK")
    say("the text is understood", enlace("directory", "check", path, "--with", FOLDER).returncode == 0)
    bad = draft("malo.txt", text.replace("basis LPPDDHP-29", "basis LPPDDHP-92", 1))
    done = enlace("directory", "check", bad)
    say("what is not, is said with line and remedy",
        done.returncode == 1 and re.search(r"malo.txt:\d+: .*did you mean LPPDDHP-2[69]", done.stderr),
        done.stderr)
    decree = enlace("directory", "diff", f"{FOLDER}/cdmx.note", path).stdout
    say("the difference reads like a decree",
        f"dirá «version {version}»" in decree and "Se reforma la ruta «mpi-ssc-medidas»" in decree and
        "tendrá las claves del catálogo: «URG-INM-REF»" in decree, decree)
    one = authority(path, "contraloria", "cdmx.note")
    two = authority(path, "cdhcm", "cdmx.note")
    stranger = sign(path, "authority/mx.segob/sign", "mx.autoridad/segob", "cdmx.note")
    for what, notes, reason in (
            ("one signature is not enough", [one], "law.quorum"),
            ("nor the same one twice", [one, one], "law.quorum"),
            ("nor one by a key that nobody knows", [one, stranger], "law.quorum")):
        done = publish(*notes)
        say(what, done.returncode == 1 and reason in done.stderr, done.stderr)
    before = digests()
    shutil.copy(one, f"{FOLDER}/suelta.note")
    say("a node that finds it in its folder refuses it, too",
        wait_for(lambda: "text=suelta.note reason=law.quorum" in log_of("cdmx")))
    say("and keeps the last good one", digests() == before)
    os.remove(f"{FOLDER}/suelta.note")
    done = publish(one, two)
    say("two of three make it law", done.returncode == 0, done.stderr)
    say("the running node takes it", wait_for(lambda: digests()[0] != before[0], 5))
    say("and judges by it from the next message on", try_submit(platform) == "route.code_not_allowed",
        try_submit(platform))
    say("its peer learns of it from it", wait_for(lambda: digests()[0] == digests()[1], 10), digests())
    old = draft("viejo.txt", text.replace(f"\nversion {version}\n", "\nversion 1\n", 1))
    done = publish(authority(old, "contraloria", "viejo.note"), authority(old, "cdhcm", "viejo.note2"))
    say("a lower number is refused", "law.lower_version" in done.stderr, done.stderr)
    return version


def explained():
    with open(f"{ROOT}/deploy/demo/solicitud.json", encoding="utf-8") as file:
        wanted = json.load(file)
    wanted["from"] = "cdmx/mpi-cdmx"
    good = draft("buena.json", json.dumps(wanted))
    done = enlace("route", "explain", good, "--with", FOLDER)
    line = re.search(r"✔ hay una ruta .*\[cdmx v\d+, línea (\d+)\]", done.stdout)
    rows = text_of(f"{FOLDER}/cdmx.note").split("\n")
    say("what may travel is explained check by check, with the line that decides",
        done.returncode == 0 and done.stdout.count("✔") == 9 and line and
        rows[int(line.group(1)) - 1] == "route mpi-ssc-medidas", done.stdout + done.stderr)
    wanted["compartments"][0]["fields"]["curp"] = "SABC560626MDFLRN01"
    wanted["purpose"] = "curiosidad"
    bad = draft("excesiva.json", json.dumps(wanted))
    done = enlace("submit", "--dry-run", bad, "--with", FOLDER)
    say("so is what may not: too much data, another purpose",
        done.returncode == 1 and "✖ los datos" in done.stdout and "identity.curp" in done.stdout and
        "✖ la finalidad" in done.stdout and done.stdout.count("✔") == 7, done.stdout + done.stderr)


def policy_and_leaf():
    archive = f"{WORK}/node/cdmx/data/directory"
    with open(f"{archive}/witness-policy", encoding="utf-8") as file:
        policy = file.read()
    say("the witness policy is made of it", policy.count("\nwitness ") == 5 and "quorum " in policy, policy)
    digest = digests()[0]
    with open(f"{archive}/{digest}.texts", encoding="utf-8") as file:
        rows = [row.split() for row in file]
    kept = all(hashlib.sha256(text_of(f"{archive}/{name}").encode()).hexdigest() == sha256
               for sha256, name in rows)
    say("the archive holds each text behind a record's digest", len(rows) > 15 and kept, len(rows))
    say("and the log names it", log_of("cdmx").count("directory.logged") == 2)


def suspend(kind, what, signer, name, reason="Prueba"):
    made = enlace("suspend", "new", "cdmx", name, kind, what, reason, check=True).stdout
    path = draft(f"suspension-{kind}.txt", made)
    return made, sign(path, signer, name, "suspension.note")


def suspensions():
    ssc = client.Partner(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
    attached = ssc.attach()
    waiting = client.in_thread(lambda: ended.append(end_of(attached)))
    platform = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    say("an open stream waits", wait_for(lambda: "system.attached" in log_of("ssc"), 5))
    made, note = suspend("system", "cdmx/ssc/adapter", "member/cdmx.ssc/roster", "cdmx.ssc/roster")
    done = publish(suspend("system", "cdmx/ssc/adapter", "member/cdmx.c5/roster", "cdmx.c5/roster")[1])
    say("an institution cannot suspend another's", "suspension.not_yours" in done.stderr, done.stderr)
    done = enlace("directory", "publish", note, "--to", f"{WORK}/directory-ssc")
    began = time.monotonic()
    waiting.join(5)
    took = (ended[0][0] - began) if ended else 99
    say(f"its own suspension cuts the open stream within a second ({took:.2f} s)", took < 1.0,
        (done.stderr, ended))
    say("with the one answer that tells nothing", ended and ended[0][1] == "PERMISSION_DENIED", ended)
    say("and its next call is refused", try_submit(ssc, to="cdmx/mpi-cdmx") == "identity.not_allowed")
    say("the peer has it soon after", wait_for(
        lambda: "cdmx.suspension" in "".join(glob.glob(f"{WORK}/node/cdmx/data/directory/*")), 10))
    say("others go on", try_submit(platform, code="URG-INM-REF") == "OK",
        try_submit(platform, code="URG-INM-REF"))
    return made


ended = []


def end_of(attached):
    try:
        for _ in attached:
            pass
        return time.monotonic(), "OK"
    except grpc.RpcError as error:
        return time.monotonic(), error.code().name


def lifting(made):
    _, text = raised(text_of(f"{FOLDER}/cdmx.note"))
    text += f"\nlift {hashlib.sha256(made.encode()).hexdigest()}\n  reason Apareció\n"
    path = draft("levanta.txt", text)
    one, two = authority(path, "contraloria", "levanta.note"), authority(path, "mpi-cdmx", "levanta.note")
    say("one authority cannot lift it", publish(one).returncode == 1)
    say("k of them can", publish(one, two).returncode == 0)
    ssc = client.Partner(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
    say("and it acts at both nodes", wait_for(
        lambda: try_submit(ssc, to="cdmx/mpi-cdmx") != "identity.not_allowed", 10))


def nodes_suspended(platform):
    _, note = suspend("node", "cdmx/ssc", "authority/cdmx.cdhcm/sign", "cdmx.autoridad/cdhcm")
    say("any one authority suspends a node", publish(note).returncode == 0)
    say("its stream is cut and nothing leaves for it", wait_for(
        lambda: try_submit(platform, code="URG-INM-REF") == "route.none", 5))


def certificates(platform):
    """A new certificate over the same key, in the place of the old: no restart, no interruption."""
    folder = f"{WORK}/pki/node/cdmx"
    def serial():
        host, port = platform.facts["address"]["cdmx/cdmx"].rsplit(":", 1)
        shown = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-cert",
                                f"{WORK}/pki/system/cdmx.mpi-cdmx.plataforma/tls.pem", "-key",
                                f"{WORK}/pki/system/cdmx.mpi-cdmx.plataforma/tls.key"],
                               input=b"", capture_output=True, check=False).stdout
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown,
                              capture_output=True, check=False).stdout
    before = serial()
    ca = f"{WORK}/pki/ca/all.pem"
    done = enlace("doctor", f"{folder}/tls.pem", "--ca", ca, "--with", FOLDER)
    say("the doctor says who will accept a certificate", done.stdout.count("lo aceptará") == 6 and
        done.stdout.count("✔") >= 2, done.stdout + done.stderr)
    done = enlace("doctor", f"{WORK}/pki/system/cdmx.ssc.adapter/seal.pem", "--ca", ca, "--with", FOLDER)
    say("and that one which no roster lists will be refused", done.returncode == 1 and
        done.stdout.count("lo rechazará") == 6, done.stdout + done.stderr)
    script = (f". {ROOT}/certs/common.sh; ENLACE_HOSTS=DNS:localhost,IP:127.0.0.1; export ENLACE_HOSTS; "
              f"public_key {folder}/tls.key >{WORK}/new.pub; issue node spiffe://enlace.cdmx/node/cdmx "
              f"{WORK}/new.pub {WORK}/pki/ca/cdmx.pem {WORK}/pki/ca/cdmx.key 20 {folder}/tls.pem")
    subprocess.run(["bash", "-c", script], check=True)
    say("a certificate swaps without a restart", before != b"" and wait_for(lambda: serial() != before, 5),
        before)
    say("its last days are said", wait_for(
        lambda: "certificate.ends" in log_of("cdmx") and "within_days=30" in log_of("cdmx"), 8))
    fresh = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    say("old connections and new ones go on", try_submit(platform, to="cdmx/c5", route="mpi-c5-medidas",
                                                         code="PRO-NUM-EME") == "OK" and
        try_submit(fresh, to="cdmx/c5", route="mpi-c5-medidas", code="PRO-NUM-EME") == "OK")


# ---- who may call what: every role at every method of one node (cdmx) ----

ROLES = {  # the folder of the certificate
    "system": "system/cdmx.mpi-cdmx.plataforma",
    "official": "official/cdmx.mpi-cdmx.enlace-01",
    "guest": "system/cdmx.ssc.adapter",       # of a member that another node hosts
    "other-network": "system/mx.segob.sistema",
    "auditor": "auditor/cdmx.contraloria.auditor-01",
    "other-auditor": "auditor/mx.segob.auditor-01",
    "peer": "node/ssc",
    "suspended": "official/cdmx.mpi-cdmx.enlace-02",
}
# What an empty request tells: "past" when the identity passed and only the request was wrong.
EXCHANGE = ("Submit", "Track", "GetReceipts")
MATRIX = {
    # service/method: roles that pass; the others are refused before anything of the request is read
    **{f"ExchangeService/{m}": {"system", "official"} for m in EXCHANGE},
    "ExchangeService/SubmitStream": {"system", "official"},
    "ExchangeService/Attach": {"system"},
    "ExchangeService/StatAttachment": {"system", "official", "guest", "other-network"},
    "ExchangeService/PutAttachment": {"system", "official", "guest", "other-network"},
    "ExchangeService/GetAttachment": {"system", "official", "guest", "other-network"},
    "ExchangeService/Ping": set(ROLES) - {"suspended", "peer"},
    # Who reads which class of records is the table of policy/audit_rules, asked once the request is
    # read; nodes and the suspended do not get so far.
    **{f"AuditService/{m}": set(ROLES) - {"suspended", "peer"}
       for m in ("ReadRecords", "QueryRecords", "GiveTagKey", "CloseAudit")},
    # What an official does at the own node, and nobody for him or her.
    **{f"OfficialService/{m}": {"official"} for m in ("ListAwaiting", "GetAwaiting", "GetWill", "GiveAct")},
    # Who ordered it has signed it; who brings it is any identity in force. What is blocked is the
    # authority's to read.
    "OrderService/GiveOrder": set(ROLES) - {"suspended", "peer"},
    "OrderService/GetOrder": set(ROLES) - {"suspended", "peer"},
    "OrderService/ReadBlocked": {"auditor", "other-auditor"},
    "FederationService/Exchange": {"peer"},
    "FederationService/PutPeerAttachment": {"peer"},
    "FederationService/FetchDirectory": {"peer"},
    "FederationService/Replay": {"peer"},
    "FederationService/Follow": set(),  # no follower is set here
    "FederationService/AddCheckpoint": {"peer"},
}
STREAMS = {"SubmitStream", "Attach", "PutAttachment", "GetAttachment", "ReadRecords", "QueryRecords",
           "Exchange", "PutPeerAttachment"}
SHUT = {"identity.not_allowed", "identity.not_hosted", "identity.none"}


def knock(channel, method):
    """Refused for who one is, or past that."""
    path = f"/enlace.v1.{method}"
    plain = {"request_serializer": lambda r: r, "response_deserializer": lambda r: r}
    try:
        if method.split("/")[1] in STREAMS:
            for _ in channel.stream_stream(path, **plain)(iter([b"\xff"]), timeout=3):
                pass
        else:
            channel.unary_unary(path, **plain)(b"\xff", timeout=3)
    except grpc.RpcError as error:
        return "shut" if client.refusal(error)[1] in SHUT else "past"
    return "past"


def matrix(platform):
    _, note = suspend("official", "cdmx/mpi-cdmx/enlace-02", "member/cdmx.mpi-cdmx/roster",
                      "cdmx.mpi-cdmx/roster")
    publish(note)
    wait_for(lambda: log_of("cdmx").count("directory.taken text=cdmx.suspension") >= 1, 5)
    time.sleep(0.5)
    wrong = []
    for role, keys in ROLES.items():
        channel = platform.connect(f"{WORK}/pki/{keys}")
        for method, passing in MATRIX.items():
            expected = "past" if role in passing else "shut"
            found = knock(channel, method)
            if found != expected:
                wrong.append((role, method, found))
        channel.close()
    say(f"{len(ROLES)} roles at {len(MATRIX)} methods: each passes where the table says, and nowhere else",
        not wrong, wrong)


def main():
    platform = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    explained()
    publishing(platform)
    policy_and_leaf()
    made = suspensions()
    lifting(made)
    certificates(platform)
    matrix(platform)
    nodes_suspended(platform)
    print(f"32_directory.py: {passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


sys.exit(main())
