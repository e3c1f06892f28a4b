/*
 * body - encrypted bodies and their wrapped keys, by the index of their leaf.
 *
 * Opaque bytes made by store/content. Two tables: erasure by re-wrapping touches the keys alone.
 * The bodies of one commit lie in one row, which is a single stretch of the file: a row of its own
 * would fill whole pages of 4 KiB with half of one, and a commit pays for each page it touches.
 *
 *     key     u64 index -> wrapped keys
 *     body    u64 first index -> u32 count | count times: u64 index, u32 end | bytes
 *
 * Deleted bytes stay in the file until the page is used again: what makes erasure real is the
 * shard key's destruction (store/vault), not this. So a body without keys may stay in its run, and
 * the run goes with the last keys of its messages.
 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct txn;

/*
 * In the transaction that appended the leaf, in the order of the indices. Inside write_ops.apply
 * the body is borrowed until the batch is done, and body_get finds it from the next transaction
 * on; outside the writer it becomes a run of its own at once.
 */
MUST_CHECK enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body);
/* Both borrowed from the transaction. RC_NOT_FOUND. RC_DATA_LOSS: keys without a body. */
MUST_CHECK enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys,
                            struct bytes *body);
/* Replaces the keys' row. RC_NOT_FOUND. */
MUST_CHECK enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys);
/* Removes the keys, and the run when they were its last. RC_NOT_FOUND. */
MUST_CHECK enum rc body_delete(struct txn *txn, uint64_t index);

/* The bodies of a batch, gathered until its end; the writer's. Zeroed is empty. */
struct body_run {
    struct body_place {
        uint64_t index;
        struct bytes body;
    } * places;
    size_t count;
    size_t capacity;
};

/* The writer, after the last write of a batch: puts what was gathered and empties the run. */
MUST_CHECK enum rc body_run_put(struct txn *txn, struct body_run *run);
void body_run_clear(struct body_run *run);
void body_run_release(struct body_run *run);

#endif
