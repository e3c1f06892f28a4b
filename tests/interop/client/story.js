// story.js FOLDER: a measure request from the mechanism's system to the police's, over two real
// nodes (tests/path/70_other_language.sh), by a client that shares no code with them. FOLDER holds
// pki/ and directory.txt. A line per promise.
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readDirectory } from './directory.js';
import { verifyAct, verifyReceipt, messageCommitment, sha256 } from './evidence.js';
import { compose, compartmentBytes } from './message.js';
import { decode, encode, loadSchema } from './schema.js';
import { open, seal } from './seal.js';
import { connect } from './session.js';

const folder = process.argv[2];
const pki = path.join(folder, 'pki');
const schema = loadSchema();
const directory = readDirectory(path.join(folder, 'directory.txt'));
const terms = directory.terms('mpi-ssc-medidas');
const ca = path.join(pki, 'ca/all.pem');

let passed = 0, failed = 0;
async function promise(text, keep) {
  try {
    const kept = await keep();
    if (kept === false) throw new Error('it does not hold');
    passed++;
    console.log(`✔ ${text}`);
    return kept;
  } catch (error) {
    failed++;
    const why = [error.status, error.reason, error.path, error.message].filter(Boolean).join(' ');
    console.log(`✖ ${text}\n    ${why}`);
    return undefined;
  }
}
async function refused(text, keep, { status, reason, path: where }) {
  await promise(text, async () => {
    const error = await Promise.resolve().then(keep).then(() => null, (e) => e);
    if (error === null) throw new Error('it was accepted');
    if ((status && error.status !== status) || (reason && error.reason !== reason) ||
        (where && !error.path.includes(where))) throw error;
  });
}
function throws(what, keep) {
  try { keep(); } catch (error) {
    if (error.message === what) return true;
    throw error;
  }
  throw new Error(`accepted, where ${what} was expected`);
}

const files = (kind, name) => ({
  certificate: path.join(pki, kind, name, 'tls.pem'), key: path.join(pki, kind, name, 'tls.key') });
const official = (name) => {
  const { certificate, key } = files('official', name);
  return { certificate: new X509Certificate(readFileSync(certificate)).raw, key: createPrivateKey(readFileSync(key)) };
};
const nodes = { cdmx: directory.node('cdmx/cdmx'), ssc: directory.node('cdmx/ssc') };
const at = (code, credentials, more = {}) => connect(schema, {
  address: nodes[code].address, node: `spiffe://enlace.cdmx/node/${code}`, ca, credentials, ...more });
const flip = (bytes, where) => { const copy = Buffer.from(bytes); copy[where] ^= 1; return copy; };

// As `encode` takes it: without the names of oneofs.
function decodeForPacking(type, bytes) {
  const plain = decode(type, bytes);
  for (const oneof of Object.keys(type.oneofs ?? {})) delete plain[oneof];
  return plain;
}

const requester = at('cdmx', files('system', 'cdmx.mpi-cdmx.plataforma'));
const executor = at('ssc', files('system', 'cdmx.ssc.adapter'));

// --- who is who
await promise('the node names us as our certificate does', async () => {
  const said = await requester.call('Ping', {});
  return said.you === 'spiffe://enlace.cdmx/member/mpi-cdmx/system/plataforma';
});
const without = async (text, session) => {
  await refused(text, () => session.call('Ping', {}, 5), { status: 'UNAVAILABLE' });
  session.close();
};
await without('without a certificate there is no call', at('cdmx', null));
await without('TLS 1.2 is refused', at('cdmx', files('system', 'cdmx.mpi-cdmx.plataforma'), { tlsVersion: 'TLSv1.2' }));
await without('a node with another URI is not ours', at('cdmx', files('system', 'cdmx.ssc.adapter'), { node: 'spiffe://enlace.cdmx/node/pgj' }));

// --- a measure request, its location sealed for the police's system
const ssc = path.join(pki, 'system/cdmx.ssc.adapter');
const place = { alcaldia: '09015', street: 'Calle de la Prueba 12', directions: 'portón verde' };
const header = {
  from: 'cdmx/mpi-cdmx', from_system: 'plataforma', to: 'cdmx/ssc', urgency: 'URGENCY_ORDINARY',
  catalogue_code: 'PRO-COD-VIG', ...terms, consent: { state: 'CONSENT_STATE_GIVEN' },
  subjects: [{ pseudonym: randomBytes(16), role: 'SUBJECT_ROLE_PERSON' }],
  measure_request: { items: [
    { number: 1, code: 'PRO-COD-VIG', cadence: { count: 2, period: 'PERIOD_DAY' }, ends_on: '2027-06-30' }] },
};
const parts = () => ({
  clear: { identity: { alias: 'Ñandú' }, contact: { safe_channel: 'señal' } },
  sealed: { location: seal(compartmentBytes(schema, 'location', place), path.join(ssc, 'seal.pem')) },
});
const request = compose(schema, header, parts());
const first = await promise('a submission is answered with a receipt', async () =>
  (await requester.call('Submit', { submission: request.submission })).receipt);
