"""90_clocks - the life of exchanges whose clocks run, on nodes whose wall clocks this test sets.

    90_clocks.py WORK BUILD CLOCKSHIFT-LIBRARY
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

import grpc

import client
import ledger
import storm
from officials import Official, act

WORK, BUILD, LIBRARY = sys.argv[1:4]
HOUR, DAY = 3600, 86400
VERDICT = ledger.Verdict("90_clocks")
OFFSET = 0
ACCEPT, DECLINE, IN_FORCE, CONFIRM, DISPUTE, CLOSE = 2, 3, 5, 7, 8, 9


class ShiftedTime:
    """What the partners' systems take for the time: the nodes'."""

    monotonic, sleep = time.monotonic, time.sleep

    @staticmethod
    def time():
        return time.time() + OFFSET


client.time = ShiftedTime


def now_ms():
    return int(ShiftedTime.time() * 1000)


def wait_for(check, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    return check()


class Home:
    """A node and its clock."""

    def __init__(self, code):
        self.code, self.node = code, storm.Node(WORK, BUILD, code)
        self.clock = f"{WORK}/{code}.clock"

    def start(self):
        self.set()
        self.node.start(LD_PRELOAD=LIBRARY, CLOCK_SHIFT=self.clock)

    def set(self):
        with open(f"{self.clock}.new", "w", encoding="utf-8") as file:
            file.write(f"{OFFSET:+d}\n")
        os.rename(f"{self.clock}.new", self.clock)

    def is_up(self):
        return not self.node.is_dead()

    def move(self):
        """Sets the clock, and says as its operator that it is right."""
        before = self.node.lines("clock.confirmed")
        self.set()
        self.node.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: self.node.lines("clock.confirmed") > before)

    def stop(self):
        self.node.kill(signal.SIGTERM)


class Desk:
    """A member's system that takes what comes: custody of requests, notices kept."""

    def __init__(self, system, node, urgency=1, takes_custody=True):
        self.partner = client.Partner(WORK, system, node)
        self.takes_custody = takes_custody
        self.notices, self.openings = [], []
        threading.Thread(target=self.run, args=(urgency,), daemon=True).start()

    def run(self, urgency):
        while True:
            try:
                stream = self.partner.attach(urgency)
                for response in stream:
                    if response.WhichOneof("response") == "delivery":
                        self.take(stream, response.delivery.message)
            except grpc.RpcError:
                time.sleep(0.2)

    def take(self, stream, message):
        header = self.partner.m.Header.FromString(message.header)
        content = header.WhichOneof("content")
        if content == "notice":
            self.notices.append(header)
        if content in ("measure_request", "support_request", "referral", "consultation"):
            self.openings.append(header)
            if self.takes_custody:
                stream.submit(self.partner.wrap(self.partner.custody(message)))
        else:
            stream.acknowledge(header.message_id)

    def told(self, opened, clock, percent):
        return [n for n in self.notices if n.exchange_id == opened.exchange_id and
                (n.notice.clock, n.notice.percent) == (clock, percent)]


