#include "model/official.h"

const char *official_act_name(enum official_kind kind)
{
    static const char *const names[OFFICIAL_KINDS] = {
        [OFFICIAL_APPROVE] = "approval.given",
        [OFFICIAL_REJECT] = "approval.rejected",
        [OFFICIAL_CLOSE_REVIEW] = "review.closed",
        [OFFICIAL_RATIFY] = "consent.ratified",
        [OFFICIAL_WITHDRAW] = "consent.withdrawn",
        /* Which way, and whom, is nobody's business but the person's. */
        [OFFICIAL_EXCLUDE] = "will.changed",
        [OFFICIAL_INCLUDE] = "will.changed",
        [OFFICIAL_GIVE_STANDING] = "will.changed",
    };

    return (unsigned)kind < OFFICIAL_KINDS ? names[kind] : NULL;
}

bool official_act_is_personal(enum official_kind kind)
{
    return kind >= OFFICIAL_RATIFY && kind < OFFICIAL_KINDS;
}
