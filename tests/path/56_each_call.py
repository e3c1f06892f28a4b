"""56_each_call - each call that touches the disk, by its number: killed there, or told no.

    56_each_call.py WORK BUILD short|full

After each strike the node is started again, what was not answered is sent again, and the judge
compares: what was answered has the same receipt, every root that ever left the node lies on the line
of its leaves, and what was durable but unsigned is signed.
"""
import base64
import os
import shutil
import struct
import subprocess
import sys
import time
import uuid

import client
import inject
import ledger
import storm
from clerk import Clerk

EXIT_DISK = 74
EIO, ENOSPC = "error=EIO", "error=ENOSPC"
SETTLE_SECONDS = 5


class Rows:
    """The log as it lies on the disk of a node that is down (mdb_dump; gateway/store/logrow.h)."""

    def __init__(self, node):
        self.leaves, self.roots = 0, {}
        self.notes = {int(key, 16): bytes.fromhex(note) for key, note in dump(node, "checkpoint")}
        before = 0
        for key, value in sorted(dump(node, "commit")):
            if key.endswith("00"):
                before = self.take(int(key[:16], 16), bytes.fromhex(value), before)
        self.newest = before

    def take(self, size, row, before):
        count, self.roots[size], noted = struct.unpack(">I32sH", row[:38])
        if noted > 0:
            self.notes[before] = row[38:38 + noted]
        self.leaves += count
        return size

    def unsigned(self):
        """Sizes of commits whose note is not there."""
        return [size for size in self.roots if size not in self.notes]

    def misread(self, size, vkeys):
        """What is wrong with the note of this size; None: it is signed, of this size and root."""
        try:
            _, noted, root = client.open_checkpoint(self.notes[size].decode(), vkeys)
        except (ValueError, KeyError) as error:
            return f"size {size}: {error!r}"
        return None if (noted, root) == (size, self.roots[size]) else f"size {size}: another's note"


def dump(node, table):
    run = subprocess.run(["mdb_dump", "-s", table, f"{node.home}/data/log"], capture_output=True,
                         text=True, check=False)
    lines = [line[1:] for line in run.stdout.splitlines() if line.startswith(" ")]
    return list(zip(lines[::2], lines[1::2]))


