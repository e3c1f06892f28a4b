#!/usr/bin/env python3
"""run - the conformance kit: plays Enlace's side towards an agency's system, with synthetic data.

    run.py ADAPTER --out FOLDER [--config FILE] [--fault NAME]... [--habit NAME]... [--timeout S] [--settle S]

FILE is the adapter's own settings (--agency) and may also say report_certificate and report_key (they
sign the certificate), timeout_s, settle_s, call_timeout_s, since. Without it the repository's
simulator is the agency, in a folder of its own; the other options are for that one. Use it against a
test system only. Ends with 0 (conforms), 1 (does not) or 2 (could not run).
"""
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import kit_lote
import kit_oficio
import kit_pgj
import kit_sedesa
import kit_ssc
from report import Problem, Report, openssl, read_settings

HERE = os.path.dirname(os.path.abspath(__file__))
KITS = {"lote": kit_lote, "oficio": kit_oficio, "pgj": kit_pgj, "sedesa": kit_sedesa, "ssc": kit_ssc}
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def self_signed(work, name):
    openssl("req", "-x509", *EC, "-days", "2", "-keyout", f"{work}/{name}.key", "-out",
            f"{work}/{name}.pem", "-subj", f"/CN={name} (sintético)")


def issued(work, name):
    openssl("req", *EC, "-keyout", f"{work}/{name}.key", "-out", f"{work}/{name}.csr", "-subj",
            f"/CN={name}")
    with open(f"{work}/san", "w", encoding="ascii") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{work}/{name}.csr", "-CA", f"{work}/ca.pem", "-CAkey",
            f"{work}/ca.key", "-CAcreateserial", "-days", "2", "-out", f"{work}/{name}.pem",
            "-extfile", f"{work}/san")


def simulator_lote(work, base):
    for name in ("enlace", "institution", "report"):
        self_signed(work, name)
    for name in ("out", "in"):
        os.mkdir(f"{work}/{name}")
    return (["--from", f"{work}/out", "--to", f"{work}/in", "--cert", f"{work}/institution.pem",
             "--key", f"{work}/institution.key", "--enlace", f"{work}/enlace.pem"],
            f"mapping = {base}/mappings/comun.map\noutgoing = out\nincoming = in\n"
            "sign_certificate = enlace.pem\nsign_key = enlace.key\nsigners = institution.pem\n", None)


def simulator_oficio(work, base):
    for name in ("enlace", "official", "report"):
        self_signed(work, name)
    for name in ("out", "in"):
        os.mkdir(f"{work}/{name}")
    return (["--from", f"{work}/out", "--to", f"{work}/in", "--cert", f"{work}/official.pem",
             "--key", f"{work}/official.key", "--system", f"{work}/enlace.pem"],
            f"mapping = {base}/mappings/comun.map\noutgoing = out\nincoming = in\n"
            "sign_certificate = enlace.pem\nsign_key = enlace.key\nsigners = official.pem\n", None)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def authority(work, *names):
    for name in ("ca", "report"):
        self_signed(work, name)
    for name in names:
        issued(work, name)


def simulator_sedesa(work, base):
    authority(work, "server", "client")
    port = free_port()
    return (["--port", str(port), "--cert", f"{work}/server.pem", "--key", f"{work}/server.key",
             "--ca", f"{work}/ca.pem"],
            f"mapping = {base}/mappings/comun.map\nurl = https://127.0.0.1:{port}/fhir\n"
            "ca = ca.pem\ncertificate = client.pem\nkey = client.key\n", port)


def simulator_ssc(work, base):
    authority(work, "server", "client", "adapter", "centre", "other")
    port, listen = free_port(), free_port()
    return (["--port", str(port), "--cert", f"{work}/server.pem", "--key", f"{work}/server.key",
             "--ca", f"{work}/ca.pem", "--schema", f"{base}/cap.xsd", "--detail-schema",
             f"{base}/detalle.xsd", "--adapter", str(listen), "--client-cert",
             f"{work}/centre.pem", "--client-key", f"{work}/centre.key", "--other-cert",
             f"{work}/other.pem", "--other-key", f"{work}/other.key"],
            f"mapping = {base}/mappings/comun.map\nschema = {base}/cap.xsd\n"
            f"detail_schema = {base}/detalle.xsd\nurl = https://127.0.0.1:{port}\nca = ca.pem\n"
            "certificate = client.pem\nkey = client.key\nsender = enlace.cdmx\n"
            f"addresses = centro.sintetico\nlisten = 127.0.0.1:{listen}\n"
            "server_certificate = adapter.pem\nserver_key = adapter.key\n", port)


def simulator_pgj(work, base):
    authority(work, "server", "client")
    port = free_port()
    return (["--port", str(port), "--cert", f"{work}/server.pem", "--key", f"{work}/server.key",
             "--ca", f"{work}/ca.pem", "--schema", f"{base}/pgj.xsd"],
            f"mapping = {base}/mappings/comun.map\nschema = {base}/pgj.xsd\n"
            f"url = https://127.0.0.1:{port}\nca = ca.pem\ncertificate = client.pem\n"
            "key = client.key\n", port)


def simulator_start(adapter, work, options):
    """The process and its settings file; the settings' certificate signs the report."""
    base = os.path.join(os.path.dirname(HERE), adapter)
    make = {"lote": simulator_lote, "oficio": simulator_oficio, "pgj": simulator_pgj,
            "sedesa": simulator_sedesa, "ssc": simulator_ssc}[adapter]
    arguments, settings, port = make(work, base)
    with open(f"{work}/agency.conf", "w", encoding="utf-8") as file:
        file.write(settings + "report_certificate = report.pem\nreport_key = report.key\n"
                   f"timeout_s = {options.timeout}\nsettle_s = {options.settle}\n")
    more = [word for name in options.fault for word in ("--fault", name)]
    more += [word for name in options.habit for word in ("--habit", name)]
    process = subprocess.Popen([sys.executable, f"{base}/simulator.py", *arguments, "--state",
                                f"{work}/state.json", *more])
    for _ in range(200 if port else 0):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    return process, f"{work}/agency.conf"


def examine(adapter, config, out):
    settings = read_settings(config)
    report = Report(adapter, KITS[adapter].CHECKS, out)
    kit = KITS[adapter].Kit(settings, report)
    kit.run()
    report.say()
    certificate = settings.get("report_certificate") or settings.get("sign_certificate") or \
        settings["certificate"]
    key = settings.get("report_key") or settings.get("sign_key") or settings["key"]
    # Beside the certificate, so that whoever gets the folder can verify it.
    shutil.copyfile(certificate, os.path.join(out, "firmante.pem"))
    report.certify(kit.profile(), os.path.join(out, "firmante.pem"), key)
    return 0 if report.conforms() else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("adapter", choices=sorted(KITS))
    parser.add_argument("--config", default="")
    parser.add_argument("--out", required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--habit", action="append", default=[])
    parser.add_argument("--timeout", type=float, default=20)
    parser.add_argument("--settle", type=float, default=1)
    options = parser.parse_args()
    process = None
    with tempfile.TemporaryDirectory() as work:
        try:
            config = options.config
            if not config:
                process, config = simulator_start(options.adapter, work, options)
            return examine(options.adapter, config, options.out)
        except Problem as problem:
            print(f"No se pudo correr: {problem}", file=sys.stderr)
            return 2
        finally:
            if process is not None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
