/*
 * body - encrypted bodies and their wrapped keys, by the index of their leaf.
 *
 * Opaque bytes made by store/content. Two tables: erasure by re-wrapping touches the keys alone.
 * Deleted bytes stay in the file until the page is used again: what makes erasure real is the
 * shard key's destruction (store/vault), not this.
 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include <stdint.h>

#include "base/bytes.h"

struct txn;

/* In the transaction that appended the leaf, in the order of the indices. */
MUST_CHECK enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body);
/* Both borrowed from the transaction. RC_NOT_FOUND. */
MUST_CHECK enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys,
                            struct bytes *body);
/* Replaces the keys' row. RC_NOT_FOUND. */
MUST_CHECK enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc body_delete(struct txn *txn, uint64_t index);

#endif
