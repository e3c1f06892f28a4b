#!/usr/bin/env python3
"""What a message costs: processor time of each kind of thread of both nodes, and disk writes.

    make BUILD=B all B/tests/bench/load B/tests/bench/payload
    tests/bench/cost.py --bin B/bin --tools B/tests/bench --out DIR [--mode unary|stream]

No echo and no check of receipts: for comparing two builds, in turn, where rates are at the mercy
of what else the machine does. Writes are those of the whole device that holds DIR.
"""
import argparse
import collections
import os
import re

import run

SHAPES = {"unary": (64, "Submit", {}),
          "stream": (256, "SubmitStream", {"answers_field": 1, "refusal_field": 3})}
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


def ticks(pid):
    """Per name of a thread, without its number: user and kernel."""
    spent = collections.Counter()
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8") as file:
                stat = file.read()
        except FileNotFoundError:
            continue
        name = re.sub(r"-?\d+$", "", stat[stat.index("(") + 1:stat.rindex(")")])
        fields = stat[stat.rindex(")") + 2:].split()
        spent[f"{name}, user"] += int(fields[11])
        spent[f"{name}, kernel"] += int(fields[12])
    return spent


def disk_writes(folder):
    """Writes and KB so far of the device."""
    number = os.stat(folder).st_dev
    with open("/proc/diskstats", encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            if (int(fields[0]), int(fields[1])) == (os.major(number), os.minor(number)):
                return int(fields[7]), int(fields[9]) / 2
    return 0, 0


def measure(bench, mode):
    inflight, method, extra = SHAPES[mode]
    nodes = {code: bench.start_node(code) for code in ("sedesa", "cdmx")}
    before = disk_writes(bench.out)
    answer = bench.load(bench.address("cdmx"), f"/enlace.v1.ExchangeService/{method}", mode,
                        bench.path("payload.bin"), connections=4, inflight=inflight,
                        seconds=bench.args.seconds, warmup=0.5, once=1, **extra)
    spent = {code: ticks(node.pid) for code, node in nodes.items()}
    after = disk_writes(bench.out)
    bench.kill()
    counts = {code: run.leaves(bench, code) for code in nodes}
    sent = counts["cdmx"]
    print(f"{mode}: {answer['rate']:.0f} a second, refused {answer['errors']}, "
          f"drained share {counts['sedesa'] / sent:.2f}")
    print(f"  disk writes a message {(after[0] - before[0]) / sent:.2f}, "
          f"KB {(after[1] - before[1]) / sent:.1f}")
    for code in ("cdmx", "sedesa"):
        each = {name: n * TICK_US / max(counts[code], 1) for name, n in spent[code].items()}
        print(f"  {code}: {sum(each.values()):.1f} us a message that it holds")
        for name, us in sorted(each.items(), key=lambda row: -row[1]):
            if us >= 0.5:
                print(f"    {name:24} {us:6.1f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--mode", choices=sorted(SHAPES), default="unary")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--messages", type=int, default=200000)
    bench = run.Bench(parser.parse_args())
    try:
        bench.prepare()
        bench.payload(bench.args.messages)
        measure(bench, bench.args.mode)
    finally:
        bench.stop()


if __name__ == "__main__":
    main()
