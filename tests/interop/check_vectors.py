#!/usr/bin/python3
"""check_vectors - reproduces vectors.json from proto/ and the written formulas, without our C code.

Google's protobuf serialises each vector's field values; hashlib computes the commitments of
gateway/tlog/commit.h. Then make_vectors, if the build folder has it, must still write this file.
Exits 77 (skipped) where protoc or Python's protobuf is missing.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/interop/vectors.json"
passed = failed = 0


def check(name, is_kept):
    global passed, failed
    if is_kept:
        passed += 1
    else:
        failed += 1
        print(f"✖ {name}")


def generate(folder):
    subprocess.run(
        ["protoc", f"--proto_path={ROOT / 'proto'}", f"--python_out={folder}",
         *[str(p) for p in sorted((ROOT / "proto/enlace/v1").glob("*.proto"))]],
        check=True)
    sys.path.insert(0, folder)
    from enlace.v1 import exchange_pb2, message_pb2
    return message_pb2, exchange_pb2


def value_of(field, value):
    """A scalar of the vector as Python's protobuf takes it."""
    if field.type == field.TYPE_BYTES:
        return bytes.fromhex(value)
    if field.type == field.TYPE_ENUM:
        return field.enum_type.values_by_name[value].number
    return value


def fill(message, values):
    """Sets the fields of `message` from a dictionary of names; nothing but these."""
    for name, value in values.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.label == field.LABEL_REPEATED:
            for entry in value:
                if field.type == field.TYPE_MESSAGE:
                    fill(getattr(message, name).add(), entry)
                else:
                    getattr(message, name).append(value_of(field, entry))
        elif field.type == field.TYPE_MESSAGE:
            getattr(message, name).SetInParent()
            fill(getattr(message, name), value)
        else:
            setattr(message, name, value_of(field, value))
    return message


# The formulas of gateway/tlog/commit.h.

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def commit_part(blind, content):
    return sha256(b"enlace/part/v1\0", blind, len(content).to_bytes(8, "big"), content)


def commit_message(parts):
    rows = [number.to_bytes(2, "big") + digest for number, digest in parts]
    return sha256(b"enlace/message/v1\0", len(parts).to_bytes(2, "big"), *rows)


def commit_leaf(origin, nonce, message):
    name = origin.encode()
    return sha256(b"enlace/leaf/v1\0", len(name).to_bytes(2, "big"), name, nonce, message)


def check_compartment(name, vector, message_pb2, message):
    """Adds the compartment to `message`; its part and commitment."""
    compartment = message.compartments.add(part=vector["part"], blind=bytes.fromhex(vector["blind"]))
    if "sealed" in vector:
        content = bytes.fromhex(vector["sealed"])
        compartment.sealed = content
    else:
        kind = getattr(message_pb2, vector["type"].capitalize() + "Compartment")
        content = fill(kind(), vector["fields"]).SerializeToString()
        compartment.clear = content
        check(f"{name}: bytes", content.hex() == vector["clear"])
    digest = commit_part(compartment.blind, content)
    check(f"{name}: commitment", digest.hex() == vector["commitment"])
    return vector["part"], digest


def check_vector(vector, message_pb2, exchange_pb2):
    name = vector["name"]
    request = exchange_pb2.SubmitRequest()
    message = request.submission.message
    message.header = fill(message_pb2.Header(), vector["header"]).SerializeToString()
    message.header_blind = bytes.fromhex(vector["header_blind"])
    check(f"{name}: header", message.header.hex() == vector["header_bytes"])
    parts = [(0, commit_part(message.header_blind, message.header))]
    check(f"{name}: header's commitment", parts[0][1].hex() == vector["header_commitment"])
    for compartment in vector.get("compartments", []):
        where = f"{name}: part {compartment['part']}"
        parts.append(check_compartment(where, compartment, message_pb2, message))
    for signature in vector.get("signatures", []):
        fill(message.signatures.add(), signature)
    for subject in vector.get("local_subjects", []):
        request.submission.local_subjects.append(bytes.fromhex(subject))
    commitment = commit_message(parts)
    check(f"{name}: M", commitment.hex() == vector["message_commitment"])
    leaf = commit_leaf(vector["origin"], bytes.fromhex(vector["nonce"]), commitment)
    check(f"{name}: C", leaf.hex() == vector["leaf_commitment"])
    check(f"{name}: request", request.SerializeToString().hex() == vector["submit_request"])


def is_own_packing(message, content):
    """Would strictness, said in terms of this library, accept these bytes?"""
    from google.protobuf.message import DecodeError
    try:
        message.ParseFromString(content)
    except DecodeError:
        return False
    message.DiscardUnknownFields()
    return message.SerializeToString() == content


def check_age():
    program = pathlib.Path(os.environ.get("BUILD", "build")) / "tests/interop/make_vectors"
    if not (ROOT / program).exists():
        print(f"{program} is not built: whether vectors.json is old was not asked")
        return
    made = subprocess.run([ROOT / program], check=True, capture_output=True).stdout
    check("vectors.json is what the codec makes today: make vectors", made == VECTORS.read_bytes())


def main():
    try:
        import google.protobuf  # noqa: F401
    except ModuleNotFoundError:
        print("skipped: python3-protobuf is not installed")
        return 77
    if shutil.which("protoc") is None:
        print("skipped: protoc is not installed")
        return 77
    document = json.loads(VECTORS.read_text())
    with tempfile.TemporaryDirectory() as folder:
        message_pb2, exchange_pb2 = generate(folder)
        for vector in document["vectors"]:
            check_vector(vector, message_pb2, exchange_pb2)
        for row in document["refused"]:
            kind = getattr(message_pb2, row["message"])
            check(f"refused: {row['name']}",
                  not is_own_packing(kind(), bytes.fromhex(row["bytes"])))
        check_age()
    print(f"vectors.py: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
