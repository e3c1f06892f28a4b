// Plazos: what is due, the most urgent first; the oldest undelivered above all; one exchange as both logs tell it.

import { get, post } from "./api.js";
import { empty, faultNotice, h, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { STATES, agency, eventText, instant, left, number, plural, span, typeText } from "./texts.js";

const EVERY_MS = 10000;

export async function show(place, context) {
  const one = context.path.match(/^\/([0-9a-f-]{36})$/);
  return one ? showLine(place, one[1], context) : showBoard(place, context);
}

// ---- the board ----

async function showBoard(place, context) {
  const view = { fault: h("div"), board: h("div.page"), context };
  place.append(h("header", h("h1", "Plazos"), h("p", "Lo que corre, por urgencia; se actualiza solo.")), view.fault, view.board);
  setKeys([
    { key: "j", text: "Renglón siguiente", run: () => step(view.board, 1) },
    { key: "k", text: "Renglón anterior", run: () => step(view.board, -1) },
    { key: "r", text: "Actualizar", run: () => draw(view) },
  ]);
  await draw(view);
  watch(view);
}

async function draw(view) {
  const answer = await get("/api/plazos");
  const now = answer.now_ms / 1000;
  const at = document.activeElement?.getAttribute?.("href");
  fill(view.fault);
  fill(view.board, headline(answer, now),
    answer.exchanges.length === 0 ? empty("Nada pendiente", "Todos los intercambios de su institución están concluidos.")
      : GROUPS.map(([title, has, kind]) => group(title, answer.exchanges.filter(has), now, kind)),
    answer.omitted ? h("p.soft", `Y ${plural(answer.omitted, "intercambio más", "intercambios más")}, que «enlace board» muestra.`) : null);
  if (at) view.board.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
}

async function watch(view) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (!view.board.isConnected) return;
    try {
      await draw(view);
    } catch (fault) {
      if (!fault.reason || fault.reason === "console.session") return;
      fill(view.fault, faultNotice(fault));
    }
  }
}

function headline(answer, now) {
  if (!answer.oldest_ms)
    return h("div.notice", { role: "status" }, h("h2", "Todo lo enviado llegó"), h("p", "Ningún mensaje espera salir de este nodo."));
  const waited = now - answer.oldest_ms / 1000;
  return h("div.notice.bad", { role: "status" }, h("h2", `Sin entregar desde hace ${span(waited)}`),
    h("p", `${plural(answer.undelivered, "mensaje espera", "mensajes esperan")} salir de este nodo; el más antiguo, desde el ${instant(answer.oldest_ms / 1000)}. `,
      h("a", { href: `/plazos/${answer.oldest_exchange_id}` }, "Ver dónde se detiene")));
}

const GROUPS = [
  ["Vencidos", (row) => row.overdue, "bad"],
  ["Urgentes", (row) => !row.overdue && row.urgent, "due"],
  ["Con plazo", (row) => !row.overdue && !row.urgent && row.due_at_ms, "ok"],
  ["Sin plazo que corra", (row) => !row.overdue && !row.urgent && !row.due_at_ms, "ok"],
];

