/*
 * replay_mark - how far a peer's log was gone through for what this node lost: one row for each
 * peer, rewritten in the transaction that takes what came with it.
 */
#ifndef STORE_REPLAY_MARK_H
#define STORE_REPLAY_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

struct txn;

struct replay_mark {
    uint64_t next_index; /* of the peer's log */
    uint64_t taken;      /* messages that came back so far */
    uint64_t refused;    /* that did not pass the checks */
    bool is_complete;
};

/* RC_NOT_FOUND: nothing asked yet. `peer` is the node's code, at most 63 characters. */
MUST_CHECK enum rc replay_mark_get(struct txn *txn, const char *peer, struct replay_mark *mark);
MUST_CHECK enum rc replay_mark_put(struct txn *txn, const char *peer,
                                   const struct replay_mark *mark);

#endif
