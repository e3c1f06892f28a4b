#!/usr/bin/env python3
"""simulator - stands for a liaison officer with a folder, a scanner and a certificate; shares no code
with the adapter.

    simulator.py --from FOLDER --to FOLDER --cert PEM --key PEM --system PEM --state FILE
                 [--fault NAME]... [--habit NAME]... [--referrals N] [--once]

Each oficio that is complete (its .p7s is there) is checked by openssl, read off its pages with pdftotext,
its code off a picture of them with pdftoppm and zbarimg; both must say the same. Then the form that lies
beside it is filled: RECIBIDO, ACEPTADA and EN_VIGOR, once for each time REALIZADA, TERMINADA; after an
oficio that does not recognise a measure, EN_VIGOR and TERMINADA anew. All is synthetic.

Faults, all of them before the answer to the next oficio: wrong-folio, wrong-key, unsigned, other-signer, half,
changed, twice, no-state, unknown-state, unknown-item, formula,
bom.
Habits, always: no-custody, silent, forgetful, refuses, backwards, trusting.
"""
import argparse
import datetime
import json
import os
import re
import subprocess
import tempfile
import time

STATES = ("ACEPTADA", "EN_VIGOR")


def run(*words, data=None):
    return subprocess.run(words, input=data, check=False, capture_output=True)


