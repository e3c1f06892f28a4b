"""year - what a simulated institution is to do, on which days, and its own book of what it did.

An agenda is lines of "FOLIO COUNT FIRST-DAY LAST-DAY" (deploy/demo: scripts/); COUNT "planned" is as
often as the request asks, and FOLIO "*" stands for all others. Without an agenda everything is done
now, as often as asked.

The book is the institution's, not Enlace's: nothing of the exchange's side writes or reads it while it
runs. One line for each thing done, once, however often a request comes or the program is killed:

    accion        FOLIO  MEDIDA  OCURRENCIA  AAAA-MM-DD  CLAVE
    canalizacion  REFERENCIA
"""
import datetime
import hashlib
import os
import threading

ZONE = datetime.timezone(datetime.timedelta(hours=-6))


def add_arguments(parser):
    parser.add_argument("--agenda")
    parser.add_argument("--book")


class Year:
    def __init__(self, options):
        self.agenda = {}
        self.path = options.book
        self.written = set()
        self.lock = threading.Lock()
        if options.agenda:
            with open(options.agenda, encoding="utf-8") as file:
                rows = [line.split() for line in file if line.strip() and line[0] != "#"]
            self.agenda = {row[0]: (row[1], *map(datetime.date.fromisoformat, row[2:4])) for row in rows}
        if self.path and os.path.exists(self.path):
            self.read_book()

    def read_book(self):
        """A line that a crash cut short was never written."""
        with open(self.path, "r+b") as file:
            data = file.read()
            whole = data[:data.rfind(b"\n") + 1]
            file.truncate(len(whole))
        for line in whole.decode("utf-8").splitlines():
            self.written.add(tuple(line.split("\t")[:4 if line.startswith("accion") else 2]))

    def days(self, folio, item, asked):
        """When each occurrence of an item happens; as many as there are to be."""
        if not self.agenda:
            return [datetime.datetime.now(ZONE)] * asked
        amount, first, last = self.agenda.get(folio, self.agenda.get("*", ("planned", None, None)))
        if first is None:
            return [datetime.datetime.now(ZONE)] * asked
        count = asked if amount == "planned" else int(amount)
        seed = hashlib.sha256(f"{folio}/{item}".encode()).digest()
        span = (last - first).days
        out = []
        for n in range(count):
            offset = span * n // (count - 1) if count > 1 else seed[0] % (span + 1)
            minute = (seed[1] * 7 + n * 29) % 600
            out.append(datetime.datetime.combine(first + datetime.timedelta(days=offset),
                                                 datetime.time(8 + minute // 60, minute % 60), ZONE))
        return out

    def did(self, done):
        """Of each (folio, item, occurrence, when, code): in the book, durably, before it is said."""
        self.write([("accion", folio, str(item), str(occurrence), f"{when:%Y-%m-%d}", code)
                    for folio, item, occurrence, when, code in done], 4)

    def referred(self, reference):
        self.write([("canalizacion", reference)], 2)

    def write(self, rows, key):
        with self.lock:
            new = [row for row in rows if row[:key] not in self.written]
            if not self.path or not new:
                return
            with open(self.path, "ab") as file:
                file.write("".join("\t".join(row) + "\n" for row in new).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            self.written.update(row[:key] for row in new)
