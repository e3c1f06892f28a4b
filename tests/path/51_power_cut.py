"""51_power_cut - the power goes while two nodes are under load; what was not synced may be lost.

    51_power_cut.py WORK BUILD CUTS SEED           both nodes, cut in turn; the clients' ledger decides
    51_power_cut.py WORK BUILD no-sync SEED        a node built without sync: the same judge must catch it
"""
import os
import signal
import sys
import time

import client
import ledger
import powercut
import storm

FIRST_STARTS = 3  # of each node, cut in the middle

def shim(node, work, **more):
    return {"LD_PRELOAD": f"{node.build}/tests/support/powercut.so",
            "POWERCUT_ROOT": os.path.realpath(node.home),
            "POWERCUT_OUT": f"{os.path.realpath(work)}/undo.{node.code}", **more}


def start(chaos, node, **more):
    node.start(**shim(node, chaos.work, **more))


def cut(chaos, node, number):
    """Power goes at a counted call of the disk, or in the middle of anything; what is lost."""
    if number % 3 == 2:
        time.sleep(chaos.random.uniform(0.2, 1.0))
        node.kill(signal.SIGVTALRM)
    else:
        node.kill(signal.SIGVTALRM)  # and again, at a call near the start or in the flow
        powercut.undo(f"{chaos.work}/undo.{node.code}", chaos.random)
        start(chaos, node, POWERCUT_AT=str(chaos.random.choice((
            chaos.random.randint(1, 40), chaos.random.randint(40, 900)))))
        if node.wait(4) is None:
            node.kill(signal.SIGVTALRM)
    lost = powercut.undo(f"{chaos.work}/undo.{node.code}", chaos.random)
    start(chaos, node)
    if node.is_dead():
        raise RuntimeError(f"{node.code} does not start after the cut")
    return lost


def storm_of_cuts(chaos, cuts):
    verdict = ledger.Verdict("51_power_cut")
    work, seed = chaos.work, chaos.seed
    nodes = list(chaos.nodes.values())
    blocks = names = done = 0
    for node in nodes:
        for _ in range(FIRST_STARTS):
            start(chaos, node, POWERCUT_AT=str(chaos.random.randint(2, 60)))
            if node.wait(0.5) is None:
                node.kill(signal.SIGVTALRM)
            lost = powercut.undo(f"{work}/undo.{node.code}", chaos.random)
            blocks, names = blocks + lost[0], names + lost[1]
        start(chaos, node)
        if node.is_dead():
            verdict.promise(f"{node.code} starts after a cut in its first start (seed {seed})", False)
            return verdict.end()
    for system in chaos.systems.values():
        system.start()
    time.sleep(1.5)
    try:
        for done in range(cuts):
            lost = cut(chaos, nodes[done % 2], done)
            blocks, names = blocks + lost[0], names + lost[1]
        done = cuts
    except RuntimeError as error:
        print(f"    {error}")
    verdict.promise(f"after each of {cuts} cuts the node comes up (seed {seed}; "
                    f"lost: {blocks} blocks, {names} names)", done == cuts)
    if done < cuts:
        return verdict.end()
    verdict.promise("the cuts took something away", blocks > 0)
    verdict.promise("afterwards everything goes all the way and back",
                    [] if chaos.drain(60) else chaos.state())
    verdict.promise("there was load", chaos.count() > 20 * cuts)
    chaos.end_systems()
    print("  " + "; ".join(chaos.state()))
    chaos.judge(verdict)
    for node in nodes:
        node.kill(signal.SIGTERM)
    return verdict.end()


def no_sync(chaos):
    """One node, some messages, the power goes: a judge that finds nothing here judges nothing."""
    verdict = ledger.Verdict("51_power_cut without sync")
    work, build = chaos.work, chaos.build
    node = storm.Node(work, build, "cdmx", f"{build}/tests/support/enlaced-no-sync")
    chaos.nodes["cdmx"] = node
    start(chaos, node)
    chaos.systems["submitter"].start()
    until = time.monotonic() + 15
    while chaos.count() < 100 and time.monotonic() < until:
        time.sleep(0.1)
    node.kill(signal.SIGVTALRM)
    chaos.systems["submitter"].kill()
    lost = powercut.undo(f"{work}/undo.cdmx", chaos.random, mode="all")
    start(chaos, node)
    history = ledger.History(f"{work}/ledger/mpi")
    verdict.promise(f"{len(history.answered)} messages were answered, {lost[0]} blocks were not safe",
                    len(history.answered) >= 100 and lost[0] > 0)
    if node.is_dead():
        problems = ["the node does not start"]
    else:
        problems = ledger.held(client.Partner(work, storm.SIDES[0][1], storm.SIDES[0][2]), history, 30)
    print(f"  the judge: {len(problems)} problems, the first: {problems[0] if problems else '-'}")
    verdict.promise("the judge reports the loss", len(problems) >= 100 or node.is_dead())
    node.kill()
    return verdict.end()


def main(work, build, what, seed):
    chaos = storm.Storm(work, build, seed)
    try:
        return no_sync(chaos) if what == "no-sync" else storm_of_cuts(chaos, int(what))
    finally:
        chaos.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
