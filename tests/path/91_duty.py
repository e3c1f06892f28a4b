"""91_duty - officials are woken, one after the other, until somebody answers.

    91_duty.py WORK BUILD ROOT
"""
import json
import os
import re
import signal
import shutil
import socket
import subprocess
import sys
import time

import grpc

import client
import phones

WORK, BUILD, ROOT = sys.argv[1:4]
client.generate_protocol(f"{WORK}/py")
passed = failed = 0
ANSWER_S = 2
ALERT = re.compile(r"^\d+ (urgentes?|ordinarios?|revisión|revisiones)( y \d+ [a-zó]+)*"
                   r"(, (vence|venció) (\d\d/\d\d )?\d\d:\d\d)?$")
CANARY = "Canario Sintético 91"


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text, flush=True)
    else:
        failed += 1
        print("✖", text, why, flush=True)


def wait_for(what, seconds=25):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


# ---- the scene ----

class Node:
    def __init__(self, code, **settings):
        self.code, self.home, self.process = code, f"{WORK}/node/{code}", None
        with open(f"{self.home}/enlaced.conf", "a", encoding="utf-8") as file:
            for name, value in settings.items():
                for one in value if isinstance(value, list) else [value]:
                    file.write(f"{name} = {one}\n")

    def log(self):
        with open(f"{self.home}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, word):
        return self.log().count(word) if os.path.exists(f"{self.home}/log") else 0

    def start(self):
        before = self.lines("node.ready")
        with open(f"{self.home}/log", "ab") as log:
            self.process = subprocess.Popen([f"{BUILD}/bin/enlaced", f"{self.home}/enlaced.conf"],
                                            stderr=log, stdout=log)
        with open(f"{self.home}/pid", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))
        if not wait_for(lambda: self.lines("node.ready") > before, 60):
            raise SystemExit(f"node {self.code} did not start: {self.log()[-2000:]}")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)


def enlace(who, *words):
    return subprocess.run([f"{BUILD}/bin/enlace", "--profile", f"{WORK}/{who}.conf", *words],
                          capture_output=True, text=True, check=False)


def profile(name, node, member, official):
    keys = f"{WORK}/pki/official/{member.replace('/', '.')}.{official}"
    address = FACTS["address"][node]
    vkey = subprocess.run(["awk", "-v", f"n={node}", '$1=="node"{m=$2==n} m&&$1=="log-key"{print $2;exit}',
                           f"{WORK}/directory.txt"], capture_output=True, text=True, check=True).stdout.strip()
    with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as file:
        file.write(f"""address = {address}
node = spiffe://enlace.cdmx/node/{node.split('/')[1]}
certificate = {keys}/tls.pem
key = {keys}/tls.key
ca = {WORK}/pki/ca/all.pem
member = {member}
official_certificate = {keys}/tls.pem
official_key = {keys}/tls.key
node_log = {vkey}
""")


def roster(node, member, version, people, text=None, key=None):
    """Signs and publishes a duty roster as its institution would; the commands' results."""
    code = member.replace("/", ".")
    path = f"{WORK}/{code}.guardia"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text or f"enlace-duty v1\nmember {member}\nversion {version}\n"
                   "in-force 2026-01-01..2030-12-31\n\nshift dia\n  days mon..sun\n"
                   "  hours 07:00-19:00\n" + "".join(f"  official {p}\n" for p in people) +
                   "\nshift noche\n  days mon..sun\n  hours 19:00-07:00\n" +
                   "".join(f"  official {p}\n" for p in people))
    signed = subprocess.run([f"{BUILD}/bin/enlace", "duty", "sign", path, "--key",
                             key or f"{WORK}/pki/member/{code}/roster.key", "--name", f"{code}/roster",
                             "-o", f"{path}.note"], capture_output=True, text=True, check=False)
    if signed.returncode != 0:
        return signed
    return subprocess.run([f"{BUILD}/bin/enlace", "duty", "publish", f"{path}.note", "--with",
                           f"{WORK}/directory", "--to", f"{WORK}/guardia-{node}"],
                          capture_output=True, text=True, check=False)


def calls(who, *words):
    return json.loads(enlace(who, "--json", "duty", "list", *words).stdout)["calls"]


def the_call(who, kind, *words):
    found = [c for c in calls(who, *words) if c["kind"] == kind]
    return found[0] if found else None


def reasons(node):
    """(reason, official's name, institution) of the log's records of duty, in their order."""
    from enlace.v1 import audit_pb2  # pylint: disable=import-error
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", f"cdmx/{node}")
    found = []
    for _, entries in auditor.pages():
        for entry in entries:
            record = audit_pb2.AuditRecord.FromString(entry.record)
            if record.kind == 21:
                found.append((record.reason, record.official.rsplit("/", 1)[-1], record.to))
    return found


