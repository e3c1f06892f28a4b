#!/usr/bin/env python3
"""An exchange from the request to the measure in force, between nodes, members and systems.

Started by 10_exchange.sh with the folder of a running federation (nodes cdmx and ssc).
"""
import os
import sys
import time

import grpc
import client
from officials import Official, act

WORK = sys.argv[1]
CANARY = "Canario Sintético 5f2b"
passed = failed = 0


def say(text, is_kept, why=""):
    global passed, failed
    passed, failed = passed + bool(is_kept), failed + (not is_kept)
    print(("✔ " if is_kept else "✖ ") + text + ("" if is_kept else f" — {why}"))


def wait_for(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    return what()


def report(partner, opened, occurrence, code):
    header = act(partner, opened, 1)
    header.ClearField("act")
    header.status_report.item, header.status_report.occurrence = 1, occurrence
    header.status_report.action_code = code
    header.occurred_at = "2019-06-03T10:00:00-06:00"
    return header


def refused(text, call, reason):
    try:
        call()
        say(text, False, "accepted")
    except grpc.RpcError as error:
        got = client.refusal(error)
        say(f"{text}: {reason}", got[1] == reason, f"{got} {error.details()}")


def take_one(stream, wanted):
    for response in stream:
        if response.WhichOneof("response") == "delivery":
            header = stream.partner.m.Header.FromString(response.delivery.message.header)
            if header.message_id == wanted:
                return response.delivery
    raise SystemExit("the stream ended before the delivery came")


def state(partner, exchange_id):
    return partner.track(exchange_id).items[0].state


def between_nodes(mpi, ssc):
    official = Official(WORK, "cdmx.ssc.enlace-01")
    opened = mpi.request()
    message = mpi.wrap(opened, mpi.alias(CANARY))
    receipt = mpi.submit(message)
    client.verify_receipt(message, receipt, mpi.facts["vkeys"])
    say("R0 verifies with nothing but the log's key", True)
    stream = ssc.attach()
    delivery = take_one(stream, opened.message_id)
    say("the recipient gets the sender's bytes", delivery.message == message)
    say("both receipts of the delivery verify",
        client.verify_receipt(message, delivery.receipt, mpi.facts["vkeys"])[0] ==
        "gw.ssc/audit/2026" and
        client.verify_receipt(message, delivery.sender_receipt, mpi.facts["vkeys"])[0] ==
        "gw.cdmx/audit/2026")
    kept = wait_for(lambda: (mpi.receipts(opened.message_id).receipts[1:] or None))
    say("R1 comes back and verifies",
        kept and client.verify_receipt(message, kept[0], mpi.facts["vkeys"]))
    accept = act(ssc, opened, 2, official)
    refused("accepting before custody", lambda: ssc.submit(official.sign(ssc.wrap(accept))),
            "life.not_from_here")
    ssc.submit(ssc.wrap(ssc.custody(message)))
    refused("accepting without an official's signature",
            lambda: ssc.submit(ssc.wrap(act(ssc, opened, 2, official))), "signature.missing")
    wrong = ssc.wrap(act(ssc, opened, 2, official))
    Official(WORK, "cdmx.pgj.enlace-01").sign(wrong)
    refused("another institution's official", lambda: ssc.submit(wrong), "signature.not_official")
    twisted = official.sign(ssc.wrap(act(ssc, opened, 2, official)))
    twisted.header_blind = os.urandom(32)
    refused("a signature over another message", lambda: ssc.submit(twisted), "signature.invalid")
    ssc.submit(official.sign(ssc.wrap(act(ssc, opened, 2, official))))
    say("R2 and R3 reach the requester", wait_for(lambda: state(mpi, opened.message_id) == 4),
        state(mpi, opened.message_id))
    refused("the requester cannot put it in force",
            lambda: mpi.submit(mpi.wrap(act(mpi, opened, 5, evidence_sha256=b"\1" * 32))),
            "route.direction")
    in_force = act(ssc, opened, 5, official, evidence_sha256=b"\1" * 32)
    ssc.submit(official.sign(ssc.wrap(in_force)))
    refused("a report out of order",
            lambda: ssc.submit(ssc.wrap(report(ssc, opened, 2, "PRO-COD-VIG"))),
            "report.out_of_order")
    for n in (1, 2, 3):
        ssc.submit(ssc.wrap(report(ssc, opened, n, "PRO-COD-VIG")))
    say("R4 and three reports reach the requester",
        wait_for(lambda: mpi.track(opened.message_id).items[0].occurrences == 3) and
        state(mpi, opened.message_id) == 6, mpi.track(opened.message_id))
    inbox = mpi.attach()
    got = []
    for response in inbox:
        if response.WhichOneof("response") == "delivery":
            client.verify_receipt(response.delivery.message, response.delivery.receipt,
                                  mpi.facts["vkeys"])
            header = mpi.m.Header.FromString(response.delivery.message.header)
            got.append(header.WhichOneof("content"))
            inbox.acknowledge(header.message_id)
        elif response.WhichOneof("response") == "settled" and len(got) == 6:
            break
    say("the requester's system gets every act and report, in order",
        got == ["act"] * 3 + ["status_report"] * 3, got)
    inbox.close()
    stream.close()
    c5 = client.Partner(WORK, "cdmx.c5.adapter", "cdmx/cdmx")
    refused("another institution that knows the id learns nothing",
            lambda: c5.track(opened.message_id), "exchange.unknown")
    away = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/ssc")
    refused("a node serves its own members only", lambda: away.submit(message),
            "identity.not_hosted")
    own = mpi.request("cdmx/c5", "mpi-c5-medidas", "PRO-NUM-EME")
    own.to_system = "fantasma"
    refused("a system that the recipient does not have",
            lambda: mpi.submit(mpi.wrap(own, mpi.alias())), "system.unknown")
    own.to_system = ""
    own.message_id = own.exchange_id = opened.message_id
    refused("an opening message cannot take another exchange's id",
            lambda: mpi.submit(mpi.wrap(own, mpi.alias())), "id.other_content")
    return message, receipt


def one_node(mpi):
    """Two members of one node, and two systems of one member."""
    c5 = client.Partner(WORK, "cdmx.c5.adapter", "cdmx/cdmx")
    opened = mpi.request("cdmx/c5", "mpi-c5-medidas", "PRO-NUM-EME")
    message = mpi.wrap(opened, mpi.alias())
    mpi.submit(message)
    kept = mpi.receipts(opened.message_id).receipts
    say("two members of one node: both leaves in one commit",
        len(kept) == 2 and
        client.verify_receipt(message, kept[0], mpi.facts["vkeys"])[2] ==
        client.verify_receipt(message, kept[1], mpi.facts["vkeys"])[2])
    stream = c5.attach()
    delivery = take_one(stream, opened.message_id)
    stream.submit(c5.wrap(c5.custody(delivery.message)))
    say("custody over the attached stream", wait_for(lambda: state(mpi, opened.message_id) == 3))
    stream.close()
    atencion = client.Partner(WORK, "cdmx.mpi-cdmx.atencion", "cdmx/cdmx")
    own = mpi.request("cdmx/mpi-cdmx", "mpi-mpi-medidas", "PRO-TES-SUP")
    own.to_system = "atencion"
    message = mpi.wrap(own, mpi.alias())
    mpi.submit(message)
    stream = atencion.attach()
    delivery = take_one(stream, own.message_id)
    say("two systems of one member: delivered to the one that is named",
        delivery.message == message)
    stream.submit(atencion.wrap(atencion.custody(message)))
    say("and taken into custody", wait_for(lambda: state(mpi, own.message_id) == 3))
    stream.close()


def urgent(mpi, ssc):
    opened = mpi.request(code="URG-INM-REF")
    opened.urgency = 2
    message = mpi.wrap(opened, mpi.alias())
    mpi.submit(message)
    ordinary = ssc.attach(urgency=1)
    stream = ssc.attach(urgency=2)
    delivery = take_one(stream, opened.message_id)
    say("an urgent message comes on the urgent stream", delivery.message == message)
    say("the leaves of both logs name the other's checkpoint that they saw last",
        delivery.receipt.leaf[168:] != bytes(32) and
        delivery.sender_receipt.leaf[168:] != bytes(32))
    stream.close()
    ordinary.close()


def files_of(code):
    for folder, _, names in os.walk(f"{WORK}/node/{code}"):
        for name in names:
            if name not in ("log", "pid", "enlaced.conf"):
                yield os.path.join(folder, name)


def at_rest():
    found = []
    count = 0
    for code in ("cdmx", "ssc"):
        for path in files_of(code):
            if os.path.isfile(path):
                count += 1
                with open(path, "rb") as file:
                    data = file.read()
                found += [path for word in (CANARY, "SINTETICO-1") if word.encode() in data]
    say(f"no plaintext in any of {count} files of both nodes, database and free pages included",
        not found and count > 4, found)


def main():
    mpi = client.Partner(WORK, "cdmx.mpi-cdmx.plataforma", "cdmx/cdmx")
    ssc = client.Partner(WORK, "cdmx.ssc.adapter", "cdmx/ssc")
    message, receipt = between_nodes(mpi, ssc)
    one_node(mpi)
    urgent(mpi, ssc)
    at_rest()
    with open(f"{WORK}/kept.bin", "wb") as out:
        out.write(mpi.x.SubmitRequest(submission=mpi.x.Submission(message=message))
                  .SerializeToString())
    with open(f"{WORK}/kept.receipt", "wb") as out:
        out.write(receipt.SerializeToString())
    print(f"10_exchange.py: {passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
