"""kit_lote - plays Enlace towards an institution that exchanges signed batches of rows."""
import csv
import datetime
import hashlib
import io
import json
import os
import re
import tempfile
import time

from report import Course, Problem, mapping_table, need, new_id, no_twice, openssl, sha256_of, zone_now

KEYS = {"version", "tipo", "lote", "archivo", "renglones", "sha256", "columnas", "creado"}
COLUMNS = ["CLAVE", "FOLIO", "TIPO", "EVENTO", "URGENTE", "MEDIDA", "CLAVE_MEDIDA", "VECES", "CADA",
           "HASTA", "VENCE", "NOMBRE", "TELEFONO"]
ENDS = (".csv", ".json", ".json.p7s")
PROFILE = "lote/1"

CHECKS = [
    ("entrega", "la firma se entrega al final, con el lote completo",
     "Escriba el .csv y el .json y, cuando estén completos, el .json.p7s; use .part y renombre."),
    ("firma", "cada lote está firmado por un certificado de la lista",
     "Firme el .json tal como se entrega (CMS separado, DER) con el certificado que dio a Enlace."),
    ("manifiesto", "el manifiesto se lee: sus ocho claves, cada una una vez, y hora con zona",
     "Use las claves de README.md; «creado» es RFC 3339 con zona, como 2026-11-23T19:32:30-06:00."),
    ("sumas", "el SHA-256 del .csv es el del manifiesto",
     "Calcule el SHA-256 después de escribir el .csv y no lo cambie más."),
    ("cuenta", "los renglones son los que dice el manifiesto",
     "Cuente los renglones sin el encabezado."),
    ("csv", "el .csv es RFC 4180 en UTF-8, con las columnas dichas y sin fórmulas",
     "Guarde en UTF-8, con encabezado; lo que empieza con = + - @ lleva un apóstrofo antes."),
    ("custodia", "cada mensaje recibe su RECIBIDA",
     "Conteste RECIBIDA con la CLAVE cuando el renglón esté guardado de modo durable."),
    ("estados", "los estados son de la tabla de equivalencias",
     "Use los de [claves estado], o agregue los suyos a la tabla."),
    ("folios", "los FOLIO y CLAVE son de lo que se le envió",
     "Devuelva FOLIO y CLAVE tal como llegaron; no conteste por envíos de otros."),
    ("fechas", "las fechas se entienden: dd/mm/aaaa hh:mm, o RFC 3339 con zona",
     "Escriba FECHA como 23/11/2026 19:32, hora de la Ciudad de México, o con su zona."),
    ("orden", "los pasos van en orden y nada sigue al último",
     "Diga ACEPTADA, EN_VIGOR, REALIZADA y TERMINADA en ese orden."),
    ("ocurrencias", "REALIZADA lleva OCURRENCIA 1, 2, 3…",
     "Numere desde 1, sin saltos, por FOLIO y MEDIDA."),
    ("termino", "lo pedido llega a su término, tantas veces como se pidió",
     "Haga correr los datos de prueba hasta TERMINADA, con VECES renglones REALIZADA."),
    ("repetido", "un mensaje que se repite no se toma dos veces",
     "Reconozca la CLAVE: conteste RECIBIDA otra vez, con la misma REFERENCIA, y nada más."),
    ("rechazo", "un lote con otra suma, otra firma o menos renglones no se toma",
     "Compruebe firma, SHA-256 y renglones antes de tomar un lote."),
    ("sigue", "después de un lote malo sigue tomando los buenos",
     "Un lote que no se entiende se aparta; los demás se siguen leyendo."),
]


def is_time(text):
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text):
        return True
    try:
        datetime.datetime.strptime(text, "%d/%m/%Y %H:%M")
    except ValueError:
        return False
    return True


