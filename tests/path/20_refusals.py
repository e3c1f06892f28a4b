#!/usr/bin/env python3
"""What bad input gets: credentials in the handshake or at the first call, messages with a reason.

Started by 20_refusals.sh with the folder of a running federation.
"""
import csv
import os
import queue
import subprocess
import sys
import time

import grpc

import client

WORK = sys.argv[1]
DAY_MS = 86_400_000
passed = failed = 0


def say(text, is_kept, why=""):
    global passed, failed
    if is_kept:
        passed += 1
        print("✔", text)
    else:
        failed += 1
        print("✖", text, "—", why)


def node_log(code="cdmx"):
    with open(f"{WORK}/node/{code}/log", encoding="utf-8", errors="replace") as log:
        return log.read()


# ---- credentials ----

def try_ping(partner, keys):
    try:
        channel = partner.connect(keys)
    except Exception as error:  # a pair that the library itself refuses to load
        return "LOAD", str(error)
    try:
        partner.call("Ping", partner.x.PingRequest(), partner.x.PingResponse, 3, channel)
        return "OK", ""
    except grpc.RpcError as error:
        return error.code().name, client.refusal(error)[1]
    finally:
        channel.close()


def credentials(partner):
    with open(f"{WORK}/bad/cases.tsv", encoding="utf-8") as table:
        rows = [row for row in csv.reader(table, delimiter="\t") if row and row[0][0] != "#"]
    for name, where, why in rows:
        status, reason = try_ping(partner, f"{WORK}/bad/{name}")
        if where in ("handshake", "load", "lax"):
            kept = status in ("UNAVAILABLE", "LOAD", "DEADLINE_EXCEEDED")
        else:
            kept = status in ("UNAUTHENTICATED", "PERMISSION_DENIED") and reason != ""
        say(f"certificate: {why} ({name})", kept, f"{status} {reason}")
    log = node_log()
    say("the operator's log names the failing check of an identity",
        "identity.refused" in log and "check=unknown" in log and "check=fingerprint" in log)


def tls(partner):
    host = partner.facts["address"]["cdmx/cdmx"]
    keys = f"{WORK}/pki/system/cdmx.mpi-cdmx.plataforma"

    def handshake(*options):
        done = subprocess.run(["openssl", "s_client", "-connect", host, "-alpn", "h2", *options],
                              input=b"", capture_output=True, timeout=10, check=False)
        return b"BEGIN CERTIFICATE" in done.stdout and b"Cipher is (NONE)" not in done.stdout
    pair = ["-cert", f"{keys}/tls.pem", "-key", f"{keys}/tls.key"]
    say("TLS 1.3 with a client certificate is accepted", handshake("-tls1_3", *pair))
    say("TLS 1.2 is refused", not handshake("-tls1_2", *pair))
    try:
        credentials_none = grpc.ssl_channel_credentials(
            open(f"{WORK}/pki/ca/all.pem", "rb").read())
        channel = grpc.secure_channel(host, credentials_none,
                                      [("grpc.ssl_target_name_override", "localhost")])
        partner.call("Ping", partner.x.PingRequest(), partner.x.PingResponse, 3, channel)
        say("no certificate: refused", False, "answered")
    except grpc.RpcError as error:
        say("no certificate: refused", error.code().name in ("UNAVAILABLE", "UNAUTHENTICATED"),
            error.code().name)


# ---- messages ----

def refused(partner, text, make, status, reason, path=None):
    try:
        made = make()
        if isinstance(made, bytes):
            partner.call("Submit", made, partner.x.SubmitResponse)
        else:
            partner.submit(made)
        say(text, False, "accepted")
    except grpc.RpcError as error:
        got = client.refusal(error)
        kept = got[0] in status.split("|") and got[1] == reason and (path is None or got[2] == path)
        say(f"{text}: {reason}", kept, f"{got} {error.details()[:120]}")


def with_header(partner, change, compartments=None):
    header = partner.request()
    change(header)
    return partner.wrap(header, partner.alias() if compartments is None else compartments)


def set_ids(header, identifier):
    header.message_id = header.exchange_id = identifier


