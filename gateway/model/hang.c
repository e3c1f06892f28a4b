#include "model/hang.h"

#include <stddef.h>

bool state_is_open(enum state state)
{
    return state != STATE_NONE && state != STATE_CLOSED && state != STATE_PURGED &&
           state != STATE_ENTERED_IN_ERROR;
}

static struct hang waiting(const struct hang_facts *facts)
{
    return (struct hang){
        .kind = facts->unreached_ms != 0 ? HANG_PEER_UNREACHABLE : HANG_PEER_WAITS,
        .who = facts->peer,
        .since_ms = facts->unreached_ms != 0 ? facts->unreached_ms : facts->waiting_since_ms,
    };
}

/* By the state alone: what comes next, and whose it is. */
static enum hang_kind kind_of(enum state state, const struct hang_facts *facts)
{
    switch (state) {
    case STATE_SENT:
        return facts->is_refused ? HANG_PEER_REFUSED : HANG_PEER_WAITS;
    case STATE_RECEIVED:
        return facts->is_hosted && !facts->has_system ? HANG_NO_SYSTEM : HANG_NO_CUSTODY;
    case STATE_IN_CUSTODY:
        return HANG_NO_DECISION;
    case STATE_ACCEPTED:
    case STATE_IN_PROGRESS:
        return HANG_NOT_IN_FORCE;
    case STATE_ON_HOLD:
        return HANG_ON_HOLD;
    case STATE_IN_FORCE:
        return facts->is_missing ? HANG_NO_REPORT : HANG_RUNNING;
    case STATE_RECALLED:
        return HANG_RECALL_UNANSWERED;
    case STATE_FAILED:
        return facts->is_refused ? HANG_PEER_REFUSED : HANG_REQUESTER;
    default:
        return state_is_open(state) ? HANG_REQUESTER : HANG_NOTHING;
    }
}

struct hang hang_of(enum state state, int64_t changed_at_ms, const struct hang_facts *facts)
{
    struct hang hang = {.kind = kind_of(state, facts), .since_ms = changed_at_ms};
    bool is_requesters =
        hang.kind == HANG_REQUESTER || hang.kind == HANG_PEER_REFUSED || hang.kind == HANG_NOTHING;

    if (facts->peer != NULL && hang.kind != HANG_PEER_REFUSED) {
        return waiting(facts);
    }
    hang.who = is_requesters ? facts->requester : facts->executor;
    return hang;
}

const char *hang_name(enum hang_kind kind)
{
    static const char *const names[HANG_KINDS] = {
        "",          "nothing",    "peer-unreachable",  "peer-waits",   "peer-refused",
        "no-system", "no-custody", "no-decision",       "not-in-force", "on-hold",
        "no-report", "running",    "recall-unanswered", "requester",
    };

    return (unsigned)kind < HANG_KINDS ? names[kind] : "";
}

const char *hop_state_name(enum hop_state state)
{
    static const char *const names[HOP_STATES] = {
        "",          "settled",      "peer-unreachable", "peer-waits", "peer-refused",
        "no-system", "system-waits", "with-system",
    };

    return (unsigned)state < HOP_STATES ? names[state] : "";
}
