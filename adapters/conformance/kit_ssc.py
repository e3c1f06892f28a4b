"""kit_ssc - plays Enlace towards a police or emergency centre that speaks CAP 1.2 (adapters/ssc)."""
import hashlib
import http.client
import http.server
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

from report import Course, Problem, mapping_table, need, new_id, sha256_of, zone_now

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
PROFILE = "ssc/1"
ZONED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
BODY_MAX = 1 << 20
POSTS_MAX = 5
CANARY = "CANARIO-SINTETICO"

CHECKS = [
    ("certificado", "no contesta a quien no trae certificado de cliente",
     "Exija certificado de cliente de su autoridad (mutual TLS)."),
    ("servicio", "contesta a tiempo y sin 5xx",
     "Revise el registro del servidor: contestó 5xx, tardó demasiado o cortó la línea."),
    ("custodia", "cada alerta recibe su Ack, con references a ella",
     "Conteste 200 con un Ack cuyo references sea «sender,identifier,sent» de la alerta guardada."),
    ("esquema", "lo que contesta y publica es válido por cap.xsd, sin DOCTYPE y de tamaño razonable",
     "Valide con xmllint --schema cap.xsd; sin DOCTYPE ni entidades, hasta 1 MiB."),
    ("repetido", "una alerta que se repite recibe el mismo Ack y no se toma dos veces",
     "Reconozca el identifier: conteste el mismo Ack y nada más."),
    ("detalle", "el detalle se recoge con el token de la alerta, con certificado y diciendo quién",
     "Pida GET /detail/TOKEN con su certificado y el encabezado Enlace-Officer."),
    ("una-vez", "un detalle que ya se tiene no se pide fuera de su plazo",
     "Guarde el detalle cuando llega: a los 15 minutos ya no está."),
    ("estados", "los estados son de la tabla de equivalencias",
     "Use los de [claves estado], o agregue los suyos a la tabla."),
    ("folios", "references, incidents y medida son de lo que se le envió",
     "Devuelva references e incidents tal como llegaron, y el número de medida de la alerta."),
    ("oficial", "cada paso dice quién lo hizo",
     "Ponga en cada info el parameter «oficial»: letras, cifras, punto y guiones, hasta 64."),
    ("fechas", "las horas llevan ±hh:mm, sin Z ni fracciones",
     "Escriba sent y onset como 2026-11-23T19:32:30-06:00."),
    ("privado", "lo que publica no dice nada de la persona",
     "Un Update lleva folio, medida, estado y oficial; el detalle no sale de su sistema."),
    ("orden", "los pasos van en orden y nada sigue al último",
     "Diga ACEPTADA, EN_VIGOR, REALIZADA y TERMINADA en ese orden."),
    ("ocurrencias", "REALIZADA lleva ocurrencia 1, 2, 3…",
     "Numere desde 1, sin saltos, por folio y medida."),
    ("termino", "lo pedido llega a su término, tantas veces como dice el detalle",
     "Haga correr los datos de prueba hasta TERMINADA, con Veces pasos REALIZADA."),
    ("insiste", "lo que se le contesta con 503 lo dice de nuevo",
     "Repita un Update hasta recibir 200 o 422."),
    ("cancela", "un Cancel recibe su Ack", "Conteste Ack también a Cancel y a Update."),
    ("rechazo", "lo mal formado, con DOCTYPE o no válido se rechaza con 4xx",
     "Valide con el XSD y sin DTD antes de tomar una alerta; conteste 400 o 422."),
    ("sigue", "después de una alerta mala sigue tomando las buenas",
     "Una alerta que no se entiende no debe detener el servicio."),
]


def text_of(node, name):
    return (node.findtext(CAP + name) or "") if node is not None else ""


def parameters(info):
    return {text_of(p, "valueName"): text_of(p, "value") for p in info.findall(CAP + "parameter")}