HOMES = {code: Home(code) for code in ("cdmx", "ssc", "segob")}
MPI = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
SSC = client.Partner(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
SEGOB = client.Partner(WORK, "mx.segob.sistema", "mx/segob")
BOSS = {"mpi": Official(WORK, "cdmx.mpi-cdmx.enlace-01"),
        "ssc": Official(WORK, "cdmx.ssc.enlace-01"), "segob": Official(WORK, "mx.segob.enlace-01")}


def forward(seconds):
    global OFFSET  # pylint: disable=global-statement
    OFFSET += seconds
    for home in HOMES.values():
        if home.is_up():
            home.move()


def ask(partner=MPI, urgency=1, cadence=None, alias=True, **more):
    """Opens an exchange; the header."""
    header = partner.request(**more)
    header.urgency = urgency
    header.ClearField("decision")
    if cadence is not None:
        header.measure_request.items[0].cadence.count = 1
        header.measure_request.items[0].cadence.period = cadence
    partner.submit(partner.wrap(header, partner.alias() if alias else ()))
    return header


def do(partner, official, opened, event, **fields):
    header = act(partner, opened, event, official, **fields)
    partner.submit(official.sign(partner.wrap(header)))
    return header


def refused(text, call, reason):
    try:
        call()
        VERDICT.promise(f"{text}: {reason}", ["accepted"])
    except grpc.RpcError as error:
        got = client.refusal(error)
        VERDICT.promise(f"{text}: {reason}", [] if got[1] == reason else [str(got)])


def state(partner, opened):
    return partner.track(opened.exchange_id).items[0].state


def clock(partner, opened, name, item=0):
    for found in partner.track(opened.exchange_id).clocks:
        if (found.id, found.item) == (name, item):
            return found
    return None


def is_told(partners, opened, name, percent):
    return wait_for(lambda: all(clock(p, opened, name).told == percent for p in partners))


def agree(opened, name, one=MPI, other=SSC):
    """Both nodes derived the same instants."""
    a, b = clock(one, opened, name), clock(other, opened, name)
    return (a.due_at_ms, a.anchored.occurred_at_ms) == (b.due_at_ms, b.anchored.occurred_at_ms)


def records(node):
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", node)
    log = ledger.Log(MPI.facts["vkeys"])
    log.read(auditor)
    return log.records


# ---- the stories ----

def urgent(desks):
    """3 h issued, 9 h in force."""
    opened = ask(urgency=2)
    VERDICT.promise("urgent: the receiver has custody",
                    bool(wait_for(lambda: state(MPI, opened) == 3)))
    f1 = clock(MPI, opened, "F1")
    VERDICT.promise("F1 runs for 3 h from the instant of the sender's leaf, on both nodes",
                    f1.due_at_ms - f1.anchored.occurred_at_ms == 3 * HOUR * 1000 and
                    agree(opened, "F1") and not clock(MPI, opened, "F2").HasField("anchored") and
                    clock(MPI, opened, "F6") is None)
    VERDICT.promise("the requester is responsible until R3",
                    MPI.track(opened.exchange_id).items[0].responsible == "cdmx/mpi-cdmx")
    forward(HOUR + 30 * 60 + 5)
    VERDICT.promise("50 %: both nodes say so", is_told((MPI, SSC), opened, "F1", 50))
    VERDICT.promise("and the late member's own system is told, the requester's is not",
                    bool(wait_for(lambda: desks["ssc"].told(opened, "F1", 50))) and
                    not desks["mpi"].told(opened, "F1", 50))
    forward(45 * 60)
    VERDICT.promise("75 %: the requester's system, too",
                    is_told((MPI, SSC), opened, "F1", 75) and
                    bool(wait_for(lambda: desks["mpi"].told(opened, "F1", 75))))
    do(SSC, BOSS["ssc"], opened, ACCEPT)
    wait_for(lambda: state(MPI, opened) == 4)
    f1 = clock(MPI, opened, "F1")
    VERDICT.promise("R3 in time stops F1 on both sides and moves the responsibility",
                    f1.HasField("stopped") and not f1.is_overdue and f1.percent_left > 0 and
                    clock(SSC, opened, "F1").stopped == f1.stopped and
                    MPI.track(opened.exchange_id).items[0].responsible == "cdmx/ssc")
    f2 = clock(MPI, opened, "F2")
    VERDICT.promise("and anchors F2: 9 h from there", agree(opened, "F2") and
                    f2.due_at_ms - f2.anchored.occurred_at_ms == 9 * HOUR * 1000 and
                    f2.anchored == f1.stopped)
    forward(HOUR)
    time.sleep(1.5)
    VERDICT.promise("what was answered is not told any more",
                    clock(MPI, opened, "F1").told == 75 and not desks["mpi"].told(opened, "F1", 100))
    forward(8 * HOUR + 60)
    VERDICT.promise("F2 runs out: OVERDUE on both", is_told((MPI, SSC), opened, "F2", 100) and
                    clock(MPI, opened, "F2").is_overdue and clock(SSC, opened, "F2").is_overdue)
    VERDICT.promise("the ladder's other institutions are told, by both nodes",
                    wait_for(lambda: len(desks["cdhcm"].told(opened, "F2", 100)) == 2 and
                             len(desks["secgob"].told(opened, "F2", 100)) == 2))
    notice = desks["cdhcm"].told(opened, "F2", 100)[0]
    VERDICT.promise("without a word about a person", not notice.subjects and
                    notice.notice.late == "cdmx/ssc" and not notice.catalogue_code)
    late = profile("cdmx.ssc", "enlace-01", "cdmx/ssc", True)
    VERDICT.promise("and whoever is on duty at the late one is called",
                    bool(wait_for(lambda: called(late, opened, "F2", 100))))
    do(SSC, BOSS["ssc"], opened, IN_FORCE, evidence_sha256=b"\1" * 32)
    wait_for(lambda: state(MPI, opened) == 6)
    VERDICT.promise("until it is answered", not called(late, opened, "F2", 100) and
                    called(late, opened, "F2", 100, "--over"))
    f2 = clock(MPI, opened, "F2")
    VERDICT.promise("R4 stops it, and it stays known that it was late",
                    f2.HasField("stopped") and f2.is_overdue)
    return opened


def dispute(opened):
    header = do(MPI, BOSS["mpi"], opened, DISPUTE, reason="no-se-implemento")
    wait_for(lambda: state(SSC, opened) == 5)
    f2 = clock(MPI, opened, "F2")
    VERDICT.promise("a dispute reopens the second clock, on both sides",
                    not f2.HasField("stopped") and f2.told == 0 and not f2.is_overdue and
                    f2.due_at_ms - f2.anchored.occurred_at_ms == 9 * HOUR * 1000 and
                    agree(opened, "F2") and header.exchange_id == opened.exchange_id)
    do(SSC, BOSS["ssc"], opened, IN_FORCE, evidence_sha256=b"\2" * 32)
    wait_for(lambda: state(MPI, opened) == 6)
    do(MPI, BOSS["mpi"], opened, CONFIRM)
    VERDICT.promise("and the requester confirms in the end, signed", state(MPI, opened) == 6)


def told_by_telephone():
    """An act counts from when it happened; both times are shown."""
    opened = ask(urgency=2)
    wait_for(lambda: state(MPI, opened) == 3)
    forward(HOUR)
    header = act(SSC, opened, ACCEPT, BOSS["ssc"])
    header.occurred_at = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                       time.gmtime(ShiftedTime.time() - 30 * 60))
    early, future = client.Partner.new_id(), client.Partner.new_id()
    header.out_of_band = 1
    nobody = act(SSC, opened, ACCEPT, BOSS["ssc"])
    nobody.out_of_band = 1
    refused("told by telephone, but not when",
            lambda: SSC.submit(BOSS["ssc"].sign(SSC.wrap(nobody))), "band.no_time")
    wrong = SSC.m.Header.FromString(header.SerializeToString())
    wrong.message_id, wrong.occurred_at = early, "2026-01-01T10:00:00-06:00"
    refused("told before it was asked", lambda: SSC.submit(BOSS["ssc"].sign(SSC.wrap(wrong))),
            "time.before_opening")
    wrong.message_id = future
    wrong.occurred_at = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                      time.gmtime(ShiftedTime.time() + 900))
    refused("told in the future", lambda: SSC.submit(BOSS["ssc"].sign(SSC.wrap(wrong))),
            "time.in_future")
    SSC.submit(BOSS["ssc"].sign(SSC.wrap(header)))
    wait_for(lambda: state(MPI, opened) == 4)
    f2 = clock(MPI, opened, "F2")
    VERDICT.promise("told by telephone: the clock runs from then, both times are kept by both",
                    agree(opened, "F2") and f2.anchored.out_of_band == 1 and
                    1790 * 1000 < f2.anchored.entered_at_ms - f2.anchored.occurred_at_ms <
                    1860 * 1000 and clock(SSC, opened, "F2").anchored == f2.anchored)


