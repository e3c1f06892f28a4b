"""34_pruning - old audit records go, and everything that was handed out still verifies.

    34_pruning.py WORK BUILD
"""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import grpc

import client
import forensic
import ledger
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
HOME = f"{WORK}/node/cdmx"
VERDICT = ledger.Verdict("34_pruning")
FACTS = {}


def read_directory():
    """{node or "": {key: value}}"""
    found, inside = {}, None
    with open(f"{WORK}/directory.txt", encoding="utf-8") as text:
        for line in text:
            words = line.split()
            if line.startswith("node "):
                inside = found.setdefault(words[1], {})
            elif not line.startswith(" "):
                inside = None
            elif inside is not None and len(words) > 1:
                inside[words[0]] = words[1]
    FACTS.update(found)


def profile(name, member, keys, signer=None):
    lines = [f"address = {FACTS['cdmx/cdmx']['address']}", "node = spiffe://enlace.cdmx/node/cdmx",
             f"certificate = {WORK}/pki/{keys}/tls.pem", f"key = {WORK}/pki/{keys}/tls.key",
             f"ca = {WORK}/pki/ca/all.pem", f"member = {member}", f"spool = {WORK}/spool-{name}",
             f"node_log = {FACTS['cdmx/cdmx']['log-key']}"]
    if signer:
        lines += [f"official_certificate = {WORK}/pki/{signer}/tls.pem",
                  f"official_key = {WORK}/pki/{signer}/tls.key"]
    with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    try:
        return done.returncode, json.loads(done.stdout or "{}")
    except ValueError:
        return done.returncode, {"text": done.stdout + done.stderr}


def enlace(who, *arguments):
    return run(f"{BUILD}/bin/enlace", "--json", "--profile", f"{WORK}/{who}.conf", *arguments)


def verify(*arguments):
    return run(f"{BUILD}/bin/enlace-verify", "--json", *arguments, "--vkey",
               FACTS["cdmx/cdmx"]["log-key"])


def order(command, *what, signers=("one", "two"), verb=("new",), reason="conclusion-del-caso"):
    path = f"{WORK}/order.{time.monotonic_ns()}"
    status, answer = enlace(signers[0], *command, *verb, "-o", path, "--basis", "LGPDPPSO-18",
                            "--reason", reason, *what)
    if status != 0:
        return status, answer
    for who in signers:
        status, answer = enlace(who, *command, "sign", path)
        if status != 0:
            return status, answer
    return enlace("authority" if command == ("hold",) else "one", *command, "send", path)


def prune(*what, **more):
    return order(("log", "prune"), *what, reason="plazo-de-la-bitacora", **more)


def phase(answer):
    return enlace("one", "erase", "status", answer["order_id"])[1].get("phase")


def reason_of(answer):
    return answer.get("error", {}).get("reason")


def wait_for(what, wanted=True, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what() == wanted:
            return True
        time.sleep(0.1)
    return False


class World:
    """One person's messages from mpi to ssc, and their receipts."""

    def __init__(self):
        self.mpi = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
        self.mpi.is_patient = True
        self.person = os.urandom(16)
        self.sent = []

    def send(self, count, person=None):
        m, x = self.mpi.m, self.mpi.x
        for _ in range(count):
            message = self.mpi.wrap(self.mpi.request(), [
                (1, m.IdentityCompartment(alias="Canario-poda-alias")),
                (2, m.ContactCompartment(safe_channel="Canario-poda-canal"))])
            submission = x.Submission(message=message)
            submission.local_subjects.append(person or self.person)
            self.sent.append((submission, self.ask(submission).receipt))

    def ask(self, submission):
        for _ in range(50):
            try:
                return self.mpi.call("Submit", self.mpi.x.SubmitRequest(submission=submission),
                                     self.mpi.x.SubmitResponse)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE,
                                        grpc.StatusCode.RESOURCE_EXHAUSTED):
                    raise
                time.sleep(0.2)
        raise RuntimeError("the node is not there")

    def receipts_stand(self):
        """Each first receipt comes again, byte for byte, and verifies."""
        problems = []
        for submission, receipt in self.sent[::7]:
            again = self.ask(submission)
            if again.receipt != receipt or not again.is_erased:
                problems.append("another receipt than the first")
            client.verify_receipt(submission.message, receipt, self.mpi.facts["vkeys"])
        return problems


