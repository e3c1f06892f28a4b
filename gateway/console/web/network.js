// Red: a card for each thing that can fail, what needs somebody first, and a test of the connection.

import { get, post } from "./api.js";
import { faultNotice, h, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { agency, instant, number, plural } from "./texts.js";

const REFRESH_MS = 15000;
const DAY_S = 86400;
const MIB = 1048576;

export async function show(place, context) {
  const view = { body: h("div.stack.far"), test: h("section", { "aria-live": "polite" }) };
  const test = () => runTest(view);
  place.append(
    h("header", h("div.row.apart", h("h1", "Red"), h("button.no-print", { onclick: test }, "Probar la conexión ", h("kbd", "p"))),
      h("p", "Cómo está el nodo, con quién habla y qué requiere a alguien. Sólo cifras: nada de un mensaje ni de una persona.")),
    view.test, view.body);
  setKeys([{ key: "p", text: "Probar la conexión", run: test }]);
  await draw(view, context);
  const timer = setInterval(() => (place.isConnected ? draw(view, context) : clearInterval(timer)), REFRESH_MS);
}

async function draw(view, context) {
  try {
    const answer = await get("/api/red");
    fill(view.body, attention(answer.attention), cards(answer, context.me));
  } catch (fault) {
    if (!fault.reason || fault.reason === "console.session") throw fault;
    fill(view.body, faultNotice(fault), fault.code === "PERMISSION_DENIED"
      ? h("p.soft", "Las cifras del nodo son para quien lo opera o coordina, y para quien audita. La prueba de conexión es para todos.") : null);
  }
}

// ---- what needs somebody ----

function attention(list) {
  if (list.length === 0) return h("div.notice", { role: "status" }, h("h2", "Nada requiere atención"), h("p", "Colas, enlaces, testigos, certificados y discos están bien."));
  return h("section", { "aria-label": "Requiere atención" }, h("div.stack", list.map((one) =>
    h(`div.notice.${one.now ? "bad" : "due"}`, h("h3", `${one.now ? "Ahora" : "Pronto"}: ${one.what}`), h("p", one.remedy)))));
}

// ---- cards ----

class Figures {
  constructor(list) {
    this.list = list;
  }
  all = (name) => this.list.filter((one) => one.name === `enlace_${name}`);
  of = (name, ...labels) => this.all(name).find((one) => labels.every((label, i) => one.labels[i] === label))?.value;
  labels = (name) => [...new Set(this.all(name).map((one) => one.labels[0]))];
}

function span(seconds) {
  if (seconds < 120) return `${number(seconds)} s`;
  if (seconds < 7200) return `${number(Math.floor(seconds / 60))} min`;
  if (seconds < 2 * DAY_S) return `${number(Math.floor(seconds / 3600))} h`;
  return `${number(Math.floor(seconds / DAY_S))} días`;
}

function card(title, tag, rows) {
  const facts = rows.filter(Boolean);
  const isNote = facts.length === 1 && facts[0][0] === "";
  return h("article.sheet.card", h("div.row.apart", h("h3", title), tag),
    isNote ? h("p.soft.small", facts[0][1]) : h("dl.facts", facts.map(([name, value]) => [h("dt", name), h("dd.number", value)])));
}

const tag = (kind, text) => h(`span.tag.${kind}`, text);

function cards(answer, me) {
  const figures = new Figures(answer.figures);
  return [
    section("Este nodo", [nodeCard(figures, answer.now_s), witnessCard(figures), diskCard(figures)]),
    section("Otros nodos", figures.labels("link_up").map((peer) => peerCard(figures, peer))),
    section("Sistemas de las instituciones", systemCards(figures)),
    section("Certificados", endCards(figures, answer.now_s, me)),
    lawTable(figures, answer.now_s),
  ];
}

const section = (title, list) => list.length > 0 && h("section.stack", h("h2", title), h("div.cards", list));

function nodeCard(figures, now) {
  const self = figures.all("node_info")[0]?.labels ?? ["", ""];
  const behind = figures.of("log_leaves_total") - figures.of("index_leaves");
  const sum = (way) => number((figures.of("messages_total", way, "urgent") ?? 0) + (figures.of("messages_total", way, "ordinary") ?? 0));
  const doubt = figures.of("clock_state");
  return card(agency(self[0]) === "" ? self[0] : `Nodo ${self[0]}`, doubt ? tag("bad", "reloj en duda") : tag("ok", "en marcha"), [
    ["Bitácora", h("code", self[1])],
    ["Hojas", number(figures.of("log_leaves_total"))],
    ["Última", figures.of("log_last_leaf_time_seconds") ? `hace ${span(now - figures.of("log_last_leaf_time_seconds"))}` : "ninguna"],
    ["Índice", behind > 0 ? `le faltan ${number(behind)}` : "al día"],
    ["Enviados", sum("sent")], ["Recibidos", sum("received")], ["Rehusados", number(figures.of("refusals_total"))],
    ["En marcha", `hace ${span(now - figures.of("start_time_seconds"))}`],
    ["Memoria", `${number(Math.round(figures.of("resident_memory_bytes") / MIB))} MiB`],
  ]);
}

function witnessCard(figures) {
  const count = figures.of("witnesses");
  if (count === undefined) return card("Testigos", tag("due", "sin política"), [["", "Este nodo no junta firmas de testigos."]]);
  const state = figures.of("witness_state");
  return card("Testigos", state ? tag("bad", "atrás") : tag("ok", "al día"), [
    ["Último quórum", `${figures.of("witnesses_counted")} de ${count}`],
    ["Hojas atestiguadas", number(figures.of("witnessed_leaves"))],
    ["Atraso", span(figures.of("witness_lag_seconds"))],
  ]);
}

function diskCard(figures) {
  const floor = figures.of("disk_floor_bytes");
  const least = Math.min(...figures.all("disk_free_bytes").map((one) => one.value));
  return card("Disco", least < floor ? tag("bad", "lleno") : least < 4 * floor ? tag("due", "poco") : tag("ok", "bien"), [
    ...figures.all("disk_free_bytes").map((one) => [one.labels[0] === "vault" ? "Bóveda" : "Datos", `${number(Math.round(one.value / MIB))} MiB libres`]),
    ["Reserva", `${number(Math.round(floor / MIB))} MiB`],
  ]);
}

function queueRows(figures, destination) {
  return ["urgent", "ordinary"].map((urgency) => {
    const waiting = figures.of("queue_messages", destination, urgency);
    return waiting && [urgency === "urgent" ? "Urgente en cola" : "En cola", `${number(waiting)}, hace ${span(figures.of("queue_oldest_seconds", destination, urgency))}`];
  });
}

function peerCard(figures, peer) {
  const failures = Math.max(0, ...["urgent", "ordinary"].map((urgency) => figures.of("link_failures", peer, urgency) ?? 0));
  const isUp = ["urgent", "ordinary"].some((urgency) => figures.of("link_up", peer, urgency));
  return card(peer, failures > 0 ? tag("bad", "no se alcanza") : isUp ? tag("ok", "enlazado") : tag("", "en reposo"), [
    failures > 0 && ["Intentos", plural(failures, "sin éxito", "sin éxito")],
    ...queueRows(figures, `node:${peer}`),
    failures === 0 && !isUp && ["", "No se le debe nada: se conecta cuando haga falta."],
  ]);
}

function systemCards(figures) {
  const queues = figures.labels("queue_messages").filter((one) => !one.startsWith("node:"));
  const members = new Set([...figures.labels("attached_streams"), ...queues.map((one) => one.split(":")[1].split("/").slice(0, 2).join("/"))]);
  return [...members].sort().map((member) => {
    const streams = (figures.of("attached_streams", member, "urgent") ?? 0) + (figures.of("attached_streams", member, "ordinary") ?? 0);
    return card(agency(member) || member, streams > 0 ? tag("ok", "conectado") : tag("bad", "nadie conectado"), [
      ["Institución", h("code", member)],
      ...queues.filter((one) => one.split(":")[1].startsWith(member)).flatMap((one) => queueRows(figures, one)),
    ]);
  });
}

function leftTag(days) {
  if (days <= 0) return tag("bad", "vencido");
  return tag(days <= 7 ? "bad" : days <= 30 ? "due" : "ok", plural(days, "día", "días"));
}

const daysLeft = (ends, now) => Math.floor((ends - now) / DAY_S);

function endCards(figures, now, me) {
  return [
    ...figures.all("certificate_expires_seconds").map((one) =>
      card("El del nodo", leftTag(daysLeft(one.value, now)), [["Uso", one.labels[0].toUpperCase()], ["Hasta", instant(one.value)]])),
    me.reader && card("El suyo", leftTag(me.reader.days_left), [["", h("code", me.reader.uri)]]),
  ].filter(Boolean);
}

function lawTable(figures, now) {
  const texts = figures.all("directory_expires_seconds").sort((a, b) => a.value - b.value || a.labels[0].localeCompare(b.labels[0]));
  return h("section.stack", h("h2", "Textos del directorio"), h("div.sheet.flush", h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Textos del directorio" }, h("table",
    h("thead", h("tr", h("th", "Texto"), h("th.number", "Versión"), h("th", "En vigor hasta"), h("th", "Quedan"))),
    h("tbody", texts.map((one) => h("tr", h("td", one.labels[0].includes("/") ? ["Registro de ", agency(one.labels[0]), " ", h("code.soft", one.labels[0])] : ["Red ", h("code", one.labels[0])]),
      h("td.number", number(figures.of("directory_version", one.labels[0]))), h("td.number.start", instant(one.value)), h("td", leftTag(daysLeft(one.value, now))))))))));
}

// ---- the test ----

async function runTest(view) {
  fill(view.test, h("div.sheet", h("p.soft", "Probando, paso por paso…")));
  const answer = await post("/api/red/prueba");
  fill(view.test, h("div.sheet", h("h2", answer.ok ? "✔ La conexión está bien" : "✖ Aquí se rompe"),
    h("ol.steps", answer.steps.map((step) => h(`li.${step.ok ? "holds" : "fails"}`, h("span.disc", { "aria-hidden": true }, step.ok ? "✔" : "✖"),
      h("div", h("h3", h("span.hidden", step.ok ? "Bien: " : "Falla: "), step.what), step.remedy ? h("p", step.remedy) : null))))));
}
