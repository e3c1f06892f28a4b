"""66_erasure - orders, holds and classes, and what is left of what they erased.

    66_erasure.py WORK BUILD KILLS
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

WORK, BUILD, KILLS = sys.argv[1], sys.argv[2], int(sys.argv[3])
HOME = f"{WORK}/node/cdmx"
NODE = storm.Node(WORK, BUILD, "cdmx")
VERDICT = ledger.Verdict("66_erasure")
BASIS = ("--basis", "LGPDPPSO-18")


def profile(name, member, keys, signer=None):
    facts = client.directory_facts(f"{WORK}/directory.txt")
    lines = [f"address = {facts['address']['cdmx/cdmx']}", "node = spiffe://enlace.cdmx/node/cdmx",
             f"certificate = {WORK}/pki/{keys}/tls.pem", f"key = {WORK}/pki/{keys}/tls.key",
             f"ca = {WORK}/pki/ca/all.pem", f"member = {member}", f"spool = {WORK}/spool-{name}",
             f"node_log = {vkey('cdmx/cdmx')}"]
    if keys.startswith("system"):
        lines.append(f"system = {keys.split('.')[-1]}")
    if signer:
        lines += [f"official_certificate = {WORK}/pki/{signer}/tls.pem",
                  f"official_key = {WORK}/pki/{signer}/tls.key"]
    with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


def vkey(node):
    inside = False
    with open(f"{WORK}/directory.txt", encoding="utf-8") as text:
        for line in text:
            if not line.startswith(" "):
                inside = line.strip() == f"node {node}"
            elif inside and line.split()[0] == "log-key":
                return line.split()[1]
    raise KeyError(node)


def enlace(who, *arguments):
    """(exit status, the JSON that it printed)."""
    done = subprocess.run([f"{BUILD}/bin/enlace", "--json", "--profile", f"{WORK}/{who}.conf",
                           *arguments], capture_output=True, text=True, timeout=60, check=False)
    try:
        return done.returncode, json.loads(done.stdout or "{}")
    except ValueError:
        return done.returncode, {"text": done.stdout + done.stderr}


def uuid(raw):
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def order(*what, signers=("one", "two"), command="erase", reason="conclusion-del-caso", verb=("new",)):
    """Makes an order, has it signed, sends it: (exit status, answer)."""
    path = f"{WORK}/order.{time.monotonic_ns()}"
    status, answer = enlace(signers[0] if signers else "one", command, *verb, "-o", path, *BASIS,
                            "--reason", reason, *what)
    if status != 0:
        return status, answer
    for who in signers:
        status, answer = enlace(who, command, "sign", path)
        if status != 0:
            return status, answer
    return enlace("authority" if command == "hold" else "one", command, "send", path)


def phase(answer, who="one"):
    return enlace(who, "erase", "status", answer["order_id"])[1].get("phase")


def wait_for(what, wanted=True, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if what() == wanted:
            return True
        time.sleep(0.05)
    return False


def reason_of(answer):
    return answer.get("error", {}).get("reason")


class World:
    """What was sent: canaries by name."""

    def __init__(self):
        self.mpi = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
        self.sent = {}

    def send(self, name, person=None, after=None, to="cdmx/ssc", route="mpi-ssc-medidas"):
        m, x = self.mpi.m, self.mpi.x
        code = "PRO-COD-VIG" if to == "cdmx/ssc" else "PRO-PSI-SEG"
        header = self.mpi.request(to, route, code) if after is None else self.change(after)
        identity = m.IdentityCompartment(alias=f"Canario-{name}-alias") if to == "cdmx/ssc" else \
            m.IdentityCompartment(full_name=f"Canario-{name}-alias")
        parts = [(1, identity), (2, m.ContactCompartment(safe_channel=f"Canario-{name}-canal"))]
        message = self.mpi.wrap(header, parts)
        submission = x.Submission(message=message)
        submission.local_subjects.append(person or os.urandom(16))
        answer = self.ask(submission)
        self.sent[name] = (header, message, answer.receipt, submission)
        return header.message_id

    def change(self, after):
        """Another message of that exchange, about the same subject."""
        opened = self.sent[after][0]
        header = self.mpi.m.Header()
        header.CopyFrom(opened)
        header.message_id = self.mpi.new_id()
        header.ClearField("measure_request")
        header.act.item, header.act.event = 1, self.mpi.m.EVENT_ENTERED_IN_ERROR
        header.act.regards = opened.message_id
        return header

    def again(self, name):
        return self.ask(self.sent[name][3])

    def ask(self, submission):
        """Again while the node is being started."""
        x = self.mpi.x
        for _ in range(20):
            try:
                return self.mpi.call("Submit", x.SubmitRequest(submission=submission),
                                     x.SubmitResponse)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(0.2)
        raise RuntimeError("the node is not there")


def recovered(*names, data=(f"{HOME}/data",), vaults=(f"{HOME}/vault",)):
    """Which canaries can be read from the raw disks."""
    plain = forensic.recover(data, vaults)
    return {name for name in names if f"Canario-{name}-".encode() in plain}


def accounting(world):
    """Problems of the log as an auditor sees it."""
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/cdmx")
    log = ledger.Log(world.mpi.facts["vkeys"])
    log.read(auditor)
    problems = log.check(set(log.checkpoints))
    records = {record.message_id: record for record in log.records if record.kind == 1}
    for name, (header, message, receipt, _) in world.sent.items():
        client.verify_receipt(message, receipt, world.mpi.facts["vkeys"])
        record = records.get(header.message_id)
        if record is None or record.message_commitment != client.commitment(message):
            problems.append(f"{name}: its record does not name M")
    return problems, log.records


def compartment(world):
    message_id = uuid(world.send("parte"))
    VERDICT.promise("before: whoever holds disks and keys reads it (control)",
                    {"parte"} == recovered("parte"))
    status, answer = order("--message", message_id, "--compartment", "identity")
    VERDICT.promise("one compartment is erased by two officials' order",
                    status == 0 and wait_for(lambda: phase(answer), "erased"))
    plain = forensic.recover((f"{HOME}/data",), (f"{HOME}/vault",))
    VERDICT.promise("its text cannot be recovered; the other compartment's can",
                    b"Canario-parte-alias" not in plain and b"Canario-parte-canal" in plain)


def exchange(world):
    first = world.send("abre")
    world.send("sigue", after="abre")
    before = dict(forensic.shard_keys(f"{HOME}/vault"))
    shutil.copytree(f"{HOME}/vault", f"{WORK}/vault-before")
    shutil.copytree(f"{HOME}/data", f"{WORK}/backup-of-the-log")
    status, answer = order("--exchange", uuid(first))
    VERDICT.promise("an exchange is erased", status == 0 and
                    wait_for(lambda: phase(answer), "erased") and
                    enlace("one", "erase", "status", answer["order_id"])[1]["entries"] == 2)
    VERDICT.promise("none of it can be recovered from the disks; its neighbours in the shard can",
                    {"bystander"} == recovered("abre", "sigue", "bystander"))
    VERDICT.promise("nor from a backup of the log with the vault of today",
                    {"bystander"} >= recovered("abre", "sigue", "bystander",
                                               data=(f"{WORK}/backup-of-the-log",)))
    VERDICT.promise("it is the destruction that does it: with the keys of before all is there (control)",
                    {"abre", "sigue"} <= recovered("abre", "sigue", vaults=(f"{WORK}/vault-before",)))
    gone = [name for name, key in before.items() if name not in forensic.shard_keys(f"{HOME}/vault")]
    VERDICT.promise("the destroyed keys stand in no file of the node",
                    [name for name in gone if forensic.holds(before[name], HOME)] or
                    [] if gone else ["no key was destroyed"])
    shutil.rmtree(f"{WORK}/vault-before")


def person(world):
    who = os.urandom(16)
    world.send("persona-1", person=who)
    world.send("persona-2", person=who)
    status, answer = order("--person", uuid(who))
    VERDICT.promise("a person is erased, in every exchange",
                    status == 0 and wait_for(lambda: phase(answer), "erased"))
    VERDICT.promise("nothing about the person can be recovered",
                    {"bystander"} == recovered("persona-1", "persona-2", "bystander"))
    VERDICT.promise("nor does the id by which the node knew the person stand anywhere",
                    forensic.holds(who, HOME))
    old = world.sent["persona-1"]
    again = world.again("persona-1")
    VERDICT.promise("a submission with an erased id is answered: erased, with the old receipt",
                    again.is_erased and again.receipt == old[2])
    VERDICT.promise("and one that stands is not", not world.again("bystander").is_erased)


def attachment(world):
    world.send("anexo", to="cdmx/sedesa", route="mpi-sedesa-medidas")
    path = f"{WORK}/anexo.bin"
    with open(path, "wb") as out:
        out.write(b"Canario-en-el-anexo " * 20000)
    annex = enlace("mpi", "put", path, "--to", "cdmx/sedesa")[1]["attachment_id"]
    kept = len(glob.glob(f"{HOME}/data/files/kept/*"))
    status, answer = order("--message", uuid(world.sent["anexo"][0].message_id), "--attachment", annex)
    VERDICT.promise("an attachment goes with its message",
                    status == 0 and wait_for(lambda: phase(answer), "erased") and kept == 1 and
                    not glob.glob(f"{HOME}/data/files/k*/*"))
    VERDICT.promise("and with the debt to the recipient's node, which finds nothing to get",
                    not recovered("anexo") and enlace("mpi", "get", annex, "-o", f"{WORK}/got")[0] != 0)


def refused(world):
    target = ("--message", uuid(world.sent["bystander"][0].message_id))
    for text, signers, wanted in (
            ("one signature is refused", ("one",), "signature.missing"),
            ("the same official twice is refused", ("one", "one"), "signature.same_official"),
            ("another institution's official is refused", ("one", "pgj"), "signature.not_official"),
            ("an auditor cannot erase", ("one", "authority"), "signature.not_official")):
        status, answer = order(*target, signers=signers)
        VERDICT.promise(text, [] if status == 1 and reason_of(answer) == wanted else [answer])
    status, answer = order(*target, command="hold", verb=("new", "--member", "cdmx/mpi-cdmx"),
                           signers=("one",))
    VERDICT.promise("an official cannot place a hold",
                    [] if status == 1 and reason_of(answer) == "signature.not_official" else [answer])
    VERDICT.promise("nothing of it was erased", {"bystander"} == recovered("bystander"))


def hold(world):
    first = world.send("retenido")
    status, placed = order("--exchange", uuid(first), "--member", "cdmx/mpi-cdmx", command="hold",
                           signers=("authority",), reason="investigacion-12")
    VERDICT.promise("the authority holds an exchange", [] if status == 0 else [placed])
    status, answer = order("--exchange", uuid(first))
    VERDICT.promise("an erasure of it stops at blocked, and says why", status == 0 and
                    wait_for(lambda: enlace("one", "erase", "status", answer["order_id"])[1]["held"], 1)
                    and phase(answer) == "blocked")
    VERDICT.promise("nobody reads what is blocked: it is not delivered, not sent on",
                    world.again("retenido").is_erased)
    path = f"{WORK}/blocked.bin"
    status, _ = enlace("authority", "blocked", uuid(first), "--member", "cdmx/mpi-cdmx",
                       "--purpose", "investigacion-12", "-o", path)
    VERDICT.promise("the authority does", status == 0 and b"Canario-retenido-alias" in forensic.read(path))
    VERDICT.promise("an official does not", enlace("one", "blocked", uuid(first), "--member",
                    "cdmx/mpi-cdmx", "--purpose", "curiosidad", "-o", path)[0] == 1)
    status, lifted = order("--member", "cdmx/mpi-cdmx", command="hold", signers=("authority",),
                           reason="investigacion-12", verb=("lift", placed["order_id"]))
    VERDICT.promise("when the hold is lifted, it is erased", status == 0 and
                    lifted["phase"] == "lifted" and wait_for(lambda: phase(answer), "erased") and
                    not recovered("retenido"))


def killed(world):
    """At each step: a point of a commit, a sync of a key's file."""
    problems, died = [], 0
    for number in range(1, KILLS + 1):
        for point in ("commit", "fsync"):
            name = f"muerto-{point}-{number}"
            who = os.urandom(16)
            world.send(name, person=who)
            NODE.kill()
            NODE.start(**NODE.faulty(point, number * (2 if KILLS < 10 else 1)))
            if NODE.is_dead():
                NODE.start()
            path = f"{WORK}/{name}.order"
            enlace("one", "erase", "new", "-o", path, *BASIS, "--reason", "prueba", "--person", uuid(who))
            enlace("one", "erase", "sign", path)
            enlace("two", "erase", "sign", path)
            enlace("one", "erase", "send", path)
            NODE.wait(1.5)
            if NODE.is_dead():
                died += 1
                NODE.start()
            status, answer = enlace("one", "erase", "send", path)
            if status != 0 or not wait_for(lambda a=answer: phase(a), "erased"):
                problems.append(f"{name}: {answer}")
            elif recovered(name):
                problems.append(f"{name}: it is still there")
    VERDICT.promise(f"an erasure killed at {died} places finishes at the next start",
                    problems if died >= KILLS else [f"of {2 * KILLS} kills only {died} struck", *problems])


