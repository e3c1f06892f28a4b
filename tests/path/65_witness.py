"""65_witness - witnessing both ways, what its absence does, and the attacks that it answers.

    65_witness.py WORK BUILD
"""
import json
import os
import shutil
import subprocess
import sys
import time
import uuid

import grpc

import client
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
ROOT = client.ROOT
sys.path.insert(0, f"{ROOT}/tests/interop")
import c2sp  # noqa: E402

CODES = ("cdmx", "ssc", "pgj", "sedesa", "contraloria", "segob")
ORIGIN = "gw.{}/audit/2026"
ENLACE, ALONE = f"{BUILD}/bin/enlace", f"{BUILD}/bin/enlace-verify"
passed = failed = 0


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text, flush=True)
    else:
        failed += 1
        print("✖", text, "—", why, flush=True)


def eventually(check, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.1)
    return False


def lines(word, code="cdmx"):
    with open(f"{WORK}/node/{code}/log", encoding="utf-8", errors="replace") as log:
        return [line for line in log if f" {word} " in line]


def settings(code, text):
    with open(f"{WORK}/node/{code}/enlaced.conf", "a", encoding="utf-8") as conf:
        conf.write(text)


def write(name, text):
    path = f"{WORK}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def directory_keys():
    """{code: (log vkey, witness vkey)}"""
    keys, code = {}, None
    for line in read(f"{WORK}/directory.txt").splitlines():
        words = line.split()
        if line.startswith("node "):
            code = words[1].split("/")[1]
        elif words and words[0] in ("log-key", "witness-key"):
            keys.setdefault(code, []).append(words[1])
    return {code: tuple(pair) for code, pair in keys.items()}


KEYS = directory_keys()


