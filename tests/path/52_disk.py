"""52_disk - the disk is full, or says no: clearly told, nothing lost, never retried.

    52_disk.py WORK BUILD COMMITS [small]

COMMITS: how many of the first commits each get their fault. small: WORK/node/cdmx is a small file
system, filled up first.
"""
import os
import shutil
import sys
import time

import ledger
import storm
from clerk import Clerk

EXIT_DISK = 74
PROMPT_SECONDS = 3


def fill(folder, leave):
    """A file that leaves so many bytes."""
    disk = os.statvfs(folder)
    size = disk.f_bavail * disk.f_frsize - leave
    with open(f"{folder}/ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))


def below_the_floor(work, node, verdict):
    """Full, but not to the brim: refused at once, read on, taken again when there is room."""
    clerk = Clerk(work)
    verdict.promise("on a small disk it works", clerk.send_until_refused(40) is None)
    fill(node.home, 12 << 20)
    message, message_id = clerk.make()
    began = time.monotonic()
    refusal = clerk.send(message, message_id)
    took = time.monotonic() - began
    verdict.promise(f"a full disk is said: {refusal}, in {took:.2f} s",
                    refusal is not None and refusal[0] in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") and
                    refusal[1] != "" and took < PROMPT_SECONDS)
    verdict.promise("the operator's log says so, and not again and again",
                    1 <= node.lines("disk.full") <= 2)
    known = bytes.fromhex(next(iter(clerk.history().answered)))
    verdict.promise("what is held is still answered", len(clerk.partner.receipts(known).receipts) > 0)
    again = clerk.send(message, message_id)
    verdict.promise("it stays refused, the node stays up", again is not None and not node.is_dead())
    os.unlink(f"{node.home}/ballast")
    verdict.promise("with room again, the same bytes are taken", clerk.send(message, message_id) is None)
    verdict.promise("nothing was lost", clerk.held())


def to_the_brim(work, node, verdict):
    """The floor is misjudged and the disk fills in the middle of a commit."""
    node.kill(15)
    with open(f"{node.home}/enlaced.conf", encoding="utf-8") as file:
        settings = file.read().replace("disk_floor_mib = 16", "disk_floor_mib = 1")
    with open(f"{node.home}/enlaced.conf", "w", encoding="utf-8") as file:
        file.write(settings)
    node.start()
    clerk = Clerk(work)
    clerk.send_until_refused(3)
    fill(node.home, (1 << 20) + (64 << 10))
    refusal = None
    until = time.monotonic() + 20
    while refusal is None and time.monotonic() < until and not node.is_dead():
        refusal = clerk.send_until_refused(50)
    verdict.promise(f"filled to the brim: {refusal}", refusal is not None)
    status = node.wait(1)
    verdict.promise(f"the process refuses, or ends with {EXIT_DISK} (now {status})",
                    status in (None, EXIT_DISK))
    os.unlink(f"{node.home}/ballast")
    if node.is_dead():
        node.start()
    verdict.promise("with room again, what was not answered is taken", clerk.unanswered())
    verdict.promise("nothing was lost", clerk.held())
    node.kill(15)


def fault_at(work, node, point, number, action):
    """Load until the fault strikes; what is wrong afterwards."""
    where = f"{action} at {point} {number}"
    node.start(**node.faulty(point, number, action))
    clerk = Clerk(work)
    if not node.is_dead():
        clerk.send_until_refused(number + 5)
    status = node.wait(3)
    if node.lines(f"point={point} n={number} action") == 0:
        if status is None:
            node.kill()
        return [f"{where}: it was not reached"]
    problems = [] if status == EXIT_DISK else [f"{where}: exit status {status}, not {EXIT_DISK}"]
    if status is None:
        node.kill()
    if node.lines("node.ready") > 0 and status is None:
        problems.append(f"{where}: it went on")
    node.start()
    if node.is_dead():
        return problems + [f"{where}: it does not start again"]
    problems += [f"{where}: {text}" for text in clerk.unanswered() + clerk.held()]
    node.kill()
    return problems


def each_commit(work, node, verdict, commits):
    for point, action in (("sync", "EIO"), ("write", "EIO"), ("write", "ENOSPC")):
        problems, first = [], node.lines("node.ready")
        for number in range(4, 4 + commits):
            problems += fault_at(work, node, point, number, action)
        starts = node.lines("node.ready") - first
        verdict.promise(f"{action} at {point} number 4 to {3 + commits}: the process ends, a restart "
                        f"has everything ({starts} starts)", problems)


def keys(work, node, verdict):
    """A shard's key that cannot be made safe is not used."""
    problems = []
    for number in range(1, 9):
        shutil.rmtree(f"{node.home}/data", ignore_errors=True)
        shutil.rmtree(f"{node.home}/vault", ignore_errors=True)
        if os.path.exists(f"{work}/ledger/mpi"):
            os.unlink(f"{work}/ledger/mpi")
        node.start(**node.faulty("fsync", number, "EIO"))
        clerk = Clerk(work)
        refusal = None if node.is_dead() else clerk.send_until_refused(3)
        if not node.is_dead() and refusal is not None and refusal[0] != "UNAVAILABLE":
            problems.append(f"fsync {number}: {refusal}")
        if node.is_dead() and node.process.returncode == 0:
            problems.append(f"fsync {number}: exit status 0")
        if not node.is_dead():
            node.kill()
        node.start()
        problems += [f"fsync {number}: {text}" for text in clerk.unanswered() + clerk.held()]
        node.kill()
    verdict.promise("EIO at each of the first 8 fsyncs: refused, or not started; then all is well",
                    problems)


def main(work, build, commits, is_small):
    verdict = ledger.Verdict("52_disk")
    os.makedirs(f"{work}/ledger", exist_ok=True)
    node = storm.Node(work, build, "cdmx")
    node.start()
    if is_small:
        below_the_floor(work, node, verdict)
        to_the_brim(work, node, verdict)
    else:
        node.kill(15)
    each_commit(work, node, verdict, commits)
    keys(work, node, verdict)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), "small" in sys.argv))
