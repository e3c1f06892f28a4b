#include "relay/life.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/directory.h"
#include "model/lifecycle.h"
#include "relay/terms.h"

/* What takes a consultation's answer when nobody came in time. */
#define REASON_EXPIRED "sesion-concluida"

static void put_item(struct exchange *exchange, const struct item *item, enum state state,
                     int64_t at_ms)
{
    struct exchange_item *slot = &exchange->items[exchange->item_count++];

    memset(slot, 0, sizeof *slot);
    slot->number = item->number;
    slot->state = state;
    slot->changed_at_ms = at_ms;
    slot->cadence.period = item->period;
    slot->cadence.count = item->cadence_count;
    if (clock_parse_date(bytes_text(item->ends_on), &slot->cadence.ends_day) != RC_OK) {
        slot->cadence.ends_day = CADENCE_ENDLESS;
    }
    snprintf(slot->code, sizeof slot->code, "%s", item->code);
}

static void put_items(const struct header *header, enum state state, int64_t at_ms,
                      struct exchange *exchange)
{
    struct item asked = {.number = 1, .code = header->catalogue_code, .ends_on = ""};

    if (header->type == MESSAGE_CONSULTATION) {
        put_item(exchange, &asked, state, at_ms);
        exchange->expires_at_ms = header->expires_at_ms;
    }
    for (size_t i = 0; i < header->item_count && i < MESSAGE_ITEMS_MAX; i++) {
        put_item(exchange, &header->items[i], state, at_ms);
    }
}

void life_open(const struct message *message, const struct route *route, enum state state,
               const struct moment *moment, struct exchange *exchange)
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
    put_items(header, state, moment->act.entered_ms, exchange);
    terms_open(header, route, moment, exchange);
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

/* A decline's coded reason, and who is competent instead: the origin may turn there. */
static void keep_reason(const struct header *header, struct exchange_item *item)
{
    bool is_refusal = header->event == EVENT_DECLINE || header->event == EVENT_FAIL;

    snprintf(item->reason, sizeof item->reason, "%s", is_refusal ? header->reason : "");
    snprintf(item->competent, sizeof item->competent, "%s", is_refusal ? header->competent : "");
}

/* Which items the act moves: bit i for items[i]. */
static uint32_t move_items(const struct header *header, int64_t at_ms, struct exchange *exchange)
{
    uint32_t moved = 0;

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
        moved |= 1u << i;
        item->state = step->to;
        item->changed_at_ms = at_ms;
        keep_reason(header, item);
    }
    return moved;
}

static enum rc refuse_expired(struct fault *fault)
{
    return refuse(fault, RC_FAILED_PRECONDITION, "exchange.expired", "header.exchange_id",
                  "La sesión de esta consulta ya concluyó; responda en una nueva.");
}

static bool is_answer_to_recall(const struct header *header)
{
    return header->type == MESSAGE_ACT &&
           (header->event == EVENT_PURGE || header->event == EVENT_KEEP);
}

static enum rc step_act(const struct header *header, const struct moment *moment,
                        struct exchange *exchange, struct fault *fault)
{
    uint32_t moved;

    if (header->event == EVENT_CUSTODY && !id_equal(&header->regards, &exchange->id)) {
        return RC_OK; /* of a change within the exchange: taken note of, no item moves */
    }
    if (exchange->expires_at_ms != 0 && header->event != EVENT_CLOSE &&
        !is_answer_to_recall(header) && moment->act.entered_ms >= exchange->expires_at_ms) {
        return refuse_expired(fault);
    }
    if (header->item != 0 && find_item(exchange, header->item) == NULL) {
        return refuse_item(fault, "header.act.item");
    }
    if (moment->act.band != BAND_NONE && moment->act.occurred_ms < exchange->opened.occurred_ms) {
        return refuse(fault, RC_FAILED_PRECONDITION, "time.before_opening", "header.occurred_at",
                      "El acto no pudo ocurrir antes de la solicitud que atiende; corrija la "
                      "hora.");
    }
    moved = move_items(header, moment->act.entered_ms, exchange);
    if (moved == 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "life.not_from_here", "header.act.event",
                      "Ese paso no procede desde el estado actual, o no le toca a su "
                      "institución; consulte el estado con «enlace track».");
    }
    terms_step(header->event, moved, moment, exchange);
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

static enum rc step_recall(const struct header *header, const struct moment *moment,
                           struct exchange *exchange, struct fault *fault)
{
    bool is_any = false;

