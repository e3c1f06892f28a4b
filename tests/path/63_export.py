"""63_export - a node's own export: follows, verifies, survives cuts and a full disk, pairs with nothing.

    63_export.py WORK BUILD short|full [small]

small: WORK/mirror-ssc is a file system with few inodes.
"""
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import client
import ledger
import storm
import tiles

MESSAGES = 640
PIECE = 8  # bytes in common that would be a coincidence once in 2^40 pairs of mirrors like these


class Test:
    def __init__(self, work, build, is_full):
        self.work, self.build, self.is_full = work, build, is_full
        self.verdict = ledger.Verdict("63_export")
        client.generate_protocol(f"{work}/py")
        self.nodes = {code: storm.Node(work, build, code) for code in ("cdmx", "ssc")}
        self.vkeys = log_keys(f"{work}/directory.txt")
        self.ids, self.began = [], time.monotonic()

    def folder(self, kind, code):
        return f"{self.work}/{kind}-{code}"

    def verify(self, folder, code):
        """What enlace-verify finds wrong; None: it verifies."""
        run = subprocess.run([f"{self.build}/bin/enlace-verify", "log", folder, "--vkey",
                              self.vkeys[f"cdmx/{code}"]], capture_output=True, text=True, check=False)
        return None if run.returncode == 0 else run.stdout[-600:] + run.stderr

    def send(self, count, lanes=16):
        """That many messages over several connections; their ids."""
        def lane():
            partner = client.Partner(self.work, storm.SIDES[0][1], storm.SIDES[0][2])
            for _ in range(count // lanes):
                message = partner.wrap(partner.request(), partner.alias())
                partner.submit(message)
                self.ids.append(partner.m.Header.FromString(message.header).message_id)
        threads = [client.in_thread(lane) for _ in range(lanes)]
        for thread in threads:
            thread.join(60)

    def follows(self, kind, code, least, seconds=20):
        """The folder's checkpoint reaches this size; the size that it has in the end."""
        until = time.monotonic() + seconds
        size = size_of(self.folder(kind, code))
        while size < least and time.monotonic() < until:
            time.sleep(0.1)
            size = size_of(self.folder(kind, code))
        return size


def log_keys(path):
    keys, node = {}, None
    with open(path, encoding="utf-8") as text:
        for line in text:
            words = line.split()
            if words and words[0] == "node":
                node = words[1]
            if words and words[0] == "log-key":
                keys[node] = words[1]
    return keys


def size_of(folder):
    try:
        with open(f"{folder}/checkpoint", "rb") as file:
            return int(file.read().split(b"\n")[1])
    except FileNotFoundError:
        return -1


def names(folder):
    for place, _, files in os.walk(folder):
        for name in files:
            yield os.path.relpath(os.path.join(place, name), folder)


def both_follow(test):
    verdict = test.verdict
    for node in test.nodes.values():
        node.start()
    test.send(MESSAGES)
    sizes = {(kind, code): test.follows(kind, code, MESSAGES)
             for kind in ("mirror", "auditors") for code in ("cdmx", "ssc")
             if kind == "auditors" or code == "cdmx"}
    verdict.promise(f"what is logged stands in the folders, by itself: {list(sizes.values())} leaves",
                    min(sizes.values()) >= MESSAGES)
    verdict.promise("each folder verifies", [problem for kind, code in sizes if (
        problem := test.verify(test.folder(kind, code), code))])
    problems = []
    for kind, code in sizes:
        try:
            tiles.check(test.folder(kind, code), test.vkeys[f"cdmx/{code}"])
        except (AssertionError, OSError) as error:
            problems.append(f"{kind} {code}: {error!r}")
    verdict.promise("and with the standard's text alone", problems)
    mirror = set(names(test.folder("mirror", "cdmx")))
    verdict.promise("a mirror holds hash tiles, checkpoints, vkey and policy, nothing else",
                    [name for name in mirror if not name.startswith(tuple(
                        ["checkpoints/", ".lock"] + [f"tile/{level}/" for level in range(8)]))
                     and name not in ("checkpoint", "vkey", "policy")] or
                    [name for name in ("vkey", "policy") if name not in mirror])
    with open(f"{test.folder('mirror', 'cdmx')}/vkey", encoding="utf-8") as file:
        verdict.promise("the key is the directory's, in one line",
                        file.read() == test.vkeys["cdmx/cdmx"] + "\n")
    modes = {kind: os.stat(test.folder(kind, "cdmx")).st_mode & 0o777 for kind in ("mirror", "auditors")}
    verdict.promise("everybody may read the mirror, nobody else what auditors read",
                    modes == {"mirror": 0o755, "auditors": 0o700} and
                    os.stat(f"{test.folder('mirror', 'cdmx')}/tile/0/000").st_mode & 0o777 == 0o644)


def full_disk(test):
    """Too few inodes: ENOSPC with bytes to spare."""
    node, verdict = test.nodes["ssc"], test.verdict
    until = time.monotonic() + 10
    while node.lines("export.failing") == 0 and time.monotonic() < until:
        time.sleep(0.1)
    before = size_of(test.folder("mirror", "ssc"))
    test.send(16)
    time.sleep(2.5)
    verdict.promise(f"a full disk is told once, and the rest goes on (mirror at {before})",
                    node.lines("export.failing") == 1 and
                    test.follows("auditors", "ssc", MESSAGES + 16) >= MESSAGES + 16)
    subprocess.run(["mount", "-o", "remount,nr_inodes=4096", test.folder("mirror", "ssc")], check=True)
    size = test.follows("mirror", "ssc", MESSAGES + 16)
    problem = test.verify(test.folder("mirror", "ssc"), "ssc")
    verdict.promise(f"with room again it is written, told, and verifies ({size} leaves)",
                    [problem] if problem else size >= MESSAGES + 16 and node.lines("export.recovered") == 1)


def killed(test):
    """SIGKILL while it sends and exports; the folders verify as they are, and grow on."""
    node, problems = test.nodes["cdmx"], []
    for number in range(12 if test.is_full else 3):
        thread = threading.Thread(target=send_until_dead, args=(test,), daemon=True)
        thread.start()
        time.sleep(0.9 + number * 0.17)
        node.kill()
        thread.join(30)
        for kind in ("mirror", "auditors"):
            problem = test.verify(test.folder(kind, "cdmx"), "cdmx")
            problems += [f"kill {number}, {kind}: {problem}"] if problem else []
        before = size_of(test.folder("mirror", "cdmx"))
        node.start()
        test.send(16)
        if test.follows("mirror", "cdmx", before + 16) < before + 16:
            problems.append(f"kill {number}: it does not grow on from {before}")
    test.verdict.promise("the node killed while it exports: both folders verify as they are, and grow on",
                         problems)


def send_until_dead(test):
    partner = client.Partner(test.work, storm.SIDES[0][1], storm.SIDES[0][2])
    partner.is_patient = False
    try:
        while True:
            partner.submit(partner.wrap(partner.request(), partner.alias()), timeout=3)
    except client.grpc.RpcError:
        pass


def export(test, folder, *prefix):
    return subprocess.run([*prefix, f"{test.build}/bin/enlace", "--json", "--profile",
                           f"{test.work}/audit.conf", "log", "export", folder, "--records",
                           "--purpose", "prueba"], capture_output=True, text=True, check=False)


def cut_anywhere(test):
    """`enlace log export` is killed at its n-th call, for each n; the same code writes the node's."""
    folder, problems, cuts, resumed = f"{test.work}/cut", [], 0, 0
    for call, step in (("rename", 7), ("fsync", 17), ("mkdir", 3)):
        number = 1
        while True:
            shutil.rmtree(folder, ignore_errors=True)
            run = export(test, folder, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                         "-e", f"inject={call}:signal=KILL:when={number}")
            if run.returncode == 0:
                break
            cuts += 1
            if os.path.exists(f"{folder}/checkpoint"):
                problem = test.verify(folder, "cdmx")
                problems += [f"{call} {number}: {problem}"] if problem else []
            again = export(test, folder)
            problem = test.verify(folder, "cdmx") if again.returncode == 0 else again.stdout + again.stderr
            problems += [f"{call} {number}, again: {problem}"] if problem else []
            if not problem:
                # Leaves that it did not have to read again.
                said = json.loads(again.stdout)
                resumed = max(resumed, said["size"] - said["added"])
            number += 1 if test.is_full else step
        if number == 1:
            problems.append(f"{call}: no cut (exit {run.returncode})")
    test.verdict.promise(f"an export cut at any of its calls ({cuts} cuts) goes on and verifies", problems)
    test.verdict.promise(f"and does not begin anew: up to {resumed} leaves were there already",
                         resumed >= 512)


def pieces(folder, code):
    """Every piece of PIECE bytes in the files that hold hashes or are signed, at any offset."""
    found = {}
    for name in names(folder):
        data = tiles.read(folder, name)
        if name.startswith("checkpoint"):
            # What all logs write: only root and signature may tell something.
            lines = data.split(b"\n")
            data = client.base64.b64decode(lines[2]) + client.base64.b64decode(
                lines[4].rsplit(b" ", 1)[1])[4:]
        elif not name.startswith("tile/"):
            continue
        for at in range(0, len(data) - PIECE + 1):
            found.setdefault(data[at:at + PIECE], f"{code}/{name}:{at}")
    return found


def nodes_above(hashes):
    """Every subtree root of a list of leaf hashes: what derives from tiles."""
    seen, level = set(hashes), hashes
    while len(level) > 1:
        level = [client.sha(b"\1", level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        seen.update(level)
    return seen


def pairs_by_nothing(test):
    """The attack: all that two mirrors of the same exchanges show, against each other."""
    verdict, size = test.verdict, {}
    mirrors, logs = {}, {}
    for code in ("cdmx", "ssc"):
        size[code] = test.follows("mirror", code, MESSAGES)
        mirrors[code] = pieces(test.folder("mirror", code), code)
        logs[code] = tiles_of(test, code)
    common = set(mirrors["cdmx"]) & set(mirrors["ssc"])
    verdict.promise(f"no {PIECE} bytes stand in both mirrors ({len(mirrors['cdmx'])} against "
                    f"{len(mirrors['ssc'])} pieces)",
                    [f"{mirrors['cdmx'][piece]} and {mirrors['ssc'][piece]}" for piece in common])
    verdict.promise("no hash that derives from one stands in the other",
                    not nodes_above(logs["cdmx"]) & nodes_above(logs["ssc"]) and
                    not {client.sha(b"\0", h) for h in logs["cdmx"]} & set(logs["ssc"]))
    steps = {code: growth(test.folder("mirror", code)) for code in ("cdmx", "ssc")}
    verdict.promise("sizes over time are those of intervals, not of commits: "
                    f"{[len(s) for s in steps.values()]} checkpoints for {len(test.ids)} exchanges",
                    all(1 <= len(s) <= time.monotonic() - test.began + 1 for s in steps.values()) and
                    all(len(s) < len(test.ids) / 20 for s in steps.values()))
    held = {code: openings(test.folder("auditors", code)) for code in ("cdmx", "ssc")}
    verdict.promise(f"control: with the openings {len(held['cdmx'] & held['ssc'])} exchanges pair at once",
                    len(held["cdmx"] & held["ssc"]) >= MESSAGES)


def tiles_of(test, code):
    folder = test.folder("mirror", code)
    return list(tiles.bundles(folder, "tile/0", size_of(folder), tiles.take_hash))


def growth(folder):
    sizes = sorted(int(name) for name in os.listdir(f"{folder}/checkpoints") if name.isdigit())
    return [b - a for a, b in zip([0, *sizes], sizes)]


def openings(folder):
    """M of each leaf whose record opens it: the commitment with this log's name and nonce is C."""
    size, found = size_of(folder), set()
    origin = tiles.read(folder, "checkpoint").split(b"\n")[0]
    entries = tiles.bundles(folder, "tile/entries", size, tiles.take_entry)
    records = tiles.bundles(folder, "records", size, tiles.take_record)
    for entry, row in zip(entries, records):
        for at in range(32, len(row) - 33):
            # Field 24 of an AuditRecord, 32 bytes.
            if row[at:at + 3] == b"\xc2\x01\x20" and tiles.commit_leaf(
                    origin, entry[88:104], row[at + 3:at + 35]) == entry[24:56]:
                found.add(row[at + 3:at + 35])
    return found


def main(work, build, form, is_small):
    test = Test(work, build, form == "full")
    both_follow(test)
    if is_small:
        full_disk(test)
    pairs_by_nothing(test)
    cut_anywhere(test)
    killed(test)
    for node in test.nodes.values():
        test.verdict.promise(f"{node.code} stops in order", node.kill(15) == 0)
    return test.verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], "small" in sys.argv))
