/*
 * proof - inclusion and consistency proofs (RFC 9162 §2.1.3, §2.1.4): build and verify.
 *
 * Pure; building reads complete nodes through the caller's source, so it is only as thread-safe
 * as that. Verifying takes a path of exactly the right length and nothing else.
 */
#ifndef TLOG_PROOF_H
#define TLOG_PROOF_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

#define PROOF_MAX 64

struct proof {
    uint8_t hashes[PROOF_MAX][DIGEST_SIZE]; /* the leaf's side first */
    size_t count;
};

/* Place first in the object that knows where nodes are kept. */
struct node_source {
    /* The complete node (level, index); any level of a complete node may be asked. */
    enum rc (*node)(struct node_source *source, unsigned level, uint64_t index,
                    uint8_t out[DIGEST_SIZE]);
};

/* RC_OUT_OF_RANGE unless index < size; else what the source says. About 2·log2(size) nodes. */
MUST_CHECK enum rc proof_inclusion(struct node_source *source, uint64_t index, uint64_t size,
                                   struct proof *proof);
/* RC_OUT_OF_RANGE unless old_size <= new_size. Empty for equal sizes and for old_size 0. */
MUST_CHECK enum rc proof_consistency(struct node_source *source, uint64_t old_size,
                                     uint64_t new_size, struct proof *proof);

/* RC_DATA_LOSS unless the path leads from the leaf hash at index to the root of the tree of size.
 */
MUST_CHECK enum rc proof_check_inclusion(const uint8_t leaf_hash[DIGEST_SIZE], uint64_t index,
                                         uint64_t size, const struct proof *proof,
                                         const uint8_t root[DIGEST_SIZE]);
/*
 * RC_DATA_LOSS unless the new tree begins with the old one. Sizes that are equal want equal roots
 * and an empty proof; old_size 0 wants the empty root and an empty proof.
 */
MUST_CHECK enum rc proof_check_consistency(uint64_t old_size, const uint8_t old_root[DIGEST_SIZE],
                                           uint64_t new_size, const uint8_t new_root[DIGEST_SIZE],
                                           const struct proof *proof);

#endif