    if (!id_equal(&header->regards, &exchange->id)) {
        return refuse(fault, RC_FAILED_PRECONDITION, "recall.regards", "header.recall.regards",
                      "Se retira el intercambio entero: cite el mensaje que lo abrió. Un mensaje "
                      "suelto se corrige.");
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        if (state_is_recallable(item->state)) {
            item->state = STATE_RECALLED;
            item->changed_at_ms = moment->act.entered_ms;
            is_any = true;
        }
    }
    if (!is_any) {
        return refuse(fault, RC_FAILED_PRECONDITION, "life.not_from_here", "header.recall",
                      "El intercambio ya se retiró; no queda nada que retirar.");
    }
    terms_recall(moment, exchange);
    return RC_OK;
}

/* ---- what crossed on the way ---- */

/* The executor said it before it heard of the recall: taken note of, nothing moves. */
static bool is_overtaken(const struct exchange *exchange, const struct header *header)
{
    if ((header->type != MESSAGE_ACT && header->type != MESSAGE_STATUS_REPORT) ||
        is_answer_to_recall(header) || !is_side(exchange, header, SIDE_EXECUTOR)) {
        return false;
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        if ((header->item == 0 || header->item == item->number) &&
            !state_was_recalled(item->state)) {
            return false;
        }
    }
    return exchange->item_count > 0;
}

/* "It was an error" reaches an agency that has custody already: a recall, by then. */
static bool is_too_late(struct exchange *exchange, const struct header *header,
                        const struct moment *moment)
{
    bool is_any = false;

    if (header->type != MESSAGE_ACT || header->event != EVENT_ENTERED_IN_ERROR) {
        return false;
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        if ((header->item == 0 || header->item == item->number) &&
            find_step(exchange, header, item->state) == NULL && state_is_recallable(item->state)) {
            item->state = STATE_RECALLED;
            item->changed_at_ms = moment->act.entered_ms;
            is_any = true;
        }
    }
    if (is_any) {
        terms_recall(moment, exchange);
    }
    return is_any;
}

enum rc life_arrive(const struct message *message, const struct moment *moment,
                    struct exchange *exchange, struct fault *fault)
{
    if (is_overtaken(exchange, &message->header) ||
        is_too_late(exchange, &message->header, moment)) {
        return RC_OK;
    }
    return life_step(message, moment, exchange, fault);
}

bool life_is_purged(const struct exchange *exchange)
{
    size_t gone = 0;

    for (size_t i = 0; i < exchange->item_count; i++) {
        gone += exchange->items[i].state == STATE_PURGED ||
                exchange->items[i].state == STATE_ENTERED_IN_ERROR;
    }
    return gone > 0 && gone == exchange->item_count;
}

/* ---- changes of a measure ---- */

static bool can_change(const struct exchange_item *item)
{
    return state_takes_reports(item->state) || item->state == STATE_ON_HOLD;
}

static enum rc check_change(const struct header *header, const struct exchange_item *item,
                            int32_t ends_day, struct fault *fault)
{
    if (!can_change(item)) {
        return refuse(fault, RC_FAILED_PRECONDITION, "change.not_running",
                      "header.measure_change.item",
                      "La medida no está aceptada ni en vigor: pida una nueva.");
    }
    if (header->change == CHANGE_EXTEND && item->cadence.ends_day != CADENCE_ENDLESS &&
        ends_day <= item->cadence.ends_day) {
        return refuse(fault, RC_FAILED_PRECONDITION, "change.not_later",
                      "header.measure_change.ends_on",
                      "La prórroga termina después que la medida; revise la fecha.");
    }
    return RC_OK;
}

static void apply_change(const struct header *header, const struct moment *moment, int32_t ends_day,
                         struct exchange_item *item)
{
    int32_t today = clock_local_day(moment->act.occurred_ms);

    switch (header->change) {
    case CHANGE_SUSPEND:
        item->is_suspended = true;
        break;
    case CHANGE_LIFT:
        item->cadence.ends_day = today;
        item->is_suspended = true;
        break;
    case CHANGE_RENEW: /* its occurrences are counted anew from here */
        item->cadence.from_day = item->state == STATE_IN_FORCE ? today : item->cadence.from_day;
        item->cadence.base = item->occurrences;
        item->told = item->occurrences;
        item->is_suspended = false;
        item->cadence.ends_day = ends_day;
        break;
    default:
        item->cadence.ends_day = ends_day;
        break;
    }
    item->changed_at_ms = moment->act.entered_ms;
}

static enum rc step_change(const struct header *header, const struct moment *moment,
                           struct exchange *exchange, struct fault *fault)
{
    int32_t ends_day = CADENCE_ENDLESS;

