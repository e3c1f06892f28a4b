// Bitácora: what the log holds, newest first, found by operators, each record proven before it is shown.

import { get, post } from "./api.js";
import { empty, faultNotice, h, say, show as fill } from "./dom.js";
import { exportCsv, exportJson } from "./export.js";
import { setKeys } from "./keys.js";
import { showLeaf } from "./leaf.js";
import { agency, headline, longDayText, number, plural, shortId, timeText } from "./texts.js";

const SCREEN = 60;
const PAGE = 256;
const SHOWN_MAX = 20000;
const OPERATORS = [
  ["agencia:", "quién envió o recibió: agencia:ssc"], ["estado:", "estado:aceptada, en-vigor, declinada, rehusada…"],
  ["desde:", "desde:01/11/2026, desde:hoy"], ["hasta:", "hasta:23/11/2026, ese día incluido"],
  ["folio:", "el identificador del intercambio"], ["tipo:", "tipo:solicitud, canalizacion, reporte, acto, lectura…"],
];

export async function show(place, context) {
  const state = await get("/api/bitacora");
  if (!state.purpose) return showPurpose(place, state, context);
  const leaf = context.path.match(/^\/hoja\/(\d{1,18})$/);
  return leaf ? showLeaf(place, Number(leaf[1]), context) : showSearch(place, state, context);
}

// ---- what for ----

function showPurpose(place, state, context) {
  const input = h("input", { id: "proposito", name: "proposito", required: true, pattern: "[a-z0-9\\-]{1,63}", maxlength: 63, autocomplete: "off", placeholder: "revision-2026-11", "aria-describedby": "como" });
  const wrong = h("div");
  const open = async (event) => {
    event.preventDefault();
    try {
      await post("/api/bitacora/abrir", { purpose: input.value.trim() });
      await context.go("/bitacora");
    } catch (fault) {
      fill(wrong, faultNotice(fault));
    }
  };
  place.append(
    h("header", h("h1", "Bitácora"), h("p", "Quién envió qué, a quién, cuándo y con qué fundamento; nunca los datos mismos.")),
    h("form.sheet", { onsubmit: open },
      h("h2", "¿Para qué va a leer?"),
      h("p", "Leer también deja huella. La bitácora guardará que usted leyó y cuánto, con un compromiso con su propósito: el propósito mismo se publica al cerrar la auditoría."),
      h("div", h("label", { for: "proposito" }, "Propósito, en una palabra"), input,
        h("p.hint", { id: "como" }, "Minúsculas, dígitos y guiones; nunca el nombre de una persona. Se guarda en ", h("code", state.file), ".")),
      wrong, h("div.row", h("button.main", "Abrir la auditoría"))));
  input.focus();
}

// ---- the search ----

function showSearch(place, state, context) {
  const search = { text: context.query.get("q") ?? "", rows: [], answer: null, isBusy: false, isStopped: false };
  const input = h("input", { type: "search", id: "buscar", name: "q", value: search.text, autocomplete: "off", spellcheck: "false", placeholder: "agencia:ssc estado:aceptada desde:01/11/2026", "aria-describedby": "operadores", "aria-label": "Buscar en la bitácora" });
  const view = { status: h("div", { role: "status", "aria-live": "polite" }), fault: h("div"), list: h("div") };
  const submit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    context.go(text ? `/bitacora?q=${encodeURIComponent(text)}` : "/bitacora");
  };
  const insert = (operator) => {
    input.value = `${input.value.trim()} ${operator}`.trim();
    input.focus();
  };
  place.append(
    h("header", h("div.row.apart", h("h1", "Bitácora"),
      h("div.row.no-print", h("span.tag", `Auditoría «${state.purpose}»`), h("button.quiet", { onclick: () => closeAudit(state, context) }, "Cerrarla…"))),
      h("p", "Quién envió qué, a quién, cuándo y con qué fundamento; nunca los datos mismos.")),
    h("form.search", { role: "search", onsubmit: submit }, input, h("button.main", "Buscar")),
    h("div.row.no-print", { id: "operadores" }, h("span.soft.small", "Operadores:"),
      OPERATORS.map(([operator, title]) => h("button.chip.mono", { type: "button", title, onclick: () => insert(operator) }, operator))),
    view.fault, view.status, view.list);
  setKeys([
    { key: "/", text: "Escribir una búsqueda", run: () => input.focus() },
    { key: "j", text: "Registro siguiente", run: () => step(view.list, 1) },
    { key: "k", text: "Registro anterior", run: () => step(view.list, -1) },
    { key: "m", text: "Mostrar más", run: () => more(search, view) },
    { key: "e", text: "Exportar en CSV", run: () => download(search, view, exportCsv) },
  ]);
  search.body = h("tbody");
  return begin(search, view);
}

