#!/usr/bin/env python3
"""Reading a log of many leaves: start, proofs, one person's records, rescan, verification, bytes.

loggen makes the log with the node's own functions; then a real node is started on it, fills its
index, is asked by an auditor over mutual TLS, and started again. Prints rows and adds them to
results.json under stable names; at another size than a million the names end in "@SIZE".
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import console_page

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTS = 7641
# name: goal, and whether more is better
GOALS = {"proof_us": (100, False), "start_ms": (100, False), "verify_leaves_per_s": (500000, True),
         "disclosure_ms": (50, False), "console_first_page_ms": (100, False),
         "console_filter_ms": (200, False), "console_largest_mb": (40, False)}


def size_of(folder):
    return sum(os.stat(os.path.join(at, name)).st_blocks * 512
               for at, _, names in os.walk(folder) for name in names)


class LogBench:
    def __init__(self, args):
        self.args = args
        self.place = os.path.abspath(args.place)
        self.rows = {}
        self.child = None

    def path(self, *parts):
        return os.path.join(self.place, *parts)

    def run(self, *command, code=0):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != code:
            raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def directory_value(self, head, key):
        with open(self.path("directory.txt"), encoding="utf-8") as text:
            inside = False
            for line in text:
                if line[:1].strip():
                    inside = line.strip() == head
                elif inside and line.split()[:1] == [key]:
                    return line.split()[1]
        raise SystemExit(f"no {key} in {head}")

    def prepare(self):
        shutil.rmtree(self.place, ignore_errors=True)
        os.makedirs(self.path("data"), mode=0o700)
        os.chmod(self.place, 0o700)
        self.run(f"{ROOT}/certs/make_pki.sh", self.path("pki"))
        self.run(f"{ROOT}/deploy/demo/make_directory.sh", self.path("pki"),
                 self.path("directory.txt"), "--ports-from", str(PORTS))
        node = self.path("pki/node/cdmx")
        directory = self.path("directory")
        with open(self.path("enlaced.conf"), "w", encoding="utf-8") as conf:
            conf.write(f"node = cdmx/cdmx\nlisten = {self.directory_value('node cdmx/cdmx', 'address')}\n"
                       f"certificate = {node}/tls.pem\nkey = {node}/tls.key\n"
                       f"ca = {self.path('pki/ca/all.pem')}\nlog_key = {node}/log.key\n"
                       f"directory = {directory if os.path.isdir(directory) else directory + '.txt'}\n"
                       f"data = {self.path('data')}\nvault = {self.path('vault')}\n")
        for name in ("auditor-01", "auditor-02"):
            who = self.path("pki/auditor", f"cdmx.contraloria.{name}")
            with open(self.path(f"{name}.conf"), "w", encoding="utf-8") as conf:
                conf.write(f"address = {self.directory_value('node cdmx/cdmx', 'address')}\n"
                           f"node = spiffe://enlace.cdmx/node/cdmx\ncertificate = {who}/tls.pem\n"
                           f"key = {who}/tls.key\nca = {self.path('pki/ca/all.pem')}\n"
                           f"member = cdmx/contraloria\ntimeout_ms = 60000\n"
                           f"node_log = {self.directory_value('node cdmx/cdmx', 'log-key')}\n")

    def generate(self):
        self.origin = self.directory_value("node cdmx/cdmx", "origin")
        said = self.run(os.path.join(self.args.tools, "loggen"), self.path("data"),
                        self.path("vault"), self.path("pki/node/cdmx/log.key"), self.origin,
                        str(self.args.leaves))
        self.person = json.loads(said)["person"]
        self.row("bytes_per_exchange", size_of(self.path("data/log")) / (self.args.leaves / 6))

    def start(self):
        """From the call to the line that says it is ready."""
        log = self.path("node.log")
        with open(log, "wb") as out:
            began = time.monotonic()
            self.child = subprocess.Popen([os.path.join(self.args.bin, "enlaced"),
                                           self.path("enlaced.conf")], stdout=out, stderr=out)
        while time.monotonic() - began < 120:
            with open(log, encoding="utf-8", errors="replace") as text:
                said = text.read()
            if "node.ready" in said:
                return (time.monotonic() - began) * 1000
            if self.child.poll() is not None:
                break
            time.sleep(0.002)
        raise SystemExit(f"the node did not start: {said[-2000:]}")

    def stop(self):
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(timeout=120)
            self.child = None

    def enlace(self, who, *arguments):
        return json.loads(self.run(os.path.join(self.args.bin, "enlace"), "--json", "--profile",
                                   self.path(f"{who}.conf"), *arguments))

    def row(self, name, value):
        full = name if self.args.leaves == 1000000 else f"{name}@{self.args.leaves}"
        goal = GOALS.get(name)
        self.rows[full] = {"value": round(value, 3)}
        if goal is not None:
            self.rows[full]["goal"] = goal[0]
            met = value >= goal[0] if goal[1] else value <= goal[0]
            self.rows[full]["met"] = met
        said = "" if goal is None else f"{goal[0]:>10} {'met' if met else 'MISSED'}"
        print(f"{full:34} {value:14.2f} {said}", flush=True)

    def fill_index(self):
        began = time.monotonic()
        while True:
            state = self.enlace("auditor-01", "log", "reindex", "--status")
            if state["state"] == "following" and state["indexed_to"] >= self.args.leaves:
                break
            time.sleep(0.2)
        self.row("index_leaves_per_s", self.args.leaves / (time.monotonic() - began))

    def ask(self):
        """What an auditor waits for: the program's start, TLS, and every proof verified by it."""
        audit, petition = self.path("audit"), self.path("petition")
        self.enlace("auditor-01", "audit", "open", "--purpose", "bench", "-o", audit)
        self.enlace("auditor-01", "audit", "request", "--audit", audit, "--person", self.person,
                    "--holder", "cdmx/mpi-cdmx", "-o", petition)
        self.enlace("auditor-02", "audit", "approve", petition)
        spent = []
        for _ in range(5):
            began = time.monotonic()
            answer = self.enlace("auditor-01", "audit", "person", petition)
            spent.append((time.monotonic() - began) * 1000)
            if answer["found"] < 10:
                raise SystemExit(f"{answer['found']} records of the person were found")
        self.row("disclosure_command_ms", sorted(spent)[2])
        console_page.measure(os.path.join(self.args.bin, "enlace"), self.path("auditor-01.conf"), audit, self.row)

    def verify(self):
        folder = self.path("copy")
        began = time.monotonic()
        self.enlace("auditor-01", "log", "export", folder, "--purpose", "bench", "--entries")
        self.row("export_leaves_per_s", self.args.leaves / (time.monotonic() - began))
        began = time.monotonic()
        self.enlace("auditor-01", "verify", "log", folder)
        self.row("verify_leaves_per_s", self.args.leaves / (time.monotonic() - began))
        shutil.rmtree(folder)

    def read(self):
        said = json.loads(self.run(os.path.join(self.args.tools, "readlog"), self.path("data"),
                                   self.path("vault"), self.origin, self.person))
        self.row("proof_us", said["proof_us"])
        self.row("disclosure_ms", said["person_ms"])
        self.row("rescan_s", said["rescan_s"])
        self.row("rescan_leaves_per_s", said["leaves"] / said["rescan_s"])

    def save(self):
        os.makedirs(self.args.out, exist_ok=True)
        file = os.path.join(self.args.out, "results.json")
        kept = {}
        if os.path.exists(file):
            with open(file, encoding="utf-8") as text:
                kept = json.load(text)
        kept.update(self.rows)
        with open(file, "w", encoding="utf-8") as out:
            json.dump(kept, out, indent=2)

    def measure(self):
        self.prepare()
        self.generate()
        self.start()
        self.fill_index()
        self.ask()
        if self.args.leaves <= 1000000 and not self.args.no_copy:
            self.verify()
        self.stop()
        starts = []
        for _ in range(5):
            starts.append(self.start())
            self.stop()
        self.row("start_ms", sorted(starts)[2])
        self.row("index_bytes_per_leaf", size_of(self.path("data/index")) / self.args.leaves)
        self.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--place", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--leaves", type=int, default=1000000)
    parser.add_argument("--no-copy", action="store_true", help="without export and verification of the whole")
    bench = LogBench(parser.parse_args())
    try:
        bench.measure()
    finally:
        if bench.child is not None:
            bench.child.kill()
        shutil.rmtree(bench.place, ignore_errors=True)
    bench.save()
    return 0 if all(row.get("met", True) for row in bench.rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
