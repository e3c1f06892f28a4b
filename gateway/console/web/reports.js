// Informes: a year's figures and how long agencies took, counted here from records proven here.

import { get, post } from "./api.js";
import { faultNotice, h, show as fill } from "./dom.js";
import { Figures, percentile } from "./figures.js";
import { setKeys } from "./keys.js";
import { agency, number, plural, span } from "./texts.js";

const PAGE = 256;
const SMALL = 5;

export async function show(place, context) {
  const state = await get("/api/bitacora");
  const result = h("div.page", { "aria-live": "polite" });
  place.append(h("header", h("h1", "Informes"), h("p", "Las cifras de un año y los tiempos de respuesta, contados aquí de registros comprobados aquí; sin personas.")));
  if (!state.purpose) {
    place.append(h("div.notice", h("h2", "Antes, diga para qué"), h("p", "Un informe lee la bitácora, y leer deja huella: ", h("a", { href: "/bitacora" }, "abra una auditoría"), " y vuelva.")));
    return;
  }
  const year = h("input", { id: "ano", type: "number", min: 2015, max: 2100, required: true, value: new Date().getFullYear() });
  const small = h("input", { id: "chicas", type: "checkbox" });
  const view = { result, year, small, figures: null };
  const run = (event) => { event.preventDefault(); count(view); };
  small.addEventListener("change", () => view.figures && draw(view));
  setKeys([{ key: "m", text: "Imprimir", run: () => print() }]);
  place.append(h("form.sheet.no-print", { onsubmit: run }, h("div.row", h("div", h("label", { for: "ano" }, "Año"), year), h("button.main", "Contar")),
    h("div.row", small, h("label.inline", { for: "chicas" }, `Mostrar también las celdas menores de ${SMALL}`)),
    h("p.hint", "Pocas personas en una celda pueden reconocerse: no lo publique así.")), result);
}

async function count(view) {
  const { codes } = await get("/api/informes");
  const figures = new Figures(codes, Number(view.year.value));
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Hojas miradas" });
  fill(view.result, h("div.row", h("span", "Leyendo y comprobando la bitácora…"), bar));
  try {
    let answer = await post("/api/bitacora/buscar", { text: "", rows: PAGE });
    const { size } = answer;
    for (;;) {
      answer.rows.forEach((row) => figures.take(row));
      bar.max = size;
      bar.value = size - answer.below;
      if (answer.below === 0) break;
      answer = await post("/api/bitacora/mas", { search: answer.search, rows: PAGE });
    }
    Object.assign(view, { figures, log: answer.log, size });
    draw(view);
  } catch (fault) {
    if (!fault.reason || fault.reason === "console.session") throw fault;
    fill(view.result, faultNotice(fault));
  }
}

// ---- on paper ----

const cell = (view, value) => (value > 0 && value < SMALL && !view.small.checked ? `menos de ${SMALL}` : number(value));

function draw(view) {
  const { figures } = view;
  const agencies = figures.agencies();
  const units = [...figures.units].sort((a, b) => b[1] - a[1]);
  const isHiding = !view.small.checked && units.some(([, value]) => value < SMALL);
  const total = units.reduce((sum, [, value]) => sum + value, 0);
  fill(view.result,
    h("p", h("span.mark", "✔ "), `De ${plural(view.size, "hoja", "hojas")} de `, h("code", view.log), ", todas comprobadas en esta máquina."),
    h("section.sheet", h("h2", `Acciones de ${figures.year}`), units.length === 0 ? h("p.soft", "Ningún reporte, canalización ni apoyo lleva fecha de ese año.")
      : h("table", h("caption.hidden", "Acciones por clase"), h("thead", h("tr", h("th", { scope: "col" }, "Clase"), h("th.number", { scope: "col" }, "Acciones"))),
        h("tbody", units.map(([name, value]) => h("tr", h("td", name), h("td.number", cell(view, value)))), h("tr", h("th", { scope: "row" }, "Suma"), h("td.number", h("strong", isHiding ? `más de ${number(Math.floor(total / 10) * 10)}` : number(total))))))),
    h("section.sheet", h("h2", "Tiempos de respuesta"), h("p.soft.small", "De la solicitud a la decisión de una persona servidora pública (R3) y a la medida en vigor (R4): la mitad de los casos y nueve de cada diez."),
      agencies.length === 0 ? h("p.soft", "Nadie pidió nada en ese año.") : h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Tiempos por institución" }, h("table", h("caption.hidden", "Tiempos de respuesta por institución"),
        h("thead", h("tr", ["Institución", "Solicitudes", "R3: mitad / 90 %", "R4: mitad / 90 %", ""].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", agencies.map((row) => agencyRow(view, row, longest(agencies))))))),
    h("p.small.soft", isHiding ? `Las celdas menores de ${SMALL} no se muestran, y la suma se redondea para que no se deduzcan.` : ""));
}

const longest = (agencies) => Math.max(1, ...agencies.flatMap((row) => [...row.r3, ...row.r4]));
const both = (view, values) => values.length === 0 ? "—" : values.length < SMALL && !view.small.checked ? `menos de ${SMALL} casos` : `${span(percentile(values, 0.5))} / ${span(percentile(values, 0.9))}`;

function agencyRow(view, row, most) {
  const shown = (values) => (values.length >= SMALL || view.small.checked ? values : []);
  return h("tr", h("th", { scope: "row" }, agency(row.agency)), h("td.number", cell(view, row.asked)), h("td.number", both(view, row.r3)), h("td.number", both(view, row.r4)),
    h("td", plot(shown(row.r3), shown(row.r4), most)));
}

/** Each case a mark on a line of time (logarithmic), R3 above R4; the words beside say the same. */
function plot(r3, r4, most) {
  const x = (seconds) => 4 + 152 * Math.log1p(seconds) / Math.log1p(most);
  const marks = (values, y, name) => values.slice(0, 500).map((value) => h(`circle.${name}`, { cx: x(value), cy: y, r: 2.5 }));
  return h("svg.plot", { viewBox: "0 0 160 24", "aria-hidden": true }, h("line", { x1: 4, y1: 7, x2: 156, y2: 7 }), h("line", { x1: 4, y1: 17, x2: 156, y2: 17 }), marks(r3, 7, "r3"), marks(r4, 17, "r4"));
}