async function begin(search, view) {
  fill(view.status, h("p.soft", "Buscando y comprobando…"));
  try {
    await take(search, await post("/api/bitacora/buscar", { text: search.text, rows: SCREEN }));
    while (search.rows.length < SCREEN && search.answer.below > 0) await next(search, SCREEN);
  } catch (fault) {
    return broken(search, view, fault);
  }
  draw(search, view);
}

function take(search, answer) {
  search.size ??= answer.size;
  search.answer = answer;
  for (const row of answer.rows) search.rows.push(row);
}

const next = async (search, rows) => take(search, await post("/api/bitacora/mas", { search: search.answer.search, rows }));

function broken(search, view, fault) {
  if (!fault.reason || fault.reason === "console.session") throw fault;
  search.isStopped = true;
  fill(view.fault, faultNotice(fault));
  fill(view.status);
  if (fault.code === "DATA_LOSS") fill(view.list, null);
}

// ---- what was found ----

function draw(search, view) {
  drawStatus(search, view);
  if (search.rows.length === 0 && search.answer.below === 0) {
    fill(view.list, empty("Nada con esas señas",
      search.text ? "Se miró toda la bitácora y ningún registro que usted pueda ver coincide. Quite un operador o amplíe las fechas." : "Todavía no hay registros que usted pueda ver. Lo que su institución envíe y reciba aparecerá aquí."));
    return;
  }
  if (!search.table) {
    search.table = h("table", h("caption.hidden", "Registros de la bitácora, del más nuevo al más antiguo"),
      h("thead", h("tr", h("th", { scope: "col" }, h("span.hidden", "Verificado")), h("th.number", { scope: "col" }, "Hoja"), h("th", { scope: "col" }, "Hora"),
        h("th", { scope: "col" }, "Asunto"), h("th", { scope: "col" }, "De → para"), h("th", { scope: "col" }, "Fundamento"), h("th", { scope: "col" }, "Intercambio"))),
      search.body);
    fill(view.list, h("div.sheet.flush.scroll", { tabindex: 0, role: "region", "aria-label": "Registros" }, search.table));
  }
  search.drawn ??= 0;
  const fresh = document.createDocumentFragment();
  for (; search.drawn < Math.min(search.rows.length, SHOWN_MAX); search.drawn++) addRow(search, fresh);
  search.body.append(fresh);
}

// A record of the node's own doings has the node as its first party.
function parties(row) {
  if (!row.from) return "";
  return row.type ? [agency(row.from), " → ", agency(row.to)] : h("span.soft", agency(row.to || row.from));
}

function addRow(search, fresh) {
  const row = search.rows[search.drawn];
  const day = longDayText(row.time);
  if (day !== search.day) {
    search.day = day;
    fresh.append(h("tr.day", h("th", { scope: "rowgroup", colspan: 7 }, day)));
  }
  fresh.append(h("tr.one",
    h("td", h("span.mark", { role: "img", "aria-label": "verificado" }, "✔")),
    h("td.number", number(row.index)), h("td.number", timeText(row.time)),
    h("td.what", h("a", { href: `/bitacora/hoja/${row.index}` }, headline(row)), " ",
      row.urgent ? h("span.tag.bad", "urgente") : null, row.kind === "refused" ? h("span.tag.due", row.reason) : null,
      row.catalogue_code && row.catalogue_code !== "" ? h("span.soft.small", ` ${row.catalogue_code}`) : null),
    h("td", parties(row)),
    h("td.small", row.legal_basis ?? ""),
    h("td.small", row.exchange_id ? h("a.mono", { href: `/bitacora?q=folio:${row.exchange_id}`, title: row.exchange_id }, shortId(row.exchange_id)) : "")));
}