def node_program(*arguments):
    """(exit status, what it said)."""
    done = subprocess.run([f"{BUILD}/bin/enlace", *arguments, f"{HOME}/enlaced.conf"],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def backups(world):
    """Apart, never beside a live log; an older state is refused with an instruction."""
    media = [f"{WORK}/medium-{n}" for n in (1, 2)]
    for folder in (*media, f"{WORK}/medium-3"):
        os.mkdir(folder)
    status, said = node_program("backup", "log", f"{media[0]}/log")
    VERDICT.promise("nobody but the node copies a log that is open",
                    [] if status == 1 and "the node runs" in said else [said])
    shutil.copytree(f"{HOME}/vault", f"{WORK}/vault-old")
    world.send("suprimido-luego")
    NODE.process.send_signal(signal.SIGUSR1)
    VERDICT.promise("the running node makes a backup of its log by itself",
                    wait_for(lambda: NODE.lines("backup.made") > 0))
    answer = order("--message", uuid(world.sent["suprimido-luego"][0].message_id))[1]
    wait_for(lambda: phase(answer), "erased")
    NODE.kill(signal.SIGTERM)
    status, said = node_program("backup", "log", f"{media[0]}/log")
    VERDICT.promise("of a stopped node: the log", [] if status == 0 else [said])
    VERDICT.promise("the vault is refused beside it",
                    node_program("backup", "vault", f"{media[0]}/vault")[0] == 1 and
                    node_program("backup", "vault", f"{media[0]}/log")[0] == 1)
    VERDICT.promise("and taken elsewhere", node_program("backup", "vault", f"{media[1]}/vault")[0] == 0)
    VERDICT.promise("a backup of the log alone gives nothing away; with the vault's, what stands",
                    not recovered("bystander", data=(media[0],), vaults=()) and
                    {"bystander"} == recovered("bystander", "persona-1", "abre", "suprimido-luego",
                                               data=(media[0],), vaults=(f"{media[1]}/vault",)))
    status, said = node_program("restore", "log", f"{media[0]}/log")
    VERDICT.promise("a restore beside a live log is refused",
                    [] if status == 1 and "two histories" in said else [said])
    NODE.start()
    world.send("despues-del-respaldo")
    time.sleep(1.5)  # the anchor follows within a second
    status, said = node_program("restore", "log", f"{media[0]}/log")
    VERDICT.promise("and beside a running node", [] if status == 1 and "the node runs" in said else [said])
    NODE.kill(signal.SIGTERM)
    os.rename(f"{HOME}/data", f"{WORK}/newest")
    VERDICT.promise("where there is none, it is put back",
                    node_program("restore", "log", f"{media[0]}/log")[0] == 0)
    NODE.start()
    VERDICT.promise("a node on that older state does not start, and says what to do",
                    NODE.is_dead() and NODE.lines("log.older_than_anchor") > 0 and
                    NODE.lines("begin a new epoch") > 0)
    shutil.rmtree(f"{HOME}/data")
    os.rename(f"{WORK}/newest", f"{HOME}/data")
    status, said = node_program("restore", "vault", f"{media[1]}/vault")
    VERDICT.promise("nor is a vault put over one", [] if status == 1 else [said])
    old_vault()


def old_vault():
    """A vault of before the erasure, put back by hand: what was erased is erased again."""
    anchor = forensic.read(f"{HOME}/vault/.anchor")
    newest = f"{WORK}/vault-newest"
    os.rename(f"{HOME}/vault", newest)
    shutil.copytree(f"{WORK}/vault-old", f"{HOME}/vault")
    for path in forensic.files_of(newest):  # keys made since are not lost
        copy = os.path.join(f"{HOME}/vault", os.path.relpath(path, newest))
        os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
        if not os.path.exists(copy) and not path.endswith(".erased"):
            shutil.copy(path, copy)
    with open(f"{HOME}/vault/.anchor", "wb") as out:
        out.write(anchor)
    VERDICT.promise("with a vault of before the erasure it is there again (control)",
                    {"suprimido-luego"} == recovered("suprimido-luego", data=(f"{WORK}/medium-3",)))
    NODE.start()
    VERDICT.promise("until the node starts with it", wait_for(
        lambda: recovered("suprimido-luego", data=(f"{WORK}/medium-3",)), set()))
    shutil.rmtree(f"{WORK}/vault-old")
    shutil.rmtree(newest)


def retention(world):
    """The clock two years and two months on: what is of class R2 is over, R5 is not."""
    world.send("cinco-anios", to="cdmx/sedesa", route="mpi-sedesa-medidas")
    before = recovered("bystander", "cinco-anios")
    NODE.kill()
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        VERDICT.promise("faketime is installed", False)
        return
    NODE.start(LD_PRELOAD=library[0], FAKETIME="+790d", FAKETIME_DONT_FAKE_MONOTONIC="1")
    VERDICT.promise("a retention class ends by itself: blocked, then erased",
                    wait_for(lambda: NODE.lines("retention.erased") > 0))
    NODE.kill()
    VERDICT.promise("what was of that class cannot be recovered, what is of a longer one can",
                    before == {"bystander", "cinco-anios"} and
                    recovered("bystander", "cinco-anios") == {"cinco-anios"})


def main():
    profile("mpi", "cdmx/mpi-cdmx", "system/cdmx.mpi-cdmx.plataforma")
    for number, name in ((1, "one"), (2, "two")):
        keys = f"official/cdmx.mpi-cdmx.enlace-0{number}"
        profile(name, "cdmx/mpi-cdmx", keys, keys)
    profile("pgj", "cdmx/pgj", "official/cdmx.pgj.enlace-01", "official/cdmx.pgj.enlace-01")
    profile("authority", "cdmx/contraloria", "auditor/cdmx.contraloria.auditor-01",
            "auditor/cdmx.contraloria.auditor-01")
    NODE.start()
    world = World()
    world.send("bystander")
    compartment(world)
    exchange(world)
    person(world)
    attachment(world)
    refused(world)
    hold(world)
    killed(world)
    problems, records = accounting(world)
    VERDICT.promise("the log verifies, and every record still names its message", problems)
    kinds = [record.kind for record in records]
    VERDICT.promise("orders, erasures, the hold and its end stand in it, with basis and reason",
                    kinds.count(15) >= 5 and kinds.count(7) >= 5 and 16 in kinds and 17 in kinds and
                    all(record.legal_basis == "LGPDPPSO-18" and record.reason
                        for record in records if record.kind in (7, 15)))
    VERDICT.promise("the index is made anew after each, and what it lacks then is no alarm",
                    NODE.lines("by an erasure") > 0 and NODE.lines("index.differed") == 0)
    backups(world)
    retention(world)
    return VERDICT.end()


if __name__ == "__main__":
    sys.exit(main())
