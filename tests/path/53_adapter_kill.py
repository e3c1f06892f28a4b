"""53_adapter_kill - the reference adapter killed while it executes: every step is said once.

    53_adapter_kill.py WORK BUILD KILLS SEED

The requester's own ledger says what came back for each request; by the script that is custody,
acceptance, in force, REPORTS occurrences and the end, each as one message and no other.
"""
import collections
import os
import random
import subprocess
import sys
import threading
import time

import grpc

import client
import ledger
import storm

REPORTS = 5
CUSTODY, ACCEPT, IN_FORCE, END = 1, 2, 5, 6
STEPS = {("act", CUSTODY), ("act", ACCEPT), ("act", IN_FORCE), ("act", END),
         *(("report", n) for n in range(1, REPORTS + 1))}
STATE_ENDED = 7


class Adapter:
    def __init__(self, work, build):
        self.work, self.build, self.process = work, build, None

    def start(self):
        with open(f"{self.work}/adapter.log", "ab") as log:
            self.process = subprocess.Popen(
                [f"{self.build}/bin/enlace-reference", "--profile", f"{self.work}/ssc.conf",
                 "--script", f"{self.work}/script"], stdout=log, stderr=log)
        with open(f"{self.work}/pids/adapter", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))

    def kill(self):
        self.process.kill()
        self.process.wait()


class Requester:
    """Asks for measures until it is told to stop; keeps what comes back."""

    def __init__(self, work):
        self.partner = client.Partner(work, storm.SIDES[0][1], storm.SIDES[0][2])
        self.ledger = ledger.Ledger(f"{work}/ledger/mpi")
        self.lock = threading.Lock()
        self.asked = {}  # exchange id -> answered
        self.came = collections.defaultdict(lambda: collections.defaultdict(set))
        self.refused = []
        self.is_over = False
        self.asking = client.in_thread(self.ask)
        client.in_thread(self.take)

    def ask(self):
        while not self.is_over:
            header = self.partner.request()
            message = self.partner.wrap(header, self.partner.alias())
            self.ledger.say(ledger.row("sent", header.message_id, m=message.SerializeToString()))
            self.asked[header.message_id] = False
            while not self.asked[header.message_id]:
                try:
                    receipt = self.partner.submit(message, timeout=5)
                    self.ledger.say(ledger.row("answered", header.message_id,
                                               r=receipt.SerializeToString()))
                    self.asked[header.message_id] = True
                except grpc.RpcError as error:
                    if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED,
                                            grpc.StatusCode.DEADLINE_EXCEEDED):
                        self.refused.append(str(client.refusal(error)))
                        return
                    time.sleep(0.05)
            time.sleep(0.02)

    def take(self):
        while True:
            attachment = self.partner.attach()
            try:
                for response in attachment:
                    if response.WhichOneof("response") == "delivery":
                        attachment.acknowledge(self.note(response.delivery.message))
            except grpc.RpcError:
                pass
            attachment.close()
            time.sleep(0.05)

    def note(self, message):
        header = self.partner.m.Header.FromString(message.header)
        kind = header.WhichOneof("content")
        step = ("act", header.act.event) if kind == "act" else \
            ("report", header.status_report.occurrence) if kind == "status_report" else (kind, 0)
        with self.lock:
            self.came[header.exchange_id][step].add(header.message_id)
        return header.message_id

    def missing(self):
        with self.lock:
            return [f"{i.hex()}: no {step[0]} {step[1]}" for i in self.asked for step in STEPS
                    if step not in self.came[i]]

    def too_much(self):
        with self.lock:
            return [f"{i.hex()}: {len(ids)} messages for {step[0]} {step[1]}"
                    for i, steps in self.came.items() for step, ids in steps.items()
                    if len(ids) > 1 or step not in STEPS or i not in self.asked]

    def states(self):
        problems = []
        for i in self.asked:
            items = self.partner.track(i).items
            if [(item.state, item.occurrences) for item in items] != [(STATE_ENDED, REPORTS)]:
                problems.append(f"{i.hex()}: {items}")
        return problems


def strike(victims, weather):
    time.sleep(weather.uniform(0.05, 0.6))
    victim = weather.choice(victims)
    victim.kill()
    time.sleep(weather.uniform(0, 0.2))
    victim.start()


def main(work, build, kills, seed):
    verdict = ledger.Verdict("53_adapter_kill")
    weather = random.Random(seed)
    os.makedirs(f"{work}/ledger", exist_ok=True)
    client.generate_protocol(f"{work}/py")
    nodes = {code: storm.Node(work, build, code) for code in ("cdmx", "ssc")}
    for node in nodes.values():
        node.start()
    adapter = Adapter(work, build)
    adapter.start()
    requester = Requester(work)
    time.sleep(0.5)
    for _ in range(kills):
        strike([adapter] * 4 + [nodes["ssc"], nodes["cdmx"]], weather)
    requester.is_over = True
    requester.asking.join(30)
    until = time.monotonic() + 45
    while requester.missing() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)
    verdict.promise(f"{kills} kills (seed {seed}): {len(requester.asked)} requests were all taken",
                    requester.refused + [i.hex() for i, ok in requester.asked.items() if not ok])
    verdict.promise("there was load", len(requester.asked) > 2 * kills)
    verdict.promise(f"each was executed to its end, {len(STEPS)} steps", requester.missing())
    verdict.promise("no step was said twice", requester.too_much())
    verdict.promise(f"the node counts {REPORTS} occurrences of each, and calls it ended",
                    requester.states())
    with open(f"{work}/adapter.log", encoding="utf-8") as log:
        verdict.promise("nothing was parked for a person",
                        [line for line in log if "parked" in line and "parked=0" not in line])
    adapter.process.terminate()
    verdict.promise("the adapter stops in order", adapter.process.wait(15) == 0)
    for node in nodes.values():
        node.kill(15)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
