/* fuzz_bytes - base64 and hex have one text per value; a reader never passes its end. */
#include "fuzz/fuzz.h"

static void check_base64(struct bytes text)
{
    uint8_t *out = malloc(text.size + 1);
    char *again = malloc(text.size + 5);
    size_t size = 0;

    assert(out != NULL && again != NULL);
    if (base64_decode(text, out, text.size, &size) == RC_OK) {
        assert(base64_encode(out, size, again) == text.size);
        assert(memcmp(again, text.data, text.size) == 0);
    }
    free(out);
    free(again);
}

static void check_hex(struct bytes text)
{
    char digits[65] = {0};
    char again[65];
    uint8_t out[32];

    memcpy(digits, text.data, text.size < 64 ? text.size : 64);
    if (hex_decode(digits, out, sizeof out) == RC_OK) {
        hex_encode(out, sizeof out, again);
        assert(memcmp(digits, again, sizeof again) == 0);
    }
}

static void check_reader(struct bytes bytes)
{
    struct reader reader = {.rest = bytes};
    size_t taken = 0;

    while (!reader.is_failed && !reader_is_done(&reader)) {
        taken += 4 + reader_chunk(&reader).size;
        taken += reader.is_failed ? 0 : reader_take(&reader, reader_u8(&reader)).size + 1;
    }
    assert(reader.is_failed || taken == bytes.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = BYTES(data, size);

    if (size > 0) {
        check_base64(bytes);
        check_hex(bytes);
        check_reader(bytes);
    }
    return 0;
}
