/*
 * cosigned - checkpoints of our own log that reached their quorum, with the cosignatures.
 *
 * Beside the log's own notes, which never change: R0 is signed by the log alone. Kept is the
 * newest, and of the earlier ones about one a minute: enough to bracket times and to prove any
 * leaf under one that is old.
 */
#ifndef STORE_COSIGNED_H
#define STORE_COSIGNED_H

#include <stdint.h>

#include "base/bytes.h"

struct txn;

#define COSIGNED_APART_S 60

struct cosigned {
    uint64_t size;
    uint64_t time_s;   /* when the quorum was reached */
    struct bytes note; /* C2SP checkpoint: the log's line, then the witnesses'; borrowed */
};

/*
 * In a write. The same size again replaces what stood there (more cosignatures, or newer ones);
 * RC_FAILED_PRECONDITION: smaller than the newest one.
 */
MUST_CHECK enum rc cosigned_put(struct txn *txn, const struct cosigned *cosigned);
/* RC_NOT_FOUND: none yet. */
MUST_CHECK enum rc cosigned_last(struct txn *txn, struct cosigned *cosigned);
/* The smallest that holds the leaf: the first of a size above the index. RC_NOT_FOUND. */
MUST_CHECK enum rc cosigned_over(struct txn *txn, uint64_t index, struct cosigned *cosigned);

#endif
