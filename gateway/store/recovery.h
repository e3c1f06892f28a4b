/*
 * recovery - what a writer finds when it starts: the tree's edge, checked against all that says it.
 *
 * The nodes of the edge must lead to the newest commit's root, each leaf of that commit must stand
 * where the tree says, the commit before it must be there, and the newest note must be of our key
 * and of its commit. What a storage fault or a hand in the file did to the newest rows shows here;
 * a whole older state of the file does not (witnesses and the anchor find that).
 */
#ifndef STORE_RECOVERY_H
#define STORE_RECOVERY_H

#include "store/tree.h"
#include "tlog/checkpoint.h"

struct db;
struct keyring;

struct recovery {
    struct tree_edge edge;
    struct checkpoint checkpoint; /* of the newest commit; of the empty tree when there is none */
    struct buffer note;           /* signed now, or as it was stored */
    bool is_note_stored;
};

void recovery_release(struct recovery *recovery);

/* RC_DATA_LOSS, RC_FAILED_PRECONDITION (another key): logged. */
MUST_CHECK enum rc recovery_run(struct db *db, const struct keyring *keyring,
                                struct recovery *recovery);

#endif
