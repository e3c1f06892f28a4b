/* fuzz_leaf - the 200 bytes of a leaf: what decodes is encoded again byte for byte. */
#include "fuzz/fuzz.h"

#include "tlog/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaf leaf;
    uint8_t again[LEAF_SIZE];

    if (leaf_decode(BYTES(data, size), &leaf) == RC_OK) {
        leaf_encode(&leaf, again);
        assert(bytes_equal(BYTES_OF(again), BYTES(data, size)));
    }
    return 0;
}
