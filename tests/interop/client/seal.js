// Sealed compartments, with the openssl command on both ends: CMS AuthEnvelopedData, AES-256-GCM.
// Plaintext: 32 random bytes, u32 length, content, zeros up to a bucket; its SHA-256 stands in the
// header, because GCM does not commit to its key.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { sha256 } from './evidence.js';

const BUCKETS = [1, 4, 16, 64, 256, 1024].map((kib) => kib * 1024);

export function seal(content, certificateFile) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const whole = Buffer.concat([randomBytes(32), length, content]);
  const plain = Buffer.alloc(BUCKETS.find((size) => size >= whole.length));
  whole.copy(plain);
  const sealed = execFileSync('openssl', ['cms', '-encrypt', '-binary', '-aes-256-gcm', '-outform', 'DER',
    '-recip', certificateFile, '-keyopt', 'ecdh_kdf_md:sha256'], { input: plain });
  return { sealed, digest: sha256(plain) };
}

export function open(sealed, { certificateFile, keyFile, digest }) {
  const plain = execFileSync('openssl', ['cms', '-decrypt', '-binary', '-inform', 'DER',
    '-recip', certificateFile, '-inkey', keyFile], { input: sealed, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 4 << 20 });
  if (!sha256(plain).equals(digest)) throw new Error('seal.digest');
  return plain.subarray(36, 36 + plain.readUInt32BE(32));
}
