#include "relay/terms.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/directory.h"
#include "relay/life.h"

static const unsigned shares[] = {50, 75, 100};
#define RECALL_ORDINARY_MS ((int64_t)72 * 3600 * 1000)
#define RECALL_URGENT_MS ((int64_t)12 * 3600 * 1000)
#define SHARES (sizeof shares / sizeof shares[0])

void terms_moment(const struct header *header, const struct directory *directory,
                  const struct route *route, int64_t entered_ms, struct moment *moment)
{
    const struct holiday_list *list = &directory->working_terms[route->text];
    int64_t occurred_ms;

    moment->act = (struct exchange_act){.occurred_ms = entered_ms, .entered_ms = entered_ms};
    moment->holidays = (struct holidays){.days = list->days, .count = list->count};
    if (header->out_of_band != BAND_NONE &&
        clock_parse(bytes_text(header->occurred_at), &occurred_ms) == RC_OK) {
        moment->act.occurred_ms = occurred_ms;
        moment->act.band = header->out_of_band;
    }
}

/* ---- anchors ---- */

static void anchor(struct exchange_clock *clock, const struct moment *moment,
                   const struct exchange_act *act)
{
    clock->anchored = *act;
    clock->stopped = (struct exchange_act){0};
    clock->told = 0;
    clock->due_ms = deadline_due_ms(&clock->rule, act->occurred_ms, &moment->holidays);
    if (clock->cap_ms != 0 && clock->cap_ms < clock->due_ms) {
        clock->due_ms = clock->cap_ms;
    }
}

static unsigned share_passed(const struct exchange_clock *clock, int64_t now_ms)
{
    unsigned passed = 0;

    for (size_t i = 0; i < SHARES; i++) {
        if (deadline_share_ms(clock->anchored.occurred_ms, clock->due_ms, shares[i]) <= now_ms) {
            passed = shares[i];
        }
    }
    return passed;
}

/* The message's own deadline for a clock; 0: none. */
static int64_t cap_of(const struct header *header, const char *id)
{
    for (size_t i = 0; i < header->clock_count; i++) {
        if (strcmp(header->clocks[i].id, id) == 0) {
            return header->clocks[i].due_at_ms;
        }
    }
    return 0;
}

static bool decision_act(const struct header *header, const struct moment *moment,
                         struct exchange_act *act)
{
    int32_t day;

    if (!header->has_decision ||
        clock_parse_date(bytes_text(header->decision_date), &day) != RC_OK) {
        return false;
    }
    *act = (struct exchange_act){.occurred_ms = clock_local_midnight_ms(day),
                                 .entered_ms = moment->act.entered_ms};
    return true;
}

static void open_clock(const struct header *header, const struct clock_rule *rule,
                       const struct moment *moment, struct exchange *exchange)
{
    struct exchange_clock *clock = &exchange->clocks[exchange->clock_count];
    struct exchange_act decided;

    memset(clock, 0, sizeof *clock);
    clock->rule = *rule;
    clock->cap_ms = cap_of(header, rule->id);
    if (rule->anchor == ANCHOR_OPENING) {
        anchor(clock, moment, &moment->act);
    } else if (rule->anchor == ANCHOR_DECISION) {
        if (!decision_act(header, moment, &decided)) {
            return; /* nothing was decided: there is nothing to tell */
        }
        anchor(clock, moment, &decided);
        /* Out before its message came: it is shown so, and what it asks for is under way. */
        clock->told = share_passed(clock, moment->act.entered_ms);
    }
    exchange->clock_count++;
}

void terms_open(const struct header *header, const struct route *route, const struct moment *moment,
                struct exchange *exchange)
{
    exchange->opened = moment->act;
    for (size_t i = 0; i < route->clock_count; i++) {
        const struct clock_rule *rule = &route->clocks[i];

        if (rule->urgency == URGENCY_NONE || rule->urgency == header->urgency) {
            open_clock(header, rule, moment, exchange);
        }
    }
    terms_settle(exchange, &moment->act);
}

static struct exchange_clock *clock_of_item(struct exchange *exchange, const char *id,
                                            uint32_t item)
{
    for (size_t i = 0; i < exchange->clock_count; i++) {
        struct exchange_clock *clock = &exchange->clocks[i];

        if (clock->item == item && strcmp(clock->rule.id, id) == 0) {
            return clock;
        }
    }
    return NULL;
}

