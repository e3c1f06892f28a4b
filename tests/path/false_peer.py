"""false_peer - a peer node in Python, honest or not: for the path tests.

It has a real node's certificate and log key and its own small log in memory, and speaks the
federation protocol both ways. Proofs are made and checked here by themselves (RFC 9162 §2.1).
"""
import base64
import copy
import os
import queue
import struct
import time
from concurrent import futures

import grpc
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import client


def leaf_hash(leaf):
    return client.sha(b"\0", leaf)


def node_hash(left, right):
    return client.sha(b"\1", left, right)


def split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def tree_root(hashes):
    if not hashes:
        return client.sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def inclusion(index, hashes):
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return inclusion(index, hashes[:k]) + [tree_root(hashes[k:])]
    return inclusion(index - k, hashes[k:]) + [tree_root(hashes[:k])]


def consistency(old, hashes, is_whole=True):
    if old in (0, len(hashes)):
        return [] if is_whole else [tree_root(hashes)]
    k = split(len(hashes))
    if old <= k:
        return consistency(old, hashes[:k], is_whole) + [tree_root(hashes[k:])]
    return consistency(old - k, hashes[k:], False) + [tree_root(hashes[:k])]


def is_consistent(old, old_root, new, new_root, path):
    """RFC 9162 §2.1.4.2, for 0 < old < new."""
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    if not path:
        return False
    fr = sr = path[0]
    for hash_ in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(hash_, fr), node_hash(hash_, sr)
            while fn & 1 == 0 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, hash_)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == old_root and sr == new_root


class Log:
    """The log of the node that this peer plays."""

    def __init__(self, work, code, facts):
        self.origin = f"gw.{code}/audit/2026"
        self.public = facts["vkeys"][self.origin]
        with open(f"{work}/pki/node/{code}/log.key", "rb") as file:
            self.key = load_pem_private_key(file.read(), None)
        self.leaves = []

    def forked(self, at):
        """Another history: what is logged from `at` on was never there, and a leaf is another."""
        other = copy.copy(self)
        other.leaves = self.leaves[:at]
        return other

    def append(self, message):
        index, nonce = len(self.leaves), os.urandom(16)
        named = struct.pack(">H", len(self.origin)) + self.origin.encode()
        committed = client.sha(b"enlace/leaf/v1\0", named, nonce, client.commitment(message))
        self.leaves.append(b"ENL1\1\0" + struct.pack(">HQQ", 1, int(time.time()), index) +
                           committed + os.urandom(32) + nonce + os.urandom(64) + bytes(32))
        return index

    def hashes(self, size):
        return [leaf_hash(leaf) for leaf in self.leaves[:size]]

    def root(self, size):
        return tree_root(self.hashes(size))

    def note(self, size):
        text = f"{self.origin}\n{size}\n{base64.b64encode(self.root(size)).decode()}\n"
        key_id = client.sha(self.origin.encode(), b"\n", b"\x01", self.public)[:4]
        line = base64.b64encode(key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {line}\n".encode()


class Peer:
    def __init__(self, work, code, facts):
        from enlace.v1 import federation_pb2  # pylint: disable=import-error
        self.fed, self.work, self.code, self.facts = federation_pb2, work, code, facts
        self.uri = f"spiffe://enlace.cdmx/node/{code}"
        self.log = Log(work, code, facts)

    def progress(self, log, old, size):
        return self.fed.Progress(checkpoint=log.note(size), old_size=old,
                                 consistency=consistency(old, log.hashes(size)))

    def stream(self, to, log=None, seen_size=0):
        return PeerStream(self, to, log or self.log, seen_size)

    def keys(self):
        folder = f"{self.work}/pki/node/{self.code}"
        with open(f"{folder}/tls.key", "rb") as key, open(f"{folder}/tls.pem", "rb") as pem:
            return key.read(), pem.read()

    def serve(self, answer):
        """A server in this node's place; answer(parcel) gives the entries' answers."""
        with open(f"{self.work}/pki/ca/all.pem", "rb") as file:
            ca = file.read()
        server = grpc.server(futures.ThreadPoolExecutor(8))
        handler = grpc.stream_stream_rpc_method_handler(
            lambda requests, _: self.converse(requests, answer),
            request_deserializer=self.fed.ExchangeRequest.FromString,
            response_serializer=lambda r: r.SerializeToString())
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "enlace.v1.FederationService", {"Exchange": handler}),))
        server.add_secure_port(self.facts["address"][f"cdmx/{self.code}"],
                               grpc.ssl_server_credentials([self.keys()], ca, True))
        server.start()
        return server

    def converse(self, requests, answer):
        fed, log, told = self.fed, self.log, 0
        for request in requests:
            kind = request.WhichOneof("request")
            if kind == "hello":
                told = request.hello.seen_size
                yield fed.ExchangeResponse(hello=fed.PeerHello(node=self.uri, origin=log.origin,
                                                               urgency=request.hello.urgency))
            elif kind == "question":
                q = request.question
                yield fed.ExchangeResponse(proof=fed.LineProof(
                    old_size=q.old_size, new_size=q.new_size,
                    consistency=consistency(q.old_size, log.hashes(q.new_size))))
            elif kind == "parcel":
                answers = answer(request.parcel)
                size = len(log.leaves)
                yield fed.ExchangeResponse(answer=fed.ParcelAnswer(
                    sequence=request.parcel.sequence, progress=self.progress(log, told, size),
                    answers=answers))
                told = size


class PeerStream:
    """One stream to a node, with a log of its own to show."""

    def __init__(self, peer, to, log, seen_size):
        self.peer, self.fed, self.log = peer, peer.fed, log
        self.told = self.sequence = 0
        self.requests = queue.Queue()
        self.put(hello=self.fed.PeerHello(node=peer.uri, origin=log.origin, urgency=1,
                                          seen_size=seen_size))
        channel = to.connect(f"{peer.work}/pki/node/{peer.code}")
        self.call = channel.stream_stream(
            "/enlace.v1.FederationService/Exchange",
            request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=self.fed.ExchangeResponse.FromString)(
                iter(self.requests.get, None), timeout=60)
        self.responses = iter(self.call)
        self.hello = self.next().hello
        self.told = self.hello.seen_size

    def put(self, **part):
        self.requests.put(self.fed.ExchangeRequest(**part))

    def next(self):
        return next(self.responses)

    def send(self, size, *entries):
        """Entries are (message, index)."""
        self.sequence += 1
        hashes = self.log.hashes(size)
        parcel = self.fed.Parcel(sequence=self.sequence,
                                 progress=self.peer.progress(self.log, self.told, size))
        for message, index in entries:
            parcel.entries.add(message=message, leaf=self.log.leaves[index],
                               path=inclusion(index, hashes))
        self.told = size
        self.put(parcel=parcel)

    def outcome(self):
        """Of the next answer: ["receipt" or the reason], ("question", old, new), or a refusal."""
        try:
            response = self.next()
        except grpc.RpcError as error:
            return client.refusal(error)
        kind = response.WhichOneof("response")
        if kind == "question":
            return "question", response.question.old_size, response.question.new_size
        if kind == "proof":
            return "proof", response.proof
        self.answered = response.answer
        return [a.WhichOneof("outcome") if a.WhichOneof("outcome") == "receipt" else
                a.refusal.reason for a in response.answer.answers]

    def prove(self, old, new, path=None):
        self.put(proof=self.fed.LineProof(
            old_size=old, new_size=new,
            consistency=consistency(old, self.log.hashes(new)) if path is None else path))

    def close(self):
        self.requests.put(None)
        self.call.cancel()
