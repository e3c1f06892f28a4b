"""64_damage - a bit of a stored file is another, or the file ends early: found, named, survived.

    64_damage.py WORK BUILD short|full SEED

Two things are asked of each damage: does `enlaced --check` name it, and does the node survive it. What
mdb_dump reads before and after says, apart from both, whether the damage changed the log at all.
"""
import glob
import os
import random
import shutil
import struct
import subprocess
import sys
import time

import client
import ledger
import storm

PAGE = 4096
KINDS = {1: "branch", 2: "leaf", 4: "overflow", 8: "meta"}
PROVEN = ("commit", "checkpoint", "seen", "format")


class Store:
    """One LMDB file: its pages by kind, and what mdb_dump reads."""

    def __init__(self, home, name):
        self.name, self.folder = name, f"{home}/data/{name}"
        self.path = f"{self.folder}/data.mdb"
        with open(self.path, "rb") as file:
            self.good = file.read()
        self.tables = self.dump()
        self.pages = {}
        overflow = 0
        for number in range(len(self.good) // PAGE):
            if overflow > 0:
                overflow -= 1
                self.pages.setdefault("overflow", []).append(number)
                continue
            pgno, _, flags = struct.unpack_from("<QHH", self.good, number * PAGE)
            kind = KINDS.get(flags & 0xf)
            if number > 1 and (pgno != number or kind is None):
                continue
            if kind == "overflow":
                overflow = struct.unpack_from("<I", self.good, number * PAGE + 12)[0] - 1
            self.pages.setdefault(kind, []).append(number)

    def dump(self):
        """{table: what stands in it}; None for one that is not read."""
        tables = {}
        for table in PROVEN:
            try:
                run = subprocess.run(["mdb_dump", "-s", table, self.folder], capture_output=True, timeout=10,
                                     check=False)
                rows = [line for line in run.stdout.splitlines() if line.startswith(b" ")]
                tables[table] = rows if run.returncode == 0 else None
            except subprocess.TimeoutExpired:
                tables[table] = None
        return tables

    def write(self, data):
        with open(self.path, "wb") as file:
            file.write(data)

    def changed(self):
        return self.dump() != self.tables


def grow(work, nodes):
    """Small and large messages, with a peer, so that each kind of page is there."""
    for node in nodes:
        node.start()
    partner = client.Partner(work, storm.SIDES[0][1], storm.SIDES[0][2])
    last = None
    for number in range(240):
        message = partner.wrap(partner.request(), partner.alias("P" * (900 if number % 8 == 0 else 9)))
        partner.submit(message)
        last = partner.m.Header.FromString(message.header).message_id
    until = time.monotonic() + 10
    while len(partner.receipts(last).receipts) < 2 and time.monotonic() < until:
        time.sleep(0.05)


class Test:
    def __init__(self, work, build, seed):
        self.work, self.build, self.random = work, build, random.Random(seed)
        self.node = storm.Node(work, build, "cdmx")
        self.found = self.passed = self.ended = 0

    def check(self):
        """(exit status, what was said) of enlaced --check."""
        run = subprocess.run([f"{self.build}/bin/enlaced", "--check", f"{self.node.home}/enlaced.conf"],
                             capture_output=True, text=True, errors="replace", timeout=90, check=False)
        return run.returncode, run.stdout + run.stderr

    def survives(self):
        """Starts it, has all of its log read, stops it; what is wrong."""
        node = self.node
        node.complain = lambda: None
        node.start()
        if node.wait(0.05) is None:
            try:
                for _ in client.Auditor(self.work, storm.AUDITOR, "cdmx/cdmx").pages(timeout=10):
                    pass
            except client.grpc.RpcError:
                pass
        status = node.wait(0.1)
        if status is None:
            status = node.kill(15)
        self.ended += status != 0
        return [] if status in (0, 1, 74) else [f"the node ends with {status}"]

    def judge(self, what, must_be_found, where):
        """After a damage: the answers of both."""
        status, said = self.check()
        problems = []
        if status not in (0, 1):
            problems.append(f"the check ends with {status}")
        if status == 1 and ("DAMAGED" not in said or not any(word in said for word in where)):
            problems.append(f"it names no place: {said[-300:]}")
        if status == 0 and must_be_found():
            problems.append("the log is another, and the check lets it pass")
        self.found, self.passed = self.found + (status == 1), self.passed + (status == 0)
        problems += self.survives()
        return [f"{what}: {text}" for text in problems]


def restore(test, kept):
    for part in ("data", "vault"):
        shutil.rmtree(f"{test.node.home}/{part}", ignore_errors=True)
        shutil.copytree(f"{kept}/{part}", f"{test.node.home}/{part}")


def flips(test, store, kept, count, verdict):
    """Bits of headers, pointers, nodes and data, by kind of page."""
    for kind, pages in sorted(store.pages.items()):
        problems, before = [], test.found
        for number in range(count):
            page = test.random.choice(pages)
            # The header, where LMDB looks first, as often as the rest.
            at = test.random.choice((test.random.randint(0, 15), test.random.randint(16, 63),
                                     test.random.randint(64, PAGE - 1)))
            bit = test.random.randint(0, 7)
            data = bytearray(store.good)
            data[page * PAGE + at] ^= 1 << bit
            store.write(data)
            what = f"{store.name}, {kind} page {page}, byte {at}, bit {bit}"
            problems += test.judge(what, store.changed, ("table ", "commit", "opening", "path=", "checkpoints", "origin="))
            restore(test, kept)
        verdict.promise(f"{store.name}/: {count} bits of {kind} pages: {test.found - before} found, the others "
                        "change nothing of the log", problems)


def cuts(test, store, kept, count, verdict):
    problems, before = [], test.found
    for number in range(count):
        size = (0, 1, PAGE - 1, PAGE, 2 * PAGE, len(store.good) // 2)[number] if number < 6 else \
            test.random.randint(2 * PAGE, len(store.good) - 1)
        store.write(store.good[:size])
        problems += test.judge(f"{store.name} cut to {size} of {len(store.good)}", store.changed,
                               ("table ", "commit", "opening", "path=", "checkpoints", "origin="))
        restore(test, kept)
    verdict.promise(f"{store.name}/: cut at {count} places: {test.found - before} found", problems)


def small_files(test, kept, verdict):
    """Keys, the vault's id, the anchor: each flipped and cut."""
    problems, before = [], test.found
    home = test.node.home
    keys = sorted(path for path in glob.glob(f"{home}/vault/*/*/*") if os.path.getsize(path) == 32)
    anchor = f"{home}/vault/.anchor"
    for path in [*keys[:2], f"{home}/vault/id", anchor]:
        with open(path, "rb") as file:
            good = file.read()
        for data in (bytes([good[0] ^ 1]) + good[1:], good[:len(good) - 3]):
            if path == anchor and len(data) == len(good):
                data = bytearray(good)
                for slot in (0, PAGE):
                    data[slot + 20] ^= 1
            with open(path, "wb") as file:
                file.write(data)
            name = os.path.relpath(path, home)
            # A vault's id stands in no other place; what R99 wraps, tag keys, is not opened; an anchor
            # that was never whole is made anew.
            must = name != "vault/id" and "/R99/" not in name and not (path == anchor and len(data) < len(good))
            problems += test.judge(f"{name}, {len(data)} bytes", lambda must=must: must,
                                   ("vault", "leaf=", "anchor"))
            restore(test, kept)
    verdict.promise(f"vault and anchor: {len(keys[:2]) + 2} files flipped and cut: {test.found - before} found",
                    problems)


def main(work, build, form, seed):
    verdict, count = ledger.Verdict("64_damage"), 60 if form == "full" else 4
    client.generate_protocol(f"{work}/py")
    test = Test(work, build, seed)
    peer = storm.Node(work, build, "ssc")
    grow(work, (test.node, peer))
    peer.kill()
    status, said = test.check()
    verdict.promise("a store that a node has open is not read", status == 1 and "db.locked" in said)
    test.node.kill(15)
    status, said = test.check()
    print("\n".join("  " + line for line in said.splitlines() if ": ok" in line))
    verdict.promise("control: a sound store passes", status == 0 and said.count(": ok") == 3)
    kept = f"{work}/kept"
    os.makedirs(kept)
    for part in ("data", "vault"):
        shutil.copytree(f"{test.node.home}/{part}", f"{kept}/{part}")
    for name in ("log", "seen"):
        store = Store(test.node.home, name)
        flips(test, store, kept, count, verdict)
        cuts(test, store, kept, count, verdict)
    small_files(test, kept, verdict)
    verdict.promise("and what was put back is sound", test.check()[0] == 0)
    print(f"  seed {seed}; {test.found} damages named, {test.passed} without effect on the log; "
          f"{test.ended} times the node stayed down")
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
