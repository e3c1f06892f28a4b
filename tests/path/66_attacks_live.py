"""66_attacks_live - attacks 15, 16, 18 and 21 of tests/ATTACKS.md, against a running node.

    66_attacks_live.py WORK BUILD
"""
import hashlib
import os
import re
import signal
import subprocess
import sys
import time

import client
import ledger
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
client.generate_protocol(f"{WORK}/py")
sys.path.insert(0, f"{WORK}/py")
import false_peer as peers  # noqa: E402  needs the generated protocol
from enlace.v1 import audit_pb2  # noqa: E402

AUDITORS = 40
# Latency under attack, in times of that without: what the others may notice at most.
RATIO_MAX = 4.0


class Story:
    """Requests to PGJ, whose node is played; its acts are what the played node forwards."""

    def __init__(self):
        self.home = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
        self.pgj = client.Partner(WORK, "cdmx.pgj.adapter", "cdmx/pgj")
        self.peer = peers.Peer(WORK, "pgj", self.home.facts)

    def act(self):
        header = self.home.request("cdmx/pgj", "mpi-pgj-medidas", "PRO-JUR-CAR")
        message = self.home.wrap(header, [(1, self.home.m.IdentityCompartment(full_name="X Y"))])
        self.home.submit(message)
        return header.exchange_id, self.pgj.wrap(self.pgj.custody(message))

    def is_known(self, exchange_id):
        return all(item.state >= 3 for item in self.home.track(exchange_id).items)

    def stream(self):
        stream = self.peer.stream(self.home)
        stream.told = stream.hello.seen_size
        return stream


def received(node="cdmx/cdmx"):
    """{message id: leaves that say it was received} as an auditor reads them."""
    found = {}
    for _, page in client.Auditor(WORK, storm.AUDITOR, node).pages():
        for entry in page:
            record = audit_pb2.AuditRecord.FromString(entry.record)
            if record.kind == audit_pb2.RECORD_KIND_RECEIVED:
                found[record.message_id] = found.get(record.message_id, 0) + 1
    return found


def message_id(story, act):
    return story.home.m.Header.FromString(act.header).message_id


def raw(story, stream, message, leaf, path, size):
    """A parcel whose entry is exactly this."""
    stream.sequence += 1
    parcel = stream.fed.Parcel(sequence=stream.sequence,
                               progress=story.peer.progress(stream.log, stream.told, size))
    parcel.entries.add(message=message, leaf=leaf, path=path)
    stream.told = size
    stream.put(parcel=parcel)
    return stream.outcome()


def omission(story, verdict):
    """15: it sends what it did not log."""
    log = story.peer.log
    log.append(story.act()[1])  # something else is logged
    exchange, act = story.act()
    stranger = log.forked(len(log.leaves))
    index = stranger.append(act)
    stream = story.stream()
    got = raw(story, stream, act, stranger.leaves[index], peers.inclusion(0, log.hashes(1)), 1)
    verdict.promise(f"15: what a peer did not log is refused: {got}",
                    "receipt" not in got and not story.is_known(exchange))
    stream = story.stream()
    size = len(log.leaves)
    got = raw(story, stream, act, b"", [], size)
    verdict.promise(f"15: and what comes without any leaf: {got}",
                    "receipt" not in got and not story.is_known(exchange))
    verdict.promise("15: neither is in the receiver's log", message_id(story, act) not in received())
    # Control: the same bytes, logged.
    index = log.append(act)
    stream = story.stream()
    stream.send(index + 1, (act, index))
    got = stream.outcome()
    verdict.promise(f"15: control: logged, the same bytes are taken: {got}",
                    got == ["receipt"] and story.is_known(exchange))
    stream.close()


