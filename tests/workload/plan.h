/*
 * plan - W2019: the exchanges of the city mechanism's year 2019, made from a seed.
 *
 * 334 exchanges: 129 requests of its own (189 measures of 22 protection plans), 50 referrals, 93
 * support requests of the federal mechanism, and 62 children, by which the city asks its agencies
 * for 62 of those 93. 1,502 occurrences are planned: 1,359 + 50 + 93; children have none of their
 * own (the support that they serve is counted once, to whom asked for it).
 *
 * Marginals are the report's; splits that it does not give are our choice and stand in the tables
 * at the top of plan.c. Messages are sent now: ids and created_at run from start_ms, one
 * millisecond apart, while occurred_on is a day of 2019. The same seed and start give the same
 * plan, byte for byte: a second run sends the same ids.
 *
 * Pure; any thread.
 */
#ifndef WORKLOAD_PLAN_H
#define WORKLOAD_PLAN_H

#include <stdint.h>

#include "model/message.h"
#include "workload/people.h"

#define PLAN_OWN 129
#define PLAN_REFERRALS 50
#define PLAN_SUPPORTS 93
#define PLAN_CHILDREN 62
#define PLAN_EXCHANGES (PLAN_OWN + PLAN_REFERRALS + PLAN_SUPPORTS + PLAN_CHILDREN)
#define PLAN_MEASURES 189
#define PLAN_UNITS 1502
#define PLAN_ITEMS_MAX 3
#define PLAN_SESSIONS 10
#define PLAN_LAST_DAY "2019-12-12"
#define PLAN_NO_PARENT UINT32_MAX

enum plan_kind {
    PLAN_KIND_OWN,
    PLAN_KIND_REFERRAL,
    PLAN_KIND_SUPPORT,
    PLAN_KIND_CHILD,
    PLAN_KINDS
};

struct plan_item {
    const char *code;
    unsigned occurrences; /* 0: nothing is reported but its end */
};

struct plan_exchange {
    enum plan_kind kind;
    enum message_type type;
    const char *from; /* "cdmx/mpi-cdmx" */
    const char *from_system;
    const char *to;
    const char *to_system; /* "": any */
    const char *catalogue_code;
    unsigned person; /* index into people */
    unsigned parent; /* index into exchanges, or PLAN_NO_PARENT */
    enum urgency urgency;
    int32_t day; /* when it was asked, local date as days since 1970 */
    int session; /* of the Consejo, 0..9; -1: none */
    struct plan_item items[PLAN_ITEMS_MAX];
    unsigned item_count;
    /* Derived from seed and start. */
    struct id id;            /* of the opening message, hence of the exchange */
    struct id case_id;       /* at the sender */
    struct id pseudonym;     /* on this link */
    struct id local_subject; /* at the sender */
    int64_t created_at_ms;
};

struct plan_session {
    char code[24]; /* "CEM-2019-03" */
    char date[12];
};

/* About 60 KiB. */
struct plan {
    uint64_t seed;
    int64_t start_ms;
    struct person people[PEOPLE_CASES];
    struct plan_session sessions[PLAN_SESSIONS];
    struct plan_exchange exchanges[PLAN_EXCHANGES];
};

void plan_make(uint64_t seed, int64_t start_ms, struct plan *plan);

/* "cdmx/mpi-cdmx"'s plan for an incorporated case, the federal one for federal cases; "" for
 * referrals. */
void plan_protection_id(const struct plan *plan, const struct plan_exchange *exchange,
                        char out[32]);
/* Noon of a day of 2019 in Mexico City, RFC 3339: "2019-06-03T12:00:00-05:00". */
void plan_noon(int32_t day, char out[32]);
unsigned plan_units(const struct plan_exchange *exchange);
/* Incorporated by the extraordinary procedure: the case with the urgent measure. */
bool plan_is_extraordinary(const struct plan_exchange *exchange);

#endif