def urgent(partner, to="cdmx/ssc", route="mpi-ssc-medidas", code="PRO-COD-VIG"):
    header = partner.request(to, route, code)
    header.urgency = 2
    message = partner.wrap(header, partner.alias(CANARY))
    partner.submit(message)
    return header.exchange_id


FACTS = client.directory_facts(f"{WORK}/directory.txt")
for folder in ("guardia-cdmx", "guardia-ssc"):
    os.mkdir(f"{WORK}/{folder}")
for name, text in (("secreto", "clave de prueba 91\n"), ("usuario", "enlace\n"), ("contrasena", "palabra 91\n")):
    with open(f"{WORK}/{name}", "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as out:
        out.write(text)
mail = phones.Mailbox(f"{WORK}/pki/node/cdmx", login=[b"enlace", b"palabra 91"])
plain = phones.Mailbox(None, "127.0.0.2")
hook = phones.Hook(f"{WORK}/pki/node/cdmx", "clave de prueba 91")
program = phones.Program(WORK, "timbre")
hanging = phones.Program(WORK, "mudo", "exit 3")
with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))
    closed = nobody.getsockname()[1]

common = {"duty_answer_s": ANSWER_S, "duty_undelivered_s": 1, "duty_smtp_from": "enlace@prueba.example",
          "duty_ca": f"{WORK}/pki/ca/all.pem", "duty_webhook_secret": f"{WORK}/secreto"}
cdmx = Node("cdmx", duty=f"{WORK}/guardia-cdmx", duty_smtp=f"smtp://localhost:{mail.port}",
            duty_smtp_user=f"{WORK}/usuario", duty_smtp_password=f"{WORK}/contrasena",
            duty_command=[f"timbre={program.path}", f"mudo={hanging.path}"], urgent_messages=8, **common)
ssc = Node("ssc", duty=f"{WORK}/guardia-ssc", duty_smtp=f"smtp://localhost:{closed}", **common)
profile("mpi1", "cdmx/cdmx", "cdmx/mpi-cdmx", "enlace-01")
profile("mpi2", "cdmx/cdmx", "cdmx/mpi-cdmx", "enlace-02")
profile("secgob", "cdmx/cdmx", "cdmx/secgob", "enlace-01")
profile("ssc", "cdmx/ssc", "cdmx/ssc", "enlace-01")


# ---- the story ----

def rosters():
    done = roster("cdmx", "cdmx/mpi-cdmx", 1, ["enlace-01 smtp uno@guardia.example",
                                               "enlace-02 command timbre"])
    say("a duty roster is signed by its institution and published", done.returncode == 0, done.stderr)
    roster("cdmx", "cdmx/secgob", 1, [f"enlace-01 webhook https://localhost:{hook.port}/aviso"])
    head = "enlace-duty v1\nmember cdmx/mpi-cdmx\nversion 9\nin-force 2026-01-01..2030-12-31\n\n"
    shift = "shift a\n  days mon..sun\n  hours 00:00-00:00\n  official "
    for what, text, key, reason in (
            ("a week with a minute that nobody covers", head + shift.replace("00:00-00:00", "00:00-23:59") +
             "enlace-01 command timbre\n", None, "duty.uncovered"),
            ("an official of nobody", head + shift + "enlace-77 command timbre\n", None, "duty.official"),
            ("a webhook without TLS", head + shift + "enlace-01 webhook http://localhost/x\n", None, "duty.malformed"),
            ("an address with a second command in it", head + shift + "enlace-01 smtp a@b>RCPT\n", None, "duty.malformed"),
            ("a path instead of a program's name", head + shift + "enlace-01 command /bin/sh\n", None, "duty.malformed"),
            ("another institution's key", head + shift + "enlace-01 command timbre\n",
             f"{WORK}/pki/member/cdmx.ssc/roster.key", "law.roster_key")):
        done = roster("cdmx", "cdmx/mpi-cdmx", 9, [], text, key)
        say(f"{what} is refused: {reason}", done.returncode == 1 and reason in done.stderr, done.stderr)
    os.mkdir(f"{WORK}/vacia")
    shutil.copy(f"{WORK}/directory/cdmx.authorities", f"{WORK}/vacia")
    for what, folder, reason in (("a directory that is not there", "nada", "file.unreadable"),
                                 ("a folder in which nothing is in force", "vacia", "law.none")):
        done = subprocess.run([f"{BUILD}/bin/enlace", "duty", "publish", f"{WORK}/cdmx.mpi-cdmx.guardia.note",
                               "--with", f"{WORK}/{folder}", "--to", f"{WORK}/guardia-cdmx"],
                              capture_output=True, text=True, check=False)
        say(f"{what} lets nothing be published: {reason}", done.returncode != 0 and reason in done.stderr,
            done.stderr)


