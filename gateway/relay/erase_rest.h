/*
 * erase_rest - what follows when nothing that an order covers is readable any more: new keys for
 * what stays, the end of the old ones, and the rows of what was destroyed.
 *
 * Rows by the thousand, one bounded write after the other; each call goes on where the last one, or
 * a crash, left off.
 */
#ifndef RELAY_ERASE_REST_H
#define RELAY_ERASE_REST_H

#include "store/orderbook.h"

struct node;

/*
 * The touched shards get successors, all rows under them are put under those (content keys, tag
 * keys, headers of attachments), and their keys are destroyed. RC_OK: all of it is done.
 */
MUST_CHECK enum rc erase_rewrap(const struct node *node, const struct id *order);

/* The last of it, which is done again at start: an old backup of the vault may bring keys back. */
MUST_CHECK enum rc erase_destroy(const struct node *node, const struct id *order);

/* Messages under a blocked shard, and of them those that a hold in force covers. */
MUST_CHECK enum rc erase_count(const struct node *node, const struct order_row *row,
                               uint32_t *entries, uint32_t *held);

/*
 * After the blocked shard's key was destroyed: rows, debts and files under it go, ids are marked as
 * erased. RC_OK: all of it is done.
 */
MUST_CHECK enum rc erase_sweep(const struct node *node, const struct order_row *row);

#endif
