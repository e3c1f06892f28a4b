#include "relay/summary.h"

#include <string.h>

#include "base/clock.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/life.h"
#include "relay/node.h"
#include "relay/terms.h"
#include "relay/waiting.h"

/* What falls due of one item. */
struct due {
    const char *clock; /* NULL: nothing */
    int64_t anchored_ms;
    int64_t at_ms;
};

bool summary_is_open(const struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->item_count; i++) {
        if (state_is_open(exchange->items[i].state)) {
            return true;
        }
    }
    return false;
}

static void take_earlier(struct due *due, const char *clock, int64_t anchored_ms, int64_t at_ms)
{
    if (due->clock == NULL || at_ms < due->at_ms) {
        *due = (struct due){clock, anchored_ms, at_ms};
    }
}

static struct due due_of(const struct exchange *exchange, const struct exchange_item *item)
{
    int64_t occurrence_ms = terms_occurrence_due_ms(item);
    struct due due = {0};

    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];

        if (terms_is_running(clock) && deadline_is_owed(clock->rule.stop, item->state) &&
            (clock->item == 0 || clock->item == item->number)) {
            take_earlier(&due, clock->rule.id, clock->anchored.occurred_ms, clock->due_ms);
        }
    }
    if (occurrence_ms != INT64_MAX) {
        take_earlier(&due, CADENCE_CLOCK, item->changed_at_ms, occurrence_ms);
    }
    return due;
}

/* The one with the least time left; without any deadline, the one that came the least far. */
static const struct exchange_item *most_urgent(const struct exchange *exchange, struct due *due)
{
    const struct exchange_item *found = NULL;

    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];
        struct due mine = due_of(exchange, item);
        bool is_first =
            found == NULL || (state_is_open(item->state) && !state_is_open(found->state));
        bool is_sooner = !is_first && state_is_open(item->state) && mine.clock != NULL &&
                         (due->clock == NULL || mine.at_ms < due->at_ms);
        bool is_behind = !is_first && state_is_open(item->state) && mine.clock == NULL &&
                         due->clock == NULL && item->state < found->state;

        if (is_first || is_sooner || is_behind) {
            found = item;
            *due = mine;
        }
    }
    return found;
}

static bool is_hosted(const struct node *node, const char *member)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);

    return node_is(node_of_member(edition->directory, member, clock_local_day(clock_now_ms())),
                   node->self);
}

static struct hang_facts facts_of(const struct node *node, const struct exchange *exchange,
                                  const struct exchange_item *item, const struct waiting *waiting,
                                  int64_t now_ms)
{
    const struct waiting_item *forward = waiting_forward(waiting, &exchange->id);
    struct hang_facts facts = {
        .requester = exchange->from,
        .executor = exchange->to,
        .is_refused = (exchange->flags & LIFE_UNDELIVERABLE) != 0,
        .is_missing = terms_missing(item, now_ms) > 0,
        .is_hosted = is_hosted(node, exchange->to),
    };

    facts.has_system = facts.is_hosted && waiting->has_system;
    if (forward != NULL) {
        facts.peer = forward->peer;
        facts.waiting_since_ms = forward->time_ms;
        facts.unreached_ms = forward->unreached_ms;
    }
    return facts;
}

void summary_fill(const struct node *node, const struct exchange *exchange,
                  const struct waiting *waiting, int64_t now_ms, struct exchange_summary *summary)
{
    struct due due = {0};
    const struct exchange_item *item = most_urgent(exchange, &due);
    struct hang_facts facts;

    *summary = (struct exchange_summary){.exchange_id = exchange->id,
                                         .parent_id = exchange->parent_id,
                                         .from = exchange->from,
                                         .to = exchange->to,
                                         .urgency = exchange->urgency,
                                         .type = exchange->type,
                                         .items = (uint32_t)exchange->item_count,
                                         .code = "",
                                         .responsible = exchange->from,
                                         .clock = "",
                                         .hang = {.who = ""}};
    if (item == NULL) {
        return; /* figures: nobody follows them */
    }
    facts = facts_of(node, exchange, item, waiting, now_ms);
    summary->item = item->number;
    summary->code = item->code;
    summary->state = item->state;
    summary->changed_at_ms = item->changed_at_ms;
    summary->responsible =
        state_responsible(item->state) == SIDE_EXECUTOR ? exchange->to : exchange->from;
    if (due.clock != NULL) {
        summary->clock = due.clock;
        summary->anchored_at_ms = due.anchored_ms;
        summary->due_at_ms = due.at_ms;
        summary->is_overdue = now_ms >= due.at_ms;
    }
    summary->hang = hang_of(item->state, item->changed_at_ms, &facts);
}
