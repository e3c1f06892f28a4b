/*
 * fuzz_succession - statements of succession and lists of authorities from arbitrary bytes.
 *
 * Beyond not crashing: what is read is written again byte for byte, and nothing that the fuzzer
 * makes has a quorum.
 */
#include <assert.h>
#include <string.h>

#include "tlog/succession.h"

/* RFC 8032 §7.1, test 1: a key that the fuzzer cannot sign with. */
static const uint8_t public_key[ED25519_PUBLIC_SIZE] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = BYTES(data, size);
    struct authorities authorities;
    struct succession succession;
    unsigned line;

    if (succession_parse(input, &succession) == RC_OK) {
        OWN(buffer) again = {0};

        assert(succession_write(&succession, &again) == RC_OK);
        assert(bytes_equal(buffer_bytes(&again), input));
    }
    if (authorities_parse(input, &authorities, &line) == RC_OK) {
        assert(authorities.quorum >= 1 && authorities.quorum <= authorities.count);
    }
    memset(&authorities, 0, sizeof authorities);
    authorities.count = 1;
    authorities.quorum = 1;
    if (vkey_make("authority.cdmx/1", VKEY_ED25519, public_key, &authorities.keys[0]) == RC_OK) {
        assert(succession_open(input, &authorities, &succession, NULL) != RC_OK);
    }
    return 0;
}