if (!first) {
  console.log(`interop: ${passed} passed, ${failed} failed`);
  process.exit(1);
}
await promise('R0 verifies: commitment, leaf, path, checkpoint signed by the log of the directory', () =>
  first.level === 'RECEIPT_LEVEL_HELD' && verifyReceipt(first, request.commitment, nodes.cdmx.log));
const tampered = (change) => ({ ...first, ...change });
await promise('not for a header with one bit changed', () => throws('leaf.other_message', () =>
  verifyReceipt(first, messageCommitment({ ...request.message, header: flip(request.message.header, 20) }), nodes.cdmx.log)));
await promise('nor with one bit of the leaf changed', () => throws('proof.not_included', () =>
  verifyReceipt(tampered({ leaf: flip(first.leaf, 199) }), request.commitment, nodes.cdmx.log)));
await promise('nor with one bit of the signature changed', () => {
  const proof = first.tlog_proof.toString();
  const swap = proof.at(-10) === 'A' ? 'B' : 'A';
  return throws('checkpoint.signature', () => verifyReceipt(
    tampered({ tlog_proof: Buffer.from(proof.slice(0, -10) + swap + proof.slice(-9)) }), request.commitment, nodes.cdmx.log));
});
await promise('nor by the key of another log', () =>
  throws('leaf.other_message', () => verifyReceipt(first, request.commitment, nodes.ssc.log)));

await promise('the same message again gets the same receipt, byte for byte', async () => {
  const { receipt } = await requester.call('Submit', { submission: request.submission });
  return receipt.leaf.equals(first.leaf) && receipt.tlog_proof.equals(first.tlog_proof);
});

// --- what is refused
const submit = (session, composed) => session.call('Submit', { submission: composed.submission });
await refused('the same id with other content is refused', () => {
  const other = compose(schema, { ...header, message_id: request.id, exchange_id: request.id }, parts());
  return submit(requester, other);
}, { reason: 'id.other_content' });
await refused('a field that the route does not list is refused, by its path', () =>
  submit(requester, compose(schema, header, { clear: { identity: { alias: 'A', full_name: 'B' } } })),
{ status: 'PERMISSION_DENIED', reason: 'fields.excess', path: 'identity.full_name' });
await refused('another purpose is refused', () =>
  submit(requester, compose(schema, { ...header, purpose: 'estadistica' }, parts())),
{ status: 'PERMISSION_DENIED', reason: 'purpose.not_allowed', path: 'header.purpose' });
const oddHeader = (change) => {
  const odd = compose(schema, header, parts());
  odd.message.header = change(odd.message.header);
  return submit(requester, odd);
};
await refused('a scalar that stands twice is refused', () =>
  oddHeader((bytes) => Buffer.concat([bytes.subarray(0, 2), bytes])),
{ status: 'INVALID_ARGUMENT', reason: 'decode.not_canonical' });
await refused('a default written out is refused', () => oddHeader((bytes) => {
  const type = schema.lookupType('Header');
  const read = Object.entries(decodeForPacking(type, bytes));
  const half = (keep) => encode(type, Object.fromEntries(read.filter(([name]) => keep(type.fields[name].id))));
  const emptyOfficial = Buffer.from([10 << 3 | 2, 0]);
  return Buffer.concat([half((id) => id < 10), emptyOfficial, half((id) => id > 10)]);
}), { status: 'INVALID_ARGUMENT', reason: 'decode.not_canonical', path: 'on_behalf_of' });
await refused('fields out of order are refused', () =>
  oddHeader((bytes) => Buffer.concat([bytes.subarray(2), bytes.subarray(0, 2)])),
{ status: 'INVALID_ARGUMENT', reason: 'decode.not_canonical' });
await refused('an unknown field is refused', () =>
  oddHeader((bytes) => Buffer.concat([bytes, Buffer.from([0xa2, 0x06, 0x01, 0x41])])), { status: 'INVALID_ARGUMENT', reason: 'decode.unknown_field' });
await refused("another member's name is refused", () =>
  submit(requester, compose(schema, { ...header, from: 'cdmx/secgob' }, parts())), { status: 'PERMISSION_DENIED' });

// --- the police's system takes it
const receiving = executor.attach('URGENCY_ORDINARY', 8);
const taken = await promise("the recipient's system gets the delivery", () => receiving.delivery());
if (taken) {
  const { message } = taken;
  const commitment = messageCommitment(message);
  await promise('with the bytes that were sent', () =>
    message.header.equals(request.message.header) && commitment.equals(request.commitment));
  await promise("R0 of the sender's log verifies there", () => verifyReceipt(taken.sender_receipt, commitment, nodes.cdmx.log));
  await promise("R1 of the receiver's log, too", () =>
    taken.receipt.level === 'RECEIPT_LEVEL_RECEIVED' && verifyReceipt(taken.receipt, commitment, nodes.ssc.log));
  await promise('what was sealed opens with the seal key, and only as the header says', () => {
    const read = decode(schema.lookupType('Header'), message.header);
    const location = message.compartments.find((c) => c.sealed);
    const keys = { certificateFile: path.join(ssc, 'seal.pem'), keyFile: path.join(ssc, 'seal.key') };
    const plain = open(location.sealed, { ...keys, digest: read.seals[0].sha256 });
    throws('seal.digest', () => open(location.sealed, { ...keys, digest: sha256(plain) }));
    return decode(schema.lookupType('LocationCompartment'), plain).street === place.street;
  });
  await promise('the header reads the same here and is packed the same again', () => {
    const type = schema.lookupType('Header');
    return encode(type, decodeForPacking(type, message.header)).equals(message.header);
  });
}

