#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "unit/crypto/throwaway.h"

#define URI "spiffe://enlace.cdmx/member/ssc/official/4711"

struct fixture {
    struct throwaway made;
    struct actkey *key;
    struct cert *cert;
    uint8_t commitment[DIGEST_SIZE];
    uint8_t signature[ACTSIG_MAX];
    size_t size;
};

static int set_up(void **state)
{
    static struct fixture f;
    char path[THROWAWAY_PATH];
    OWN(buffer) pem = {0};

    f = (struct fixture){.made = throwaway_holder(URI, NULL), .commitment = {1, 2, 3}};
    throwaway_key_file(f.made.key, 0600, path);
    assert_int_equal(actkey_load(path, &f.key, NULL), RC_OK);
    unlink(path);
    throwaway_pem(&f.made, &pem);
    assert_int_equal(cert_from_pem(buffer_bytes(&pem), &f.cert, NULL), RC_OK);
    assert_int_equal(actkey_sign(f.key, f.commitment, f.signature, &f.size), RC_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    actkey_free(f->key);
    cert_free(f->cert);
    throwaway_release(&f->made);
    return 0;
}

static void what_is_signed_verifies(void **state)
{
    struct fixture *f = *state;

    assert_in_range(f->size, 8, ACTSIG_MAX);
    assert_int_equal(actsig_verify(f->cert, f->commitment, BYTES(f->signature, f->size)), RC_OK);
}

/* Whoever verifies without our code hashes these 46 bytes. */
static void the_signed_bytes_are_label_nul_and_commitment(void **state)
{
    struct fixture *f = *state;
    uint8_t message[46] = "enlace/act/v1";
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    memcpy(message + 14, f->commitment, DIGEST_SIZE);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, f->made.key), 1);
    assert_int_equal(EVP_DigestVerify(context, f->signature, f->size, message, sizeof message), 1);
    EVP_MD_CTX_free(context);
}

static void a_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->size; i++) {
        f->signature[i] ^= 1;
        assert_int_equal(actsig_verify(f->cert, f->commitment, BYTES(f->signature, f->size)),
                         RC_UNAUTHENTICATED);
        f->signature[i] ^= 1;
    }
    for (size_t size = 0; size < f->size; size++) {
        assert_int_equal(actsig_verify(f->cert, f->commitment, BYTES(f->signature, size)),
                         RC_UNAUTHENTICATED);
    }
    f->commitment[31] ^= 1;
    assert_int_equal(actsig_verify(f->cert, f->commitment, BYTES(f->signature, f->size)),
                     RC_UNAUTHENTICATED);
}

static void anothers_certificate_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(throwaway) other = throwaway_holder(URI, NULL);
    OWN(buffer) pem = {0};
    OWN_PTR(cert) cert = NULL;

    throwaway_pem(&other, &pem);
    assert_int_equal(cert_from_pem(buffer_bytes(&pem), &cert, NULL), RC_OK);
    assert_int_equal(actsig_verify(cert, f->commitment, BYTES(f->signature, f->size)),
                     RC_UNAUTHENTICATED);
}

static void another_kind_of_key_or_an_exposed_file_is_refused(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *other = EVP_EC_gen("P-384");
    struct actkey *key = NULL;
    struct fault fault = {0};
    char path[THROWAWAY_PATH];

    throwaway_key_file(other, 0600, path);
    assert_int_equal(actkey_load(path, &key, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "key.kind");
    unlink(path);
    EVP_PKEY_free(other);
    throwaway_key_file(f->made.key, 0644, path);
    assert_int_equal(actkey_load(path, &key, NULL), RC_PERMISSION_DENIED);
    unlink(path);
    assert_null(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_signed_verifies),
        TEST(the_signed_bytes_are_label_nul_and_commitment),
        TEST(a_flipped_bit_is_refused),
        TEST(anothers_certificate_is_refused),
        TEST(another_kind_of_key_or_an_exposed_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
