"""ledger - what a client saw, kept apart from the nodes, and the verdict over it.

Append-only, one JSON object a line, on disk before `say` returns: a message is told to the ledger
before it is sent, and its answer before anybody acts on it. A line that a kill cut short counts as
never said.

    sent      id, m: the message's bytes          answered  id, r: the receipt's
    got       id, m, r, s, new: a delivery        refused   id, reason
    settled   id: the node said that an acknowledgement is settled
"""
import base64
import hashlib
import json
import os
import struct
import threading

import client


class Ledger:
    """One process writes it; it goes on where the one before was killed."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if os.path.getsize(path) > 0:
            with open(path, "rb") as written:
                written.seek(-1, os.SEEK_END)
                if written.read(1) != b"\n":
                    os.write(self.file, b"\n")

    def say(self, *rows):
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        with self.lock:
            os.write(self.file, text)
            os.fdatasync(self.file)


def row(kind, message_id, **more):
    said = {"k": kind, "id": message_id.hex()}
    for name, value in more.items():
        said[name] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return said


def rows(path):
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as written:
        for line in written:
            try:
                yield json.loads(line)
            except ValueError:
                continue


class History:
    """Everything that one client's ledger says."""

    def __init__(self, path):
        self.sent, self.answered, self.got = {}, {}, {}
        self.settled, self.refused, self.faults = set(), [], []
        for said in rows(path):
            self.take(said)

    def take(self, said):
        kind, message_id = said["k"], said["id"]
        if kind == "sent":
            if self.sent.setdefault(message_id, said["m"]) != said["m"]:
                self.faults.append(f"{message_id}: the client sent other bytes")
        elif kind == "answered":
            if self.answered.setdefault(message_id, said["r"]) != said["r"]:
                self.faults.append(f"{message_id}: two receipts for one message")
        elif kind == "got":
            self.got.setdefault(message_id, []).append(said)
        elif kind == "settled":
            self.settled.add(message_id)
        elif kind == "refused":
            self.refused.append(f"{message_id}: {said['reason']}")


class Tree:
    """RFC 9162 over leaves in order; the root at any size on the way."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, leaf):
        node, size = client.sha(b"\0", leaf), self.size
        while size & 1:
            node = client.sha(b"\1", self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = client.sha(b"\1", peak, node)
        return node


class Log:
    """One node's whole log as an auditor reads it, every page checked; problems are collected."""

    def __init__(self, vkeys):
        self.leaves, self.records, self.problems = [], [], []
        self.checkpoints, self.origin, self.vkeys = [], None, vkeys

    def read(self, auditor):
        from enlace.v1 import audit_pb2  # pylint: disable=import-error
        for note, entries in auditor.pages():
            origin, size, root = client.open_checkpoint(note, self.vkeys)
            self.origin = origin
            self.checkpoints.append((size, root))
            for entry in entries:
                self.take(entry, audit_pb2.AuditRecord, size, root)

    def take(self, entry, record_type, size, root):
        index = len(self.leaves)
        self.leaves.append(entry.leaf)
        self.records.append(record_type.FromString(entry.record))
        if struct.unpack(">Q", entry.leaf[16:24])[0] != index:
            self.problems.append(f"leaf {index}: another index stands in it")
        try:
            if client.root_of(client.sha(b"\0", entry.leaf), index, size, entry.path) != root:
                self.problems.append(f"leaf {index}: not in the tree")
        except ValueError as error:
            self.problems.append(f"leaf {index}: {error}")
        if entry.leaf[4] == 1:
            named = client.sha(b"enlace/record/v1\0", entry.record_blind,
                               struct.pack(">Q", len(entry.record)), entry.record)
            if named != entry.leaf[56:88]:
                self.problems.append(f"leaf {index}: the record is not the one in the leaf")

    def check(self, checkpoints):
        """Every (size, root) that this node ever signed must lie on the one line of its leaves."""
        wanted = {}
        for size, root in checkpoints:
            wanted.setdefault(size, set()).add(root)
        for size, roots in wanted.items():
            if len(roots) > 1:
                self.problems.append(f"size {size}: {len(roots)} different roots were signed")
            if size > len(self.leaves):
                self.problems.append(f"size {size} was signed, the log has {len(self.leaves)}")
        tree = Tree()
        for leaf in self.leaves:
            tree.add(leaf)
            if tree.size in wanted and wanted[tree.size] != {tree.root()}:
                self.problems.append(f"size {tree.size}: the leaves have another root")
        return self.problems


