// One exchange: what it asks, how far each measure is, its receipts verified here, and the acts that may follow.

import { get, post } from "./api.js";
import { faultNotice, h, say, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { ALCALDIAS, STATES, agency, instant, left, number, shortId, typeText } from "./texts.js";

const ACTS = {
  accept: ["Aceptar", "a", "Su institución se hace responsable desde este momento, con su firma."],
  decline: ["Declinar", "d", "La responsabilidad se queda en quien pidió. Diga por qué y quién es competente."],
  start: ["En curso", "s", "Ya se trabaja en ello."],
  "in-force": ["En vigor", "v", "La medida ya protege a la persona. La evidencia queda en su máquina: viaja sólo su huella."],
  end: ["Terminar", "e", "La medida llegó a su fin."],
  confirm: ["Confirmar", "c", "Se le preguntó a la persona y es así."],
  dispute: ["Inconforme", "i", "La persona dice que no es así: el reloj vuelve a correr."],
  close: ["Cerrar", "x", "El intercambio queda concluido."],
  hold: ["Poner en espera", "h", "No detiene ningún plazo de ley."],
  resume: ["Reanudar", "r", "Se retoma el trabajo."],
  fail: ["No se pudo", "f", "Diga por qué: la responsabilidad se queda en quien pidió."],
  purge: ["Purgar", "p", "Los datos se borran aquí, con su firma."],
  keep: ["Conservar", "o", "Hay una razón de ley para conservarlos: dígala."],
  "entered-in-error": ["Capturada por error", "z", "Nunca debió enviarse."],
};
const REASONS = { decline: ["no-competente", "sin-capacidad", "datos-insuficientes", "duplicada"], fail: ["sin-contacto", "sin-recursos"], dispute: ["no-recibida", "incompleta"], keep: ["obligacion-legal"] };

export async function showExchange(place, id, context) {
  const answer = await post("/api/bandeja/intercambio", { id });
  const acting = h("div");
  const begin = (event) => act(acting, answer, event, context);
  setKeys([
    ...(answer.steps ?? []).filter((step) => ACTS[step.event]).map((step) => ({ key: ACTS[step.event][1], text: ACTS[step.event][0], run: () => begin(step.event) })),
    { key: "b", text: "Volver a la bandeja", run: () => context.go("/bandeja") },
  ]);
  place.append(
    h("header", h("p", h("a", { href: "/bandeja" }, "← Bandeja")),
      h("div.row", h("h1", answer.phrase || typeText(answer.type)), answer.urgent ? h("span.tag.bad", "urgente") : null),
      h("p", `${typeText(answer.type)} de ${agency(answer.from)} para ${agency(answer.to)} · ${answer.created_at ? instant(answer.created_at) : ""}`)),
    steps(answer, begin), acting, items(answer), content(answer), receipts(answer), header(answer));
}

function steps(answer, begin) {
  const possible = (answer.steps ?? []).filter((step) => ACTS[step.event]);
  if (possible.length === 0) return null;
  return h("div.row.no-print", { role: "group", "aria-label": "Qué sigue" }, possible.map((step, i) =>
    h(`button${i === 0 ? ".main" : ""}`, { onclick: () => begin(step.event) }, ACTS[step.event][0], " ", h("kbd", { "aria-hidden": true }, ACTS[step.event][1]))));
}

// ---- what is known ----

function items(answer) {
  if (!answer.items?.length) return null;
  return h("section.sheet", h("h2", "En qué va"),
    h("table", h("caption.hidden", "Medidas"), h("thead", h("tr", ["Medida", "Estado", "Desde", "Reportes"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", answer.items.map((item) => h("tr", h("td", item.phrase, " ", h("span.soft.small", item.code)), h("td", STATES[item.state]), h("td.number", instant(item.changed_at)), h("td.number", number(item.occurrences)))))),
    answer.clocks?.length ? h("ul.clocks", answer.clocks.map((clock) => h("li", h(`span.tag.${clock.stopped_at ? "ok" : clock.overdue ? "bad" : clock.percent_left < 25 ? "due" : "ok"}`, clock.id), " ",
      clock.stopped_at ? `cumplido el ${instant(clock.stopped_at)}` : clock.due_at ? `${left(clock.due_at, answer.now)} · vence el ${instant(clock.due_at)}` : "todavía no empieza"))) : null);
}

function content(answer) {
  if (!answer.parts) return null;
  return h("section.sheet", h("h2", "Lo que dice"), answer.parts.map((part) => part.readable
    ? h("dl.facts", part.fields.map((field) => [h("dt", field.label), h("dd", ALCALDIAS[field.text] ? `${ALCALDIAS[field.text]} (${field.text})` : field.text)]))
    : h("p.soft", `Parte sellada (${part.type}): ${part.remedy}`)));
}

function receipts(answer) {
  if (!answer.receipts?.length) return answer.ours ? h("p.soft", "El nodo todavía no tiene acuses de este intercambio.") : null;
  return h("section.sheet", h("h2", "Acuses"), h("ol.steps", answer.receipts.map((receipt) =>
    h(`li${receipt.verified ? "" : ".fails"}`, h("span.disc", { role: "img", "aria-label": receipt.verified ? "verificado" : "no se pudo probar" }, receipt.verified ? "✔" : "✖"),
      h("div", h("h3", receipt.text), h("p", receipt.verified ? `Hoja ${number(receipt.index)} de ${receipt.log}, ${instant(receipt.time)}; verificado en esta máquina.` : `El nodo muestra lo que no puede probar (${receipt.reason}).`))))));
}

const FACTS = [["Para qué", "purpose"], ["Fundamento", "legal_basis"], ["Plan", "plan"], ["Por la persona servidora pública", "official"], ["Ocurrió", "occurred_at"]];

function header(answer) {
  return h("section.sheet", h("h2", "Datos del intercambio"), h("dl.facts",
    FACTS.map(([label, name]) => answer[name] ? [h("dt", label), h("dd", answer[name])] : null),
    h("dt", "Identificador"), h("dd.mono", answer.exchange_id),
    answer.parent_exchange_id ? [h("dt", "Sirve a"), h("dd", h("a.mono", { href: `/bandeja/${answer.parent_exchange_id}` }, shortId(answer.parent_exchange_id)))] : null,
    h("dt", "En la bitácora"), h("dd", h("a", { href: `/bitacora?q=folio:${answer.exchange_id}` }, "sus registros"))));
}

// ---- an act ----

async function fingerprint(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function act(acting, answer, event, context) {
  const [title, , meaning] = ACTS[event];
  const reason = REASONS[event] ? h("input", { id: "motivo", list: "motivos", required: true, pattern: "[a-z0-9\\-]{1,63}", autocomplete: "off" }) : null;
  const competent = event === "decline" ? h("input", { id: "competente", autocomplete: "off", placeholder: "cdmx/c5" }) : null;
  const file = event === "in-force" ? h("input", { id: "evidencia", type: "file", required: true }) : null;
  const wrong = h("div");
  const many = answer.items?.length > 1;
  const item = many ? h("select", { id: "medida" }, h("option", { value: 0 }, "Todas"), answer.items.map((one) => h("option", { value: one.number }, one.phrase))) : null;
  const send = async (submitted) => {
    submitted.preventDefault();
    go.disabled = true;
    try {
      const sent = await post("/api/bandeja/acto", { id: answer.message_id, event, item: Number(item?.value ?? 0), reason: reason?.value.trim() ?? "",
        competent: competent?.value.trim() ?? "", evidence: file ? await fingerprint(file.files[0]) : "" });
      say(`Quedó asentado: hoja ${number(sent.index)}, acuse verificado.`);
      await context.go(`/bandeja/${answer.exchange_id}`);
    } catch (fault) {
      go.disabled = false;
      if (!fault.reason) throw fault;
      fill(wrong, faultNotice(fault));
    }
  };
  const go = h("button.main", "Firmar y enviar");
  const form = h("form.sheet", { onsubmit: send, "aria-labelledby": "acto" }, h("h2", { id: "acto" }, title), h("p", meaning),
    item ? h("div", h("label", { for: "medida" }, "Medida"), item) : null,
    reason ? h("div", h("label", { for: "motivo" }, "Motivo, en una palabra"), reason, h("datalist", { id: "motivos" }, REASONS[event].map((value) => h("option", { value })))) : null,
    competent ? h("div", h("label", { for: "competente" }, "Quién es competente (si lo sabe)"), competent) : null,
    file ? h("div", h("label", { for: "evidencia" }, "Evidencia"), file, h("p.hint", "El archivo no sale de esta máquina: se calcula su huella SHA-256 y viaja la huella.")) : null,
    wrong, h("div.row", go, h("button", { type: "button", onclick: () => fill(acting) }, "Cancelar")));
  fill(acting, form);
  (form.querySelector("input, select") ?? go).focus();
}
