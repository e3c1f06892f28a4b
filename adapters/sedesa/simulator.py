#!/usr/bin/env python3
"""simulator - stands for a hospital's FHIR R4 server; shares no code with the adapter.

    simulator.py --port N --cert PEM --key PEM --ca PEM --state FOLDER
                 [--fault NAME]... [--habit NAME]... [--referrals N] [--page N] [--agenda FILE]
                 [--book FILE]

Answers from fixtures/: transactions with conditional create and update, searches with pages. What is
asked is done: odd ones step by step (aceptada, en-vigor, one session at a time, terminada), even ones
all at once; with an agenda, as often and when it says (simulated/year.py). Each transaction that comes
is kept in FOLDER/posted for the validators. All is synthetic.

Faults, each once, in the order given for each kind of call: other-version (of /metadata); slow, 500,
503, throttled, invalid, lost-answer, half, wrong-answer, too-few (of a transaction); duplicate-keys,
huge-number, bomb, other-type, no-zone, foreign, twice, elsewhere, half-page (of a search of Tasks).

Habits, always: forgetful, trusting, backwards, skips, invented, contrary.
"""
import argparse
import copy
import datetime
import http.server
import json
import os
import pathlib
import re
import ssl
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "simulated"))
from year import Year, add_arguments  # noqa: E402 (its own folder)

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
OURS = "urn:enlace:encargo"
ZONED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def fixture(name):
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def now():
    zone = datetime.timezone(datetime.timedelta(hours=-6))
    return datetime.datetime.now(zone).isoformat(timespec="milliseconds")


class Refused(Exception):
    pass


