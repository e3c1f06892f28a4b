#!/usr/bin/env python3
"""simulator - stands for a prosecutor's office; shares no code with the adapter.

    simulator.py --port N --cert PEM --key PEM --ca PEM --schema XSD --state FILE
                 [--fault NAME]... [--habit NAME]... [--referrals N] [--agenda FILE] [--book FILE]

Takes Requests over HTTPS with client certificates, checks each with `xmllint --schema`, acknowledges
it, and does what is asked: ACEPTADA, CARPETA_ABIERTA with a synthetic case number, ACTUACION as often
as asked (with an agenda, as that says: simulated/year.py), CONCLUIDA. Everything in it is synthetic.

Faults, each once and in this order: of an answer to a Request slow, 500, 503, other-message,
lost-answer; of a StatusList wrong-answer, cut, doctype, bomb, no-zone, foreign (another agency's
exchange), again (the same statuses once more). Habits last: forgetful (what comes again is new),
trusting (takes what it cannot read), backwards (the end before the rest), skips (numbers from 2),
invented (a state of no table).
"""
import argparse
import datetime
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "simulated"))
from year import Year, add_arguments  # noqa: E402 (its own folder)

SPACE = "urn:enlace:procuracion:1"
ET.register_namespace("", SPACE)


def q(name):
    return f"{{{SPACE}}}{name}"


def now():
    zone = datetime.timezone(datetime.timedelta(hours=-6))
    return datetime.datetime.now(zone).isoformat(timespec="seconds")


def element(parent, name, text):
    child = ET.SubElement(parent, q(name))
    child.text = str(text)
    return child