def occurrences(desks):
    """A measure whose weekly reports stop."""
    opened = ask(cadence=3)
    wait_for(lambda: state(MPI, opened) == 3)
    do(SSC, BOSS["ssc"], opened, ACCEPT)
    do(SSC, BOSS["ssc"], opened, IN_FORCE, evidence_sha256=b"\3" * 32)
    wait_for(lambda: state(MPI, opened) == 6)
    report(opened, 1)
    wait_for(lambda: MPI.track(opened.exchange_id).items[0].occurrences == 1)
    forward(8 * DAY)
    time.sleep(1.5)
    item = MPI.track(opened.exchange_id).items[0]
    VERDICT.promise("a measure that was reported on owes nothing", item.missing == 0 and
                    item.occurrence_due_at_ms > now_ms() and
                    not desks["mpi"].told(opened, "OCURRENCIA", 100))
    forward(7 * DAY)
    VERDICT.promise("its reports stop: the occurrence is OVERDUE on both sides",
                    wait_for(lambda: all(p.track(opened.exchange_id).items[0].missing == 1
                                         for p in (MPI, SSC))))
    VERDICT.promise("and told to both and up the ladder",
                    wait_for(lambda: all(desks[d].told(opened, "OCURRENCIA", 100)
                                         for d in ("mpi", "ssc", "cdhcm"))))
    report(opened, 2)
    VERDICT.promise("the report that comes late makes it whole",
                    wait_for(lambda: MPI.track(opened.exchange_id).items[0].missing == 0))
    changes(opened)


