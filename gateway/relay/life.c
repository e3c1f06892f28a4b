#include "relay/life.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/directory.h"
#include "model/lifecycle.h"

#define FLAG_UNDELIVERABLE 1u

static void put_item(struct exchange *exchange, const struct item *item, enum state state,
                     int64_t now_ms)
{
    struct exchange_item *slot = &exchange->items[exchange->item_count++];

    slot->number = item->number;
    slot->state = state;
    slot->occurrences = 0;
    slot->index = 0;
    slot->changed_at_ms = now_ms;
    snprintf(slot->code, sizeof slot->code, "%s", item->code);
}

void life_open(const struct message *message, const struct route *route, enum state state,
               struct exchange *exchange)
{
    const struct header *header = &message->header;

    /* Clocks and items are filled as far as they are counted: most of the struct stays untouched.
     */
    memset(exchange, 0, offsetof(struct exchange, clocks));
    exchange->clock_count = 0;
    exchange->item_count = 0;
    exchange->id = header->exchange_id;
    exchange->type = header->type;
    snprintf(exchange->from, sizeof exchange->from, "%s", header->from);
    snprintf(exchange->to, sizeof exchange->to, "%s", header->to);
    snprintf(exchange->route, sizeof exchange->route, "%s", route->id);
    exchange->parent_id = header->parent_exchange_id;
    exchange->urgency = header->urgency;
    for (size_t i = 0; i < header->clock_count && i < MESSAGE_CLOCKS_MAX; i++) {
        struct exchange_clock *clock = &exchange->clocks[exchange->clock_count++];

        snprintf(clock->id, sizeof clock->id, "%s", header->clocks[i].id);
        clock->flags = 0;
        clock->due_ms = header->clocks[i].due_at_ms;
    }
    for (size_t i = 0; i < header->item_count && i < MESSAGE_ITEMS_MAX; i++) {
        put_item(exchange, &header->items[i], state, header->created_at_ms);
    }
}

/* Between two systems of one member both sides are the same member. */
static bool is_side(const struct exchange *exchange, const struct header *header, enum side side)
{
    const char *member = side == SIDE_EXECUTOR ? exchange->to : exchange->from;
    const char *other = side == SIDE_EXECUTOR ? exchange->from : exchange->to;

    return strcmp(header->from, member) == 0 && strcmp(header->to, other) == 0;
}

static const struct transition *find_step(const struct exchange *exchange,
                                          const struct header *header, enum state from)
{
    const struct transition *step = NULL;

    if (is_side(exchange, header, SIDE_EXECUTOR)) {
        step = lifecycle_step(from, header->event, SIDE_EXECUTOR);
    }
    if (step == NULL && is_side(exchange, header, SIDE_REQUESTER)) {
        step = lifecycle_step(from, header->event, SIDE_REQUESTER);
    }
    return step;
}

static struct exchange_item *find_item(struct exchange *exchange, uint32_t number)
{
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (exchange->items[i].number == number) {
            return &exchange->items[i];
        }
    }
    return NULL;
}

static enum rc refuse_item(struct fault *fault, const char *path)
{
    return refuse(fault, RC_FAILED_PRECONDITION, "life.item_unknown", path,
                  "Use un número de medida que exista en la solicitud original.");
}

static enum rc step_act(const struct header *header, int64_t now_ms, struct exchange *exchange,
                        struct fault *fault)
{
    bool is_any = false;

    if (header->event == EVENT_CUSTODY && !id_equal(&header->regards, &exchange->id)) {
        return RC_OK; /* of a change within the exchange: taken note of, no item moves */
    }
    if (header->item != 0 && find_item(exchange, header->item) == NULL) {
        return refuse_item(fault, "header.act.item");
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];
        const struct transition *step;

        if (header->item != 0 && item->number != header->item) {
            continue;
        }
        step = find_step(exchange, header, item->state);
        if (step == NULL) {
            continue;
        }
        is_any = true;
        item->state = step->to;
        item->changed_at_ms = now_ms;
    }
    if (!is_any) {
        return refuse(fault, RC_FAILED_PRECONDITION, "life.not_from_here", "header.act.event",
                      "Ese paso no procede desde el estado actual, o no le toca a su "
                      "institución; consulte el estado con «enlace track».");
    }
    return RC_OK;
}

static enum rc step_report(const struct header *header, int64_t now_ms, struct exchange *exchange,
                           struct fault *fault)
{
    struct exchange_item *item = find_item(exchange, header->item);

    if (item == NULL) {
        return refuse_item(fault, "header.status_report.item");
    }
    if (!state_takes_reports(item->state)) {
        return refuse(fault, RC_FAILED_PRECONDITION, "report.not_running",
                      "header.status_report.item",
                      "La medida no está aceptada ni en vigor; acéptela antes de reportar.");
    }
    if (header->occurrence != item->occurrences + 1) {
        return refuse(
            fault, RC_FAILED_PRECONDITION, "report.out_of_order", "header.status_report.occurrence",
            "Los reportes van en orden y sin huecos; sigue el número %u.", item->occurrences + 1);
    }
    item->occurrences = header->occurrence;
    item->changed_at_ms = now_ms;
    return RC_OK;
}

static enum rc step_recall(int64_t now_ms, struct exchange *exchange, struct fault *fault)
{
    bool is_any = false;

    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        if (item->state < STATE_CLOSED) {
            item->state = STATE_RECALLED;
            item->changed_at_ms = now_ms;
            is_any = true;
        }
    }
    return is_any ? RC_OK
                  : refuse(fault, RC_FAILED_PRECONDITION, "life.not_from_here", "header.recall",
                           "El intercambio ya está cerrado; no queda nada que retirar.");
}

enum rc life_step(const struct message *message, int64_t now_ms, struct exchange *exchange,
                  struct fault *fault)
{
    const struct header *header = &message->header;

    if (!is_side(exchange, header, SIDE_EXECUTOR) && !is_side(exchange, header, SIDE_REQUESTER)) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "header.exchange_id",
                      "No hay un intercambio suyo con ese identificador.");
    }
    if ((exchange->flags & FLAG_UNDELIVERABLE) != 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "exchange.undeliverable", "header.exchange_id",
                      "El otro nodo rechazó la solicitud que abría este intercambio; abra otro.");
    }
    switch (header->type) {
    case MESSAGE_ACT:
        return step_act(header, now_ms, exchange, fault);
    case MESSAGE_STATUS_REPORT:
        return step_report(header, now_ms, exchange, fault);
    case MESSAGE_RECALL:
        return step_recall(now_ms, exchange, fault);
    case MESSAGE_MEASURE_CHANGE:
        return find_item(exchange, header->item) != NULL
                   ? RC_OK
                   : refuse_item(fault, "header.measure_change.item");
    default:
        return RC_OK;
    }
}

bool life_received(struct exchange *exchange, int64_t now_ms)
{
    if (exchange->received_at_ms != 0) {
        return false;
    }
    exchange->received_at_ms = now_ms;
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (exchange->items[i].state == STATE_SENT) {
            exchange->items[i].state = STATE_RECEIVED;
            exchange->items[i].changed_at_ms = now_ms;
        }
    }
    return true;
}

void life_undeliverable(struct exchange *exchange, int64_t now_ms)
{
    exchange->flags |= FLAG_UNDELIVERABLE;
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (exchange->items[i].state == STATE_SENT) {
            exchange->items[i].state = STATE_FAILED;
            exchange->items[i].changed_at_ms = now_ms;
        }
    }
}