def recovered(*data, vault=f"{HOME}/vault"):
    return b"Canario-poda-" in forensic.recover(data, (vault,))


def leaves():
    """How many of the log there are."""
    shutil.rmtree(f"{WORK}/count", ignore_errors=True)
    return enlace("authority", "log", "export", f"{WORK}/count", "--purpose", "prueba")[1]["size"]


def export_of(name):
    status, answer = enlace("authority", "log", "export", f"{WORK}/{name}", "--purpose", "prueba",
                            "--entries", "--records")
    if status != 0:
        raise RuntimeError(answer)
    return f"{WORK}/{name}"


def follower():
    with open(f"{WORK}/follow.conf", "w", encoding="utf-8") as out:
        keys = f"{WORK}/pki/official/cdmx.mpi-cdmx.enlace-01"
        out.write(f"address = {FACTS['cdmx/cdmx']['address']}\nnode = spiffe://enlace.cdmx/node/cdmx\n"
                  f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\nca = {WORK}/pki/ca/all.pem\n"
                  f"log = {FACTS['cdmx/cdmx']['log-key']}\nfolder = {WORK}/copy\ninterval_ms = 20\n")
    with open(f"{WORK}/follow.log", "ab") as log:
        process = subprocess.Popen([f"{BUILD}/bin/enlace-follow", f"{WORK}/follow.conf"], stdout=log,
                                   stderr=log)
    with open(f"{WORK}/pids/follow", "w", encoding="utf-8") as file:
        file.write(str(process.pid))
    return process


def missing_of(folder, number):
    """A bundle of records with one of them gone: length 0 in its place."""
    path = sorted(glob.glob(f"{folder}/records/*"))[number]
    data, at, rows = forensic.read(path), 0, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        rows.append(data[at:at + 4 + size])
        at += 4 + size
    place = next(i for i, row in enumerate(rows) if len(row) > 200)
    rows[place] = bytes(4)
    with open(path, "wb") as out:
        out.write(b"".join(rows))


def erasure_beside_a_follower(world):
    other = os.urandom(16)
    world.send(2, other)
    shutil.copytree(f"{HOME}/vault", f"{WORK}/vault-before")
    VERDICT.promise("before: the copy with the vault can be read (control)",
                    wait_for(lambda: recovered(f"{WORK}/copy")))
    shutil.copytree(f"{WORK}/copy", f"{WORK}/copy-before", ignore=shutil.ignore_patterns("manifest*"))
    status, answer = order(("erase",), "--person", str_of(other))
    VERDICT.promise("a person is erased",
                    status == 0 and wait_for(lambda: phase(answer), "erased"))
    VERDICT.promise("then neither the node's disks nor the follower's copy can be read",
                    wait_for(lambda: recovered(f"{HOME}/data", f"{WORK}/copy"), False))
    VERDICT.promise("nor a copy as it was before, kept by somebody",
                    not recovered(f"{WORK}/copy-before"))
    VERDICT.promise("it is the destruction that does it: with the vault of before that one opens (control)",
                    recovered(f"{WORK}/copy-before", vault=f"{WORK}/vault-before"))
    shutil.rmtree(f"{WORK}/copy-before")
    shutil.rmtree(f"{WORK}/vault-before")


def erasure_of_many(world):
    answer = {}

    def needs_no_witness():
        world.send(1)  # a witness is asked while the log grows
        answer.update(prune("--before", "256")[1])
        return reason_of(answer)

    VERDICT.promise("the witness is back: what a key still opens is not pruned all the same",
                    wait_for(needs_no_witness, "prune.content") or [answer])
    status, answer = order(("erase",), "--person", str_of(world.person))
    VERDICT.promise("a person with hundreds of messages is erased",
                    status == 0 and wait_for(lambda: phase(answer), "erased", 60))


def str_of(raw):
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def refused(world, pgj):
    for text, signers, wanted in (("one signature", ("one",), "signature.missing"),
                                  ("the same official twice", ("one", "one"), "signature.same_official"),
                                  ("an auditor", ("one", "authority"), "signature.not_official")):
        status, answer = prune("--before", "256", signers=signers)
        VERDICT.promise(f"{text} is refused",
                        [] if status == 1 and reason_of(answer) == wanted else [answer])
    status, answer = prune("--before", "1000000")
    VERDICT.promise("nor more than there is",
                    [] if status == 1 and reason_of(answer) == "prune.size" else [answer])
    status, answer = prune("--before", "256")
    VERDICT.promise("below what a lagging witness needs it is refused, and says which one (attack 28)",
                    [] if status == 1 and reason_of(answer) == "prune.witness" and
                    "gw.pgj/witness" in json.dumps(answer) else [answer])
    pgj.start()


