/* fuzz_petition - files that readers of the log give each other: one form for one content. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "client/petition.h"

FUZZ_QUIET()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN_PTR(arena) arena = arena_new((size_t)256 << 10);
    OWN(buffer) again = {0};
    struct petition petition;
    struct audit_case audit;

    if (petition_parse(BYTES(data, size), arena, &petition) == RC_OK) {
        petition_write(&petition, &again);
        assert(bytes_equal(buffer_bytes(&again), BYTES(data, size)));
    } else if (audit_case_parse(BYTES(data, size), &audit) == RC_OK) {
        audit_case_write(&audit, &again);
        assert(bytes_equal(buffer_bytes(&again), BYTES(data, size)));
    }
    return 0;
}