def one_after_the_other(mpi):
    """ssc's node is away: nobody gets the urgent message."""
    urgent(mpi)
    say("the first official gets a mail over STARTTLS",
        wait_for(lambda: mail.texts("uno@guardia.example")), cdmx.log()[-1500:])
    first = phones.subject(mail.texts()[0])
    say("it says how many and until when, and nothing else", ALERT.match(first) and "urgente, vence" in first, first)
    say("and not a byte went out in clear", mail.plain == 0)
    call = the_call("mpi1", "undelivered")
    say("the call is listed for the institution", call and call["state"] == "told", call)
    say("and not for another one", the_call("secgob", "undelivered") is None)
    cdmx.end(signal.SIGKILL)
    cdmx.start()
    say("after a crash the second official is told, by a program", wait_for(program.lines), cdmx.log()[-1500:])
    say("and the first is not told again", len(mail.mails) == 1, mail.mails)
    say("the program has no argument and nothing of the node's environment",
        wait_for(lambda: program.lines(".how")) and program.lines(".how")[0].startswith("0 ") and
        "ENLACE" not in program.lines(".how")[0], program.lines(".how"))
    say("then the next institution of the ladder, by its webhook", wait_for(lambda: hook.calls), cdmx.log()[-1500:])
    say("which verifies the signature", hook.bad == 0)
    call = the_call("mpi1", "undelivered")
    say("the call says where it is", call["state"] == "moved" and call["moved_to"] == "cdmx/secgob", call)
    relayed = the_call("secgob", "relayed")
    done = enlace("secgob", "duty", "ack", str(relayed["number"]))
    say("a named official there answers", done.returncode == 0 and "atendido: enlace-01" in done.stdout,
        done.stdout + done.stderr)
    say("and with that the first institution's call is answered, too",
        wait_for(lambda: the_call("mpi1", "undelivered", "--over") is not None), calls("mpi1"))
    told = len(mail.mails), len(program.lines()), len(hook.calls)
    time.sleep(ANSWER_S + 2)
    say("nobody is told again", told == (len(mail.mails), len(program.lines()), len(hook.calls)))
    say("every step stands in the log", reasons("cdmx") == [
        ("duty.told", "enlace-01", ""), ("duty.told", "enlace-02", ""), ("duty.moved", "", "cdmx/secgob"),
        ("duty.told", "enlace-01", ""), ("duty.answered", "enlace-01", ""),
        ("duty.answered", "enlace-01", "cdmx/secgob")], reasons("cdmx"))


def answers(mpi):
    before = len(mail.mails)
    urgent(mpi)
    wait_for(lambda: len(mail.mails) > before)
    call = the_call("mpi1", "undelivered")
    number = str(call["number"])
    for what, who, words, reason in (
            ("another institution's official", "secgob", ["ack", number], "duty.unknown"),
            ("a number of nothing", "mpi1", ["ack", "9999"], "duty.unknown"),
            ("a review of what is none", "mpi1", ["review", number, "--misuse"], "duty.outcome")):
        done = enlace(who, "duty", *words)
        say(f"{what} is refused: {reason}", done.returncode == 1 and reason in done.stderr, done.stderr)
    done = enlace("mpi2", "duty", "ack", number)
    say("the one who was not told may answer as well", done.returncode == 0, done.stderr)
    say("the same answer again is the first one", enlace("mpi2", "duty", "ack", number).returncode == 0)
    done = enlace("mpi1", "duty", "ack", number)
    say("who comes late is told so", done.returncode == 1 and "duty.over" in done.stderr, done.stderr)
    rung = len(program.lines())
    time.sleep(ANSWER_S + 2)
    say("and the second official sleeps on", len(program.lines()) == rung)


def between_nodes():
    """ssc's node takes the messages, its system does not, and its mail server is away."""
    roster("ssc", "cdmx/ssc", 1, ["enlace-01 smtp perdido@guardia.example"])
    before = len(mail.mails)
    ssc.start()
    say("an unreachable mail server is said to the operator, without what it was about",
        wait_for(lambda: ssc.lines("duty.channel") >= 3, 60) and "alert.unreachable" in ssc.log(), ssc.log()[-1500:])
    say("then the institution at the other node is woken", wait_for(lambda: len(mail.mails) > before),
        ssc.log()[-1500:] + cdmx.log()[-1500:])
    relayed = the_call("mpi1", "relayed")
    say("which learns nothing of the exchange",
        relayed and the_call("ssc", "undelivered")["exchange_id"] != relayed["exchange_id"], relayed)
    for one in [c for c in calls("mpi1") if c["kind"] == "relayed"]:
        enlace("mpi1", "duty", "ack", str(one["number"]))
    say("an answer there is known here",
        wait_for(lambda: (the_call("ssc", "undelivered", "--over") or {}).get("actor", "").endswith(
            "mpi-cdmx/official/enlace-01")), calls("ssc", "--over"))
    say("what could not be told stands in the log as well",
        ("duty.unreachable", "enlace-01", "") in reasons("ssc") and
        ("duty.moved", "", "cdmx/mpi-cdmx") in reasons("ssc"), reasons("ssc"))


