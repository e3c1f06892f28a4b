// Bandeja: what came and waits for somebody, what was sent, and the news of both.

import { get, post } from "./api.js";
import { showDecision, waiting } from "./approve.js";
import { showExchange } from "./exchange.js";
import { faultNotice, h, say, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { STATES, agency, eventText, instant, left, nextClock, number, plural, typeText, worst } from "./texts.js";

const EVERY_MS = 3000;

export async function show(place, context) {
  const one = context.path.match(/^\/([0-9a-f-]{36})$/);
  const decision = context.path.match(/^\/firma\/(approval|review)\/([0-9a-f-]{36})$/);
  if (decision) return showDecision(place, decision[1], decision[2], context);
  return one ? showExchange(place, one[1], context) : showLists(place, context);
}

async function showLists(place, context) {
  const view = { fault: h("div"), lists: h("div.page") };
  place.append(
    h("header", h("div.row.apart", h("h1", "Bandeja"),
      h("a.button", { href: "/solicitud" }, "Nueva solicitud ", h("kbd", "n"))),
    h("p", "Lo que espera respuesta de su institución, lo que usted pidió, y lo que le contestaron.")),
    view.fault, view.lists);
  setKeys([
    { key: "n", text: "Nueva solicitud", run: () => context.go("/solicitud") },
    { key: "u", text: "Nueva solicitud urgente", run: () => context.go("/solicitud?urgente=1") },
    { key: "j", text: "Renglón siguiente", run: () => step(view.lists, 1) },
    { key: "k", text: "Renglón anterior", run: () => step(view.lists, -1) },
  ]);
  const changes = await draw(view, context);
  watch(view, context, changes);
}

async function draw(view, context) {
  const answer = await get("/api/bandeja");
  const signing = await waiting();
  const pending = answer.received.filter((row) => !isOver(row));
  const over = answer.received.filter(isOver);
  fill(view.lists,
    answer.unsent.count ? h("div.notice.due", { role: "status" }, h("h2", plural(answer.unsent.count, "mensaje sin acuse", "mensajes sin acuse")),
      h("p", "Están guardados en esta máquina y se envían solos, iguales, en cuanto el nodo responda."), h("p.small", h("code", answer.unsent.reason))) : null,
    signing,
    section("Por atender", pending, "Nada espera respuesta. Lo que llegue aparecerá aquí por sí solo.", true),
    answer.news.length ? news(answer.news, () => draw(view, context)) : null,
    section("Enviadas", answer.sent, "Todavía no ha pedido nada desde esta consola.", false),
    over.length ? section("Concluidas", over, "", false) : null);
  return answer.changes;
}

// The page itself asks whether something came; it draws anew only then, and keeps the focus.
async function watch(view, context, changes) {
  while (view.lists.isConnected) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (!view.lists.isConnected) return;
    try {
      const now = (await get("/api/bandeja/cambios")).changes;
      if (now === changes) continue;
      const at = document.activeElement?.getAttribute?.("href");
      changes = await draw(view, context);
      fill(view.fault);
      if (at) view.lists.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
      say("La bandeja cambió.");
    } catch (fault) {
      if (!fault.reason || fault.reason === "console.session") return;
      fill(view.fault, faultNotice(fault));
    }
  }
}

const DONE = new Set(["ended", "closed", "declined", "failed", "purged", "kept", "entered-in-error", "recalled"]);
const isOver = (row) => row.items?.length > 0 && row.items.every((item) => DONE.has(item.state));

function section(title, rows, none, isUrgentFirst) {
  const sorted = isUrgentFirst ? [...rows].sort((a, b) => b.urgent - a.urgent || dueOf(a) - dueOf(b)) : rows;
  return h("section.sheet", h("h2", title, " ", rows.length ? h("span.tag", number(rows.length)) : null),
    rows.length === 0 ? h("p.soft", none) : h("div.scroll", { tabindex: 0, role: "region", "aria-label": title },
      h("table", h("caption.hidden", title),
        h("thead", h("tr", ["Qué", "Institución", "Estado", "Vence", "Desde"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", sorted.map(line)))));
}

const dueOf = (row) => nextClock(row)?.due_at ?? Infinity;

function line(row) {
  const clock = nextClock(row);
  const state = worst(row.items);
  return h("tr.one",
    h("td.what", h("a", { href: `/bandeja/${row.exchange_id}` }, row.phrase || typeText(row.type)), " ", row.urgent ? h("span.tag.bad", "urgente") : null),
    h("td", row.ours ? ["para ", agency(row.to)] : ["de ", agency(row.from)]),
    h("td", state ? STATES[state] : h("span.soft", "sin respuesta del nodo")),
    h("td", clock ? h(`span.tag.${clock.overdue ? "bad" : clock.percent_left < 25 ? "due" : "ok"}`, `${clock.id} · ${left(clock.due_at, row.now)}`) : ""),
    h("td.number", row.created_at ? instant(row.created_at) : ""));
}

function news(rows, redraw) {
  const seen = async (row) => {
    await post("/api/bandeja/visto", { id: row.message_id });
    await redraw();
  };
  const text = (row) => row.type === "Act" ? `${eventText(row.event)}${row.reason ? `: ${row.reason}` : ""}`
    : `${typeText(row.type)}${row.occurrence ? ` ${row.occurrence}` : ""}`;
  return h("section.sheet", h("h2", "Novedades ", h("span.tag", number(rows.length))),
    h("ul.news", rows.map((row) => h("li.row.apart",
      h("span", h("strong", text(row)), ` · ${agency(row.from)}`, row.official ? ` · ${row.official}` : "", h("span.soft", ` · ${instant(row.created_at)} `),
        h("a", { href: `/bandeja/${row.exchange_id}` }, "ver")),
      h("button.quiet", { onclick: () => seen(row) }, "Visto")))));
}

function step(lists, by) {
  const links = [...lists.querySelectorAll("td.what a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

