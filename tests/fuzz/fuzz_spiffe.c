/* fuzz_spiffe - a certificate's URI: what is accepted has one spelling, and only our characters. */
#include "fuzz/fuzz.h"

#include "crypto/spiffe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spiffe spiffe;
    char again[SPIFFE_TEXT_SIZE];

    if (spiffe_parse(BYTES(data, size), &spiffe) == RC_OK) {
        spiffe_format(&spiffe, again);
        assert(bytes_are_text(BYTES(data, size), again));
        assert((spiffe.kind == SPIFFE_NODE) == (spiffe.name[0] == '\0'));
        assert(strspn(again, "abcdefghijklmnopqrstuvwxyz0123456789-:/.") == strlen(again));
    }
    return 0;
}
