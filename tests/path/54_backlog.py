"""54_backlog - a peer is down, a queue is full, a client does not read: bounded, said, and others go on.

    54_backlog.py WORK BUILD
"""
import collections
import os
import queue
import sys
import threading
import time

import grpc

import client
import ledger
import storm

OUTBOX_MAX = 400
RESERVE = OUTBOX_MAX // 10
BATCH_MAX = 16  # by so much one commit may overshoot
MEMORY_MIB = 64
URGENT_SECONDS = 4  # a link for urgent ones tries again after 2 s at most
PROMPT_SECONDS = 1.0


def set_up(work):
    os.makedirs(f"{work}/ledger", exist_ok=True)
    client.generate_protocol(f"{work}/py")
    for code in ("cdmx", "ssc"):
        with open(f"{work}/node/{code}/enlaced.conf", "a", encoding="utf-8") as file:
            file.write(f"outbox_max = {OUTBOX_MAX}\nbatch_max = {BATCH_MAX}\n"
                       "stop_grace_ms = 500\n")


class Narrow(client.Partner):
    """Takes no more from the network than it reads."""

    channel_options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536))


def partner(work, side, kind=client.Partner):
    return kind(work, storm.SIDES[side][1], storm.SIDES[side][2])


def make(sender, count, urgency=1):
    made = []
    for _ in range(count):
        header = sender.request()
        header.urgency = urgency
        made.append(sender.wrap(header, sender.alias()))
    return made


def id_of(sender, message):
    return sender.m.Header.FromString(message.header).message_id.hex()


def submit_all(sender, messages):
    """id -> None for a receipt, else (code, reason)."""
    requests = (sender.x.SubmitStreamRequest(submission=sender.x.Submission(message=message))
                for message in messages)
    outcome = {}
    for response in sender.submit_stream(requests):
        for result in response.results:
            is_held = result.WhichOneof("outcome") == "receipt"
            outcome[result.message_id.hex()] = None if is_held else \
                (grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] == result.refusal.code,
                 result.refusal.reason)
    return outcome


