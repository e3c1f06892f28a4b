/*
 * logrow - what one commit added to the log, in one row: leaves, records, nodes of the tree, root.
 *
 *     key    u64 size of the tree after the commit | u8 0
 *     row    u32 count of leaves | root[32]
 *            u16 n | the signed note of the commit before[n]; n is 0 when that is stored apart
 *            count times: leaf[200]
 *            for each level l, from 0: the nodes (l, i) with size before >> l <= i < size >> l
 *            count times: u32 end of the leaf's record, counted from the first record
 *            records: r_A[32] ‖ audit record; nothing for a leaf without one
 *
 * A node is complete with the last leaf below it, so it stands in the row of the commit that
 * brought that leaf, at a place that follows from the two sizes alone. Rows are written once; all
 * that ever changes is that records of old leaves go (pruning.h). The bodies of the same commit
 * stand beside it (body.h).
 */
#ifndef STORE_LOGROW_H
#define STORE_LOGROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

struct gathered;
struct txn;
struct view;

/* The rows of a commit, by the last byte of their keys. */
enum logrow_part {
    LOGROW_LOG = 0,
    LOGROW_BODIES = 1,
};

/* Borrowed from the transaction. */
struct logrow {
    uint64_t size; /* after the commit */
    uint64_t count;
    const uint8_t *root;
    struct bytes note_before;
    const uint8_t *leaves;
    const uint8_t *nodes;
    const uint8_t *ends;
    struct bytes records;
};

/* What was gathered for the view's leaves; note_before may be empty. */
MUST_CHECK enum rc logrow_put(struct txn *txn, const struct view *view, struct bytes note_before,
                              const struct gathered *gathered);

/* Of the commit of exactly this size, of the one that brought a leaf, of the newest.
 * RC_NOT_FOUND, silently. RC_DATA_LOSS. */
MUST_CHECK enum rc logrow_get(struct txn *txn, uint64_t size, struct logrow *row);
MUST_CHECK enum rc logrow_of_leaf(struct txn *txn, uint64_t index, struct logrow *row);
MUST_CHECK enum rc logrow_last(struct txn *txn, struct logrow *row);

/* The same row, from a page of its own. RC_DATA_LOSS. */
MUST_CHECK enum rc logrow_read(struct bytes key, struct bytes value, struct logrow *row);

/*
 * Writes the row again without the records of the leaves below `minimum`, control leaves excepted;
 * nothing when it has none of those. What the row borrows is gone then. *written grows by its
 * bytes.
 */
MUST_CHECK enum rc logrow_prune(struct txn *txn, const struct logrow *row, uint64_t minimum,
                                size_t *written);
/* Are these the same commit, of which `now` has at most lost records of record leaves? */
bool logrow_is_pruned(const struct logrow *before, const struct logrow *now);

/* LEAF_SIZE bytes; the index must be of this row. */
const uint8_t *logrow_leaf(const struct logrow *row, uint64_t index);
/* DIGEST_SIZE bytes; NULL: not complete with this commit. */
const uint8_t *logrow_node(const struct logrow *row, unsigned level, uint64_t index);
/* Of size 0: the leaf has none. RC_DATA_LOSS. */
MUST_CHECK enum rc logrow_record(const struct logrow *row, uint64_t index, struct bytes *record);

#endif
