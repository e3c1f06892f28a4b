/*
 * dutycall - "somebody must be woken": a durable row for each reason, put in the transaction of its
 * cause, until a named official answers for it.
 *
 *     duty   u8 0 open, 1 over | u8 kind | member | 0 | exchange[16] | u32 item | clock | 0
 *            | u8 percent                                                  ->  the row
 *
 * What is put twice is one call: whoever derives the same reason again (after a restart, or from
 * the other side) gets RC_ALREADY_EXISTS, also when the first is over; only a clock that runs out
 * at another instant than the one that is over (it was reopened) is a new call. relay/duty looks at
 * the open rows and tells the officials on duty one after the other, and then the next institution
 * of the route's ladder; rows that are open are found after any restart.
 *
 * All calls inside a transaction: those that put are the writer's. Instants are UTC milliseconds.
 */
#ifndef STORE_DUTYCALL_H
#define STORE_DUTYCALL_H

#include "model/duty.h"

struct txn;

/*
 * A new call, WAITING: fills number and state, the rest of `call` is the caller's.
 * RC_ALREADY_EXISTS: there was one with this key; nothing changes. Asserts the bounds.
 */
MUST_CHECK enum rc dutycall_put(struct txn *txn, struct dutycall *call);
/* The cause went away: ends it, when it is open. RC_NOT_FOUND: no open call of this key. */
MUST_CHECK enum rc dutycall_end(struct txn *txn, const struct dutycall_key *key, int64_t now_ms);
/* A step of a call that is there; one whose state is an end moves to those that are over. */
MUST_CHECK enum rc dutycall_update(struct txn *txn, const struct dutycall *call);

/* Open or over. RC_NOT_FOUND; RC_DATA_LOSS, logged. */
MUST_CHECK enum rc dutycall_get(struct txn *txn, const struct dutycall_key *key,
                                struct dutycall *call);
/* By its number, open or over: looks at all rows. RC_NOT_FOUND. */
MUST_CHECK enum rc dutycall_find(struct txn *txn, uint64_t number, struct dutycall *call);
/* The first call past a key (NULL to begin), open or over. RC_NOT_FOUND at the end. */
MUST_CHECK enum rc dutycall_next(struct txn *txn, bool is_over, const struct dutycall_key *after,
                                 struct dutycall *call);
/*
 * 16 bytes that stand for one call of this log: what an official's answer repeats, and (under
 * another label) what another institution's node is given instead of the exchange.
 */
#define DUTYCALL_REFERENCE "enlace/duty/reference"
#define DUTYCALL_TOKEN "enlace/duty/token"
void dutycall_name(const char *label, const char *origin, const struct dutycall *call,
                   struct id *out);

#endif
