#include "model/lifecycle.h"

static const struct transition transitions[] = {
    {STATE_SENT, EVENT_CUSTODY, STATE_IN_CUSTODY, SIDE_EXECUTOR, false},
    {STATE_RECEIVED, EVENT_CUSTODY, STATE_IN_CUSTODY, SIDE_EXECUTOR, false},
    {STATE_IN_CUSTODY, EVENT_ACCEPT, STATE_ACCEPTED, SIDE_EXECUTOR, true},
    {STATE_IN_CUSTODY, EVENT_DECLINE, STATE_DECLINED, SIDE_EXECUTOR, true},
    {STATE_IN_CUSTODY, EVENT_FAIL, STATE_FAILED, SIDE_EXECUTOR, false},
    {STATE_ACCEPTED, EVENT_START, STATE_IN_PROGRESS, SIDE_EXECUTOR, false},
    {STATE_ACCEPTED, EVENT_IN_FORCE, STATE_IN_FORCE, SIDE_EXECUTOR, true},
    {STATE_ACCEPTED, EVENT_HOLD, STATE_ON_HOLD, SIDE_EXECUTOR, false},
    {STATE_ACCEPTED, EVENT_FAIL, STATE_FAILED, SIDE_EXECUTOR, false},
    {STATE_IN_PROGRESS, EVENT_IN_FORCE, STATE_IN_FORCE, SIDE_EXECUTOR, true},
    {STATE_IN_PROGRESS, EVENT_HOLD, STATE_ON_HOLD, SIDE_EXECUTOR, false},
    {STATE_IN_PROGRESS, EVENT_FAIL, STATE_FAILED, SIDE_EXECUTOR, false},
    {STATE_ON_HOLD, EVENT_RESUME, STATE_IN_PROGRESS, SIDE_EXECUTOR, false},
    /* A disputed measure goes back to be put in force again: its clock runs anew. */
    {STATE_IN_FORCE, EVENT_DISPUTE, STATE_IN_PROGRESS, SIDE_REQUESTER, true},
    {STATE_IN_FORCE, EVENT_CONFIRM, STATE_IN_FORCE, SIDE_REQUESTER, true},
    {STATE_IN_FORCE, EVENT_END, STATE_ENDED, SIDE_EXECUTOR, false},
    {STATE_ENDED, EVENT_CONFIRM, STATE_ENDED, SIDE_REQUESTER, true},
    {STATE_ENDED, EVENT_DISPUTE, STATE_IN_PROGRESS, SIDE_REQUESTER, true},
    {STATE_ENDED, EVENT_CLOSE, STATE_CLOSED, SIDE_REQUESTER, false},
    {STATE_DECLINED, EVENT_CLOSE, STATE_CLOSED, SIDE_REQUESTER, false},
    {STATE_FAILED, EVENT_CLOSE, STATE_CLOSED, SIDE_REQUESTER, false},
    /* It had the data in its hands when the recall, or the word that it was an error, crossed its
     * own: then it has something to purge. */
    {STATE_RECALLED, EVENT_CUSTODY, STATE_RECALLED, SIDE_EXECUTOR, false},
    {STATE_ENTERED_IN_ERROR, EVENT_CUSTODY, STATE_RECALLED, SIDE_EXECUTOR, false},
    {STATE_RECALLED, EVENT_PURGE, STATE_PURGED, SIDE_EXECUTOR, true},
    {STATE_RECALLED, EVENT_KEEP, STATE_KEPT, SIDE_EXECUTOR, true},
    {STATE_SENT, EVENT_ENTERED_IN_ERROR, STATE_ENTERED_IN_ERROR, SIDE_REQUESTER, false},
    {STATE_RECEIVED, EVENT_ENTERED_IN_ERROR, STATE_ENTERED_IN_ERROR, SIDE_REQUESTER, false},
};

#define TRANSITIONS (sizeof transitions / sizeof transitions[0])

const struct transition *lifecycle_step(enum state from, enum event event, enum side who)
{
    for (size_t i = 0; i < TRANSITIONS; i++) {
        if (transitions[i].from == from && transitions[i].event == event &&
            transitions[i].who == who) {
            return &transitions[i];
        }
    }
    return NULL;
}

bool event_is_signed(enum event event)
{
    for (size_t i = 0; i < TRANSITIONS; i++) {
        if (transitions[i].event == event) {
            return transitions[i].is_signed;
        }
    }
    return false;
}

bool state_is_recallable(enum state state)
{
    return state != STATE_NONE && state != STATE_AWAITING_APPROVAL && state != STATE_RECALLED &&
           state != STATE_PURGED && state != STATE_ENTERED_IN_ERROR;
}

bool state_was_recalled(enum state state)
{
    return state == STATE_RECALLED || state == STATE_PURGED || state == STATE_KEPT;
}

bool state_takes_reports(enum state state)
{
    return state == STATE_ACCEPTED || state == STATE_IN_PROGRESS || state == STATE_IN_FORCE;
}

enum side state_responsible(enum state state)
{
    switch (state) {
    case STATE_ACCEPTED:
    case STATE_IN_PROGRESS:
    case STATE_ON_HOLD:
    case STATE_IN_FORCE:
    case STATE_ENDED:
        return SIDE_EXECUTOR;
    default:
        return SIDE_REQUESTER;
    }
}

const char *state_name(enum state state)
{
    static const char *const names[STATES] = {
        "none",
        "sent",
        "received",
        "in-custody",
        "accepted",
        "in-progress",
        "in-force",
        "ended",
        "closed",
        "declined",
        "failed",
        "on-hold",
        "recalled",
        "purged",
        "kept",
        "entered-in-error",
        "awaiting-approval",
    };

    return names[state];
}

const char *state_fhir_task(enum state state)
{
    static const char *const statuses[STATES] = {
        "draft",       "requested", "requested", "received",         "accepted", "in-progress",
        "in-progress", "completed", "completed", "rejected",         "failed",   "on-hold",
        "cancelled",   "cancelled", "cancelled", "entered-in-error", "draft",
    };

    return statuses[state];
}
