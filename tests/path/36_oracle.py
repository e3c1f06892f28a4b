#!/usr/bin/env python3
"""Three refusals that must not be told apart, measured; and a schema without a search.

Started by 36_oracle.sh. Calls of each kind take turns, so that noise strikes them alike; two samples
are compared by the probability that one is smaller than the other (Mann-Whitney). The same statistic
has to tell a refusal that returns earlier (the control).
"""
import os
import re
import subprocess
import sys
import time
import uuid

import grpc

import client

WORK, ENLACE = sys.argv[1], sys.argv[2]
PERSON = uuid.UUID("0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11").bytes
ROUNDS = 1200
BOUND = 0.05
ATTEMPTS = 6
passed = failed = 0


def say(text, is_kept, why=""):
    global passed, failed
    passed, failed = passed + bool(is_kept), failed + (not is_kept)
    print(("✔ " if is_kept else "✖ ") + text + ("" if is_kept else f" — {why}"))


class Asker(client.Partner):
    def change(self, exchange, item=1):
        """A change of a measure in this exchange, about the person."""
        header = self.request()
        header.message_id, header.exchange_id = self.new_id(), exchange
        header.measure_change.item, header.measure_change.kind = item, 3
        message = self.wrap(header)
        submission = self.x.Submission(message=message)
        submission.local_subjects.append(PERSON)
        return self.x.SubmitRequest(submission=submission).SerializeToString()

    def refused(self, request):
        """(seconds, status, details, trailers) of a submission that is refused."""
        before = time.perf_counter()
        try:
            self.call("Submit", request, self.x.SubmitResponse)
        except grpc.RpcError as error:
            trailers = sorted((k, v) for k, v in error.trailing_metadata() if k.startswith("enlace-"))
            return time.perf_counter() - before, error.code().name, error.details(), trailers
        return 0, "OK", "", []


def smaller(a, b):
    """P(x < y) for x of a, y of b."""
    order = sorted([(t, 0) for t in a] + [(t, 1) for t in b])
    seen = wins = 0
    for _, which in order:
        if which == 0:
            seen += 1
        else:
            wins += seen
    return wins / (len(a) * len(b))


def measure(kinds):
    """kinds: name -> function that makes a request; name -> (times, answers)."""
    out = {name: ([], set()) for name in kinds}
    for _ in range(ROUNDS):
        for name, (asker, make) in kinds.items():
            seconds, *answer = asker.refused(make())
            out[name][0].append(seconds)
            out[name][1].add(repr(answer))
    return out


def told_apart(mpi, c5, own):
    """Samples in which the control is told and the others are not; the last, when there are none. Other
    work of the machine blurs a sample; what tells the answers apart would do so in each of them."""
    for _ in range(ATTEMPTS):
        found = measure({
            "not there": (mpi, lambda: mpi.change(mpi.new_id())),
            "vetoed": (mpi, lambda: mpi.change(own)),
            "another's": (c5, lambda: c5.change(own)),
            "early": (mpi, lambda: b"\xff" + mpi.change(own)),  # refused before anything is looked at
        })
        hidden = [smaller(found["not there"][0], found[name][0]) for name in ("vetoed", "another's")]
        if smaller(found["early"][0], found["vetoed"][0]) - 0.5 > BOUND > max(abs(p - 0.5) for p in hidden):
            break
    return found


def oracle():
    mpi = Asker(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    c5 = Asker(WORK, "cdmx.c5.adapter", "cdmx/cdmx")
    opened = mpi.request()
    submission = mpi.x.Submission(message=mpi.wrap(opened, mpi.alias()))
    submission.local_subjects.append(PERSON)
    mpi.call("Submit", mpi.x.SubmitRequest(submission=submission), mpi.x.SubmitResponse)
    veto = subprocess.run([ENLACE, "--profile", f"{WORK}/official.conf", "veto", "add",
                           str(uuid.UUID(bytes=PERSON)), "cdmx/ssc"], capture_output=True, text=True)
    say("the person excludes the recipient of a running exchange", veto.returncode == 0, veto.stderr)
    own = opened.exchange_id
    for _ in range(15):  # past the first ten of a minute refusals are counted, and are no leaves
        mpi.refused(mpi.change(mpi.new_id()))
        c5.refused(c5.change(own))
    found = told_apart(mpi, c5, own)
    answers = {name: found[name][1] for name in ("not there", "vetoed", "another's")}
    say("not there, another's and vetoed are the same words, byte for byte",
        all(len(a) == 1 for a in answers.values()) and len(set.union(*answers.values())) == 1, answers)
    say("and say nothing of a veto", not re.search("veto|exclu", str(set.union(*answers.values()))), answers)
    for name in ("vetoed", "another's"):
        p = smaller(found["not there"][0], found[name][0])
        say(f"in time, {name} is not told from not there (P = {p:.2f})", abs(p - 0.5) < BOUND, p)
    p = smaller(found["early"][0], found["vetoed"][0])
    say(f"the same statistic tells a refusal that returns early (P = {p:.2f})", p - 0.5 > BOUND, p)


def read_only():
    """What may be asked for, by the schema and by the command: ids, codes and dates."""
    person = re.compile("curp|full_name|nombre|birth|phone|email|alias|address_of")
    root = client.ROOT
    asked = {}
    for name in os.listdir(f"{root}/proto/enlace/v1"):
        with open(f"{root}/proto/enlace/v1/{name}", encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        asked.update(re.findall(r"message (\w+) \{(.*?)\n\}", text, re.S))
        asked.update({f"rpc {n}": i for n, i in re.findall(r"rpc (\w+)\((?:stream )?(\w+)\)", text)})
    inputs = [i for n, i in asked.items() if n.startswith("rpc ")]
    seen, wrong = set(), []
    while inputs:
        name = inputs.pop()
        # What is sent travels in a Message, as bytes; everything else of a request is a question.
        if name in seen or name not in asked or name == "Message":
            continue
        seen.add(name)
        for kind, field in re.findall(r"(?:repeated )?([\w.]+) (\w+) = \d+;", asked[name]):
            inputs.append(kind)
            if person.search(field):
                wrong.append(f"{name}.{field}")
    say(f"no question of the protocol names a person ({len(seen)} messages of requests)",
        len(seen) > 40 and not wrong, wrong)
    fields = set(re.findall(r" (\w+) = \d+;", asked["IdentityCompartment"]))
    say("the same look finds those fields where they are sent", any(map(person.search, fields)), fields)
    help_text = subprocess.run([ENLACE, "--help"], capture_output=True, text=True).stdout
    commands = re.findall(r"^  (\w+) ", help_text, re.M)
    wrong = []
    for command in commands:
        said = subprocess.run([ENLACE, command, "--help"], capture_output=True, text=True).stdout
        wrong += [command for _ in re.findall(r"(?i)\bcurp\b|--nombre|--apellido|buscar a", said)]
    say(f"nor does any of {len(commands)} commands", len(commands) > 20 and not wrong, wrong)


oracle()
read_only()
print(f"36_oracle.py: {passed} passed, {failed} failed")
sys.exit(failed != 0)
