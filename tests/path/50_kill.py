"""50_kill - SIGKILL under load: of either node and of either system, at random moments and at chosen
points of a commit. A ledger kept by the clients decides.

    50_kill.py WORK BUILD KILLS SEED
"""
import sys
import time

import ledger
import storm

POINTS = ("sync", "synced", "commit", "signed", "answer", "answered")


def kill_node_at(chaos, node, point):
    """Restarts the node with a fault that it meets soon, and waits for it; how often it was met."""
    for _ in range(3):
        node.kill()
        node.start(**node.faulty(point, chaos.random.randint(3, 60)))
        if node.wait(6) is not None:
            node.start()
            return 1
    node.kill()
    node.start()
    return 0


def kill_once(chaos, number, met):
    nodes, systems = list(chaos.nodes.values()), list(chaos.systems.values())
    if number % 2 == 0:
        point = POINTS[number // 2 % len(POINTS)]
        node = nodes[(number // 2 // len(POINTS) + number // 2) % 2]
        met[point] = met.get(point, 0) + kill_node_at(chaos, node, point)
        return
    time.sleep(chaos.random.uniform(0.1, 1.2))
    victim = chaos.random.choice(nodes + nodes + systems)
    victim.kill()
    time.sleep(chaos.random.uniform(0, 0.3))
    victim.start()


def main(work, build, kills, seed):
    verdict = ledger.Verdict("50_kill")
    chaos = storm.Storm(work, build, seed)
    chaos.begin()
    time.sleep(1.5)
    met = {}
    for number in range(kills):
        kill_once(chaos, number, met)
    verdict.promise(f"{kills} kills (seed {seed}); at points: {met}",
                    [point for point in met if met[point] == 0])
    verdict.promise("afterwards everything goes all the way and back",
                    [] if chaos.drain(60) else chaos.state())
    verdict.promise("there was load", chaos.count() > 20 * kills)
    chaos.end_systems()
    print("  " + "; ".join(chaos.state()))
    for node in chaos.nodes.values():
        node.kill()
        node.start()
    chaos.judge(verdict)
    for node in chaos.nodes.values():
        verdict.promise(f"{node.code} stops in order", [] if node.kill(15) == 0 else ["exit status"])
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