class Verdict:
    """Promises counted and said as the shell tests do."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def promise(self, text, problems):
        """Kept when there are none."""
        if isinstance(problems, bool):
            problems = [] if problems else ["it is not so"]
        problems = list(problems)
        if problems:
            self.failed += 1
            print(f"✖ {text} ({len(problems)} problems)", flush=True)
            for problem in problems[:8]:
                print(f"    {problem}", flush=True)
        else:
            self.passed += 1
            print(f"✔ {text}", flush=True)
        return not problems

    def end(self):
        print(f"{self.name}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


class Judge:
    """Decides over two sides that send to each other, each a (Partner, History, Auditor)."""

    def __init__(self, sides):
        self.sides = sides
        partner = sides[0][0]
        self.m, self.vkeys = partner.m, partner.facts["vkeys"]
        self.signed, self.leaves, self.logs = {}, {}, []  # by origin: what its receipts say

    @staticmethod
    def receipt(text):
        from enlace.v1 import receipt_pb2  # pylint: disable=import-error
        return receipt_pb2.Receipt.FromString(base64.b64decode(text))

    def message(self, text):
        return self.m.Message.FromString(base64.b64decode(text))

    def held(self, seconds=60):
        """Answered submissions whose same bytes do not get the same receipt."""
        problems = []
        for partner, history, _ in self.sides:
            problems += held(partner, history, seconds)
        return problems

    def unverified(self):
        problems = []
        for _, history, _ in self.sides:
            for message_id, receipt in history.answered.items():
                self.verify(message_id, history.sent.get(message_id), receipt, problems)
            for message_id, copies in history.got.items():
                for said in copies:
                    self.verify(message_id, said["m"], said["r"], problems)
                    self.verify(message_id, said["m"], said["s"], problems)
        return problems

    def verify(self, message_id, message, receipt, problems):
        if message is None:
            problems.append(f"{message_id}: answered but never sent")
            return
        try:
            taken = self.receipt(receipt)
            client.verify_receipt(self.message(message), taken, self.vkeys)
            origin, size, root = client.open_checkpoint(client.receipt_parts(taken)[2], self.vkeys)
            self.signed.setdefault(origin, set()).add((size, root))
            self.leaves.setdefault(origin, {})[client.receipt_parts(taken)[0]] = taken.leaf
        except (ValueError, KeyError) as error:
            problems.append(f"{message_id}: {error!r}")

    def inconsistent(self):
        """After `unverified`: reads both logs."""
        problems = []
        for _, _, auditor in self.sides:
            log = Log(self.vkeys)
            try:
                log.read(auditor)
            except Exception as error:  # pylint: disable=broad-except
                problems.append(f"{auditor.node}: its log is not read: "
                                f"{getattr(error, 'details', lambda: error)()}")
            self.logs.append(log)
            signed = set(log.checkpoints) | self.signed.get(log.origin, set())
            problems += [f"{log.origin}: {text}" for text in log.check(signed)]
            for index, leaf in self.leaves.get(log.origin, {}).items():
                if index >= len(log.leaves) or log.leaves[index] != leaf:
                    problems.append(f"{log.origin}: leaf {index} is not the one in its receipt")
        return problems

    def undelivered(self):
        problems = []
        for sender, receiver in self.ways():
            for message_id in sender.answered:
                if message_id not in receiver.got:
                    problems.append(f"{message_id}: answered, never delivered")
        return problems

    def twice_new(self):
        return [f"{message_id}: delivered as new {sum(said['new'] for said in copies)} times"
                for _, receiver in self.ways() for message_id, copies in receiver.got.items()
                if sum(said["new"] for said in copies) > 1]

    def never_sent(self):
        problems = []
        for sender, receiver in self.ways():
            for message_id, copies in receiver.got.items():
                sent = sender.sent.get(message_id)
                for said in copies:
                    if sent is None or self.message(said["m"]) != self.message(sent):
                        problems.append(f"{message_id}: delivered, but not so sent")
        return problems

    def logged_twice(self):
        """After `inconsistent`: one leaf for what was sent, one for what was received."""
        problems = []
        for (_, history, _), log in zip(self.sides, self.logs):
            for kind, name, ids in ((1, "sent", history.answered), (2, "received", history.got)):
                count = {}
                for record in log.records:
                    if record.kind == kind:
                        key = record.message_id.hex()
                        count[key] = count.get(key, 0) + 1
                problems += [f"{i}: {count.get(i, 0)} leaves say that it was {name}"
                             for i in ids if count.get(i, 0) != 1]
        return problems

    def ways(self):
        (_, one, _), (_, two, _) = self.sides
        return (one, two), (two, one)

    def faults(self):
        return [text for _, history, _ in self.sides for text in history.faults + history.refused]


def held(partner, history, seconds=60):
    """Resubmits everything that was answered; the receipts must be the same bytes."""
    todo = [i for i in history.answered if i in history.sent]
    requests = (partner.x.SubmitStreamRequest(submission=partner.x.Submission(
        message=partner.m.Message.FromString(base64.b64decode(history.sent[i])))) for i in todo)
    again, problems = {}, []
    stream = partner.submit_stream(requests)
    timer = threading.Timer(seconds, stream.cancel)
    timer.start()
    try:
        for response in stream:
            for result in response.results:
                again[result.message_id.hex()] = result
    except Exception as error:  # pylint: disable=broad-except
        problems.append(f"the stream ended: {getattr(error, 'details', lambda: error)()}")
    timer.cancel()
    for message_id in todo:
        result = again.get(message_id)
        if result is None:
            problems.append(f"{message_id}: no answer")
        elif result.WhichOneof("outcome") != "receipt":
            problems.append(f"{message_id}: answered before, refused now ({result.refusal.reason})")
        elif base64.b64encode(result.receipt.SerializeToString()).decode() != history.answered[message_id]:
            problems.append(f"{message_id}: another receipt than before")
    return problems
