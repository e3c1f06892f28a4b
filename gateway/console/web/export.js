// What was found, as a file: read anew from the node to the end, each record proven again here.

import { post } from "./api.js";
import { save, say } from "./dom.js";
import { headline, instant, number } from "./texts.js";

const PAGE = 256;
const COLUMNS = [
  ["hoja", (row) => row.index], ["fecha_y_hora", (row) => instant(row.time)], ["clase", (row) => row.kind],
  ["asunto", headline], ["tipo", (row) => row.type], ["evento", (row) => row.event], ["codigo", (row) => row.catalogue_code],
  ["de", (row) => row.from], ["para", (row) => row.to], ["actuo", (row) => row.actor], ["funcionario", (row) => row.official],
  ["urgente", (row) => (row.urgent ? "sí" : "no")], ["proposito", (row) => row.purpose], ["fundamento", (row) => row.legal_basis],
  ["aviso", (row) => row.aviso], ["consentimiento", (row) => row.consent], ["ruta", (row) => row.route],
  ["campos", (row) => row.fields], ["sellado", (row) => row.sealed], ["transferencia", (row) => row.transfer],
  ["razon", (row) => row.reason], ["intercambio", (row) => row.exchange_id], ["mensaje", (row) => row.message_id],
];

// RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe.
function cell(value) {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvLine = (row) => COLUMNS.map(([, of]) => cell(of(row))).join(",") + "\r\n";

async function readAll(text, evidence, onRows, onProgress) {
  let answer = await post("/api/bitacora/buscar", { text, rows: PAGE, evidence });
  let found = 0;
  for (;;) {
    found += answer.rows.length;
    onRows(answer.rows);
    onProgress(answer.size - answer.below, answer.size, found);
    if (answer.below === 0) return { answer, found };
    answer = await post("/api/bitacora/mas", { search: answer.search, rows: PAGE, evidence });
  }
}

const stamp = () => new Date().toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");

export async function exportCsv(text, onProgress) {
  const parts = ["\ufeff", COLUMNS.map(([name]) => name).join(",") + "\r\n"];
  const { found } = await readAll(text, false, (rows) => parts.push(rows.map(csvLine).join("")), onProgress);
  save(`bitacora-${stamp()}.csv`, parts, "text/csv");
  say(`${number(found)} registros en el archivo CSV, todos verificados.`);
}

/** With the evidence of each record: leaf, record, blind and a C2SP tlog-proof, for whoever verifies without the node. */
export async function exportJson(text, onProgress) {
  const parts = [];
  const { answer, found } = await readAll(text, true,
    (rows) => rows.forEach((row) => parts.push(`${parts.length ? ",\n" : ""}${JSON.stringify(row)}`)), onProgress);
  const head = { log: answer.log, size: answer.size, search: text, found, verified: true, exported_at: new Date().toISOString() };
  save(`bitacora-${stamp()}.json`, [`${JSON.stringify(head).slice(0, -1)},"records":[\n`, ...parts, "\n]}\n"], "application/json");
  say(`${number(found)} registros con su evidencia en el archivo JSON, todos verificados.`);
}
