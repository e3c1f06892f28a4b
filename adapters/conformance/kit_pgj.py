"""kit_pgj - plays Enlace towards an office that speaks XML over HTTPS (adapters/pgj/pgj.xsd)."""
import hashlib
import http.client
import re
import socket
import ssl
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree as ET

from report import Course, Problem, mapping_table, need, new_id, sha256_of

SPACE = "{urn:enlace:procuracion:1}"
PROFILE = "pgj/1"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
ANSWER_MAX = 1 << 20
POSTS_MAX = 5

CHECKS = [
    ("certificado", "no contesta a quien no trae certificado de cliente",
     "Exija certificado de cliente de su autoridad (mutual TLS)."),
    ("servicio", "contesta a tiempo y sin 5xx",
     "Revise el registro del servidor: contestó 5xx, tardó demasiado o cortó la línea."),
    ("custodia", "cada solicitud recibe el acuse suyo, con 200 o 201",
     "Conteste Acknowledgement con la MessageIdentification que llegó, ya guardada."),
    ("esquema", "lo que contesta es válido por el XSD, sin DOCTYPE y de tamaño razonable",
     "Valide sus respuestas con xmllint --schema pgj.xsd; sin DOCTYPE ni entidades, hasta 1 MiB."),
    ("repetido", "una solicitud que se repite no se toma dos veces",
     "Reconozca la MessageIdentification: conteste 409 (o 200) con la misma referencia."),
    ("estados", "los estados son de la tabla de equivalencias",
     "Use los de [claves estado], o agregue los suyos a la tabla."),
    ("folios", "los intercambios y las medidas son de lo que se le envió",
     "Devuelva ActivityIdentification y ServiceNumber como llegaron; en pruebas, sin otros."),
    ("fechas", "las horas llevan zona",
     "Escriba ActivityDate con su zona, como 2026-11-23T19:32:30-06:00."),
    ("orden", "los pasos van en orden y nada sigue al último",
     "Diga ACEPTADA, CARPETA_ABIERTA, ACTUACION y CONCLUIDA en ese orden."),
    ("ocurrencias", "ACTUACION lleva Occurrence 1, 2, 3…",
     "Numere desde 1, sin saltos, por intercambio y medida."),
    ("termino", "lo pedido llega a su término, tantas veces como se pidió",
     "Haga correr los datos de prueba hasta CONCLUIDA, con ServiceCount actuaciones."),
    ("posicion", "la misma posición devuelve lo mismo, y «next» no retrocede",
     "«since» es una posición fija en la lista: quien pregunta otra vez oye lo mismo."),
    ("rechazo", "lo mal formado, con DOCTYPE o no válido se rechaza con 4xx",
     "Valide con el XSD y sin DTD antes de tomar una solicitud; conteste 400 o 422."),
    ("sigue", "después de una solicitud mala sigue tomando las buenas",
     "Una solicitud que no se entiende no debe detener el servicio."),
]


