"""31_epochs - the log of one node is lost with its disk, and begins again.

    31_epochs.py WORK BUILD SECONDS KILLS
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import time

import grpc

import client
import ledger
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
SECONDS, KILLS = float(sys.argv[3]), int(sys.argv[4])
OLD, NEW = "gw.ssc/audit/2026", "gw.ssc/audit/2026-2"
HOME = f"{WORK}/node/ssc"
PEER = "peer=cdmx/cdmx"
# Whom the directory lists: two of these three.
AUTHORITIES = f"{WORK}/directory/cdmx.authorities"
SIGNERS = {1: "mpi-cdmx", 2: "contraloria", 3: "cdhcm"}
verdict = ledger.Verdict("31_epochs")


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def log_of(code="ssc"):
    return text_of(f"{WORK}/node/{code}/log")


def eventually(check, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False


def of_directory(kind, code, key):
    inside = False
    for line in text_of(f"{WORK}/directory.txt").splitlines():
        if not line.startswith(" "):
            inside = line == f"{kind} {code}"
        elif inside and line.split()[0] == key:
            return line.split()[1]
    return None


def enlace(*arguments, profile=None, status=0):
    """Standard output of a run that ended with this status; None when it ended otherwise."""
    start = ["--profile", f"{WORK}/{profile}.conf"] if profile else []
    done = subprocess.run([f"{BUILD}/bin/enlace", *start, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != status:
        print("   ", arguments, done.returncode, done.stdout[-600:], done.stderr[-600:])
        return None
    return done.stdout


def profile(name, node, credentials, logs):
    with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as file:
        file.write(f"""address = {of_directory("node", node, "address")}
