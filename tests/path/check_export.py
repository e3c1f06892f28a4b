#!/usr/bin/env python3
"""check_export.py EXPORT DIRECTORY: verifies each record of the console's JSON export by itself, with the
log's key from the directory: leaf, commitment to the record, tlog-proof, checkpoint signature."""
import base64
import json
import struct
import sys

import client

with open(sys.argv[1], encoding="utf-8") as file:
    export = json.load(file)
vkeys = client.directory_facts(sys.argv[2])["vkeys"]
for row in export["records"]:
    evidence = row["evidence"]
    leaf, record, blind = (base64.b64decode(evidence[name], validate=True) for name in ("leaf", "record", "record_blind"))
    head, _, note = evidence["tlog_proof"].partition("\n\n")
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1] == f"index {row['index']}", lines[:2]
    origin, size, root = client.open_checkpoint(note, vkeys)
    assert origin == export["log"] and size >= export["size"]
    assert struct.unpack(">Q", leaf[16:24])[0] == row["index"]
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    assert client.root_of(client.sha(b"\0", leaf), row["index"], size, path) == root, "not in the tree"
    assert client.sha(b"enlace/record/v1\0", blind, struct.pack(">Q", len(record)), record) == leaf[56:88], "record"
print(f"{len(export['records'])} records verified")