def held(world):
    """A hold covers one old exchange: all waits until it is lifted."""
    header = world.mpi.m.Header.FromString(world.sent[3][0].message.header)
    status, placed = order(("hold",), "--exchange", str_of(header.exchange_id), "--member",
                           "cdmx/mpi-cdmx", signers=("authority",), reason="investigacion-12")
    VERDICT.promise("the authority holds an exchange", [] if status == 0 else [placed])
    status, answer = prune("--before", "256")
    VERDICT.promise("the same order is taken now (control)", [] if status == 0 else [answer])
    VERDICT.promise("and waits for the hold",
                    wait_for(lambda: enlace("one", "log", "prune", "status", answer["order_id"])[1]["held"], 1)
                    and phase(answer) == "blocking")
    status, _ = order(("hold",), "--member", "cdmx/mpi-cdmx", signers=("authority",),
                      reason="investigacion-12", verb=("lift", placed["order_id"]))
    return status, answer


def pruned(world, cdmx, before):
    status, answer = held(world)
    VERDICT.promise("lifted, the records go", status == 0 and wait_for(lambda: phase(answer), "erased"))
    cdmx.kill()
    cdmx.start()
    VERDICT.promise("the node starts again, killed", not cdmx.is_dead())
    VERDICT.promise("every old receipt comes again byte for byte, and verifies", world.receipts_stand())
    after = export_of("after")
    status, answer = verify("log", after)
    VERDICT.promise("a new export verifies leaf by leaf, and says what was pruned, when, by which leaf",
                    [] if status == 0 and answer["minimum_index"] == 256 and
                    answer["minimum_leaf"] > 256 and "pruned" in answer else [answer])
    status, answer = verify("consistency", before, after)
    VERDICT.promise("and goes on from the one of before", [] if status == 0 else [answer])
    export_of("before")
    status, answer = verify("log", before)
    VERDICT.promise("so does the old folder, brought up to date", [] if status == 0 else [answer])
    missing_of(before, 1)
    status, answer = verify("log", before)
    VERDICT.promise("a record above the minimum that is missing is found",
                    [] if status == 1 and "record.missing" in json.dumps(answer) else [answer])
    last = sorted(glob.glob(f"{after}/records/*"))[-1]
    VERDICT.promise("and without the leaf that says so, nothing may be missing", without_leaf(after, last))


def without_leaf(folder, _):
    """The retention record itself taken out of the copy."""
    copy = f"{WORK}/silent"
    shutil.copytree(folder, copy)
    for path in glob.glob(f"{copy}/records/**/*", recursive=True):
        if os.path.isfile(path):
            data = forensic.read(path)
            at = data.find(b"\x08\x12\xc2\x01\x20")
            if at >= 0:
                begin = at - 36
                size = int.from_bytes(data[begin:begin + 4], "big")
                with open(path, "wb") as out:
                    out.write(data[:begin] + bytes(4) + data[begin + 4 + size:])
    status, answer = verify("log", copy)
    return [] if status == 1 and "record.missing" in json.dumps(answer) else [answer]


def own_folder(first):
    """What the node keeps for auditors by itself."""
    ids = [client_id(submission) for submission, _ in first[:40]]

    def is_gone():
        bundle = f"{WORK}/export/records/000"
        return os.path.exists(f"{WORK}/export/minimum-index") and os.path.exists(bundle) and \
            not any(i in forensic.read(bundle) for i in ids)

    VERDICT.promise("the node's own export gives them up, too", wait_for(is_gone))
    holding = [path for folder in ("export", "before", "after", "count")
               for path in forensic.holds(b"Canario-poda-", f"{WORK}/{folder}")]
    VERDICT.promise("no export ever held a word of the content", holding)
    status, answer = verify("log", f"{WORK}/export")
    VERDICT.promise("and verifies", [] if status == 0 and answer["minimum_index"] == 256 else [answer])


