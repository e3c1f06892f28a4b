"""client - a partner's system in Python, sharing no code with ours: for the path tests.

Speaks enlace.v1 over Debian's python3-grpcio (generated code is made at run time by protoc), keeps
its own ledger, and verifies receipts by itself: M, C, leaf, inclusion, checkpoint signature.
"""
import base64
import hashlib
import os
import queue
import shutil
import struct
import subprocess
import sys
import threading
import time

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def generate_protocol(folder):
    """Once for all processes of a test: whoever comes first puts the whole folder into its place."""
    if os.path.isdir(folder):
        return
    made = f"{folder}.{os.getpid()}"
    os.makedirs(made)
    protos = [os.path.join("enlace/v1", name) for name in
              ("message.proto", "receipt.proto", "exchange.proto", "audit.proto", "federation.proto")]
    subprocess.run(["protoc", f"--proto_path={ROOT}/proto", f"--python_out={made}", *protos],
                   check=True)
    try:
        os.rename(made, folder)
    except OSError:
        shutil.rmtree(made)


def load_protocol(folder):
    generate_protocol(folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    from enlace.v1 import exchange_pb2, message_pb2  # pylint: disable=import-error
    return message_pb2, exchange_pb2


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def part_digest(blind, content):
    return sha(b"enlace/part/v1\0", blind, struct.pack(">Q", len(content)), content)


def commitment(message):
    """M, as proto/enlace/v1/message.proto defines it."""
    parts = [(0, part_digest(message.header_blind, message.header))]
    for c in message.compartments:
        parts.append((c.part, part_digest(c.blind, c.clear or c.sealed)))
    body = b"".join(struct.pack(">H", number) + digest for number, digest in parts)
    return sha(b"enlace/message/v1\0", struct.pack(">H", len(parts)), body)


def root_of(leaf_hash, index, size, path):
    """RFC 9162 §2.1.3.2."""
    fn, sn, r = index, size - 1, leaf_hash
    if index >= size:
        raise ValueError("index past the tree")
    for p in path:
        if sn == 0:
            raise ValueError("path too long")
        if fn & 1 or fn == sn:
            r = sha(b"\x01", p, r)
            while fn & 1 == 0 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = sha(b"\x01", r, p)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise ValueError("path too short")
    return r


def open_checkpoint(note, vkeys):
    """(origin, size, root) of a note that a listed log signed; ValueError otherwise."""
    body, _, signatures = note.partition("\n\n")
    origin, size, root = body.split("\n")
    key = vkeys[origin]
    wanted = f"— {origin} "
    line = next((s for s in signatures.split("\n") if s.startswith(wanted)), None)
    if line is None:
        raise ValueError("the log did not sign")
    payload = base64.b64decode(line[len(wanted):])
    if payload[:4] != sha(origin.encode(), b"\n", b"\x01", key)[:4]:
        raise ValueError("another key")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(payload[4:], (body + "\n").encode())
    except InvalidSignature as error:
        raise ValueError("bad signature") from error
    return origin, int(size), base64.b64decode(root)


def receipt_parts(receipt):
    """(index, path, note) of a receipt's tlog-proof."""
    head, _, note = receipt.tlog_proof.decode().partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise ValueError("not a tlog-proof")
    return int(lines[1][6:]), [base64.b64decode(line, validate=True) for line in lines[2:]], note


def verify_receipt(message, receipt, vkeys):
    """Raises ValueError unless the receipt proves that a listed log holds this message."""
    index, path, note = receipt_parts(receipt)
    origin, size, root = open_checkpoint(note, vkeys)
    leaf = receipt.leaf
    if len(leaf) != 200 or leaf[:5] != b"ENL1\x01" or struct.unpack(">Q", leaf[16:24])[0] != index:
        raise ValueError("leaf")
    nonce = leaf[88:104]
    named = struct.pack(">H", len(origin)) + origin.encode()
    if sha(b"enlace/leaf/v1\0", named, nonce, commitment(message)) != leaf[24:56]:
        raise ValueError("the leaf is of another message")
    if root_of(sha(b"\0", leaf), index, size, path) != root:
        raise ValueError("not in the tree")
    return origin, index, size


def directory_facts(path):
    """Addresses, log keys by origin, and avisos out of the readable directory."""
    facts = {"address": {}, "vkeys": {}, "aviso": {}, "routes": {}}
    kind = name = None
    origin = None
    with open(path, encoding="utf-8") as text:
        for line in text:
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if not line.startswith(" "):
                kind, name = words[0], words[1] if len(words) > 1 else ""
                if kind == "route":
                    facts["routes"][name] = {}
                continue
            if kind == "node" and words[0] == "address":
                facts["address"][name] = words[1]
            elif kind == "node" and words[0] == "origin":
                origin = words[1]
            elif kind == "node" and words[0] == "log-key":
                facts["vkeys"][origin] = base64.b64decode(words[1].split("+", 2)[2])[1:]
            elif kind == "aviso":
                facts["aviso"].setdefault(name, {})[words[0]] = words[1]
            elif kind == "route":
                facts["routes"][name][words[0]] = words[1:]
    return facts


class Partner:
    """One system, by its certificate."""

    # Calls wait for a connection, up to their time limit, instead of failing with the first attempt at
    # one. Also what keeps a connection coming: in this library nobody polls for it unless a call
    # waits. False: for who wants to hear at once that nobody listens.
    is_patient = True
    channel_options = ()

    def __init__(self, work, system, node):
        self.facts = directory_facts(f"{work}/directory.txt")
        self.m, self.x = load_protocol(f"{work}/py")
        self.work, self.node = work, node
        self.network, self.code, self.name = system.split(".")
        self.channel = self.connect(f"{work}/pki/system/{system}")

    def connect(self, keys, ca=None):
        def read(path):
            with open(path, "rb") as file:
                return file.read()
        credentials = grpc.ssl_channel_credentials(
            read(ca or f"{self.work}/pki/ca/all.pem"), read(f"{keys}/tls.key"),
            read(f"{keys}/tls.pem"))
        return grpc.secure_channel(
            self.facts["address"][self.node], credentials,
            options=[("grpc.ssl_target_name_override", "localhost"),
                     ("grpc.use_local_subchannel_pool", 1),
                     ("grpc.initial_reconnect_backoff_ms", 100),
                     ("grpc.max_reconnect_backoff_ms", 500),
                     ("grpc.max_receive_message_length", 8 << 20), *self.channel_options])

    @property
    def member(self):
        return f"{self.network}/{self.code}"

    @staticmethod
    def new_id(ms=None):
        random = bytearray(os.urandom(10))
        random[0] = random[0] & 0x0F | 0x70
        random[2] = random[2] & 0x3F | 0x80
        return (ms or int(time.time() * 1000)).to_bytes(6, "big") + bytes(random)

    def header(self, to, route):
        """What every message of this route says."""
        rules = self.facts["routes"][route]
        aviso = self.facts["aviso"][rules["aviso"][0]]
        header = self.m.Header(schema=1, urgency=1, created_at_ms=int(time.time() * 1000))
        header.message_id = header.exchange_id = self.new_id()
        setattr(header, "from", self.member)
        header.from_system, header.to = self.name, to
        header.purpose, header.legal_basis = rules["purpose"][0], rules["basis"][0]
        header.aviso.id, header.aviso.version = rules["aviso"][0], aviso["version"]
        header.aviso.sha256 = bytes.fromhex(aviso["document"])
        return header

    def request(self, to="cdmx/ssc", route="mpi-ssc-medidas", code="PRO-COD-VIG"):
        header = self.header(to, route)
        header.catalogue_code = code
        header.consent.state, header.consent.reference = 1, "SINTETICO-1"
        header.subjects.add(pseudonym=os.urandom(16), role=1)
        header.plan.issuer, header.plan.id, header.plan.version, header.plan.procedure = "mpi", "P1", 1, 1
        header.decision.organ, header.decision.session = "Consejo", "S1"
        header.decision.date, header.decision.sha256 = "2019-06-03", b"\7" * 32
        item = header.measure_request.items.add(number=1, code=code)
        item.cadence.count, item.cadence.period = 1, 1
        return header

    def custody(self, message):
        """R2 for a delivered message."""
        opened = self.m.Header.FromString(message.header)
        header = self.m.Header(schema=1, urgency=opened.urgency,
                               created_at_ms=int(time.time() * 1000))
        header.message_id, header.exchange_id = self.new_id(), opened.exchange_id
        setattr(header, "from", self.member)
        header.from_system, header.to = self.name, getattr(opened, "from")
        header.purpose, header.legal_basis = opened.purpose, opened.legal_basis
        header.aviso.CopyFrom(opened.aviso)
        header.consent.state = 3
        header.catalogue_code = opened.catalogue_code
        header.act.regards, header.act.event = opened.message_id, 1
        return header

    def wrap(self, header, compartments=()):
        """Serialised once; from here on only these bytes."""
        message = self.m.Message(header=header.SerializeToString(), header_blind=os.urandom(32))
        for part, content in compartments:
            data = content if isinstance(content, bytes) else content.SerializeToString()
            message.compartments.add(part=part, blind=os.urandom(32), clear=data)
        return message

    def alias(self, text="Persona Sintética"):
        return [(1, self.m.IdentityCompartment(alias=text))]

    def call(self, method, request, answer, timeout=10, channel=None):
        raw = isinstance(request, bytes)
        return (channel or self.channel).unary_unary(
            f"/enlace.v1.ExchangeService/{method}",
            request_serializer=(lambda r: r) if raw else (lambda r: r.SerializeToString()),
            response_deserializer=answer.FromString)(
                request, timeout=timeout, wait_for_ready=self.is_patient)

    def submit(self, message, timeout=10):
        request = self.x.SubmitRequest(submission=self.x.Submission(message=message))
        return self.call("Submit", request, self.x.SubmitResponse, timeout).receipt

    def submit_stream(self, requests):
        """Requests as an iterator of SubmitStreamRequest; iterate for SubmitStreamResponse."""
        return self.channel.stream_stream(
            "/enlace.v1.ExchangeService/SubmitStream",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=self.x.SubmitStreamResponse.FromString)(
                requests, wait_for_ready=self.is_patient)

    def track(self, exchange_id):
        return self.call("Track", self.x.TrackRequest(exchange_id=exchange_id), self.x.TrackResponse)

    def receipts(self, message_id):
        return self.call("GetReceipts", self.x.GetReceiptsRequest(message_id=message_id),
                         self.x.GetReceiptsResponse)

    def attach(self, urgency=1, window=64):
        return Attachment(self, urgency, window)


class Auditor(Partner):
    """One auditor of the authority, at any node."""

    def __init__(self, work, auditor, node):  # pylint: disable=super-init-not-called
        self.facts = directory_facts(f"{work}/directory.txt")
        self.m, self.x = load_protocol(f"{work}/py")
        self.work, self.node = work, node
        self.network, self.code, self.name = auditor.split(".")
        self.channel = self.connect(f"{work}/pki/auditor/{auditor}")

    def close_audit(self, purpose, blind=bytes(32)):
        """Opens the purpose of an audit: what stands in the log for ever."""
        from enlace.v1 import audit_pb2  # pylint: disable=import-error
        return self.channel.unary_unary(
            "/enlace.v1.AuditService/CloseAudit",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=audit_pb2.CloseAuditResponse.FromString)(
                audit_pb2.CloseAuditRequest(purpose=purpose, purpose_blind=blind), timeout=30)

    def pages(self, page=256, timeout=60, commitment=hashlib.sha256(b"prueba").digest()):
        """The whole log, page after page, as (checkpoint note, entries)."""
        from enlace.v1 import audit_pb2  # pylint: disable=import-error
        asked = queue.Queue()
        stream = self.channel.stream_stream(
            "/enlace.v1.AuditService/ReadRecords",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=audit_pb2.ReadRecordsResponse.FromString)(
                iter(asked.get, None), timeout=timeout)
        at = 0
        while True:
            asked.put(audit_pb2.ReadRecordsRequest(from_index=at, count=page, purpose_commitment=commitment))
            answer = next(stream)
            if not answer.entries:
                break
            yield answer.checkpoint.decode(), answer.entries
            at += len(answer.entries)
        asked.put(None)
        stream.cancel()


class Attachment:
    """An attached stream: send() puts requests, iterate for responses."""

    def __init__(self, partner, urgency, window):
        self.partner = partner
        self.outgoing = queue.Queue()
        x = partner.x
        self.send(x.AttachRequest(hello=x.AttachHello(urgency=urgency, window=window)))
        self.stream = partner.channel.stream_stream(
            "/enlace.v1.ExchangeService/Attach",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=x.AttachResponse.FromString)(
                iter(self.outgoing.get, None), wait_for_ready=partner.is_patient)

    def send(self, request):
        self.outgoing.put(request)

    def submit(self, message):
        x = self.partner.x
        self.send(x.AttachRequest(submission=x.Submission(message=message)))

    def acknowledge(self, message_id):
        x = self.partner.x
        self.send(x.AttachRequest(acknowledgement=x.Acknowledgement(message_id=message_id)))

    def __iter__(self):
        return iter(self.stream)

    def close(self):
        self.outgoing.put(None)
        self.stream.cancel()


def refusal(error):
    """(status name, reason, path) of a refused call."""
    trailers = dict(error.trailing_metadata() or ())
    return error.code().name, trailers.get("enlace-reason", ""), trailers.get("enlace-path", "")


def in_thread(target, *args):
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread
