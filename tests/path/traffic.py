"""traffic - two partners' systems under load, each a process that may be killed at any moment.

    traffic.py submitter WORK [UNARY STREAMS]     mpi-cdmx: requests to ssc; takes the acts that come back
    traffic.py recipient WORK        ssc: takes requests, answers each with custody

Each goes on from its ledger (WORK/ledger/<role>): what it sent and has no answer to, it sends again,
the same bytes. WORK/ledger/stop ends the making of new messages; the process ends when all is answered.
"""
import base64
import os
import queue
import random
import faulthandler
import signal
import sys
import threading
import time

import grpc

import client
import ledger

BACKLOG_MAX = 600
WINDOW = 32
URGENT_OF = 8  # one in so many


class System:
    """A partner with its ledger, and a queue of messages that have no answer yet."""

    def __init__(self, work, role, system, node):
        self.work = work
        self.partner = client.Partner(work, system, node)
        path = f"{work}/ledger/{role}"
        self.history = ledger.History(path)
        self.ledger = ledger.Ledger(path)
        self.lock = threading.Lock()
        self.pending = queue.Queue()
        self.answered = dict(self.history.answered)
        self.sent = {i: base64.b64decode(m) for i, m in self.history.sent.items()}
        for message_id in self.sent:
            if message_id not in self.answered:
                self.pending.put(message_id)

    def stopping(self):
        return os.path.exists(f"{self.work}/ledger/stop")

    def message(self, message_id):
        return self.partner.m.Message.FromString(self.sent[message_id])

    def lodge(self, header, compartments=()):
        """Made and told to the ledger; not sent yet."""
        message = self.partner.wrap(header, compartments)
        data = message.SerializeToString()
        self.sent[header.message_id.hex()] = data
        self.ledger.say(ledger.row("sent", header.message_id, m=data))
        return header.message_id.hex()

    def receive_answer(self, message_id, receipt):
        said = base64.b64encode(receipt.SerializeToString()).decode()
        self.ledger.say(ledger.row("answered", bytes.fromhex(message_id), r=said))
        with self.lock:
            self.answered[message_id] = said

    def receive_refusal(self, message_id, code, reason):
        """A node that cannot take it now says so; every other refusal is a fault of the test."""
        if code in (grpc.StatusCode.UNAVAILABLE.value[0], grpc.StatusCode.RESOURCE_EXHAUSTED.value[0],
                    grpc.StatusCode.ABORTED.value[0], grpc.StatusCode.DEADLINE_EXCEEDED.value[0]):
            time.sleep(0.1)
            self.pending.put(message_id)
        else:
            self.ledger.say(ledger.row("refused", bytes.fromhex(message_id), reason=reason))

    def receive_result(self, result):
        if result.WhichOneof("outcome") == "receipt":
            self.receive_answer(result.message_id.hex(), result.receipt)
        else:
            self.receive_refusal(result.message_id.hex(), result.refusal.code, result.refusal.reason)

    def submit_once(self, message_id):
        try:
            receipt = self.partner.submit(self.message(message_id), timeout=5)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                                grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED,
                                grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
                time.sleep(0.05)
                self.pending.put(message_id)
                return
            _, reason, path = client.refusal(error)
            self.ledger.say(ledger.row("refused", bytes.fromhex(message_id),
                                       reason=f"{error.code().name} {reason} {path}"))
            return
        self.receive_answer(message_id, receipt)

    def got(self, delivery, message_id):
        self.ledger.say(ledger.row(
            "got", message_id, m=delivery.message.SerializeToString(),
            r=delivery.receipt.SerializeToString(), s=delivery.sender_receipt.SerializeToString(),
            new=not delivery.is_redelivered))

    def attached(self, urgency, on_response):
        """For ever: attach, take what comes, attach again."""
        while True:
            attachment = self.partner.attach(urgency=urgency)
            try:
                for response in attachment:
                    on_response(attachment, response)
            except grpc.RpcError:
                pass
            attachment.close()
            self.detached()
            time.sleep(0.05)

    def detached(self):
        """The stream ended: what was under way on it is anybody's guess."""


