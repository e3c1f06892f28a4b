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


def request_in_the_house():
    """A draft as `enlace submit` reads it, for another member of the same node."""
    with open(f"{ROOT}/deploy/demo/solicitud.json", encoding="utf-8") as file:
        draft = json.load(file)
    draft.update(to="cdmx/sedesa", catalogue_code="PRO-PSI-SEG", purpose="atencion-a-la-salud",
                 items=[{"code": "PRO-PSI-SEG"}],
                 compartments=[{"subject": 0, "type": "identity",
                                "fields": {"full_name": "Persona Sintética"}}])
    with open(f"{WORK}/sedesa.json", "w", encoding="utf-8") as file:
        json.dump(draft, file)
    return f"{WORK}/sedesa.json"


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


def main():
    client.generate_protocol(f"{WORK}/py")
    new = enlace(None, "log", "vkey", "--key", f"{WORK}/new-log.key", "--name", NEW)[2].strip()
    logs = [of_directory("cdmx/cdmx", "log-key"), new]
    profile("mpi", "cdmx/cdmx", "system/cdmx.mpi-cdmx.plataforma", "cdmx/mpi-cdmx", logs)
    profile("ssc", "cdmx/ssc", "auditor/cdmx.contraloria.auditor-01", "cdmx/contraloria",
            [of_directory("cdmx/ssc", "log-key")])
    cdmx, ssc = storm.Node(WORK, BUILD, "cdmx"), storm.Node(WORK, BUILD, "ssc")
    cdmx.start()
    ssc.start()
    solicitud = f"{ROOT}/deploy/demo/solicitud.json"
    first = submit(solicitud)
    verdict.promise("a message that was answered is kept on its sender's disk", kept() == {first})
    verdict.promise("once another institution's log holds it (R1)", eventually(lambda: level(first)))
    enlace("mpi", "resend")
    verdict.promise("it is kept no longer", not kept())
    ssc.kill()
    untold = submit(solicitud)
    local = submit(request_in_the_house())
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
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
