// One record: the facts first, then why they are believed step by step, the raw evidence folded.

import { post } from "./api.js";
import { h, save, say } from "./dom.js";
import { setKeys } from "./keys.js";
import { agency, eventText, headline, instant, kindText, number, person, typeText } from "./texts.js";

const FACTS = [
  ["Qué", (row) => [row.type === "Act" ? `Acto: ${eventText(row.event).toLowerCase()}` : typeText(row.type) || kindText(row.kind), row.catalogue_code ? ` · ${row.catalogue_code}` : ""]],
  ["De", (row) => row.from && (row.type ? agency(row.from) : ["Nodo ", agency(row.from)])],
  ["Para", (row) => row.to && agency(row.to)],
  ["Quién actuó", (row) => row.actor && person(row.actor)],
  ["Por la persona servidora pública", (row) => row.official],
  ["Aprobó", (row) => row.approver && person(row.approver)],
  ["Ocurrió el", (row) => row.occurred_on?.split("-").reverse().join("/")],
  ["Para qué", (row) => row.purpose],
  ["Fundamento", (row) => row.legal_basis],
  ["Ruta", (row) => row.route],
  ["Aviso de privacidad", (row) => row.aviso],
  ["Consentimiento", (row) => row.consent],
  ["Datos en claro", (row) => row.fields],
  ["Datos sellados", (row) => row.sealed],
  ["En términos de la ley es una", (row) => row.transfer],
  ["Razón del rechazo", (row) => row.reason && [h("code", row.reason), row.reason_path ? ` en ${row.reason_path}` : ""]],
  ["Cuántos", (row) => row.count && number(row.count)],
  ["Intercambio", (row) => row.exchange_id && h("a.mono", { href: `/bitacora?q=folio:${row.exchange_id}` }, row.exchange_id)],
  ["Mensaje", (row) => row.message_id && h("span.mono", row.message_id)],
  ["Lo guardó", (row) => row.hosted_by],
];

function facts(row) {
  return h("dl.facts", FACTS.map(([label, of]) => {
    const value = of(row);
    return value ? [h("dt", label), h("dd", value)] : null;
  }));
}

function stepItem(step) {
  return h(`li${step.ok ? "" : ".fails"}`, h("span.disc", { role: "img", "aria-label": step.ok ? "se cumple" : "falla" }, step.ok ? "✔" : "✖"),
    h("div", h("h3", step.title), h("p", step.text),
      step.facts.length ? h("details", h("summary", "Lo que se comparó"), h("dl.facts.small", step.facts.map((fact) => [h("dt", fact.label), h("dd.hash", fact.value)]))) : null));
}

function steps(answer) {
  const missing = answer.total - answer.steps.length;
  return h("section.sheet", { "aria-labelledby": "porque" }, h("h2", { id: "porque" }, "Por qué se cree"),
    h("ol.steps", answer.steps.map(stepItem),
      missing > 0 ? h("li.unknown", h("span.disc", { "aria-hidden": true }, "–"), h("div", h("h3", missing === 1 ? "La última comprobación no se hizo" : `Las últimas ${missing} comprobaciones no se hicieron`), h("p", "La primera que falla basta."))) : null));
}

function evidence(index, answer) {
  const keep = () => save(`hoja-${index}.json`, [JSON.stringify({ index, record: answer.record, ...answer.evidence }, null, 1)], "application/json");
  return h("section.sheet", h("details", h("summary", "Evidencia en bruto"),
    h("p.soft", "La hoja de 200 bytes, el registro con su cegador, y la prueba en el formato C2SP tlog-proof: bastan para comprobarlo sin el nodo."),
    Object.entries(answer.evidence).map(([name, text]) => [h("h3", name), h("pre", text)])),
    h("div.row", h("button", { onclick: keep }, "Guardar la evidencia")));
}

const link = async (index) => {
  await navigator.clipboard.writeText(`${location.origin}/bitacora/hoja/${index}`);
  say("Enlace permanente copiado.");
};

export async function showLeaf(place, index, context) {
  const wait = h("p.soft", { role: "status" }, "Comprobando…");
  place.append(wait);
  const answer = await post("/api/bitacora/hoja", { index }).finally(() => wait.remove());
  const row = answer.record;
  setKeys([
    { key: "j", text: "Hoja anterior", run: () => index > 0 && context.go(`/bitacora/hoja/${index - 1}`) },
    { key: "k", text: "Hoja siguiente", run: () => context.go(`/bitacora/hoja/${index + 1}`) },
    { key: "l", text: "Copiar el enlace permanente", run: () => link(index) },
    { key: "u", text: "Volver a la lista", run: () => history.back() },
  ]);
  place.append(
    h("header", h("p", h("a", { href: "/bitacora" }, "← Bitácora")),
      h("h1", row ? headline(row) : `Hoja ${number(index)}`),
      h("p", row ? [`Hoja ${number(index)} · ${instant(row.time)} (Ciudad de México) `, row.urgent ? h("span.tag.bad", "urgente") : null] : "")),
    answer.verified
      ? h("section.sheet", h("div.row.apart", h("h2", "Los hechos"), h("span.tag.ok", "✔ Verificado en esta máquina")), facts(row),
        h("div.row.no-print", h("button", { onclick: () => link(index) }, "Copiar enlace permanente"), h("button.quiet", { onclick: () => print() }, "Imprimir")))
      : h("div.notice.bad", { role: "alert" }, h("h2", "✖ El nodo muestra lo que no puede probar"),
        h("p", "No se muestra lo que dice. Guarde la evidencia de abajo y avise a la autoridad de la red."), h("p.small", h("code", answer.reason))),
    steps(answer), evidence(index, answer));
}
