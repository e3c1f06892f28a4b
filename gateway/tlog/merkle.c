#include "tlog/merkle.h"

#include <string.h>

#include "tlog/frontier.h"

void merkle_leaf(struct bytes entry, uint8_t out[DIGEST_SIZE])
{
    static const uint8_t prefix = 0x00;
    const struct bytes parts[] = {BYTES(&prefix, 1), entry};

    digest_of(parts, 2, out);
}

void merkle_node(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE],
                 uint8_t out[DIGEST_SIZE])
{
    uint8_t block[1 + 2 * DIGEST_SIZE];

    block[0] = 0x01;
    memcpy(block + 1, left, DIGEST_SIZE);
    memcpy(block + 1 + DIGEST_SIZE, right, DIGEST_SIZE);
    digest_of(&BYTES_OF(block), 1, out);
}

void merkle_empty(uint8_t out[DIGEST_SIZE])
{
    digest_of(NULL, 0, out);
}

void merkle_root(const uint8_t (*hashes)[DIGEST_SIZE], size_t count, uint8_t out[DIGEST_SIZE])
{
    struct frontier frontier;

    frontier.size = 0; /* edge is read only where a bit of the size is set */
    for (size_t i = 0; i < count; i++) {
        frontier_append(&frontier, hashes[i]);
    }
    frontier_root(&frontier, out);
}
