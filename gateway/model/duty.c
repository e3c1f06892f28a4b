#include "model/duty.h"

static const char *const kinds[DUTYCALL_KINDS] = {"",     "clock",  "undelivered", "budget",
                                                  "disk", "review", "relayed"};
static const char *const states[DUTYCALL_STATES] = {"",      "waiting",  "told",
                                                    "moved", "answered", "ended"};

bool dutycall_is_over(enum dutycall_state state)
{
    return state == DUTYCALL_ANSWERED || state == DUTYCALL_ENDED;
}

const char *dutycall_kind_name(enum dutycall_kind kind)
{
    return (unsigned)kind < DUTYCALL_KINDS ? kinds[kind] : "";
}

const char *dutycall_state_name(enum dutycall_state state)
{
    return (unsigned)state < DUTYCALL_STATES ? states[state] : "";
}
