/*
 * fuzz_change - a follower's rows from arbitrary bytes: what is read is written again byte for
 * byte.
 */
#include <assert.h>

#include "base/own.h"
#include "store/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = BYTES(data, size);
    OWN(buffer) again = {0};
    struct change change;

    while (change_next(&rest, &change) == RC_OK) {
        change_put(&again, &change);
    }
    assert(bytes_equal(buffer_bytes(&again), BYTES(data, size - rest.size)));
    return 0;
}