node = spiffe://enlace.cdmx/node/{node.split("/")[1]}
certificate = {WORK}/pki/{credentials}/tls.pem
key = {WORK}/pki/{credentials}/tls.key
ca = {WORK}/pki/ca/all.pem
member = cdmx/contraloria
""" + "".join(f"node_log = {key}\n" for key in logs))


def old_key():
    return of_directory("node", "cdmx/ssc", "log-key")


def new_key():
    return enlace("log", "vkey", "--key", f"{WORK}/new-log.key", "--name", NEW).strip()


def raw_key(vkey):
    return base64.b64decode(vkey.split("+", 2)[2])[1:]


def settings(*lines):
    """The destroyed node's, from here on."""
    kept = [line for line in text_of(f"{HOME}/enlaced.conf").splitlines()
            if not any(line.startswith(f"{new.split(' ')[0]} =") for new in lines)]
    with open(f"{HOME}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write("\n".join([*kept, *lines]) + "\n")


def does_not_start(node, word):
    before = log_of().count(word)
    try:
        node.start()
    except RuntimeError:
        pass
    return node.wait(5) not in (None, 0) and log_of().count(word) > before


# ---- the disk ----

def destroy(chaos):
    """Under traffic; the copy is for the thief."""
    chaos.systems["recipient"].kill()
    time.sleep(0.5)  # some requests stay without custody
    chaos.nodes["ssc"].kill()
    untaken = list(ledger.History(f"{WORK}/ledger/mpi").sent.values())[-300:]
    shutil.copytree(f"{HOME}/data", f"{WORK}/stolen/data")
    shutil.copytree(f"{HOME}/vault", f"{WORK}/stolen/vault")
    shutil.rmtree(f"{HOME}/data")
    return untaken


def refuses_nothing(chaos):
    ssc = chaos.nodes["ssc"]
    verdict.promise("on an empty disk the node does not start: its anchor knows more",
                    does_not_start(ssc, "log.older_than_anchor"))
    verdict.promise("and it says that a new epoch is needed", "enlace log succeed" in log_of())
    shutil.rmtree(f"{HOME}/data")
    os.rename(f"{HOME}/vault/.anchor", f"{WORK}/anchor.away")
    try:
        ssc.start()
    except RuntimeError:
        pass
    ended = ssc.wait(15)
    verdict.promise("without the anchor, its peer knows more, and it stops",
                    ended not in (None, 0) and "fatal enlaced log.older_than_witnessed" in log_of())
    shutil.rmtree(f"{HOME}/data")
    os.replace(f"{WORK}/anchor.away", f"{HOME}/vault/.anchor")


# ---- the statement ----

def succeed(path, cause="lost-disk", *more):
    return enlace("log", "succeed", path, "--node", "cdmx/ssc", "--cause", cause, "--epoch", "2",
                  "--checkpoint", f"{WORK}/last", "--old-key", old_key(), "--log-key",
                  f"{WORK}/new-log.key", "--origin", NEW, *more)


def sign(path, who):
    return enlace("log", "sign", path, "--key",
                  f"{WORK}/pki/authority/cdmx.{SIGNERS[who]}/sign.key", "--name",
                  f"cdmx.autoridad/{SIGNERS[who]}")


def statement_status(path, status):
    return enlace("log", "statement", path, "--authorities", AUTHORITIES,
                  status=status) is not None


def write_statement(chaos):
    path = f"{WORK}/succession"
    verdict.promise("an operator gets the last checkpoint that a peer saw",
                    enlace("log", "seen", OLD, "-O", f"{WORK}/last", profile="audit-cdmx") is not None)
    verdict.promise("and writes the statement of succession", succeed(path) is not None)
    sign(path, 1)
    verdict.promise("one authority of two is not enough", statement_status(path, 1))
    settings(f"succession = {path}", f"log_key = {WORK}/new-log.key")
    verdict.promise("the node does not start with it", does_not_start(chaos.nodes["ssc"],
                                                                     "signed_by=1 quorum=2"))
    sign(path, 1)
    verdict.promise("nor when the same one signs again", statement_status(path, 1))
    sign(path, 3)
    verdict.promise("a second one makes it valid", statement_status(path, 0))


# ---- what comes back ----

def recover(chaos):
    ssc = chaos.nodes["ssc"]
    ssc.start()
    for _ in range(KILLS):  # in the midst of it
        time.sleep(0.15)
        ssc.kill()
        ssc.start()
    chaos.systems["recipient"].start()
    verdict.promise("its peer takes the new log by the statement",
                    eventually(lambda: "epoch.adopted peer=cdmx/ssc" in log_of("cdmx"), 20))
    verdict.promise(f"its peer gives back what it holds, over {KILLS} kills",
                    eventually(lambda: f"replay.complete {PEER}" in log_of(), 40))
    verdict.promise("nothing of it failed a check",
                    [line for line in log_of().splitlines() if "replay.refused" in line])


def replay_spool():
    """The client sends all that it was ever answered, the same bytes."""
    partner = client.Partner(WORK, *storm.SIDES[1][1:])
    history = ledger.History(f"{WORK}/ledger/ssc")
    requests = [partner.x.SubmitStreamRequest(submission=partner.x.Submission(
        message=partner.m.Message.FromString(base64.b64decode(history.sent[i]))))
        for i in history.answered]
    refused, count = [], 0
    for response in partner.submit_stream(iter(requests)):
        for result in response.results:
            count += 1
            if result.WhichOneof("outcome") != "receipt":
                refused.append(f"{result.message_id.hex()}: {result.refusal.reason}")
    verdict.promise(f"its client sends {len(requests)} answered messages again: each has a receipt",
                    refused + [f"{count} answers"] * (count != len(requests)))


def two_receipts(decided):
    """Of one epoch: the first receipt never changes while its log lives."""
    problems, first = [], {}
    for role, _, _ in storm.SIDES:
        for said in ledger.rows(f"{WORK}/ledger/{role}"):
            if said["k"] == "answered":
                note = client.receipt_parts(decided.receipt(said["r"]))[2]
                key = said["id"], note.partition("\n")[0]
                if first.setdefault(key, said["r"]) != said["r"]:
                    problems.append(f"{key}: two receipts")
    return problems


def judge(chaos):
    sides = [(client.Partner(WORK, system, node), ledger.History(f"{WORK}/ledger/{role}"),
              client.Auditor(WORK, storm.AUDITOR, node)) for role, system, node in storm.SIDES]
    for partner, _, _ in sides:
        partner.facts["vkeys"][NEW] = raw_key(new_key())
    decided = ledger.Judge(sides)
    count = sum(len(history.answered) for _, history, _ in sides)
    verdict.promise("no message was refused",
                    [text for text in decided.faults() if "two receipts" not in text])
    verdict.promise("none had two receipts in one epoch", two_receipts(decided))
    verdict.promise(f"everything answered, {count} messages, was delivered", decided.undelivered())
    verdict.promise("nothing was delivered as new twice", decided.twice_new())
    verdict.promise("nothing was delivered that was not sent so", decided.never_sent())
    verdict.promise("each receipt of both epochs verifies", decided.unverified())
    verdict.promise("there are receipts of both", {OLD, NEW} <= set(decided.signed))
    verdict.promise("both logs hold together", decided.inconsistent())
    verdict.promise("each message has one leaf on either side", decided.logged_twice())
    return decided


# ---- offline ----

def proven_old_leaves(decided):
    """Of the old log, in receipts of the other side: what the peer held."""
    found = set()
    _, mpi, _ = decided.sides[0]
    for copies in mpi.got.values():
        for said in copies:
            index, _, note = client.receipt_parts(decided.receipt(said["s"]))
            if note.startswith(OLD + "\n"):
                found.add(index)
    return found


def gap(decided):
    enlace("log", "export", f"{WORK}/new-log", "--purpose", "revision", "--records",
           profile="audit-ssc")
    said = enlace("--json", "log", "gap", f"{WORK}/new-log", profile="audit-ssc")
    said = json.loads(said) if said else {"missing": [], "leaves": 0, "back": 0}
    missing = {i for first, last in said["missing"] for i in range(first, last + 1)}
    proven = proven_old_leaves(decided)
    print(f"  {said['leaves']} leaves of the old log, {said['back']} came back, "
          f"{len(missing)} by number only")
    verdict.promise("the gap is listed: what the log had and nobody else held",
                    said["back"] > 0 and 0 in missing and
                    len(missing) + said["back"] == said["leaves"])
    verdict.promise(f"no leaf that the peer proved ({len(proven)}) is in it",
                    [str(i) for i in proven & missing])


def verify():
    keys = ["--vkey", new_key(), "--vkey", old_key()]
    across = ["--authorities", AUTHORITIES, "--succession"]
    verdict.promise("the new log verifies offline",
                    enlace("verify", "log", f"{WORK}/new-log", *keys) is not None)
    verdict.promise("and follows the old one by the statement: its first leaf says so",
                    enlace("verify", "consistency", f"{WORK}/last", f"{WORK}/new-log", *across,
                           f"{WORK}/succession") is not None)
    said = enlace("--json", "verify", "consistency", f"{WORK}/last", f"{WORK}/new-log", *keys, status=1)
    verdict.promise("without the statement they are two logs", "checkpoint.unknown_log" in (said or ""))
    succeed(f"{WORK}/other", "year")
    sign(f"{WORK}/other", 1)
    sign(f"{WORK}/other", 2)
    said = enlace("--json", "verify", "consistency", f"{WORK}/last", f"{WORK}/new-log", *across,
                  f"{WORK}/other", status=1)
    verdict.promise("another statement, signed as well, is not the one that it began with",
                    "succession.leaf" in (said or ""))
    text = bytearray(open(f"{WORK}/succession", "rb").read())
    text[text.index(b"lost-disk")] ^= 1
    with open(f"{WORK}/flipped", "wb") as file:
        file.write(text)
    verdict.promise("a flipped bit of the statement is refused",
                    enlace("verify", "consistency", f"{WORK}/last", f"{WORK}/new-log", *across,
                           f"{WORK}/flipped", status=2) is not None)


def bundle(path, message, receipt, message_id):
    """As `enlace receipt -o` writes it."""
    digits = message_id.hex()
    name = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    with open(path, "wb") as file:
        file.write(f"enlace-receipt v1\nmessage {name}\ncommitment "
                   f"{base64.b64encode(client.commitment(message)).decode()}\n"
                   f"receipt R0 {len(receipt.tlog_proof)}\n"
                   f"leaf {base64.b64encode(receipt.leaf).decode()}\n".encode() + receipt.tlog_proof)


def old_receipt(decided):
    """Of the old log, answered before the disk was lost."""
    _, history, _ = decided.sides[1]
    for message_id, said in history.answered.items():
        receipt = decided.receipt(said)
        if client.receipt_parts(receipt)[2].startswith(OLD + "\n"):
            return decided.message(history.sent[message_id]), receipt, bytes.fromhex(message_id)
    raise RuntimeError("no receipt of the old log")


def revoked(decided, forged, receipt, message_id):
    """Attack 13: a stolen key signs after its last good size. The old key alone is the control."""
    bundle(f"{WORK}/forged", forged, receipt, message_id)
    bundle(f"{WORK}/honest", *old_receipt(decided))
    succeed(f"{WORK}/revoked", "stolen-key")
    sign(f"{WORK}/revoked", 2)
    sign(f"{WORK}/revoked", 3)
    by = ["--authorities", AUTHORITIES, "--succession", f"{WORK}/revoked"]
    verdict.promise("what he signs verifies for who knows only the key",
                    enlace("verify", "receipt", f"{WORK}/forged", "--vkey", old_key()) is not None)
    said = enlace("--json", "verify", "receipt", f"{WORK}/forged", *by, status=1)
    verdict.promise("but not with the statement that names the last good size",
                    "key.revoked" in (said or ""))
    verdict.promise("what was signed before still verifies with it",
                    enlace("verify", "receipt", f"{WORK}/honest", *by) is not None)


# ---- the old log comes back ----

def old_log_here(chaos):
    ssc = chaos.nodes["ssc"]
    ssc.kill(15)
    shutil.copytree(f"{HOME}/data", f"{WORK}/new-data")
    shutil.rmtree(f"{HOME}/data")
    shutil.copytree(f"{WORK}/stolen/data", f"{HOME}/data")
    kept = text_of(f"{HOME}/enlaced.conf")
    settings("succession =", f"log_key = {WORK}/pki/node/ssc/log.key")
    verdict.promise("the old disk, found again, does not start here: its epoch is over",
                    does_not_start(ssc, "log.succeeded"))
    shutil.rmtree(f"{HOME}/data")
    os.rename(f"{WORK}/new-data", f"{HOME}/data")
    with open(f"{HOME}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write(kept)


def two_writers(chaos):
    """The data and the vault copied, the anchor shared: what an operator may do by mistake."""
    ssc = chaos.nodes["ssc"]
    ssc.start()
    shutil.copytree(f"{HOME}/data", f"{WORK}/node/twin/data")
    shutil.copytree(f"{HOME}/vault", f"{WORK}/node/twin/vault")
    twin = storm.Node(WORK, BUILD, "twin")
    with open(f"{WORK}/node/twin/enlaced.conf", "w", encoding="utf-8") as file:
        for line in text_of(f"{HOME}/enlaced.conf").splitlines():
            name = line.split(" ")[0]
            line = {"listen": "listen = 127.0.0.1:0", "health_listen": "",
                    "data": f"data = {WORK}/node/twin/data",
                    "vault": f"vault = {WORK}/node/twin/vault"}.get(name, line)
            file.write(line + "\n")
        file.write(f"anchor = {HOME}/vault/.anchor\n")
    try:
        twin.start()
    except RuntimeError:
        pass
    verdict.promise("a second writer beside the first is refused, and told why",
                    twin.wait(5) not in (None, 0) and "anchor.locked" in log_of("twin"))


def forge(partner, untaken):
    """Custody of a request that nobody had taken when the disk was copied."""
    for message in reversed(untaken):
        header = partner.custody(partner.m.Message.FromString(base64.b64decode(message)))
        forged = partner.wrap(header)
        try:
            return header, forged, partner.submit(forged)
        except grpc.RpcError:
            continue
    raise RuntimeError("the thief finds nothing to forge")


def thief(untaken):
    """With the old key, the old disk and the node's certificate, on a machine of his own."""
    node = storm.Node(WORK, BUILD, "thief")
    os.makedirs(node.home)
    with open(f"{node.home}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write(f"""node = cdmx/ssc
listen = unix:{node.home}/sock
certificate = {WORK}/pki/node/ssc/tls.pem
key = {WORK}/pki/node/ssc/tls.key
ca = {WORK}/pki/ca/all.pem
log_key = {WORK}/pki/node/ssc/log.key
directory = {WORK}/directory
data = {WORK}/stolen/data
vault = {WORK}/stolen/vault
""")
    refused = log_of("cdmx").count("check=log.succeeded")
    partner = client.Partner(WORK, *storm.SIDES[1][1:])
    partner.facts["address"]["cdmx/ssc"] = f"unix:{node.home}/sock"
    partner.channel = partner.connect(f"{WORK}/pki/system/{storm.SIDES[1][1]}")
    node.start()
    header, forged, receipt = forge(partner, untaken)
    verdict.promise("a thief's node gives receipts as ever: they verify by the old key alone",
                    client.verify_receipt(forged, receipt, partner.facts["vkeys"])[0] == OLD)
    verdict.promise("but no peer takes anything of the old log any more",
                    eventually(lambda: log_of("cdmx").count("check=log.succeeded") > refused, 15))
    home = client.Partner(WORK, *storm.SIDES[0][1:])
    auditor = client.Auditor(WORK, storm.AUDITOR, "cdmx/cdmx")
    log = ledger.Log(home.facts["vkeys"])
    log.read(auditor)
    verdict.promise("nothing of it is in the peer's log",
                    [i for i, r in enumerate(log.records) if r.message_id == header.message_id])
    node.kill()
    return forged, receipt, header.message_id


def main():
    profile("audit-cdmx", "cdmx/cdmx", "auditor/cdmx.contraloria.auditor-01",
            [of_directory("node", "cdmx/cdmx", "log-key")])
    profile("audit-ssc", "cdmx/ssc", "auditor/cdmx.contraloria.auditor-01", [new_key(), old_key()])
    chaos = storm.Storm(WORK, BUILD, 1)
    chaos.begin()
    time.sleep(SECONDS)
    untaken = destroy(chaos)
    refuses_nothing(chaos)
    write_statement(chaos)
    recover(chaos)
    replay_spool()
    verdict.promise("then everything goes all the way and back",
                    [] if chaos.drain(60) else chaos.state())
    chaos.end_systems()
    print("  " + "; ".join(chaos.state()))
    decided = judge(chaos)
    gap(decided)
    verify()
    old_log_here(chaos)
    two_writers(chaos)
    revoked(decided, *thief(untaken))
    for node in chaos.nodes.values():
        verdict.promise(f"{node.code} stops in order", [] if node.kill(15) == 0 else ["exit status"])
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