def memory_mib(node):
    with open(f"/proc/{node.process.pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


class Inbox:
    """Takes everything for one side, in the order in which it comes, and settles it."""

    def __init__(self, work, side):
        self.partner, self.is_recipient = partner(work, side), side == 1
        self.came = []  # (id, urgency, when)
        self.lock = threading.Lock()
        self.ordinary_may_come = threading.Event()
        self.ordinary_may_come.set()
        for urgency in (1, 2):
            client.in_thread(self.take, urgency)

    def take(self, urgency):
        attachment = self.partner.attach(urgency=urgency)
        try:
            for response in attachment:
                if response.WhichOneof("response") == "delivery":
                    if urgency == 1:
                        self.ordinary_may_come.wait()
                    self.settle(attachment, response.delivery.message, urgency)
        except grpc.RpcError:
            pass

    def settle(self, attachment, message, urgency):
        message_id = id_of(self.partner, message)
        with self.lock:
            self.came.append((message_id, urgency, time.monotonic()))
        if self.is_recipient:
            attachment.submit(self.partner.wrap(self.partner.custody(message)))
        else:
            attachment.acknowledge(bytes.fromhex(message_id))

    def wait(self, count, seconds):
        until = time.monotonic() + seconds
        while len(self.came) < count and time.monotonic() < until:
            time.sleep(0.05)
        return len(self.came) >= count


def full_queue(work, nodes, verdict):
    """The peer is down. Up to the bound all is held, then it is said; urgent ones have a reserve."""
    sender = partner(work, 0)
    messages = make(sender, OUTBOX_MAX + 200)
    outcome = submit_all(sender, messages)
    held = [i for i, refusal in outcome.items() if refusal is None]
    reasons = collections.Counter(refusal for refusal in outcome.values() if refusal is not None)
    verdict.promise(f"with the peer down {len(held)} are held, of at most {OUTBOX_MAX}",
                    OUTBOX_MAX <= len(held) <= OUTBOX_MAX + BATCH_MAX)
    verdict.promise(f"the rest is refused, and told why: {dict(reasons)}",
                    len(outcome) == len(messages) and set(reasons) == {(True, "outbox.full")})
    urgent = make(sender, RESERVE // 2, urgency=2)
    outcome = submit_all(sender, urgent)
    verdict.promise("urgent ones have a reserve", [str(r) for r in outcome.values() if r is not None])
    Inbox(work, 0)  # takes the acts that come back
    nodes["ssc"].start()
    began = time.monotonic()
    inbox = Inbox(work, 1)
    wanted = set(held) | {id_of(sender, message) for message in urgent}
    verdict.promise("the peer comes up: all of them come", inbox.wait(len(wanted), 25))
    came = [i for i, _, _ in inbox.came]
    verdict.promise("each once, and nothing else", len(came) == len(set(came)) and set(came) == wanted)
    last = max(when for _, urgency, when in inbox.came if urgency == 2) - began
    verdict.promise(f"the urgent ones within {URGENT_SECONDS} s of its start ({last:.2f} s)",
                    last < URGENT_SECONDS)
    left = [message for message in messages if id_of(sender, message) not in wanted]
    again = submit_all(sender, left)
    verdict.promise("with room again, the refused ones are taken with the same bytes",
                    [str(r) for r in again.values() if r is not None])
    verdict.promise("and come", inbox.wait(len(wanted) + len(left), 25))
    overtake(sender, inbox, verdict)
    return inbox


def overtake(sender, inbox, verdict):
    """An urgent message behind a queue of ordinary ones, which their recipient is slow to take."""
    first = len(inbox.came)
    inbox.ordinary_may_come.clear()
    submit_all(sender, make(sender, 300))
    submit_all(sender, make(sender, 1, urgency=2))
    inbox.wait(first + 1, 20)
    inbox.ordinary_may_come.set()
    verdict.promise("an urgent one after 300 ordinary ones: all come", inbox.wait(first + 301, 20))
    place = next((at for at, (_, urgency, _) in enumerate(inbox.came[first:]) if urgency == 2), 301)
    verdict.promise(f"and it overtakes ordinary ones: it is number {place + 1}", place < 300)


class Deaf:
    """Sends for ever and never reads an answer."""

    def __init__(self, sender):
        self.sent, self.is_over = 0, False
        self.sender = sender
        self.stream = sender.submit_stream(self.requests())

    def requests(self):
        while not self.is_over:
            self.sent += 1
            message = make(self.sender, 1)[0]
            yield self.sender.x.SubmitStreamRequest(
                submission=self.sender.x.Submission(message=message))

    def settle(self, seconds):
        """How many went out until no more did."""
        until, before = time.monotonic() + seconds, -1
        while time.monotonic() < until and before != self.sent:
            before = self.sent
            time.sleep(1)
        return before == self.sent

    def end(self):
        self.is_over = True
        self.stream.cancel()


def slow_reader(work, nodes, verdict, inbox):
    """One that attaches and does not read, one that submits and does not read."""
    node = nodes["ssc"]
    before = memory_mib(node)
    lazy = partner(work, 1, Narrow)
    stalled = []
    for _ in range(8):  # nobody asks these for a response
        requests = queue.Queue()
        requests.put(lazy.x.AttachRequest(hello=lazy.x.AttachHello(urgency=1, window=256)))
        stalled.append(lazy.channel.stream_stream(
            "/enlace.v1.ExchangeService/Attach", request_serializer=lambda r: r.SerializeToString(),
            response_deserializer=bytes)(iter(requests.get, None), wait_for_ready=True))
    time.sleep(0.5)
    sender = partner(work, 0)
    came = len(inbox.came)
    outcome = submit_all(sender, make(sender, 300))
    verdict.promise("beside systems that attach and do not read, messages are taken",
                    [str(r) for r in outcome.values() if r is not None])
    for call in stalled:
        call.cancel()
    verdict.promise("and when these leave, the one that reads gets all", inbox.wait(came + 300, 20))
    deaf = Deaf(partner(work, 1, Narrow))  # its messages are refused, and refusals are answers, too
    is_settled = deaf.settle(15)
    began = time.monotonic()
    lazy.call("Ping", lazy.x.PingRequest(), lazy.x.PingResponse)
    outcome = submit_all(sender, make(sender, 20))
    took = time.monotonic() - began
    grown = memory_mib(node) - before
    verdict.promise(f"a stream that never reads is not read either: it stops after {deaf.sent} messages",
                    is_settled)
    verdict.promise(f"the node's memory stays bounded: {grown} MiB more", grown < MEMORY_MIB)
    verdict.promise(f"others are served meanwhile, in {took:.2f} s",
                    took < PROMPT_SECONDS and set(outcome.values()) == {None})
    deaf.end()


def main(work, build):
    verdict = ledger.Verdict("54_backlog")
    set_up(work)
    nodes = {code: storm.Node(work, build, code) for code in ("cdmx", "ssc")}
    nodes["cdmx"].start()
    inbox = full_queue(work, nodes, verdict)
    slow_reader(work, nodes, verdict, inbox)
    for node in nodes.values():
        verdict.promise(f"{node.code} stops in order", node.kill(15) == 0)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
