#!/usr/bin/env python3
"""relay - a line between two ports of this machine that can break at a chosen byte.

    relay.py LISTEN TARGET CUTS

CUTS is a file with a number a line. Each connection takes the first number away and is cut when so
many bytes have gone to TARGET; without a number it stands. What was done is printed, a line each.
"""
import os
import socket
import sys
import threading


def next_cut(path):
    with open(path, encoding="ascii") as file:
        cuts = file.read().split()
    if not cuts:
        return None
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write("\n".join(cuts[1:]))
    os.rename(path + ".new", path)
    return int(cuts[0])


def carry(source, sink, limit):
    left = limit
    try:
        while data := source.recv(1024 if left is None else max(1, min(1024, left))):
            sink.sendall(data)
            if left is not None:
                left -= len(data)
                if left <= 0:
                    print(f"cut after {limit}", flush=True)
                    break
    except OSError:
        pass
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    listen, target, cuts = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with socket.create_server(("127.0.0.1", listen)) as server:
        while True:
            near, _ = server.accept()
            try:
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                near.close()
                continue
            threading.Thread(target=carry, args=(near, far, next_cut(cuts)), daemon=True).start()
            threading.Thread(target=carry, args=(far, near, None), daemon=True).start()


if __name__ == "__main__":
    main()