def report(opened, occurrence):
    header = act(SSC, opened, 1)
    header.ClearField("act")
    header.status_report.item, header.status_report.occurrence = 1, occurrence
    header.status_report.action_code = "PRO-COD-VIG"
    SSC.submit(SSC.wrap(header))


def change(opened, kind, ends_on="", has_decision=True):
    header = act(MPI, opened, 1)
    header.ClearField("act")
    header.measure_change.item, header.measure_change.kind = 1, kind
    header.measure_change.ends_on = ends_on
    if has_decision:
        header.decision.organ, header.decision.session = "Consejo", "S2"
        header.decision.date, header.decision.sha256 = "2026-01-05", b"\5" * 32
    MPI.submit(MPI.wrap(header))


def changes(opened):
    """What a decision changes takes effect on the occurrences."""
    def item(partner):
        return partner.track(opened.exchange_id).items[0]
    refused("a change without the decision that it executes",
            lambda: change(opened, 2, has_decision=False), "decision.missing")
    change(opened, 2)
    VERDICT.promise("suspended: no occurrence falls due",
                    wait_for(lambda: all(item(p).is_suspended and item(p).occurrence_due_at_ms == 0
                                         for p in (MPI, SSC))))
    change(opened, 4, "2030-12-31")
    VERDICT.promise("renewed: they are counted from today",
                    wait_for(lambda: all(not item(p).is_suspended and item(p).missing == 0 and
                                         item(p).occurrence_due_at_ms > now_ms() and
                                         item(p).ends_on == "2030-12-31" for p in (MPI, SSC))))
    refused("an extension that ends before the measure does",
            lambda: change(opened, 1, "2029-01-01"), "change.not_later")
    change(opened, 3)
    VERDICT.promise("lifted: it ends today, and nothing falls due",
                    wait_for(lambda: all(item(p).occurrence_due_at_ms == 0 for p in (MPI, SSC))))


def partition(desks):
    """A day without the other node: each derives the same by itself, after a restart, too."""
    opened = ask(urgency=2)
    wait_for(lambda: state(MPI, opened) == 3)
    told = len(desks["cdhcm"].notices)
    HOMES["ssc"].stop()
    forward(DAY)
    VERDICT.promise("the other node down for a day: overdue here",
                    is_told((MPI,), opened, "F1", 100) and clock(MPI, opened, "F1").is_overdue)
    VERDICT.promise("and another institution than the late one knows",
                    wait_for(lambda: len(desks["cdhcm"].told(opened, "F1", 100)) == 1) and
                    len(desks["cdhcm"].notices) > told)
    HOMES["cdmx"].stop()
    HOMES["ssc"].start()
    VERDICT.promise("the other side, alone and restarted: overdue there, too",
                    is_told((SSC,), opened, "F1", 100) and clock(SSC, opened, "F1").is_overdue)
    HOMES["cdmx"].start()
    VERDICT.promise("once they meet both say the same, told once", agree(opened, "F1") and
                    wait_for(lambda: len(desks["cdhcm"].told(opened, "F1", 100)) == 2))