class Officer:
    def __init__(self, options):
        self.options = options
        self.faults = list(options.fault)
        self.state = {"seen": {}, "refused": [], "bad": [], "answers": {}, "referred": 0}
        if os.path.exists(options.state):
            with open(options.state, encoding="utf-8") as file:
                self.state = json.load(file)

    def save(self):
        with open(self.options.state + ".part", "w", encoding="utf-8") as file:
            json.dump(self.state, file, ensure_ascii=False, indent=1)
        os.replace(self.options.state + ".part", self.options.state)

    # ---- reading ----

    def is_signed(self, path):
        return run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path + ".p7s",
                   "-content", path, "-certfile", self.options.system, "-noverify", "-out",
                   "/dev/null").returncode == 0

    @staticmethod
    def scan(path):
        """The text of the code, off a picture of the pages."""
        with tempfile.TemporaryDirectory() as work:
            run("pdftoppm", "-r", "150", "-gray", path, f"{work}/page")
            for page in sorted(os.listdir(work), reverse=True):
                text = run("zbarimg", "-q", "--raw", f"{work}/{page}").stdout.decode()
                if text:
                    return dict(line.split(" ", 1) for line in text.strip().split("\n"))
        return {}

    def read(self, name):
        path = os.path.join(self.options.source, name)
        words = run("pdftotext", "-layout", path, "-").stdout.decode()
        code = self.scan(path)
        folio = re.search(r"Oficio (\S+)\n", words)
        due = re.search(r"Plazo\s+(\d+) de (\w+) de (\d+), (\d\d:\d\d) horas", words)
        page = {"folio": folio[1] if folio else "", "code": code, "signed": self.is_signed(path),
                "due": due.groups() if due else None, "asunto": "",
                "times": max([int(n) for n in re.findall(r"\s(\d+) por \w+", words)] or [1]),
                "items": [int(n) for n in re.findall(r"^ ?(\d+)\s+\S.*-[A-Z]+", words, re.M)]}
        subject = re.search(r"Asunto: (.*)\n", words)
        page["asunto"] = subject[1].strip() if subject else ""
        again = re.search(r"oficio (\S+/\d+)", page["asunto"])
        page["first"] = again[1] if again else page["folio"]
        page["same"] = code.get("folio") == page["folio"] and page["signed"]
        if due and code.get("due", "-") != "-":
            page["same"] = page["same"] and code["due"][11:16] == due[4] \
                and int(code["due"][8:10]) == int(due[1])
        return page

    # ---- answering ----

    def sign(self, path, key=None, cert=None):
        run("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in", path,
            "-out", path + ".p7s.part", "-signer", cert or self.options.cert, "-inkey",
            key or self.options.key)

    def put(self, name, text, fault=""):
        path = os.path.join(self.options.target, name)
        data = text.encode()
        if fault == "bom":
            data = b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
        with open(path + ".part", "wb") as file:
            file.write(data[:len(data) // 2] if fault == "half" else data)
        if fault == "half":
            with open(path, "wb") as file:
                file.write(data)
            self.sign(path)
            os.rename(path + ".part", path)
        else:
            os.rename(path + ".part", path)
            if fault == "unsigned":
                return
            if fault == "other-signer":
                with tempfile.TemporaryDirectory() as work:
                    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x", "-keyout",
                        f"{work}/k", "-out", f"{work}/c")
                    self.sign(path, f"{work}/k", f"{work}/c")
            else:
                self.sign(path)
        if fault == "changed":
            with open(path, "ab") as file:
                file.write(b"# una palabra\n")
        os.rename(path + ".p7s.part", path + ".p7s")

    @staticmethod
    def head(page):
        code = page["code"]
        return (f"formato: enlace-acuse 1\noficio: {page['folio']}\nclave: {code['message']}\n"
                f"intercambio: {code['exchange']}\n")

    @staticmethod
    def step(state, item, occurrence=""):
        now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=-6)))
        return (f"estado: {state}\nmedida: {item}\nfecha: {now.isoformat(timespec='seconds')}\n"
                f"ocurrencia: {occurrence}\nmotivo:\ncompetente:\n")

    def answer(self, name, page):
        """All that there is to say of an oficio, in one form."""
        habits = self.options.habit
        items = page["items"] or [1]
        text = self.head(page) + "estado: RECIBIDO\n"
        if "no-custody" in habits:
            return
        if "refuses" in habits:
            text = self.head(page) + "estado: NO_RECIBIDO\nmotivo: no somos competentes\n"
        elif "silent" not in habits:
            for item in items:
                for state in reversed(STATES) if "backwards" in habits else STATES:
                    text += self.step(state, item)
                for number in range(1, page["times"] + 1):
                    text += self.step("REALIZADA", item, number)
            text += "estado: TERMINADA\n"
        self.say(name, page, text)

    def say(self, name, page, text):
        base = name[:-4]
        broken = {"wrong-folio": text.replace(page["folio"], "CEAVI/2026/999999"),
                  "wrong-key": text.replace(page["code"]["message"],
                                            "0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11"),
                  "no-state": text.split("estado:")[0],
                  "unknown-state": text + "estado: QUIEN_SABE\n",
                  "unknown-item": text + "estado: ACEPTADA\nmedida: 77\n",
                  "formula": text + "=cmd|' /C calc'!A0\n"}
        for fault in self.faults:
            self.put(f"{base}-{fault}.txt", broken.get(fault, text + f"# {fault}\n"), fault)
            if fault == "twice":
                self.put(f"{base}-otra-vez.txt", text + f"# {fault}\n")
        self.faults = []
        self.put(f"{base}.acuse.txt", text)
        self.state["answers"][page["folio"]] = self.state["answers"].get(page["folio"], 0) + 1

    def again(self, name, page):
        """The measure was not recognised: it is put in force once more."""
        for first, seen in self.state["seen"].items():
            if seen["folio"] == page["first"]:
                self.say(name, seen, self.head(seen) + self.step("EN_VIGOR", 1) +
                         "estado: TERMINADA\n")
                return first
        return None

    # ---- the day ----

    def take(self, name):
        page = self.read(name)
        seen = self.state["seen"]
        if not page["same"]:
            self.state["bad"].append(name)
        seen[name] = page
        if not page["same"] and "trusting" not in self.options.habit:
            return
        if page["folio"] in self.state["answers"] and "forgetful" not in self.options.habit:
            return
        if "no se reconoce" in page["asunto"]:
            self.again(name, page)
        elif page["asunto"] in ("Solicitud de medidas de protección", "Canalización"):
            self.answer(name, page)

    def refer(self):
        while self.state["referred"] < self.options.referrals:
            self.state["referred"] += 1
            number = self.state["referred"]
            self.put(f"CANALIZACION-{number}.txt",
                     f"formato: enlace-canalizacion 1\nreferencia: CEAVI-SINT-{number}\n"
                     f"persona: P-{number}\nnombre: Persona Sintética {number}\n"
                     "telefono: +525500000000\nsintesis: Pide orientación.\n")

    def work(self):
        folder = self.options.source
        for name in sorted(os.listdir(folder)):
            if name.endswith(".pdf.p7s") and name[:-4] not in self.state["seen"]:
                self.take(name[:-4])
            if name.endswith(".rechazo.txt"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    reason = file.read().split("\n")[1].split(" ")[0].strip()
                if [name, reason] not in self.state["refused"]:
                    self.state["refused"].append([name, reason])
        self.refer()
        self.save()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    for name in ("cert", "key", "system", "state"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--referrals", type=int, default=0)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    officer = Officer(options)
    while True:
        officer.work()
        if options.once:
            return
        time.sleep(0.2)


if __name__ == "__main__":
    main()
