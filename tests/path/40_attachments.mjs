// What a wrong or hostile client gets when it sends and asks for attachments: each row of the table
// is one stream and the reason that must come back. node 40_attachments.mjs WORK CDMX SEDESA
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const load = createRequire(new URL('../interop/package.json', import.meta.url));
const grpc = load('@grpc/grpc-js');
const loader = load('@grpc/proto-loader');

const [work, cdmx, sedesa] = process.argv.slice(2);
const protos = new URL('../../proto', import.meta.url).pathname;
const { enlace } = grpc.loadPackageDefinition(loader.loadSync(
  ['enlace/v1/exchange.proto', 'enlace/v1/federation.proto'],
  { keepCase: true, longs: Number, includeDirs: [protos] }));

const KIB = 1024;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

function newId() {
  const id = randomBytes(16);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return id;
}

function client(service, address, folder) {
  const read = (name) => readFileSync(`${work}/pki/${name}`);
  const credentials = grpc.credentials.createSsl(
    read('ca/all.pem'), read(`${folder}/tls.key`), read(`${folder}/tls.pem`));
  return new enlace.v1[service](address, credentials);
}

const mpi = client('ExchangeService', cdmx, 'system/cdmx.mpi-cdmx.plataforma');
const ceavi = client('ExchangeService', cdmx, 'system/cdmx.ceavi.adapter');
const asNode = client('ExchangeService', sedesa, 'node/cdmx');
const node = client('FederationService', sedesa, 'node/cdmx');
const otherNode = client('FederationService', sedesa, 'node/ssc');
const asSystem = client('FederationService', sedesa, 'system/cdmx.mpi-cdmx.plataforma');

const hello = (bytes, to, id = newId(), more = {}) => (
  { hello: { attachment_id: id, ...(bytes.length > 0 && { size: bytes.length }), sha256: sha256(bytes), to, ...more } });
// Defaults are left out, as proto3 has it: a zero that is written out is refused (decode.not_canonical).
const at = (offset) => (offset === 0 ? {} : { offset });
const chunk = (offset, data, digest = sha256(data)) => (
  { chunk: { ...at(offset), data, sha256: digest } });

// Writes each request when the one before was answered; gives the answers and how it ended.
function talk(stream, requests) {
  return new Promise((resolve) => {
    const answers = [];
    const rest = [...requests];
    const next = () => (rest.length > 0 ? stream.write(rest.shift()) : stream.end());
    stream.on('data', (answer) => { answers.push(answer); next(); });
    stream.on('error', (error) => resolve({ answers, reason: String(error.metadata?.get('enlace-reason')[0] ?? error.details) }));
    stream.on('end', () => resolve({ answers, reason: 'ok' }));
    next();
  });
}

const put = (requests, by = mpi) => () => talk(by.PutAttachment(), requests);
const putPeer = (requests, by = node) => () => talk(by.PutPeerAttachment(), requests);
const get = (id, offset, by = ceavi) => () => talk(by.GetAttachment(), [{ attachment_id: id, ...at(offset) }]);

const small = randomBytes(100 * KIB);
const big = randomBytes(300 * KIB);
const to = 'cdmx/ceavi';
const kept = newId();
const wrong = newId();
const flipped = Buffer.from(small);
flipped[50 * KIB] ^= 1;

const table = [
  ['in two chunks', 'ok', put([hello(big, to, kept), chunk(0, big.subarray(0, 7)), chunk(7, big.subarray(7, 200 * KIB)), chunk(200 * KIB, big.subarray(200 * KIB))])],
  ['asked for from an offset', 'ok', get(kept, 290 * KIB)],
  ['asked for past its end', 'attachment.offset', get(kept, 300 * KIB + 1)],
  ['asked for by its sender, who holds no copy', 'attachment.unknown', get(kept, 0, mpi)],
  ['a chunk before the hello', 'attachment.hello', put([chunk(0, small)])],
  ['two hellos', 'attachment.hello', put([hello(small, to), hello(small, to)])],
  ['an empty request', 'decode.missing', put([{}])],
  ['a flipped byte in a chunk', 'attachment.chunk_digest', put([hello(small, to), chunk(0, flipped, sha256(small))])],
  ['a gap', 'attachment.offset', put([hello(big, to), chunk(1, small)])],
  ['more than was announced', 'attachment.offset', put([hello(small, to), chunk(0, big.subarray(0, 100 * KIB + 1))])],
  ['a chunk over 256 KiB', 'attachment.chunk_size', put([hello(big, to), chunk(0, big)])],
  ['an empty file', 'attachment.size', put([hello(Buffer.alloc(0), to)])],
  ['over 200 MiB', 'attachment.size', put([hello(small, to, newId(), { size: 200 * KIB * KIB + 1 })])],
  ['another file than announced', 'attachment.digest', put([hello(small, to, wrong), chunk(0, flipped)])],
  ['and nothing of it stays', 'ok', put([hello(small, to, wrong), chunk(0, small)])],
  ['a node as a member', 'identity.not_allowed', put([hello(small, to)], asNode)],
  ['a system as a node', 'identity.not_allowed', putPeer([hello(small, 'cdmx/sedesa')], asSystem)],
  ['from a node, for a member of its own route', 'ok', putPeer([hello(small, 'cdmx/sedesa'), chunk(0, small)])],
  ['from a node, for a member that lives elsewhere', 'recipient.not_here', putPeer([hello(small, to)])],
  ['from a node without such a route', 'route.none', putPeer([hello(small, 'cdmx/sedesa')], otherNode)],
];

let failed = 0;
function say(what, holds, why) {
  failed += !holds;
  if (!holds) console.log(`✖ ${what}: ${why}`);
}

for (const [what, expected, run] of table) {
  const { reason } = await run();
  say(what, reason === expected, `${reason}, not ${expected}`);
}

const part = await get(kept, 290 * KIB)();
say('the asked part, byte for byte', Buffer.concat(part.answers.map((a) => a.chunk.data)).equals(big.subarray(290 * KIB))
  && part.answers.every((a) => a.size === big.length && a.chunk.sha256.equals(sha256(a.chunk.data))), 'other bytes');

// The same file twice at once, and more streams than one member may have.
const open = [];
const id = newId();
const hold = (request) => new Promise((resolve) => {
  const stream = mpi.PutAttachment();
  open.push(stream);
  stream.on('data', () => resolve('ok'));
  stream.on('error', (error) => resolve(String(error.metadata.get('enlace-reason')[0])));
  stream.write(request);
});
say('a file that is being sent', await hold(hello(big, to, id)) === 'ok'
  && await hold(hello(big, to, id)) === 'attachment.busy', 'not attachment.busy');
let last = 'ok';
for (let i = 0; i < 17 && last === 'ok'; i++) last = await hold(hello(big, to));
say('a seventeenth stream', last === 'attachment.streams' && open.length === 18, `${last} at ${open.length}`);
for (const stream of open) stream.cancel();

process.exit(failed === 0 ? 0 : 1);
