/*
 * pruning - how far audit records of old leaves have been given up.
 *
 *     format  "pruning"  ->  u64 minimum | u64 leaf | u64 swept
 *
 * What is dropped: the audit records (with r_A) of leaves below the minimum, those of control
 * leaves excepted. What stays, because receipts that were handed out rest on it: every leaf, every
 * node and root, every signed note, the ids of messages with their answers, others' proofs. So each
 * old receipt verifies and is given again byte for byte, and consistency is proven from any size.
 *
 * The minimum is what a retention leaf of this log says (tlog/control.h); rows below it are swept
 * some at a time, and until the sweep is over some of them still have their records. Bodies are
 * gone before: what a key still opens is never pruned (relay/prune.h).
 */
#ifndef STORE_PRUNING_H
#define STORE_PRUNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

struct txn;

struct pruning {
    uint64_t minimum; /* 0: nothing was ever pruned */
    uint64_t leaf;    /* the retention leaf */
    uint64_t swept;   /* below it all is done */
};

/* RC_OK, with zeros when there is none. RC_DATA_LOSS. */
MUST_CHECK enum rc pruning_get(struct txn *txn, struct pruning *pruning);
/* The same, and the leaf says so, too: RC_DATA_LOSS "log.pruning" when it does not. */
MUST_CHECK enum rc pruning_proven(struct txn *txn, struct pruning *pruning);
/* In the write that appends the leaf; never back. */
MUST_CHECK enum rc pruning_begin(struct txn *txn, uint64_t minimum, uint64_t leaf);
/* Rewrites a bounded number of rows without their records; goes on where it was. */
MUST_CHECK enum rc pruning_sweep(struct txn *txn, bool *is_over);

#endif
