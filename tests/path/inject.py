"""inject - strace strikes a node at its n-th call of a kind: the process is killed, or the call fails.

`launch` counts from the program's first instruction, `attach` from now on; strace counts for each
thread by itself, and only calls on `paths` when there are any. Needs root: a node is not dumpable.
"""
import os
import signal
import subprocess
import time

import storm

KILL = "signal=KILL"


class Strike:
    """One fault that is to come: at the n-th `call` (before it has any effect)."""

    def __init__(self, call, action, number, paths=()):
        self.call, self.action, self.number, self.paths = call, action, number, list(paths)
        self.tracer = None

    def __str__(self):
        where = f" on {'/'.join(self.paths[0].split('/')[-2:])}" if self.paths else ""
        return f"{self.action.split('=')[1]} at {self.call} {self.number}{where}"

    def options(self, out):
        paths = [part for path in self.paths for part in ("-P", path)]
        return ["strace", "-f", "-qq", "-o", out, "-e", f"trace={self.call}", "-e",
                f"inject={self.call}:{self.action}:when={self.number}", *paths]


class Struck:
    """A node that a strike may meet."""

    def __init__(self, node, work):
        self.node, self.out = node, f"{work}/strike"

    def launch(self, strike):
        """Starts it; returns when it is ready, or dead."""
        node = self.node
        if os.path.exists(self.out):
            os.unlink(self.out)
        before = node.lines("node.ready")
        with open(f"{node.home}/log", "ab") as log:
            tracer = subprocess.Popen([*strike.options(self.out), node.program, f"{node.home}/enlaced.conf"],
                                      stdout=log, stderr=log)
        strike.tracer = node.process = tracer
        until = time.monotonic() + storm.READY_SECONDS
        while node.lines("node.ready") == before and tracer.poll() is None and time.monotonic() < until:
            time.sleep(0.01)

    def attach(self, strike):
        """Returns when each of its threads is watched."""
        if os.path.exists(self.out):
            os.unlink(self.out)
        pid = self.node.process.pid
        strike.tracer = subprocess.Popen([*strike.options(self.out), "-p", str(pid)],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not all_traced(pid) and time.monotonic() < until:
            time.sleep(0.005)

    def detach(self, strike):
        if strike.tracer.poll() is None:
            strike.tracer.send_signal(signal.SIGINT)
        strike.tracer.wait(10)

    def was_reached(self):
        if not os.path.exists(self.out):
            return False
        with open(self.out, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return "(INJECTED)" in text or "killed by SIGKILL" in text


def all_traced(pid):
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as status:
                if "\nTracerPid:\t0\n" in status.read():
                    return False
    except (FileNotFoundError, ProcessLookupError):
        return True
    return True
