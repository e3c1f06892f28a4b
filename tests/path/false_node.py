#!/usr/bin/env python3
"""false_node - a node that lies to its readers: the real one's certificate and log key, and what it
answers passed on from the real one and altered as the file WORK/lie says, read at each answer:

    (empty)  nothing is altered          record   a bit of a record
    path     a bit of an inclusion path  shorter  the page that was shown first, again and again
    other    another root at the newest size, signed by the log's own key
    key      the checkpoint signed by another key

    false_node.py WORK CODE READER ADDRESS   (READER: a folder of WORK/pki, whose questions it passes on)
"""
import base64
import sys
import time
from concurrent import futures

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import client
import false_peer


class FalseNode:
    def __init__(self, work, code, reader):
        client.load_protocol(f"{work}/gen")
        from enlace.v1 import audit_pb2  # pylint: disable=import-error
        self.audit, self.work = audit_pb2, work
        facts = client.directory_facts(f"{work}/directory.txt")
        self.peer = false_peer.Peer(work, code, facts)
        self.channel = self.reader_channel(reader, facts["address"][f"cdmx/{code}"])
        self.first = None

    def reader_channel(self, reader, address):
        def read(path):
            with open(f"{self.work}/pki/{path}", "rb") as file:
                return file.read()
        credentials = grpc.ssl_channel_credentials(
            read("ca/all.pem"), read(f"{reader}/tls.key"), read(f"{reader}/tls.pem"))
        return grpc.secure_channel(address, credentials,
                                   options=[("grpc.ssl_target_name_override", "localhost"),
                                            ("grpc.max_receive_message_length", 16 << 20)])

    def lie(self):
        with open(f"{self.work}/lie", encoding="utf-8") as file:
            return file.read().strip()

    def sign(self, text, key):
        log = self.peer.log
        key_id = client.sha(log.origin.encode(), b"\n", b"\x01", log.public)[:4]
        line = base64.b64encode(key_id + key.sign(text.encode())).decode()
        return f"{text}\n— {log.origin} {line}\n".encode()

    def alter(self, answer):
        lie = self.lie()
        if lie == "record" and answer.entries:
            record = bytearray(answer.entries[0].record)
            record[-1] ^= 1
            answer.entries[0].record = bytes(record)
        elif lie == "path" and answer.entries:
            step = bytearray(answer.entries[0].path[0])
            step[0] ^= 1
            answer.entries[0].path[0] = bytes(step)
        elif lie == "other":
            origin, size, _ = answer.checkpoint.decode().split("\n")[:3]
            root = base64.b64encode(client.sha(b"another history")).decode()
            answer.checkpoint = self.sign(f"{origin}\n{size}\n{root}\n", self.peer.log.key)
        elif lie == "key":
            text = answer.checkpoint.decode().split("\n\n")[0] + "\n"
            answer.checkpoint = self.sign(text, Ed25519PrivateKey.generate())
        return answer

    def query(self, requests, _):
        """The stream of questions passed on, one at a time, each answer altered."""
        call = self.channel.stream_stream("/enlace.v1.AuditService/QueryRecords",
                                          request_serializer=lambda raw: raw,
                                          response_deserializer=self.audit.QueryRecordsResponse.FromString)
        for answer in call(requests):
            if self.lie() == "shorter" and self.first is not None:
                yield self.first.SerializeToString()
                continue
            if self.first is None:
                self.first = self.audit.QueryRecordsResponse(checkpoint=answer.checkpoint, next_index=answer.next_index)
            yield self.alter(answer).SerializeToString()

    def pass_on(self, method):
        ask = self.channel.unary_unary(method)
        return grpc.unary_unary_rpc_method_handler(lambda raw, _: ask(raw, timeout=10))

    def serve(self, address):
        with open(f"{self.work}/pki/ca/all.pem", "rb") as file:
            ca = file.read()
        server = grpc.server(futures.ThreadPoolExecutor(8))
        server.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler("enlace.v1.ExchangeService", {
                "Ping": self.pass_on("/enlace.v1.ExchangeService/Ping")}),
            grpc.method_handlers_generic_handler("enlace.v1.AuditService", {
                "QueryRecords": grpc.stream_stream_rpc_method_handler(self.query)})))
        server.add_secure_port(address, grpc.ssl_server_credentials([self.peer.keys()], ca, True))
        server.start()
        print("ready", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    FalseNode(*sys.argv[1:4]).serve(sys.argv[4])
