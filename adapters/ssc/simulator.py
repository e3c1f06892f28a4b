#!/usr/bin/env python3
"""simulator - stands for a police or emergency centre; shares no code with the adapter.

    simulator.py --port N --cert PEM --key PEM --ca PEM --schema XSD --detail-schema XSD --state FILE
                 --adapter PORT --client-cert PEM --client-key PEM --other-cert PEM --other-key PEM
                 [--fault NAME]... [--habit NAME]... [--referrals N] [--idle] [--agenda FILE] [--book FILE]

Takes alerts over HTTPS with client certificates, checks each with `xmllint --schema`, answers Ack,
pulls the detail with its token, and posts Updates: ACEPTADA, EN_VIGOR, REALIZADA as often as the
detail asks (with an agenda, as that says: simulated/year.py), TERMINADA. --idle only acknowledges.
Everything in it is synthetic.

Faults, each once. Of its answers: slow, 500, wrong-answer, half, lost-answer, other-alert, error. Of
what it posts and pulls: duplicate-ack, pull-twice, pull-other, bad-token, foreign, no-officer,
no-zone, doctype, bomb.

Habits, always: forgetful, trusting, backwards, skips, invented, gives-up, blind, greedy, talkative.
"""
import argparse
import datetime
import hashlib
import http.client
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "simulated"))
from year import Year, add_arguments  # noqa: E402 (its own folder)

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
DETAIL = "urn:enlace:detalle:1"
ET.register_namespace("", CAP)


def now():
    zone = datetime.timezone(datetime.timedelta(hours=-6))
    return datetime.datetime.now(zone).isoformat(timespec="seconds")


def put(parent, name, text):
    child = ET.SubElement(parent, f"{{{CAP}}}{name}")
    child.text = str(text)


def text_of(node, name):
    return node.findtext(f"{{{CAP}}}{name}") or ""


def parameters(info):
    return {text_of(p, "valueName"): text_of(p, "value") for p in info.findall(f"{{{CAP}}}parameter")}


def is_valid(document, schema):
    return subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema, "-"], input=document,
                          check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


