/*
 * refusals - which refusals become leaves of the log, and which are only counted.
 *
 * At most 10 leaves per identity and minute; what comes beyond is counted, and the scheduler writes
 * one counting leaf per identity. So nobody can fill the log by being refused. Bounded: at most
 * 4,096 identities are told apart in one minute, the others share one count. Any thread (one short
 * lock).
 */
#ifndef RELAY_REFUSALS_H
#define RELAY_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

#define REFUSALS_PER_MINUTE 10
#define REFUSALS_URI_SIZE 160

struct refusals;

struct refusals *refusals_new(void);
void refusals_free(struct refusals *refusals);
OWN_PTR_DEFINE(refusals)

/* A refusal by policy is logged; one for want of room or disk is only answered. */
bool refusal_is_policy(enum rc rc);

/* True: log it as a leaf. False: it was counted. */
bool refusals_admit(struct refusals *refusals, const char *identity_uri, int64_t now_ms);

/* All since the start, whether they became leaves or not. */
uint64_t refusals_total(struct refusals *refusals);

struct refusals_count {
    char identity_uri[REFUSALS_URI_SIZE];
    uint32_t count;
};

/* Takes one identity's count of a minute that is over; false when there is none left. */
bool refusals_take(struct refusals *refusals, int64_t now_ms, struct refusals_count *count);

#endif
