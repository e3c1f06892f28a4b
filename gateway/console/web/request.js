// Nueva solicitud: one field says what and to whom; the rest is what that route allows, and no more.

import { get, post } from "./api.js";
import { empty, faultNotice, h, say, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { ALCALDIAS, agency, hoursText, typeText } from "./texts.js";

const PARTS = { identity: "Quién", contact: "Cómo contactarle", location: "Dónde", schedule: "Horario", relatives: "Familiares", health: "Salud", legal: "Jurídico", social: "Social", narrative: "Los hechos" };
const LONG = new Set(["narrative.summary", "narrative.risk", "location.directions", "health.needs", "health.condition", "social.support_needs"]);

export async function show(place, context) {
  const { forms } = await get("/api/solicitud");
  const asks = forms.flatMap((form) => form.asks.map((ask) => ({ ...ask, form })));
  place.append(h("header", h("p", h("a", { href: "/bandeja" }, "← Bandeja")), h("h1", "Nueva solicitud"),
    h("p", "Sólo los datos que la ruta permite pueden escribirse aquí; lo que no haga falta, déjelo en blanco.")));
  if (asks.length === 0) {
    place.append(empty("No hay rutas en vigor", "El directorio no permite hoy que su institución pida algo. Consulte a quien lleva los convenios."));
    return;
  }
  draw(place, asks, context);
}

function draw(place, asks, context) {
  const isUrgent = context.query.get("urgente") === "1";
  const what = h("input", { id: "que", list: "cosas", required: true, autocomplete: "off", placeholder: "códigos de vigilancia", "aria-describedby": "que-ayuda" });
  const hint = h("p.hint", { id: "que-ayuda", "aria-live": "polite" }, "Escriba una parte, con o sin acentos, y Tab.");
  const details = h("div.page");
  const view = { what, hint, details, wrong: h("div"), asks, context };
  view.form = h("form.page", { onsubmit: (event) => { event.preventDefault(); send(view); } },
    h("div.sheet", h("div", h("label", { for: "que" }, "Qué se pide, y a quién"), what, hint, h("datalist", { id: "cosas" }, asks.map((ask) => h("option", { value: nameOf(ask) }, ask.class))))),
    details, view.wrong);
  what.addEventListener("change", () => choose(view, isUrgent));
  view.form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); view.form.requestSubmit(); } });
  setKeys([{ key: "Ctrl+Enter", name: "Ctrl+Enter", text: "Enviar la solicitud", run: () => {} }]);
  place.append(view.form);
  what.focus();
}

const nameOf = (ask) => `${ask.phrase} — ${agency(ask.form.to)}`;
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The one that was written, or the only one that has it in its name; undefined: none, or several. */
function choice(view) {
  const words = fold(view.what.value).split(/\s+/).filter(Boolean);
  const exact = view.asks.find((ask) => nameOf(ask) === view.what.value);
  const found = exact ? [exact] : view.asks.filter((ask) => words.length && words.every((word) => fold(`${nameOf(ask)} ${ask.code} ${ask.class}`).includes(word)));
  fill(view.hint, found.length === 1 ? `${typeText(found[0].type)}, ${found[0].class}` : found.length === 0 ? "Nada de lo que su institución puede pedir se llama así."
    : `Varias se llaman así: ${found.slice(0, 4).map(nameOf).join("; ")}${found.length > 4 ? "…" : ""}`);
  if (found.length === 1) view.what.value = nameOf(found[0]);
  return found.length === 1 ? found[0] : undefined;
}

// ---- the form of a route ----