class Test:
    def __init__(self, work, build, is_full, program=None):
        self.work, self.is_full = work, is_full
        self.node = storm.Node(work, build, "cdmx", program)
        self.struck = inject.Struck(self.node, work)
        self.strikes = 0
        self.published = set()  # (size, root) that left the node
        self.owed = set()       # sizes that were durable and unsigned at a death
        self.signed_later = 0
        self.statuses = {}

    # ---- one strike ----

    def fresh(self):
        for part in ("data", "vault"):
            shutil.rmtree(f"{self.node.home}/{part}", ignore_errors=True)
        if os.path.exists(f"{self.work}/ledger/mpi"):
            os.unlink(f"{self.work}/ledger/mpi")
        self.published.clear()
        self.owed.clear()

    def begin_ledger(self):
        """What each strike's messages are; the checkpoints of all are remembered."""
        if os.path.exists(f"{self.work}/ledger/mpi"):
            os.unlink(f"{self.work}/ledger/mpi")
        return Clerk(self.work)

    def see(self, clerk):
        for text in clerk.history().answered.values():
            note = client.receipt_parts(ledger.Judge.receipt(text))[2]
            _, size, root = client.open_checkpoint(note, clerk.partner.facts["vkeys"])
            self.published.add((size, root))

    def look(self, clerk):
        """The disk of the dead node, against what left it."""
        rows, vkeys, problems = Rows(self.node), clerk.partner.facts["vkeys"], []
        for size, root in self.published:
            if rows.roots.get(size) != root:
                problems.append(f"size {size} was published, on disk it is not")
        if len(rows.unsigned()) > 1 or rows.unsigned() not in ([], [rows.newest]):
            problems.append(f"unsigned: {rows.unsigned()} of {rows.newest}")
        if rows.newest != rows.leaves:
            problems.append(f"{rows.leaves} leaves, the newest commit says {rows.newest}")
        for size in list(self.owed):
            wrong = rows.misread(size, vkeys)
            if size not in rows.unsigned():
                self.owed.discard(size)
                self.signed_later += wrong is None
                problems += [f"after a restart: {wrong}"] if wrong else []
        self.owed.update(rows.unsigned())
        return problems

    def judge(self, clerk):
        """The node runs again."""
        clerk.partner = client.Partner(self.work, storm.SIDES[0][1], storm.SIDES[0][2])
        clerk.partner.is_patient = True
        problems = [f"unanswered: {text}" for text in clerk.unanswered()]
        problems += [f"held: {text}" for text in clerk.held()]
        self.see(clerk)
        history, partner = clerk.history(), clerk.partner
        for message_id, receipt in history.answered.items():
            message = partner.m.Message.FromString(base64.b64decode(history.sent[message_id]))
            try:
                client.verify_receipt(message, ledger.Judge.receipt(receipt), partner.facts["vkeys"])
            except ValueError as error:
                problems.append(f"{message_id}: {error}")
        auditor = client.Auditor(self.work, storm.AUDITOR, "cdmx/cdmx")
        log = ledger.Log(partner.facts["vkeys"])
        try:
            log.read(auditor)
        except client.grpc.RpcError as error:
            problems.append(f"the log is not read: {error.details()}")
        problems += log.check(self.published | set(log.checkpoints))
        self.published.update(log.checkpoints)
        return problems

    def recover(self, strike, clerk):
        """After a death: looks, starts, judges."""
        problems = self.look(clerk)
        self.node.start()
        if self.node.is_dead():
            return [f"{strike}: {text}" for text in problems + ["it does not start again"]]
        return [f"{strike}: {text}" for text in problems + self.judge(clerk)]

    def expect(self, strike, status):
        """What a strike may do to the process."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if strike.action == inject.KILL:
            return [] if status in (-9, 137) else [f"{strike}: exit status {status}"]
        return [] if status not in (0, None) else [f"{strike}: exit status {status}"]

    # ---- the places ----

    def enumerate(self, name, calls, run, step, verdict):
        """Each call, action and number until the run is through without the fault."""
        problems, count = [], 0
        for call, actions, paths in calls:
            for action in actions:
                number = 1
                while True:
                    strike = inject.Strike(call, action, number, paths)
                    is_reached, found = run(strike)
                    problems += found
                    if not is_reached:
                        break
                    count += 1
                    number += 1 if self.is_full else step
                if number == 1:
                    problems.append(f"{strike}: it was never reached")
        self.strikes += count
        verdict.promise(f"{name}: {count} strikes, each judged", problems)

    def at_start(self, strike):
        """A first start, from nothing."""
        if not self.node.is_dead():
            self.node.kill()
        self.fresh()
        clerk = self.begin_ledger()
        self.struck.launch(strike)
        if self.node.is_dead():
            found = self.expect(strike, self.node.process.returncode)
        else:
            # Struck or not, it is up; what it let pass must not matter.
            stop_traced(self.node)
            found = []
        is_reached = self.struck.was_reached()
        return is_reached, found + (self.recover_first(strike, clerk) if is_reached else [])

    def recover_first(self, strike, clerk):
        self.node.start()
        if self.node.is_dead():
            return [f"{strike}: it does not start again"]
        clerk.send_until_refused(2)
        return [f"{strike}: {text}" for text in self.judge(clerk)]

    def at_first_message(self, strike):
        """The first message of a member: its keys are made, and a file comes."""
        if not self.node.is_dead():
            self.node.kill()
        self.fresh()
        self.node.start()
        clerk = self.begin_ledger()
        self.struck.attach(strike)
        refusal = clerk.send_until_refused(1)
        put = put_file(self.work, self.node)
        status = self.node.wait(0.3)
        is_reached = self.struck.was_reached()
        if status is None:
            self.struck.detach(strike)
        if not is_reached:
            return False, []
        found = self.expect(strike, status) if status is not None else []
        if status is None and refusal is None and put == 0 and strike.action != inject.KILL:
            found.append(f"{strike}: it was not told")
        if status is None:
            self.node.kill()
        found += self.recover(strike, clerk)
        if put_file(self.work, self.node) != 0:
            found.append(f"{strike}: the file is not taken afterwards")
        return True, found

    def under_way(self, messages):
        """A node that exchanges with its peer, struck in the middle; its data grow from run to run."""
        def run(strike):
            if self.node.is_dead():
                self.node.start()
            clerk = self.begin_ledger()
            self.struck.attach(strike)
            clerk.send_until_refused(messages)
            self.see(clerk)
            self.settle(clerk)
            status = self.node.wait(0 if not self.struck.was_reached() else 3)
            if status is None:
                self.struck.detach(strike)
                if self.struck.was_reached():
                    self.node.kill()
                    return True, [f"{strike}: it goes on"]
                return False, []
            found = self.recover(strike, clerk)
            if strike.action != inject.KILL and status != EXIT_DISK:
                found.append(f"{strike}: exit status {status}, not {EXIT_DISK}")
            self.statuses[status] = self.statuses.get(status, 0) + 1
            return True, found + self.settled(strike, clerk)
        return run

    def settle(self, clerk):
        """Until the peer's receipts are here, the node is dead, or it takes too long."""
        until = time.monotonic() + SETTLE_SECONDS
        for message_id in list(clerk.history().answered):
            while time.monotonic() < until and not self.node.is_dead() and not self.struck.was_reached():
                try:
                    if len(clerk.partner.receipts(bytes.fromhex(message_id)).receipts) > 1:
                        break
                except client.grpc.RpcError:
                    return
                time.sleep(0.02)

    def settled(self, strike, clerk):
        """The peer still takes what comes: it found no fork."""
        until = time.monotonic() + SETTLE_SECONDS
        left = list(clerk.history().answered)
        while left and time.monotonic() < until:
            left = [i for i in left if len(clerk.partner.receipts(bytes.fromhex(i)).receipts) < 2]
            time.sleep(0.02)
        return [f"{strike}: {message_id} has no receipt of the peer" for message_id in left]


