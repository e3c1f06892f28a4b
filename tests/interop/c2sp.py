"""c2sp - logs and witnesses in Python, written from the standards' texts, sharing no code with ours.

signed-note 1.0.0, tlog-checkpoint 1.0.0, tlog-cosignature 1.0.1 (cosignature/v1), tlog-witness 1.0.0,
RFC 9162 (Merkle trees). Signatures by Debian's python3-cryptography.
"""
import base64
import hashlib
import http.client
import http.server
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG, COSIGNER = b"\1", b"\4"
DASH = "— "


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- keys and notes ----

class Key:
    """A name with an Ed25519 key; kind LOG signs notes, COSIGNER makes cosignature/v1."""

    def __init__(self, name, kind, private=None):
        self.name, self.kind = name, kind
        self.private = private or Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @staticmethod
    def load(name, kind, path):
        with open(path, "rb") as file:
            return Key(name, kind, serialization.load_pem_private_key(file.read(), None))

    @property
    def id(self):
        return sha(self.name.encode(), b"\n", self.kind, self.public)[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.public).decode()}"

    def line(self, payload):
        return f"{DASH}{self.name} {base64.b64encode(self.id + payload).decode()}\n"

    def sign(self, text):
        return self.line(self.private.sign(text.encode()))

    def cosign(self, text, at=None):
        at = int(time.time()) if at is None else at
        message = f"cosignature/v1\ntime {at}\n{text}"
        return self.line(at.to_bytes(8, "big") + self.private.sign(message.encode()))


def split_vkey(vkey):
    name, key_id, raw = vkey.split("+", 2)
    raw = base64.b64decode(raw, validate=True)
    if sha(name.encode(), b"\n", raw)[:4].hex() != key_id or len(raw) != 33:
        raise ValueError("vkey")
    return name, raw[:1], raw[1:], bytes.fromhex(key_id)


def split_note(note):
    """(text, [(name, id, payload)])"""
    text, _, lines = note.rpartition("\n\n")
    signatures = []
    for line in lines.splitlines():
        if not line.startswith(DASH):
            raise ValueError("not a signature line")
        name, payload = line[len(DASH):].split(" ")
        payload = base64.b64decode(payload, validate=True)
        signatures.append((name, payload[:4], payload[4:]))
    return text + "\n", signatures


def is_signed(note, vkey):
    """By a log's key; times by a witness's: the list of its good cosignatures' times."""
    name, kind, public, key_id = split_vkey(vkey)
    text, signatures = split_note(note)
    times = []
    for signer, signer_id, payload in signatures:
        if signer != name or signer_id != key_id:
            continue
        message = text
        if kind == COSIGNER:
            at = int.from_bytes(payload[:8], "big")
            message = f"cosignature/v1\ntime {at}\n{text}"
            payload = payload[8:]
            times.append(at)
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(payload, message.encode())
        except InvalidSignature:
            return []
        times = times or [0]
    return times


def open_text(text):
    origin, size, root, rest = text.split("\n")
    if rest or str(int(size)) != size:
        raise ValueError("checkpoint")
    return origin, int(size), base64.b64decode(root, validate=True)


def text_of(origin, size, root):
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


# ---- trees ----