class Hospital:
    def __init__(self, options):
        self.options = options
        self.faults = list(options.fault)
        self.year = Year(options)
        self.lock = threading.Lock()
        self.folder = pathlib.Path(options.state)
        (self.folder / "posted").mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "state.json"
        self.store = {"resources": {}, "next": 1, "posts": 0}
        if self.file.exists():
            self.store = json.loads(self.file.read_text(encoding="utf-8"))
        for number in range(1, options.referrals + 1):
            self.refer(number)

    def save(self):
        part = self.file.with_suffix(".part")
        with open(part, "w", encoding="utf-8") as file:
            json.dump(self.store, file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.file)

    def fault(self, *names):
        with self.lock:
            for fault in self.faults:
                if fault in names:
                    self.faults.remove(fault)
                    return fault
        return ""

    # ---- the store ----

    def put(self, resource, key=None):
        version = 1
        if key is None:
            key = f"{resource['resourceType']}/{self.store['next']}"
            self.store["next"] += 1
        elif key in self.store["resources"]:
            version = int(self.store["resources"][key]["meta"]["versionId"]) + 1
        resource["id"] = key.split("/")[1]
        resource.setdefault("meta", {}).update(versionId=str(version), lastUpdated=now())
        self.store["resources"][key] = resource
        return key

    def find(self, kind, query):
        name, _, token = query.partition("=")
        system, _, value = token.partition("|")
        if name != "identifier" or not system or not value:
            raise Refused("a condition without an identifier")
        return [key for key, one in self.store["resources"].items() if one["resourceType"] == kind
                and {"system": system, "value": value} in one.get("identifier", [])]

    def transaction(self, bundle):
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
            raise Refused("no transaction")
        names, answers, made = {}, [], []
        for entry in bundle["entry"]:
            resource, request = copy.deepcopy(entry["resource"]), entry["request"]
            kind = resource["resourceType"]
            if resource["meta"]["security"][0]["code"] != "V":
                raise Refused("not very restricted")
            if request["method"] == "PUT":
                query = request["url"].partition("?")[2]
            else:
                query = request["ifNoneExist"]
            found = self.find(kind, query)
            if "forgetful" in self.options.habit:
                found = []
            if len(found) > 1:
                raise Refused("several")
            if found and request["method"] == "POST":
                key, status = found[0], "200 OK"
            else:
                key = self.put(resource, found[0] if found else None)
                status = "200 OK" if found else "201 Created"
                made.append(key)
            names[entry["fullUrl"]] = key
            answers.append({"response": {
                "status": status, "location": f"{key}/_history/1", "lastModified": now()}})
        for key in made:
            text = json.dumps(self.store["resources"][key])
            for name, target in names.items():
                text = text.replace(f'"{name}"', f'"{target}"')
            if "urn:uuid:" in text and "trusting" not in self.options.habit:
                raise Refused("a reference to nothing")
            self.check(json.loads(text))
            self.store["resources"][key] = json.loads(text)
        self.save()
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    @staticmethod
    def check(resource):
        for name in ("authoredOn", "lastModified"):
            if name in resource and not ZONED.match(resource[name]):
                raise Refused(name)
        if resource["resourceType"] == "Task" and "focus" not in resource \
                and "groupIdentifier" not in resource:
            raise Refused("focus")

    # ---- what the hospital does ----

    def session(self, day):
        one = copy.deepcopy(fixture("task.json")["output"][0])
        one["valueDateTime"] = day.isoformat(timespec="milliseconds")
        return one

    def sessions_of(self, task, request):
        """One for each time that it is to be done; and in the hospital's own book, those that are."""
        repeat = request.get("occurrenceTiming", {}).get("repeat", {})
        folio, item = task["identifier"][0]["value"].split("/")
        days = self.year.days(folio, item, repeat.get("frequency") or repeat.get("count") or 1)
        code = request["code"]["coding"][0]["code"]
        return [self.session(day) for day in days], \
            [(folio, item, n, day, code) for n, day in enumerate(days, 1)]

    def step(self, task, state):
        statuses = {"aceptada": "accepted", "en-vigor": "in-progress", "terminada": "completed"}
        task["status"] = statuses[state]
        task["businessStatus"] = copy.deepcopy(fixture("task.json")["businessStatus"])
        task["businessStatus"]["coding"][0]["code"] = state
        if "invented" in self.options.habit:
            task["businessStatus"]["coding"][0]["code"] = "quien-sabe"
        if "contrary" in self.options.habit and state == "aceptada":
            task["status"] = "completed"
        task["lastModified"] = now()
        if state == "en-vigor":
            task["executionPeriod"] = {"start": now()}
        if state == "terminada":
            task.setdefault("executionPeriod", {"start": now()})["end"] = now()
            task.setdefault("output", []).append(copy.deepcopy(fixture("task.json")["output"][1]))

    def work(self):
        done_now = []
        for key, task in list(self.store["resources"].items()):
            if task["resourceType"] != "Task" or task["status"] == "completed" \
                    or "/" not in task["identifier"][0]["value"] \
                    or not task["focus"].get("reference", "").startswith("ServiceRequest/"):
                continue
            request = self.store["resources"][task["focus"]["reference"]]
            if request["identifier"][0]["system"] != OURS:
                continue
            sessions, entries = self.sessions_of(task, request)
            if "skips" in self.options.habit:
                sessions, entries = sessions[1:], entries[1:]
            done = len(task.get("output", []))
            if int(task["id"]) % 2 == 0:
                done_now += entries
                task["output"] = sessions
                self.step(task, "terminada")
            elif task["status"] == "requested":
                self.step(task, "aceptada")
            elif task["status"] == "accepted":
                self.step(task, "en-vigor")
            elif "backwards" in self.options.habit and done == 1 and len(sessions) > 1:
                task["output"] = []
                self.step(task, "aceptada")
            elif done < len(sessions):
                done_now.append(entries[done])
                task.setdefault("output", []).append(sessions[done])
            else:
                self.step(task, "terminada")
            self.put(task, key)
        self.year.did(done_now)

    def refer(self, number):
        patient, request = fixture("patient.json"), fixture("referral.json")
        if f"ServiceRequest/r{number}" in self.store["resources"]:
            return
        patient["identifier"][0]["value"] = f"SINTETICO-{number}"
        patient["name"][0]["text"] = f"Persona Sintética {number}"
        request["identifier"][0]["value"] = f"SOLICITUD-{number}"
        request["subject"]["reference"] = f"Patient/r{number}"
        self.year.referred(f"SOLICITUD-{number}")
        self.put(patient, f"Patient/r{number}")
        self.put(request, f"ServiceRequest/r{number}")

    # ---- searches ----

    def search(self, kind, query):
        with self.lock:
            if kind == "Task":
                self.work()
                self.save()
            since = query.get("_lastUpdated", "ge")[2:]
            if since and not ZONED.match(since):
                raise Refused("_lastUpdated")
            found = [copy.deepcopy(one) for one in self.store["resources"].values()
                     if one["resourceType"] == kind and one["meta"]["lastUpdated"] >= since]
            if kind == "Task":
                found = [one for one in found if one["identifier"][0]["system"] == OURS]
            else:
                found = [one for one in found if one["identifier"][0]["system"] != OURS]
        found.sort(key=lambda one: one["meta"]["lastUpdated"])
        size, offset = self.options.page, int(query.get("_offset", 0))
        page = found[offset:offset + size]
        entries = [{"fullUrl": f"{self.base()}/{one['resourceType']}/{one['id']}", "resource": one,
                    "search": {"mode": "match"}} for one in page]
        for one in page if "_include" in query else []:
            patient = self.store["resources"][one["subject"]["reference"]]
            entries.append({"fullUrl": f"{self.base()}/Patient/{patient['id']}",
                            "resource": patient, "search": {"mode": "include"}})
        answer = {"resourceType": "Bundle", "type": "searchset", "total": len(found),
                  "link": [{"relation": "self", "url": f"{self.base()}/{kind}"}]}
        if entries:
            answer["entry"] = entries
        if offset + size < len(found):
            more = urllib.parse.urlencode({**query, "_offset": offset + size})
            answer["link"].append({"relation": "next", "url": f"{self.base()}/{kind}?{more}"})
        return answer

    def base(self):
        return f"https://127.0.0.1:{self.options.port}/fhir"

    def tasks(self, query):
        answer = self.search("Task", query)
        fault = self.fault("duplicate-keys", "huge-number", "bomb", "other-type", "no-zone",
                           "foreign", "twice", "elsewhere", "half-page")
        entries = answer.setdefault("entry", [])
        if fault in ("foreign", "no-zone"):
            one = fixture("task.json")
            if fault == "no-zone":
                one["lastModified"] = "2026-11-23T12:00:00"
                one["identifier"][0]["value"] = one["identifier"][0]["value"].replace("/1", "/2")
            entries.append({"resource": one})
        if fault == "twice":
            entries += copy.deepcopy(entries)
        if fault == "elsewhere":
            answer["link"].append({"relation": "next", "url": "https://elsewhere.example/Task"})
        if not entries:
            del answer["entry"]
        text = json.dumps(answer, ensure_ascii=False).encode()
        if fault == "duplicate-keys":
            return text[:-1] + b', "type": "searchset"}'
        if fault == "huge-number":
            return text[:-1] + b', "total_": 1e400}'
        if fault == "bomb":
            return b'{"resourceType":' + b"[" * 100000
        if fault == "other-type":
            return json.dumps(fixture("patient.json")).encode()
        return text[:len(text) // 2] if fault == "half-page" else text


def handler(hospital):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, body):
            if not isinstance(body, bytes):
                body = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def refuse(self, why):
            outcome = fixture("outcome-invalid.json")
            outcome["issue"][1]["diagnostics"] = str(why)
            print("refused:", why, flush=True)
            return self.reply(422, outcome)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/fhir" or self.headers["Content-Type"] != "application/fhir+json":
                return self.refuse("address or type")
            fault = hospital.fault("slow", "500", "503", "throttled", "invalid", "lost-answer",
                                   "half", "wrong-answer", "too-few")
            if fault == "slow":
                time.sleep(3)
            if fault in ("500", "503"):
                return self.reply(int(fault), b"<html>no</html>")
            if fault == "throttled":
                return self.reply(400, fixture("outcome-throttled.json"))
            if fault == "invalid":
                return self.reply(422, fixture("outcome-invalid.json"))
            with hospital.lock:
                hospital.store["posts"] += 1
                name = hospital.folder / "posted" / f"{hospital.store['posts']:04d}.json"
                name.write_bytes(body)
                before = copy.deepcopy(hospital.store)
                try:
                    answer = hospital.transaction(json.loads(body))
                except (Refused, KeyError, IndexError, ValueError) as error:
                    hospital.store = before
                    return self.refuse(repr(error))
            if fault == "lost-answer":
                self.close_connection = True
                return self.connection.close()
            if fault == "wrong-answer":
                return self.reply(200, {"ok": True})
            if fault == "too-few":
                answer["entry"].pop()
            text = json.dumps(answer).encode()
            return self.reply(200, text[:len(text) // 2] if fault == "half" else text)

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            if url.path == "/fhir/metadata":
                capability = fixture("capability.json")
                if hospital.fault("other-version"):
                    capability["fhirVersion"] = "5.0.0"
                return self.reply(200, capability)
            try:
                if url.path == "/fhir/Task":
                    return self.reply(200, hospital.tasks(query))
                if url.path == "/fhir/ServiceRequest":
                    return self.reply(200, hospital.search("ServiceRequest", query))
            except Refused as error:
                return self.refuse(repr(error))
            return self.reply(404, {})

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for name in ("cert", "key", "ca", "state"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--referrals", type=int, default=0)
    parser.add_argument("--page", type=int, default=2)
    add_arguments(parser)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port),
                                             handler(Hospital(options)))
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
