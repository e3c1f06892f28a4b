"""officials - a named official's acts, for the path tests: signed by the key of the certificate."""
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import client


class Official:
    """A named official: certificate and key."""

    def __init__(self, work, name):
        keys = f"{work}/pki/official/{name}"
        with open(f"{keys}/tls.pem", "rb") as file:
            self.der = x509.load_pem_x509_certificate(file.read()).public_bytes(
                serialization.Encoding.DER)
        with open(f"{keys}/tls.key", "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        self.id = name.split(".")[-1]

    def sign(self, message):
        text = b"enlace/act/v1\0" + client.commitment(message)
        message.signatures.add(certificate=self.der,
                               signature=self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return message


def act(partner, opened, event, official=None, **fields):
    """An act on item 1 of the exchange that `opened` began."""
    header = partner.custody(partner.m.Message(header=opened.SerializeToString()))
    header.act.event = event
    header.act.item = 1
    for name, value in fields.items():
        setattr(header.act, name, value)
    if official is not None:
        header.on_behalf_of = official.id
    if getattr(opened, "from") == partner.member:
        header.to = opened.to
    return header
