#include "relay/kin.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "relay/terms.h"

static enum rc refuse_parent(struct fault *fault)
{
    return refuse(fault, RC_FAILED_PRECONDITION, "exchange.parent", "header.parent_exchange_id",
                  "Cite un intercambio que su institución atiende, o uno suyo que fue declinado y "
                  "que ahora va a otra institución.");
}

/* ---- a declined request that goes on ---- */

static bool was_given_back(const struct exchange *parent)
{
    for (size_t i = 0; i < parent->item_count; i++) {
        if (parent->items[i].state == STATE_DECLINED || parent->items[i].state == STATE_FAILED) {
            return true;
        }
    }
    return false;
}

/* ---- a child's clocks ---- */

/* When a clock of this stop ends at the latest; 0: none does. One from R3 runs after the last R3.
 */
static int64_t latest_ms(const struct exchange *exchange, enum clock_stop stop,
                         const struct moment *moment)
{
    int64_t latest = 0;

    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];
        int64_t due_ms = clock->due_ms;

        if (clock->rule.stop != stop || clock->stopped.occurred_ms != 0) {
            continue;
        }
        if (clock->anchored.occurred_ms == 0) {
            int64_t accepted_ms = latest_ms(exchange, STOP_DECIDED, moment);

            due_ms = deadline_due_ms(&clock->rule,
                                     accepted_ms != 0 ? accepted_ms : moment->act.occurred_ms,
                                     &moment->holidays);
            due_ms = clock->cap_ms != 0 && clock->cap_ms < due_ms ? clock->cap_ms : due_ms;
        }
        latest = due_ms > latest ? due_ms : latest;
    }
    return latest;
}

/* Until when the parent may take; 0: no clock of it runs. */
static int64_t parents_limit_ms(const struct exchange *parent, const struct moment *moment)
{
    int64_t in_force_ms = latest_ms(parent, STOP_IN_FORCE, moment);

    return in_force_ms != 0 ? in_force_ms : latest_ms(parent, STOP_DECIDED, moment);
}

static enum rc check_clocks(const struct exchange *parent, const struct exchange *child,
                            const struct moment *moment, struct fault *fault)
{
    int64_t limit_ms = parents_limit_ms(parent, moment);
    int64_t in_force_ms = latest_ms(child, STOP_IN_FORCE, moment);
    int64_t decided_ms = latest_ms(child, STOP_DECIDED, moment);
    int64_t latest = in_force_ms > decided_ms ? in_force_ms : decided_ms;
    char until[CLOCK_TEXT_SIZE];

    if (limit_ms <= moment->act.entered_ms || latest <= limit_ms) {
        return RC_OK; /* a parent that is late already must not keep anybody from helping */
    }
    clock_format_local(limit_ms, until);
    return refuse(fault, RC_FAILED_PRECONDITION, "clock.exceeds_parent", "header.clocks",
                  "El plazo vencería después que el del intercambio del que se deriva: señale en "
                  "el encabezado uno que venza a más tardar el %s.",
                  until);
}

enum rc kin_check(struct txn *txn, const struct header *header, const struct exchange *child,
                  const struct moment *moment, struct fault *fault)
{
    struct exchange parent;
    enum rc rc;

    if (id_is_zero(&header->parent_exchange_id)) {
        return RC_OK;
    }
    rc = exchange_get(txn, &header->parent_exchange_id, header->from, &parent);
    if (rc == RC_NOT_FOUND) {
        return refuse_parent(fault);
    }
    TRY(rc);
    if (strcmp(parent.to, header->from) == 0) {
        return check_clocks(&parent, child, moment, fault);
    }
    return was_given_back(&parent) && strcmp(parent.to, header->to) != 0 ? RC_OK
                                                                         : refuse_parent(fault);
}