class Kit:
    def __init__(self, settings, report):
        need(settings, "mapping", "outgoing", "incoming", "sign_certificate", "sign_key", "signers")
        self.settings = settings
        self.report = report
        self.states = mapping_table(settings["mapping"], "estado")
        self.course = Course(report)
        self.sent = {}       # CLAVE -> FOLIO
        self.received = {}   # CLAVE -> its REFERENCIAs, one per RECIBIDA
        self.steps = []      # (FOLIO) of each step as it came
        self.done = set(name for name in self.signatures())  # there before: not of this run
        self.number = 0
        self.timeout = float(settings.get("timeout_s", 60))

    def profile(self):
        return {"nombre": PROFILE, "mapping_sha256": sha256_of(self.settings["mapping"])}

    # ---- what goes ----

    def row(self, kind, times):
        exchange = new_id()
        row = dict.fromkeys(COLUMNS, "")
        row.update(CLAVE=exchange, FOLIO=exchange, TIPO=kind, URGENTE="NO", MEDIDA="1",
                   CLAVE_MEDIDA="PRUEBA-CONFORMIDAD", VECES=str(times), CADA="month",
                   NOMBRE="'=Persona Sintética", TELEFONO="'+525500000000")
        self.sent[exchange] = exchange
        return row

    def put(self, name, data):
        path = os.path.join(self.settings["outgoing"], name)
        with open(path + ".part", "wb") as file:
            file.write(data)
        os.rename(path + ".part", path)

    def sign(self, text):
        with tempfile.TemporaryDirectory() as work:
            with open(f"{work}/text", "wb") as file:
                file.write(text)
            if not openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in",
                           f"{work}/text", "-out", f"{work}/signature", "-signer",
                           self.settings["sign_certificate"], "-inkey", self.settings["sign_key"]):
                raise Problem("no se pudo firmar con sign_certificate y sign_key")
            with open(f"{work}/signature", "rb") as file:
                return file.read()

    def send(self, rows, fault=""):
        self.number += 1
        name = f"CONFORMIDAD-{time.strftime('%Y%m%d-%H%M%S')}-{self.number:06d}"
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode()
        manifest = {"version": 1, "tipo": "mensajes", "lote": name, "archivo": name + ".csv",
                    "renglones": len(rows) + (1 if fault == "cuenta" else 0),
                    "sha256": hashlib.sha256(data).hexdigest(), "columnas": COLUMNS,
                    "creado": zone_now()}
        if fault == "suma":
            data = data.replace(b"Persona", b"Persono")
        signed = json.dumps(manifest).encode()
        signature = self.sign(signed)
        if fault == "firma":
            signed = signed.replace(b'"version": 1', b'"version":  1')
        self.report.note("lote enviado", lote=name, falta=fault,
                         sha256=hashlib.sha256(data).hexdigest())
        for end, content in zip(ENDS, (data, signed, signature)):
            self.put(name + end, content)

    # ---- what comes ----

    def signatures(self):
        folder = self.settings["incoming"]
        return sorted(name for name in os.listdir(folder) if name.endswith(".json"))

    def judge(self, name):
        """Rows of a batch, or none when it would be refused."""
        base = os.path.join(self.settings["incoming"], name)
        report = self.report
        complete = all(os.path.exists(base + end) for end in ENDS)
        if not report.saw("entrega", complete, f"{name}: falta un archivo"):
            return "", []
        files = {}
        for end in ENDS:
            with open(base + end, "rb") as file:
                files[end] = file.read()
        report.note("lote recibido", lote=name, sha256=hashlib.sha256(files[".csv"]).hexdigest())
        if not report.saw("firma", openssl(
                "cms", "-verify", "-binary", "-inform", "DER", "-in", base + ".json.p7s", "-content",
                base + ".json", "-certfile", self.settings["signers"], "-noverify", "-nointern"),
                          f"{name}: la firma no es de un certificado de la lista"):
            return "", []
        try:
            manifest = json.loads(files[".json"], object_pairs_hook=no_twice)
            good = (set(manifest) == KEYS and manifest["version"] == 1 and manifest["lote"] == name
                    and manifest["archivo"] == name + ".csv"
                    and manifest["tipo"] in ("estados", "canalizaciones", "rechazos")
                    and re.fullmatch(r".*(Z|[+-]\d\d:\d\d)", manifest["creado"]) is not None)
        except (ValueError, TypeError):
            good = False
        if not report.saw("manifiesto", good, f"{name}: claves o valores"):
            return "", []
        whole = hashlib.sha256(files[".csv"]).hexdigest() == manifest["sha256"]
        if not report.saw("sumas", whole, f"{name}: otra suma"):
            return "", []
        try:
            reader = csv.DictReader(io.StringIO(files[".csv"].decode(), newline=""), strict=True)
            rows = list(reader)
            good = reader.fieldnames == manifest["columnas"] and not any(
                cell is None or cell[:1] in ("=", "+", "-", "@", "\t")
                for row in rows for cell in row.values())
        except (ValueError, csv.Error, TypeError):
            rows, good = [], False
        report.saw("csv", good, f"{name}: columnas, juego de caracteres o fórmulas")
        if not report.saw("cuenta", len(rows) == manifest["renglones"],
                          f"{name}: {len(rows)} renglones, dice {manifest['renglones']}"):
            return "", []
        return manifest["tipo"], rows if good else []

    def take(self, name):
        kind, rows = self.judge(name)
        if kind != "estados":
            return
        for row in rows:
            self.take_row(name, row)

    def take_row(self, name, row):
        report = self.report
        state = self.states.get(row.get("ESTADO", ""))
        if not report.saw("estados", state is not None, f"{name}: «{row.get('ESTADO')}»"):
            return
        message, exchange = row.get("CLAVE", ""), row.get("FOLIO", "")
        if row.get("FECHA"):
            report.saw("fechas", is_time(row["FECHA"]), f"{name}: «{row['FECHA']}»")
        if state in ("custody", "reject"):
            if report.saw("folios", message in self.sent, f"{name}: CLAVE ajena") and \
                    state == "custody":
                self.received.setdefault(message, []).append(row.get("REFERENCIA", ""))
            return
        if report.saw("folios", exchange in self.sent.values() and row.get("MEDIDA") == "1",
                      f"{name}: FOLIO o MEDIDA ajenos"):
            self.course.step(exchange, row["MEDIDA"], state, row.get("OCURRENCIA", ""))
            self.steps.append(exchange)

    def read(self):
        folder = self.settings["incoming"]
        for name in self.signatures():
            base = name[:-5]
            seen = os.path.exists(os.path.join(folder, base + ".json.p7s"))
            if name in self.done or not seen:
                continue
            self.done.add(name)
            self.take(base)
            os.makedirs(os.path.join(folder, "taken"), exist_ok=True)
            for end in ENDS:
                if os.path.exists(os.path.join(folder, base + end)):
                    os.rename(os.path.join(folder, base + end),
                              os.path.join(folder, "taken", base + end))

    def until(self, holds):
        limit = time.monotonic() + self.timeout
        while not holds() and time.monotonic() < limit:
            time.sleep(0.05)
            self.read()
        return holds()

    # ---- the story ----

    def run(self):
        report = self.report
        asked, referred = self.row("SOLICITUD", 3), self.row("CANALIZACION", 1)
        both = (asked, referred)
        self.send(both)
        self.until(lambda: all(r["CLAVE"] in self.received and self.course.has_ended(r["FOLIO"])
                               for r in both))
        for row in both:
            report.saw("custodia", row["CLAVE"] in self.received, "un mensaje quedó sin RECIBIDA")
            report.saw("termino", self.course.has_ended(row["FOLIO"]) and
                       self.course.reports(row["FOLIO"]) == int(row["VECES"]),
                       f"{self.course.reports(row['FOLIO'])} de {row['VECES']} veces")
        self.repeat(asked)
        bad = []
        for fault in ("suma", "firma", "cuenta"):
            bad.append((fault, self.row("SOLICITUD", 1)))
            self.send([bad[-1][1]], fault)
        control = self.row("CANALIZACION", 1)
        self.send([control])
        report.saw("sigue", self.until(lambda: control["CLAVE"] in self.received and
                                       self.course.has_ended(control["FOLIO"])),
                   "el lote bueno que vino después no se tomó")
        self.settle()
        for fault, row in bad:
            report.saw("rechazo", row["CLAVE"] not in self.received and
                       row["FOLIO"] not in self.steps, f"tomó uno con otra {fault}")
        # A batch without its signature is what lies there when all is over.
        for name in self.signatures():
            if name not in self.done:
                report.saw("entrega", False, f"{name[:-5]}: sin firma")

    def settle(self):
        limit = time.monotonic() + float(self.settings.get("settle_s", 3))
        while time.monotonic() < limit:
            time.sleep(0.05)
            self.read()

    def repeat(self, row):
        before = self.steps.count(row["FOLIO"])
        told = len(self.received.get(row["CLAVE"], []))
        self.send([row])
        self.until(lambda: len(self.received.get(row["CLAVE"], [])) > told)
        self.settle()
        said = self.received.get(row["CLAVE"], [])
        self.report.saw("repetido", len(said) > told, "no contestó RECIBIDA otra vez")
        self.report.saw("repetido", self.steps.count(row["FOLIO"]) == before and
                        len(set(said)) <= 1, "lo tomó como nuevo")
