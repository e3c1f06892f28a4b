"""storm - two nodes and two partners' systems as processes, to be killed, and what remains judged.

The folder comes from tests/path/lib.sh (federation, node_settings). Processes leave their ids where
lib.sh finds and ends them.
"""
import os
import random
import signal
import subprocess
import sys
import time

import client
import ledger

HERE = os.path.dirname(os.path.abspath(__file__))
READY_SECONDS = 20
SIDES = (("mpi", "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx"), ("ssc", "cdmx.ssc.adapter", "cdmx/ssc"))
AUDITOR = "cdmx.contraloria.auditor-01"


class Node:
    def __init__(self, work, build, code, program=None):
        self.code, self.home, self.build = code, f"{work}/node/{code}", build
        self.program = program or f"{build}/bin/enlaced"
        self.process = None
        self.deaths = 0

    def lines(self, word):
        path = f"{self.home}/log"
        if not os.path.exists(path):
            return 0
        with open(path, "rb") as log:
            return log.read().count(word.encode())

    def start(self, **environment):
        """Returns when it is ready, or dead: a fault may be meant for the start."""
        before = self.lines("node.ready")
        with open(f"{self.home}/log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, f"{self.home}/enlaced.conf"], stdout=log, stderr=log,
                env=dict(os.environ, **environment))
        with open(f"{self.home}/pid", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))
        until = time.monotonic() + READY_SECONDS
        while self.lines("node.ready") == before and self.process.poll() is None:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.code} is not ready after {READY_SECONDS} s")
            time.sleep(0.02)
        if self.process.poll() not in (None, -signal.SIGKILL):
            self.complain()
        return self

    def complain(self):
        with open(f"{self.home}/log", encoding="utf-8", errors="replace") as log:
            print(f"    {self.code} ended with {self.process.poll()}:", *log.readlines()[-4:-1],
                  sep="\n    ", flush=True)

    def is_dead(self):
        return self.process is None or self.process.poll() is not None

    def kill(self, number=signal.SIGKILL):
        if not self.is_dead():
            self.process.send_signal(number)
        self.process.wait(timeout=30)
        self.deaths += 1
        return self.process.returncode

    def wait(self, seconds):
        """The exit status, or None after so many seconds."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def faulty(self, point, number, action="kill"):
        """Environment of a start that meets its fault there (tests/support/faultpoint.c)."""
        return {"LD_PRELOAD": f"{self.build}/tests/support/faultpoint.so",
                "FAULT_POINT": f"{point}:{number}:{action}"}


class System:
    def __init__(self, work, role):
        self.work, self.role, self.process = work, role, None

    def start(self):
        with open(f"{self.work}/{self.role}.log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, f"{HERE}/traffic.py", self.role, self.work],
                                            stdout=log, stderr=log)
        with open(f"{self.work}/pids/{self.role}", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))
        return self

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Storm:
    def __init__(self, work, build, seed):
        self.work, self.build, self.seed = work, build, seed
        self.random = random.Random(seed)
        os.makedirs(f"{work}/ledger", exist_ok=True)
        client.generate_protocol(f"{work}/py")
        self.nodes = {code: Node(work, build, code) for code in ("cdmx", "ssc")}
        self.systems = {role: System(work, role) for role in ("submitter", "recipient")}

    def begin(self):
        for part in (*self.nodes.values(), *self.systems.values()):
            part.start()

    def histories(self):
        return {role: ledger.History(f"{self.work}/ledger/{role}") for role, _, _ in SIDES}

    def is_drained(self):
        seen = self.histories()
        mpi, ssc = seen["mpi"], seen["ssc"]
        return (len(mpi.answered) == len(mpi.sent) == len(ssc.got) == len(ssc.sent) ==
                len(ssc.answered) == len(mpi.got))

    def drain(self, seconds):
        """No more new messages; True when everything went all the way and back."""
        with open(f"{self.work}/ledger/stop", "w", encoding="utf-8"):
            pass
        until = time.monotonic() + seconds
        while not self.is_drained():
            if time.monotonic() > until:
                return False
            time.sleep(0.3)
        time.sleep(1)  # what should not come would come now
        return True

    def count(self):
        return sum(len(seen.answered) for seen in self.histories().values())

    def state(self):
        return [f"{role}: sent {len(seen.sent)} answered {len(seen.answered)} got {len(seen.got)}"
                for role, seen in self.histories().items()]

    def end_systems(self):
        for system in self.systems.values():
            system.kill()

    def end(self):
        self.end_systems()
        for node in self.nodes.values():
            if not node.is_dead():
                node.kill()

    def judge(self, verdict):
        """Everything that the ledgers say against what the nodes hold; both nodes run."""
        sides = [(client.Partner(self.work, system, node),
                  ledger.History(f"{self.work}/ledger/{role}"),
                  client.Auditor(self.work, AUDITOR, node)) for role, system, node in SIDES]
        judge = ledger.Judge(sides)
        count = sum(len(history.answered) for _, history, _ in sides)
        verdict.promise("no message was refused, none had two receipts", judge.faults())
        verdict.promise(f"each of {count} answered messages is held: the same bytes get the same receipt",
                        judge.held())
        verdict.promise("each receipt verifies offline", judge.unverified())
        verdict.promise(f"{sum(len(s) for s in judge.signed.values())} checkpoints lie on one line of "
                        "leaves for each log", judge.inconsistent())
        verdict.promise("each answered message has one leaf on either side", judge.logged_twice())
        verdict.promise("everything answered was delivered", judge.undelivered())
        verdict.promise("nothing was delivered as new twice", judge.twice_new())
        verdict.promise("nothing was delivered that was not sent so", judge.never_sent())
