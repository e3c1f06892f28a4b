#include <stdio.h>
#include <string.h>

#include "lote/lote.h"
#include "sdk/progress.h"

const char *const lote_words_in[] = {
    "message",        "exchange",     "item?",     "state",      "occurred_at?",
    "occurrence?",    "action_code?", "reason?",   "competent?", "reference?",
    "new.reference?", "new.person?",  "new.code?", NULL,
};
const char *const lote_tables[] = {"estado", NULL};

/* [claves estado] besides the events of model/lifecycle. */
#define STATE_CUSTODY "custody"
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

/* ---- steps ---- */

static enum rc step(struct lote *lote, struct adapter *adapter, const struct csv *csv, size_t row,
                    const char *state, const uint8_t evidence[DIGEST_SIZE], struct fault *fault)
{
    struct progress progress;

    progress_init(&progress);
    progress.exchange = cell(lote, csv, row, "exchange");
    progress.state = state;
    progress.occurred_at = cell(lote, csv, row, "occurred_at");
    progress.reason = cell(lote, csv, row, "reason");
    progress.competent = cell(lote, csv, row, "competent");
    progress.evidence_sha256 = BYTES(evidence, DIGEST_SIZE);
    TRY(progress_number(cell(lote, csv, row, "item"), &progress.item, fault));
    TRY(progress_number(cell(lote, csv, row, "occurrence"), &progress.occurrence, fault));
    return progress_say(adapter, &progress, fault);
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
        return step(lote, adapter, csv, row, state, evidence, fault);
    }
    if (id_parse(cell(lote, csv, row, "message"), &message) != RC_OK) {
        return bad(fault, "state.message", "Falta la clave del mensaje, como se le entregó.");
    }
    return strcmp(state, STATE_CUSTODY) == 0 ? received(lote, adapter, &message, "recibido",
                                                        cell(lote, csv, row, "reference"), fault)
                                             : received(lote, adapter, &message, "rechazado",
                                                        cell(lote, csv, row, "reason"), fault);
}
