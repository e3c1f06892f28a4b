"""kit_oficio - plays Enlace towards an institution without a system: one exercise, on paper.

An oficio that the adapter once set (adapters/oficio/fixtures) is put into the folder, signed by the kit;
what the liaison officer hands over is examined. The person in it is synthetic, and says so.
"""
import hashlib
import os
import re
import shutil
import time

from report import Course, mapping_table, need, openssl, sha256_of

PROFILE = "oficio/1"
FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "oficio", "fixtures")
HEAD = ["oficio", "clave", "intercambio"]
STEP = ["estado", "medida", "fecha", "ocurrencia", "motivo", "competente"]
TIMES = 3
BYTES_MAX = 64 << 10

CHECKS = [
    ("entrega", "la forma se entrega antes que su firma, y las dos",
     "Copie la forma a la carpeta de acuses y, cuando esté completa, su .p7s."),
    ("firma", "cada forma está firmada por quien está en la lista",
     "Firme la forma tal como se entrega (CMS separado, DER) con el certificado que dio a Enlace."),
    ("forma", "la forma se lee: «clave: valor», en UTF-8, cada clave en su lugar y una vez",
     "Llene la forma que acompaña al oficio; no agregue claves ni renglones sin dos puntos."),
    ("oficio", "oficio, clave e intercambio son los del oficio que contesta",
     "No cambie esos tres renglones: vienen llenos."),
    ("custodia", "el oficio recibe su RECIBIDO", "Conteste RECIBIDO cuando el oficio esté en sus manos."),
    ("estados", "los estados son de la tabla de equivalencias",
     "Use los de [claves estado], o agregue los suyos a la tabla."),
    ("medidas", "las medidas son las del oficio", "Ponga el número de la columna «Núm.» del oficio."),
    ("fechas", "las fechas se entienden: dd/mm/aaaa hh:mm, o RFC 3339 con zona",
     "Escriba fecha como 23/11/2026 19:32, hora de la Ciudad de México, o con su zona."),
    ("orden", "los pasos van en orden y nada sigue al último",
     "Diga ACEPTADA, EN_VIGOR, REALIZADA y TERMINADA en ese orden."),
    ("ocurrencias", "REALIZADA lleva ocurrencia 1, 2, 3…", "Numere desde 1, sin saltos, por medida."),
    ("termino", "lo pedido llega a su término, tantas veces como se pidió",
     f"Conteste el ejercicio hasta TERMINADA, con {TIMES} veces REALIZADA."),
    ("repetido", "un oficio que se entrega otra vez no se contesta como nuevo",
     "Reconozca el folio: es el mismo oficio."),
    ("rechazo", "un oficio cuya firma no es suya no se contesta",
     "Compruebe la firma .p7s antes de tomar un oficio."),
]


def is_time(text):
    return re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d|"
                        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)", text) is not None


