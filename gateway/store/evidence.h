/*
 * evidence - what the other node's log said about a message: its leaf, its path, its checkpoint.
 *
 * By the index of our own leaf: with the sender it is R1, with the receiver the proof under which
 * the message was accepted. Verified by the caller before it is put. A checkpoint is stored once,
 * however many paths lead to it; the proofs of a commit are one row (numbered.h).
 */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include <stdint.h>

#include "base/bytes.h"
#include "tlog/checkpoint.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"

struct txn;

struct evidence {
    struct bytes leaf; /* LEAF_SIZE bytes of the other log; its index stands in it */
    const struct proof *path;
    const struct checkpoint *checkpoint;
    struct bytes note; /* the checkpoint, signed */
};

/*
 * Before anything is put that will have evidence under this checkpoint. RC_DATA_LOSS: another root
 * stands for this log and size, a fork; logged.
 */
MUST_CHECK enum rc evidence_check(struct txn *txn, const struct checkpoint *checkpoint);
/*
 * Inside write_ops.apply the path is borrowed until the batch is done. RC_ALREADY_EXISTS: the first
 * evidence stays. RC_DATA_LOSS: another root stands for this log and size, a fork; logged.
 * RC_INVALID_ARGUMENT: no leaf, or a path or note past their bounds.
 */
MUST_CHECK enum rc evidence_put(struct txn *txn, uint64_t own_index,
                                const struct evidence *evidence);
/* Copies the leaf and appends C2SP tlog-proof text. RC_NOT_FOUND. */
MUST_CHECK enum rc evidence_get(struct txn *txn, uint64_t own_index, uint8_t leaf[LEAF_SIZE],
                                struct buffer *tlog_proof);

#endif