def another_record(story, verdict):
    """16: it logs one record and sends another, under the proof of the first."""
    log = story.peer.log
    (exchange, act), (_, other) = story.act(), story.act()
    index = log.append(other)
    size = index + 1
    path = peers.inclusion(index, log.hashes(size))
    proven = client.root_of(peers.leaf_hash(log.leaves[index]), index, size, path) == log.root(size)
    stream = story.stream()
    got = raw(story, stream, act, log.leaves[index], path, size)
    verdict.promise("16: control: leaf, path and checkpoint prove each other, whatever the record", proven)
    verdict.promise(f"16: the record is another than the leaf commits to: {got}",
                    "receipt" not in got and not story.is_known(exchange) and
                    message_id(story, act) not in received())
    changed = story.home.m.Message.FromString(act.SerializeToString())
    index = log.append(act)
    changed.header_blind = os.urandom(32)
    stream = story.stream()
    got = raw(story, stream, changed, log.leaves[index],
              peers.inclusion(index, log.hashes(index + 1)), index + 1)
    verdict.promise(f"16: one other opening is enough: {got}",
                    "receipt" not in got and not story.is_known(exchange))
    stream = story.stream()
    stream.send(index + 1, (act, index))
    got = stream.outcome()
    verdict.promise(f"16: control: as it was logged it is taken: {got}",
                    got == ["receipt"] and story.is_known(exchange))
    stream.close()


def replay(story, verdict):
    """18: the same parcel again; the same message under another leaf; two entries of one leaf."""
    log = story.peer.log
    exchange, act = story.act()
    index = log.append(act)
    stream = story.stream()
    receipts = []
    for _ in range(3):
        stream.send(index + 1, (act, index))
        stream.outcome()
        receipts.append(stream.answered.answers[0].receipt.SerializeToString())
    verdict.promise("18: a parcel that comes three times has one receipt", len(set(receipts)) == 1)
    stream.send(index + 1, (act, index), (act, index))
    stream.outcome()
    receipts += [a.receipt.SerializeToString() for a in stream.answered.answers]
    verdict.promise("18: twice in one parcel, too", len(set(receipts)) == 1)
    again = log.append(act)
    stream.send(again + 1, (act, again))
    got = stream.outcome()
    if got == ["receipt"]:
        receipts.append(stream.answered.answers[0].receipt.SerializeToString())
    verdict.promise(f"18: logged twice by its sender, it is still one message here: {got}",
                    len(set(receipts)) == 1)
    count = received().get(message_id(story, act), 0)
    verdict.promise("18: and one leaf", count == 1 and story.is_known(exchange))
    _, other = story.act()
    index = log.append(other)
    changed = story.home.m.Message.FromString(other.SerializeToString())
    stream.send(index + 1, (other, index))
    stream.outcome()
    changed.header_blind = os.urandom(32)
    index = log.append(changed)
    stream.send(index + 1, (changed, index))
    got = stream.outcome()
    verdict.promise(f"18: one id with other bytes is refused: {got}", got != ["receipt"])
    stream.close()


# ---- 21: auditors ----