function group(title, rows, now, kind) {
  if (rows.length === 0) return null;
  return h("section.sheet", h("h2", title, " ", h(`span.tag.${kind}`, number(rows.length))),
    h("div.scroll", { tabindex: 0, role: "region", "aria-label": title }, h("table", h("caption.hidden", title),
      h("thead", h("tr", ["Plazo", "Qué", "Institución", "Estado", "Quién debe actuar"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", rows.map((row) => line(row, now))))));
}

function line(row, now) {
  return h("tr.one",
    h("td", row.due_at_ms ? [gauge(row, now), h(`span.tag.${row.overdue ? "bad" : "ok"}`, `${row.clock} · ${left(row.due_at_ms / 1000, now)}`)] : h("span.soft", "—")),
    h("td.what", h("a", { href: `/plazos/${row.exchange_id}` }, row.phrase || typeText(row.type)), " ", row.urgent ? h("span.tag.bad", "urgente") : null),
    h("td", agency(row.from), " → ", agency(row.to)), h("td", STATES[row.state]), h("td.small", row.hang.text));
}

/** How much of the time is gone, drawn; the words beside it say the same. */
function gauge(row, now) {
  const whole = row.due_at_ms - row.anchored_at_ms;
  const gone = whole > 0 ? Math.min(1, Math.max(0, (now * 1000 - row.anchored_at_ms) / whole)) : 1;
  const kind = row.overdue || gone >= 1 ? "bad" : gone > 0.75 ? "due" : "ok";
  return h(`svg.gauge.${kind}`, { viewBox: "0 0 60 6", "aria-hidden": true },
    h("rect.whole", { width: 60, height: 6, rx: 3 }), h("rect.gone", { width: Math.max(2, 60 * gone), height: 6, rx: 3 }));
}

function step(board, by) {
  const links = [...board.querySelectorAll("td.what a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

// ---- one exchange, both sides ----

const HANGS = { "peer-unreachable": "El otro nodo no se alcanza", "peer-waits": "En camino al otro nodo", "peer-refused": "El otro nodo lo rechazó", "no-system": "Ningún sistema del destinatario está conectado", "system-waits": "En espera de entregarse al sistema", "with-system": "El sistema lo tiene y no ha contestado" };

async function showLine(place, id, context) {
  const trace = await post("/api/plazos/linea", { id });
  const { summary } = trace;
  setKeys([{ key: "u", text: "Volver al tablero", run: () => context.go("/plazos") }]);
  place.append(
    h("header", h("p", h("a", { href: "/plazos" }, "← Plazos")),
      h("div.row", h("h1", trace.phrase || typeText(summary.type)), summary.urgent ? h("span.tag.bad", "urgente") : null),
      h("p", `${agency(summary.from)} → ${agency(summary.to)} · ${STATES[summary.state]}`)),
    h(`div.notice${summary.overdue ? ".bad" : STILL.has(summary.hang.kind) ? "" : ".due"}`, h("h2", "Dónde está"), h("p", `${summary.hang.text}.`),
      summary.due_at_ms ? h("p.small", `${summary.clock}: ${left(summary.due_at_ms / 1000, trace.now_ms / 1000)}, vence el ${instant(summary.due_at_ms / 1000)}`) : null),
    h("section.sheet", h("h2", "Línea del tiempo"), trace.omitted ? h("p.soft", `No se muestran los ${number(trace.omitted)} mensajes anteriores.`) : null,
      h("div.row.apart.sides", { "aria-hidden": true }, h("strong", `Nodo de ${agency(summary.from)}`), h("strong", `Nodo de ${agency(summary.to)}`)),
      h("ol.line", trace.hops.map((hop) => hopItem(hop, summary, trace.now_ms / 1000)))),
    h("p.no-print", h("a", { href: `/bitacora?q=folio:${summary.exchange_id}` }, "Sus registros en la bitácora"), " · ", h("a", { href: `/bandeja/${summary.exchange_id}` }, "En la bandeja")));
}

const STILL = new Set(["running", "nothing"]);
const sideText = (side) => side ? h("span.side.number", instant(side.time_ms / 1000), h("br"), h("span.soft", `${side.node.split("/").at(-1)}, hoja ${number(side.leaf)}`)) : h("span.side.soft", "—");

function hopItem(hop, summary, now) {
  const isForth = hop.from === summary.from;
  const word = hop.type === "Act" ? eventText(hop.event) : typeText(hop.type);
  const waits = HANGS[hop.state];
  return h(`li${waits ? ".waits" : ""}`, isForth ? sideText(hop.sent) : sideText(hop.received),
    h("span.hop", h("strong", word), hop.item ? ` medida ${hop.item}` : "", hop.occurrence ? `, ${hop.occurrence}` : "", h("br"),
      h("span.arrow", { "aria-hidden": true }, isForth ? "⟶" : "⟵"), h("span.hidden", `de ${agency(hop.from)} para ${agency(hop.to)}`), hop.official ? h("span.soft.small", ` ${hop.official}`) : null,
      waits ? h("span.tag.due", hop.since_ms ? `${waits}, ${span(now - hop.since_ms / 1000)}` : waits) : null),
    isForth ? sideText(hop.received) : sideText(hop.sent));
}
