/*
 * annex_debt - what a node owes a peer: one attachment, as the value of a durable timer.
 *
 *     u8 DEBT_KIND | u8 attempts | id[16] | u8 n | holder[n] | u8 n | to[n]
 *
 * Whoever finds a timer due and it is his removes it or sets it later, so that timers of all kinds
 * may stand in one table. Pure but for annex_debt_add, which runs in the writer's transaction.
 */
#ifndef RELAY_ANNEX_DEBT_H
#define RELAY_ANNEX_DEBT_H

#include "model/directory.h"
#include "model/id.h"

struct timer;
struct txn;

#define ANNEX_DEBT_KIND 'a'

struct annex_debt {
    int64_t due_ms; /* of its timer */
    uint64_t sequence;
    uint8_t attempts;
    struct id id;
    char holder[CODE_SIZE]; /* under which the file is kept here */
    char to[CODE_SIZE];
};

/* RC_NOT_FOUND: a timer of another kind. RC_DATA_LOSS: damaged. */
MUST_CHECK enum rc annex_debt_read(const struct timer *timer, struct annex_debt *debt);
/* A timer for the debt, due at debt->due_ms. */
MUST_CHECK enum rc annex_debt_add(struct txn *txn, const struct annex_debt *debt);

#endif