def jumps():
    """A clock that jumps by itself fires nothing until somebody agrees; set back it misses nothing."""
    global OFFSET  # pylint: disable=global-statement
    opened = ask(urgency=2)
    wait_for(lambda: state(MPI, opened) == 3)
    OFFSET += 2 * HOUR
    HOMES["cdmx"].set()
    time.sleep(2.5)
    early = clock(MPI, opened, "F1").told
    OFFSET -= 3 * HOUR
    HOMES["cdmx"].set()
    time.sleep(1.5)
    VERDICT.promise("a clock that jumps forward, or is set back, fires nothing early",
                    early == 0 and clock(MPI, opened, "F1").told == 0)
    OFFSET += HOUR
    HOMES["cdmx"].set()
    wait_for(lambda: HOMES["cdmx"].node.lines("clock.fine") > 0)
    forward(HOUR + 31 * 60)
    VERDICT.promise("and misses nothing", is_told((MPI, SSC), opened, "F1", 50))


def decline(opened, reason, competent=""):
    return do(SSC, BOSS["ssc"], opened, DECLINE, reason=reason, competent=competent)


def rerouted(desks):
    """Declined as not competent: the origin turns to who is, by a request of its own."""
    opened = ask(route="mpi-ssc-apoyo-federal", code="FED-APO")
    wait_for(lambda: state(MPI, opened) == 3)
    refused("a decline without a reason of the table", lambda: decline(opened, "porque-no"),
            "reason.unknown")
    refused("not competent, and nobody named", lambda: decline(opened, "no-competente"),
            "competent.missing")
    refused("competent itself", lambda: decline(opened, "no-competente", "cdmx/ssc"),
            "competent.self")
    early = onward(opened)
    refused("going on before anybody declined", lambda: MPI.submit(MPI.wrap(early, MPI.alias())),
            "exchange.parent")
    decline(opened, "no-competente", "cdmx/c5")
    wait_for(lambda: state(MPI, opened) == 9)
    item = MPI.track(opened.exchange_id).items[0]
    VERDICT.promise("declined: the clock stops, the requester stays responsible, and knows whom to "
                    "ask", (item.reason, item.competent, item.responsible) ==
                    ("no-competente", "cdmx/c5", "cdmx/mpi-cdmx"))
    again = onward(opened)
    MPI.submit(MPI.wrap(again, MPI.alias()))
    VERDICT.promise("the request goes on to who is competent, and says what it replaces",
                    bool(wait_for(lambda: any(o.exchange_id == again.exchange_id
                                              for o in desks["c5"].openings))) and
                    MPI.track(again.exchange_id).parent_exchange_id == opened.exchange_id)


def onward(declined):
    header = MPI.request(to="cdmx/c5", route="mpi-c5-apoyo-federal", code="FED-APO")
    header.ClearField("decision")
    header.parent_exchange_id = declined.exchange_id
    return header


def support():
    """What the federal mechanism asks of the city."""
    header = SEGOB.request(to="cdmx/mpi-cdmx", route="segob-mpi-apoyo", code="FED-APO")
    header.ClearField("decision")
    header.support_request.items.add(number=1, code="FED-APO")
    SEGOB.submit(SEGOB.wrap(header, [(1, SEGOB.m.IdentityCompartment(full_name="Sintética"))]))
    return header