def messages(partner):
    m = partner.m
    now = int(time.time() * 1000)

    def bad(change, compartments=None):
        return lambda: with_header(partner, change, compartments)

    def clear(name, kind, **fields):
        return [(name, getattr(m, kind)(**fields))]

    refused(partner, "no route to that member", bad(lambda h: setattr(h, "to", "cdmx/cdhcm")),
            "PERMISSION_DENIED", "route.type_not_allowed")
    refused(partner, "no legal basis", bad(lambda h: h.ClearField("legal_basis")),
            "INVALID_ARGUMENT", "basis.missing", "header.legal_basis")
    refused(partner, "another legal basis", bad(lambda h: setattr(h, "legal_basis", "LPPDDHP-26")),
            "PERMISSION_DENIED", "basis.mismatch", "header.legal_basis")
    refused(partner, "no purpose", bad(lambda h: h.ClearField("purpose")),
            "INVALID_ARGUMENT", "purpose.missing", "header.purpose")
    refused(partner, "no aviso", bad(lambda h: h.ClearField("aviso")),
            "INVALID_ARGUMENT", "aviso.missing", "header.aviso.id")
    refused(partner, "an unknown code", bad(lambda h: setattr(h, "catalogue_code", "PRO-NADA")),
            "INVALID_ARGUMENT", "code.unknown", "header.catalogue_code")
    refused(partner, "a time without zone",
            bad(lambda h: setattr(h, "occurred_at", "2019-06-03T10:00:00")),
            "INVALID_ARGUMENT", "time.no_zone", "header.occurred_at")
    refused(partner, "an id of next year",
            bad(lambda h: set_ids(h, partner.new_id(now + 365 * DAY_MS))),
            "INVALID_ARGUMENT", "id.in_future", "header.message_id")
    refused(partner, "an id of two months ago",
            bad(lambda h: set_ids(h, partner.new_id(now - 60 * DAY_MS))),
            "INVALID_ARGUMENT", "id.too_old", "header.message_id")
    refused(partner, "somebody else's message", bad(lambda h: setattr(h, "from", "cdmx/pgj")),
            "PERMISSION_DENIED", "sender.not_yours")
    refused(partner, "a field that the route does not list",
            bad(lambda h: None, clear(1, "IdentityCompartment", full_name="Persona Sintética")),
            "PERMISSION_DENIED", "fields.excess")
    refused(partner, "location in clear",
            bad(lambda h: None, clear(3, "LocationCompartment", alcaldia="09015")),
            "INVALID_ARGUMENT", "compartment.must_be_sealed")
    refused(partner, "plain text that says it is sealed",
            lambda: with_seal(partner, b"Calle de la Luna 7"),
            "INVALID_ARGUMENT", "compartment.not_cms", "compartments[0].sealed")
    refused(partner, "an official whom nobody knows",
            bad(lambda h: setattr(h, "on_behalf_of", "nadie-99")),
            "PERMISSION_DENIED", "official.not_in_force", "header.on_behalf_of")
    refused(partner, "consent of an impeded person, unsigned", bad(impeded),
            "PERMISSION_DENIED", "signature.missing", "signatures")
    refused(partner, "a CURP with a wrong digit",
            bad(lambda h: None, clear(1, "IdentityCompartment", curp="MOTR930411HJCRMG73")),
            "INVALID_ARGUMENT", "curp.check_digit", "compartments[0].identity.curp")
    refused(partner, "a compartment too many",
            bad(lambda h: None, [(n % 10 + 1 + 256 * (n // 10), m.ContactCompartment(phone="1"))
                                 for n in range(17)]),
            "INVALID_ARGUMENT", "decode.too_many")
    refused(partner, "an unknown field in a compartment",
            bad(lambda h: None, [(1, m.IdentityCompartment(alias="x").SerializeToString() +
                                  b"\xfa\x01\x01x")]),
            "INVALID_ARGUMENT", "decode.unknown_field")
    refused(partner, "a scalar that stands twice",
            bad(lambda h: None, [(1, m.IdentityCompartment(alias="x").SerializeToString() * 2)]),
            "INVALID_ARGUMENT", "decode.not_canonical")
    refused(partner, "a report about nothing", lambda: partner.wrap(orphan(partner)),
            "NOT_FOUND", "exchange.unknown", "header.exchange_id")
    refused(partner, "a body of 2 MiB",
            bad(lambda h: None, [(9, m.NarrativeCompartment(summary="x" * (2 << 20)))]),
            "INVALID_ARGUMENT|RESOURCE_EXHAUSTED", "decode.too_large")


def orphan(partner):
    header = partner.request()
    header.exchange_id = partner.new_id()
    header.ClearField("measure_request")
    header.act.regards, header.act.event = header.exchange_id, 9
    return header


def other_content(partner):
    message = partner.wrap(partner.request(), partner.alias())
    first = partner.submit(message)
    say("the same id with the same bytes: the same receipt, byte for byte",
        partner.submit(message) == first)
    message.header_blind = os.urandom(32)
    refused(partner, "an id seen with other content", lambda: message, "ALREADY_EXISTS",
            "id.other_content", "header.message_id")


def with_seal(partner, content):
    header = partner.request()
    header.seals.add(part=3, sha256=b"\1" * 32)
    message = partner.wrap(header)
    message.compartments.add(part=3, blind=os.urandom(32), sealed=content)
    return message


def impeded(header):
    header.consent.state, header.on_behalf_of = 2, "enlace-01"


def bounds(partner):
    """One identity has so many streams, and no more; when one ends, the next comes in."""
    most = 6

    def open_stream():
        asked = queue.Queue()
        asked.put(partner.x.SubmitStreamRequest(submission=partner.x.Submission(
            message=partner.wrap(partner.request(), partner.alias()))))
        stream = partner.submit_stream(iter(asked.get, None))
        try:
            return stream, asked, next(stream).results[0].WhichOneof("outcome")
        except grpc.RpcError as error:
            return stream, asked, client.refusal(error)[1]
    streams = [open_stream() for _ in range(most)]
    say("streams up to the bound are served", all(how == "receipt" for _, _, how in streams),
        str([how for _, _, how in streams]))
    say("one stream more is refused", open_stream()[2] == "identity.busy")
    streams[0][1].put(None)
    list(streams[0][0])
    # Our end may know of it before the node's does.
    until = time.monotonic() + 20
    while (how := open_stream()[2]) == "identity.busy" and time.monotonic() < until:
        time.sleep(0.05)
    say("a place is free again when a stream ends", how == "receipt", how)


def purposes():
    auditor = client.Auditor(WORK, "cdmx.contraloria.auditor-01", "cdmx/cdmx")
    for purpose, wanted in (("", "decode.missing"), ("Buscar a Juan", "audit.purpose"),
                            ("x" * 64, "audit.purpose"), ("prueba", "audit.unknown")):
        try:
            auditor.close_audit(purpose)
            why = "answered"
        except grpc.RpcError as error:
            why = client.refusal(error)[1]
        say(f"an audit's purpose is a code, not free text ({len(purpose)} characters)",
            why == wanted, why)
    for commitment, wanted in ((b"", "audit.purpose"), (b"x" * 31, "decode.size")):
        try:
            next(auditor.pages(commitment=commitment))
            why = "answered"
        except grpc.RpcError as error:
            why = client.refusal(error)[1]
        say(f"and a reading is bound to one ({len(commitment)} bytes)", why == wanted, why)


def garbage(partner):
    good = partner.x.SubmitRequest(submission=partner.x.Submission(
        message=partner.wrap(partner.request(), partner.alias()))).SerializeToString()
    kept = True
    why = ""
    for i in range(0, len(good) - 1, 7):
        raw = good[:i] if i % 2 else os.urandom(len(good))
        try:
            partner.call("Submit", raw, partner.x.SubmitResponse)
            kept, why = False, f"accepted {i}"
        except grpc.RpcError as error:
            if error.code().name != "INVALID_ARGUMENT":
                kept, why = False, f"{i}: {client.refusal(error)}"
    say("truncated and random protobuf: INVALID_ARGUMENT each time", kept, why)


def logged(partner):
    """At most 10 refusals of one identity and minute become leaves."""
    log = node_log()
    lines = [line for line in log.splitlines() if "message.refused" in line]
    leaves = sum("leaf=1" in line for line in lines)
    say("refusals of decoded messages are leaves, at most ten a minute",
        0 < leaves <= 20 and len(lines) > leaves, f"{leaves} of {len(lines)}")
    words = ("Persona Sintética", "MOTR930411", "SINTETICO-1")
    say("no value of any field in the operator's log", not any(word in log for word in words))


def main():
    partner = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    partner.is_patient = False  # a refused handshake is the answer
    credentials(partner)
    tls(partner)
    messages(partner)
    other_content(partner)
    garbage(partner)
    bounds(partner)
    purposes()
    logged(partner)
    print(f"20_refusals.py: {passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


sys.exit(main())