class Kit:
    def __init__(self, settings, report):
        need(settings, "mapping", "schema", "detail_schema", "url", "ca", "certificate", "key",
             "sender", "addresses", "listen", "server_certificate", "server_key")
        self.settings = settings
        self.report = report
        self.url = urllib.parse.urlsplit(settings["url"])
        if self.url.scheme != "https" or not self.url.hostname:
            raise Problem("url: se espera https://servidor:puerto")
        self.states = mapping_table(settings["mapping"], "estado")
        self.course = Course(report)
        self.lock = threading.Lock()
        self.alerts = {}    # identifier -> (reference, folio)
        self.tokens = {}    # token -> (folio, times)
        self.pulls = {}     # token -> how often
        self.steps = {}     # folio -> steps as they came
        self.later = 2      # so many posts get a 503 first
        self.delayed = set()
        self.timeout = float(settings.get("timeout_s", 60))
        self.call_s = float(settings.get("call_timeout_s", 2))

    def profile(self):
        return {"nombre": PROFILE, "mapping_sha256": sha256_of(self.settings["mapping"]),
                "schema_sha256": sha256_of(self.settings["schema"])}

    # ---- documents ----

    def is_valid(self, text, schema="schema"):
        return subprocess.run(["xmllint", "--noout", "--nonet", "--schema", self.settings[schema],
                               "-"], input=text, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def document(self, text, what):
        """Parsed only when it is small, has no DOCTYPE and is valid: or None."""
        for date in re.findall(rb"<(?:\w+:)?(?:sent|onset)>([^<]*)<", text):
            self.report.saw("fechas", re.fullmatch(ZONED, date.decode("utf-8", "replace"))
                            is not None, f"{what}: hora sin ±hh:mm")
        plain = len(text) <= BODY_MAX and b"<!DOCTYPE" not in text and b"<!ENTITY" not in text
        if not self.report.saw("esquema", plain and self.is_valid(text), f"{what}: no es válido"):
            return None
        return ET.fromstring(text)

    def alert(self, times, kind="Alert", follows="", folio=""):
        identifier = new_id()
        folio = folio or identifier
        token = f"{identifier}.{hashlib.sha256(identifier.encode()).hexdigest()}"
        sent = zone_now()
        reference = f"{self.settings['sender']},{identifier},{sent}"
        self.alerts[identifier] = (reference, folio)
        if kind == "Alert":
            self.tokens[token] = (folio, times)
            self.steps[folio] = []
        detail = f"<parameter><valueName>detalle</valueName><value>{token}</value></parameter>" \
            if kind == "Alert" else ""
        return folio, (
            '<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="' + CAP[1:-1] + '">'
            f"<identifier>{identifier}</identifier><sender>{self.settings['sender']}</sender>"
            f"<sent>{sent}</sent><status>Exercise</status><msgType>{kind}</msgType>"
            f"<scope>Private</scope><addresses>{self.settings['addresses']}</addresses>"
            + (f"<references>{follows}</references>" if follows else "") +
            f"<incidents>{folio}</incidents><info><language>es-MX</language>"
            "<category>Security</category><event>SOLICITUD</event><urgency>Expected</urgency>"
            "<severity>Unknown</severity><certainty>Unknown</certainty>"
            "<eventCode><valueName>medida</valueName><value>PRUEBA-CONFORMIDAD</value></eventCode>"
            "<parameter><valueName>medida</valueName><value>1</value></parameter>" + detail +
            "<area><areaDesc>Miguel Hidalgo</areaDesc><geocode><valueName>INEGI</valueName>"
            "<value>09016</value></geocode></area></info></alert>").encode()

    def detail(self, token):
        folio, times = self.tokens[token]
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Detalle xmlns="urn:enlace:detalle:1">'
            f"<Folio>{folio}</Folio><Clave>{token[:36]}</Clave><Fundamento>PRUEBA</Fundamento>"
            "<Finalidad>prueba</Finalidad><Medida><Numero>1</Numero>"
            f"<Codigo>PRUEBA-CONFORMIDAD</Codigo><Veces>{times}</Veces></Medida>"
            f"<Campo><Nombre>Alias</Nombre><Valor>{CANARY}</Valor></Campo></Detalle>").encode()

    # ---- calls to the centre ----

    def once(self, body, with_certificate=True):
        context = ssl.create_default_context(cafile=self.settings["ca"])
        if with_certificate:
            context.load_cert_chain(self.settings["certificate"], self.settings["key"])
        line = http.client.HTTPSConnection(self.url.hostname, self.url.port or 443,
                                           timeout=self.call_s, context=context)
        try:
            line.request("POST", self.url.path.rstrip("/") + "/alerts", body,
                         {"Content-Type": "application/cap+xml"})
            answer = line.getresponse()
            text = answer.read(BODY_MAX + 1)
            self.report.note("alerta", estado=answer.status,
                             sha256=hashlib.sha256(text).hexdigest())
            return answer.status, text
        finally:
            line.close()

    def post(self, body, check):
        """The Ack's identifier, or "". What fails once is said again, as the adapter does."""
        identifier = text_of(ET.fromstring(body), "identifier")
        for _ in range(POSTS_MAX):
            try:
                status, text = self.once(body)
            except (OSError, http.client.HTTPException) as error:
                self.report.saw("servicio", False, type(error).__name__)
                continue
            if not self.report.saw("servicio", status < 500, f"contestó {status}"):
                continue
            if not self.report.saw(check, status == 200, f"contestó {status}"):
                return ""
            ack = self.document(text, "su respuesta")
            good = ack is not None and text_of(ack, "msgType") == "Ack" \
                and text_of(ack, "references") == self.alerts[identifier][0] \
                and text_of(ack, "addresses") == self.settings["sender"]
            self.report.saw("custodia", good, "la respuesta no es el Ack de esa alerta")
            return text_of(ack, "identifier") if good else ""
        return ""

    def refuse(self, what, body):
        try:
            status, _ = self.once(body)
        except (OSError, http.client.HTTPException):
            status = 0
        self.report.saw("rechazo", 400 <= status < 500, f"{what}: contestó {status}")

    # ---- what the centre asks and says ----

    def pull(self, token, officer):
        with self.lock:
            known = token in self.tokens
            self.report.saw("detalle", known, "un token que no es de ninguna alerta")
            good = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", officer) is not None
            self.report.saw("detalle", good, "sin Enlace-Officer, o no es una clave")
            if not known or not good:
                return 404, b""
            self.pulls[token] = self.pulls.get(token, 0) + 1
            self.report.saw("una-vez", self.pulls[token] <= 2, "lo pidió más de dos veces")
            return 200, self.detail(token)

    def hear(self, text):
        with self.lock:
            digest = hashlib.sha256(text).hexdigest()
            self.report.note("publica", sha256=digest)
            self.report.saw("privado", CANARY.encode() not in text, "un dato del detalle")
            alert = self.document(text, "lo que publica")
            if alert is None:
                return 422
            if digest in self.delayed:
                self.report.saw("insiste")
            elif len(self.delayed) < self.later and self.is_plain(alert):
                self.delayed.add(digest)
                return 503
            return self.take(alert)

    def is_plain(self, alert):
        """An Update with which nothing is wrong: worth saying again."""
        return text_of(alert, "msgType") == "Update" and \
            (text_of(alert, "references"), text_of(alert, "incidents")) in self.alerts.values() and \
            all(text_of(i, "event") in self.states and "oficial" in parameters(i)
                for i in alert.findall(CAP + "info"))

    def take(self, alert):
        kind = text_of(alert, "msgType")
        known = [f for r, f in self.alerts.values() if r == text_of(alert, "references")]
        if kind == "Alert":
            return 200
        if not self.report.saw("folios", known == [text_of(alert, "incidents")],
                               "references o incidents de otra alerta"):
            return 422
        good = kind in ("Ack", "Error")
        for info in alert.findall(CAP + "info") if kind == "Update" else []:
            good = self.step(known[0], info)
        return 200 if good else 422

    def step(self, folio, info):
        said = parameters(info)
        state = self.states.get(text_of(info, "event"))
        if not self.report.saw("estados", state is not None, f"«{text_of(info, 'event')}»"):
            return False
        officer = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", said.get("oficial", "")) is not None
        if not self.report.saw("oficial", officer, "falta quién lo hizo"):
            return False
        if not self.report.saw("folios", said.get("medida", "1") == "1", "una medida que no hay"):
            return False
        if self.course.step(folio, "1", state, said.get("ocurrencia", "")):
            self.steps.setdefault(folio, []).append(state)
        return True

    def handler(self):
        kit = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                token = self.path[len("/detail/"):] if self.path.startswith("/detail/") else ""
                self.reply(*kit.pull(token, self.headers.get("Enlace-Officer", "")))

            def do_POST(self):
                size = min(int(self.headers.get("Content-Length", 0)), BODY_MAX + 1)
                status = kit.hear(self.rfile.read(size))
                self.reply(status, b"conformidad\n" if status == 422 else b"")

        return Handler

    def listen(self):
        host, _, port = self.settings["listen"].rpartition(":")
        try:
            server = http.server.ThreadingHTTPServer((host, int(port)), self.handler())
        except (OSError, ValueError) as error:
            raise Problem(f"listen: no se puede escuchar ({error})") from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.settings["server_certificate"], self.settings["server_key"])
        context.load_verify_locations(self.settings["ca"])
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    # ---- the story ----

    def until_ended(self, folios):
        limit = time.monotonic() + self.timeout
        while time.monotonic() < limit and not all(self.course.has_ended(f) for f in folios):
            time.sleep(0.05)

    def times_of(self, folio):
        return next(times for f, times in self.tokens.values() if f == folio)

    def run(self):
        try:
            socket.create_connection((self.url.hostname, self.url.port or 443), self.call_s).close()
        except OSError as error:
            raise Problem(f"nadie contesta en {self.settings['url']}") from error
        server = self.listen()
        try:
            self.story()
        finally:
            server.shutdown()
            server.server_close()

    def story(self):
        report = self.report
        asked, body = self.alert(3)
        self.without_certificate(body)
        ack = self.post(body, "custodia")
        self.until_ended([asked])
        pulled = [n for t, n in self.pulls.items() if self.tokens[t][0] == asked]
        report.saw("detalle", bool(pulled), "no recogió el detalle")
        report.saw("una-vez", bool(pulled), "no recogió el detalle")
        report.saw("termino", self.course.has_ended(asked) and
                   self.course.reports(asked) == self.times_of(asked),
                   f"{self.course.reports(asked)} de {self.times_of(asked)} veces")
        report.saw("insiste", len(self.delayed) > 0 and report.checks["insiste"]["visto"] > 0,
                   "lo que recibió 503 no se volvió a decir")
        before = len(self.steps[asked])
        again = self.post(body, "repetido")
        time.sleep(float(self.settings.get("settle_s", 3)))
        report.saw("repetido", ack != "" and again == ack, "otro Ack para la misma alerta")
        report.saw("repetido", len(self.steps[asked]) == before, "la tomó como nueva")
        _, other = self.alert(1)
        self.refuse("mal formada", other[:len(other) // 2])
        self.refuse("con DOCTYPE", b'<!DOCTYPE a [<!ENTITY b "c">]>' + other.partition(b"\n")[2])
        self.refuse("no válida", other.replace(b"scope>", b"alcance>"))
        good, body = self.alert(1)
        taken = self.post(body, "sigue")
        self.until_ended([good])
        report.saw("sigue", taken != "" and self.course.has_ended(good),
                   "la alerta buena que vino después no llegó a su término")
        reference = next(r for r, f in self.alerts.values() if f == good)
        _, cancel = self.alert(1, "Cancel", reference, good)
        report.saw("cancela", self.post(cancel, "cancela") != "", "sin Ack")

    def without_certificate(self, body):
        try:
            status, _ = self.once(body, with_certificate=False)
        except (OSError, http.client.HTTPException):
            status = 401
        self.report.saw("certificado", status in (401, 403), f"contestó {status}")