// --- and answers: custody, acceptance and R4 signed by its official, an occurrence
const answer = {
  exchange_id: request.id, from: 'cdmx/ssc', from_system: 'adapter', to: 'cdmx/mpi-cdmx', to_system: 'plataforma',
  urgency: 'URGENCY_ORDINARY', catalogue_code: 'PRO-COD-VIG', ...terms, consent: { state: 'CONSENT_STATE_NOT_NEEDED' } };
const signed = { on_behalf_of: 'enlace-01' };
const evidence = sha256(Buffer.from('parte de novedades'));
const act = (event, more) => ({ act: { regards: request.id, item: 1, event, ...more } });
const byOfficial = { signers: [official('cdmx.ssc.enlace-01')] };
const steps = [
  ['custody (R2)', compose(schema, { ...answer, act: { regards: request.id, event: 'EVENT_CUSTODY' } })],
  ['acceptance (R3), signed', compose(schema, { ...answer, ...signed, ...act('EVENT_ACCEPT') }, byOfficial)],
  ['in force (R4), signed', compose(schema, { ...answer, ...signed, ...act('EVENT_IN_FORCE', { evidence_sha256: evidence }) }, byOfficial)],
  ['the first occurrence', compose(schema, { ...answer, occurred_at: '2026-11-20T08:30:00-06:00',
    status_report: { item: 1, occurrence: 1, action_code: 'PRO-COD-VIG', evidence_sha256: evidence } })],
];
for (const [what, step] of steps) {
  await promise(`${what} is logged with a receipt`, async () => {
    const result = await receiving.submit(step.submission, step.id);
    if (result.refusal) throw Object.assign(new Error(result.refusal.remedy), { reason: result.refusal.reason, path: result.refusal.path });
    return verifyReceipt(result.receipt, step.commitment, nodes.ssc.log);
  });
}
await promise("an acceptance signed by another member's official is refused", async () => {
  const forged = compose(schema, { ...answer, ...signed, ...act('EVENT_ACCEPT') }, { signers: [official('cdmx.mpi-cdmx.enlace-01')] });
  const { refusal } = await receiving.submit(forged.submission, forged.id);
  return refusal.reason.startsWith('signature.');
});

// --- the requester hears of it
const hearing = requester.attach('URGENCY_ORDINARY', 8);
for (const [what, step] of steps) {
  await promise(`the requester gets ${what} with both receipts, and settles it`, async () => {
    const { message, receipt, sender_receipt } = await hearing.delivery();
    const commitment = messageCommitment(message);
    if (!commitment.equals(step.commitment)) throw new Error('another message, or another order');
    verifyReceipt(sender_receipt, commitment, nodes.ssc.log);
    verifyReceipt(receipt, commitment, nodes.cdmx.log);
    if (step.message.signatures.length > 0) {
      const who = verifyAct(commitment, message.signatures[0]);
      if (who !== 'URI:spiffe://enlace.cdmx/member/ssc/official/enlace-01') throw new Error(who);
    }
    await hearing.acknowledge(step.id);
  });
}
await promise('the exchange stands in force with one occurrence', async () => {
  const track = await requester.call('Track', { exchange_id: request.id });
  const [item] = track.items;
  return track.items.length === 1 && item.state === 'STATE_IN_FORCE' && item.occurrences === 1 && track.received_at_ms > 0n;
});
await promise('the requester can fetch R0 and R1, and each verifies', async () => {
  const { message_commitment: commitment, receipts } = await requester.call('GetReceipts', { message_id: request.id });
  if (!commitment.equals(request.commitment) || receipts.length !== 2) throw new Error(`${receipts.length} receipts`);
  verifyReceipt(receipts[0], commitment, nodes.cdmx.log);
  verifyReceipt(receipts[1], commitment, nodes.ssc.log);
  return receipts[0].leaf.equals(first.leaf) && receipts[0].tlog_proof.equals(first.tlog_proof);
});
await refused('who is no party of an exchange learns nothing of it', async () => {
  const other = at('cdmx', files('system', 'cdmx.c5.adapter'));
  try { await other.call('Track', { exchange_id: request.id }); } finally { other.close(); }
}, { status: 'NOT_FOUND' });

receiving.end();
hearing.end();
requester.close();
executor.close();
console.log(`interop: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
