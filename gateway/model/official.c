#include "model/official.h"

const char *official_act_name(enum official_kind kind)
{
    static const char *const names[OFFICIAL_KINDS] = {
        [OFFICIAL_APPROVE] = "approval.given",
        [OFFICIAL_REJECT] = "approval.rejected",
        [OFFICIAL_CLOSE_REVIEW] = "review.closed",
    };

    return (unsigned)kind < OFFICIAL_KINDS ? names[kind] : NULL;
}