class Kit:
    def __init__(self, settings, report):
        need(settings, "mapping", "outgoing", "incoming", "sign_certificate", "sign_key", "signers")
        self.settings = settings
        self.report = report
        self.states = mapping_table(settings["mapping"], "estado")
        self.course = Course(report)
        with open(os.path.join(FIXTURES, "acuse.txt"), encoding="utf-8") as file:
            lines = [line.split(": ", 1) for line in file.read().splitlines()[1:4]]
        self.head = {key: value for key, value in lines}
        self.done = set(self.signatures())  # there before: not of this run
        self.received = False
        self.steps = 0
        self.timeout = float(settings.get("timeout_s", 600))

    def profile(self):
        return {"nombre": PROFILE, "mapping_sha256": sha256_of(self.settings["mapping"]),
                "oficio_sha256": sha256_of(os.path.join(FIXTURES, "oficio.pdf"))}

    # ---- what goes ----

    def put(self, name, is_signed=True):
        """The form first, the signature last: it completes them."""
        base = os.path.join(self.settings["outgoing"], name)
        shutil.copyfile(os.path.join(FIXTURES, "acuse.txt"), base + ".acuse.txt")
        shutil.copyfile(os.path.join(FIXTURES, "oficio.pdf"), base + ".pdf.part")
        openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in",
                base + ".pdf.part", "-out", base + ".p7s.part", "-signer",
                self.settings["sign_certificate"], "-inkey", self.settings["sign_key"])
        if not is_signed:
            with open(base + ".pdf.part", "ab") as file:
                file.write(b"\n% otra palabra\n")
        os.rename(base + ".pdf.part", base + ".pdf")
        os.rename(base + ".p7s.part", base + ".pdf.p7s")
        self.report.note("oficio entregado", nombre=name, firmado=is_signed)

    # ---- what comes ----

    def signatures(self):
        return sorted(n for n in os.listdir(self.settings["incoming"]) if n.endswith(".p7s"))

    def lines_of(self, name, text):
        """(key, value) of a form, or None when it would be refused."""
        try:
            lines = [line for line in text.decode("utf-8-sig").splitlines()
                     if line.strip() and line[:1] != "#"]
        except UnicodeDecodeError:
            lines = []
        pairs = [tuple(part.strip() for part in line.partition(":")[::2]) for line in lines]
        good = len(text) <= BYTES_MAX and all(":" in line for line in lines) \
            and pairs[:1] == [("formato", "enlace-acuse 1")]
        self.report.saw("forma", good, f"{name}: no es una forma de acuse")
        return [p for p in pairs[1:] if p[1]] if good else None

    def take(self, name):
        path = os.path.join(self.settings["incoming"], name)
        if not self.report.saw("entrega", os.path.exists(path), f"{name}: falta la forma"):
            return
        with open(path, "rb") as file:
            text = file.read()
        self.report.note("acuse", nombre=name, sha256=hashlib.sha256(text).hexdigest())
        if not self.report.saw("firma", openssl(
                "cms", "-verify", "-binary", "-inform", "DER", "-in", path + ".p7s", "-content", path,
                "-certfile", self.settings["signers"], "-noverify", "-nointern", "-out", "/dev/null"),
                               f"{name}: la firma no es de esa forma, o no de la lista"):
            return
        pairs = self.lines_of(name, text)
        if pairs is None:
            return
        blocks = [[]]
        for key, value in pairs:
            if key == "estado":
                blocks.append([])
            blocks[-1].append((key, value))
        for block, keys in zip(blocks, [HEAD] + [STEP] * len(blocks)):
            names = [key for key, _ in block]
            self.report.saw("forma", len(set(names)) == len(names) and set(names) <= set(keys),
                            f"{name}: una clave de más, o dos veces")
        if not self.report.saw("oficio", dict(blocks[0]) == self.head, f"{name}: de otro oficio"):
            return
        for block in blocks[1:]:
            self.step(name, dict(block))

    def step(self, name, said):
        state = self.states.get(said["estado"])
        if not self.report.saw("estados", state is not None, f"{name}: «{said['estado']}»"):
            return
        if state == "custody":
            self.received = True
            return
        if "fecha" in said:
            self.report.saw("fechas", is_time(said["fecha"]), f"{name}: «{said['fecha']}»")
        item = said.get("medida", "0")
        if self.report.saw("medidas", item in ("0", "1"), f"{name}: medida «{item}»"):
            self.steps += self.course.step("ejercicio", "1", state, said.get("ocurrencia", ""))

    def read(self):
        for name in self.signatures():
            if name not in self.done:
                self.done.add(name)
                self.take(name[:-len(".p7s")])

    def until(self, holds, seconds):
        limit = time.monotonic() + seconds
        while not holds() and time.monotonic() < limit:
            time.sleep(0.1)
            self.read()
        return holds()

    # ---- the story ----

    def run(self):
        report = self.report
        settle = float(self.settings.get("settle_s", 60))
        name = "OF-" + self.head["oficio"].replace("/", "-")
        self.put(name + "-ajeno", is_signed=False)
        self.until(lambda: self.received or self.steps > 0, settle)
        report.saw("rechazo", not self.received and self.steps == 0, "contestó uno que se alteró")
        self.put(name)
        self.until(lambda: self.received and self.course.has_ended("ejercicio"), self.timeout)
        report.saw("custodia", self.received, "no se contestó RECIBIDO")
        reports = self.course.reports("ejercicio")
        report.saw("termino", self.course.has_ended("ejercicio") and reports == TIMES,
                   f"{reports} de {TIMES} veces")
        before = len(self.done)
        self.put(name + "-otra-vez")
        self.until(lambda: len(self.done) > before, settle)
        report.saw("repetido", len(self.done) == before, "lo contestó otra vez")
        for left in os.listdir(self.settings["incoming"]):
            if left.endswith(".txt"):
                report.saw("entrega", left + ".p7s" in self.done, f"{left}: sin firma")
