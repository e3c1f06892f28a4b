/*
 * erase_block - the first part of an ordered erasure: finds what the order is about and puts its
 * keys under the order's blocked shard, where nobody but the authority opens them.
 *
 * All messages of the member below the order's leaf are looked at, in read transactions: so no
 * index decides what is erased. Of a message of which only a part goes, the keys stay without that
 * part, and the keys as they were are kept aside under the blocked shard. What was owed is
 * cancelled.
 */
#ifndef RELAY_ERASE_BLOCK_H
#define RELAY_ERASE_BLOCK_H

#include "store/orderbook.h"

struct node;

/* An order under way, on the eraser's thread. */
struct erasing {
    const struct node *node;
    struct order_row row;       /* target and signatures are not kept */
    struct order_target target; /* wiped with the rest */
    struct vault *view;         /* can use the blocked shard */
    const struct shard *blocked;
};

/* One bounded step further; *is_over when nothing is left. RC_ABORTED: later again. */
MUST_CHECK enum rc erase_block_step(struct erasing *erasing, bool *is_over);

#endif
