#include "sdk/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

#define ARENA_MAX ((size_t)1 << 20)
#define REPORT "report"
#define INSTANT_SIZE 40

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

void progress_init(struct progress *progress)
{
    *progress = (struct progress){
        .exchange = "", .state = "", .occurred_at = "", .reason = "", .competent = ""};
}

enum rc progress_number(const char *text, uint32_t *number, struct fault *fault)
{
    uint32_t value = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 6) {
            return bad(fault, "state.number", "La medida y la ocurrencia son números.");
        }
        value = 10 * value + (uint32_t)(text[i] - '0');
    }
    *number = value;
    return RC_OK;
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

static enum rc read_instant(const char *text, char out[INSTANT_SIZE], struct fault *fault)
{
    int64_t instant_ms;

    if (is_local(text)) {
        snprintf(out, INSTANT_SIZE, "%.4s-%.2s-%.2sT%.5s:00-06:00", text + 6, text + 3, text,
                 text + 11);
    } else {
        snprintf(out, INSTANT_SIZE, "%s", text);
    }
    return strlen(text) < INSTANT_SIZE && clock_parse(bytes_text(out), &instant_ms) == RC_OK
               ? RC_OK
               : bad(fault, "state.time",
                     "La fecha va como 03/06/2026 10:00 (hora de la ciudad) o en RFC 3339.");
}

/* ---- acts and reports ---- */

static const char *item_code(const struct header *opening, uint32_t number)
{
    for (size_t i = 0; i < opening->item_count; i++) {
        if (opening->items[i].number == number) {
            return opening->items[i].code;
        }
    }
    return NULL;
}

static enum rc report(struct adapter *adapter, const struct header *opening,
                      const struct progress *progress, const char *occurred_at, struct fault *fault)
{
    struct adapter_report said = {.to = opening,
                                  .item = progress->item,
                                  .occurrence = progress->occurrence,
                                  .action_code = item_code(opening, progress->item),
                                  .occurred_at = occurred_at,
                                  .evidence_sha256 = progress->evidence_sha256,
                                  .compartments = progress->compartments,
                                  .compartment_count = progress->compartment_count};

    if (said.occurrence == 0) {
        return bad(fault, "state.occurrence", "Un reporte lleva su número de ocurrencia, desde 1.");
    }
    if (said.action_code == NULL) {
        return bad(fault, "state.item",
                   "Un reporte lleva el número de una medida de la solicitud.");
    }
    return adapter_report(adapter, &said, fault);
}

static enum rc act(struct adapter *adapter, const struct header *opening,
                   const struct progress *progress, const char *occurred_at, struct fault *fault)
{
    struct adapter_act said = {.to = opening,
                               .item = progress->item,
                               .event = event_from_name(progress->state),
                               .reason = progress->reason,
                               .competent = progress->competent,
                               .occurred_at = occurred_at,
                               .compartments = progress->compartments,
                               .compartment_count = progress->compartment_count};

    if (said.event == EVENT_NONE || said.event == EVENT_CUSTODY) {
        return bad(fault, "state.unknown", "Ese estado no está en la tabla de equivalencias.");
    }
    if (said.event == EVENT_IN_FORCE) {
        said.evidence_sha256 = progress->evidence_sha256;
    }
    if (said.item != 0 && item_code(opening, said.item) == NULL) {
        return bad(fault, "state.item", "La solicitud no tiene una medida con ese número.");
    }
    return adapter_act(adapter, &said, fault);
}

enum rc progress_say(struct adapter *adapter, const struct progress *progress, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct message *opening = arena != NULL ? arena_alloc(arena, sizeof *opening) : NULL;
    char instant[INSTANT_SIZE];
    const char *occurred_at = NULL;
    struct id exchange;

    if (opening == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (id_parse(progress->exchange, &exchange) != RC_OK ||
        adapter_exchange(adapter, &exchange, arena, opening) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "",
                      "Ese folio no es de un intercambio abierto con esta institución.");
    }
    if (adapter_is_waiting(adapter, &opening->header.message_id)) {
        adapter_again(adapter, &opening->header.message_id);
    }
    if (adapter_is_waiting(adapter, &opening->header.message_id)) {
        return refuse(fault, RC_UNAVAILABLE, "state.too_early", "",
                      "La institución todavía no confirma que lo recibió.");
    }
    if (progress->occurred_at[0] != '\0') {
        TRY(read_instant(progress->occurred_at, instant, fault));
        occurred_at = instant;
    }
    return strcmp(progress->state, REPORT) == 0
               ? report(adapter, &opening->header, progress, occurred_at, fault)
               : act(adapter, &opening->header, progress, occurred_at, fault);
}
