#!/usr/bin/env python3
"""A log's export read by the standard's text alone, and forged by who holds the log's key.

    tiles.py check FOLDER VKEY                  C2SP tlog-tiles, checkpoint, signed-note
    tiles.py forge FOLDER KEY MESSAGE HOW       rewrites the folder (fewer than 256 leaves)

HOW: content: another M for this message, in record and leaf; record: in the record alone;
     omit: the message's leaves become control leaves without a record.
"""
import base64
import hashlib
import os
import shutil
import struct
import sys
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(hashes):
    """MTH of RFC 9162 §2.1.1, to the letter."""
    if not hashes:
        return sha()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha(b"\1", root_of(hashes[:split]), root_of(hashes[split:]))


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def index_path(index):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups)


def bundles(folder, prefix, size, parse):
    """The rows of full bundles and the partial one."""
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        data = read(folder, f"{prefix}/{index_path(index)}" + (f".p/{width}" if width < 256 else ""))
        for _ in range(width):
            row, data = parse(data)
            yield row
        assert not data, f"{prefix}/{index}: bytes left over"


def take_hash(data):
    assert len(data) >= 32
    return data[:32], data[32:]


def take_entry(data):
    size = struct.unpack(">H", data[:2])[0]
    assert len(data) >= 2 + size
    return data[2:2 + size], data[2 + size:]


def take_record(data):
    size = struct.unpack(">I", data[:4])[0]
    assert len(data) >= 4 + size
    return data[4:4 + size], data[4 + size:]


def checkpoint_of(folder, vkey):
    name, key_id, raw = vkey.split("+", 2)
    public = base64.b64decode(raw)
    assert sha(name.encode(), b"\n", public)[:4].hex() == key_id and public[0] == 1
    text, lines = read(folder, "checkpoint").decode().split("\n\n")
    origin, size, root = text.split("\n")
    assert origin == name
    for line in lines.strip().split("\n"):
        dash, signer, payload = line.split(" ")
        payload = base64.b64decode(payload, validate=True)
        if dash == "—" and signer == name and payload[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(payload[4:], (text + "\n").encode())
            return int(size), base64.b64decode(root, validate=True)
    raise AssertionError("not signed by this log")


def check(folder, vkey):
    size, root = checkpoint_of(folder, vkey)
    hashes = list(bundles(folder, "tile/0", size, take_hash))
    assert root_of(hashes) == root, "root"
    for index in range(size // 256):
        tile = read(folder, "tile/1/" + index_path(index // 256) +
                    (f".p/{size // 256 % 256}" if index // 256 == size // 65536 else ""))
        assert tile[index % 256 * 32:][:32] == root_of(hashes[index * 256:index * 256 + 256])
    if os.path.isdir(os.path.join(folder, "tile/entries")):
        entries = list(bundles(folder, "tile/entries", size, take_entry))
        assert [sha(b"\0", entry) for entry in entries] == hashes, "entries"
        assert [struct.unpack(">Q", entry[16:24])[0] for entry in entries] == list(range(size))


def commit_record(row):
    record = row[32:]
    return sha(b"enlace/record/v1\0", row[:32], struct.pack(">Q", len(record)), record)


def commit_leaf(origin, nonce, message):
    return sha(b"enlace/leaf/v1\0", struct.pack(">H", len(origin)), origin, nonce, message)


def sign(origin, size, root, key):
    public = b"\1" + key.public_key().public_bytes(serialization.Encoding.Raw,
                                                   serialization.PublicFormat.Raw)
    text = f"{origin.decode()}\n{size}\n{base64.b64encode(root).decode()}\n"
    key_id = sha(origin, b"\n", public)[:4]
    line = base64.b64encode(key_id + key.sign(text.encode())).decode()
    return f"{text}\n— {origin.decode()} {line}\n".encode()


def rewrite(entry, row, origin, how):
    """The forged leaf and record of one side of the message."""
    if how == "omit":
        control = b"ENL1\2" + entry[5:24] + bytes(64) + entry[88:104] + bytes(64) + entry[168:]
        return control, b""
    message = next(row[at:at + 32] for at in range(32, len(row) - 31)
                   if commit_leaf(origin, entry[88:104], row[at:at + 32]) == entry[24:56])
    other = sha(b"other content", message)
    row = row.replace(message, other)
    commitment = entry[24:56] if how == "record" else commit_leaf(origin, entry[88:104], other)
    return entry[:24] + commitment + commit_record(row) + entry[88:], row


def forge(folder, key_file, message, how):
    with open(key_file, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    origin, size = read(folder, "checkpoint").split(b"\n")[:2]
    size = int(size)
    assert size < 256
    entries = list(bundles(folder, "tile/entries", size, take_entry))
    records = list(bundles(folder, "records", size, take_record))
    wanted = uuid.UUID(message).bytes
    changed = 0
    for i, row in enumerate(records):
        # Fields 2 (this message's id) and 24 (M) of an AuditRecord.
        if b"\x12\x10" + wanted in row:
            entries[i], records[i] = rewrite(entries[i], row, origin, how)
            changed += 1
    assert changed, "the message is not in this log"
    hashes = [sha(b"\0", entry) for entry in entries]
    shutil.rmtree(os.path.join(folder, "checkpoints"))
    for name, content in {
            f"tile/0/000.p/{size}": b"".join(hashes),
            f"tile/entries/000.p/{size}": b"".join(struct.pack(">H", len(e)) + e for e in entries),
            f"records/000.p/{size}": b"".join(struct.pack(">I", len(r)) + r for r in records),
            "checkpoint": sign(origin, size, root_of(hashes), key)}.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    {"check": check, "forge": forge}[sys.argv[1]](*sys.argv[2:])
