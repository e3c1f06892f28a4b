"""kit_sedesa - plays Enlace towards a hospital that speaks HL7 FHIR R4 (adapters/sedesa)."""
import hashlib
import http.client
import json
import re
import socket
import ssl
import time
import urllib.parse
import uuid

from report import Course, Problem, mapping_table, need, new_id, no_twice, sha256_of, zone_now

PROFILE = "sedesa/1"
OURS = "urn:enlace:encargo"
MEMBER = "urn:enlace:miembro"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
BODY_MAX = 2 << 20
DEPTH_MAX = 32
PAGES_MAX = 40
POSTS_MAX = 5
V = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]
# What the hospital's Task may say, in their order; [claves estado] has the hospital's words.
EVENTS = {"accepted": "accept", "in-progress": "start", "in-force": "in-force", "ended": "end",
          "declined": "decline", "failed": "fail"}
STATUSES = {"accepted": "accepted", "in-progress": "in-progress", "in-force": "in-progress",
            "ended": "completed", "declined": "rejected", "failed": "failed", "on-hold": "on-hold",
            "sent": "requested", "in-custody": "received"}

CHECKS = [
    ("certificado", "no contesta a quien no trae certificado de cliente",
     "Exija certificado de cliente de su autoridad (mutual TLS)."),
    ("servicio", "contesta a tiempo y sin 5xx",
     "Revise el registro del servidor: contestó 5xx, tardó demasiado o cortó la línea."),
    ("version", "su CapabilityStatement dice FHIR 4.0",
     "GET /metadata: fhirVersion 4.0.1; con otra versión Enlace no envía nada."),
    ("json", "lo que contesta es JSON en UTF-8, sin claves repetidas, hasta 2 MiB y 32 niveles",
     "Use un escritor de JSON: cada clave una vez, números que quepan, Content-Type fhir+json."),
    ("custodia", "cada transacción recibe su transaction-response, con una respuesta por recurso",
     "Conteste 200 y un Bundle transaction-response con entry.response en el mismo orden, ya guardado."),
    ("repetido", "una transacción que se repite no crea nada dos veces (ifNoneExist)",
     "Respete ifNoneExist: con el identificador conocido conteste 200 y el mismo recurso."),
    ("busqueda", "Task se busca por identifier y contesta un searchset",
     "GET /Task?identifier=urn:enlace:encargo|&_sort=_lastUpdated: un Bundle searchset."),
    ("desde", "_lastUpdated=ge… devuelve lo que cambió desde entonces, y nada anterior",
     "Compare meta.lastUpdated con el instante pedido, incluido."),
    ("paginas", "la página siguiente es del mismo servidor",
     "link.next es una dirección bajo la misma base."),
    ("encargos", "cada Task conserva su identifier y el focus en su ServiceRequest",
     "No cambie identifier ni focus; el identificador es «intercambio/medida»."),
    ("folios", "los Task de urn:enlace:encargo son de lo que se le envió",
     "No cree Task con identificadores de Enlace."),
    ("estados", "status y businessStatus son de la tabla y no se contradicen",
     "Use las claves de [claves estado], y el status de FHIR que les corresponde."),
    ("fechas", "las horas llevan zona", "Escriba lastModified como 2026-11-23T19:32:30-06:00."),
    ("orden", "los pasos van en orden y nada sigue al último",
     "requested, accepted, in-progress y completed, en ese orden."),
    ("ocurrencias", "las sesiones se agregan en su orden y no se quitan",
     "Un output «sesion» por cada vez, después de los que ya están."),
    ("termino", "lo pedido llega a completed, con tantas sesiones como se pidieron",
     "Haga correr los datos de prueba hasta completed; un output «sesion» por cada vez."),
    ("rechazo", "lo mal formado o incompleto se rechaza con 4xx y no se guarda a medias",
     "Una transacción se toma entera o no se toma; conteste 4xx con OperationOutcome."),
    ("sigue", "después de una transacción mala sigue tomando las buenas",
     "Un envío que no se entiende no debe detener el servicio."),
]


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def no_constant(text):
    raise ValueError(text)