def federal():
    """Federal, city, agency: 10 days to decide, 30 to be in force; the child fits inside."""
    parent = support()
    wait_for(lambda: state(SEGOB, parent) == 3)
    f4, f6 = clock(SEGOB, parent, "F4"), clock(SEGOB, parent, "F6")
    VERDICT.promise("ordinary: 10 and 30 calendar days, to the end of the local day",
                    agree(parent, "F4", SEGOB, MPI) and agree(parent, "F6", SEGOB, MPI) and
                    f4.due_at_ms % (DAY * 1000) == 6 * HOUR * 1000 and
                    10 * DAY < (f4.due_at_ms - f4.anchored.occurred_at_ms) / 1000 <= 11 * DAY and
                    f6.due_at_ms - f4.due_at_ms == 20 * DAY * 1000)
    do(MPI, BOSS["mpi"], parent, ACCEPT)
    forward(2 * DAY)
    child = MPI.request(route="mpi-ssc-apoyo-federal", code="FED-APO")
    child.ClearField("decision")
    child.parent_exchange_id = parent.exchange_id
    refused("a child that may take longer than its parent",
            lambda: MPI.submit(MPI.wrap(child, MPI.alias())), "clock.exceeds_parent")
    anchored = child.clocks.add(id="F6", due_at_ms=f6.due_at_ms)
    anchored.anchored_at_ms = now_ms() + 15 * 60 * 1000
    refused("a clock that runs from a moment to come",
            lambda: MPI.submit(MPI.wrap(child, MPI.alias())), "clock.anchor")
    anchored.anchored_at_ms, anchored.due_at_ms = now_ms() - 3 * DAY * 1000, now_ms()
    refused("a clock that runs from nothing that happened",
            lambda: MPI.submit(MPI.wrap(child, MPI.alias())), "clock.anchor")
    anchored.anchored_at_ms, anchored.due_at_ms = now_ms(), f6.due_at_ms
    MPI.submit(MPI.wrap(child, MPI.alias()))
    wait_for(lambda: state(MPI, child) == 3)
    VERDICT.promise("one that fits: both nodes keep the parent's earlier end",
                    agree(child, "F6") and clock(SSC, child, "F6").due_at_ms == f6.due_at_ms)
    VERDICT.promise("the child moves no responsibility of the parent's",
                    SEGOB.track(parent.exchange_id).items[0].responsible == "cdmx/mpi-cdmx")
    do(SSC, BOSS["ssc"], child, ACCEPT)
    made = act(SSC, child, IN_FORCE, BOSS["ssc"], evidence_sha256=b"\4" * 32)
    message = BOSS["ssc"].sign(SSC.wrap(made))
    SSC.submit(message)
    wait_for(lambda: state(MPI, child) == 6)
    do(MPI, BOSS["mpi"], parent, IN_FORCE, evidence_sha256=client.commitment(message))
    VERDICT.promise("the parent's R4 cites the child's, and stops its clock in time",
                    bool(wait_for(lambda: state(SEGOB, parent) == 6)) and
                    clock(SEGOB, parent, "F6").HasField("stopped") and
                    not clock(SEGOB, parent, "F6").is_overdue)


def ordinary_runs_out(desks):
    """Nobody answers an ordinary request: told at 50, 75 and 100 % of 30 days."""
    opened = ask()
    wait_for(lambda: state(MPI, opened) == 3)
    for days, percent in ((16, 50), (8, 75), (8, 100)):
        forward(days * DAY)
        VERDICT.promise(f"30 days, nobody answers: {percent} % is told on both sides",
                        is_told((MPI, SSC), opened, "F6", percent))
    VERDICT.promise("in the end to another institution than the late one",
                    bool(wait_for(lambda: desks["cdhcm"].told(opened, "F6", 100))) and
                    clock(SSC, opened, "F6").is_overdue)


def consultation():
    """One question to two members; who does not answer before the session ends, can not."""
    def question(to, route):
        header = MPI.header(to, route)
        header.consent.state = 3
        header.consultation.session = "MESA-7"
        header.consultation.expires_at_ms = now_ms() + HOUR * 1000
        MPI.submit(MPI.wrap(header))
        return header
    ssc = question("cdmx/ssc", "mpi-ssc-consulta")
    secgob = question("cdmx/secgob", "mpi-secgob-consulta")
    wait_for(lambda: state(MPI, ssc) == 3)
    do(SSC, BOSS["ssc"], ssc, ACCEPT)
    wait_for(lambda: state(MPI, ssc) == 4)
    forward(HOUR + 60)
    VERDICT.promise("a consultation ends with its session: what was answered stands, the rest failed",
                    bool(wait_for(lambda: state(MPI, secgob) == 10)) and state(MPI, ssc) == 4 and
                    MPI.track(secgob.exchange_id).items[0].reason == "sesion-concluida")
    refused("an answer after the session",
            lambda: do(SSC, BOSS["ssc"], ssc, IN_FORCE, evidence_sha256=b"\6" * 32),
            "exchange.expired")


