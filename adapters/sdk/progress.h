/*
 * progress - what an agency's system says of something that was asked of it, in our terms: the one
 * way from any format's status to an act or a report.
 *
 * The state is a word of model/lifecycle's events ("accept", "in-force", "end") or "report". The
 * exchange must be one that came through this adapter and is still open: anything else, another
 * agency's too, is "exchange.unknown". Refusals fill the fault: "state.unknown", "state.item",
 * "state.occurrence", "state.time", and those of adapter_act and adapter_report.
 *
 * RC_UNAVAILABLE "state.too_early": what it speaks of is not in custody yet (the agency's answer is
 * on its way); ask the agency again later.
 *
 * On the adapter's thread. Saying the same again says nothing new.
 */
#ifndef SDK_PROGRESS_H
#define SDK_PROGRESS_H

#include "sdk/adapter.h"

struct progress {
    const char *exchange; /* as the agency echoes it */
    uint32_t item;        /* 0: all */
    const char *state;
    const char *occurred_at; /* RFC 3339, or dd/mm/aaaa hh:mm in the city's time; "" now */
    uint32_t occurrence;     /* of a report, from 1 */
    const char *reason;      /* "" none, as the next */
    const char *competent;
    struct bytes evidence_sha256; /* of what the agency's system said, or of its document */
    const struct draft_compartment *compartments;
    size_t compartment_count;
};

/* Texts that are not set are "". */
void progress_init(struct progress *progress);
MUST_CHECK enum rc progress_say(struct adapter *adapter, const struct progress *progress,
                                struct fault *fault);

/* Decimal, up to 999,999; "" is 0. RC_INVALID_ARGUMENT "state.number". */
MUST_CHECK enum rc progress_number(const char *text, uint32_t *number, struct fault *fault);

#endif
