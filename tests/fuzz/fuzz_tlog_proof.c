/*
 * fuzz_tlog_proof - receipts from arbitrary bytes.
 *
 * What parses is written again byte for byte; what anybody makes up never verifies.
 */
#include <assert.h>
#include <stdlib.h>

#include "tlog/tlog_proof.h"

static void check_writes_back(struct bytes input, const struct tlog_proof *proof)
{
    size_t capacity = proof->extra_base64.size / 4 * 3 + 1;
    uint8_t *extra = malloc(capacity);
    OWN(buffer) again = {0};
    size_t size = 0;

    assert(extra != NULL);
    assert(base64_decode(proof->extra_base64, extra, capacity, &size) == RC_OK);
    tlog_proof_write(proof->index, &proof->path,
                     proof->has_extra ? BYTES(extra, size) : (struct bytes){0}, proof->note,
                     &again);
    assert(bytes_equal(buffer_bytes(&again), input));
    free(extra);
}

/* RFC 8032 §7.1, test 1: a key that the fuzzer cannot sign with. */
static const uint8_t public_key[ED25519_PUBLIC_SIZE] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = BYTES(data, size);
    struct tlog_proof proof;
    struct vkey log;
    struct checkpoint head;
    uint64_t index;

    if (tlog_proof_parse(input, &proof) == RC_OK) {
        check_writes_back(input, &proof);
    }
    if (vkey_make("gw.cdmx/audit/2026", VKEY_ED25519, public_key, &log) == RC_OK) {
        assert(tlog_proof_verify(input, bytes_text("entry"), &log, &index, &head, NULL) != RC_OK);
    }
    return 0;
}
