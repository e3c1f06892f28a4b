// Directorio: who may send what to whom, as a matrix; each route in full; what changed between two texts.

import { get, post } from "./api.js";
import { faultNotice, h, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { agency, number, plural } from "./texts.js";

const day = (iso) => iso.split("-").reverse().join("/");

export async function show(place) {
  const law = await get("/api/directorio");
  const detail = h("div", { "aria-live": "polite" });
  setKeys([]);
  place.append(
    h("header", h("h1", "Directorio"), h("p", "Quién puede pedir qué a quién, por qué y con qué datos. Lo que ninguna ruta permite, está negado.")),
    matrix(law, (from, to) => routesBetween(detail, law, from, to)), detail, texts(law), compare(law));
}

// ---- the matrix ----

function matrix(law, choose) {
  const open = law.routes.filter((route) => route.in_force);
  const rows = [...new Set(open.map((route) => route.from))];
  const columns = [...new Set(open.map((route) => route.to))];
  const between = (from, to) => open.filter((route) => route.from === from && route.to === to);
  return h("section.sheet", h("h2", "Rutas en vigor ", h("span.tag", number(open.length))),
    h("p.soft.small", "Fila: quien pide. Columna: quien recibe. ", h("span.tag.bad", "!"), " admite urgencia."),
    h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Matriz de rutas" }, h("table.matrix", h("caption.hidden", "Rutas en vigor, de quien pide a quien recibe"),
      h("thead", h("tr", h("td"), columns.map((to) => h("th", { scope: "col" }, h("span", agency(to)))))),
      h("tbody", rows.map((from) => h("tr", h("th", { scope: "row" }, agency(from)), columns.map((to) => {
        const found = between(from, to);
        const isUrgent = found.some((route) => route.urgent);
        return h("td", found.length ? h(`button.cell${isUrgent ? ".urgent-cell" : ""}`, { onclick: () => choose(from, to), "aria-label": `${agency(from)} a ${agency(to)}: ${plural(found.length, "ruta", "rutas")}${isUrgent ? ", admite urgencia" : ""}` }, number(found.length), isUrgent ? " !" : "") : h("span.soft", { "aria-hidden": true }, "·"));
      })))))));
}

function routesBetween(detail, law, from, to) {
  const found = law.routes.filter((route) => route.from === from && route.to === to);
  fill(detail, h("section.sheet", h("h2", `${agency(from)} → ${agency(to)}`), found.map((route) => h("article.route",
    h("div.row", h("h3", route.id), route.in_force ? null : h("span.tag.due", "fuera de vigor"), route.urgent ? h("span.tag.bad", "admite urgencia") : null, route.second ? h("span.tag.due", "segunda firma") : null),
    h("dl.facts.small", facts(route).map(([label, value]) => value ? [h("dt", label), h("dd", value)] : null))))));
  detail.scrollIntoView({ block: "nearest" });
}

const facts = (route) => [
  ["Qué se puede pedir", route.codes.map((code) => code.phrase).join("; ")], ["Para qué", route.purpose], ["Fundamento", route.basis], ["Aviso de privacidad", route.aviso],
  ["Datos en claro", route.fields.join(", ") || "ninguno"], ["Sólo sellado", route.sealed.join(", ")], ["Conservación", route.retention.replace(/^R(\d+)$/, "$1 años")],
  ["Hacia terceros", route.onward ? "sólo a través de quien lo originó" : "nunca"], ["En vigor", `${day(route.from_date)} – ${day(route.to_date)}`], ["Línea del texto", String(route.line)],
];

// ---- texts and what changed ----

function texts(law) {
  return h("section.sheet", h("h2", "Textos firmados"), h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Textos" }, h("table",
    h("thead", h("tr", ["De quién", "Versión", "En vigor", "Huella"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", law.texts.map((text) => h("tr", h("td", text.roster ? `Registro de ${agency(text.subject)}` : `Red ${text.subject}`), h("td.number", number(text.version)), h("td", `${day(text.from_date)} – ${day(text.to_date)}`), h("td.hash", `${text.sha256.slice(0, 16)}…`)))))));
}

function compare(law) {
  const pick = (id, label, at) => h("div", h("label", { for: id }, label), h("select", { id }, law.files.map((name, i) => h("option", { value: name, selected: i === at }, name))));
  const result = h("div", { "aria-live": "polite" });
  const run = async (event) => {
    event.preventDefault();
    const [before, after] = ["antes", "despues"].map((id) => event.target.querySelector(`#${id}`).value);
    try {
      const answer = await post("/api/directorio/comparar", { before, after });
      fill(result, answer.articles ? h("pre", answer.text) : h("p.soft", "Dicen lo mismo."));
    } catch (fault) {
      fill(result, faultNotice(fault));
    }
  };
  return h("form.sheet", { onsubmit: run }, h("h2", "Qué cambió entre dos textos"), h("div.fields", pick("antes", "Antes", 0), pick("despues", "Después", Math.min(1, law.files.length - 1))),
    h("div.row", h("button", "Comparar")), result);
}
