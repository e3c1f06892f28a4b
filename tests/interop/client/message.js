// Messages made from what somebody wants to say: ids, blinds, canonical bytes.
import { randomBytes } from 'node:crypto';
import { encode } from './schema.js';
import { messageCommitment, signAct } from './evidence.js';

// UUIDv7 (RFC 9562 §5.7).
export function newId(now = Date.now()) {
  const id = randomBytes(16);
  id.writeUIntBE(now, 0, 6);
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
}

export const COMPARTMENT = { identity: 1, contact: 2, location: 3 };
const TYPE = { identity: 'IdentityCompartment', contact: 'ContactCompartment', location: 'LocationCompartment' };

export const compartmentBytes = (schema, name, fields) => encode(schema.lookupType(TYPE[name]), fields);

// `clear` and `sealed` by compartment name; all belong to the first subject.
export function compose(schema, header, { clear = {}, sealed = {}, signers = [] } = {}) {
  const now = Date.now();
  const message_id = newId(now);
  const compartments = [
    ...Object.entries(clear).map(([name, fields]) => ({
      part: COMPARTMENT[name], blind: randomBytes(32), clear: compartmentBytes(schema, name, fields) })),
    ...Object.entries(sealed).map(([name, { sealed: bytes }]) => ({
      part: COMPARTMENT[name], blind: randomBytes(32), sealed: bytes })),
  ].sort((a, b) => a.part - b.part);
  const seals = Object.entries(sealed).map(([name, { digest }]) => ({ part: COMPARTMENT[name], sha256: digest }));
  const whole = { schema: 1, message_id, exchange_id: message_id, created_at_ms: now, seals, ...header };
  const message = {
    header: encode(schema.lookupType('Header'), whole),
    header_blind: randomBytes(32),
    compartments,
  };
  const commitment = messageCommitment(message);
  message.signatures = signers.map(({ certificate, key }) => ({ certificate, signature: signAct(commitment, key) }));
  return { id: message_id, exchange: whole.exchange_id, message, commitment, submission: { message } };
}
