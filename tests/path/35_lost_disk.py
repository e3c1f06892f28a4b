"""35_lost_disk - what a node had answered and nobody else held, after its disk is gone.

    35_lost_disk.py WORK BUILD ROOT
"""
import json
import os
import shutil
import subprocess
import sys
import time

import client
import ledger
import storm

WORK, BUILD, ROOT = sys.argv[1:4]
HOME = f"{WORK}/node/cdmx"
OLD, NEW = "gw.cdmx/audit/2026", "gw.cdmx/audit/2026-2"
verdict = ledger.Verdict("35_lost_disk")


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def of_directory(node, key):
    inside = False
    for line in text_of(f"{WORK}/directory.txt").splitlines():
        if not line.startswith(" "):
            inside = line == f"node {node}"
        elif inside and line.split()[0] == key:
            return line.split()[1]
    raise KeyError(key)


def profile(name, node, credentials, member, logs):
    with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as file:
        file.write(f"""address = {of_directory(node, "address")}
node = spiffe://enlace.cdmx/node/{node.split("/")[1]}
certificate = {WORK}/pki/{credentials}/tls.pem
key = {WORK}/pki/{credentials}/tls.key
ca = {WORK}/pki/ca/all.pem
member = {member}
spool = {WORK}/spool-{name}
""" + "".join(f"node_log = {key}\n" for key in logs))
        if credentials.startswith("system"):
            file.write("system = plataforma\n")


