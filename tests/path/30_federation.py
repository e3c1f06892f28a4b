"""30_federation - what a node takes from its peers, and from an old copy of its own data.

    30_federation.py WORK BUILD
"""
import os
import re
import shutil
import subprocess
import sys
import time

import client
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
client.generate_protocol(f"{WORK}/py")
sys.path.insert(0, f"{WORK}/py")
import false_peer as peers  # noqa: E402  needs the generated protocol

LARGE = 20  # more than a parcel takes
R1_SECONDS = 30
FREE_TEXT = "La señora Pérez, tel. 5512345678"
passed = failed = 0


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text)
    else:
        failed += 1
        print("✖", text, "—", why)


def node_log(code="cdmx"):
    with open(f"{WORK}/node/{code}/log", encoding="utf-8", errors="replace") as log:
        return log.read()


def lines(word, code="cdmx"):
    return [line for line in node_log(code).splitlines() if f" {word} " in line]


def eventually(check, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False


# ---- a peer's log ----

class Story:
    """Exchanges from MPI to PGJ, and PGJ's acts about them, which the played node forwards."""

    def __init__(self):
        self.home = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
        self.pgj = client.Partner(WORK, "cdmx.pgj.adapter", "cdmx/pgj")
        self.peer = peers.Peer(WORK, "pgj", self.home.facts)

    def act(self):
        """(exchange id, custody of a new request)"""
        header = self.home.request("cdmx/pgj", "mpi-pgj-medidas", "PRO-JUR-CAR")
        message = self.home.wrap(header, [(1, self.home.m.IdentityCompartment(full_name="X Y"))])
        self.home.submit(message)
        return header.exchange_id, self.pgj.wrap(self.pgj.custody(message))

    def is_known(self, exchange_id):
        """The act came through: the requester sees custody."""
        return all(item.state >= 3 for item in self.home.track(exchange_id).items)


def honest_streams_that_cross(story):
    peer, log = story.peer, story.peer.log
    acts = [story.act() for _ in range(6)]
    for _, act in acts:
        log.append(act)
    a, b, c = (peer.stream(story.home) for _ in range(3))
    a.send(3, (acts[0][1], 0))
    got = a.outcome()
    say("a parcel with its proofs is taken", got == ["receipt"], got)
    say("and moves the exchange", story.is_known(acts[0][0]))
    first = a.answered.progress.checkpoint.decode()

    b.send(5, (acts[1][1], 1))
    asked = b.outcome()
    say("a second stream that started before is asked for the proof", asked == ("question", 3, 5),
        asked)
    say("and nothing of it is used meanwhile", not story.is_known(acts[1][0]))
    b.prove(3, 5)
    got = b.outcome()
    say("its proof is taken", got == ["receipt"], got)

    c.send(2, (acts[0][1], 0))
    asked = c.outcome()
    say("a stream that was overtaken is asked, too", asked == ("question", 2, 5), asked)
    c.send(4, (acts[2][1], 2))
    asked = c.outcome()
    c.prove(4, 5)
    time.sleep(0.2)
    say("a parcel that is proven waits for the one before it", asked == ("question", 4, 5) and
        not story.is_known(acts[2][0]), asked)
    c.prove(2, 5)
    got = c.outcome(), c.answered.sequence, c.outcome(), c.answered.sequence
    say("then both are taken in order, what came twice with its receipt again",
        got == (["receipt"], 1, ["receipt"], 2), got)
    second = c.answered.progress.checkpoint.decode()

    _, size, root = client.open_checkpoint(first, story.home.facts["vkeys"])
    _, new_size, new_root = client.open_checkpoint(second, story.home.facts["vkeys"])
    a.put(question=peer.fed.LineQuestion(old_size=size, new_size=new_size))
    kind, proof = a.outcome()
    say("the node answers the same question about its own log", kind == "proof" and
        peers.is_consistent(size, root, new_size, new_root, proof.consistency), (size, new_size))
    a.put(question=peer.fed.LineQuestion(old_size=1, new_size=1 << 40))
    got = a.outcome()
    say("sizes that it never had: the stream is refused", got[0] == "OUT_OF_RANGE", got)
    b.put(proof=peer.fed.LineProof(old_size=1, new_size=2))
    got = b.outcome()
    say("a proof that nobody asked for: the stream is refused", got[0] == "INVALID_ARGUMENT", got)
    c.close()


def a_forked_log(story):
    peer, log = story.peer, story.peer.log
    main = peer.stream(story.home)
    acts = [story.act() for _ in range(2)]
    for _, act in acts:
        log.append(act)
    say("the hello tells how far the log was seen", main.hello.seen_size == 5, main.hello.seen_size)
    other = log.forked(5)
    exchange, act = story.act()
    other.append(act)
    late = peer.stream(story.home, other)
    late.told = 5
    size = len(log.leaves)
    main.send(size, (acts[0][1], size - 2))
    main.outcome()
    late.send(6, (act, 5))
    asked = late.outcome()
    say("another history on a second stream: its proof is asked for", asked == ("question", 6, size),
        asked)
    late.prove(6, size, peers.consistency(6, log.hashes(size)))
    got = late.outcome()
    say("there is none, and it is refused: log.not_consistent",
        got[:2] == ("DATA_LOSS", "log.not_consistent"), got)
    fork = " ".join(lines("seen.fork"))
    say("both roots are in the log", log.root(size).hex() in fork and other.root(6).hex() in fork,
        fork)
    say("and nothing of it was used", not story.is_known(exchange))

    again = peer.stream(story.home, other)
    say("a new stream begins at what was seen", again.hello.seen_size == size)
    other.leaves = other.leaves[:size] + [other.leaves[-1]] * (size + 1 - len(other.leaves))
    again.send(size + 1, (act, 5))
    got = again.outcome()
    say("where the other history does not fit", got[:2] == ("DATA_LOSS", "log.not_consistent"), got)

    other = log.forked(size - 1)
    exchange, act = story.act()
    other.append(act)
    third = peer.stream(story.home, other)
    third.told = 0
    third.send(size, (act, size - 1))
    got = third.outcome()
    say("two roots for one size are refused without a question",
        got[:2] == ("DATA_LOSS", "log.not_consistent"), got)
    say("the node goes on", story.home.submit(
        story.home.wrap(story.home.request(), story.home.alias())).leaf != b"")


def silence(story):
    peer, log = story.peer, story.peer.log
    acts = [story.act() for _ in range(2)]
    streams = [peer.stream(story.home) for _ in range(2)]
    for stream, (_, act) in zip(streams, acts):
        index = log.append(act)
        stream.send(index + 1, (act, index))
        got = stream.outcome()
    exchange, index = acts[1][0], len(log.leaves) - 1
    say("a question that stays without an answer holds up its parcel",
        got[0] == "question" and not story.is_known(exchange), got)
    for _ in range(4):
        streams[1].send(index + 1)
    got = streams[1].outcome()
    while got[0] == "question":
        got = streams[1].outcome()
    say("a fifth parcel without an answer is refused: peer.too_many", got[1] == "peer.too_many", got)
    again = peer.stream(story.home)
    again.told = again.hello.seen_size
    again.send(index + 1, (acts[1][1], index))
    got = again.outcome()
    say("on a new stream it is taken", got == ["receipt"] and story.is_known(exchange), got)
    again.close()


def text_of_a_lying_peer(story):
    """Reasons and paths of a peer are not kept when they could be anything."""
    fed = story.peer.fed

    def answer(parcel):
        from enlace.v1 import receipt_pb2  # pylint: disable=import-error
        refusal = receipt_pb2.Refusal(code=7, reason="Sra. Pérez 5512345678"[:40], path=FREE_TEXT,
                                      remedy=FREE_TEXT)
        return [fed.EntryAnswer(refusal=refusal) for _ in parcel.entries]

    server = story.peer.serve(answer)
    refused = eventually(lambda: lines("peer.message_refused"), 20)
    server.stop(0)
    say("what a peer refuses for good is a leaf here", refused)
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/cdmx")
    from enlace.v1 import audit_pb2  # pylint: disable=import-error
    records = [audit_pb2.AuditRecord.FromString(entry.record)
               for _, page in auditor.pages() for entry in page]
    mine = [r for r in records if r.kind == audit_pb2.RECORD_KIND_REFUSED]
    say("its words are not: peer.unreadable", mine and all(
        r.reason == "peer.unreadable" and r.reason_path == "peer.unreadable" for r in mine),
        [(r.reason, r.reason_path) for r in mine])
    say("nor are they in the operator's log", "5512345678" not in node_log())
    say("and no text of a record holds them",
        not any(b"5512345678" in r.SerializeToString() for r in records))


# ---- a peer that was away ----

def seal(work, size):
    """A CMS for the recipient's systems; the node sees no more of it than its shape."""
    with open(f"{work}/plain", "wb") as file:
        file.write(os.urandom(size))
    return subprocess.run(
        ["openssl", "cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER",
         "-in", f"{work}/plain", "-recip", f"{work}/pki/system/cdmx.ssc.adapter/tls.pem",
         "-keyopt", "ecdh_kdf_md:sha256"], check=True, capture_output=True).stdout


def large(home, sealed):
    header = home.request()
    header.seals.add(part=3, sha256=b"\1" * 32)
    message = home.wrap(header, home.alias())
    message.compartments.add(part=3, blind=os.urandom(32), sealed=sealed)
    return header, message


def a_peer_that_was_away(home):
    waiting, sealed = [], seal(WORK, 256 << 10)
    for _ in range(LARGE):
        header, message = large(home, sealed)
        home.submit(message)
        waiting.append(header.message_id)
    for _ in range(3):
        header = home.request()
        home.submit(home.wrap(header, home.alias()))
        waiting.append(header.message_id)
    say(f"a peer is down: {LARGE} messages of {message.ByteSize()} bytes and three small ones wait",
        all(len(home.receipts(i).receipts) == 1 for i in waiting))
    ssc = storm.Node(WORK, BUILD, "ssc").start()
    came = eventually(lambda: all(len(home.receipts(i).receipts) == 2 for i in waiting), R1_SECONDS)
    say("it comes back: R1 of each comes", came,
        [len(home.receipts(i).receipts) for i in waiting])
    ssc.kill()
    header = home.request()
    home.submit(home.wrap(header, home.alias()))
    ssc.start()
    say("killed and back: what came meanwhile follows",
        eventually(lambda: len(home.receipts(header.message_id).receipts) == 2, 20))
    say("no parcel was too large", not lines("forward.parcel"), lines("forward.parcel"))
    return ssc


# ---- an old copy of the data ----

def refuses_to_start(node, event):
    try:
        node.start()
    except RuntimeError:
        pass
    ended = node.wait(5)
    said = lines(event)
    return ended not in (None, 0) and "remedy=" in " ".join(said), (ended, said)


def old_copy(home, cdmx):
    data, kept, newest = (f"{WORK}/node/cdmx/{name}" for name in ("data", "data.old", "data.new"))
    cdmx.kill(15)
    shutil.copytree(data, kept)
    cdmx.start()
    header = home.request()
    home.submit(home.wrap(header, home.alias()))
    eventually(lambda: len(home.receipts(header.message_id).receipts) == 2)
    cdmx.kill(15)
    os.rename(data, newest)
    shutil.copytree(kept, data)
    said = refuses_to_start(cdmx, "log.older_than_anchor")
    say("an old copy of the data does not start, and says what to do", said[0], said[1])

    os.rename(f"{WORK}/node/cdmx/vault/.anchor", f"{WORK}/node/cdmx/anchor.away")
    said = refuses_to_start(cdmx, "log.older_than_witnessed")
    say("without the anchor, a peer is asked at start and remembers: it does not start",
        said[0], said[1])
    anchor = f"{WORK}/node/cdmx/vault/.anchor"
    if os.path.exists(anchor):
        os.remove(anchor)  # made anew before the peers were asked
    with open(f"{WORK}/node/cdmx/enlaced.conf", "a", encoding="utf-8") as conf:
        conf.write("recall_ms = 0\n")
    before = len(lines("log.older_than_witnessed"))
    cdmx.start()
    home.submit(home.wrap(home.request(), home.alias()))
    ended = cdmx.wait(20)
    said = lines("log.older_than_witnessed")[before:]
    say("and when nobody is asked, the first exchange shows the checkpoint that the peer saw",
        ended not in (None, 0) and "remedy=" in " ".join(said), (ended, said))

    shutil.rmtree(data)
    os.rename(newest, data)
    os.replace(f"{WORK}/node/cdmx/anchor.away", f"{WORK}/node/cdmx/vault/.anchor")
    cdmx.start()
    home = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")  # no connection of before
    header = home.request()
    home.submit(home.wrap(header, home.alias()))
    say("the newest copy goes on where it was",
        eventually(lambda: len(home.receipts(header.message_id).receipts) == 2))


# ---- the directory in force ----

def directory_leaf(home, ssc):
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/ssc")
    from enlace.v1 import audit_pb2  # pylint: disable=import-error

    def directories():
        records = [audit_pb2.AuditRecord.FromString(entry.record)
                   for _, page in auditor.pages() for entry in page]
        return [r.directory_sha256 for r in records
                if r.kind == audit_pb2.RECORD_KIND_DIRECTORY]

    say("the directory in force is a leaf, one for all starts with the same", len(directories()) == 1,
        len(directories()))
    ssc.kill(15)
    with open(f"{WORK}/directory.txt", encoding="utf-8") as file:
        port = re.search(r"address 127\.0\.0\.1:(\d+)", file.read()).group(1)
    script = os.path.join(os.path.dirname(__file__), "../../deploy/demo/make_directory.sh")
    subprocess.run([script, f"{WORK}/pki", f"{WORK}/directory.txt", "--ports-from", port,
                    "--remark", "otra"], check=True)
    ssc.start()
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/ssc")
    found = directories()
    say("another directory at a start is another leaf", len(set(found)) == 2 and len(found) == 2,
        len(found))


def main():
    cdmx = storm.Node(WORK, BUILD, "cdmx").start()
    story = Story()
    honest_streams_that_cross(story)
    a_forked_log(story)
    silence(story)
    text_of_a_lying_peer(story)
    ssc = a_peer_that_was_away(story.home)
    old_copy(story.home, cdmx)
    directory_leaf(story.home, ssc)
    stopped = [node.kill(15) for node in (cdmx, ssc)]
    say("both stop orderly", stopped == [0, 0], stopped)
    print(f"30_federation.py: {passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


sys.exit(main())
