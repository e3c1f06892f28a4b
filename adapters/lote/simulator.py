#!/usr/bin/env python3
"""simulator - stands for an institution that works with batches; shares no code with the adapter.

    simulator.py --from FOLDER --to FOLDER --cert PEM --key PEM --enlace PEM [--script STEPS]
                 [--fault NAME]... [--habit NAME]... [--referrals N] [--state FILE]
                 [--agenda FILE] [--book FILE]

Reads whole batches (the signature is there), checks them with `openssl cms`, the csv and the json
modules, and answers with batches of states: by default RECIBIDA, ACEPTADA, EN_VIGOR, REALIZADA as
often as asked (VECES, else once), TERMINADA; with an agenda, as that says (simulated/year.py).
Everything in it is synthetic.

Faults: no-signature, wrong-signature, wrong-hash, wrong-count, duplicate, half, twice-key spoil a
batch, which is then sent again, whole; unknown adds rows of another's folio, of no state and of no
item. Each is done once. Habits last: no-custody, backwards (the end before the rest), skips (numbers
from 2), forgetful (what comes again is new), trusting (checks nothing), bad-date, formula.

A batch that does not hold is told back as rechazos, and left.
"""
import argparse
import csv
import datetime
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "simulated"))
from year import Year, add_arguments  # noqa: E402 (its own folder)

COLUMNS = ["CLAVE", "FOLIO", "MEDIDA", "ESTADO", "FECHA", "OCURRENCIA", "MOTIVO", "COMPETENTE",
           "REFERENCIA"]
NEW_COLUMNS = ["REFERENCIA", "PERSONA", "CLAVE_MEDIDA", "NOMBRE", "TELEFONO"]


def now():
    return datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=-6)))


