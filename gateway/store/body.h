/*
 * body - encrypted bodies and their wrapped keys, by the index of their leaf.
 *
 * Opaque bytes made by store/content. Those of one commit lie in one row, beside its leaves
 * (logrow.h), which is a single stretch of the file; rows of their own would fill pages of 4 KiB
 * with half of one, and a commit pays for each page it touches.
 *
 *     commit  u64 size after the commit | u8 1  ->  a pack (pack.h): first the keys, then the body
 *     key     u64 index  ->  the keys wrapped again since then; nothing: the message is deleted
 *
 * Erasure by re-wrapping touches the table of keys alone. Deleted bytes stay in the file until the
 * page is used again: what makes erasure real is the shard key's destruction (store/vault), not
 * this. So a body without keys may stay in its row, and the row goes with the last of its messages.
 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include <stdint.h>

#include "base/bytes.h"

struct append;
struct txn;

/*
 * Inside write_ops.apply only, in the order of the leaves' indices, each once. Both are borrowed
 * until the batch is done; body_get finds them from the next transaction on.
 */
MUST_CHECK enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body);
/* Both borrowed from the transaction. RC_NOT_FOUND: none, or deleted. RC_DATA_LOSS. */
MUST_CHECK enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys,
                            struct bytes *body);
/*
 * The first body at or after `from` that is not deleted, and its keys: for who looks for the bodies
 * of a shard. RC_NOT_FOUND at the end.
 */
MUST_CHECK enum rc body_next(struct txn *txn, uint64_t from, uint64_t *index, struct bytes *keys);
/* Replaces the keys; not empty. RC_NOT_FOUND. */
MUST_CHECK enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys);
/* Removes the keys, and the row when they were its last. RC_NOT_FOUND. */
MUST_CHECK enum rc body_delete(struct txn *txn, uint64_t index);

/* The writer, after the last write of a batch: puts what was gathered, if anything. */
MUST_CHECK enum rc body_put_gathered(struct txn *txn, const struct append *append);

#endif
