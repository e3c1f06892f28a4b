/*
 * append - what the writer lends to a transaction: the tree that grows, and what is gathered for
 * the rows of the commit.
 *
 * Leaves, records and bodies of a commit are written in two rows at its end (logrow.h, body.h),
 * tags' keys and proofs in one each (numbered.h): a commit pays for each separate page that it
 * touches.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include <stdint.h>

#include "base/bytes.h"
#include "store/numbered.h"

struct arena;
struct view;

/* Leaves of one commit. */
#define APPEND_LEAVES_MAX 1024

/* Of the batch at hand. Zeroed is empty; memory is kept from batch to batch. */
struct gathered {
    struct buffer leaves;  /* LEAF_SIZE bytes each */
    struct buffer ends;    /* u32 each: where the leaf's record ends */
    struct buffer records; /* blind ‖ record each, nothing for a leaf without */
    struct pack bodies;    /* keys and body, by index */
    struct numbered tags;
    struct numbered proofs;
    struct arena *copies; /* of what callers would not keep */
};

struct append {
    struct view *view;
    struct gathered *gathered;
    uint64_t size;   /* of the tree with what was appended so far: the next leaf's index */
    uint64_t time_s; /* of this batch's leaves */
    unsigned left;   /* leaves that the write at hand may still append */
};

/* Lives as long as what the batch gathered. NULL when out of memory. */
void *gathered_alloc(struct gathered *gathered, size_t size);
MUST_CHECK enum rc gathered_put_numbered(struct txn *txn, const struct gathered *gathered);
void gathered_clear(struct gathered *gathered);
void gathered_release(struct gathered *gathered);

#endif
