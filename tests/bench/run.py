#!/usr/bin/env python3
"""Benchmarks in one run, in turn (A B A B ...): the node against a bare echo, as ratios.

What is measured is what the demonstration runs: its PKI, directory and routes, default settings,
encryption on, the peer node (sedesa) draining over its own stream. Absolute figures depend on the
machine; the ratios are what is tracked. Prints a table and writes results.json.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOALS = {"submit_unary/echo_unary": 0.60, "submit_stream/echo_stream": 0.40}
# These may be as large as that.
CEILINGS = {"urgent_p99/urgent_p99_idle": 3.0}
# Within a member's budget of a day, and more than the runs take.
URGENT_MESSAGES = 9000
PORTS = 7541


def sh(*command, **options):
    return subprocess.run(command, check=True, **options)


class Bench:
    def __init__(self, args):
        self.args = args
        self.out = os.path.abspath(args.out)
        self.children = []

    def path(self, *parts):
        return os.path.join(self.out, *parts)

    def tool(self, name):
        return os.path.join(os.path.abspath(self.args.tools), name)

    def prepare(self):
        os.makedirs(self.out, exist_ok=True)
        sh(f"{ROOT}/certs/make_pki.sh", self.path("pki"), stdout=subprocess.DEVNULL)
        sh(f"{ROOT}/deploy/demo/make_directory.sh", self.path("pki"), self.path("directory.txt"),
           "--ports-from", str(PORTS), stdout=subprocess.DEVNULL)

    def payload(self, count, *kind):
        file = self.path("-".join(("payload", *kind)) + ".bin")
        with open(file, "wb") as out:
            sh(self.tool("payload"), self.path("directory.txt"),
               self.path("pki/system/cdmx.sedesa.adapter/seal.pem"), str(count), *kind, stdout=out)
        return file

    def address(self, code):
        with open(self.path("directory.txt"), encoding="utf-8") as text:
            wanted = False
            for line in text:
                words = line.split()
                if line.startswith("node "):
                    wanted = words[1] == f"cdmx/{code}"
                elif wanted and words and words[0] == "address":
                    return words[1]
        raise SystemExit(f"no node {code} in the directory")

    def start(self, *command, log):
        with open(self.path(log), "wb") as out:
            child = subprocess.Popen(command, stdout=out, stderr=out)
        self.children.append(child)
        return child

    def start_node(self, code, is_fresh=True):
        home = self.path("node", code)
        if is_fresh:
            shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home, exist_ok=True)
        keys = self.path("pki", "node", code)
        with open(os.path.join(home, "enlaced.conf"), "w", encoding="utf-8") as conf:
            conf.write(f"node = cdmx/{code}\nlisten = {self.address(code)}\n"
                       f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\n"
                       f"ca = {self.path('pki/ca/all.pem')}\nlog_key = {keys}/log.key\n"
                       f"directory = {self.path('directory')}\n"
                       f"data = {home}/data\nvault = {home}/vault\n")
        child = self.start(os.path.join(self.args.bin, "enlaced"), f"{home}/enlaced.conf",
                           log=f"node/{code}/log")
        self.wait_for(self.path("node", code, "log"), "node.ready", child)
        return child

    def wait_for(self, log, word, child):
        for _ in range(200):
            if child.poll() is not None:
                break
            with open(log, encoding="utf-8", errors="replace") as text:
                if word in text.read():
                    return
            time.sleep(0.05)
        raise SystemExit(f"{log}: no {word}")

    def log_key(self, code):
        with open(self.path("directory.txt"), encoding="utf-8") as text:
            wanted = False
            for line in text:
                words = line.split()
                if line.startswith("node "):
                    wanted = words[1] == f"cdmx/{code}"
                elif wanted and words and words[0] == "log-key":
                    return words[1]
        raise SystemExit(f"no log key of {code} in the directory")

    def kill(self):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()
        self.children.clear()

    def stop(self):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
        self.children.clear()

    def load_command(self, target, method, mode, payload, **options):
        who = self.path("pki/system/cdmx.mpi-cdmx.plataforma")
        command = [self.tool("load"), "--target", target, "--method", method, "--mode", mode,
                   "--cert", f"{who}/tls.pem", "--key", f"{who}/tls.key",
                   "--ca", self.path("pki/ca/all.pem"), "--payload", payload]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        return command

    def load(self, *what, **options):
        done = subprocess.run(self.load_command(*what, **options), check=True, capture_output=True,
                              text=True)
        return json.loads(done.stdout.strip().splitlines()[-1])


KEEP_EVERY = 16
# Our own runs leave about this much behind for the next round.
QUIET_LOAD = 5.0


def leaves(bench, code):
    """Messages of a node that is not running; None without lmdb-utils."""
    if shutil.which("mdb_stat") is None:
        return None
    text = sh("mdb_stat", "-s", "message", bench.path("node", code, "data/log"), capture_output=True,
              text=True).stdout
    return next(int(line.split()[1]) for line in text.splitlines() if "Entries" in line)


def check_kept(bench, payload, mode):
    """The node was killed, not stopped. What it acknowledged must be there, byte for byte."""
    again, chosen = bench.path(f"again.{mode}"), bench.path("chosen.bin")
    kept = bench.path(f"kept.{mode}")
    with open(chosen, "wb") as out:
        sh(bench.tool("check"), "select", payload, kept, stdout=out)
    bench.start_node("cdmx", is_fresh=False)
    answers = bench.load(bench.address("cdmx"), "/enlace.v1.ExchangeService/Submit", "unary",
                         chosen, connections=4, inflight=16, seconds=600, warmup=0, once=1,
                         keep=again, keep_every=1)
    bench.stop()
    if answers["errors"]:
        raise SystemExit(f"{answers['errors']} acknowledged messages were refused after a restart")
    done = sh(bench.tool("check"), "verify", payload, kept, again, bench.log_key("cdmx"),
              capture_output=True, text=True)
    return int(done.stdout)


def one_round(bench, payload, results):
    node = PORTS + 50
    keys = bench.path("pki/node/cdmx")
    for mode, inflight, ours, theirs in (
            ("unary", 64, "/enlace.v1.ExchangeService/Submit", "/bench.Echo/Unary"),
            ("stream", 256, "/enlace.v1.ExchangeService/SubmitStream", "/bench.Echo/Stream")):
        shape = {"connections": 4, "inflight": inflight, "seconds": bench.args.seconds,
                 "warmup": 0.5}
        bench.start(bench.tool("echo_server"), "--listen", f"127.0.0.1:{node}",
                    "--cert", f"{keys}/tls.pem", "--key", f"{keys}/tls.key",
                    "--ca", bench.path("pki/ca/all.pem"), "--threads", str(os.cpu_count()),
                    log="echo.log")
        time.sleep(0.5)
        echo = bench.load(f"127.0.0.1:{node}", theirs, mode, payload, **shape)
        bench.stop()
        bench.start_node("sedesa")
        bench.start_node("cdmx")
        extra = {"once": 1, "keep": bench.path(f"kept.{mode}"), "keep_every": KEEP_EVERY}
        if mode == "stream":
            extra.update(answers_field=1, refusal_field=3)
        submit = bench.load(bench.address("cdmx"), ours, mode, payload, **shape, **extra)
        bench.kill()
        if submit["errors"]:
            log = bench.path("node/cdmx/log")
            raise SystemExit(f"{submit['errors']} submissions were refused: {log}")
        sent, drained = leaves(bench, "cdmx"), leaves(bench, "sedesa")
        if sent:
            # At the instant of the kill. A rate that leaves its messages lying is not the same rate.
            results.setdefault(f"submit_{mode} drained share", []).append(drained / sent)
        checked = check_kept(bench, payload, mode)
        results.setdefault(f"submit_{mode} receipts checked", []).append(checked)
        results.setdefault(f"submit_{mode}/echo_{mode}", []).append(submit["rate"] / echo["rate"])
        results.setdefault(f"echo_{mode} /s", []).append(echo["rate"])
        results.setdefault(f"submit_{mode} /s", []).append(submit["rate"])
        results.setdefault(f"submit_{mode} p50 us", []).append(submit["p50_us"])
        results.setdefault(f"submit_{mode} p99 us", []).append(submit["p99_us"])


def urgent_round(bench, payload, urgent, results):
    """One urgent message after the other: on an idle node, then beside all that 256 ordinary calls
    at a time make it do. Its sender waits for each answer, so that it adds no load of its own."""
    submit = "/enlace.v1.ExchangeService/Submit"
    one = {"connections": 1, "inflight": 1, "seconds": bench.args.seconds, "warmup": 0.5, "threads": 1}
    for name, is_idle in (("urgent_p99_idle", True), ("urgent_p99", False)):
        bench.start_node("sedesa")
        bench.start_node("cdmx")
        if not is_idle:
            bench.start(*bench.load_command(bench.address("cdmx"), submit, "unary", payload, once=1,
                                            connections=4, inflight=64, warmup=0.5,
                                            seconds=bench.args.seconds + 3), log="ordinary.log")
            time.sleep(1)
        got = bench.load(bench.address("cdmx"), submit, "unary", urgent, once=1, **one)
        bench.kill()
        if got["errors"]:
            raise SystemExit(f"{got['errors']} urgent messages were refused")
        results.setdefault(f"{name} us", []).append(got["p99_us"])
        results.setdefault(f"{name.replace('p99', 'p50')} us", []).append(got["p50_us"])
    results.setdefault("urgent_p99/urgent_p99_idle", []).append(
        results["urgent_p99 us"][-1] / results["urgent_p99_idle us"][-1])


def report(bench, results):
    summary = {}
    print(f"{'what':34} {'median':>12} {'low':>12} {'high':>12} {'goal':>6}")
    for name, values in results.items():
        goal = GOALS.get(name, CEILINGS.get(name))
        row = {"value": statistics.median(values), "low": min(values), "high": max(values)}
        if goal is not None:
            row["goal"] = goal
        summary[name] = row
        digits = 2 if goal is not None or "load" in name or "share" in name else 0
        print(f"{name:34} {row['value']:12.{digits}f} {row['low']:12.{digits}f} "
              f"{row['high']:12.{digits}f} {goal if goal is not None else '':>6}")
    if summary["load average before"]["high"] > QUIET_LOAD:
        print("NOT QUIET: other work took part of the machine; these ratios do not count.")
    with open(bench.path("results.json"), "w", encoding="utf-8") as out:
        json.dump(summary, out, indent=2)
    return all(row["value"] <= row["goal"] if name in CEILINGS else row["value"] >= row["goal"]
               for name, row in summary.items() if "goal" in row)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--messages", type=int, default=300000)
    parser.add_argument("--only-urgent", action="store_true", help="only the urgent rows")
    bench = Bench(parser.parse_args())
    results = {}
    try:
        bench.prepare()
        payload = bench.payload(bench.args.messages)
        urgent = bench.payload(URGENT_MESSAGES, "urgent")
        for _ in range(bench.args.rounds):
            results.setdefault("load average before", []).append(os.getloadavg()[0])
            if not bench.args.only_urgent:
                one_round(bench, payload, results)
            urgent_round(bench, payload, urgent, results)
    finally:
        bench.stop()
    return 0 if report(bench, results) else 1


if __name__ == "__main__":
    sys.exit(main())
