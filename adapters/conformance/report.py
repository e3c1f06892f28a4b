"""report - what a run of the kit found: lines for people, a signed certificate for the file."""
import datetime
import hashlib
import json
import os
import subprocess
import time
import uuid


class Problem(Exception):
    """The kit cannot run: settings, tools, nobody there."""


def zone_now():
    zone = datetime.timezone(datetime.timedelta(hours=-6))
    return datetime.datetime.now(zone).isoformat(timespec="seconds")


def new_id():
    """As Enlace's: version 7, in the order of time."""
    text = uuid.uuid4().hex
    stamp = f"{int(time.time() * 1000):012x}"
    return str(uuid.UUID(f"{stamp}7{text[13:]}"))


def openssl(*args, **more):
    return subprocess.run(["openssl", *args], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **more).returncode == 0


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def no_twice(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def read_settings(path):
    """The adapter's own settings file ("name = value"); paths are relative to it."""
    settings = {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.strip() in settings:
            raise Problem(f"{path}:{number}: se espera «nombre = valor», cada nombre una vez")
        settings[name.strip()] = value.strip()
    for name in ("mapping", "schema", "detail_schema", "outgoing", "incoming", "sign_certificate",
                 "sign_key", "signers", "ca", "certificate", "key", "server_certificate", "server_key",
                 "report_certificate", "report_key"):
        if settings.get(name):
            settings[name] = os.path.join(os.path.dirname(os.path.abspath(path)), settings[name])
    return settings


# Settings that name no file.
PLAIN = ("url", "sender", "addresses", "listen")


def need(settings, *names):
    for name in names:
        if not settings.get(name):
            raise Problem(f"falta «{name}» en la configuración")
        if name not in PLAIN and not os.path.exists(settings[name]):
            raise Problem(f"{name}: no existe {settings[name]}")


def mapping_table(path, table):
    """theirs -> ours, of one [claves ...] of the mapping."""
    found, inside = {}, False
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line.startswith("["):
                inside = line == f"[claves {table}]"
            elif inside and line and not line.startswith("#"):
                ours, _, theirs = line.partition("=")
                found[theirs.strip()] = ours.strip()
    if not found:
        raise Problem(f"{path}: sin [claves {table}]")
    return found


class Report:
    """Checks in a fixed order. One is kept when something was seen for it and nothing against it."""

    def __init__(self, adapter, checks, out):
        self.adapter = adapter
        self.checks = {name: {"texto": text, "remedio": remedy, "visto": 0, "faltas": []}
                       for name, text, remedy in checks}
        os.makedirs(out, exist_ok=True)
        self.out = out
        self.run_path = os.path.join(out, "corrida.jsonl")
        with open(self.run_path, "w", encoding="utf-8"):
            pass

    def note(self, event, **facts):
        """One line of the run; no content of a message, only its digest."""
        with open(self.run_path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"cuando": zone_now(), "que": event, **facts}) + "\n")

    def saw(self, name, holds=True, detail=""):
        check = self.checks[name]
        check["visto"] += 1
        if not holds and detail not in check["faltas"]:
            check["faltas"].append(detail)
            self.note("falta", comprobacion=name, detalle=detail)
        return holds

    def is_kept(self, name):
        return self.checks[name]["visto"] > 0 and not self.checks[name]["faltas"]

    def conforms(self):
        return all(self.is_kept(name) for name in self.checks)

    def say(self):
        for name, check in self.checks.items():
            if self.is_kept(name):
                print(f"✔ {check['texto']}")
                continue
            why = "; ".join(check["faltas"][:3]) or "no se vio en la corrida"
            print(f"✖ {check['texto']}: {why}\n    Remedio: {check['remedio']}")
        kept = sum(self.is_kept(name) for name in self.checks)
        print(f"{self.adapter}: {kept} de {len(self.checks)} comprobaciones cumplidas")

    def certify(self, profile, certificate, key):
        """certificado.json and its detached signature; both say what was found, good or not."""
        document = {
            "documento": "enlace-conformidad", "version": 1, "adaptador": self.adapter,
            "perfil": profile, "fecha": zone_now(),
            "resultado": "conforme" if self.conforms() else "no conforme",
            "comprobaciones": [
                {"id": name, "texto": check["texto"], "cumple": self.is_kept(name),
                 "visto": check["visto"], "faltas": check["faltas"]}
                for name, check in self.checks.items()],
            "corrida_sha256": sha256_of(self.run_path)}
        path = os.path.join(self.out, "certificado.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=1)
            file.write("\n")
        if not openssl("cms", "-sign", "-binary", "-outform", "DER", "-in", path, "-out",
                       path + ".p7s", "-signer", certificate, "-inkey", key, "-md", "sha256"):
            raise Problem(f"no se pudo firmar con {certificate}")
        print(f"Certificado: {path} y {path}.p7s. Se comprueba con\n"
              f"    openssl cms -verify -binary -inform DER -in {path}.p7s -content {path} \\\n"
              f"        -certfile {certificate} -noverify -nointern -out /dev/null")


class Course:
    """The steps of each item in the order they were said: order, numbering, nothing after the end."""

    RANK = {"accept": 1, "decline": 1, "start": 2, "in-force": 3, "report": 4, "end": 5, "fail": 5}

    def __init__(self, report):
        self.report = report
        self.items = {}

    def step(self, exchange, item, state, occurrence):
        """True: it is new. The same step once more is the same step, and harmless."""
        steps = self.items.setdefault((exchange, item), [])
        if (state, occurrence) in steps:
            return False
        if state in self.RANK:
            last = max((self.RANK[s] for s, _ in steps if s in self.RANK), default=0)
            needs = 0 if state in ("accept", "decline") else 1
            self.report.saw("orden", last < 5 and needs <= last <= self.RANK[state],
                            f"«{state}» fuera de lugar")
        if state == "report":
            number = sum(s == "report" for s, _ in steps) + 1
            self.report.saw("ocurrencias", occurrence == str(number),
                            f"se esperaba {number} y vino «{occurrence}»")
        steps.append((state, occurrence))
        return True

    def has_ended(self, exchange):
        return any(key[0] == exchange and any(s in ("end", "fail", "decline") for s, _ in steps)
                   for key, steps in self.items.items())

    def reports(self, exchange):
        return sum(s == "report" for key, steps in self.items.items() if key[0] == exchange
                   for s, _ in steps)
