// The schema as published, and the one way in which Enlace writes it.
//
// A node accepts a header or a compartment only when its own packing of what it read gives the same
// bytes. That packing is: fields by ascending number, no default written out (but for the member
// of a oneof that is set), shortest varints, nothing unknown. This file does it from the .proto
// files alone, so that it can be copied into a partner's system.
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import protobuf from 'protobufjs';

const PROTO = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../proto');

export function loadSchema() {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => path.isAbsolute(target) ? target : path.join(PROTO, target);
  for (const name of ['message', 'receipt', 'exchange']) {
    root.loadSync(`enlace/v1/${name}.proto`, { keepCase: true });
  }
  root.resolveAll();
  return root.lookup('enlace.v1');
}

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const tag = (field, wire) => varint(BigInt(field.id) << 3n | BigInt(wire));
const lengthFirst = (bytes) => Buffer.concat([varint(bytes.length), bytes]);

// The bytes of one value, and whether it is the default of its type.
function pack(field, value) {
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = typeof value === 'string' ? field.resolvedType.values[value] : value;
    if (number === undefined) throw new Error(`${field.fullName}: no value ${value}`);
    return { wire: WIRE_VARINT, bytes: varint(number), isDefault: number === 0 };
  }
  if (field.resolvedType) {
    return { wire: WIRE_BYTES, bytes: lengthFirst(encode(field.resolvedType, value)), isDefault: false };
  }
  switch (field.type) {
    case 'string':
    case 'bytes': {
      const bytes = Buffer.from(value);
      return { wire: WIRE_BYTES, bytes: lengthFirst(bytes), isDefault: bytes.length === 0 };
    }
    case 'bool':
    case 'uint32':
    case 'uint64':
    case 'int64':
      return { wire: WIRE_VARINT, bytes: varint(value), isDefault: BigInt(value) === 0n };
    default:
      throw new Error(`${field.fullName}: the schema has no ${field.type} so far`);
  }
}

export function encode(type, object) {
  const parts = [];
  const fields = [...type.fieldsArray].sort((a, b) => a.id - b.id);
  for (const name of Object.keys(object)) {
    if (!type.fields[name]) throw new Error(`${type.fullName} has no field ${name}`);
  }
  for (const field of fields) {
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    for (const one of field.repeated ? value : [value]) {
      const { wire, bytes, isDefault } = pack(field, one);
      if (isDefault && !field.repeated && !field.partOf) continue;
      parts.push(tag(field, wire), bytes);
    }
  }
  return Buffer.concat(parts);
}

// Plain objects: 64-bit numbers as BigInt, enumerations by name, absent parts absent.
export function decode(type, bytes) {
  const plain = type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: Buffer, oneofs: true });
  return widen(type, plain);
}

function widen(type, object) {
  for (const field of type.fieldsArray) {
    const value = object[field.name];
    if (value === undefined) continue;
    const each = (change) => { object[field.name] = field.repeated ? value.map(change) : change(value); };
    if (field.resolvedType instanceof protobuf.Type) each((one) => widen(field.resolvedType, one));
    else if (['int64', 'uint64'].includes(field.type)) each(BigInt);
  }
  return object;
}
