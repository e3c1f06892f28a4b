// What this client needs of the readable directory: addresses and log keys of nodes, avisos, routes.
import { readFileSync } from 'node:fs';
import { parseVkey } from './evidence.js';

export function readDirectory(file) {
  const stanzas = new Map();
  let now = null;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('  ') && now) {
      const [key, ...words] = line.trim().split(' ');
      now[key] = now[key] ? `${now[key]} ${words.join(' ')}` : words.join(' ');
    } else if (/^[a-z]/.test(line)) {
      now = {};
      stanzas.set(line, now);
    }
  }
  const get = (kind, id) => {
    const found = stanzas.get(`${kind} ${id}`);
    if (!found) throw new Error(`the directory has no ${kind} ${id}`);
    return found;
  };
  return {
    node: (id) => ({ ...get('node', id), log: parseVkey(get('node', id)['log-key']) }),
    // Purpose, basis and aviso, as every message along the route carries them.
    terms: (id) => {
      const route = get('route', id);
      const aviso = get('aviso', route.aviso);
      return {
        purpose: route.purpose,
        legal_basis: route.basis,
        aviso: { id: route.aviso, version: aviso.version, sha256: Buffer.from(aviso.document, 'hex') },
      };
    },
  };
}