class Kit:
    def __init__(self, settings, report):
        need(settings, "mapping", "schema", "url", "ca", "certificate", "key")
        self.settings = settings
        self.report = report
        self.url = urllib.parse.urlsplit(settings["url"])
        if self.url.scheme != "https" or not self.url.hostname:
            raise Problem("url: se espera https://servidor:puerto")
        self.states = mapping_table(settings["mapping"], "estado")
        self.course = Course(report)
        self.sent = {}   # ActivityIdentification -> ServiceCount
        self.next = int(settings.get("since", 0))
        self.said = []   # every status, as it came
        self.timeout = float(settings.get("timeout_s", 60))
        self.call_s = float(settings.get("call_timeout_s", 2))

    def profile(self):
        return {"nombre": PROFILE, "mapping_sha256": sha256_of(self.settings["mapping"]),
                "schema_sha256": sha256_of(self.settings["schema"])}

    # ---- calls ----

    def context(self, with_certificate=True):
        context = ssl.create_default_context(cafile=self.settings["ca"])
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if with_certificate:
            context.load_cert_chain(self.settings["certificate"], self.settings["key"])
        return context

    def once(self, method, path, body=None, context=None):
        line = http.client.HTTPSConnection(self.url.hostname, self.url.port or 443,
                                           timeout=self.call_s, context=context or self.context())
        try:
            line.request(method, self.url.path.rstrip("/") + path, body,
                         {"Content-Type": "application/xml"} if body else {})
            answer = line.getresponse()
            text = answer.read(ANSWER_MAX + 1)
            self.report.note(method, ruta=path, estado=answer.status,
                             sha256=hashlib.sha256(text).hexdigest())
            return answer.status, text
        finally:
            line.close()

    def call(self, method, path, body=None):
        """What fails once is asked again, as the adapter does; that it failed is said."""
        for _ in range(POSTS_MAX):
            try:
                status, text = self.once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self.report.saw("servicio", False, f"{method}: {type(error).__name__}")
                continue
            if self.report.saw("servicio", status < 500, f"{method}: contestó {status}"):
                return status, text
        return 0, b""

    def document(self, text, root):
        """Parsed only when it is small, has no DOCTYPE and is valid: or None."""
        plain = len(text) <= ANSWER_MAX and b"<!DOCTYPE" not in text and b"<!ENTITY" not in text
        valid = plain and subprocess.run(
            ["xmllint", "--noout", "--nonet", "--schema", self.settings["schema"], "-"], input=text,
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        found = ET.fromstring(text) if valid else None
        valid = valid and found.tag == SPACE + root
        self.report.saw("esquema", valid, f"no es un {root} válido")
        return found if valid else None

    # ---- requests ----

    def request(self, count):
        exchange = new_id()
        self.sent[exchange] = count
        return exchange, (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<Request xmlns="{SPACE[1:-1]}"><MessageIdentification>{exchange}'
            f'</MessageIdentification><ActivityIdentification>{exchange}</ActivityIdentification>'
            '<ActivityCategory>SOLICITUD</ActivityCategory><PriorityCode>ORDINARIA</PriorityCode>'
            '<LegalBasis>PRUEBA-CONFORMIDAD</LegalBasis><Service><ServiceNumber>1</ServiceNumber>'
            f'<ServiceCode>PRO-JUR-CAR</ServiceCode><ServiceCount>{count}</ServiceCount></Service>'
            '<Person><PersonFullName>Persona &lt;Sintética&gt;</PersonFullName></Person>'
            '</Request>').encode()

    def post(self, exchange, body, check, allowed):
        """The office's reference, or None."""
        status, text = self.call("POST", "/requests", body)
        if not self.report.saw(check, status in allowed, f"contestó {status}"):
            return None
        acknowledged = self.document(text, "Acknowledgement")
        if acknowledged is None:
            return self.report.saw("custodia", False, "sin acuse que se entienda") or None
        same = acknowledged.findtext(SPACE + "MessageIdentification") == exchange
        self.report.saw("custodia", same, "el acuse es de otra solicitud")
        return acknowledged.findtext(SPACE + "ReferenceIdentification")

    def refuse(self, what, body):
        try:
            status, _ = self.once("POST", "/requests", body)
        except (OSError, http.client.HTTPException):
            status = 0
        self.report.saw("rechazo", 400 <= status < 500, f"{what}: contestó {status}")

    # ---- statuses ----

    def page(self, since):
        status, text = self.call("GET", f"/statuses?since={since}")
        if status != 200:
            self.report.saw("servicio", False, f"GET: contestó {status}")
            return None
        for date in re.findall(rb"ActivityDate>([^<]+)<", text):
            self.report.saw("fechas", re.fullmatch(INSTANT, date.decode("utf-8", "replace"))
                            is not None, "ActivityDate sin zona")
        return self.document(text, "StatusList")

    def poll(self):
        root = self.page(self.next)
        if root is None:
            return
        position = int(root.get("next"))
        self.report.saw("posicion", position >= self.next, "«next» retrocedió")
        rows = root.findall(SPACE + "Status")
        self.report.saw("posicion", len(rows) == 0 or position > self.next,
                        "hay estados y «next» no avanza")
        for status in rows:
            self.take({child.tag[len(SPACE):]: child.text for child in status})
        self.next = position

    def take(self, row):
        exchange, item = row["ActivityIdentification"], row["ServiceNumber"]
        state = self.states.get(row["ActivityStatus"])
        known = self.report.saw("estados", state is not None, f"«{row['ActivityStatus']}»")
        if not self.report.saw("folios", exchange in self.sent and item == "1",
                               "un intercambio o medida que no se le envió") or not known:
            return
        new = self.course.step(exchange, item, state, row.get("Occurrence", ""))
        self.report.saw("posicion", new, "un estado vino dos veces desde posiciones distintas")
        self.said.append(exchange)

    def until_ended(self, exchanges):
        limit = time.monotonic() + self.timeout
        while time.monotonic() < limit and not all(self.course.has_ended(e) for e in exchanges):
            self.poll()
            time.sleep(0.05)

    # ---- the story ----

    def without_certificate(self):
        try:
            status, _ = self.once("GET", "/statuses?since=0", context=self.context(False))
        except (OSError, http.client.HTTPException):
            status = 401
        self.report.saw("certificado", status in (401, 403), f"contestó {status}")

    def run(self):
        begin = self.next
        try:
            socket.create_connection((self.url.hostname, self.url.port or 443), self.call_s).close()
        except OSError as error:
            raise Problem(f"nadie contesta en {self.settings['url']}") from error
        self.without_certificate()
        asked, body = self.request(3)
        reference = self.post(asked, body, "custodia", (200, 201, 409))
        self.until_ended([asked])
        self.report.saw("termino", self.course.has_ended(asked) and
                        self.course.reports(asked) == self.sent[asked],
                        f"{self.course.reports(asked)} de {self.sent[asked]} veces")
        again = self.post(asked, body, "repetido", (200, 409))
        self.report.saw("repetido", reference is not None and again == reference,
                        "otra referencia para la misma solicitud")
        before = self.said.count(asked)
        self.poll()
        self.report.saw("repetido", self.said.count(asked) == before, "la tomó como nueva")
        _, other = self.request(1)
        self.refuse("mal formada", other[:len(other) // 2])
        self.refuse("con DOCTYPE", b'<!DOCTYPE a [<!ENTITY b "c">]>' + other.partition(b"\n")[2])
        self.refuse("no válida", other.replace(b"MessageIdentification>", b"Identificador>"))
        good, body = self.request(1)
        reference = self.post(good, body, "sigue", (200, 201, 409))
        self.until_ended([good])
        self.report.saw("sigue", reference is not None and self.course.has_ended(good),
                        "la solicitud buena que vino después no llegó a su término")
        first, second = self.page(begin), self.page(begin)
        if first is not None and second is not None:
            names = [[s.findtext(SPACE + n) for n in ("ActivityIdentification", "ActivityStatus",
                                                      "Occurrence")]
                     for page in (first, second) for s in page.findall(SPACE + "Status")]
            half = len(names) // 2
            self.report.saw("posicion", names[:half] == names[half:], "dos veces lo mismo, distinto")
