// What waits for another official: read in full, then approved with one's own signature, or not.

import { get, post } from "./api.js";
import { faultNotice, h, say, show as fill } from "./dom.js";
import { setKeys } from "./keys.js";
import { ALCALDIAS, agency, instant, left, number, typeText } from "./texts.js";

/** The section of the inbox; null when nothing waits, or this reader is no official. */
export async function waiting() {
  let rows;
  try {
    rows = (await get("/api/aprobaciones")).awaiting;
  } catch (fault) {
    if (!fault.reason || fault.reason === "console.session") throw fault;
    return null;
  }
  if (rows.length === 0) return null;
  return h("section.sheet", h("h2", "Esperan su firma ", h("span.tag.due", number(rows.length))), h("ul.news", rows.map((row) => h("li.row.apart",
    h("span", h("strong", row.kind === "review" ? "Salió sin esperar: revisarla" : "Aprobar una solicitud"), ` para ${agency(row.to)} · la pidió ${row.official} · `, left(row.until), " ", row.urgent ? h("span.tag.bad", "urgente") : null),
    h("a.button", { href: `/bandeja/firma/${row.kind}/${row.message_id}` }, "Leer y decidir")))));
}

export async function showDecision(place, kind, id, context) {
  const wrong = h("div");
  const isReview = kind === "review";
  const answer = isReview ? null : await post("/api/aprobaciones/leer", { id });
  const decide = async (decision) => {
    try {
      await post("/api/aprobaciones/decidir", { id, decision, reason: reason.value.trim() });
      say(decision === "approve" ? "Aprobada con su firma: sale ahora." : decision === "reject" ? "No sale, y queda dicho por qué." : "Revisada con su firma.");
      await context.go("/bandeja");
    } catch (fault) {
      if (!fault.reason) throw fault;
      fill(wrong, faultNotice(fault));
    }
  };
  const reason = h("input", { id: "razon", autocomplete: "off", pattern: "[a-z0-9\\-]{1,63}", placeholder: isReview ? "procedia" : "datos-insuficientes" });
  setKeys([{ key: "b", text: "Volver a la bandeja", run: () => context.go("/bandeja") }]);
  place.append(h("header", h("p", h("a", { href: "/bandeja" }, "← Bandeja")), h("h1", isReview ? "Revisar lo que salió sin esperar" : "Aprobar una solicitud"),
    h("p", isReview ? "Se rompió el cristal: otra persona la revisa en 24 horas." : "Lea lo que va a salir. Lo que firme es exactamente esto, byte por byte.")));
  if (answer) place.append(h("section.sheet", h("h2", answer.phrase || typeText(answer.type)), h("dl.facts",
    [["Para", agency(answer.to)], ["La pidió", answer.official], ["Para qué", answer.purpose], ["Fundamento", answer.legal_basis], ["Creada", instant(answer.created_at)]].map(([label, value]) => [h("dt", label), h("dd", value ?? "")]),
    answer.parts.map((part) => part.readable ? part.fields.map((field) => [h("dt", field.label), h("dd", ALCALDIAS[field.text] ?? field.text)]) : [h("dt", part.type), h("dd.soft", "sellado para quien la recibe")]))));
  place.append(h("section.sheet", h("div", h("label", { for: "razon" }, isReview ? "Qué concluye, en una palabra" : "Motivo, si no la aprueba"), reason), wrong,
    h("div.row", isReview ? h("button.main", { onclick: () => decide("review") }, "Firmar la revisión")
      : [h("button.main", { onclick: () => decide("approve") }, "Aprobar con mi firma"), h("button", { onclick: () => decide("reject") }, "No aprobar")])));
}