static bool has_items_own(const struct exchange *exchange, const char *id)
{
    for (size_t i = 0; i < exchange->clock_count; i++) {
        if (exchange->clocks[i].item != 0 && strcmp(exchange->clocks[i].rule.id, id) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t all_items(const struct exchange *exchange)
{
    return (uint32_t)((UINT64_C(1) << exchange->item_count) - 1);
}

/* All at once share the route's clock; who moves alone gets one of its own. */
static void anchor_moved(struct exchange *exchange, size_t at, uint32_t moved,
                         const struct moment *moment)
{
    struct exchange_clock *shared = &exchange->clocks[at];

    if (moved == all_items(exchange) && !has_items_own(exchange, shared->rule.id)) {
        anchor(shared, moment, &moment->act);
        return;
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        uint32_t number = exchange->items[i].number;
        struct exchange_clock *own;

        if ((moved >> i & 1) == 0) {
            continue;
        }
        own = clock_of_item(exchange, shared->rule.id, number);
        if (own == NULL && exchange->clock_count < EXCHANGE_CLOCKS_MAX) {
            own = &exchange->clocks[exchange->clock_count++];
            *own = *shared;
            own->item = number;
        }
        if (own != NULL) {
            anchor(own, moment, &moment->act);
        }
    }
}

/* ---- stops ---- */

bool terms_is_running(const struct exchange_clock *clock)
{
    return clock->anchored.occurred_ms != 0 && clock->stopped.occurred_ms == 0;
}

static bool covers(const struct exchange *exchange, const struct exchange_clock *clock,
                   const struct exchange_item *item)
{
    if (clock->item != 0) {
        return clock->item == item->number;
    }
    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *other = &exchange->clocks[i];

        if (other->item == item->number && strcmp(other->rule.id, clock->rule.id) == 0) {
            return false;
        }
    }
    return true;
}

static bool is_owed(const struct exchange *exchange, const struct exchange_clock *clock)
{
    if (clock->rule.stop == STOP_RECEIVED && exchange->received_at_ms != 0) {
        return false;
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        if (deadline_is_owed(clock->rule.stop, item->state) && covers(exchange, clock, item)) {
            return true;
        }
    }
    return false;
}

void terms_settle(struct exchange *exchange, const struct exchange_act *act)
{
    for (size_t i = 0; i < exchange->clock_count; i++) {
        struct exchange_clock *clock = &exchange->clocks[i];

        if (terms_is_running(clock) && !is_owed(exchange, clock)) {
            clock->stopped = *act;
        }
    }
}

void terms_received(struct exchange *exchange, int64_t at_ms)
{
    terms_settle(exchange, &(struct exchange_act){.occurred_ms = at_ms, .entered_ms = at_ms});
}

static void begin_occurrences(struct exchange_item *item, const struct moment *moment)
{
    item->cadence.from_day = clock_local_day(moment->act.occurred_ms);
    item->cadence.base = item->occurrences;
    item->told = item->occurrences;
}

/* The route's own clock for it, or one that every exchange has. */
static struct exchange_clock *recall_clock(struct exchange *exchange)
{
    struct exchange_clock *clock;

    for (size_t i = 0; i < exchange->clock_count; i++) {
        if (exchange->clocks[i].rule.anchor == ANCHOR_RECALL) {
            return &exchange->clocks[i];
        }
    }
    if (exchange->clock_count == EXCHANGE_CLOCKS_MAX) {
        return NULL;
    }
    clock = &exchange->clocks[exchange->clock_count++];
    *clock = (struct exchange_clock){
        .rule = {.id = RECALL_CLOCK,
                 .limit =
                     exchange->urgency == URGENCY_URGENT ? RECALL_URGENT_MS : RECALL_ORDINARY_MS,
                 .unit = CLOCK_INSTANTS,
                 .anchor = ANCHOR_RECALL,
                 .stop = STOP_ANSWERED},
    };
    return clock;
}

void terms_recall(const struct moment *moment, struct exchange *exchange)
{
    struct exchange_clock *clock = recall_clock(exchange);

    if (clock != NULL) {
        anchor(clock, moment, &moment->act);
    }
    terms_settle(exchange, &moment->act);
}

/* An error that was told too late is a recall: the custody that crossed it began that. */
static bool is_recall_untimed(const struct exchange *exchange)
{
    bool is_recalled = false;

    for (size_t i = 0; i < exchange->item_count; i++) {
        is_recalled = is_recalled || exchange->items[i].state == STATE_RECALLED;
    }
    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];

        is_recalled =
            is_recalled && (clock->rule.anchor != ANCHOR_RECALL || !terms_is_running(clock));
    }
    return is_recalled;
}

void terms_step(enum event event, uint32_t moved, const struct moment *moment,
                struct exchange *exchange)
{
    size_t shared = exchange->clock_count; /* those added now are the items' own */

    for (size_t i = 0; i < shared; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];
        bool is_anchored_now = (event == EVENT_ACCEPT && clock->rule.anchor == ANCHOR_ACCEPT) ||
                               (event == EVENT_DISPUTE && clock->rule.stop == STOP_IN_FORCE);