def channels():
    """Hot: another order of officials, a program that fails, a server without TLS."""
    for one in calls("mpi1"):
        enlace("mpi1", "duty", "ack", str(one["number"]))
    roster("cdmx", "cdmx/mpi-cdmx", 2, ["enlace-02 command mudo", "enlace-01 smtp dos@guardia.example"])
    say("a new version is taken while the node runs",
        wait_for(lambda: "duty.roster member=cdmx/mpi-cdmx version=2" in cdmx.log()))
    ssc.end()
    urgent(MPI)
    say("a program that fails is passed over", wait_for(lambda: mail.texts("dos@guardia.example"), 40),
        cdmx.log()[-1500:])
    cdmx.end()
    with open(f"{cdmx.home}/enlaced.conf", encoding="utf-8") as file:
        text = file.read()
    with open(f"{cdmx.home}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write(text.replace(f"smtp://localhost:{mail.port}", f"smtp://127.0.0.2:{plain.port}"))
    cdmx.start()
    for one in calls("mpi1"):
        enlace("mpi1", "duty", "ack", str(one["number"]))
    urgent(MPI)
    say("to a server without TLS nothing is sent", wait_for(lambda: "alert.tls" in cdmx.log(), 40),
        cdmx.log()[-1500:])
    say("nothing at all", not plain.mails)
    for one in calls("mpi1"):
        enlace("mpi1", "duty", "ack", str(one["number"]))


def urgency(mpi):
    refused = ""
    for _ in range(9):
        try:
            urgent(mpi)
        except grpc.RpcError as error:
            refused = client.refusal(error)[1]
            break
    say("beyond its budget a member's urgent messages are refused", refused == "urgent.budget", refused)
    mpi.submit(mpi.wrap(mpi.request(), mpi.alias(CANARY)))
    say("and the same goes as ordinary", True)
    spent = [c for c in calls("mpi1") if c["kind"] == "budget"]
    say("somebody is woken at three quarters and at the end", sorted(c["percent"] for c in spent) == [75, 100],
        calls("mpi1"))
    used = json.loads(enlace("mpi1", "--json", "duty", "urgency").stdout)["urgency"]
    say("and it is counted", sum(d["messages"] for d in used) == 8 and sum(d["refused"] for d in used) == 1, used)


def nothing_personal(exchanges):
    alerts = [phones.subject(text) for text in mail.texts()] + program.lines() + [text for _, text in hook.calls]
    say(f"all {len(alerts)} alerts say counts and times alone", all(ALERT.match(a) for a in alerts), alerts)
    mails = "\n".join(line for text in mail.texts() for line in text.splitlines()
                      if not line.startswith(("Subject:", "Message-ID:")))
    everything = mails + "\n".join(alerts) + str(hook.calls)
    secrets = [CANARY, "Canario", "ssc", "mpi", "PRO-COD", "cdmx"] + [e.hex() for e in exchanges] + [
        f"{e.hex()[:8]}-{e.hex()[8:12]}" for e in exchanges]
    found = [s for s in secrets if s.lower() in everything.lower()]
    say("no folio, name, measure, institution or exchange is in them", not found, found)
    logs = cdmx.log() + ssc.log()
    found = [s for s in ("guardia.example", "palabra 91", "clave de prueba", "urgente, vence", CANARY) if s in logs]
    say("and the operator's log holds no address, secret or alert", not found, found)


cdmx.start()
MPI = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
EXCHANGES = []
submit = urgent


def urgent(partner, **words):  # pylint: disable=function-redefined
    EXCHANGES.append(submit(partner, **words))
    return EXCHANGES[-1]


rosters()
wait_for(lambda: cdmx.lines("duty.roster") >= 2)
one_after_the_other(MPI)
answers(MPI)
between_nodes()
channels()
urgency(client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx"))
nothing_personal(EXCHANGES)
cdmx.end()
print(f"91_duty: {passed} passed, {failed} failed")
sys.exit(failed > 0)
