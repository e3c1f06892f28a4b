"""forensic - what somebody can read who holds a node's folders raw: every file, free pages included.

Shares no code with ours: searches for wraps and parts by their layout (gateway/store/wrap.h,
content.h), opens them with every key that lies in any of the folders, and gives the plaintext.
Whoever is to be convinced that something cannot be recovered must first see this recover it.
"""
import os
import re
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PARTS_MAX, PERSONS_MAX = 5, 3


def files_of(*folders):
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def holds(needle, *folders):
    """Files that hold these bytes."""
    return [path for path in files_of(*folders) if needle in read(path)]


def shard_keys(vault):
    """name -> key of what lies in a vault, blocked keys too."""
    keys = {}
    for path in files_of(vault):
        name = os.path.relpath(path, vault).removesuffix(".blocked")
        if name.count("/") == 2 and os.path.getsize(path) == 32:
            keys[name] = read(path)
    return keys


def nonces_of(data):
    """N of every leaf that stands anywhere."""
    return {data[at.start() + 88:at.start() + 104] for at in re.finditer(rb"ENL1[\x01\x02]\x00", data)}


def open_wraps(data, keys, nonces):
    """[(N, {part: key})] of all content keys that can be unwrapped."""
    sizes = [2 + 35 * parts + 16 * persons for parts in range(1, PARTS_MAX + 1)
             for persons in range(PERSONS_MAX + 1)]
    found = []
    for name, key in keys.items():
        head = b"\x01" + bytes([len(name)]) + name.encode()
        seal = AESGCM(key)
        for at in {m.end() for m in re.finditer(re.escape(head), data)}:
            wrap_nonce = data[at:at + 12]
            for size in sizes:
                sealed = data[at + 12:at + 28 + size]
                # The first bytes tell how many parts there are; guessing N is the costly loop.
                for nonce in nonces:
                    try:
                        plain = seal.decrypt(wrap_nonce, sealed,
                                             b"enlace/content/v1\0" + nonce + head)
                    except InvalidTag:
                        continue
                    parts = {}
                    for i in range(plain[0]):
                        part, state = struct.unpack(">HB", plain[1 + 35 * i:4 + 35 * i])
                        if state == 1:
                            parts[part] = plain[4 + 35 * i:36 + 35 * i]
                    found.append((nonce, parts))
    return found


def open_parts(data, wraps):
    """The plaintext of every part whose key is known."""
    plain = []
    for nonce, parts in wraps:
        for part, key in parts.items():
            seal = AESGCM(key)
            for at in re.finditer(re.escape(struct.pack(">H", part)) + rb"[\x00\x01]\x00\x00", data):
                begin = at.start()
                flags, size = struct.unpack(">BI", data[begin + 2:begin + 7])
                if not 32 <= size <= 65535:
                    continue
                try:
                    plain.append(seal.decrypt(bytes(12), data[begin + 7:begin + 23 + size],
                                              nonce + struct.pack(">HB", part, flags)))
                except InvalidTag:
                    continue
    return plain


def recover(data_folders, vaults):
    """Everything that can be read out of these folders with the keys of these vaults, joined."""
    raw = b"".join(read(path) for path in files_of(*data_folders) if not path.endswith("lock.mdb"))
    keys = {}
    for vault in vaults:
        keys.update(shard_keys(vault))
    return b"\n".join(open_parts(raw, open_wraps(raw, keys, nonces_of(raw))))