class Centre:
    def __init__(self, options):
        self.options = options
        self.faults = list(options.fault)
        self.year = Year(options)
        self.line = None
        self.lock = threading.Lock()
        self.state = {"alerts": {}, "acks": {}, "work": [], "done": 0, "pulls": [], "refused": []}
        if os.path.exists(options.state):
            with open(options.state, encoding="utf-8") as file:
                self.state = json.load(file)

    def save(self):
        with open(self.options.state + ".part", "w", encoding="utf-8") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.options.state + ".part", self.options.state)

    def fault(self, *names):
        with self.lock:
            for name in self.faults:
                if name in names:
                    self.faults.remove(name)
                    return name
        return ""

    # ---- what comes ----

    def answer(self, kind, alert):
        ack = ET.Element(f"{{{CAP}}}alert")
        identifier = text_of(alert, "identifier")
        put(ack, "identifier", self.state["acks"].setdefault(identifier, str(uuid.uuid4())))
        put(ack, "sender", text_of(alert, "addresses"))
        put(ack, "sent", now())
        put(ack, "status", text_of(alert, "status"))
        put(ack, "msgType", kind)
        put(ack, "scope", "Private")
        put(ack, "addresses", text_of(alert, "sender"))
        put(ack, "references", f'{text_of(alert, "sender")},{identifier},{text_of(alert, "sent")}')
        put(ack, "incidents", text_of(alert, "incidents"))
        return ack

    def take(self, document):
        good = b"<!DOCTYPE" not in document and is_valid(document, self.options.schema)
        if not good and "trusting" not in self.options.habit:
            return None
        try:
            alert = ET.fromstring(document)
        except ET.ParseError:
            return ET.tostring(ET.Element(f"{{{CAP}}}alert"))
        kind = "Error" if text_of(alert, "msgType") == "Alert" and self.fault("error") else "Ack"
        with self.lock:
            identifier = text_of(alert, "identifier")
            known = identifier in self.state["alerts"]
            if known and "forgetful" in self.options.habit:
                del self.state["acks"][identifier]
                known = False
            if known and self.state["alerts"][identifier] != document.decode():
                return None  # one identifier, one alert
            if not known:
                self.state["alerts"][identifier] = document.decode()
                if kind == "Ack" and text_of(alert, "msgType") == "Alert" and not self.options.idle:
                    self.state["work"].append(identifier)
            answer = ET.tostring(self.answer(kind, alert))
            self.save()
        return answer

    # ---- what goes back ----

    def call(self, method, path, body=None, headers=None, other=False):
        line = None if other else self.line
        try:
            line = line or self.new_line(other)
            line.request(method, path, body=body, headers=headers or {})
            reply = line.getresponse()
            answer = reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            self.line = None
            raise
        self.line = self.line if other else line
        return answer

    def new_line(self, other):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.options.ca)
        names = ("other_cert", "other_key") if other else ("client_cert", "client_key")
        context.load_cert_chain(*(getattr(self.options, name) for name in names))
        return http.client.HTTPSConnection("127.0.0.1", self.options.adapter, timeout=10, context=context)

    def pull(self, token, other=False):
        status, body = self.call("GET", f"/detail/{token}", headers={"Enlace-Officer": "PLACA-0451"},
                                 other=other)
        with self.lock:
            self.state["pulls"].append([status, hashlib.sha256(body).hexdigest(), "other" if other else ""])
        return status, body

    def update(self, alert, event, item, occurrence="", officer="PLACA-0451", onset=""):
        root = self.answer("Update", alert)
        root[0].text = str(uuid.uuid4())
        info = ET.SubElement(root, f"{{{CAP}}}info")
        for name, text in (("language", "es-MX"), ("category", "Security"), ("event", event),
                           ("urgency", "Past"), ("severity", "Unknown"), ("certainty", "Unknown")):
            put(info, name, text)
        if onset:
            put(info, "onset", onset)
        for name, text in (("medida", item), ("ocurrencia", occurrence), ("oficial", officer)):
            if text:
                parameter = ET.SubElement(info, f"{{{CAP}}}parameter")
                put(parameter, "valueName", name)
                put(parameter, "value", text)
        return root

    def post(self, document):
        status, body = self.call("POST", "/alerts", document, {"Content-Type": "application/cap+xml"})
        if status == 422:
            with self.lock:
                self.state["refused"].append(body.decode().splitlines()[0])
        return status

    def must_post(self, document):
        """Again until it is taken or refused."""
        while self.post(document) not in (200, 422) and "gives-up" not in self.options.habit:
            time.sleep(0.2)

    def detail_counts(self, alert):
        """Pulls the detail; how often each item is to be done."""
        infos = alert.findall(f"{{{CAP}}}info")
        token = parameters(infos[0]).get("detalle", "") if infos else ""
        counts = {parameters(info).get("medida", "1"): 1 for info in infos}
        if not token or "blind" in self.options.habit:
            return counts
        if self.fault("bad-token"):
            self.pull(token[:-1] + ("0" if token[-1] != "0" else "1"))
        status, body = self.pull(token)
        if status == 200 and is_valid(body, self.options.detail_schema):
            for measure in ET.fromstring(body).findall(f"{{{DETAIL}}}Medida"):
                counts[measure.findtext(f"{{{DETAIL}}}Numero")] = int(
                    measure.findtext(f"{{{DETAIL}}}Veces") or 1)
        if "greedy" in self.options.habit:
            self.pull(token)
            self.pull(token)
        if self.fault("pull-twice"):
            self.pull(token)
        if self.fault("pull-other"):
            self.pull(token, other=True)
        return counts

    def misbehave(self, alert):
        if self.fault("foreign"):
            root = self.update(alert, "ACEPTADA", "1")
            root.find(f"{{{CAP}}}incidents").text = "01a20aa3-5d07-729e-8954-c0eb93321bef"
            self.post(ET.tostring(root))
        if self.fault("no-officer"):
            self.post(ET.tostring(self.update(alert, "ACEPTADA", "1", officer="")))
        if self.fault("no-zone"):
            self.post(ET.tostring(self.update(alert, "ACEPTADA", "1")).replace(b"-06:00</", b"Z</"))
        if self.fault("doctype"):
            self.post(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
                      + ET.tostring(self.update(alert, "ACEPTADA", "1")))
        if self.fault("bomb"):
            self.post(b"<a>" * 8000 + b"</a>" * 8000)
        if self.fault("duplicate-ack"):
            self.post(ET.tostring(self.answer("Ack", alert)))
            self.post(ET.tostring(self.answer("Ack", alert)))

    def work(self, identifier):
        alert = ET.fromstring(self.state["alerts"][identifier])
        counts = self.detail_counts(alert)
        self.misbehave(alert)
        codes = {parameters(info).get("medida", "1"): info.findtext(f"{{{CAP}}}eventCode/{{{CAP}}}value")
                 for info in alert.findall(f"{{{CAP}}}info")}
        folio = text_of(alert, "incidents")
        for item, count in counts.items():
            days = self.year.days(folio, item, count)
            steps = [("ACEPTADA", "", ""), ("EN_VIGOR", "", "")]
            steps += [("REALIZADA", str(n), day.isoformat(timespec="seconds")) for n, day in enumerate(days, 1)]
            self.year.did([(folio, item, n, day, codes.get(item) or "") for n, day in enumerate(days, 1)])
            habits = self.options.habit
            if "backwards" in habits:
                steps[0], steps[1] = steps[1], steps[0]
            if "skips" in habits:
                del steps[2]
            if "invented" in habits:
                steps.insert(1, ("QUIEN_SABE", "", ""))
            for event, occurrence, onset in steps + [("TERMINADA", "", "")]:
                self.must_post(ET.tostring(self.update(alert, event, item, occurrence, onset=onset)))
            if "talkative" in habits:
                note = self.update(alert, "REALIZADA", item, "9", officer="CANARIO-SINTETICO")
                self.post(ET.tostring(note))

    def referral(self, number):
        root = ET.Element(f"{{{CAP}}}alert")
        for name, text in (("identifier", str(uuid.uuid4())), ("sender", "centro.sintetico"), ("sent", now()),
                           ("status", "Exercise"), ("msgType", "Alert"), ("scope", "Private"),
                           ("addresses", "enlace.cdmx"), ("incidents", f"PARTE/{number}")):
            put(root, name, text)
        info = ET.SubElement(root, f"{{{CAP}}}info")
        for name, text in (("language", "es-MX"), ("category", "Security"), ("event", "CANALIZACION"),
                           ("urgency", "Expected"), ("severity", "Unknown"), ("certainty", "Unknown")):
            put(info, name, text)
        parameter = ET.SubElement(info, f"{{{CAP}}}parameter")
        put(parameter, "valueName", "persona")
        put(parameter, "value", f"EXPEDIENTE-{number}")
        return ET.tostring(root)

    def run(self):
        for number in range(1, self.options.referrals + 1):
            while True:
                try:
                    self.must_post(self.referral(number))
                    self.must_post(self.referral(number))
                    self.year.referred(f"PARTE/{number}")
                    break
                except (OSError, http.client.HTTPException):
                    time.sleep(0.2)
        while True:
            with self.lock:
                work = self.state["work"][self.state["done"]:]
            for identifier in work:
                try:
                    self.work(identifier)
                except (OSError, http.client.HTTPException):
                    break  # the adapter is away: the same once more
                with self.lock:
                    self.state["done"] += 1
                    self.save()
            time.sleep(0.2)


