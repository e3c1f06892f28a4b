"""powercut - takes back from the disk what tests/support/powercut.c says was not safe.

`undo(journal, random)` leaves one of the states in which a machine may come up after its power
went: each block that was not synced holds what it held before, or what was written, or sectors of
either; a file may be as short as it safely was; in each folder the latest names may be missing.
"""
import os
import shutil
import struct

SECTOR = 512
MODES = ("all", "blocks", "sectors", "none")


class Journal:
    def __init__(self, path):
        self.files, self.names = {}, []
        with open(path, "rb") as file:
            self.data, self.at = file.read(), 0
        while self.at < len(self.data):
            self.take(self.data[self.at:self.at + 1])

    def number(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        size = self.number("=H")
        self.at += size
        return os.fsdecode(self.data[self.at - size:self.at])

    def take(self, kind):
        self.at += 1
        if kind == b"S":
            path = self.text()
            self.files[path] = [self.number("=Q"), []]
        elif kind == b"B":
            path, offset, size = self.text(), self.number("=Q"), self.number("=I")
            self.files[path][1].append((offset, self.data[self.at:self.at + size]))
            self.at += size
        else:
            count = {b"C": 1, b"D": 1, b"R": 3, b"U": 2}[kind]
            self.names.append((kind, [self.text() for _ in range(count)]))


def undo_file(path, safe_size, blocks, mode, random):
    if not os.path.exists(path):
        return 0
    lost = 0
    with open(path, "r+b") as file:
        for offset, safe in blocks:
            if mode == "none" or mode == "blocks" and random.random() < 0.5:
                continue
            for at in range(0, 4096, SECTOR):
                if mode == "sectors" and random.random() < 0.5:
                    continue
                sector = safe[at:at + SECTOR]
                file.seek(offset + at)
                file.write(sector + bytes(SECTOR - len(sector)))
            lost += 1
        if mode == "all" or mode != "none" and random.random() < 0.3:
            file.truncate(safe_size)
    return lost


def undo_name(kind, texts):
    if kind == b"C":
        if os.path.exists(texts[0]):
            os.unlink(texts[0])
    elif kind == b"D":
        shutil.rmtree(texts[0], ignore_errors=True)
    elif kind == b"R":
        moved, to, aside = texts
        if os.path.exists(to):
            os.rename(to, moved)
        if aside:
            os.rename(aside, to)
    elif texts[1] and os.path.exists(texts[1]):
        os.rename(texts[1], texts[0])


def undo(path, random, mode=None):
    """How many blocks and names were lost."""
    journal = Journal(path)
    lost = names = 0
    for file, (safe_size, blocks) in journal.files.items():
        lost += undo_file(file, safe_size, blocks, mode or random.choice(MODES), random)
    kept = {}  # of each folder's names, the first so many
    for _, texts in journal.names:
        folder = os.path.dirname(texts[0])
        kept[folder] = kept.get(folder, 0) + 1
    for folder, count in kept.items():
        kept[folder] = 0 if mode == "all" else count if mode == "none" else random.randint(0, count)
    order = dict.fromkeys(kept, 0)
    gone = []
    for kind, texts in journal.names:
        folder = os.path.dirname(texts[0])
        if order[folder] >= kept[folder]:
            gone.append((kind, texts))
        order[folder] += 1
    for kind, texts in reversed(gone):
        undo_name(kind, texts)
        names += 1
    os.unlink(path)
    return lost, names