def client_id(submission):
    """The message id stands in the header's bytes."""
    return WORLD[0].mpi.m.Header.FromString(submission.message.header).message_id


def by_itself(cdmx, *peers):
    """Three days on, with a limit of one: the node's own setting."""
    with open(f"{HOME}/enlaced.conf", "a", encoding="utf-8") as out:
        out.write("prune_after_days = 1\n")
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    cdmx.kill(signal.SIGTERM)
    if not library:
        VERDICT.promise("faketime is installed", False)
        return
    before = cdmx.lines("prune.done")
    later = {"LD_PRELOAD": library[0], "FAKETIME": "+3d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    cdmx.start(**later)
    time.sleep(1.5)
    VERDICT.promise("not by a clock that nobody has confirmed", cdmx.lines("prune.done") == before)
    for peer in peers:
        peer.kill()
        peer.start(**later)
    cdmx.process.send_signal(signal.SIGUSR2)
    VERDICT.promise("what is older than the setting goes by itself",
                    wait_for(lambda: cdmx.lines("prune.done") > before, True, 90))
    cdmx.kill(signal.SIGTERM)
    for peer in peers:
        peer.kill()
        peer.start()


def check(cdmx):
    done = subprocess.run([f"{BUILD}/bin/enlaced", "--check", f"{HOME}/enlaced.conf"],
                          capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    VERDICT.promise("--check proves all of it, and says that it was pruned",
                    [] if done.returncode == 0 and "pruned" in said and cdmx.is_dead() else [said])


def copies(cdmx, following):
    """Backup and follower's copy each take the place of a log that is lost."""
    media = f"{WORK}/medium"
    os.mkdir(media)
    program = f"{BUILD}/bin/enlace"
    VERDICT.promise("a pruned log is backed up",
                    run(program, "backup", "log", f"{media}/log", f"{HOME}/enlaced.conf")[0] == 0)
    VERDICT.promise("the follower stays whole", following.wait(20) == 0 and
                    os.path.exists(f"{WORK}/copy/manifest") or [forensic.read(f"{WORK}/follow.log")[-600:]])
    for source, lost in ((f"{media}/log", "data"), (f"{WORK}/copy", "data/log")):
        shutil.rmtree(f"{HOME}/{lost}")
        status, answer = run(program, "restore", "log", source, f"{HOME}/enlaced.conf")
        VERDICT.promise(f"{os.path.basename(source)} takes its place", [] if status == 0 else [answer])
        check(cdmx)
    cdmx.start()
    VERDICT.promise("and the node starts on it", not cdmx.is_dead())


WORLD = []


def main():
    client.generate_protocol(f"{WORK}/py")
    read_directory()
    with open(f"{WORK}/policy.txt", "w", encoding="utf-8") as out:
        out.write(f"log {FACTS['cdmx/cdmx']['log-key']}\n"
                  f"witness ssc {FACTS['cdmx/ssc']['witness-key']}\n"
                  f"witness pgj {FACTS['cdmx/pgj']['witness-key']}\ngroup any any ssc pgj\nquorum any\n")
    for number, name in ((1, "one"), (2, "two")):
        keys = f"official/cdmx.mpi-cdmx.enlace-0{number}"
        profile(name, "cdmx/mpi-cdmx", keys, keys)
    profile("authority", "cdmx/contraloria", "auditor/cdmx.contraloria.auditor-01",
            "auditor/cdmx.contraloria.auditor-01")
    cdmx, ssc, pgj = (storm.Node(WORK, BUILD, code) for code in ("cdmx", "ssc", "pgj"))
    for node in (cdmx, ssc, pgj):
        node.start()
    following = follower()
    world = World()
    WORLD.append(world)
    erasure_beside_a_follower(world)
    time.sleep(1)
    pgj.kill(signal.SIGTERM)
    world.send(520)
    before = export_of("before")
    refused(world, pgj)
    erasure_of_many(world)
    pruned(world, cdmx, before)
    own_folder(world.sent)
    by_itself(cdmx, ssc, pgj)
    following.send_signal(signal.SIGTERM)
    check(cdmx)
    copies(cdmx, following)
    VERDICT.promise("its receipts still stand", world.receipts_stand())
    return VERDICT.end()


if __name__ == "__main__":
    sys.exit(main())