def enlace(name, *arguments):
    start = ["--json", "--profile", f"{WORK}/{name}.conf"] if name else []
    done = subprocess.run([f"{BUILD}/bin/enlace", *start, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    answers, rest = [], done.stdout.lstrip()
    while rest.startswith("{"):
        answer, end = json.JSONDecoder().raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    return done.returncode, answers, done.stdout + done.stderr


def eventually(check, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.1)
    return False


def request(to, **changes):
    """A draft as `enlace submit` reads it, to another member than the demonstration's."""
    with open(f"{ROOT}/deploy/demo/solicitud.json", encoding="utf-8") as file:
        draft = json.load(file)
    draft.update(to=to, **changes)
    draft["items"] = [{"code": draft["catalogue_code"]}]
    path = f"{WORK}/{to.split('/')[1]}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(draft, file)
    return path


def in_the_house():
    """To another member of the same node."""
    return request("cdmx/ceavi", catalogue_code="PRO-PSI-CRI", purpose="atencion-a-victimas",
                   legal_basis="LPI-CDMX-2015",
                   compartments=[{"subject": 0, "type": "contact", "fields": {"phone": "5500000000"}}])


def with_an_annex():
    """Answered with the id in the way of `enlace receipt`: the request is a system's of its own."""
    mpi = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    mpi.is_patient = True
    m, x = mpi.m, mpi.x
    header = mpi.request("cdmx/sedesa", "mpi-sedesa-medidas", "PRO-PSI-SEG")
    entry = m.Attachment(attachment_id=mpi.new_id(), media_type="application/pdf", size=5,
                         sha256=os.urandom(32), title="dictamen")
    message = mpi.wrap(header, [(10, m.AttachmentsCompartment(entries=[entry]))])
    mpi.call("Submit", x.SubmitRequest(submission=x.Submission(message=message)), x.SubmitResponse)
    raw = header.message_id.hex()
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


def submit(path):
    status, answers, said = enlace("mpi", "submit", path)
    if status != 0:
        raise RuntimeError(said)
    return answers[0]["message_id"]


def kept():
    folder = f"{WORK}/spool-mpi/enlace/answered"
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def level(message_id):
    """R1 there?"""
    _, answers, said = enlace("mpi", "receipt", message_id)
    return "R1" in json.dumps(answers) + said


def lost_disk(cdmx):
    """The disk goes; the authorities let a new epoch begin."""
    cdmx.kill()
    shutil.rmtree(f"{HOME}/data")
    verdict.promise("a peer tells the last checkpoint that it saw",
                    enlace("ssc", "log", "seen", OLD, "-O", f"{WORK}/last")[0] == 0)
    path = f"{WORK}/succession"
    enlace(None, "log", "succeed", path, "--node", "cdmx/cdmx", "--cause", "lost-disk", "--epoch", "2",
           "--checkpoint", f"{WORK}/last", "--old-key", of_directory("cdmx/cdmx", "log-key"),
           "--log-key", f"{WORK}/new-log.key", "--origin", NEW)
    for who in os.listdir(f"{WORK}/pki/authority"):
        network, name = who.split(".", 1)
        if network == "cdmx":
            enlace(None, "log", "sign", path, "--key", f"{WORK}/pki/authority/{who}/sign.key", "--name",
                   f"cdmx.autoridad/{name}")
    lines = [line for line in text_of(f"{HOME}/enlaced.conf").splitlines() if not line.startswith("log_key")]
    with open(f"{HOME}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, f"succession = {path}", f"log_key = {WORK}/new-log.key"]) + "\n")
    cdmx.start()
    return not cdmx.is_dead()


def gap(annexed):
    """Attachments are in no log: the gap names the messages that came back without."""
    verdict.promise("what the third node holds is back, too", eventually(lambda: level(annexed)))
    enlace("auditor", "log", "export", f"{WORK}/new", "--purpose", "revision", "--records")
    _, answers, said = enlace("auditor", "log", "gap", f"{WORK}/new")
    verdict.promise("the gap names the message whose attachments are to be put again",
                    [] if answers and answers[0].get("without_attachments") == [annexed] else [said])


def main():
    client.generate_protocol(f"{WORK}/py")
    new = enlace(None, "log", "vkey", "--key", f"{WORK}/new-log.key", "--name", NEW)[2].strip()
    logs = [of_directory("cdmx/cdmx", "log-key"), new]
    profile("mpi", "cdmx/cdmx", "system/cdmx.mpi-cdmx.plataforma", "cdmx/mpi-cdmx", logs)
    profile("auditor", "cdmx/cdmx", "auditor/cdmx.contraloria.auditor-01", "cdmx/contraloria", logs)
    profile("ssc", "cdmx/ssc", "auditor/cdmx.contraloria.auditor-01", "cdmx/contraloria",
            [of_directory("cdmx/ssc", "log-key")])
    cdmx, ssc = storm.Node(WORK, BUILD, "cdmx"), storm.Node(WORK, BUILD, "ssc")
    cdmx.start()
    ssc.start()
    sedesa = storm.Node(WORK, BUILD, "sedesa").start()
    solicitud = f"{ROOT}/deploy/demo/solicitud.json"
    annexed = with_an_annex()
    eventually(lambda: level(annexed))
    enlace("mpi", "resend")
    first = submit(solicitud)
    verdict.promise("a message that was answered is kept on its sender's disk", kept() == {first})
    verdict.promise("once another institution's log holds it (R1)", eventually(lambda: level(first)))
    enlace("mpi", "resend")
    verdict.promise("it is kept no longer", not kept())
    ssc.kill()
    untold = submit(solicitud)
    local = submit(in_the_house())
    enlace("mpi", "resend")
    verdict.promise("what is not forwarded, and what stays in the house, is kept",
                    kept() == {untold, local})
    cdmx.kill()
    ssc.start()
    verdict.promise("the disk is gone; the node begins its next epoch", lost_disk(cdmx))
    verdict.promise("its log does not know them",
                    "message.unknown" in enlace("mpi", "receipt", untold)[2] and
                    "message.unknown" in enlace("mpi", "receipt", local)[2])
    os.rename(f"{WORK}/spool-mpi/enlace/answered", f"{WORK}/away")
    verdict.promise("a system that had not kept them has nothing to send (control)",
                    enlace("mpi", "resend")[1] == [] and
                    "message.unknown" in enlace("mpi", "receipt", untold)[2])
    shutil.rmtree(f"{WORK}/spool-mpi/enlace/answered", ignore_errors=True)
    os.rename(f"{WORK}/away", f"{WORK}/spool-mpi/enlace/answered")
    status, answers, said = enlace("mpi", "resend")
    verdict.promise("their sender's system sends them again by itself: receipts of the new log",
                    [] if status == 0 and {a["message_id"] for a in answers} == {untold, local} and
                    {a["log"] for a in answers} == {NEW} else [said])
    verdict.promise("the one arrives at the other institution", eventually(lambda: level(untold)))
    verdict.promise("what came before, the peer gives back", eventually(lambda: level(first)))
    enlace("mpi", "resend")
    verdict.promise("and only what no other log holds is still kept", kept() == {local})
    gap(annexed)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