def handler(centre):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, body=b""):
            self.send_response(status)
            self.send_header("Content-Type", "application/cap+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            document = self.rfile.read(int(self.headers["Content-Length"]))
            fault = centre.fault("slow", "500", "wrong-answer", "half", "lost-answer", "other-alert")
            if fault == "slow":
                time.sleep(3)
            if fault == "500":
                return self.reply(500)
            if self.headers["Content-Type"] != "application/cap+xml":
                return self.reply(415)
            answer = centre.take(document)
            if answer is None:
                return self.reply(422)
            if fault == "lost-answer":
                self.connection.close()
                return None
            if fault == "half":
                answer = answer[:len(answer) // 2]
            if fault == "wrong-answer":
                answer = b'{"ok": true}'
            if fault == "other-alert":
                answer = answer.replace(b",0", b",f")
            return self.reply(200, answer)

    return Handler


def main():
    parser = argparse.ArgumentParser()
    for name in ("port", "adapter"):
        parser.add_argument("--" + name, type=int, required=True)
    for name in ("cert", "key", "ca", "schema", "detail-schema", "state", "client-cert", "client-key",
                 "other-cert", "other-key"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--referrals", type=int, default=0)
    parser.add_argument("--idle", action="store_true")
    add_arguments(parser)
    options = parser.parse_args()
    centre = Centre(options)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler(centre))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(options.cert, options.key)
    context.load_verify_locations(options.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=centre.run, daemon=True).start()
    print("simulator.ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