def bad_acts(opened):
    """Out of order, by the wrong one, unsigned, of nothing known, twice."""
    refused("in force before anybody accepted",
            lambda: do(SSC, BOSS["ssc"], opened, IN_FORCE, evidence_sha256=b"\1" * 32),
            "life.not_from_here")
    refused("accepted by the requester", lambda: do(MPI, BOSS["mpi"], opened, ACCEPT),
            "route.direction")
    stranger = act(SSC, opened, ACCEPT, BOSS["ssc"])
    refused("accepted by another institution's official",
            lambda: SSC.submit(BOSS["mpi"].sign(SSC.wrap(stranger))), "signature.not_official")
    unsigned = act(SSC, opened, ACCEPT, BOSS["ssc"])
    refused("accepted without a signature", lambda: SSC.submit(SSC.wrap(unsigned)),
            "signature.missing")
    nowhere = act(SSC, opened, ACCEPT, BOSS["ssc"])
    nowhere.exchange_id = client.Partner.new_id()
    refused("of an exchange that nobody knows",
            lambda: SSC.submit(BOSS["ssc"].sign(SSC.wrap(nowhere))), "exchange.unknown")
    first = act(SSC, opened, ACCEPT, BOSS["ssc"])
    message = BOSS["ssc"].sign(SSC.wrap(first))
    receipt = SSC.submit(message)
    VERDICT.promise("the same act twice is one: the first receipt again",
                    SSC.submit(message) == receipt)
    refused("accepted once more by another act", lambda: do(SSC, BOSS["ssc"], opened, ACCEPT),
            "life.not_from_here")


# ---- the same, as people at a terminal do it ----

def vkeys():
    node = None
    with open(f"{WORK}/directory.txt", encoding="utf-8") as text:
        for line in text:
            if not line.startswith(" "):
                node = line.split()[1] if line.startswith("node ") else None
            elif node and line.split()[0] == "log-key":
                yield node, line.split()[1]


def profile(member, system, node, is_official=False):
    keys = f"{WORK}/pki/{'official' if is_official else 'system'}/{member}.{system}"
    official = f"{WORK}/pki/official/{member}.enlace-01"
    path = f"{WORK}/{member}.{system}.conf"
    logs = dict(vkeys())
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"address = {MPI.facts['address'][node]}\n"
                  f"node = spiffe://enlace.cdmx/node/{node.split('/')[1]}\n"
                  f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\n"
                  f"ca = {WORK}/pki/ca/all.pem\nmember = {member.replace('.', '/')}\n"
                  f"{'' if is_official else f'system = {system}'}\nnode_log = {logs[node]}\n"
                  f"official_certificate = {official}/tls.pem\n"
                  f"official_key = {official}/tls.key\nspool = {WORK}/spool-{member}\n")
        out.writelines(f"log = {key}\n" for name, key in logs.items() if name != node)
    return path


def run(conf, *words, content=None):
    """(exit status, what it says) of the command, by the nodes' time."""
    done = subprocess.run([f"{BUILD}/bin/enlace", "--profile", conf, *words], text=True,
                          capture_output=True, timeout=30, check=False,
                          input=json.dumps(content) if content else None,
                          env=dict(os.environ, LD_PRELOAD=LIBRARY,
                                   CLOCK_SHIFT=HOMES["cdmx"].clock))
    return done.returncode, done.stdout + done.stderr


def called(conf, opened, name, percent, *words):
    """Is somebody of the profile's institution called about this clock?"""
    status, said = run(conf, "--json", "duty", "list", *words)
    calls = json.loads(said)["calls"] if status == 0 else []
    return any((c["exchange_id"], c["clock"], c["percent"]) == (uuid(opened), name, percent)
               for c in calls)


def draft(kind, to, route, **more):
    rules, aviso = MPI.facts["routes"][route], MPI.facts["aviso"]["AVISO-MPI-CDMX"]
    return {"type": kind, "to": to, "purpose": rules["purpose"][0],
            "legal_basis": rules["basis"][0],
            "aviso": {"id": "AVISO-MPI-CDMX", "version": aviso["version"],
                      "sha256": aviso["document"]}, **more}