class Office:
    def __init__(self, options):
        self.options = options
        self.faults = list(options.fault)
        self.year = Year(options)
        self.lock = threading.Lock()
        self.state = {"requests": {}, "statuses": [], "seen": {}, "referrals": options.referrals}
        if os.path.exists(options.state):
            with open(options.state, encoding="utf-8") as file:
                self.state = json.load(file)
        self.state["referrals"] = options.referrals

    def save(self):
        with open(self.options.state + ".part", "w", encoding="utf-8") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.options.state + ".part", self.options.state)

    def fault(self, *names):
        with self.lock:
            if self.faults and self.faults[0] in names:
                return self.faults.pop(0)
        return ""

    def is_valid(self, document):
        if b"<!DOCTYPE" in document:
            return False
        return subprocess.run(["xmllint", "--noout", "--nonet", "--schema", self.options.schema, "-"],
                              input=document, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def take(self, document):
        """The acknowledgement, and whether it was known already."""
        if not self.is_valid(document):
            if "trusting" in self.options.habit:
                return b"<Acknowledgement/>", False
            return None, False
        root = ET.fromstring(document)
        message = root.findtext(q("MessageIdentification"))
        exchange = root.findtext(q("ActivityIdentification"))
        with self.lock:
            known = message in self.state["requests"] and "forgetful" not in self.options.habit
            self.state["seen"][message] = self.state["seen"].get(message, 0) + 1
            if not known:
                number = sum(self.state["seen"].values())
                self.state["requests"][message] = f"FGJ/{number:05d}/2026"
                if root.findtext(q("ActivityCategory")) in ("SOLICITUD", "CANALIZACION"):
                    self.plan(exchange, root, number)
                self.save()
            answer = ET.Element(q("Acknowledgement"))
            element(answer, "MessageIdentification", message)
            element(answer, "ReferenceIdentification", self.state["requests"][message])
        return ET.tostring(answer), known

    def plan(self, exchange, root, number):
        case = f"CI-FCH/CUH-8/UI-2 S/D/{number:05d}/08-2019"
        habit = self.options.habit
        for service in root.findall(q("Service")):
            begin = len(self.state["statuses"])
            item = service.findtext(q("ServiceNumber"))
            days = self.year.days(exchange, item, int(service.findtext(q("ServiceCount")) or 1))
            self.state["statuses"] += [[exchange, item, "ACEPTADA", "", "", ""],
                                       [exchange, item, "CARPETA_ABIERTA", "", case, ""]]
            self.state["statuses"] += [[exchange, item, "ACTUACION", str(n + ("skips" in habit)), "",
                                        day.isoformat(timespec="seconds")] for n, day in enumerate(days, 1)]
            self.state["statuses"].append([exchange, item, "CONCLUIDA", "", "", ""])
            self.year.did([(exchange, item, n, day, service.findtext(q("ServiceCode")) or "")
                           for n, day in enumerate(days, 1)])
            if "backwards" in habit:
                self.state["statuses"][begin:] = self.state["statuses"][:begin - 1:-1] if begin \
                    else self.state["statuses"][::-1]
            if "invented" in habit:
                self.state["statuses"].append([exchange, item, "INVENTADO", "", "", ""])

    def statuses(self, since):
        root = ET.Element(q("StatusList"))
        with self.lock:
            rows = self.state["statuses"][since:since + 500]
            root.set("next", str(since + len(rows)))
            for exchange, item, state, occurrence, case, day in rows:
                one = ET.SubElement(root, q("Status"))
                element(one, "ActivityIdentification", exchange)
                element(one, "ServiceNumber", item)
                element(one, "ActivityStatus", state)
                element(one, "ActivityDate", day or now())
                if occurrence:
                    element(one, "Occurrence", occurrence)
                if case:
                    element(one, "CaseNumber", case)
                    element(one, "CaseOrganization", "Fiscalía sintética")
            for number in range(1, self.state["referrals"] + 1):
                one = ET.SubElement(root, q("Referral"))
                element(one, "ReferenceIdentification", f"OFICIO/{number}")
                element(one, "PersonIdentification", f"VICTIMA-{number}")
                element(one, "PersonFullName", f"Persona Sintética {number}")
                self.year.referred(f"OFICIO/{number}")
        return root

    def list(self, since):
        root = self.statuses(since)
        fault = self.fault("doctype", "bomb", "no-zone", "foreign", "again", "cut", "wrong-answer")
        if fault == "again":
            return ET.tostring(self.statuses(0))
        if fault == "foreign":
            one = ET.Element(q("Status"))
            root.insert(0, one)  # what comes after it may have to wait, and be asked for again
            element(one, "ActivityIdentification", "01a20aa3-5d07-729e-8954-c0eb93321bef")
            element(one, "ServiceNumber", 1)
            element(one, "ActivityStatus", "ACEPTADA")
            element(one, "ActivityDate", now())
        text = ET.tostring(root)
        if fault == "doctype":
            return b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + text
        if fault == "bomb":
            return b"<a>" * 100000 + b"</a>" * 100000
        if fault == "no-zone":
            return text.replace(b"-06:00<", b"<") if b"-06:00<" in text else b"<Status/>"
        if fault == "cut":
            return text[:len(text) // 2]
        if fault == "wrong-answer":
            return b'{"ok": true}'
        return text


def handler(office):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, body=b""):
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            document = self.rfile.read(int(self.headers["Content-Length"]))
            fault = office.fault("slow", "500", "503", "other-message", "lost-answer")
            if fault == "slow":
                time.sleep(3)
            if fault in ("500", "503"):
                return self.reply(int(fault))
            answer, known = office.take(document)
            if answer is None:
                return self.reply(422)
            if fault == "lost-answer":
                self.connection.close()
                return None
            if fault == "other-message":
                answer = answer.replace(b"MessageIdentification>0", b"MessageIdentification>f")
            return self.reply(409 if known else 201, answer)

        def do_GET(self):
            since = int(self.path.partition("since=")[2] or 0)
            self.reply(200, office.list(since))

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for name in ("cert", "key", "ca", "schema", "state"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--referrals", type=int, default=0)
    add_arguments(parser)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler(Office(options)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(options.cert, options.key)
    context.load_verify_locations(options.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("simulator.ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
