#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/keyring.h"
#include "unit/crypto/throwaway.h"

/* RFC 8032 §7.1, test 3. */
static void it_has_the_standard_values(void **state)
{
    uint8_t seed[ED25519_SEED_SIZE];
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    static const uint8_t message[] = {0xaf, 0x82};
    char hex[2 * ED25519_SIGNATURE_SIZE + 1];
    OWN_PTR(keyring) keyring = NULL;

    (void)state;
    assert_int_equal(hex_decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                                seed, sizeof seed),
                     RC_OK);
    keyring = keyring_from_seed(seed);
    assert_non_null(keyring);
    keyring_public(keyring, public_key);
    hex_encode(public_key, sizeof public_key, hex);
    assert_string_equal(hex, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    assert_int_equal(keyring_sign(keyring, BYTES_OF(message), signature), RC_OK);
    hex_encode(signature, sizeof signature, hex);
    assert_string_equal(hex, "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                             "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    assert_int_equal(ed25519_verify(public_key, BYTES_OF(message), signature), RC_OK);
}

static void a_flipped_bit_in_message_key_or_signature_is_refused(void **state)
{
    uint8_t seed[ED25519_SEED_SIZE] = {1};
    uint8_t public_key[ED25519_PUBLIC_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    uint8_t message[8] = {0};
    OWN_PTR(keyring) keyring = keyring_from_seed(seed);
    const struct {
        uint8_t *data;
        size_t size;
    } inputs[] = {{public_key, 32}, {signature, 64}, {message, 8}};

    (void)state;
    keyring_public(keyring, public_key);
    assert_int_equal(keyring_sign(keyring, BYTES_OF(message), signature), RC_OK);
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < inputs[k].size; i++) {
            inputs[k].data[i] ^= 0x10;
            assert_int_equal(ed25519_verify(public_key, BYTES_OF(message), signature),
                             RC_UNAUTHENTICATED);
            inputs[k].data[i] ^= 0x10;
        }
    }
    assert_int_equal(ed25519_verify(public_key, BYTES_OF(message), signature), RC_OK);
}

static void a_key_file_loads(void **state)
{
    uint8_t seed[ED25519_SEED_SIZE] = {2};
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    OWN_PTR(keyring) from_seed = keyring_from_seed(seed);
    OWN_PTR(keyring) from_file = NULL;
    uint8_t a[ED25519_SIGNATURE_SIZE];
    uint8_t b[ED25519_SIGNATURE_SIZE];
    char path[THROWAWAY_PATH];

    (void)state;
    throwaway_key_file(key, 0600, path);
    assert_int_equal(keyring_load(path, &from_file, NULL), RC_OK);
    assert_int_equal(keyring_sign(from_file, bytes_text("x"), a), RC_OK);
    assert_int_equal(keyring_sign(from_seed, bytes_text("x"), b), RC_OK);
    assert_memory_equal(a, b, sizeof a);
    unlink(path);
    EVP_PKEY_free(key);
}

static void expect_refusal(const char *path, enum rc rc, const char *reason)
{
    struct fault fault = {0};
    struct keyring *keyring = NULL;

    assert_int_equal(keyring_load(path, &keyring, &fault), rc);
    assert_string_equal(fault.reason, reason);
    assert_non_null(strstr(fault.remedy, path));
    assert_null(keyring);
}

static void an_exposed_key_file_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0666};
    uint8_t seed[ED25519_SEED_SIZE] = {2};
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char path[THROWAWAY_PATH];

        throwaway_key_file(key, modes[i], path);
        expect_refusal(path, RC_PERMISSION_DENIED, "key.exposed");
        unlink(path);
    }
    EVP_PKEY_free(key);
}

static void what_is_no_ed25519_key_file_is_refused(void **state)
{
    EVP_PKEY *other = EVP_EC_gen("P-256");
    char path[THROWAWAY_PATH];
    OWN(buffer) large = {0};
    static const char locked[] = "-----BEGIN ENCRYPTED "
                                 "PRIVATE KEY-----\nMAA=\n"
                                 "-----END ENCRYPTED PRIVATE KEY-----\n";

    (void)state;
    expect_refusal("/nowhere/log.key", RC_NOT_FOUND, "key.unreadable");
    expect_refusal("/tmp", RC_INVALID_ARGUMENT, "key.no_file");
    throwaway_key_file(other, 0600, path);
    expect_refusal(path, RC_INVALID_ARGUMENT, "key.kind");
    unlink(path);
    throwaway_file(bytes_text("no key\n"), 0600, path);
    expect_refusal(path, RC_INVALID_ARGUMENT, "key.malformed");
    unlink(path);
    throwaway_file(bytes_text(locked), 0600, path);
    expect_refusal(path, RC_INVALID_ARGUMENT, "key.malformed");
    unlink(path);
    while (large.size < 20000) {
        buffer_put_u8(&large, '\n');
    }
    throwaway_file(buffer_bytes(&large), 0600, path);
    expect_refusal(path, RC_INVALID_ARGUMENT, "key.unreadable");
    unlink(path);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_standard_values),
        cmocka_unit_test(a_flipped_bit_in_message_key_or_signature_is_refused),
        cmocka_unit_test(a_key_file_loads),
        cmocka_unit_test(an_exposed_key_file_is_refused),
        cmocka_unit_test(what_is_no_ed25519_key_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
