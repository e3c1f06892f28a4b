#include "client/hang_text.h"

#include <stdio.h>

#include "base/clock.h"

const char *state_text(enum state state)
{
    static const char *const texts[STATES] = {
        "",
        "enviada",
        "recibida por el otro nodo",
        "en custodia",
        "aceptada",
        "en curso",
        "en vigor",
        "terminada",
        "cerrada",
        "rechazada",
        "fallida",
        "en espera",
        "retirada",
        "purgada",
        "conservada",
        "capturada por error",
        "en espera de una segunda aprobación",
    };

    return (unsigned)state < STATES ? texts[state] : "";
}

void hang_span(int64_t span_ms, char out[SPAN_TEXT_SIZE])
{
    long long s = span_ms / 1000;

    if (s < 120) {
        snprintf(out, SPAN_TEXT_SIZE, "%lld s", s);
    } else if (s < 3600) {
        snprintf(out, SPAN_TEXT_SIZE, "%lld min", s / 60);
    } else if (s < 48 * 3600) {
        snprintf(out, SPAN_TEXT_SIZE, "%lld h %02lld min", s / 3600, s / 60 % 60);
    } else {
        snprintf(out, SPAN_TEXT_SIZE, "%lld d %lld h", s / 86400, s / 3600 % 24);
    }
}

/* What happened, with the time; then whose turn it is. */
struct words {
    const char *since; /* "%s" is who, then when */
    const char *act;
};

static const struct words words[HANG_KINDS] = {
    [HANG_NOTHING] = {"Concluido", ""},
    [HANG_PEER_UNREACHABLE] = {"El nodo %s no se alcanza desde %s", "quien opera ese nodo"},
    [HANG_PEER_WAITS] = {"El nodo %s aún no confirma que lo recibió; espera desde %s",
                         "quien opera ese nodo, si no avanza"},
    [HANG_PEER_REFUSED] = {"El otro nodo lo rechazó definitivamente; toca a %s desde %s",
                           "quien lo envió: corregir y abrir otro"},
    [HANG_NO_SYSTEM] = {"El nodo lo tiene y ningún sistema de %s está conectado; llegó %s",
                        "quien opera el sistema de esa institución"},
    [HANG_NO_CUSTODY] = {"El nodo de %s lo recibió y nadie tomó custodia; llegó %s",
                         "quien opera el sistema de esa institución"},
    [HANG_NO_DECISION] = {"%s lo tiene en custodia y no lo ha aceptado ni rechazado; desde %s",
                          "quien atiende en esa institución: aceptar o rechazar"},
    [HANG_NOT_IN_FORCE] = {"%s lo aceptó y no está en vigor; desde %s",
                           "esa institución: poner en vigor la medida"},
    [HANG_ON_HOLD] = {"%s lo puso en espera; desde %s", "esa institución: reanudar"},
    [HANG_NO_REPORT] = {"%s no ha reportado lo que corresponde; último cambio %s",
                        "esa institución: reportar"},
    [HANG_RUNNING] = {"En vigor en %s desde %s; nada está vencido", ""},
    [HANG_RECALL_UNANSWERED] = {"%s no ha contestado el retiro; se pidió %s",
                                "esa institución: purgar, o decir por qué conserva"},
    [HANG_REQUESTER] = {"Toca a %s; desde %s", "quien lo pidió: seguir, reencauzar o cerrar"},
};

/* "23/11/2026 14:05:09" in Mexico City. */
static void local_time(int64_t instant_ms, char out[CLOCK_TEXT_SIZE])
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_local(instant_ms, text);
    snprintf(out, CLOCK_TEXT_SIZE, "%.2s/%.2s/%.4s %.8s", text + 8, text + 5, text, text + 11);
}

void hang_text(const struct exchange_summary *summary, char out[HANG_TEXT_SIZE])
{
    const struct hang *hang = &summary->hang;
    const struct words *say = &words[(unsigned)hang->kind < HANG_KINDS ? hang->kind : HANG_NONE];
    char when[CLOCK_TEXT_SIZE];
    char first[HANG_TEXT_SIZE / 2];

    local_time(hang->since_ms, when);
    if (say->since == NULL) {
        snprintf(out, HANG_TEXT_SIZE, "Nadie tiene nada pendiente");
        return;
    }
    if (hang->kind == HANG_NOTHING) {
        snprintf(out, HANG_TEXT_SIZE, "%s", say->since);
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(first, sizeof first, say->since, hang->who, when);
#pragma GCC diagnostic pop
    snprintf(out, HANG_TEXT_SIZE, "%s%s%s%s", first, say->act[0] != '\0' ? ". Debe actuar " : "",
             say->act, summary->is_overdue ? ". EL PLAZO YA VENCIÓ" : "");
}

json_t *summary_json(const struct exchange_summary *summary)
{
    char id[ID_TEXT_SIZE];
    char parent[ID_TEXT_SIZE];
    char text[HANG_TEXT_SIZE];

    id_format(&summary->exchange_id, id);
    id_format(&summary->parent_id, parent);
    hang_text(summary, text);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:b,s:s,s:i,s:i,s:s,s:s,s:I,s:s,s:s,s:I,s:I,s:b,s:{s:s,s:s,s:I,s:s}}",
        "exchange_id", id, "parent_exchange_id", id_is_zero(&summary->parent_id) ? "" : parent,
        "from", summary->from, "to", summary->to, "urgent", summary->urgency == URGENCY_URGENT,
        "type", message_type_name(summary->type) != NULL ? message_type_name(summary->type) : "",
        "items", (int)summary->items, "item", (int)summary->item, "code", summary->code, "state",
        state_name(summary->state), "changed_at_ms", (json_int_t)summary->changed_at_ms,
        "responsible", summary->responsible, "clock", summary->clock, "anchored_at_ms",
        (json_int_t)summary->anchored_at_ms, "due_at_ms", (json_int_t)summary->due_at_ms, "overdue",
        (int)summary->is_overdue, "hang", "kind", hang_name(summary->hang.kind), "who",
        summary->hang.who, "since_ms", (json_int_t)summary->hang.since_ms, "text", text);
}

static json_t *side_json(const struct hop_side *side)
{
    return side->node == NULL
               ? json_null()
               : json_pack("{s:s,s:I,s:I}", "node", side->node, "leaf", (json_int_t)side->leaf,
                           "time_ms", (json_int_t)side->time_ms);
}

static json_t *hop_json(const struct hop *hop)
{
    char id[ID_TEXT_SIZE];
    const char *type = message_type_name(hop->type);

    id_format(&hop->message_id, id);
    return json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:s,s:s,s:o,s:o,s:s,s:I}", "message_id", id, "type",
                     type != NULL ? type : "", "event",
                     hop->event != EVENT_NONE ? event_name(hop->event) : "", "item", (int)hop->item,
                     "occurrence", (int)hop->occurrence, "from", hop->from, "to", hop->to,
                     "official", hop->official, "sent", side_json(&hop->sent), "received",
                     side_json(&hop->received), "state", hop_state_name(hop->state), "since_ms",
                     (json_int_t)hop->since_ms);
}

json_t *trace_json(const struct trace *trace)
{
    json_t *hops = json_array();

    for (size_t i = 0; i < trace->count; i++) {
        json_array_append_new(hops, hop_json(&trace->hops[i]));
    }
    return json_pack("{s:o,s:o,s:i,s:I}", "summary", summary_json(&trace->summary), "hops", hops,
                     "omitted", (int)trace->omitted, "now_ms", (json_int_t)trace->now_ms);
}