def finite(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def party(member):
    return {"identifier": {"system": MEMBER, "value": member}}


class Kit:
    def __init__(self, settings, report):
        need(settings, "mapping", "url", "ca", "certificate", "key")
        self.settings = settings
        self.report = report
        self.url = urllib.parse.urlsplit(settings["url"])
        if self.url.scheme != "https" or not self.url.hostname:
            raise Problem("url: se espera https://servidor:puerto/base")
        self.states = mapping_table(settings["mapping"], "estado")
        self.course = Course(report)
        self.sent = {}      # "exchange/1" -> how often
        self.said = {}      # "exchange/1" -> last known (state, sessions)
        self.timeout = float(settings.get("timeout_s", 60))
        self.call_s = float(settings.get("call_timeout_s", 2))
        self.began = zone_now()

    def profile(self):
        return {"nombre": PROFILE, "mapping_sha256": sha256_of(self.settings["mapping"])}

    # ---- calls ----

    def once(self, method, path, body=None, with_certificate=True):
        context = ssl.create_default_context(cafile=self.settings["ca"])
        if with_certificate:
            context.load_cert_chain(self.settings["certificate"], self.settings["key"])
        line = http.client.HTTPSConnection(self.url.hostname, self.url.port or 443,
                                           timeout=self.call_s, context=context)
        try:
            line.request(method, self.url.path.rstrip("/") + path, body,
                         {"Content-Type": "application/fhir+json"} if body else
                         {"Accept": "application/fhir+json"})
            answer = line.getresponse()
            text = answer.read(BODY_MAX + 1)
            self.report.note(method, estado=answer.status, sha256=hashlib.sha256(text).hexdigest())
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
            if self.report.saw("servicio", status < 500 and status != 429,
                               f"{method}: contestó {status}"):
                return status, text
        return 0, b""

    def document(self, text, kind):
        """A resource of this type, read strictly: or None."""
        try:
            if len(text) > BODY_MAX:
                raise ValueError("too long")
            found = json.loads(text.decode(), object_pairs_hook=no_twice,
                               parse_constant=no_constant, parse_float=finite)
            good = depth_of(found) <= DEPTH_MAX and found["resourceType"] == kind
        except (ValueError, TypeError, KeyError, RecursionError):
            found, good = None, False
        return found if self.report.saw("json", good, f"no es un {kind} que se lea") else None

    # ---- what goes ----

    def transaction(self, times):
        exchange = new_id()
        name = f"{exchange}/1"
        self.sent[name] = times
        urls = [f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name + kind)}" for kind in "PST"]
        both = {"requester": party("cdmx/mpi-cdmx"), "authoredOn": zone_now(),
                "priority": "routine", "intent": "order"}
        patient = {"resourceType": "Patient", "meta": {"security": V},
                   "identifier": [{"system": "urn:enlace:persona", "value": f"{exchange}/P1"}],
                   "name": [{"text": "Persona Sintética"}]}
        request = {"resourceType": "ServiceRequest", "meta": {"security": V},
                   "identifier": [{"system": OURS, "value": name}], "status": "active",
                   "subject": {"reference": urls[0]}, "performer": [party("cdmx/sedesa")],
                   "code": coded("urn:enlace:catalogo", "PRUEBA-CONFORMIDAD"),
                   "occurrenceTiming": {"repeat": {"frequency": times, "period": 1,
                                                   "periodUnit": "mo"}}, **both}
        task = {"resourceType": "Task", "meta": {"security": V},
                "identifier": [{"system": OURS, "value": name}], "status": "requested",
                "focus": {"reference": urls[1]}, "for": {"reference": urls[0]},
                "groupIdentifier": {"system": OURS, "value": exchange},
                "owner": party("cdmx/sedesa"),
                "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"), **both}
        entries = []
        for url, one in zip(urls, (patient, request, task)):
            key = one["identifier"][0]
            entries.append({"fullUrl": url, "resource": one, "request": {
                "method": "POST", "url": one["resourceType"],
                "ifNoneExist": f"identifier={key['system']}|{key['value']}"}})
        return name, json.dumps({"resourceType": "Bundle", "type": "transaction",
                                 "entry": entries}, ensure_ascii=False).encode()

    def post(self, body, check):
        """The addresses that it gave, or None."""
        status, text = self.call("POST", "", body)
        if not self.report.saw(check, status in (200, 201), f"contestó {status}"):
            return None
        answer = self.document(text, "Bundle")
        entries = (answer or {}).get("entry", [])
        good = answer is not None and answer.get("type") == "transaction-response" \
            and len(entries) == 3 and all(
                re.match("20[01]", str(e.get("response", {}).get("status", ""))) for e in entries)
        if not self.report.saw("custodia", good, "no es la respuesta de esa transacción"):
            return None
        return [e["response"].get("location", "").split("/_history")[0] for e in entries]

    def refuse(self, what, body):
        try:
            status, _ = self.once("POST", "", body)
        except (OSError, http.client.HTTPException):
            status = 0
        self.report.saw("rechazo", 400 <= status < 500, f"{what}: contestó {status}")

    # ---- what comes back ----

    def tasks(self, since=""):
        """Every Task of ours, page by page."""
        path = f"/Task?identifier={OURS}%7C&_sort=_lastUpdated"
        if since:
            path += "&_lastUpdated=ge" + urllib.parse.quote(since)
        found = []
        for _ in range(PAGES_MAX):
            status, text = self.call("GET", path)
            if not self.report.saw("busqueda", status == 200, f"contestó {status}"):
                return None
            page = self.document(text, "Bundle")
            if page is None or not self.report.saw("busqueda", page.get("type") == "searchset",
                                                   "no es un searchset"):
                return None
            found += [e["resource"] for e in page.get("entry", [])
                      if e.get("resource", {}).get("resourceType") == "Task"]
            links = {link.get("relation"): link.get("url", "") for link in page.get("link", [])}
            if "next" not in links:
                return found
            base = self.settings["url"].rstrip("/")
            if not self.report.saw("paginas", links["next"].startswith(base + "/"),
                                   "link.next es de otro lugar"):
                return found
            path = links["next"][len(base):]
        return found

    def take(self, task):
        keys = [i.get("value") for i in task.get("identifier", []) if i.get("system") == OURS]
        if not self.report.saw("folios", len(keys) == 1 and keys[0] in self.sent,
                               "un Task de un encargo que no se le envió"):
            return
        name = keys[0]
        self.report.saw("encargos", task.get("focus", {}).get("reference", "").rpartition("/")[0]
                        .endswith("ServiceRequest"), "focus no es su ServiceRequest")
        for field in ("lastModified", "authoredOn"):
            if field in task:
                self.report.saw("fechas", re.fullmatch(INSTANT, str(task[field])) is not None,
                                f"{field} sin zona")
        word = task.get("businessStatus", {}).get("coding", [{}])[0].get("code", "")
        state = self.states.get(word, next(
            (ours for ours, theirs in STATUSES.items() if theirs == task.get("status")), None)
            if not word else None)
        agrees = state is not None and STATUSES.get(state) == task.get("status")
        if self.report.saw("estados", agrees, f"«{task.get('status')}» con «{word}»"):
            self.follow(name, state, task)

    def follow(self, name, state, task):
        """Between two looks several steps may have passed: they are said in their order."""
        exchange = name.split("/")[0]
        sessions = [o for o in task.get("output", []) if any(
            c.get("code") == "sesion" for c in o.get("type", {}).get("coding", []))]
        for one in sessions:
            self.report.saw("fechas", re.fullmatch(INSTANT, str(one.get("valueDateTime", "")))
                            is not None, "una sesión sin hora con zona")
        rank = {"sent": 0, "in-custody": 0, "accepted": 1, "in-progress": 2, "in-force": 3,
                "ended": 4}
        before, counted = self.said.get(name, ("sent", 0))
        if state in ("declined", "failed"):
            self.course.step(exchange, "1", EVENTS[state], "")
            return
        self.report.saw("orden", rank.get(state, 0) >= rank[before], f"de «{before}» a «{state}»")
        self.report.saw("ocurrencias", len(sessions) >= counted, "se quitaron sesiones")
        for step in ("accepted", "in-force"):
            if rank.get(state, 0) >= rank[step] > rank[before]:
                self.course.step(exchange, "1", EVENTS[step], "")
        for number in range(counted + 1, len(sessions) + 1):
            self.course.step(exchange, "1", "report", str(number))
        if state == "ended" and before != "ended":
            self.course.step(exchange, "1", "end", "")
        self.said[name] = (state if state in rank else before, len(sessions))

    def until_ended(self, name):
        exchange = name.split("/")[0]
        limit = time.monotonic() + self.timeout
        while time.monotonic() < limit and not self.course.has_ended(exchange):
            for task in self.tasks(self.began) or []:
                self.take(task)
            time.sleep(0.05)
        return self.course.has_ended(exchange)

    # ---- the story ----

    def knows_version(self):
        status, text = self.call("GET", "/metadata")
        said = self.document(text, "CapabilityStatement") if status == 200 else None
        version = (said or {}).get("fhirVersion", "")
        return self.report.saw("version", str(version).startswith("4.0"), f"dice «{version}»")

    def run(self):
        report = self.report
        try:
            socket.create_connection((self.url.hostname, self.url.port or 443), self.call_s).close()
        except OSError as error:
            raise Problem(f"nadie contesta en {self.settings['url']}") from error
        try:
            status, _ = self.once("GET", "/metadata", with_certificate=False)
        except (OSError, http.client.HTTPException):
            status = 401
        report.saw("certificado", status in (401, 403), f"contestó {status}")
        self.knows_version()
        asked, body = self.transaction(3)
        places = self.post(body, "custodia")
        done = self.until_ended(asked)
        reports = self.course.reports(asked.split("/")[0])
        report.saw("termino", done and reports == 3, f"{reports} de 3 sesiones")
        again = self.post(body, "repetido")
        report.saw("repetido", places is not None and again == places, "otros recursos")
        mine = [t for t in self.tasks() or [] if any(i.get("value") == asked
                                                     for i in t.get("identifier", []))]
        report.saw("repetido", len(mine) == 1, f"hay {len(mine)} Task del mismo encargo")
        self.since(mine)
        bad, other = self.transaction(1)
        self.refuse("mal formada", other[:len(other) // 2])
        self.refuse("con una referencia a nada", other.replace(
            b'"focus": {"reference": "urn:uuid:', b'"focus": {"reference": "urn:uuid:0'))
        self.refuse("de otro tipo", other.replace(b'"type": "transaction"', b'"type": "message"'))
        good, body = self.transaction(1)
        taken = self.post(body, "sigue")
        report.saw("sigue", taken is not None and self.until_ended(good),
                   "el encargo bueno que vino después no llegó a su término")
        report.saw("rechazo", not any(i.get("value") == bad for t in self.tasks() or []
                                      for i in t.get("identifier", [])),
                   "guardó una parte de lo que rechazó")
        report.saw("paginas")

    def since(self, mine):
        if not mine:
            return
        updated = mine[0].get("meta", {}).get("lastUpdated", "")
        if not self.report.saw("fechas", re.fullmatch(INSTANT, str(updated)) is not None,
                               "meta.lastUpdated sin zona"):
            return
        found = self.tasks(updated)
        names = [i.get("value") for t in found or [] for i in t.get("identifier", [])]
        self.report.saw("desde", mine[0]["identifier"][0]["value"] in names,
                        "el instante mismo no cuenta")
        later = self.tasks("2099-01-01T00:00:00-06:00")
        self.report.saw("desde", later == [], "devuelve lo que no ha cambiado")
