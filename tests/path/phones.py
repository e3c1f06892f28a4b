"""phones - what officials are woken by, for tests: a mail server with STARTTLS, a webhook over
HTTPS, a program; all of them keep what they got."""
import base64
import email
import email.header
import hashlib
import hmac
import http.server
import json
import os
import socketserver
import ssl
import threading
import time


def tls(keys):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{keys}/tls.pem", f"{keys}/tls.key")
    return context


class Mailbox(socketserver.ThreadingTCPServer):
    """SMTP as RFC 5321 needs it for one mail at a time; `keys` None: it knows no STARTTLS."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, keys, host="127.0.0.1", login=None):
        self.context = tls(keys) if keys else None
        self.login, self.mails, self.plain = login, [], 0
        super().__init__((host, 0), Session)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def texts(self, to=None):
        return [text for recipient, text in list(self.mails) if to in (None, recipient)]


class Session(socketserver.BaseRequestHandler):
    def say(self, text):
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def handle(self):
        self.file = self.request.makefile("rwb")
        is_safe = is_known = False
        recipient = ""
        self.say("220 buzón")
        while line := self.file.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                self.say("250-buzón")
                if self.server.context and not is_safe:
                    self.say("250-STARTTLS")
                if self.server.login and is_safe:
                    self.say("250-AUTH PLAIN")
                self.say("250 8BITMIME")
            elif verb == "STARTTLS":
                self.say("220 venga")
                try:
                    self.request = self.server.context.wrap_socket(self.request, server_side=True)
                except (OSError, ssl.SSLError):
                    return
                self.file = self.request.makefile("rwb")
                is_safe = True
            elif verb == "AUTH":
                words = line.split(" ")
                if len(words) < 3:
                    self.say("334 ")
                    words.append(self.file.readline().decode().strip())
                is_known = base64.b64decode(words[2]).split(b"\0")[1:] == self.server.login
                self.say("235 sí" if is_known else "535 no")
            elif verb == "MAIL" and self.server.login and not is_known:
                self.say("530 quién")
            elif verb == "RCPT":
                recipient = line.split("<")[1].split(">")[0]
                self.say("250 sí")
            elif verb == "DATA":
                self.server.plain += not is_safe
                self.say("354 siga")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.file.readline()
                self.server.mails.append((recipient, data[:-5].decode()))
                self.say("250 sí")
            elif verb == "QUIT":
                self.say("221 adiós")
                return
            else:
                self.say("250 sí")


def subject(mail):
    """The alert, from the subject; it must stand in the body, too."""
    parsed = email.message_from_string(mail)
    text = str(email.header.make_header(email.header.decode_header(parsed["Subject"])))
    assert parsed.get_payload().strip() == text, mail
    return text


class Hook(http.server.ThreadingHTTPServer):
    """A webhook that keeps (path, alert) of what is signed well, and counts what is not."""

    daemon_threads = True

    def __init__(self, keys, secret):
        self.secret, self.calls, self.bad = secret.encode(), [], 0
        super().__init__(("127.0.0.1", 0), Post)
        self.socket = tls(keys).wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        instant = self.headers.get("Enlace-Instante", "")
        wanted = hmac.new(self.server.secret, instant.encode() + b"." + body, hashlib.sha256)
        is_good = (self.headers.get("Enlace-Firma") == "sha256=" + wanted.hexdigest() and
                   abs(int(instant) - time.time()) < 60)
        self.server.bad += not is_good
        if is_good:
            self.server.calls.append((self.path, json.loads(body)["aviso"]))
        self.send_response(204 if is_good else 403)
        self.end_headers()

    def log_message(self, *_):
        pass


class Program:
    """A program that appends its standard input, its arguments and its environment to a file."""

    def __init__(self, folder, name, script='cat >>"{out}"\necho "$# $(env | cut -d= -f1 | sort | tr "\\n" " ")" >>"{out}.how"'):
        self.path, self.out = f"{folder}/{name}.sh", f"{folder}/{name}.out"
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script.format(out=self.out) + "\n")
        os.chmod(self.path, 0o700)

    def lines(self, end=""):
        if not os.path.exists(self.out + end):
            return []
        with open(self.out + end, encoding="utf-8") as file:
            return file.read().splitlines()
