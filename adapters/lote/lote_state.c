#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "lote/lote.h"

#define EXCHANGE_ARENA_MAX ((size_t)1 << 20)
#define OCCURRENCE_MAX 100000

const char *const lote_words_in[] = {
    "message",        "exchange",     "item?",     "state",      "occurred_at?",
    "occurrence?",    "action_code?", "reason?",   "competent?", "reference?",
    "new.reference?", "new.person?",  "new.code?", NULL,
};
const char *const lote_tables[] = {"estado", NULL};

/* [claves estado] besides the events of model/lifecycle. */
#define STATE_CUSTODY "custody"
#define STATE_REPORT "report"
#define STATE_REJECT "reject"

static const char *cell(const struct lote *lote, const struct csv *csv, size_t row,
                        const char *word)
{
    const char *column = mapping_in(lote->context->mapping, word);

    return column != NULL ? csv_cell(csv, row, column) : "";
}

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

/* ---- instants ---- */

static bool is_local(const char *text)
{
    static const char shape[] = "dd/dd/dddd dd:dd";

    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';

        if (shape[i] == 'd' ? !is_digit : text[i] != shape[i]) {
            return false;
        }
    }
    return text[sizeof shape - 1] == '\0';
}

enum rc lote_instant(const char *text, char out[32], struct fault *fault)
{
    int64_t instant_ms;

    if (is_local(text)) {
        snprintf(out, 32, "%.4s-%.2s-%.2sT%.5s:00-06:00", text + 6, text + 3, text, text + 11);
    } else {
        snprintf(out, 32, "%.31s", text);
    }
    return strlen(text) < 32 && clock_parse(bytes_text(out), &instant_ms) == RC_OK
               ? RC_OK
               : bad(fault, "state.time",
                     "La fecha va como 03/06/2026 10:00 (hora de la ciudad) o en RFC 3339.");
}

/* ---- custody ---- */

static enum rc received(struct lote *lote, struct adapter *adapter, const struct id *message,
                        const char *kind, const char *note, struct fault *fault)
{
    char id[ID_TEXT_SIZE];
    char state[BOOK_VALUE_MAX + 1];

    id_format(message, id);
    if (book_find(lote->sent, id, state) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "",
                      "Esa clave no es de un mensaje que se le haya entregado.");
    }
    if (strncmp(state, "lote ", 5) == 0) { /* the first answer counts */
        snprintf(state, sizeof state, "%s %.200s", kind, note[0] != '\0' ? note : "-");
        TRY(book_put(lote->sent, id, state));
        adapter_again(adapter, message);
    }
    return RC_OK;
}

/* ---- acts and reports ---- */

struct step {
    struct header *opening;
    uint32_t item;
    const char *occurred_at;
    struct bytes evidence;
};

static enum rc read_number(const char *text, uint32_t most, uint32_t *number, struct fault *fault)
{
    uint32_t value = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < '0' || text[i] > '9' || i > 6) {
            return bad(fault, "state.number", "La medida y la ocurrencia son números.");
        }
        value = 10 * value + (uint32_t)(text[i] - '0');
    }
    if (value > most) {
        return bad(fault, "state.number", "La medida o la ocurrencia es muy grande.");
    }
    *number = value;
    return RC_OK;
}

static const char *item_code(const struct header *opening, uint32_t number)
{
    for (size_t i = 0; i < opening->item_count; i++) {
        if (opening->items[i].number == number) {
            return opening->items[i].code;
        }
    }
    return NULL;
}

static enum rc report(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                      const struct step *step, struct fault *fault)
{
    struct adapter_report said = {.to = step->opening,
                                  .item = step->item,
                                  .action_code = item_code(step->opening, step->item),
                                  .occurred_at = step->occurred_at,
                                  .evidence_sha256 = step->evidence};

    TRY(read_number(cell(lote, csv, row, "occurrence"), OCCURRENCE_MAX, &said.occurrence, fault));
    if (said.occurrence == 0 || said.action_code == NULL) {
        return bad(fault, "state.occurrence",
                   "Un reporte lleva el número de la medida y el de la ocurrencia, desde 1.");
    }
    return adapter_report(adapter, &said, fault);
}

static enum rc act(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                   const struct step *step, enum event event, struct fault *fault)
{
    struct adapter_act said = {.to = step->opening,
                               .item = step->item,
                               .event = event,
                               .reason = cell(lote, csv, row, "reason"),
                               .competent = cell(lote, csv, row, "competent"),
                               .occurred_at = step->occurred_at};

    if (event == EVENT_IN_FORCE) {
        said.evidence_sha256 = step->evidence;
    }
    if (step->item != 0 && item_code(step->opening, step->item) == NULL) {
        return bad(fault, "state.item", "La solicitud no tiene una medida con ese número.");
    }
    return adapter_act(adapter, &said, fault);
}

static enum rc find_opening(struct lote *lote, struct adapter *adapter, const struct csv *csv,
                            size_t row, struct arena *arena, struct message *opening,
                            struct fault *fault)
{
    struct id exchange;

    if (id_parse(cell(lote, csv, row, "exchange"), &exchange) != RC_OK ||
        adapter_exchange(adapter, &exchange, arena, opening) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "",
                      "Ese folio no es de un intercambio abierto con esta institución.");
    }
    return RC_OK;
}

static enum rc step_of(struct lote *lote, struct adapter *adapter, const struct csv *csv,
                       size_t row, const char *state, const uint8_t evidence[DIGEST_SIZE],
                       struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(EXCHANGE_ARENA_MAX);
    struct message *opening = arena != NULL ? arena_alloc(arena, sizeof *opening) : NULL;
    const char *when = cell(lote, csv, row, "occurred_at");
    char instant[32];
    struct step step = {.evidence = BYTES(evidence, DIGEST_SIZE)};

    if (opening == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(find_opening(lote, adapter, csv, row, arena, opening, fault));
    TRY(read_number(cell(lote, csv, row, "item"), MESSAGE_ITEMS_MAX, &step.item, fault));
    if (when[0] != '\0') {
        TRY(lote_instant(when, instant, fault));
        step.occurred_at = instant;
    }
    step.opening = &opening->header;
    return strcmp(state, STATE_REPORT) == 0
               ? report(lote, adapter, csv, row, &step, fault)
               : act(lote, adapter, csv, row, &step, event_from_name(state), fault);
}

enum rc lote_state(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                   const uint8_t evidence[DIGEST_SIZE], struct fault *fault)
{
    const char *state =
        mapping_ours(lote->context->mapping, "estado", cell(lote, csv, row, "state"));
    struct id message;

    if (state == NULL) {
        return bad(fault, "state.unknown", "Ese estado no está en la tabla de equivalencias.");
    }
    if (strcmp(state, STATE_CUSTODY) != 0 && strcmp(state, STATE_REJECT) != 0) {
        return step_of(lote, adapter, csv, row, state, evidence, fault);
    }
    if (id_parse(cell(lote, csv, row, "message"), &message) != RC_OK) {
        return bad(fault, "state.message", "Falta la clave del mensaje, como se le entregó.");
    }
    return strcmp(state, STATE_CUSTODY) == 0 ? received(lote, adapter, &message, "recibido",
                                                        cell(lote, csv, row, "reference"), fault)
                                             : received(lote, adapter, &message, "rechazado",
                                                        cell(lote, csv, row, "reason"), fault);
}