def split_at(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def tree(hashes):
    if not hashes:
        return sha()
    if len(hashes) == 1:
        return hashes[0]
    k = split_at(len(hashes))
    return sha(b"\1", tree(hashes[:k]), tree(hashes[k:]))


def subproof(m, hashes, is_whole):
    """RFC 9162 §2.1.4.1."""
    if m == len(hashes):
        return [] if is_whole else [tree(hashes)]
    k = split_at(len(hashes))
    if m <= k:
        return subproof(m, hashes[:k], is_whole) + [tree(hashes[k:])]
    return subproof(m - k, hashes[k:], False) + [tree(hashes[:k])]


def consistency(m, hashes):
    return [] if m in (0, len(hashes)) else subproof(m, hashes, True)


def is_consistent(m, old_root, n, new_root, path):
    """RFC 9162 §2.1.4.2."""
    if m == n:
        return not path and old_root == new_root
    if m == 0:
        return not path
    if not 0 < m < n or not path:
        return False
    path = list(path)
    if m & (m - 1) == 0:
        path.insert(0, old_root)
    fn, sn = m - 1, n - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha(b"\1", c, fr), sha(b"\1", c, sr)
            while fn & 1 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha(b"\1", sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


# ---- a log, the client of a witness ----

class Log:
    def __init__(self, origin):
        self.key = Key(origin, LOG)
        self.leaves = []

    def grow(self, count, word="leaf"):
        self.leaves += [f"{word} {len(self.leaves) + i}".encode() for i in range(count)]
        return self

    def forked(self, keep):
        other = Log(self.key.name)
        other.key, other.leaves = self.key, self.leaves[:keep]
        return other

    def hashes(self, size=None):
        return [sha(b"\0", leaf) for leaf in self.leaves[:size]]

    def text(self, size=None):
        size = len(self.leaves) if size is None else size
        return text_of(self.key.name, size, tree(self.hashes(size)))

    def note(self, size=None, key=None):
        text = self.text(size)
        return text + "\n" + (key or self.key).sign(text)

    def body(self, old, size=None, note=None, proof=None):
        size = len(self.leaves) if size is None else size
        if proof is None:
            proof = consistency(old, self.hashes(size)) if old <= size else []
        lines = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
        return f"old {old}\n{lines}\n{note or self.note(size)}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        import socket
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(address, method, path, body=None):
    """(status, content type, body) from "127.0.0.1:port" or "unix:/path"."""
    if address.startswith("unix:"):
        connection = UnixConnection(address[5:])
    else:
        connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, body.encode() if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def add_checkpoint(address, body, prefix=""):
    return ask(address, "POST", f"{prefix}/add-checkpoint", body)


def monitor(address, origin, prefix=""):
    return ask(address, "GET", f"{prefix}/{sha(origin.encode()).hex()}/checkpoint")


# ---- a witness ----

class Witness:
    """State in memory; `manner` bends it, for attacks: honest, blind (cosigns whatever is signed),
    garbage, slow, replay (another log's cosignature), error."""

    def __init__(self, name, log_vkeys):
        self.key = Key(name, COSIGNER)
        self.logs = {split_vkey(vkey)[0]: vkey for vkey in log_vkeys}
        self.last = {}  # origin -> (size, root, note)
        self.manner = "honest"
        self.asked = 0
        self.lock = threading.Lock()
        self.server = None

    def answer(self, body):
        head, _, note = body.partition("\n\n")
        lines = head.split("\n")
        try:
            if not lines[0].startswith("old ") or len(lines) > 64:
                raise ValueError
            old = int(lines[0][4:])
            proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
            text, _ = split_note(note)
            origin, size, root = open_text(text)
        except (ValueError, IndexError):
            return 400, "text/plain", ""
        if origin not in self.logs:
            return 404, "text/plain", ""
        if not is_signed(note, self.logs[origin]):
            return 403, "text/plain", ""
        if old > size:
            return 400, "text/plain", ""
        with self.lock:
            last_size, last_root, _ = self.last.get(origin, (0, sha(), ""))
            if self.manner != "blind":
                if old != last_size:
                    return 409, "text/x.tlog.size", f"{last_size}\n"
                if not is_consistent(old, last_root, size, root, proof):
                    return 422, "text/plain", ""
            cosignature = self.key.cosign(text)
            self.last[origin] = (size, root, note + cosignature)
        return 200, "text/plain", cosignature

    def bent(self, body):
        self.asked += 1
        if self.manner == "garbage":
            return 200, "text/plain", "\0\n\n— what\n" * 50
        if self.manner == "replay":
            return 200, "text/plain", self.key.cosign("another.example/log\n1\n" + "A" * 43 + "=\n")
        if self.manner == "error":
            return 500, "text/html", "<html>"
        if self.manner == "slow":
            time.sleep(8)
        return self.answer(body)

    def serve(self, prefix=""):
        """Starts a server on the loopback; its url is self.url."""
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path != prefix + "/add-checkpoint":
                    status, kind, answer = 404, "text/plain", ""
                else:
                    status, kind, answer = witness.bent(body)
                data = answer.encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{prefix}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self
