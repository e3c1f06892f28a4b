"""68_clock - two nodes, each with a wall clock that this test sets; their monotonic clocks go on.

    68_clock.py WORK BUILD CLOCKSHIFT-LIBRARY
"""
import os
import signal
import struct
import subprocess
import sys
import time

import grpc

import client
import ledger
import storm

WORK, BUILD, LIBRARY = sys.argv[1:4]
HOUR = 3600
VERDICT = ledger.Verdict("68_clock")


def wait_for(check, seconds=8):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False


class Home:
    """A node and its clock."""

    def __init__(self, code):
        self.code, self.node = code, storm.Node(WORK, BUILD, code)
        self.clock = f"{WORK}/{code}.clock"

    def start(self, offset_s):
        self.set(offset_s)
        self.node.start(LD_PRELOAD=LIBRARY, CLOCK_SHIFT=self.clock)

    def set(self, offset_s):
        with open(f"{self.clock}.new", "w", encoding="utf-8") as file:
            file.write(f"{offset_s:+d}\n")
        os.rename(f"{self.clock}.new", self.clock)

    def said(self, word, before=0):
        return wait_for(lambda: self.node.lines(word) > before)

    def is_serving(self):
        name = b"enlace.clock"
        with grpc.insecure_channel(f"unix:{WORK}/node/{self.code}/health.sock") as channel:
            answer = channel.unary_unary("/grpc.health.v1.Health/Check", lambda r: r, lambda r: r)(
                b"\x0a" + bytes([len(name)]) + name, timeout=5)
        return answer == b"\x08\x01"

    def log(self):
        log = ledger.Log(PARTNER.facts["vkeys"])
        log.read(client.Auditor(WORK, "cdmx.contraloria.auditor-01", f"cdmx/{self.code}"))
        return log


PARTNER = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")


def send(urgency=1, at_s=0):
    """The id of what was taken, or the reason of its refusal."""
    header = PARTNER.request()
    header.urgency = urgency
    if at_s:
        header.message_id = header.exchange_id = PARTNER.new_id(int((time.time() + at_s) * 1000))
    message = PARTNER.wrap(header, PARTNER.alias())
    try:
        client.verify_receipt(message, PARTNER.submit(message), PARTNER.facts["vkeys"])
        return header.message_id
    except grpc.RpcError as error:
        return client.refusal(error)[:2]


def is_taken(answer):
    return isinstance(answer, bytes)


def is_doubted(answer):
    return answer == ("UNAVAILABLE", "clock.doubt")


def arrived(message_id):
    return is_taken(message_id) and wait_for(
        lambda: len(PARTNER.receipts(message_id).receipts) == 2)


def leaf_time(leaf):
    return struct.unpack(">Q", leaf[8:16])[0]


def record_of(log, message_id):
    """(time of its leaf, what its record was let through without)"""
    for leaf, record in zip(log.leaves, log.records):
        if record.kind == 1 and record.message_id == message_id:
            return leaf_time(leaf), record.reason
    return 0, "no record"


def slightly_back(cdmx):
    send()
    before = int(time.time())
    cdmx.set(-3)
    answer = send()
    VERDICT.promise("three seconds back: ordinary messages go on", is_taken(answer))
    VERDICT.promise("with an alarm, and the last leaf's time", cdmx.said("clock.behind by_s=") and
                    not cdmx.node.lines("ordinary messages wait") and
                    record_of(cdmx.log(), answer)[0] >= before)
    cdmx.set(0)
    VERDICT.promise("and is believed again by itself", cdmx.said("clock.fine"))


def an_hour_back(cdmx):
    cdmx.set(-HOUR)
    VERDICT.promise("an hour back: ordinary messages wait", is_doubted(send()))
    urgent = send(urgency=2)
    VERDICT.promise("urgent ones go on, as far as the receiver's log", arrived(urgent))
    when, reason = record_of(cdmx.log(), urgent)
    VERDICT.promise("their record says it, and their leaf keeps the last time",
                    reason == "waived:clock.doubt" and abs(when - time.time()) < 60)
    VERDICT.promise("the health service says it", wait_for(lambda: not cdmx.is_serving()))
    cdmx.node.kill(signal.SIGTERM)
    cdmx.start(-HOUR)
    VERDICT.promise("a node that starts so is in doubt from its first moment", is_doubted(send()))
    VERDICT.promise("and not about what is urgent", arrived(send(urgency=2)))
    fine = cdmx.node.lines("clock.fine")
    cdmx.set(0)
    VERDICT.promise("the clock is put right: all goes on", cdmx.said("clock.fine", fine) and
                    arrived(send()) and wait_for(cdmx.is_serving))


