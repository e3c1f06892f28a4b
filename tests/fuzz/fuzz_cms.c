/*
 * fuzz_cms - sealed compartments and padded plaintexts from arbitrary bytes.
 *
 * Nothing opens but with the digest that the header holds. A seed begins with that digest, so that
 * mutants of what does open are tried with the digest of the original.
 */
#include "fuzz/cms_holder.h"

static struct cert *cert;
static struct sealkey *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_open("fuzz", LOG_LEVEL_FATAL);
    holder_make(&cert, &key);
    return 0;
}

static void check_padding(struct bytes padded)
{
    struct bytes content;

    if (cms_unpad(padded, &content) == RC_OK) {
        assert(content.size <= CMS_CONTENT_MAX && content.size + 36 <= padded.size);
        assert(content.data == padded.data + 36);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buffer) content = {0};
    OWN(buffer) refused = {0};
    uint8_t other[DIGEST_SIZE];

    check_padding(BYTES(data, size));
    if (size < DIGEST_SIZE) {
        return 0;
    }
    memcpy(other, data, sizeof other);
    other[0] ^= 1;
    if (cms_open(BYTES(data + DIGEST_SIZE, size - DIGEST_SIZE), cert, key, data, &content) ==
        RC_OK) {
        assert(cms_open(BYTES(data + DIGEST_SIZE, size - DIGEST_SIZE), cert, key, other,
                        &refused) != RC_OK);
    } else {
        assert(content.size == 0);
    }
    return 0;
}