function drawStatus(search, view) {
  const { answer, rows, size } = search;
  const looked = size - answer.below;
  const isWhole = answer.below === 0;
  const text = isWhole
    ? h("p", h("span.mark", "✔ "), h("strong.number", `${number(rows.length)} de ${number(rows.length)}`), ` registros, todos verificados en esta máquina. Se miraron las ${number(size)} hojas: no hay páginas ocultas.`)
    : h("p", h("span.mark", "✔ "), h("strong.number", number(rows.length)), ` registros mostrados, todos verificados en esta máquina. Se han mirado ${number(looked)} de ${plural(size, "hoja", "hojas")}: faltan las anteriores.`);
  const tools = h("div.row.no-print",
    isWhole ? null : [h("button", { onclick: () => more(search, view) }, "Mostrar más"), h("button.quiet", { onclick: () => all(search, view) }, "Contar todos")],
    h("button.quiet", { onclick: () => download(search, view, exportCsv) }, "CSV"),
    h("button.quiet", { onclick: () => download(search, view, exportJson) }, "JSON con evidencia"),
    h("button.quiet", { onclick: () => print() }, "Imprimir"));
  fill(view.status, h("div.row.apart", text, tools), h("p.soft.small", "Bitácora ", h("code", answer.log), rows.length > SHOWN_MAX ? ` · se muestran los ${number(SHOWN_MAX)} más nuevos; el archivo los lleva todos` : ""));
}

async function more(search, view) {
  if (search.isBusy || search.isStopped || !search.answer || search.answer.below === 0) return;
  search.isBusy = true;
  try {
    const wanted = search.rows.length + SCREEN;
    while (search.rows.length < wanted && search.answer.below > 0) await next(search, SCREEN);
    draw(search, view);
  } catch (fault) {
    broken(search, view, fault);
  } finally {
    search.isBusy = false;
  }
}

async function all(search, view) {
  if (search.isBusy || search.isStopped) return;
  search.isBusy = true;
  const bar = h("progress", { max: search.size, value: 0, "aria-label": "Hojas miradas" });
  fill(view.status, h("div.row", h("span", "Mirando toda la bitácora…"), bar));
  try {
    while (search.answer.below > 0 && bar.isConnected) {
      await next(search, PAGE);
      bar.value = search.size - search.answer.below;
    }
    if (view.status.isConnected) draw(search, view);
  } catch (fault) {
    broken(search, view, fault);
  } finally {
    search.isBusy = false;
  }
}

async function download(search, view, how) {
  if (search.isBusy) return;
  search.isBusy = true;
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Hojas miradas" });
  fill(view.status, h("div.row", h("span", "Leyendo y comprobando todo para el archivo…"), bar));
  try {
    await how(search.text, (looked, size) => { bar.max = size; bar.value = looked; });
    const text = search.text;
    Object.assign(search, { rows: [], answer: null, size: undefined, drawn: 0, day: undefined, table: undefined, body: h("tbody"), text });
    await begin(search, view);
  } catch (fault) {
    broken(search, view, fault);
  } finally {
    search.isBusy = false;
  }
}

// ---- moving and ending ----

function step(list, by) {
  const links = [...list.querySelectorAll("td.what a")];
  const at = links.indexOf(document.activeElement);
  const to = links[Math.max(0, Math.min(links.length - 1, at + by))];
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}

function closeAudit(state, context) {
  const wrong = h("div");
  const end = async (event) => {
    event.preventDefault();
    try {
      const closed = await post("/api/bitacora/cerrar");
      dialog.close();
      say(`Auditoría cerrada en la hoja ${number(closed.index)}: ${plural(closed.sessions, "lectura", "lecturas")}, ${plural(closed.records, "registro mostrado", "registros mostrados")}.`);
      await context.go("/bitacora");
    } catch (fault) {
      fill(wrong, faultNotice(fault));
    }
  };
  const dialog = h("dialog", { "aria-labelledby": "cierre" },
    h("h2", { id: "cierre" }, `Cerrar «${state.purpose}»`),
    h("p", "Su propósito quedará escrito en la bitácora, a la vista de quien la lea, y no se leerá más bajo él. No se puede deshacer."),
    wrong, h("form.row", { onsubmit: end }, h("button.main", "Cerrar y publicar el propósito"),
      h("button", { type: "button", onclick: () => dialog.close() }, "Dejarla abierta")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
