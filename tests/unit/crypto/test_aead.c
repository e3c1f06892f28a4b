#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "crypto/aead.h"

/* The GCM specification's test case 16 (AES-256, with associated data). */
static void it_has_the_standard_value(void **state)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t nonce[AEAD_NONCE_SIZE];
    uint8_t aad[20];
    uint8_t plain[60];
    uint8_t sealed[60 + AEAD_TAG_SIZE];
    char hex[2 * sizeof sealed + 1];

    (void)state;
    assert_int_equal(hex_decode("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                                key, sizeof key),
                     RC_OK);
    assert_int_equal(hex_decode("cafebabefacedbaddecaf888", nonce, sizeof nonce), RC_OK);
    assert_int_equal(hex_decode("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof aad),
                     RC_OK);
    assert_int_equal(hex_decode("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
                                plain, sizeof plain),
                     RC_OK);
    assert_int_equal(aead_seal(key, nonce, BYTES_OF(aad), BYTES_OF(plain), sealed), RC_OK);
    hex_encode(sealed, sizeof sealed, hex);
    assert_string_equal(hex, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                             "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                             "76fc6ece0f4e1768cddf8853bb2d551b");
}

static void what_is_sealed_opens_also_in_place(void **state)
{
    uint8_t key[AEAD_KEY_SIZE] = {1};
    uint8_t nonce[AEAD_NONCE_SIZE] = {2};
    uint8_t plain[300];
    uint8_t block[300 + AEAD_TAG_SIZE];

    (void)state;
    memset(plain, 9, sizeof plain);
    for (size_t size = 0; size <= sizeof plain; size += 50) {
        memcpy(block, plain, size);
        assert_int_equal(aead_seal(key, nonce, bytes_text("aad"), BYTES(block, size), block),
                         RC_OK);
        assert_int_equal(
            aead_open(key, nonce, bytes_text("aad"), BYTES(block, size + AEAD_TAG_SIZE), block),
            RC_OK);
        assert_memory_equal(block, plain, size);
    }
}

static void a_flipped_bit_anywhere_is_refused_and_nothing_is_given(void **state)
{
    static const uint8_t zeros[40];
    uint8_t key[AEAD_KEY_SIZE] = {1};
    uint8_t nonce[AEAD_NONCE_SIZE] = {2};
    uint8_t aad[5] = {3};
    uint8_t plain[40];
    uint8_t sealed[40 + AEAD_TAG_SIZE];
    uint8_t out[40];
    const struct {
        uint8_t *data;
        size_t size;
    } inputs[] = {{key, sizeof key}, {nonce, sizeof nonce}, {aad, sizeof aad}, {sealed, 56}};

    (void)state;
    memset(plain, 9, sizeof plain);
    assert_int_equal(aead_seal(key, nonce, BYTES_OF(aad), BYTES_OF(plain), sealed), RC_OK);
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < inputs[k].size * 8; i++) {
            inputs[k].data[i / 8] ^= (uint8_t)(1 << i % 8);
            assert_int_equal(aead_open(key, nonce, BYTES_OF(aad), BYTES_OF(sealed), out),
                             RC_DATA_LOSS);
            assert_memory_equal(out, zeros, sizeof out);
            inputs[k].data[i / 8] ^= (uint8_t)(1 << i % 8);
        }
    }
    for (size_t size = 0; size < sizeof sealed; size++) {
        assert_int_equal(aead_open(key, nonce, BYTES_OF(aad), BYTES(sealed, size), out),
                         RC_DATA_LOSS);
    }
    assert_int_equal(aead_open(key, nonce, BYTES_OF(aad), BYTES_OF(sealed), out), RC_OK);
}

static void *use_it(void *rounds)
{
    uint8_t key[AEAD_KEY_SIZE] = {4};
    uint8_t nonce[AEAD_NONCE_SIZE] = {5};
    uint8_t block[64 + AEAD_TAG_SIZE] = {0};
    size_t failures = 0;

    for (size_t i = 0; i < *(size_t *)rounds; i++) {
        put_u64(nonce, i);
        failures += aead_seal(key, nonce, bytes_text("a"), BYTES(block, 64), block) != RC_OK;
        failures += aead_open(key, nonce, bytes_text("a"), BYTES_OF(block), block) != RC_OK;
    }
    return failures == 0 ? rounds : NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    pthread_t threads[4];
    size_t rounds = 2000;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_it, &rounds), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &rounds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_standard_value),
        cmocka_unit_test(what_is_sealed_opens_also_in_place),
        cmocka_unit_test(a_flipped_bit_anywhere_is_refused_and_nothing_is_given),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