class Submitter(System):
    def __init__(self, work):
        super().__init__(work, "mpi", "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
        self.acts = set(self.history.got)

    def next_id(self):
        """A message without an answer, or a new one; now and then one that was answered."""
        try:
            return self.pending.get_nowait()
        except queue.Empty:
            pass
        with self.lock:
            backlog = len(self.sent) - len(self.acts)
            old = random.choice(list(self.answered)) if self.answered and random.random() < 0.05 else None
        if old is not None:
            return old
        if self.stopping() or backlog > BACKLOG_MAX:
            time.sleep(0.05)
            return None
        header = self.partner.request()
        if random.randrange(URGENT_OF) == 0:
            header.urgency = 2
        return self.lodge(header, self.partner.alias())

    def unary(self):
        while True:
            message_id = self.next_id()
            if message_id is not None:
                self.submit_once(message_id)

    def stream(self):
        while True:
            self.stream_once()
            time.sleep(0.05)

    def stream_once(self):
        """Up to WINDOW under way; what has no answer when the stream ends is pending again."""
        under_way, room, is_over = set(), threading.Semaphore(WINDOW), threading.Event()

        def requests():
            x = self.partner.x
            while not is_over.is_set():
                if not room.acquire(timeout=0.2):
                    continue
                message_id = self.next_id()
                if message_id is None:
                    room.release()
                    continue
                under_way.add(message_id)
                yield x.SubmitStreamRequest(submission=x.Submission(message=self.message(message_id)))

        stream = self.partner.submit_stream(requests())
        try:
            for response in stream:
                for result in response.results:
                    self.receive_result(result)
                    under_way.discard(result.message_id.hex())
                    room.release()
        except grpc.RpcError:
            pass
        is_over.set()
        time.sleep(0.3)  # the generator's last message
        for message_id in list(under_way):
            self.pending.put(message_id)

    def on_response(self, attachment, response):
        if response.WhichOneof("response") == "settled":
            self.ledger.say(ledger.row("settled", response.settled.message_id))
        elif response.WhichOneof("response") == "delivery":
            message_id = self.partner.m.Header.FromString(response.delivery.message.header).message_id
            self.got(response.delivery, message_id)
            with self.lock:
                self.acts.add(message_id.hex())
            attachment.acknowledge(message_id)

    def run(self, unary, streams):
        for _ in range(unary):
            client.in_thread(self.unary)
        for _ in range(streams):
            client.in_thread(self.stream)
        for urgency in (1, 2):
            client.in_thread(self.attached, urgency, self.on_response)
        while not self.stopping() or len(self.answered) < len(self.sent):
            time.sleep(0.1)
        while True:  # the acts still come
            time.sleep(1)


class Recipient(System):
    def __init__(self, work):
        super().__init__(work, "ssc", "cdmx.ssc.adapter", "cdmx/ssc")
        self.streamed = set()
        self.acts = {}
        for message_id, data in self.sent.items():
            header = self.partner.m.Header.FromString(
                self.partner.m.Message.FromString(data).header)
            self.acts[header.act.regards.hex()] = message_id

    def on_response(self, attachment, response):
        kind = response.WhichOneof("response")
        if kind == "delivery":
            self.take(attachment, response.delivery)
        elif kind == "result":
            self.receive_result(response.result)

    def take(self, attachment, delivery):
        message_id = self.partner.m.Header.FromString(delivery.message.header).message_id
        self.got(delivery, message_id)
        with self.lock:
            act = self.acts.get(message_id.hex())
            if act is None:
                act = self.lodge(self.partner.custody(delivery.message))
                self.acts[message_id.hex()] = act
        if random.random() < 0.2:
            self.pending.put(act)  # by a call of its own
        else:
            with self.lock:
                self.streamed.add(act)
            attachment.submit(self.message(act))

    def detached(self):
        """Custody may stand without our having heard: then nothing is delivered again."""
        with self.lock:
            for act in self.streamed - set(self.answered):
                self.pending.put(act)
            self.streamed.clear()

    def unary(self):
        while True:
            self.submit_once(self.pending.get())

    def run(self):
        client.in_thread(self.unary)
        for urgency in (1, 1, 2):  # two streams share the ordinary queue
            client.in_thread(self.attached, urgency, self.on_response)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)  # where its threads are, when a test is stuck
    if sys.argv[1] == "submitter":
        Submitter(sys.argv[2]).run(*(int(n) for n in sys.argv[3:5] or (3, 2)))
    else:
        Recipient(sys.argv[2]).run()
