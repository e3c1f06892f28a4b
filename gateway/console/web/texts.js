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