def openssl(*args):
    return subprocess.run(["openssl", "cms", *args], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def put(folder, name, data):
    path = os.path.join(folder, name)
    with open(path + ".part", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".part", path)


class Refused(Exception):
    pass


class Institution:
    def __init__(self, options):
        self.options = options
        self.faults = list(options.fault)
        self.year = Year(options)
        self.state = {"taken": [], "next": 1, "rows": 0, "messages": {}, "done": {}, "refused": []}
        if os.path.exists(options.state):
            with open(options.state, encoding="utf-8") as file:
                self.state = json.load(file)

    def save(self):
        with open(self.options.state + ".part", "w", encoding="utf-8") as file:
            json.dump(self.state, file)
        os.rename(self.options.state + ".part", self.options.state)

    # ---- what comes ----

    def batches(self):
        names = sorted(os.listdir(self.options.from_folder))
        return [name[:-9] for name in names if name.endswith(".json.p7s")]

    def read(self, name):
        base = os.path.join(self.options.from_folder, name)
        trusting = "trusting" in self.options.habit
        if not trusting and not openssl("-verify", "-binary", "-inform", "DER", "-in", base + ".json.p7s", "-content",
                       base + ".json", "-certfile", self.options.enlace, "-noverify", "-nointern"):
            raise Refused("firma", "La firma no es de Enlace.")
        with open(base + ".json", encoding="utf-8") as file:
            manifest = json.load(file)
        with open(base + ".csv", "rb") as file:
            data = file.read()
        if not trusting and hashlib.sha256(data).hexdigest() != manifest["sha256"]:
            raise Refused("sha256", "El archivo no es el firmado.")
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
        if not trusting and len(rows) != manifest["renglones"]:
            raise Refused("renglones", "No son los renglones que dice.")
        for row in rows:
            for cell in row.values():
                if cell[:1] in ("=", "+", "-", "@", "\t"):
                    raise Refused("formula", "Una celda sería una fórmula.")
        return manifest, rows

    # ---- what goes ----

    def send(self, kind, columns, rows):
        name = f"INST-{now():%Y%m%d}-{self.state['next']:06d}"
        self.state["next"] += 1
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, lineterminator="\r\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode("utf-8")
        fault = self.faults.pop(0) if self.faults else ""
        manifest = {"version": 1, "tipo": kind, "lote": name, "archivo": name + ".csv",
                    "renglones": len(rows) + (1 if fault == "wrong-count" else 0),
                    "sha256": hashlib.sha256(data).hexdigest(), "columnas": columns,
                    "creado": now().isoformat(timespec="seconds")}
        if fault == "wrong-hash":
            data += b"\r\n"
        signed = json.dumps(manifest).encode()
        if fault == "twice-key":
            signed = signed[:-1] + b', "tipo": "estados"}'
        with tempfile.TemporaryDirectory() as work:
            with open(f"{work}/m", "wb") as file:
                file.write(signed)
            openssl("-sign", "-binary", "-outform", "DER", "-in", f"{work}/m", "-out", f"{work}/s",
                    "-signer", self.options.cert, "-inkey", self.options.key, "-md", "sha256")
            with open(f"{work}/s", "rb") as file:
                signature = file.read()
        if fault == "wrong-signature":
            signed = signed.replace(b'"version": 1', b'"version":  1')
        if fault == "half":
            data = data[:len(data) // 2]
        put(self.options.to_folder, name + ".csv", data)
        put(self.options.to_folder, name + ".json", signed)
        if fault != "no-signature":
            put(self.options.to_folder, name + ".json.p7s", signature)
        if fault == "duplicate":
            self.send(kind, columns, rows)
        if fault and fault != "duplicate":
            self.send(kind, columns, rows)  # what was spoiled is sent again, whole

    def refuse(self, name, refused):
        reason, remedy = refused.args
        self.send("rechazos", ["LOTE", "RENGLON", "MOTIVO", "REMEDIO"],
                  [{"LOTE": name, "RENGLON": "", "MOTIVO": reason, "REMEDIO": remedy}])

    def number_of(self, message):
        if "forgetful" in self.options.habit:
            return sum(self.state["messages"].values())
        return list(self.state["messages"]).index(message) + 1

    def course(self, row, said):
        """The rows that what is asked for runs through."""
        habit = self.options.habit
        steps = self.options.script.split(",")
        out = []
        for step in reversed(steps) if "backwards" in habit else steps:
            if step == "REALIZADA":
                days = self.year.days(row["FOLIO"], row["MEDIDA"], int(row["VECES"] or 1))
                for n, day in enumerate(days, 1):
                    out.append({**said, "ESTADO": step, "OCURRENCIA": n + ("skips" in habit)})
                    if "bad-date" not in habit:
                        out[-1]["FECHA"] = f"{day:%d/%m/%Y %H:%M}"
                    self.state["done"][row["FOLIO"]] = n
                self.year.did([(row["FOLIO"], row["MEDIDA"], n, day, row["CLAVE_MEDIDA"])
                               for n, day in enumerate(days, 1)])
            elif step == "DECLINADA":
                out.append({**said, "ESTADO": step, "MOTIVO": "no-competente",
                            "COMPETENTE": "cdmx/dif"})
            else:
                out.append({**said, "ESTADO": step})
        return out

    def answer(self, rows):
        """Every message gets its RECIBIDA; what is asked for runs its course."""
        out = []
        habit = self.options.habit
        stamp = "ayer" if "bad-date" in habit else f"{now():%d/%m/%Y %H:%M}"
        known = set(self.state["messages"])
        begun = set()
        for row in rows:
            measure = (row["CLAVE"], row["MEDIDA"])
            first = row["CLAVE"] not in known and measure not in begun
            begun.add(measure)
            self.state["messages"].setdefault(row["CLAVE"], 0)
            self.state["messages"][row["CLAVE"]] += 1
            said = {"CLAVE": row["CLAVE"], "FOLIO": row["FOLIO"], "MEDIDA": row["MEDIDA"],
                    "FECHA": stamp, "REFERENCIA": f"SIM/{self.number_of(row['CLAVE'])} A"}
            if "formula" in habit:
                said["MOTIVO"] = "=1+1"
            if "no-custody" not in habit:
                out.append({**said, "ESTADO": "RECIBIDA"})
            if row["TIPO"] in ("CANALIZACION", "SOLICITUD") and (first or "forgetful" in habit):
                out += self.course(row, said)
        if "unknown" in self.faults:
            self.faults.remove("unknown")
            out.append({"FOLIO": "01a20aa3-5d07-729e-8954-c0eb93321bef", "MEDIDA": 1,
                        "ESTADO": "ACEPTADA"})
            out.append({"FOLIO": rows[0]["FOLIO"], "MEDIDA": 1, "ESTADO": "INVENTADO"})
            out.append({"FOLIO": rows[0]["FOLIO"], "MEDIDA": 9, "ESTADO": "ACEPTADA"})
        return out

    def refer(self, count):
        rows = [{"REFERENCIA": f"OFICIO {i}/2026", "PERSONA": f"EXP-{i}", "CLAVE_MEDIDA": "ATN-GEN",
                 "NOMBRE": f"Persona Sintética {i}", "TELEFONO": "+525500000000"}
                for i in range(1, count + 1)]
        for row in rows:  # as Enlace writes it, and as a careful institution does
            row["TELEFONO"] = "'" + row["TELEFONO"]
        self.send("canalizaciones", NEW_COLUMNS, rows)
        for row in rows:
            self.year.referred(row["REFERENCIA"])

    def turn(self):
        for name in self.batches():
            if name in self.state["taken"]:
                continue
            try:
                manifest, rows = self.read(name)
            except Refused as refused:
                manifest, rows = {"tipo": "mensajes"}, []
                self.refuse(name, refused)
            if manifest["tipo"] == "mensajes" and rows:
                self.state["rows"] += len(rows)
                self.send("estados", COLUMNS, self.answer(rows))
            elif manifest["tipo"] == "rechazos":
                self.state["refused"] += [[row["MOTIVO"], row["RENGLON"]] for row in rows]
            self.state["taken"].append(name)
            self.save()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="from_folder", required=True)
    parser.add_argument("--to", dest="to_folder", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--enlace", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--script", default="ACEPTADA,EN_VIGOR,REALIZADA,TERMINADA")
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--referrals", type=int, default=0)
    add_arguments(parser)
    institution = Institution(parser.parse_args())
    if institution.options.referrals:
        institution.refer(institution.options.referrals)
        institution.save()
    print("simulator.ready", flush=True)
    while True:
        institution.turn()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
