/*
 * fuzz_control - records of control leaves from arbitrary bytes.
 *
 * What is read is written again byte for byte, and no leaf moves the minimum past itself.
 */
#include <assert.h>
#include <string.h>

#include "tlog/commit.h"
#include "tlog/control.h"
#include "tlog/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t blind[COMMIT_BLIND_SIZE];
    struct leaf leaf = {.class = LEAF_CONTROL, .index = 1 << 20};
    struct control_retention retention;
    OWN(buffer) row = {0};
    OWN(buffer) again = {0};

    commit_record(blind, BYTES(data, size), leaf.record);
    buffer_put(&row, blind, sizeof blind);
    buffer_put(&row, data, size);
    if (control_retention_read(&leaf, buffer_bytes(&row), &retention) == RC_OK) {
        control_retention_write(&retention, &again);
        assert(bytes_equal(buffer_bytes(&again), BYTES(data, size)));
        assert(retention.minimum > 0 && retention.minimum <= leaf.index);
    }
    return 0;
}
