"""clerk - a system that submits to one node, one message after the other, and keeps the ledger."""
import base64

import grpc

import client
import ledger
import storm


class Clerk:
    """Submits to one node and keeps the ledger; one message after the other."""

    def __init__(self, work):
        self.partner = client.Partner(work, storm.SIDES[0][1], storm.SIDES[0][2])
        self.partner.is_patient = False
        self.path = f"{work}/ledger/mpi"
        self.ledger = ledger.Ledger(self.path)

    def make(self):
        message = self.partner.wrap(self.partner.request(), self.partner.alias())
        header = self.partner.m.Header.FromString(message.header)
        self.ledger.say(ledger.row("sent", header.message_id, m=message.SerializeToString()))
        return message, header.message_id

    def send(self, message, message_id):
        """(status, reason) of a refusal, None for a receipt."""
        try:
            receipt = self.partner.submit(message, timeout=10)
        except grpc.RpcError as error:
            status, reason, _ = client.refusal(error)
            return status, reason
        self.ledger.say(ledger.row("answered", message_id, r=receipt.SerializeToString()))
        return None

    def send_until_refused(self, most):
        for _ in range(most):
            refusal = self.send(*self.make())
            if refusal is not None:
                return refusal
        return None

    def history(self):
        return ledger.History(self.path)

    def held(self):
        """After a restart: by a connection of its own."""
        partner = client.Partner(self.partner.work, storm.SIDES[0][1], storm.SIDES[0][2])
        return ledger.held(partner, self.history(), 30)

    def unanswered(self):
        """Each is sent again; what is still refused."""
        history = self.history()
        left = [i for i in history.sent if i not in history.answered]
        problems = []
        for message_id in left:
            data = base64.b64decode(history.sent[message_id])
            refusal = self.send(self.partner.m.Message.FromString(data), bytes.fromhex(message_id))
            if refusal is not None:
                problems.append(f"{message_id}: {refusal}")
        return problems
