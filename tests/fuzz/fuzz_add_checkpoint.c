/*
 * fuzz_add_checkpoint - bodies, answers, paths and addresses of the witness protocol from arbitrary
 * bytes.
 *
 * Beyond not crashing: a body that parses is the body written again; nothing is cosigned that the
 * log's key did not sign, no line taken that the witness's key did not make; an address that is
 * taken is of the loopback.
 */
#include <assert.h>
#include <string.h>

#include "tlog/add_checkpoint.h"

/* RFC 8032 §7.1, test 1: a key that the fuzzer cannot sign with. */
static const uint8_t public_key[ED25519_PUBLIC_SIZE] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static void check_body(struct bytes input, const struct vkey *log)
{
    struct add_checkpoint request;
    struct checkpoint offered;
    struct note note;
    OWN(buffer) again = {0};

    if (add_checkpoint_parse(input, &request) == RC_OK) {
        add_checkpoint_write(request.old_size, &request.proof, request.note, &again);
        assert(bytes_equal(buffer_bytes(&again), input));
        assert(add_checkpoint_open(&request, log, 1, &note, &offered) != WITNESS_COSIGNED);
    }
}

static void check_answer(struct bytes input, const struct vkey *witness)
{
    OWN(buffer) line = {0};
    uint64_t number;

    assert(add_checkpoint_take_line(input, bytes_text("gw.cdmx/audit/2026\n0\n"), witness, &line,
                                    &number) != RC_OK);
    if (add_checkpoint_take_size(input, &number) == RC_OK) {
        OWN(buffer) again = {0};

        add_checkpoint_put_size(number, &again);
        assert(bytes_equal(buffer_bytes(&again), input));
    }
}

static void check_place(struct bytes input)
{
    uint8_t digest[DIGEST_SIZE];
    struct witness_url url;

    if (add_checkpoint_path(input, digest) == WITNESS_MONITOR) {
        char hex[2 * DIGEST_SIZE + 1];

        hex_encode(digest, DIGEST_SIZE, hex);
        assert(memcmp(input.data + 1, hex, 2 * DIGEST_SIZE) == 0);
    }
    if (witness_url_parse(input, &url) == RC_OK) {
        assert(witness_host_is_loopback(url.host) && url.port != 0);
        assert(strlen(url.prefix) < sizeof url.prefix);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = BYTES(data, size);
    struct vkey log;
    struct vkey witness;

    assert(vkey_make("gw.cdmx/audit/2026", VKEY_ED25519, public_key, &log) == RC_OK);
    assert(vkey_make("gw.ssc/witness", VKEY_COSIGNATURE, public_key, &witness) == RC_OK);
    check_body(input, &log);
    check_answer(input, &witness);
    check_place(input);
    return 0;
}