def run(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode == status, done.stdout + done.stderr


def verify(*arguments):
    """(exit status, answer as JSON)"""
    done = subprocess.run([ALONE, "--json", *arguments], capture_output=True, text=True, timeout=30,
                          check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {"findings": [], "text": done.stdout + done.stderr}


def checks(answer):
    return [finding["check"] for finding in answer.get("findings", [])]


def witness_of(code):
    return f"unix:{WORK}/node/{code}/witness.sock"


class Partner(client.Partner):
    def message(self, urgency=1):
        header = self.request()
        header.urgency = urgency
        return header.message_id, self.wrap(header, self.alias())

    def send(self, urgency=1):
        message_id, message = self.message(urgency)
        self.submit(message, 20)
        return message_id

    def witnessed(self, message_id):
        """The answer of GetWitnessedReceipts, or the reason of its refusal."""
        try:
            return self.call("GetWitnessedReceipts",
                             self.x.GetWitnessedReceiptsRequest(message_id=message_id),
                             self.x.GetWitnessedReceiptsResponse)
        except grpc.RpcError as error:
            return client.refusal(error)

    def quorum(self, message_id, least, seconds=15):
        """Waits for a witnessed receipt; returns (witnesses whose cosignature is good, note)."""
        answer = None

        def has_it():
            nonlocal answer
            answer = self.witnessed(message_id)
            return hasattr(answer, "receipts") and len(count(answer)[0]) >= least
        if not eventually(has_it, seconds):
            return [], str(answer)
        return count(answer)


def count(answer):
    """By the standard alone: which witnesses of the directory cosigned, and the note."""
    _, _, note = client.receipt_parts(answer.receipts[0])
    return [code for code, pair in KEYS.items() if c2sp.is_signed(note, pair[1])], note


# ---- six nodes ----

def profile(name, code, member, system, extra=""):
    network, short = member.split("/")
    keys = f"{WORK}/pki/system/{network}.{short}.{system}"
    own = KEYS[code][0]
    logs = "".join(f"log = {pair[0]}\n" for other, pair in KEYS.items() if other != code)
    address = client.directory_facts(f"{WORK}/directory.txt")["address"][f"cdmx/{code}"]
    return write(f"{name}.conf", f"address = {address}\nnode = spiffe://enlace.cdmx/node/{code}\n"
                 f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\nca = {WORK}/pki/ca/all.pem\n"
                 f"member = {member}\nsystem = {system}\nnode_log = {own}\n{logs}{extra}")


def quorum_of_six(home):
    who = profile("mpi", "cdmx", "cdmx/mpi-cdmx", "plataforma", "policy = policy.txt\n")
    message_id = home.send()
    text = str(uuid.UUID(bytes=message_id))
    first = home.receipts(message_id).receipts[0].tlog_proof
    witnesses, note = home.quorum(message_id, 4)
    say("four of the five foreign witnesses cosign, at least; the own one is never asked",
        len(witnesses) >= 4 and "cdmx" not in witnesses, (witnesses, note))
    say("R0 itself never changes", home.receipts(message_id).receipts[0].tlog_proof == first)
    good, said = run(ENLACE, "--profile", who, "receipt", text, "--witnessed", "-o",
                     f"{WORK}/witnessed")
    say("receipt --witnessed says the grade", good and
        ("atestiguado por 4 de 5" in said or "atestiguado por 5 de 5" in said), said)
    good, said = run(ENLACE, "--profile", who, "receipt", text, "-o", f"{WORK}/plain")
    say("receipt says the other", good and "firmado por la bitácora" in said, said)
    policy = ("--policy", f"{WORK}/policy.txt")
    status, answer = verify("receipt", f"{WORK}/witnessed", *policy)
    say("enlace-verify counts the same, offline", status == 0 and answer["R0_witnesses"] >= 4, answer)
    status, answer = verify("receipt", f"{WORK}/plain", *policy)
    say("with a policy, the log's signature alone does not do",
        status == 1 and "policy.quorum" in checks(answer), answer)
    status, answer = verify("receipt", f"{WORK}/plain", *policy, "--unwitnessed")
    say("but with --unwitnessed, which the answer repeats",
        status == 0 and "policy.quorum" in checks(answer), answer)
    good, said = run(ENLACE, "--profile", who, "verify", "receipt", f"{WORK}/plain", status=1)
    say("a profile's policy is as binding as an option", good and "quórum" in said, said)
    good, said = run(ENLACE, "--profile", who, "verify", "receipt", f"{WORK}/witnessed")
    say("and is met by the witnessed receipt", good, said)
    return message_id, note


def exported_log():
    """An export ends at the newest checkpoint with a quorum, so that a policy can be asked of it."""
    keys = f"{WORK}/pki/auditor/cdmx.contraloria.auditor-01"
    address = client.directory_facts(f"{WORK}/directory.txt")["address"]["cdmx/cdmx"]
    who = write("audit.conf", f"address = {address}\nnode = spiffe://enlace.cdmx/node/cdmx\n"
                f"certificate = {keys}/tls.pem\nkey = {keys}/tls.key\nca = {WORK}/pki/ca/all.pem\n"
                f"member = cdmx/contraloria\nnode_log = {KEYS['cdmx'][0]}\n")
    folder = f"{WORK}/exported"
    good, said = run(ENLACE, "--profile", who, "log", "export", folder, "--purpose", "revision",
                     "--records")
    status, answer = verify("log", folder, "--policy", f"{WORK}/policy.txt")
    say("an exported log verifies with its quorum", good and status == 0 and
        answer.get("witnesses", 0) >= 4, (said, answer))
    log = c2sp.Log(ORIGIN.format("cdmx"))
    log.key = c2sp.Key.load(log.key.name, c2sp.LOG, f"{WORK}/pki/node/cdmx/log.key")
    text, _ = c2sp.split_note(read(f"{folder}/checkpoint"))
    write("exported/checkpoint", text + "\n" + log.key.sign(text))
    status, answer = verify("log", folder, "--policy", f"{WORK}/policy.txt")
    say("signed by the log's key alone it does not",
        status == 1 and "policy.quorum" in checks(answer), answer)
    say("(control: to who asks for no quorum it does)",
        verify("log", folder, "--vkey", KEYS["cdmx"][0])[0] == 0)


def one_down_two_down(home, nodes):
    nodes["segob"].kill(15)
    witnesses, note = home.quorum(home.send(), 4)
    say("one institution down: four of five reach the quorum",
        len(witnesses) == 4 and "segob" not in witnesses, (witnesses, note))
    nodes["contraloria"].kill(15)
    late = home.send()
    say("two down: no quorum, and no receipt that says so",
        not eventually(lambda: hasattr(home.witnessed(late), "receipts"), 1) and
        "receipt.unwitnessed" in str(home.witnessed(late)), home.witnessed(late))
    say("the lag is loud, and names who is missing", eventually(
        lambda: any("gw.contraloria/witness" in line and "gw.segob/witness" in line
                    for line in lines("witness.lag"))), lines("witness.lag"))
    say("the health service says it", eventually(lambda: health("cdmx", "enlace.witnesses") == 2))

    def is_stopped():
        try:
            home.send()
            return False
        except grpc.RpcError as error:
            return "witness.lag" in str(client.refusal(error))
    say("beyond the second limit ordinary messages wait: witness.lag", eventually(is_stopped))
    urgent = home.send(urgency=2)
    say("urgent ones do not, to the receiver's own log", eventually(
        lambda: len(home.receipts(urgent).receipts) == 2))
    nodes["contraloria"].start()
    say("a witness comes back: ordinary messages go on",
        eventually(lambda: not is_stopped()) and lines("witness.caught_up"))
    witnesses, note = home.quorum(late, 4)
    say("and what was waiting has its quorum", len(witnesses) == 4, note)
    nodes["segob"].start()


def health(code, service):
    """1 serving, 2 not."""
    with grpc.insecure_channel(f"unix:{WORK}/node/{code}/health.sock") as channel:
        answer = channel.unary_unary("/grpc.health.v1.Health/Check", lambda r: r, lambda r: r)(
            b"\x0a" + bytes([len(service)]) + service.encode(), timeout=5)
    return answer[1] if len(answer) == 2 else 0


def idle_log(home):
    """A log where nothing happens has its quorum renewed, and gets a leaf now and then."""
    def newest():
        status, _, note = c2sp.monitor(witness_of("ssc"), ORIGIN.format("cdmx"))
        return c2sp.open_text(c2sp.split_note(note)[0])[1] if status == 200 else 0
    home.quorum(home.send(), 4)
    time.sleep(0.5)
    size = newest()
    say("an idle log gets a heartbeat, which the witnesses see", eventually(lambda: newest() > size))
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/cdmx")
    from enlace.v1 import audit_pb2  # pylint: disable=import-error
    entries = [entry for _, page in auditor.pages() for entry in page]
    beats = [e for e in entries if e.record and
             audit_pb2.AuditRecord.FromString(e.record).kind == audit_pb2.RECORD_KIND_HEARTBEAT]
    say("a control leaf that everybody can read", beats and all(
        e.leaf[4] == 2 and e.leaf[24:56] == bytes(32) and e.record_blind == bytes(32) and
        c2sp.sha(b"enlace/record/v1\0", bytes(32), len(e.record).to_bytes(8, "big"), e.record)
        == e.leaf[56:88] for e in beats), len(beats))


# ---- a log that nobody here wrote asks our witness ----

def foreign_log(log, cdmx):
    address = witness_of("cdmx")

    def post(body):
        return c2sp.add_checkpoint(address, body)
    stranger = c2sp.Log("stranger.example/log").grow(1)
    log.grow(3)
    status, _, answer = post(log.body(0))
    say("an unmodified client is cosigned over HTTP", status == 200 and
        c2sp.is_signed(log.note() + answer, KEYS["cdmx"][1]), (status, answer))
    status, kind, answer = post(log.body(0))
    say("409 with the last size, text/x.tlog.size",
        (status, kind, answer) == (409, "text/x.tlog.size", "3\n"), (status, kind, answer))
    say("the same size again is legal", post(log.body(3))[0] == 200)
    log.grow(5)
    say("growth with its proof", post(log.body(3))[0] == 200)
    say("400: old above new", post(log.body(9, 8))[0] == 400)
    for body in ("", "old 8\n", "old 08\n\n" + log.note(), "old 8\r\n\r\n" + log.note(),
                 log.body(8).replace("\n\n", "\n", 1), log.body(8) + "x" * 20000):
        say(f"400: malformed ({body[:8]!r}, {len(body)} bytes)", post(body)[0] == 400)
    other = c2sp.Key(log.key.name, c2sp.LOG)
    say("403: another key's signature", post(log.body(8, note=log.note(key=other)))[0] == 403)
    say("404: a log that it does not know", post(stranger.body(0))[0] == 404)
    own = c2sp.Log(ORIGIN.format("cdmx")).grow(1)
    own.key = c2sp.Key.load(own.key.name, c2sp.LOG, f"{WORK}/pki/node/cdmx/log.key")
    say("404: its own institution's log", post(own.body(0))[0] == 404)
    log.grow(1)
    say("422: a wrong proof", post(log.body(8, proof=[bytes(32)] * 4))[0] == 422)
    say("404 and 405 elsewhere", c2sp.ask(address, "GET", "/add-checkpoint")[0] == 405 and
        c2sp.ask(address, "GET", "/x")[0] == 404)
    status, _, note = c2sp.monitor(address, log.key.name)
    say("a monitor gets the last checkpoint with its cosignature", status == 200 and
        c2sp.open_text(c2sp.split_note(note)[0])[1] == 8 and c2sp.is_signed(note, log.key.vkey) and
        c2sp.is_signed(note, KEYS["cdmx"][1]), note)
    say("and nothing of a log that was never seen",
        c2sp.monitor(address, "stranger.example/log")[0] == 404)
    cdmx.kill()
    cdmx.start()
    status, _, answer = post(log.body(0))
    say("what was cosigned survives a kill -9", (status, answer) == (409, "8\n"), (status, answer))
    say("and grows from there", post(log.body(8))[0] == 200)
    return log


def over_grpc(log, home):
    """The same bytes between nodes, and the proof to a larger checkpoint that exchanging showed."""
    from enlace.v1 import federation_pb2 as fed  # pylint: disable=import-error
    node = home.connect(f"{WORK}/pki/node/pgj")
    system = home.connect(f"{WORK}/pki/system/cdmx.ssc.adapter")
    auditor = home.connect(f"{WORK}/pki/auditor/cdmx.contraloria.auditor-01")

    def call(channel, method, request, answer):
        try:
            return channel.unary_unary(f"/enlace.v1.FederationService/{method}",
                                       lambda r: r.SerializeToString(), answer.FromString)(
                                           request, timeout=10, wait_for_ready=True)
        except grpc.RpcError as error:
            return client.refusal(error)

    def add(body, later=None, channel=node):
        request = fed.AddCheckpointRequest(body=body.encode())
        if later:
            request.later.old_size, request.later.new_size = later[:2]
            request.later.consistency.extend(later[2])
        return call(channel, "AddCheckpoint", request, fed.AddCheckpointResponse)
    seen = len(log.leaves)
    log.grow(4)
    size, small = seen + 4, seen + 2
    c2sp.add_checkpoint(witness_of("cdmx"), log.body(seen))
    old = log.body(seen - 2, seen - 2)
    proof = c2sp.consistency(small, log.hashes())
    body = log.body(small, small)
    got = add(body)
    say("a smaller checkpoint than was seen: 409", (got.status, got.size) == (409, size), got)
    got = add(body, (small, size, proof))
    say("with the proof that the larger one begins with it: cosigned", got.status == 200 and
        c2sp.is_signed(log.note(small) + got.cosignature.decode(), KEYS["cdmx"][1]), got)
    wrong = [bytes(32)] + proof[1:]
    got = add(old, (seen - 2, size, c2sp.consistency(seen - 2, log.hashes())))
    say("but not one that was overtaken before the last start", got.status == 409, got)
    say("with a wrong one: 422", add(body, (small, size, wrong)).status == 422)
    got = add(body, (small, size + 5, proof))
    say("against a size that was never seen: 409", got.status == 409, got)
    say("between other sizes: 400", add(body, (small - 1, size, proof)).status == 400 and
        add(log.body(small - 1, small), (small, size, proof)).status == 400)
    got = add(body, channel=system)
    say("only nodes are cosigned here", got[0] == "PERMISSION_DENIED", got)

    def get(channel):
        return call(channel, "GetCheckpoint", fed.GetCheckpointRequest(origin=log.key.name),
                    fed.GetCheckpointResponse)
    say("nodes and auditors may ask what was seen, systems may not",
        c2sp.is_signed(get(node).checkpoint.decode(), log.key.vkey) and
        c2sp.is_signed(get(auditor).checkpoint.decode(), log.key.vkey) and
        get(system)[0] == "PERMISSION_DENIED", get(system))


def rewritten_log(log):
    """Attacks 6 and 7: the log's key rewrites its past."""
    address = witness_of("cdmx")
    size = len(log.leaves)
    same = log.forked(4).grow(size - 4, "rewritten")
    grown = log.forked(4).grow(size, "rewritten")
    say("a rewritten past of the same size: 422",
        c2sp.add_checkpoint(address, same.body(size))[0] == 422)
    say("hidden by growing beyond it, with the proof of its own tree: 422",
        c2sp.add_checkpoint(address, grown.body(size))[0] == 422)
    say("both stand in the operator's log",
        len([l for l in lines("witness.unproven") if log.key.name in l]) >= 2)
    fork = write("rewritten", grown.note())
    old = write("before", log.note())
    status, _ = verify("consistency", fork, fork, "--vkey", log.key.vkey)
    say("(control: an auditor without quorum and memory believes it)", status == 0)
    policy = write("one.txt", f"log {log.key.vkey}\nwitness c {KEYS['cdmx'][1]}\nquorum c\n")
    status, answer = verify("consistency", fork, fork, "--policy", policy)
    say("a quorum finds it", status == 1 and "policy.quorum" in checks(answer), answer)
    same_note = write("same", same.note())
    status, answer = verify("consistency", old, same_note, "--vkey", log.key.vkey)
    say("a remembered checkpoint finds it, too", status == 1, answer)


# ---- witnesses that nobody here wrote cosign our log ----

def foreign_witness(witness, partner, ssc):
    message_id = partner.act()
    answer = None

    def has_it():
        nonlocal answer
        answer = partner.witnessed(message_id)
        return hasattr(answer, "receipts")
    is_there = eventually(has_it)
    note = client.receipt_parts(answer.receipts[0])[2] if is_there else str(answer)
    say("an unmodified witness cosigns our log over HTTP, and completes the quorum",
        is_there and c2sp.is_signed(note, witness.key.vkey) and
        c2sp.is_signed(note, KEYS["ssc"][0]), note)
    for manner in ("garbage", "replay", "error", "slow"):
        witness.manner = manner
        asked = witness.asked
        message_id = partner.act()
        say(f"a witness that answers with {manner} is asked, and gives no quorum",
            eventually(lambda: witness.asked > asked) and
            not eventually(lambda: hasattr(partner.witnessed(message_id), "receipts"), 1.5))
        witness.manner = "honest"
        say(f"the service goes on; after {manner} the honest one completes it",
            eventually(lambda: hasattr(partner.witnessed(message_id), "receipts"), 25))
    say("each is said once", lines("witness.refused", "ssc"))
    return ssc


class Actor(Partner):
    """SSC's system: sends something of its own, which SSC's log holds."""

    def __init__(self, home):
        super().__init__(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
        self.home = home

    def act(self):
        """Custody of a new request."""
        message_id, message = self.home.message()
        self.home.submit(message, 20)
        eventually(lambda: len(self.home.receipts(message_id).receipts) == 2)
        answer = self.wrap(self.custody(message))
        self.submit(answer, 20)
        return self.m.Header.FromString(answer.header).message_id


# ---- equivocation and forged notes ----

def equivocation(log, pair):
    """Attack 8, n = 4: three honest witnesses are nodes of ours, then two; the rest lie."""
    other = log.grow(3).forked(1).grow(2, "the other view")
    second = pair.grow(3).forked(1).grow(2, "the other view")
    liars = [c2sp.Key(f"liar{i}.example/witness", c2sp.COSIGNER) for i in range(2)]
    listed = [KEYS[code][1] for code in ("cdmx", "pgj", "sedesa")]

    def policy(name, of, witnesses):
        text = f"log {of.key.vkey}\n"
        text += "".join(f"witness w{i} {vkey}\n" for i, vkey in enumerate(witnesses))
        names = " ".join(f"w{i}" for i in range(len(witnesses)))
        return write(name, f"{text}group g 3 {names}\nquorum g\n")

    def gather(view, nodes, keys):
        note = view.note()
        for code in nodes:
            status, _, answer = c2sp.add_checkpoint(witness_of(code), view.body(0))
            note += answer if status == 200 else ""
        return note + "".join(key.cosign(view.text()) for key in keys)

    one = policy("one-liar.txt", log, listed + [liars[0].vkey])
    shown = write("view-a", gather(log, ("cdmx", "pgj", "sedesa"), liars[:1]))
    hidden = write("view-b", gather(other, ("cdmx", "pgj", "sedesa"), liars[:1]))
    status, answer = verify("consistency", shown, shown, "--policy", one)
    say("n=4, one liar: the view that is shown has its quorum", status == 0, answer)
    status, answer = verify("consistency", hidden, hidden, "--policy", one)
    say("the other view does not", status == 1 and "policy.quorum" in checks(answer), answer)
    status, _ = verify("consistency", hidden, hidden, "--vkey", log.key.vkey)
    say("(control: without a quorum it is believed)", status == 0)

    two = policy("two-liars.txt", pair, listed[:2] + [liar.vkey for liar in liars])
    a = write("pair-a", gather(pair, ("cdmx",), liars))
    b = write("pair-b", gather(second, ("pgj",), liars))
    both = [verify("consistency", view, view, "--policy", two)[0] for view in (a, b)]
    say("n=4, two liars: both views have a quorum; that is the limit", both == [0, 0], both)
    status, answer = verify("consistency", a, b, "--policy", two)
    say("side by side the two notes prove it", status == 1, answer)


def forged_notes():
    """Attacks 9 and 10."""
    log = c2sp.Log("forged.example/log").grow(4)
    other = c2sp.Log("elsewhere.example/log").grow(4)
    foreign = c2sp.Key("w.example/witness", c2sp.COSIGNER)
    own = c2sp.Key("forged.example/witness", c2sp.COSIGNER)
    base = f"log {log.key.vkey}\nwitness w {foreign.vkey}\n"
    policy = write("forged.txt", base + "quorum w\n")
    with_own = write("own.txt", base + f"witness own {own.vkey}\ngroup g any w own\nquorum g\n")

    def judge(name, note, *arguments):
        path = write(name, note)
        status, answer = verify("consistency", path, path, *arguments)
        return status, checks(answer)

    good = log.note() + foreign.cosign(log.text())
    say("(control: a note with its quorum)", judge("good", good, "--policy", policy)[0] == 0)
    got = judge("transplanted", log.note() + foreign.cosign(other.text()), "--policy", policy)
    say("a transplanted cosignature is refused", got[0] == 1 and "witness.signature" in got[1], got)
    got = judge("unsigned", log.text() + "\n" + foreign.cosign(log.text()), "--policy", policy)
    say("cosignatures do not replace the log's signature", got[0] == 1, got)
    got = judge("own", log.note() + own.cosign(log.text()), "--policy", with_own)
    say("the own institution's witness does not count", got[0] == 1 and "policy.quorum" in got[1], got)
    say("(control: a foreign one by the same policy does)",
        judge("foreign", good, "--policy", with_own)[0] == 0)
    twice = c2sp.Key("w2.example/witness", c2sp.COSIGNER, foreign.private)
    policy_twice = write("twice.txt", base + f"witness w2 {twice.vkey}\ngroup g all w w2\nquorum g\n")
    got = judge("twice", good + twice.cosign(log.text()), "--policy", policy_twice)
    say("one witness under two names is no policy at all", got[0] == 2, got)

    old = log.note() + foreign.cosign(log.text(), int(time.time()) - 7200)
    got = judge("frozen", old, "--policy", policy, "--fresh", "3600")
    say("a frozen view is too old", got[0] == 1 and "witness.stale" in got[1], got)
    say("(control: without a limit on age it passes)",
        judge("frozen", old, "--policy", policy)[0] == 0)


def stolen_keys(note):
    """Attack 14: the log's key and a quorum of witness keys."""
    origin, size, _ = c2sp.open_text(c2sp.split_note(note)[0])
    thief = c2sp.Log(origin).grow(size, "invented")
    thief.key = c2sp.Key.load(origin, c2sp.LOG, f"{WORK}/pki/node/cdmx/log.key")
    forged = thief.note()
    for code in ("pgj", "sedesa", "contraloria", "segob"):
        key = c2sp.Key.load(f"gw.{code}/witness", c2sp.COSIGNER, f"{WORK}/pki/node/{code}/witness.key")
        forged += key.cosign(thief.text())
    path = write("stolen", forged)
    policy = ("--policy", f"{WORK}/policy.txt")
    say("(with the log's key and four witnesses' no quorum helps)",
        verify("consistency", path, path, *policy)[0] == 0)
    # What another institution saw when this checkpoint was made: kept by whoever asked its monitor.
    real = write("real", note)
    status, answer = verify("consistency", real, path, *policy)
    say("a checkpoint that another institution kept finds it", status == 1, answer)
    status, _, seen = c2sp.monitor(witness_of("ssc"), origin)
    newer = write("seen", seen)
    say("as does what its witness holds now: no proof leads there", status == 200 and
        c2sp.add_checkpoint(witness_of("ssc"), thief.body(0))[0] == 409 and
        not c2sp.is_consistent(size, c2sp.open_text(thief.text())[2],
                               *c2sp.open_text(c2sp.split_note(read(newer))[0])[1:], []), seen)


# ---- an old copy beside the witnesses ----

def old_copy(home, cdmx):
    """Attack 20: nobody is asked at start, the anchor is gone; the witnesses still know better."""
    data = f"{WORK}/node/cdmx/data"
    cdmx.kill(15)
    shutil.copytree(data, f"{data}.old")
    cdmx.start()
    home.quorum(home.send(), 4)
    cdmx.kill(15)
    os.rename(data, f"{data}.new")
    shutil.copytree(f"{data}.old", data)
    os.remove(f"{WORK}/node/cdmx/vault/.anchor")
    try:
        cdmx.start()
    except RuntimeError:
        pass
    say("an old copy without its anchor: the peers are asked at start, and it does not start",
        cdmx.wait(5) not in (None, 0) and any("remedy=" in l for l in lines("log.older_than_witnessed")))
    if os.path.exists(f"{WORK}/node/cdmx/vault/.anchor"):
        os.remove(f"{WORK}/node/cdmx/vault/.anchor")
    settings("cdmx", "recall_ms = 0\n")
    before = len(lines("log.older_than_witnessed"))
    cdmx.start()
    ended = cdmx.wait(15)
    say("when nobody is asked, the first round with the witnesses ends it",
        ended not in (None, 0) and lines("witness.against") and
        any("remedy=" in line for line in lines("log.older_than_witnessed")[before:]), ended)


def settings_are_checked():
    conf = read(f"{WORK}/node/pgj/enlaced.conf")

    def refuses(extra, word):
        path = write("bad.conf", conf + extra)
        done = subprocess.run([f"{BUILD}/bin/enlaced", "--check-config", path], capture_output=True,
                              text=True, check=False)
        return done.returncode == 2 and word in done.stderr
    far = write("far.txt", f"witness w {c2sp.Key('w.example/w', c2sp.COSIGNER).vkey} "
                "http://10.1.2.3/\nquorum w\n")
    conf = "\n".join(line for line in conf.splitlines()
                     if not line.startswith(("witness_listen", "witness_policy"))) + "\n"
    say("plain HTTP beyond this machine is refused by --check-config",
        refuses("witness_listen = 0.0.0.0:8080\n", "witness_listen") and
        refuses("witness_listen = 10.0.0.1:8080\n", "witness_listen") and
        refuses(f"witness_policy = {far}\n", "http://10.1.2.3/"))
    cut = write("cut.txt", "quorum\n")
    say("as is a policy that is none", refuses(f"witness_policy = {cut}\n", "cut.txt:1"))


def main():
    logs = [c2sp.Log(f"{name}.example/log") for name in ("foreign", "two", "pair")]
    write("known.txt", "".join(f"log {log.key.vkey}\n" for log in logs) + "quorum none\n")
    witness = c2sp.Witness("py.example/witness", [KEYS["ssc"][0]]).serve("/prefix")
    write("ssc-policy.txt", f"witness py {witness.key.vkey} {witness.url}\n"
          f"witness cdmx {KEYS['cdmx'][1]}\nwitness pgj {KEYS['pgj'][1]}\n"
          "group all-of-them all py cdmx pgj\nquorum all-of-them\n")
    for code in CODES:
        policy = "ssc-policy.txt" if code == "ssc" else "policy.txt"
        settings(code, f"witness_policy = {WORK}/{policy}\n")
    settings("cdmx", "max_witness_lag_s = 3\nstop_witness_lag_s = 5\nheartbeat_s = 2\n"
             "witness_refresh_s = 2\n")
    for code in ("cdmx", "pgj", "sedesa"):
        settings(code, f"witness_logs = {WORK}/known.txt\n")
    settings_are_checked()
    nodes = {code: storm.Node(WORK, BUILD, code).start() for code in CODES}
    home = Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")

    message_id, note = quorum_of_six(home)
    exported_log()
    one_down_two_down(home, nodes)
    idle_log(home)
    foreign_log(logs[0], nodes["cdmx"])
    over_grpc(logs[0], home)
    rewritten_log(logs[0])
    home = Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    foreign_witness(witness, Actor(home), nodes["ssc"])
    equivocation(logs[1], logs[2])
    forged_notes()
    stolen_keys(note)
    old_copy(home, nodes["cdmx"])
    for node in nodes.values():
        node.kill()
    print(f"65_witness.sh: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