    if (header->item != 0 && find_item(exchange, header->item) == NULL) {
        return refuse_item(fault, "header.measure_change.item");
    }
    if (header->ends_on[0] != '\0' &&
        clock_parse_date(bytes_text(header->ends_on), &ends_day) != RC_OK) {
        return RC_INVALID_ARGUMENT; /* validated before */
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (header->item == 0 || exchange->items[i].number == header->item) {
            TRY(check_change(header, &exchange->items[i], ends_day, fault));
        }
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (header->item == 0 || exchange->items[i].number == header->item) {
            apply_change(header, moment, ends_day, &exchange->items[i]);
        }
    }
    return RC_OK;
}

enum rc life_step(const struct message *message, const struct moment *moment,
                  struct exchange *exchange, struct fault *fault)
{
    const struct header *header = &message->header;

    if (!is_side(exchange, header, SIDE_EXECUTOR) && !is_side(exchange, header, SIDE_REQUESTER)) {
        return refuse(fault, RC_NOT_FOUND, "exchange.unknown", "header.exchange_id",
                      "No hay un intercambio suyo con ese identificador.");
    }
    if ((exchange->flags & LIFE_UNDELIVERABLE) != 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "exchange.undeliverable", "header.exchange_id",
                      "El otro nodo rechazó la solicitud que abría este intercambio; abra otro.");
    }
    if ((exchange->flags & (LIFE_AWAITING | LIFE_REJECTED)) != 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "approval.awaited", "header.exchange_id",
                      (exchange->flags & LIFE_REJECTED) != 0
                          ? "La segunda persona servidora pública no aprobó la solicitud que abría "
                            "este intercambio; abra otro."
                          : "La solicitud que abre este intercambio aún espera su segunda "
                            "aprobación.");
    }
    switch (header->type) {
    case MESSAGE_ACT:
        return step_act(header, moment, exchange, fault);
    case MESSAGE_STATUS_REPORT:
        return step_report(header, moment->act.entered_ms, exchange, fault);
    case MESSAGE_RECALL:
        return step_recall(header, moment, exchange, fault);
    case MESSAGE_MEASURE_CHANGE:
        return step_change(header, moment, exchange, fault);
    default:
        return RC_OK;
    }
}

/* ---- what no message of theirs does ---- */

/* Those that nobody has taken become this. */
static void turn_items(struct exchange *exchange, enum state least, enum state most,
                       enum state state, int64_t at_ms)
{
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        if (item->state >= least && item->state <= most) {
            item->state = state;
            item->changed_at_ms = at_ms;
        }
    }
}

bool life_received(struct exchange *exchange, int64_t at_ms)
{
    if (exchange->received_at_ms != 0) {
        return false;
    }
    exchange->received_at_ms = at_ms;
    turn_items(exchange, STATE_SENT, STATE_SENT, STATE_RECEIVED, at_ms);
    terms_received(exchange, at_ms);
    return true;
}

void life_undeliverable(struct exchange *exchange, int64_t now_ms)
{
    exchange->flags |= LIFE_UNDELIVERABLE;
    turn_items(exchange, STATE_SENT, STATE_SENT, STATE_FAILED, now_ms);
    terms_settle(exchange, &(struct exchange_act){.occurred_ms = now_ms, .entered_ms = now_ms});
}

bool life_expire(struct exchange *exchange, int64_t now_ms)
{
    if (exchange->expires_at_ms == 0 || now_ms < exchange->expires_at_ms ||
        (exchange->flags & LIFE_EXPIRED) != 0) {
        return false;
    }
    exchange->flags |= LIFE_EXPIRED;
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        if (item->state <= STATE_IN_CUSTODY) {
            snprintf(item->reason, sizeof item->reason, REASON_EXPIRED);
        }
    }
    turn_items(exchange, STATE_SENT, STATE_IN_CUSTODY, STATE_FAILED, exchange->expires_at_ms);
    terms_settle(exchange, &(struct exchange_act){.occurred_ms = exchange->expires_at_ms,
                                                  .entered_ms = exchange->expires_at_ms});
    return true;
}

void life_await(struct exchange *exchange)
{
    exchange->flags |= LIFE_AWAITING;
    for (size_t i = 0; i < exchange->item_count; i++) {
        exchange->items[i].state = STATE_AWAITING_APPROVAL;
    }
}

void life_decide(struct exchange *exchange, bool is_approved, int64_t now_ms)
{
    if ((exchange->flags & LIFE_AWAITING) == 0) {
        return;
    }
    exchange->flags &= ~LIFE_AWAITING;
    exchange->flags |= is_approved ? 0 : LIFE_REJECTED;
    turn_items(exchange, STATE_AWAITING_APPROVAL, STATE_AWAITING_APPROVAL,
               is_approved ? STATE_SENT : STATE_FAILED, now_ms);
    if (!is_approved) {
        terms_settle(exchange, &(struct exchange_act){.occurred_ms = now_ms, .entered_ms = now_ms});
    }
}
