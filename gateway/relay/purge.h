/*
 * purge - an act by which an exchange's bodies leave this node: the erasure that it orders.
 *
 * An official answers a recall with a signed certificate of purge (Act PURGE): in the transaction
 * that logs it stands the order, and relay/eraser carries it out, whatever is killed meanwhile. The
 * same for what was entered in error and never taken into custody. What this member holds of the
 * exchange below the act's leaf becomes unreadable, deliveries that wait are cancelled; leaves,
 * receipts and the act stay. There is no time of blocking: the other institution has asked for it.
 * A legal hold still keeps it blocked.
 *
 *     queue thread: purge_prepare --> writer: purge_put, purge_committed --> purge_free
 */
#ifndef RELAY_PURGE_H
#define RELAY_PURGE_H

#include <stdint.h>

#include "base/rc.h"

struct entry;
struct node;
struct purge;
struct txn;

/* Makes the shard under which the bodies will be blocked. */
MUST_CHECK enum rc purge_prepare(const struct node *node, const struct entry *entry,
                                 struct purge **out);
/* All of these do nothing with NULL. Writer: what stands below the act's leaf goes. */
MUST_CHECK enum rc purge_put(struct purge *purge, struct txn *txn, uint64_t until);
/* The transaction came to nothing. */
void purge_again(struct purge *purge);
/* The commit stands, its order in it. Any thread. */
void purge_committed(struct purge *purge, const struct node *node);
/* Drops the shard that nothing was ordered under. Not on the writer thread. */
void purge_free(struct purge *purge, const struct node *node);

#endif