function choose(view, isUrgent) {
  const ask = choice(view);
  if (ask === view.ask) return;
  view.ask = ask;
  fill(view.details);
  if (!ask) return;
  const { form } = ask;
  view.urgent = form.urgent ? h("input", { type: "checkbox", id: "urgente", checked: isUrgent }) : null;
  view.consent = h("select", { id: "consentimiento", required: true }, h("option", { value: "given" }, "La persona lo otorgó"), h("option", { value: "impeded" }, "Está impedida para otorgarlo (se firma)"));
  view.reference = h("input", { id: "referencia", autocomplete: "off", maxlength: 64, placeholder: "constancia o acta" });
  view.plan = h("input", { id: "plan", autocomplete: "off", maxlength: 64 });
  view.glass = form.second ? h("input", { id: "cristal", autocomplete: "off", pattern: "[a-z0-9\\-]{1,63}", placeholder: "peligro-inminente" }) : null;
  view.values = new Map(form.fields.map((field) => [field.path, input(field, form)]));
  view.review = h("div", { "aria-live": "polite" });
  const go = view.go = h("button.main", "Enviar ", h("kbd", { "aria-hidden": true }, "Ctrl Enter"));
  fill(view.details,
    h("div.sheet", h("div.row", h("span.tag", typeText(ask.type)), h("span.soft", `${form.name} · finalidad ${form.purpose} · fundamento ${form.basis} · aviso ${form.aviso}`)),
      form.clocks.length ? h("p.small.soft", `Plazos: ${form.clocks.map((clock) => `${clock.id}, ${hoursText(clock)}`).join("; ")}`) : null,
      view.urgent ? h("div.row", view.urgent, h("label.inline", { for: "urgente" }, "Urgente: peligro inminente"), h("span.hint", "No espera a nada ordinario, y queda dicho en ambas bitácoras.")) : h("p.soft.small", "Esta ruta no admite urgencia."),
      form.second ? h("div.notice.due", h("h3", "Necesita una segunda firma"), h("p", "Queda guardada y corre el plazo, pero no sale hasta que otra persona servidora pública la apruebe. Si es urgente y no puede esperar, diga el motivo: sale ya, con su firma, y se revisa en 24 horas."),
        h("label", { for: "cristal" }, "Romper el cristal (motivo, en una palabra)"), view.glass) : null),
    sections(view, form),
    h("fieldset", h("legend", "Constancia"), h("div.fields",
      h("div", h("label", { for: "consentimiento" }, "Consentimiento"), view.consent),
      h("div", h("label", { for: "referencia" }, "Referencia del consentimiento"), view.reference),
      h("div", h("label", { for: "plan" }, "Plan de Protección (si lo hay)"), view.plan))),
    h("div.row", go, h("button", { type: "button", onclick: () => review(view) }, "Revisar antes de enviar")), view.review);
  (view.urgent ?? [...view.values.values()][0]?.querySelector("input, textarea"))?.focus();
}

function input(field, form) {
  const id = `dato-${field.path.replaceAll(".", "-")}`;
  const isShut = field.sealed && !form.can_seal;
  const entry = LONG.has(field.path) ? h("textarea", { id, disabled: isShut }) : h("input", { id, autocomplete: "off", disabled: isShut, maxlength: 400, list: field.path === "location.alcaldia" ? "alcaldias" : undefined });
  return h("div", h("label", { for: id }, capital(field.label), field.sealed ? [" ", h("span.tag", "viaja sellado")] : null), entry,
    field.path === "location.alcaldia" ? h("datalist", { id: "alcaldias" }, Object.entries(ALCALDIAS).map(([value, name]) => h("option", { value }, name))) : null,
    isShut ? h("p.hint", "Falta el certificado de sello de quien lo recibe (--seals).") : null);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function sections(view, form) {
  const parts = [...new Set(form.fields.map((field) => field.part))];
  return parts.map((part) => h("fieldset", h("legend", PARTS[part] ?? part),
    h("div.fields", form.fields.filter((field) => field.part === part).map((field) => view.values.get(field.path)))));
}

// ---- reviewing and sending ----

function filled(view) {
  const { ask } = view;
  const values = {};
  for (const [path, box] of view.values) {
    const text = box.querySelector("input, textarea").value.trim();
    if (text) values[path] = text;
  }
  return { route: ask.form.route, type: ask.type, code: ask.code, urgent: view.urgent?.checked ?? false, consent: view.consent.value,
    reference: view.reference.value.trim(), plan: view.plan.value.trim(), break_glass: view.glass?.value.trim() ?? "", values };
}

async function review(view) {
  try {
    const answer = await post("/api/solicitud/revisar", filled(view));
    fill(view.review, h("section.sheet", h("h2", answer.allowed ? "El directorio la permite" : "El directorio no la permite"),
      h("ol.steps", answer.checks.map((check) => h(`li${check.ok ? "" : ".fails"}`, h("span.disc", { role: "img", "aria-label": check.ok ? "se cumple" : "no se cumple" }, check.ok ? "✔" : "✖"),
        h("div", h("h3", check.check), check.ok ? null : h("p", check.remedy), check.line ? h("p.small", `línea ${check.line} del directorio`) : null))))));
  } catch (fault) {
    broken(view, fault);
  }
}

async function send(view) {
  if (!view.ask || view.go.disabled) return;
  view.go.disabled = true;
  try {
    const sent = await post("/api/solicitud/enviar", filled(view));
    say("Enviada: su nodo la tiene, y el acuse se verificó en esta máquina.");
    await view.context.go(`/bandeja/${sent.message_id}`);
  } catch (fault) {
    view.go.disabled = false;
    broken(view, fault);
  }
}

function broken(view, fault) {
  if (!fault.reason || fault.reason === "console.session") throw fault;
  fill(view.wrong, faultNotice(fault));
  view.wrong.scrollIntoView({ block: "nearest" });
}
