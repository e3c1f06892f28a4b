/*
 * frontier - the right edge of the tree: all that is needed to append and to know the root.
 *
 * Also called compact range: for each bit of the size, the complete node of that level at the
 * edge. Plain data; {0} is the empty tree. One owner at a time; no call fails but frontier_read.
 */
#ifndef TLOG_FRONTIER_H
#define TLOG_FRONTIER_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

#define FRONTIER_LEVELS 64
#define FRONTIER_SIZE_MAX (UINT64_MAX >> 1)

struct frontier {
    uint64_t size;
    /* edge[l] = node (l, (size >> l) - 1); meaningful only where bit l of size is set. */
    uint8_t edge[FRONTIER_LEVELS][DIGEST_SIZE];
};

/* One node hash on average, at most 63. Asserts that the tree stays within FRONTIER_SIZE_MAX. */
void frontier_append(struct frontier *frontier, const uint8_t leaf_hash[DIGEST_SIZE]);
void frontier_root(const struct frontier *frontier, uint8_t out[DIGEST_SIZE]);

/* u64 size ‖ popcount(size) hashes, the widest node (highest level) first. */
void frontier_write(const struct frontier *frontier, struct buffer *buffer);
/* Reads what frontier_write wrote; what follows is left in the reader. RC_DATA_LOSS. */
MUST_CHECK enum rc frontier_read(struct reader *reader, struct frontier *frontier);

#endif