def an_hour_forward(cdmx, ssc, pgj):
    cdmx.set(HOUR)
    VERDICT.promise("an hour forward: ordinary messages wait",
                    is_doubted(send()) and cdmx.said("clock.jumped ahead_s="))
    urgent = send(urgency=2)
    VERDICT.promise("urgent ones go on, and a peer with another time confirms nothing",
                    arrived(urgent) and is_doubted(send()))
    when, reason = record_of(cdmx.log(), urgent)
    VERDICT.promise("by the monotonic clock, and flagged",
                    reason == "waived:clock.doubt" and abs(when - time.time()) < 60)
    ssc.node.kill(signal.SIGTERM)
    ssc.start(HOUR)
    VERDICT.promise("one peer's fresh leaf agrees: its word alone does not do",
                    arrived(send(urgency=2)) and is_doubted(send()))
    pgj.node.kill(signal.SIGTERM)
    pgj.start(HOUR)
    VERDICT.promise("a second institution's cosignature agrees: the new time is adopted",
                    wait_for(lambda: arrived(send(urgency=2)) and is_taken(send())))
    last = send()
    when, reason = record_of(cdmx.log(), last)
    VERDICT.promise("leaves bear it, unflagged", not reason and
                    abs(when - time.time() - HOUR) < 60)


def by_the_operator(cdmx):
    fine = cdmx.node.lines("clock.fine")
    cdmx.set(3 * HOUR)
    VERDICT.promise("forward again: ordinary messages wait", is_doubted(send()))
    cdmx.node.process.send_signal(signal.SIGUSR2)
    VERDICT.promise("until the operator says that it is right",
                    cdmx.said("clock.fine", fine) and is_taken(send()))


def vkey(node):
    inside = False
    with open(f"{WORK}/directory.txt", encoding="utf-8") as text:
        for line in text:
            if not line.startswith(" "):
                inside = line.strip() == f"node {node}"
            elif inside and line.split()[0] == "log-key":
                return line.split()[1]
    raise KeyError(node)


def the_log_verifies(cdmx, offset_s):
    """By an auditor whose clock agrees with the node's."""
    times = [leaf_time(leaf) for leaf in cdmx.log().leaves]
    VERDICT.promise("leaf times never decreased, though the clock did", times == sorted(times))
    copy = f"{WORK}/copy{offset_s}"
    cdmx.set(offset_s)
    profile, keys = f"{WORK}/audit.conf", f"{WORK}/pki/auditor/cdmx.contraloria.auditor-01"
    with open(profile, "w", encoding="utf-8") as out:
        out.write(f"address = {PARTNER.facts['address']['cdmx/cdmx']}\n"
                  f"node = spiffe://enlace.cdmx/node/cdmx\ncertificate = {keys}/tls.pem\n"
                  f"key = {keys}/tls.key\nca = {WORK}/pki/ca/all.pem\nmember = cdmx/contraloria\n"
                  f"spool = {WORK}/spool\nnode_log = {vkey('cdmx/cdmx')}\n")
    for command in (("--profile", profile, "log", "export", copy, "--purpose", "revision",
                     "--records"), ("verify", "log", copy, "--vkey", vkey("cdmx/cdmx"))):
        done = subprocess.run([f"{BUILD}/bin/enlace", *command], capture_output=True, text=True,
                              timeout=30, check=False,
                              env=dict(os.environ, LD_PRELOAD=LIBRARY, CLOCK_SHIFT=cdmx.clock))
        problems = [] if done.returncode == 0 else [done.stdout + done.stderr]
        VERDICT.promise("its copy verifies" if command[0] == "verify" else "it is exported",
                        problems)


def main():
    cdmx, ssc, pgj = Home("cdmx"), Home("ssc"), Home("pgj")
    for home in (pgj, cdmx, ssc):
        home.start(0)
    VERDICT.promise("with both clocks right an ordinary message arrives (control)",
                    arrived(send()) and cdmx.is_serving() and not cdmx.node.lines("clock."))
    slightly_back(cdmx)
    an_hour_back(cdmx)
    the_log_verifies(cdmx, 0)
    an_hour_forward(cdmx, ssc, pgj)
    by_the_operator(cdmx)
    the_log_verifies(cdmx, 3 * HOUR)
    cdmx.node.kill(signal.SIGTERM)
    ssc.node.kill(signal.SIGTERM)
    return VERDICT.end()


if __name__ == "__main__":
    sys.exit(main())