def at_a_terminal():
    mpi = profile("cdmx.mpi-cdmx", "plataforma", "cdmx/cdmx")
    ssc = profile("cdmx.ssc", "adapter", "cdmx/ssc")
    asked = draft("Consultation", "cdmx/ssc", "mpi-ssc-consulta", session="MESA-8",
                  expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                           time.gmtime(ShiftedTime.time() + DAY)),
                  consent={"state": "not_needed"})
    asked["recipients"] = [{"to": "cdmx/ssc"}, {"to": "cdmx/secgob"}]
    path = f"{WORK}/consulta.json"
    with open(path, "w", encoding="utf-8") as out:
        json.dump(asked, out)
    status, said = run(mpi, "consult", path)
    VERDICT.promise("enlace consult asks each member in an exchange of its own",
                    [] if status == 0 and said.count("Acuse R0 verificado") == 2 else [said])
    opened = ask(route="mpi-ssc-apoyo-federal", code="FED-APO")
    wait_for(lambda: state(MPI, opened) == 3)
    status, said = run(ssc, "act", "decline", uuid(opened))
    VERDICT.promise("enlace act decline lists the reasons", [] if status == 2 and
                    "no-competente" in said and "sin-capacidad" in said else [said])
    decline(opened, "no-competente", "cdmx/c5")
    wait_for(lambda: state(MPI, opened) == 9)
    again = draft("MeasureRequest", "cdmx/ssc", "mpi-c5-apoyo-federal", urgency="ordinary",
                  catalogue_code="FED-APO", consent={"state": "given", "reference": "SINTETICO-2"},
                  subjects=[{"role": "person"}], items=[{"code": "FED-APO"}],
                  compartments=[{"subject": 0, "type": "identity", "fields": {"alias": "S"}}])
    status, said = run(mpi, "--json", "submit", "-", "--reroute", uuid(opened), content=again)
    VERDICT.promise("enlace submit --reroute goes to who is competent",
                    [] if status == 0 else [said])
    new = json.loads(said)["message_id"] if status == 0 else uuid(opened)
    status, said = run(mpi, "--json", "track", new)
    track = json.loads(said)
    clocks = {c["id"]: c for c in track["clocks"]}
    VERDICT.promise("as its successor, inside the time that was left",
                    [] if track["to"] == "cdmx/c5" and
                    track["parent_exchange_id"] == uuid(opened) and
                    clocks["F6"]["due_at_ms"] == clock(MPI, opened, "F6").due_at_ms else [said])
    status, said = run(mpi, "track", new)
    VERDICT.promise("enlace track says who must act, and until when", [] if status == 0 and
                    "responsable: cdmx/mpi-cdmx" in said and "F6" in said and "vence" in said
                    else [said])


def uuid(opened):
    text = opened.exchange_id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def overdue_is_recorded():
    for node in ("cdmx/cdmx", "cdmx/ssc"):
        kinds = [(r.reason, r.count) for r in records(node) if r.kind == 19]
        VERDICT.promise(f"{node}: each clock that told is a record of its log",
                        ("F1", 50) in kinds and ("F2", 100) in kinds and
                        ("OCURRENCIA", 100) in kinds)


def nobody_else_makes_notices(opened):
    header = act(MPI, opened, 1)
    header.ClearField("act")
    header.notice.regards, header.notice.clock, header.notice.percent = opened.message_id, "F1", 100
    header.notice.route, header.notice.late = "mpi-ssc-medidas", "cdmx/ssc"
    header.notice.anchored_at_ms = header.notice.due_at_ms = 5
    refused("a notice by a member's system", lambda: MPI.submit(MPI.wrap(header)), "notice.by_node")


def main():
    for home in HOMES.values():
        home.start()
    desks = {"ssc": Desk("cdmx.ssc.adapter", "cdmx/ssc", 2),
             "ssc-ordinary": Desk("cdmx.ssc.adapter", "cdmx/ssc")}
    for name, code in (("mpi", "mpi-cdmx.plataforma"), ("cdhcm", "cdhcm.adapter"),
                       ("secgob", "secgob.adapter")):
        desks[name] = Desk(f"cdmx.{code}", "cdmx/cdmx", 2)
    opened = urgent(desks)
    dispute(opened)
    told_by_telephone()
    jumps()
    partition(desks)
    calm = {"ssc": desks["ssc-ordinary"],
            "mpi": Desk("cdmx.mpi-cdmx.plataforma", "cdmx/cdmx"),
            "cdhcm": Desk("cdmx.cdhcm.adapter", "cdmx/cdmx"),
            "secgob": Desk("cdmx.secgob.adapter", "cdmx/cdmx")}
    desks["c5"] = Desk("cdmx.c5.adapter", "cdmx/cdmx")
    rerouted(desks)
    consultation()
    federal()
    later = ask()
    wait_for(lambda: state(MPI, later) == 3)
    bad_acts(later)
    at_a_terminal()
    occurrences(calm)
    ordinary_runs_out(calm)
    nobody_else_makes_notices(opened)
    overdue_is_recorded()
    for home in HOMES.values():
        home.stop()
    return VERDICT.end()


if __name__ == "__main__":
    sys.exit(main())