def stop_traced(node):
    """The tracer is the process that we know: the node is its child."""
    with open(f"/proc/{node.process.pid}/task/{node.process.pid}/children", encoding="utf-8") as file:
        for child in file.read().split():
            os.kill(int(child), 15)
    node.process.wait(20)


def put_file(work, node):
    if node.is_dead():
        return 1
    return subprocess.run(
        ["timeout", "10", f"{node.build}/bin/enlace", "--profile", f"{work}/mpi.conf", "put", f"{work}/file",
         "--to", "cdmx/sedesa", "--id", str(uuid.UUID(bytes=client.Partner.new_id()))], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode


def commits(node):
    """Where a commit, the anchor and the memory of other logs touch the disk."""
    log, seen, anchor = f"{node.home}/data/log/data.mdb", f"{node.home}/data/seen/data.mdb", \
        f"{node.home}/vault/.anchor"
    every = (inject.KILL, EIO, ENOSPC)
    return [("writev", every, [log]), ("fdatasync", (inject.KILL, EIO), [log]), ("pwrite64", every, [log]),
            ("pwrite64", every, [anchor]), ("fsync", (inject.KILL, EIO), [anchor]),
            ("writev", every, [seen]), ("fdatasync", (inject.KILL, EIO), [seen]),
            ("pwrite64", every, [seen]), ("sendmsg", (inject.KILL,), [])]


STARTS = [("mkdir", (inject.KILL, ENOSPC), []), ("mkdirat", (inject.KILL, ENOSPC), []),
          ("ftruncate", (inject.KILL, EIO), []), ("fsync", (inject.KILL, EIO), []),
          ("pwrite64", (inject.KILL, EIO, ENOSPC), []), ("writev", (inject.KILL, EIO), []),
          ("fdatasync", (inject.KILL, EIO), []), ("renameat", (inject.KILL, EIO), [])]
FIRSTS = [("mkdirat", (inject.KILL, ENOSPC), []), ("pwrite64", (inject.KILL, EIO, ENOSPC), []),
          ("fsync", (inject.KILL, EIO), []), ("renameat", (inject.KILL, EIO, ENOSPC), [])]


def signs_first(work, build, verdict):
    """A node that signs and answers before its commit: the judge must catch it."""
    test = Test(work, build, False, f"{build}/tests/support/enlaced-sign-first")
    log = f"{test.node.home}/data/log/data.mdb"
    for name, has_anchor in (("with its anchor", True), ("without", False)):
        test.fresh()
        test.node.start()
        clerk = test.begin_ledger()
        strike = inject.Strike("writev", inject.KILL, 3, [log])
        test.struck.attach(strike)
        clerk.send_until_refused(6)
        test.see(clerk)
        if test.node.wait(3) is None:
            test.node.kill()
        time.sleep(0.1)
        if not has_anchor:
            os.unlink(f"{test.node.home}/vault/.anchor")
        answered = len(clerk.history().answered)
        problems = test.recover(strike, clerk)
        print(f"  the judge: {len(problems)} problems, the first: {problems[0] if problems else '-'}")
        verdict.promise(f"a node that signs before it commits is caught, {name} ({answered} answered)",
                        answered > 0 and len(problems) > 0)
        if not test.node.is_dead():
            test.node.kill()


def main(work, build, form):
    os.makedirs(f"{work}/ledger", exist_ok=True)
    client.generate_protocol(f"{work}/py")
    with open(f"{work}/file", "wb") as file:
        file.write(os.urandom(300 << 10))
    verdict, is_full = ledger.Verdict("56_each_call"), form == "full"
    test = Test(work, build, is_full)
    test.enumerate("a first start", STARTS, test.at_start, 8, verdict)
    test.enumerate("a member's first message and file", FIRSTS, test.at_first_message, 8, verdict)
    test.node.kill()
    test.fresh()
    peer = storm.Node(work, build, "ssc").start()
    test.enumerate("commits, anchor and witnessed checkpoints, while it exchanges with a peer",
                   commits(test.node), test.under_way(4 if is_full else 2), 6, verdict)
    verdict.promise(f"what was durable and unsigned at a death ({test.signed_later} times) was signed by the "
                    "next start, at that size and root", test.signed_later > 0)
    verdict.promise("the node stops in order", test.node.kill(15) == 0 if not test.node.is_dead() else False)
    verdict.promise("and leaves nothing unsigned", [f"size {s}" for s in Rows(test.node).unsigned()])
    peer.kill()
    signs_first(work, build, verdict)
    print(f"  {test.strikes} strikes; exit statuses {test.statuses}")
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3]))
