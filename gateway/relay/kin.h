/*
 * kin - an exchange that serves another one: a child, or a request that was declined and goes on to
 * another institution.
 *
 * A child exchange (federal, city, agency) is opened by the parent's executor. It never moves the
 * parent's responsibility, has a legal basis of its own, and its clocks fit inside the parent's:
 * where the route would give it longer, the opening message says the earlier instant
 * (Header.clocks). The parent's R4 cites the child's: its evidence is the child act's commitment M.
 *
 * A re-routed request is opened by the requester of one that was declined or failed, to another
 * member, and names it as its parent. It is a new exchange: route and veto are asked anew.
 *
 * Pure but for reading the parent's row.
 */
#ifndef RELAY_KIN_H
#define RELAY_KIN_H

#include "store/exchange.h"

struct moment;

/*
 * For an opening message that names a parent; `child` is how its exchange will begin. At the
 * sender's node: others need not know the parent. FAILED_PRECONDITION:
 *
 *     exchange.parent         the sender is not the parent's executor, nor the requester of one
 * that was declined or failed by another member than the new recipient clock.exceeds_parent    a
 * clock may end later than the parent's
 */
MUST_CHECK enum rc kin_check(struct txn *txn, const struct header *header,
                             const struct exchange *child, const struct moment *moment,
                             struct fault *fault);

#endif
