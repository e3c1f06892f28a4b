"""The console on a log of many leaves, asked as its page asks it: the first page, each kind of filter,
and what the process takes. Times hold the node's answer and every proof verified by the console."""
import http.client
import json
import subprocess
import time
import urllib.parse

FILTERS = ("agencia:ssc", "tipo:aviso", "tipo:reporte", "estado:enviada", "estado:aceptada", "tipo:lectura", "tipo:directorio",
           "agencia:ssc tipo:aviso", "agencia:nadie", "desde:hoy", "hasta:ayer")
ROWS = 60


class ConsolePage:
    def __init__(self, enlace, profile, audit):
        self.child = subprocess.Popen([enlace, "--json", "--profile", profile, "console", "--port", "0", "--audit", audit],
                                      stdout=subprocess.PIPE, text=True)
        said = ""
        while "}" not in said:
            said += self.child.stdout.readline()
        self.link = urllib.parse.urlsplit(json.loads(said)["link"])
        self.cookie = ""
        self.connection = http.client.HTTPConnection(self.link.netloc, timeout=60)
        self.cookie = self.post("/api/entrar", {"token": self.link.fragment.removeprefix("entrar=")})[1].split(";")[0]

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {
            "Origin": f"http://{self.link.netloc}", "Content-Type": "application/json", "Cookie": self.cookie})
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise SystemExit(f"{path}: {text.decode()}")
        return json.loads(text), response.getheader("Set-Cookie", "")

    def search(self, text):
        """Milliseconds until the first screen stands: its rows, or the word that there are no more."""
        began = time.monotonic()
        answer = self.post("/api/bitacora/buscar", {"text": text, "rows": ROWS})[0]
        found = len(answer["rows"])
        while found < ROWS and answer["below"] > 0:
            answer = self.post("/api/bitacora/mas", {"search": answer["search"], "rows": ROWS})[0]
            found += len(answer["rows"])
        return (time.monotonic() - began) * 1000, found

    def largest_mb(self):
        with open(f"/proc/{self.child.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=30)


def measure(enlace, profile, audit, row):
    page = ConsolePage(enlace, profile, audit)
    try:
        page.search("")  # connects
        row("console_first_page_ms", sorted(page.search("")[0] for _ in range(5))[2])
        slowest = 0
        for text in FILTERS:
            spent = sorted(page.search(text) for _ in range(5))[2]
            print(f"    {text:28} {spent[0]:8.1f} ms, {spent[1]} rows", flush=True)
            slowest = max(slowest, spent[0])
        row("console_filter_ms", slowest)
        row("console_largest_mb", page.largest_mb())
    finally:
        page.stop()
