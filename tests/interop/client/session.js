// A member's system at its node: gRPC over mutual TLS 1.3, the node known by its SPIFFE URI.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import grpc from '@grpc/grpc-js';
import { decode, encode } from './schema.js';

// `credentials`: { certificate, key } files, or null for none; `tlsVersion` for those who insist on
// another.
export function connect(schema, { address, node, ca, credentials, tlsVersion = 'TLSv1.3' }) {
  const context = tls.createSecureContext({
    ca: readFileSync(ca),
    minVersion: tlsVersion,
    maxVersion: tlsVersion,
    ...(credentials && { cert: readFileSync(credentials.certificate), key: readFileSync(credentials.key) }),
  });
  const channel = grpc.credentials.createFromSecureContext(context, {
    checkServerIdentity: (_, certificate) => {
      const names = (certificate.subjectaltname ?? '').split(', ');
      return names.includes(`URI:${node}`) ? undefined : new Error(`not ${node}`);
    },
  });
  const service = schema.lookupService('ExchangeService');
  const methods = {};
  for (const method of service.methodsArray) {
    const { resolvedRequestType: request, resolvedResponseType: response } = method.resolve();
    methods[method.name] = {
      path: `/${service.fullName.slice(1)}/${method.name}`,
      requestStream: Boolean(method.requestStream),
      responseStream: Boolean(method.responseStream),
      requestSerialize: (object) => Buffer.isBuffer(object) ? object : encode(request, object),
      requestDeserialize: (bytes) => decode(request, bytes),
      responseSerialize: (object) => encode(response, object),
      responseDeserialize: (bytes) => decode(response, bytes),
    };
  }
  const Client = grpc.makeGenericClientConstructor(methods, 'ExchangeService');
  return new Session(new Client(address, channel, { 'grpc.ssl_target_name_override': 'localhost' }));
}

const soon = (seconds = 20) => ({ deadline: Date.now() + seconds * 1000 });

// What a refused call says: gRPC's status, the stable reason, the field's path, the remedy.
function refusal(error) {
  const said = (key) => error.metadata?.get(key)[0]?.toString() ?? '';
  return Object.assign(error, {
    status: grpc.status[error.code],
    reason: said('enlace-reason'),
    path: said('enlace-path'),
    remedy: said('enlace-remedy-bin'),
  });
}

export class Session {
  constructor(client) { this.client = client; }

  call(method, request, seconds) {
    return new Promise((resolve, reject) => {
      this.client[method](request, soon(seconds), (error, answer) => error ? reject(refusal(error)) : resolve(answer));
    });
  }

  attach(urgency, window) { return new Attached(this.client.Attach(soon(120)), { urgency, window }); }
  close() { this.client.close(); }
}

// One stream for receiving, acknowledging and reporting. Answers come in any order: each is asked
// for by what it is.
export class Attached {
  constructor(stream, hello) {
    this.stream = stream;
    this.arrived = [];
    this.waiting = [];
    stream.on('data', (response) => { this.arrived.push(response); this.#match(); });
    stream.on('error', (error) => { this.error = refusal(error); this.#match(); });
    stream.on('end', () => { this.error ??= new Error('the stream ended'); this.#match(); });
    stream.write({ hello });
  }

  #match() {
    for (const wait of [...this.waiting]) {
      const at = this.arrived.findIndex(wait.wanted);
      if (at < 0 && !this.error) continue;
      this.waiting.splice(this.waiting.indexOf(wait), 1);
      clearTimeout(wait.timer);
      if (at >= 0) wait.resolve(this.arrived.splice(at, 1)[0]);
      else wait.reject(this.error);
    }
  }

  next(wanted, what) {
    return new Promise((resolve, reject) => {
      const wait = { wanted, resolve, reject };
      wait.timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(wait), 1);
        reject(new Error(`no ${what} within 30 s`));
      }, 30000);
      this.waiting.push(wait);
      this.#match();
    });
  }

  async delivery() { return (await this.next((r) => r.delivery, 'delivery')).delivery; }
  async submit(submission, id) {
    this.stream.write({ submission });
    return (await this.next((r) => r.result?.message_id.equals(id), 'result')).result;
  }
  async acknowledge(id) {
    this.stream.write({ acknowledgement: { message_id: id } });
    return this.next((r) => r.settled?.message_id.equals(id), 'settlement');
  }
  end() { this.stream.end(); }
}
