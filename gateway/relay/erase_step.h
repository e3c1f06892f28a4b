/*
 * erase_step - one bounded write of an erasure, waited for by the eraser's thread.
 *
 * The work runs on the writer thread in a transaction; debts that it cancels are counted there when
 * the commit stands. What an erasure is and how it goes: relay/eraser.h.
 */
#ifndef RELAY_ERASE_STEP_H
#define RELAY_ERASE_STEP_H

#include <stdatomic.h>

#include "store/orderbook.h"
#include "store/outbox.h"
#include "store/writer.h"

struct node;
struct record;

/* Messages of one step; leaves that it looks at. */
#define ERASE_BATCH 32
#define ERASE_LOOK 4096
/* A message waits for its recipient's node or systems, rarely for both. */
#define ERASE_DEBTS_MAX (4 * ERASE_BATCH)

struct erase_debt {
    uint64_t index;
    char destination[OUTBOX_DESTINATION_MAX + 1];
};

/* Placed first in what a step works on; zeroed but for node, work, bytes and leaves. */
struct erase_step {
    struct write write; /* first: the writer's */
    const struct node *node;
    /* Checks, then puts, as write_ops.apply; may run again after another write failed. */
    enum rc (*work)(struct erase_step *step, struct txn *txn);
    atomic_bool is_done;
    size_t debt_count;
    struct erase_debt debts[ERASE_DEBTS_MAX];
};

/* Waits for the commit. Not on the writer thread. */
MUST_CHECK enum rc erase_step_run(struct erase_step *step);

/* In work: nothing more is owed of this leaf's message. RC_ABORTED: too many for one step. */
MUST_CHECK enum rc erase_cancel_debts(struct erase_step *step, struct txn *txn, uint64_t index);
/* In work: a submission with this id is told "erased". */
MUST_CHECK enum rc erase_mark(struct txn *txn, const struct record *record);

#endif
