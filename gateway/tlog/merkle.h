/*
 * merkle - the hashes of the tree (RFC 9162 §2.1.1, SHA-256). Pure; any thread.
 *
 *     leaf = SHA-256(0x00 ‖ entry)     node = SHA-256(0x01 ‖ left ‖ right)     empty = SHA-256("")
 *
 * A node is named by level and index: level 0 are the leaf hashes, node (l, i) covers the leaves
 * i·2^l up to (i+1)·2^l. It is complete when all those leaves exist; complete nodes never change.
 */
#ifndef TLOG_MERKLE_H
#define TLOG_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

void merkle_leaf(struct bytes entry, uint8_t out[DIGEST_SIZE]);
/* out may be left or right. */
void merkle_node(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE],
                 uint8_t out[DIGEST_SIZE]);
void merkle_empty(uint8_t out[DIGEST_SIZE]);

/*
 * Root over hashes that stand side by side at one level: a node of level l from 2^k hashes of level
 * l-k (the store keeps every fourth level), or, over leaf hashes, the root of a small tree.
 * count 0 gives the empty root.
 */
void merkle_root(const uint8_t (*hashes)[DIGEST_SIZE], size_t count, uint8_t out[DIGEST_SIZE]);

#endif
