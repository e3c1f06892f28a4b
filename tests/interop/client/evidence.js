// What a receipt proves, checked with node:crypto alone: commitment, leaf, inclusion path (RFC 9162
// §2.1.3.2) and the log's Ed25519 signature on the checkpoint (C2SP tlog-proof, signed-note). Each
// failed check throws an error that names it.
import { createHash, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';

export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const u16 = (n) => { const b = Buffer.alloc(2); b.writeUInt16BE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const text = (s) => Buffer.from(s, 'utf8');
function check(holds, what) { if (!holds) throw new Error(what); }

// M: the commitment to a message, from the bytes of its parts and their blinds.
export function messageCommitment(message) {
  const parts = [{ part: 0, blind: message.header_blind, bytes: message.header }];
  for (const c of message.compartments ?? []) {
    parts.push({ part: c.part, blind: c.blind, bytes: c.sealed ?? c.clear ?? Buffer.alloc(0) });
  }
  parts.sort((a, b) => a.part - b.part);
  const digests = parts.map(({ part, blind, bytes }) => Buffer.concat([
    u16(part), sha256(text('enlace/part/v1\0'), blind, u64(bytes.length), bytes)]));
  return sha256(text('enlace/message/v1\0'), u16(parts.length), ...digests);
}

// C: what stands in one log's leaf.
export function leafCommitment(origin, nonce, commitment) {
  return sha256(text('enlace/leaf/v1\0'), u16(text(origin).length), text(origin), nonce, commitment);
}

// name+id+base64(0x01 ‖ key), as the directory lists it.
export function parseVkey(vkey) {
  const [name, id, base64] = vkey.split(/\+(?=[0-9a-f]{8}\+)|(?<=\+[0-9a-f]{8})\+/);
  const raw = Buffer.from(base64, 'base64');
  check(raw.length === 33 && raw[0] === 1, 'vkey.type');
  check(sha256(text(`${name}\n`), raw).subarray(0, 4).toString('hex') === id, 'vkey.id');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]);
  return { name, id, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

const decimal = (s, what) => { check(/^(0|[1-9][0-9]{0,18})$/.test(s), what); return BigInt(s); };
const hash = (s, what) => {
  const bytes = Buffer.from(s, 'base64');
  check(bytes.length === 32 && bytes.toString('base64') === s, what);
  return bytes;
};

// A checkpoint: three lines, an empty one, signatures. Gives size and root once the log signed it.
export function openCheckpoint(note, log) {
  const end = note.indexOf('\n\n');
  check(end > 0 && note.endsWith('\n'), 'checkpoint.malformed');
  const body = note.slice(0, end + 1);
  const lines = body.slice(0, -1).split('\n');
  check(lines.length === 3 && lines[0] === log.name, 'checkpoint.origin');
  const signatures = note.slice(end + 2, -1).split('\n').map((line) => line.match(/^— (\S+) (\S+)$/));
  check(signatures.every(Boolean), 'checkpoint.malformed');
  const ours = signatures.map((m) => ({ name: m[1], raw: Buffer.from(m[2], 'base64') }))
    .find(({ name, raw }) => name === log.name && raw.subarray(0, 4).toString('hex') === log.id);
  check(ours !== undefined, 'checkpoint.unsigned');
  check(verify(null, text(body), log.key, ours.raw.subarray(4)), 'checkpoint.signature');
  return { size: decimal(lines[1], 'checkpoint.size'), root: hash(lines[2], 'checkpoint.root') };
}

function rootOf(leafHash, index, size, path) {
  let fn = index, sn = size - 1n, r = leafHash;
  for (const p of path) {
    check(sn > 0n, 'path.too_long');
    if ((fn & 1n) === 1n || fn === sn) {
      r = sha256(Buffer.from([1]), p, r);
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      r = sha256(Buffer.from([1]), r, p);
    }
    fn >>= 1n; sn >>= 1n;
  }
  check(sn === 0n, 'path.too_short');
  return r;
}

// The whole check of R0 or R1: `receipt` holds for the message with commitment M in the log `log`.
export function verifyReceipt(receipt, commitment, log) {
  const { leaf } = receipt;
  check(leaf.length === 200 && leaf.subarray(0, 4).toString() === 'ENL1' && leaf[4] === 1, 'leaf.malformed');
  check(leafCommitment(log.name, leaf.subarray(88, 104), commitment).equals(leaf.subarray(24, 56)), 'leaf.other_message');
  const proof = receipt.tlog_proof.toString('utf8');
  const end = proof.indexOf('\n\n');
  const lines = proof.slice(0, end).split('\n');
  check(lines.shift() === 'c2sp.org/tlog-proof@v1', 'proof.malformed');
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const [word, number] = lines.shift().split(' ');
  check(word === 'index', 'proof.malformed');
  const index = decimal(number, 'proof.index');
  check(index === leaf.readBigUInt64BE(16), 'leaf.index');
  const path = lines.map((line) => hash(line, 'proof.hash'));
  const { size, root } = openCheckpoint(proof.slice(end + 2), log);
  check(index < size, 'proof.index');
  check(rootOf(sha256(Buffer.from([0]), leaf), index, size, path).equals(root), 'proof.not_included');
  return { index, size, time: new Date(Number(leaf.readBigUInt64BE(8)) * 1000) };
}

// An official's signature over M.
const actText = (commitment) => Buffer.concat([text('enlace/act/v1\0'), commitment]);
export const signAct = (commitment, privateKey) => sign('sha256', actText(commitment), privateKey);
export function verifyAct(commitment, { certificate, signature }) {
  const holder = new X509Certificate(certificate);
  check(verify('sha256', actText(commitment), holder.publicKey, signature), 'act.signature');
  return holder.subjectAltName;
}