class Sender:
    """One message after the other; how long each took."""

    def __init__(self):
        self.partner = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")

    def median_ms(self, count=150):
        took = []
        for _ in range(count):
            message = self.partner.wrap(self.partner.request(), self.partner.alias())
            began = time.monotonic()
            self.partner.submit(message)
            took.append((time.monotonic() - began) * 1000)
        return sorted(took)[count // 2]


def held_stream():
    """Asks for all and reads nothing."""
    import queue
    auditor = client.Auditor(WORK, storm.AUDITOR, "cdmx/cdmx")
    asked = queue.Queue()
    call = auditor.channel.stream_stream(
        "/enlace.v1.AuditService/ReadRecords", request_serializer=lambda r: r.SerializeToString(),
        response_deserializer=lambda data: data)(iter(asked.get, None), timeout=120)
    for _ in range(8):
        asked.put(audit_pb2.ReadRecordsRequest(from_index=0, count=256, purpose_commitment=hashlib.sha256(b"prueba").digest()))
    return asked, call


def pages_of(path):
    return os.stat(path).st_blocks * 512


def auditors(node, verdict):
    sender = Sender()
    for _ in range(2):
        quiet = sender.median_ms()
    streams = [held_stream() for _ in range(AUDITORS)]
    time.sleep(0.5)
    crowd = sender.median_ms()
    refused = sum(call.done() for _, call in streams)
    verdict.promise(f"21: {AUDITORS} auditors that ask for all and read nothing ({refused} were refused): "
                    f"a message takes {crowd:.1f} ms, {quiet:.1f} without ({crowd / quiet:.1f} times)",
                    crowd / quiet < RATIO_MAX and 0 < refused < AUDITORS and not node.is_dead())
    for asked, call in streams:
        asked.put(None)
        call.cancel()
    killed = subprocess.Popen([sys.executable, "-c", f"""
import sys
sys.path[:0] = [{os.path.dirname(os.path.abspath(__file__))!r}, {WORK + '/py'!r}]
import client
for _ in client.Auditor({WORK!r}, {storm.AUDITOR!r}, "cdmx/cdmx").pages(page=1):
    print(flush=True)
"""], stdout=subprocess.PIPE)
    killed.stdout.readline()
    killed.kill()
    killed.wait()
    after = sender.median_ms()
    verdict.promise(f"21: one that is killed while it reads: {after:.1f} ms", after / quiet < RATIO_MAX)
    whole = sum(len(page) for _, page in client.Auditor(WORK, storm.AUDITOR, "cdmx/cdmx").pages())
    verdict.promise(f"21: and an honest one reads all {whole} leaves afterwards", whole > 400)


def foreign_reader(node, verdict):
    """What no auditor is given: a process that opens the database itself, holds a reader, and dies."""
    path, sender = f"{node.home}/data/log", Sender()
    before = pages_of(f"{path}/data.mdb")
    sender.median_ms()
    free = pages_of(f"{path}/data.mdb") - before
    reader = subprocess.Popen(["mdb_dump", "-a", path], stdout=subprocess.PIPE)
    reader.stdout.read(1)  # it goes on until the pipe is full, and holds its snapshot
    before = pages_of(f"{path}/data.mdb")
    latency = sender.median_ms()
    held = pages_of(f"{path}/data.mdb") - before
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    until = time.monotonic() + 12
    while node.lines("db.readers_dead") == 0 and time.monotonic() < until:
        sender.median_ms(5)
        time.sleep(0.2)
    verdict.promise(f"21: control: a foreign reader that holds on makes the file grow ({held >> 10} KiB for 150 "
                    f"messages, {free >> 10} without): why nobody else may open it", held > free)
    verdict.promise(f"21: killed, its slot is freed within seconds ({latency:.1f} ms a message meanwhile)",
                    node.lines("db.readers_dead") > 0)


def table_is_true(verdict):
    """Each test that tests/ATTACKS.md names is there, and each attack has a row."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(f"{tests}/ATTACKS.md", encoding="utf-8") as file:
        text = file.read()
    named = re.findall(r"`([up])/([^`]*[^`/])`", text)
    missing = [name for kind, name in named
               if not os.path.exists(f"{tests}/{'unit' if kind == 'u' else 'path'}/{name}")]
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)]
    verdict.promise(f"the table of attacks names tests that exist ({len(named)}), all 28 rows",
                    missing or rows == list(range(1, 29)))


def main():
    verdict = ledger.Verdict("66_attacks_live")
    table_is_true(verdict)
    node = storm.Node(WORK, BUILD, "cdmx").start()
    story = Story()
    omission(story, verdict)
    another_record(story, verdict)
    replay(story, verdict)
    auditors(node, verdict)
    foreign_reader(node, verdict)
    verdict.promise("the node stops in order", node.kill(15) == 0)
    return verdict.end()


sys.exit(main())
