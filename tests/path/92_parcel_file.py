"""92_parcel_file - an exchange between two nodes by files alone, and then by the link.

    92_parcel_file.py WORK BUILD

Each node listens where the other's directory does not say: they cannot reach each other until the
listeners are put right.
"""
import json
import os
import re
import socket
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import client

WORK, BUILD = sys.argv[1:3]
client.generate_protocol(f"{WORK}/py")
passed = failed = 0
PKI = f"{WORK}/pki"


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text, flush=True)
    else:
        failed += 1
        print("✖", text, why, flush=True)


def wait_for(what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def free_port():
    with socket.socket() as at:
        at.bind(("127.0.0.1", 0))
        return at.getsockname()[1]


class Node:
    def __init__(self, code, operator):
        self.code, self.home, self.process = code, f"{WORK}/node/{code}", None
        self.address = FACTS["address"][f"cdmx/{code}"]
        self.hidden = f"127.0.0.1:{free_port()}"
        self.certificate = f"{PKI}/node/{code}/tls.pem"
        keys = f"{PKI}/official/{operator}"
        with open(f"{WORK}/{code}.conf", "w", encoding="utf-8") as file:
            file.write(f"address = {self.hidden}\nnode = spiffe://enlace.cdmx/node/{code}\n"
                       f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\nca = {PKI}/ca/all.pem\n"
                       f"member = cdmx/{operator.split('.')[1]}\nnode_log = {log_key(code)}\n")

    def start(self, listen):
        conf = f"{self.home}/enlaced.conf"
        with open(conf, encoding="utf-8") as file:
            text = file.read()
        with open(conf, "w", encoding="utf-8") as file:
            file.write(re.sub(r"(?m)^listen = .*", f"listen = {listen}", text))
        before = self.lines("node.ready")
        with open(f"{self.home}/log", "ab") as log:
            self.process = subprocess.Popen([f"{BUILD}/bin/enlaced", conf], stderr=log, stdout=log)
        with open(f"{self.home}/pid", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))
        if not wait_for(lambda: self.lines("node.ready") > before, 60):
            raise SystemExit(f"node {self.code} did not start: {self.log()[-2000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def log(self):
        try:
            with open(f"{self.home}/log", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self, word):
        return self.log().count(word)

    def parcel(self, *words):
        done = subprocess.run([f"{BUILD}/bin/enlace", "--profile", f"{WORK}/{self.code}.conf", "--json",
                               "parcel", *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, done.stdout + done.stderr
        return json.loads(done.stdout), ""

    def export(self, to, name, *words):
        return self.parcel("export", f"cdmx/{to.code}", f"{WORK}/{name}", "--certificate", to.certificate, *words)

    def take(self, sender, name, answer):
        return self.parcel("import", f"{WORK}/{name}", "--certificate", sender.certificate, "-o", f"{WORK}/{answer}")


def log_key(code):
    with open(f"{WORK}/directory.txt", encoding="utf-8") as file:
        text = file.read()
    return re.search(rf"(?ms)^node cdmx/{code}\n.*?^  log-key (\S+)", text).group(1)


def carry(sender, receiver):
    """A parcel there and its answer back; how many were taken."""
    made, why = sender.export(receiver, "ida")
    if made is None:
        raise SystemExit(f"export: {why}")
    taken, why = receiver.take(sender, "ida", "vuelta")
    if taken is None:
        raise SystemExit(f"import: {why} {receiver.log()[-1500:]}")
    settled, why = sender.take(receiver, "vuelta", "nada")
    if settled is None:
        raise SystemExit(f"answer: {why} {sender.log()[-1500:]}")
    if taken["must_repeat"]:
        return carry(sender, receiver)
    return taken["accepted"]


class Official:
    def __init__(self, name):
        with open(f"{PKI}/official/{name}/tls.pem", "rb") as file:
            self.der = x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER)
        with open(f"{PKI}/official/{name}/tls.key", "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        self.id = name.split(".")[-1]

    def sign(self, message):
        text = b"enlace/act/v1\0" + client.commitment(message)
        message.signatures.add(certificate=self.der, signature=self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return message


def act(partner, opened, event, official=None, **fields):
    header = partner.custody(partner.m.Message(header=opened.SerializeToString()))
    header.act.event = event
    header.act.item = 1
    for name, value in fields.items():
        setattr(header.act, name, value)
    if official is not None:
        header.on_behalf_of = official.id
    return header


def report(partner, opened, occurrence):
    header = act(partner, opened, 1)
    header.ClearField("act")
    header.status_report.item, header.status_report.occurrence = 1, occurrence
    header.status_report.action_code = "PRO-COD-VIG"
    header.occurred_at = "2019-06-03T10:00:00-06:00"
    return header


def at(partner, address):
    partner.facts["address"][partner.node] = address
    partner.channel = partner.connect(f"{PKI}/system/{partner.network}.{partner.code}.{partner.name}")


def damage(name, into, where):
    with open(f"{WORK}/{name}", "rb") as file:
        data = bytearray(file.read())
    data[where] ^= 1
    with open(f"{WORK}/{into}", "wb") as file:
        file.write(data)


FACTS = client.directory_facts(f"{WORK}/directory.txt")
cdmx = Node("cdmx", "cdmx.mpi-cdmx.enlace-02")
ssc = Node("ssc", "cdmx.ssc.enlace-01")
cdmx.start(cdmx.hidden)
ssc.start(ssc.hidden)
mpi = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
police = client.Partner(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
at(mpi, cdmx.hidden)
at(police, ssc.hidden)
official = Official("cdmx.ssc.enlace-01")


def state(partner, exchange_id):
    return partner.track(exchange_id).items[0].state


def refusals(opened):
    made, why = cdmx.export(ssc, "ida")
    say("what is owed leaves as a file", made and made["entries"] == 1, why)
    with open(f"{WORK}/ida", "rb") as file:
        data = file.read()
    say("in which nothing can be read", b"Persona" not in data and opened.exchange_id not in data and
        b"spiffe" not in data)
    size = len(data)
    for what, name, reason in (("a byte of the seal", 60, "parcel."), ("a byte of the content", size - 200, "parcel."),
                               ("its last byte", size - 1, "parcel."), ("its digest", 20, "parcel.")):
        damage("ida", "malo", name)
        taken, why = ssc.take(cdmx, "malo", "nada")
        say(f"changed in {what} it is refused", taken is None and reason in why, why)
    for what, cut in (("cut short", data[:size // 2]), ("with a byte more", data + b"x"), ("of something else", b"hola\n" * 99)):
        with open(f"{WORK}/malo", "wb") as file:
            file.write(cut)
        taken, why = ssc.take(cdmx, "malo", "nada")
        say(f"{what} it is refused", taken is None and "parcel.malformed" in why, why)
    taken, why = cdmx.take(ssc, "ida", "nada")
    say("another node cannot open it", taken is None and "parcel.not_for_us" in why, why)
    _, why = cdmx.parcel("export", "cdmx/ssc", f"{WORK}/malo", "--certificate", cdmx.certificate)
    say("it is sealed to the node that it is for, and to no other", "parcel.certificate" in why, why)
    _, why = cdmx.parcel("export", "cdmx/nadie", f"{WORK}/malo", "--certificate", ssc.certificate)
    say("there is none for a node that nobody knows", "parcel.no_peer" in why, why)
    stranger = f"{WORK}/sin-papel.conf"
    with open(f"{WORK}/cdmx.conf", encoding="utf-8") as file:
        text = file.read().replace("enlace-02", "enlace-01")
    with open(stranger, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([f"{BUILD}/bin/enlace", "--profile", stranger, "parcel", "export", "cdmx/ssc", f"{WORK}/malo",
                           "--certificate", ssc.certificate], capture_output=True, text=True, check=False)
    say("only the operator may", done.returncode == 1 and "identity.not_operator" in done.stderr, done.stderr)


def by_files():
    opened = mpi.request()
    message = mpi.wrap(opened, mpi.alias())
    mpi.submit(message)
    refusals(opened)
    say("the receiving node takes it, and answers with a file", carry(cdmx, ssc) == 1)
    kept = mpi.receipts(opened.message_id).receipts
    say("R1 comes back by file, and verifies", len(kept) == 2 and
        client.verify_receipt(message, kept[1], FACTS["vkeys"])[0] == "gw.ssc/audit/2026")
    made, why = cdmx.export(ssc, "otra")
    say("after that nothing is owed", made is None and "parcel.nothing" in why, why)
    taken, why = ssc.take(cdmx, "ida", "vuelta2")
    say("the same file again is not used again", taken and taken["must_repeat"], why)
    settled, why = cdmx.take(ssc, "vuelta", "nada")
    say("nor its answer", settled is not None, why)
    say("and the exchange stands once", state(police, opened.exchange_id) == 2, state(police, opened.exchange_id))
    police.submit(police.wrap(police.custody(message)))
    police.submit(official.sign(police.wrap(act(police, opened, 2, official))))
    say("custody and acceptance go back as files", carry(ssc, cdmx) == 2)
    say("R2 and R3 reach the requester", state(mpi, opened.exchange_id) == 4, state(mpi, opened.exchange_id))
    police.submit(official.sign(police.wrap(act(police, opened, 5, official, evidence_sha256=b"\1" * 32))))
    police.submit(police.wrap(report(police, opened, 1)))
    say("so do the measure in force and a report", carry(ssc, cdmx) == 2)
    say("R4 reaches the requester", state(mpi, opened.exchange_id) == 6 and
        mpi.track(opened.exchange_id).items[0].occurrences == 1, mpi.track(opened.exchange_id))
    return opened


def out_of_order(opened):
    """Two files with the same report in them; the older one comes last."""
    police.submit(police.wrap(report(police, opened, 2)))
    wait_for(lambda: ssc.export(cdmx, "primero")[0])
    police.submit(police.wrap(report(police, opened, 3)))
    wait_for(lambda: (ssc.export(cdmx, "segundo")[0] or {}).get("entries") == 2)
    taken, why = cdmx.take(ssc, "segundo", "vuelta-s")
    if taken and taken["must_repeat"]:
        ssc.take(cdmx, "vuelta-s", "nada")
        for name in ("primero", "segundo"):
            ssc.export(cdmx, name)
        taken, why = cdmx.take(ssc, "segundo", "vuelta-s")
    say("a later file arrives first", taken and taken["accepted"] == 2, f"{taken} {why}")
    taken, why = cdmx.take(ssc, "primero", "vuelta-p")
    say("the earlier one is not used any more", taken and taken["must_repeat"] and taken["accepted"] == 0, why)
    say("each report counts once", mpi.track(opened.exchange_id).items[0].occurrences == 3)
    late = ssc.take(cdmx, "vuelta-p", "nada"), ssc.take(cdmx, "vuelta-s", "nada")
    say("their answers may come in any order, too", late[0][0] and late[1][0], late)
    say("and then nothing is owed", "parcel.nothing" in ssc.export(cdmx, "nada")[1])


def urgent_first():
    ordinary, urgent = mpi.request(), mpi.request()
    urgent.urgency = 2
    mpi.submit(mpi.wrap(ordinary, mpi.alias()))
    mpi.submit(mpi.wrap(urgent, mpi.alias()))
    wait_for(lambda: (cdmx.export(ssc, "ida")[0] or {}).get("urgent"))
    made, why = cdmx.export(ssc, "ida")
    say("urgent messages leave first", made and made["urgent"] and made["entries"] == 1 and made["has_more"], f"{made} {why}")
    return ordinary, urgent


def link_returns(ordinary, urgent):
    """The urgent one was taken by file, its answer is still on the way when the link comes back."""
    taken, why = ssc.take(cdmx, "ida", "tarde")
    if taken and taken["must_repeat"]:
        cdmx.take(ssc, "tarde", "nada")
        cdmx.export(ssc, "ida")
        taken, why = ssc.take(cdmx, "ida", "tarde")
    say("the urgent one arrives by file", taken and taken["accepted"] == 1, f"{taken} {why}")
    cdmx.stop()
    ssc.stop()
    cdmx.start(cdmx.address)
    ssc.start(ssc.address)
    at(mpi, cdmx.address)
    at(police, ssc.address)
    for node in (cdmx, ssc):
        with open(f"{WORK}/{node.code}.conf", encoding="utf-8") as file:
            text = file.read()
        with open(f"{WORK}/{node.code}.conf", "w", encoding="utf-8") as file:
            file.write(text.replace(node.hidden, node.address))
    say("the link brings the rest", wait_for(lambda: len(mpi.receipts(ordinary.message_id).receipts) == 2 and
                                             len(mpi.receipts(urgent.message_id).receipts) == 2))
    settled, why = cdmx.take(ssc, "tarde", "nada")
    say("the answer that comes late changes nothing", settled is not None, why)
    taken, why = ssc.take(cdmx, "ida", "nada2")
    say("nor does the file itself", taken is None or taken["must_repeat"], f"{taken} {why}")
    say("each is received once", cdmx.lines("peer.message_refused") == 0 and all(
        state(police, e.exchange_id) == 2 for e in (ordinary, urgent)))


def counts(opened):
    from enlace.v1 import audit_pb2  # pylint: disable=import-error
    for node, kind in ((cdmx, 1), (ssc, 2)):
        auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", f"cdmx/{node.code}")
        seen = [audit_pb2.AuditRecord.FromString(e.record) for _, entries in auditor.pages() for e in entries]
        ids = [r.message_id for r in seen if r.kind == kind]
        say(f"no message stands twice in the log of {node.code}", ids and len(ids) == len(set(ids)), len(ids))


opened = by_files()
out_of_order(opened)
ordinary, urgent = urgent_first()
link_returns(ordinary, urgent)
counts(opened)
cdmx.stop()
ssc.stop()
print(f"92_parcel_file: {passed} passed, {failed} failed")
sys.exit(failed > 0)
