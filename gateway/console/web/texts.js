// Mexican Spanish: dates of Mexico City, dd/mm/aaaa and 24 h, 1,390, and the words of the catalogue.

const ZONE = "America/Mexico_City";
const date = new Intl.DateTimeFormat("es-MX", { timeZone: ZONE, day: "2-digit", month: "2-digit", year: "numeric" });
const time = new Intl.DateTimeFormat("es-MX", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const longDay = new Intl.DateTimeFormat("es-MX", { timeZone: ZONE, weekday: "long", day: "numeric", month: "long", year: "numeric" });
const plain = new Intl.NumberFormat("es-MX");

export const number = (value) => plain.format(value);
export const dayText = (seconds) => date.format(seconds * 1000);
export const timeText = (seconds) => time.format(seconds * 1000);
export const instant = (seconds) => `${dayText(seconds)}, ${timeText(seconds)}`;
export const longDayText = (seconds) => longDay.format(seconds * 1000);
export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;
export const shortId = (id) => (id ? `${id.slice(0, 8)}…${id.slice(-4)}` : "");

export const AGENCIES = {
  "mpi-cdmx": "MPI CDMX", segob: "Segob", ssc: "SSC", pgj: "PGJ", sedesa: "Sedesa", styfe: "STyFE", dif: "DIF",
  sibiso: "Sibiso", secgob: "Secgob", saf: "SAF", c5: "C5", ceavi: "CEAVI", "casa-refugio": "Casa Refugio",
  cdhcm: "CDHCM", injuve: "Injuve", "alc-mh": "Alcaldía MH", contraloria: "Contraloría",
};
/** "cdmx/ssc" is read as SSC; an unknown code by its own name. */
export const agency = (member) => AGENCIES[member?.split("/")[1]] ?? member?.split("/")[1] ?? "";

const TYPES = {
  Referral: "Canalización", MeasureRequest: "Solicitud de medidas", MeasureChange: "Cambio de medidas",
  SupportRequest: "Solicitud de apoyo", Consultation: "Consulta", StatusReport: "Reporte", Act: "Acto", Recall: "Retiro",
  Notice: "Aviso", Aggregate: "Cifras firmadas",
};
const EVENTS = {
  custody: "Custodia", accept: "Aceptada", decline: "Declinada", start: "En curso", "in-force": "En vigor", end: "Terminada",
  confirm: "Confirmada", dispute: "Inconforme", close: "Cerrada", hold: "En espera", resume: "Reanudada", fail: "Fallida",
  purge: "Purgada", keep: "Conservada", "entered-in-error": "Capturada por error",
};
const KINDS = {
  sent: "enviado", received: "recibido", delivered: "entregado", refused: "rehusado", "refusals-counted": "Rechazos contados",
  reading: "Lectura de la bitácora", "reading-ended": "Fin de una lectura", erasure: "Supresión", breach: "Vulneración",
  directory: "Directorio en vigor", "audit-closed": "Auditoría cerrada", "tag-key-given": "Llave de etiquetas entregada",
  heartbeat: "Latido", epoch: "Época nueva", order: "Orden de supresión", hold: "Retención legal", release: "Fin de retención legal",
  retention: "Conservación",
};
export const typeText = (name) => TYPES[name] ?? name ?? "";
export const eventText = (name) => EVENTS[name] ?? name ?? "";
export const kindText = (name) => KINDS[name] ?? name ?? "";

/** What a record is about, in two or three words. */
export function headline(record) {
  if (record.kind === "refused") return "Rehusado por el nodo";
  if (!record.type) return kindText(record.kind);
  return record.type === "Act" ? eventText(record.event) : typeText(record.type);
}

/** "spiffe://enlace.cdmx/member/ssc/official/enlace-01" is read as enlace-01 (SSC). */
export function person(uri) {
  const parts = uri?.replace("spiffe://enlace.", "").split("/") ?? [];
  if (parts.length < 3) return uri ?? "";
  const code = parts[2];
  return `${parts.at(-1)} (${AGENCIES[code] ?? code})`;
}

export const ALCALDIAS = {
  "09002": "Azcapotzalco", "09003": "Coyoacán", "09004": "Cuajimalpa", "09005": "Gustavo A. Madero", "09006": "Iztacalco", "09007": "Iztapalapa",
  "09008": "La Magdalena Contreras", "09009": "Milpa Alta", "09010": "Álvaro Obregón", "09011": "Tláhuac", "09012": "Tlalpan", "09013": "Xochimilco",
  "09014": "Benito Juárez", "09015": "Cuauhtémoc", "09016": "Miguel Hidalgo", "09017": "Venustiano Carranza",
};

export const STATES = {
  sent: "Enviada", received: "Recibida por el otro nodo", "in-custody": "En custodia", accepted: "Aceptada", "in-progress": "En curso",
  "in-force": "En vigor", ended: "Terminada", closed: "Cerrada", declined: "Declinada", failed: "Fallida", "on-hold": "En espera",
  recalled: "Retirada", purged: "Purgada", kept: "Conservada", "entered-in-error": "Capturada por error", "awaiting-approval": "Espera una segunda firma",
};
const ORDER = ["awaiting-approval", "sent", "received", "in-custody", "accepted", "on-hold", "in-progress", "in-force"];

/** Of several measures, the state of the one that is least far. */
export function worst(items) {
  const rank = (item) => (ORDER.includes(item.state) ? ORDER.indexOf(item.state) : ORDER.length);
  return [...(items ?? [])].sort((a, b) => rank(a) - rank(b))[0]?.state;
}

/** The clock that runs out first; undefined: none runs. */
export const nextClock = (row) => (row.clocks ?? []).filter((clock) => clock.due_at && !clock.stopped_at).sort((a, b) => a.due_at - b.due_at)[0];

export function span(seconds) {
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} días`;
}

/** "faltan 2 h 10 min", "venció hace 3 días" */
export function left(due, now) {
  const seconds = due - (now ?? Date.now() / 1000);
  return seconds >= 0 ? `faltan ${span(seconds)}` : `venció hace ${span(-seconds)}`;
}

const UNITS = { hours: ["hora", "horas"], days: ["día natural", "días naturales"], "working-days": ["día hábil", "días hábiles"] };
export const hoursText = (clock) => plural(clock.limit, ...UNITS[clock.unit]);
