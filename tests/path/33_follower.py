"""33_follower - a copy of the log on another disk, and the node on it when its own is gone.

    33_follower.py WORK BUILD SECONDS KILLS
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import ledger
import storm

WORK, BUILD = sys.argv[1], sys.argv[2]
SECONDS, KILLS = float(sys.argv[3]), int(sys.argv[4])
HOME = f"{WORK}/node/ssc"
OFFICIAL = "cdmx.ssc.enlace-01"
verdict = ledger.Verdict("33_follower")


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def eventually(check, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False


def of_directory(kind, code, key):
    inside = False
    for line in text_of(f"{WORK}/directory.txt").splitlines():
        if not line.startswith(" "):
            inside = line == f"{kind} {code}"
        elif inside and line.split()[0] == key:
            return line.split()[1]
    return None


class Follower:
    def __init__(self, name, credentials):
        self.name, self.process = name, None
        self.folder = f"{WORK}/{name}"
        with open(f"{WORK}/{name}.conf", "w", encoding="utf-8") as file:
            file.write(f"""address = {of_directory("node", "cdmx/ssc", "address")}
node = spiffe://enlace.cdmx/node/ssc
certificate = {WORK}/pki/{credentials}/tls.pem
key = {WORK}/pki/{credentials}/tls.key
ca = {WORK}/pki/ca/all.pem
log = {of_directory("node", "cdmx/ssc", "log-key")}
folder = {self.folder}
interval_ms = 20
""")

    def start(self):
        with open(f"{WORK}/{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([f"{BUILD}/bin/enlace-follow", f"{WORK}/{self.name}.conf"],
                                            stdout=log, stderr=log)
        with open(f"{WORK}/pids/{self.name}", "w", encoding="utf-8") as file:
            file.write(str(self.process.pid))

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def log(self):
        return text_of(f"{WORK}/{self.name}.log")

    def is_whole(self):
        return os.path.exists(f"{self.folder}/manifest")


def restore(folder, status=0):
    done = subprocess.run([f"{BUILD}/bin/enlace", "restore", "log", folder, f"{HOME}/enlaced.conf"],
                          capture_output=True, text=True, timeout=60, check=False)
    if (done.returncode == 0) != (status == 0):
        print("   ", done.returncode, done.stdout[-600:], done.stderr[-600:])
    return (done.returncode == 0) == (status == 0)


def settings(line):
    with open(f"{HOME}/enlaced.conf", "a", encoding="utf-8") as file:
        file.write(line + "\n")


def said_size(log):
    """The last size that a node, or a follower, said."""
    found = [word for line in log.splitlines() if " node.ready " in line or " follow.stopped " in line
             for word in line.split() if word.startswith("size=")]
    return int(found[-1].split("=")[1])


def storm_both(chaos, follower):
    """Node and follower die in turns, and together."""
    chance = random.Random(7)
    for turn in range(KILLS):
        time.sleep(SECONDS / KILLS * (0.5 + chance.random()))
        if turn % 3 != 0:
            follower.kill()
        if turn % 3 != 1:
            chaos.nodes["ssc"].kill()
            chaos.nodes["ssc"].start()
        if turn % 3 != 0:
            follower.start()


def only_the_named(stranger):
    stranger.start()
    verdict.promise("another official, in force as well, gets nothing",
                    eventually(lambda: "reason=identity.not_allowed" in stranger.log(), 10))
    stranger.kill()
    verdict.promise("and has no copy", not stranger.is_whole())


def same_log_goes_on(chaos, follower):
    ssc = chaos.nodes["ssc"]
    time.sleep(1)
    verdict.promise("not beside a log that is there", restore(follower.folder, 1))
    ssc.kill()
    shutil.rmtree(f"{HOME}/data")
    verdict.promise("not while the follower writes to it", restore(follower.folder, 1))
    shutil.rmtree(f"{HOME}/data", ignore_errors=True)
    verdict.promise("the follower stops in order", follower.kill(signal.SIGTERM) == 0)
    size = said_size(follower.log())
    shutil.copytree(follower.folder, f"{WORK}/early")
    verdict.promise("the disk is gone; the copy takes its place", restore(follower.folder))
    ssc.start()
    verdict.promise(f"the same log goes on, with {size} leaves or more",
                    said_size(text_of(f"{HOME}/log")) >= size > 0)
    chaos.judge(verdict)


def goes_on_following(chaos, follower):
    """The node on the copy counts its changes anew: the follower walks again, and loses nothing."""
    before = follower.log().count("follow.begin_again")
    follower.start()
    verdict.promise("the follower begins again beside the restored node",
                    eventually(lambda: follower.log().count("follow.begin_again") > before, 10))
    os.remove(f"{WORK}/ledger/stop")
    for system in chaos.systems.values():
        system.start()
    time.sleep(0.7)
    verdict.promise("and has all that came since", chaos.drain(40))
    chaos.end_systems()
    time.sleep(1)


def older_copy(chaos, follower):
    ssc = chaos.nodes["ssc"]
    ssc.kill()
    shutil.rmtree(f"{HOME}/data")
    restore(f"{WORK}/early")
    before = text_of(f"{HOME}/log").count("log.older_than_anchor")
    try:
        ssc.start()
    except RuntimeError:
        pass
    verdict.promise("on an older copy the node does not start: its anchor knows more, and it says what to do",
                    ssc.wait(5) not in (None, 0) and "enlace log succeed" in text_of(f"{HOME}/log") and
                    text_of(f"{HOME}/log").count("log.older_than_anchor") > before)
    os.rename(f"{HOME}/vault/.anchor", f"{WORK}/anchor.away")
    chaos.nodes["cdmx"].kill()
    ssc.start()
    verdict.promise("forced onto it, without anchor and peers, it is found by its follower",
                    eventually(lambda: "the node's log is older than the copy" in follower.log(), 30))
    ssc.kill()
    follower.kill(signal.SIGTERM)
    verdict.promise("whose copy is still whole, and newer",
                    follower.is_whole() and said_size(follower.log()) > said_size(text_of(f"{HOME}/log")))
    shutil.rmtree(f"{HOME}/data")
    os.rename(f"{WORK}/anchor.away", f"{HOME}/vault/.anchor")
    verdict.promise("with the newest copy", restore(follower.folder))
    chaos.nodes["cdmx"].start()
    ssc.start()
    verdict.promise("everything is there again", not ssc.is_dead())
    chaos.judge(verdict)


def main():
    settings("follower = spiffe://enlace.cdmx/member/ssc/official/enlace-01")
    follower = Follower("copy", f"official/{OFFICIAL}")
    chaos = storm.Storm(WORK, BUILD, 1)
    chaos.begin()
    time.sleep(0.7)
    follower.start()
    storm_both(chaos, follower)
    verdict.promise(f"a copy grows under traffic, over {KILLS} kills",
                    eventually(follower.is_whole, 15))
    only_the_named(Follower("stranger", "official/cdmx.mpi-cdmx.enlace-01"))
    verdict.promise("everything goes all the way and back", [] if chaos.drain(60) else chaos.state())
    chaos.end_systems()
    same_log_goes_on(chaos, follower)
    goes_on_following(chaos, follower)
    older_copy(chaos, follower)
    verdict.promise("no page was refused", [line for line in follower.log().splitlines()
                                            if "copy.page" in line or "copy.commit" in line])
    for node in chaos.nodes.values():
        verdict.promise(f"{node.code} stops in order", [] if node.kill(15) == 0 else ["exit status"])
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