        if (clock->item == 0 && is_anchored_now) {
            anchor_moved(exchange, i, moved, moment);
        }
    }
    for (size_t i = 0; event == EVENT_IN_FORCE && i < exchange->item_count; i++) {
        if ((moved >> i & 1) != 0) {
            begin_occurrences(&exchange->items[i], moment);
        }
    }
    if (event == EVENT_CUSTODY && is_recall_untimed(exchange)) {
        terms_recall(moment, exchange);
    }
    terms_settle(exchange, &moment->act);
}

/* ---- what is told when ---- */

bool terms_is_overdue(const struct exchange_clock *clock, int64_t now_ms)
{
    int64_t until_ms = clock->stopped.occurred_ms != 0 ? clock->stopped.occurred_ms : now_ms;

    return clock->anchored.occurred_ms != 0 &&
           (terms_is_running(clock) ? until_ms >= clock->due_ms : until_ms > clock->due_ms);
}

enum side terms_late(const struct exchange_clock *clock)
{
    return clock->rule.stop == STOP_RECEIVED ? SIDE_REQUESTER : SIDE_EXECUTOR;
}

static bool falls_due(const struct exchange_item *item)
{
    return item->state == STATE_IN_FORCE && !item->is_suspended &&
           item->cadence.period != PERIOD_NONE;
}

int64_t terms_occurrence_due_ms(const struct exchange_item *item)
{
    return falls_due(item) ? cadence_due_ms(&item->cadence, item->occurrences + 1) : INT64_MAX;
}

uint32_t terms_missing(const struct exchange_item *item, int64_t now_ms)
{
    uint32_t expected = falls_due(item) ? cadence_expected(&item->cadence, now_ms) : 0;

    return expected > item->occurrences ? expected - item->occurrences : 0;
}

static uint32_t untold_occurrence(const struct exchange_item *item)
{
    return (item->occurrences > item->told ? item->occurrences : item->told) + 1;
}

static int64_t next_share_ms(const struct exchange_clock *clock)
{
    for (size_t i = 0; i < SHARES; i++) {
        if (shares[i] > clock->told) {
            return deadline_share_ms(clock->anchored.occurred_ms, clock->due_ms, shares[i]);
        }
    }
    return INT64_MAX;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t terms_alarm_ms(const struct exchange *exchange)
{
    bool expires = exchange->expires_at_ms != 0 && (exchange->flags & LIFE_EXPIRED) == 0;
    int64_t next_ms = expires ? exchange->expires_at_ms : INT64_MAX;

    for (size_t i = 0; i < exchange->clock_count; i++) {
        if (terms_is_running(&exchange->clocks[i])) {
            next_ms = earlier(next_ms, next_share_ms(&exchange->clocks[i]));
        }
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        if (falls_due(item)) {
            next_ms = earlier(next_ms, cadence_due_ms(&item->cadence, untold_occurrence(item)));
        }
    }
    return next_ms == INT64_MAX ? 0 : next_ms > 0 ? next_ms : 1;
}

static bool fire_clock(struct exchange_clock *clock, int64_t now_ms, struct term_due *due)
{
    unsigned passed = terms_is_running(clock) ? share_passed(clock, now_ms) : 0;

    if (passed <= clock->told) {
        return false;
    }
    clock->told = passed;
    memset(due, 0, sizeof *due); /* compared as bytes */
    due->item = clock->item;
    due->percent = passed;
    due->anchored_ms = clock->anchored.occurred_ms;
    due->due_ms = clock->due_ms;
    due->late = terms_late(clock);
    snprintf(due->clock, sizeof due->clock, "%s", clock->rule.id);
    return true;
}

static bool fire_occurrence(struct exchange_item *item, int64_t now_ms, struct term_due *due)
{
    uint32_t first = untold_occurrence(item);
    uint32_t expected = falls_due(item) ? cadence_expected(&item->cadence, now_ms) : 0;

    if (expected < first) {
        return false;
    }
    item->told = expected;
    memset(due, 0, sizeof *due);
    due->item = item->number;
    due->percent = 100;
    due->anchored_ms = clock_local_midnight_ms(item->cadence.from_day);
    due->due_ms = cadence_due_ms(&item->cadence, first);
    due->late = SIDE_EXECUTOR;
    snprintf(due->clock, sizeof due->clock, CADENCE_CLOCK);
    return true;
}

size_t terms_fire(struct exchange *exchange, int64_t now_ms, struct term_due out[TERMS_DUE_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < exchange->clock_count && count < TERMS_DUE_MAX; i++) {
        count += fire_clock(&exchange->clocks[i], now_ms, &out[count]);
    }
    for (size_t i = 0; i < exchange->item_count && count < TERMS_DUE_MAX; i++) {
        count += fire_occurrence(&exchange->items[i], now_ms, &out[count]);
    }
    return count;
}
