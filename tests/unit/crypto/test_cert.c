#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "unit/crypto/throwaway.h"

#define URI "spiffe://enlace.cdmx/node/ssc"

static enum rc read_pem(const struct throwaway *made, struct cert **cert, struct fault *fault)
{
    OWN(buffer) pem = {0};

    throwaway_pem(made, &pem);
    return cert_from_pem(buffer_bytes(&pem), cert, fault);
}

static void it_tells_holder_validity_and_fingerprint(void **state)
{
    OWN(throwaway) ca = throwaway_ca("CA");
    OWN(throwaway) made = throwaway_holder(URI, &ca);
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(cert) again = NULL;
    uint8_t digest[DIGEST_SIZE];
    struct bytes der;

    (void)state;
    assert_int_equal(read_pem(&made, &cert, NULL), RC_OK);
    assert_string_equal(cert_uri(cert), URI);
    assert_int_equal(cert_not_after_ms(cert) - cert_not_before_ms(cert), 3660000);
    assert_in_range(clock_now_ms() - cert_not_before_ms(cert), 59000, 70000);
    der = cert_der(cert);
    digest_of(&der, 1, digest);
    assert_memory_equal(digest, cert_fingerprint(cert), DIGEST_SIZE);
    assert_int_equal(cert_from_der(der, &again, NULL), RC_OK);
    assert_memory_equal(cert_fingerprint(again), cert_fingerprint(cert), DIGEST_SIZE);
}

static void other_names_than_one_uri_are_refused(void **state)
{
    static const struct {
        const char *san;
        const char *reason;
    } rows[] = {
        {"URI:" URI ",DNS:ssc.example,IP:127.0.0.1", NULL},
        {NULL, "cert.uri_none"},
        {"DNS:ssc.example", "cert.uri_none"},
        {"URI:" URI ",URI:spiffe://enlace.cdmx/node/pgj", "cert.uri_several"},
        {"URI:" URI ",URI:" URI, "cert.uri_several"},
        {"URI:" URI ",email:a@b.mx", "cert.san_kind"},
        {"URI:" URI ",RID:1.2.3.4", "cert.san_kind"},
        {"URI:" URI ",otherName:1.2.3.4;UTF8:x", "cert.san_kind"},
        {"URI:spiffe://enlace.cdmx/node/a b", "cert.uri_malformed"},
        {"URI:spiffe://enlace.cdmx/node/\x01", "cert.uri_malformed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN(throwaway)
        made = throwaway_make((struct throwaway_plan){
            .name = "x", .san = rows[i].san, .not_before = -60, .not_after = 60});
        OWN_PTR(cert) cert = NULL;
        struct fault fault = {0};
        enum rc rc = read_pem(&made, &cert, &fault);

        if (rows[i].reason == NULL) {
            assert_int_equal(rc, RC_OK);
        } else {
            assert_int_equal(rc, RC_INVALID_ARGUMENT);
            assert_string_equal(fault.reason, rows[i].reason);
            assert_null(cert);
        }
    }
}

static void a_uri_that_hides_behind_a_nul_is_refused(void **state)
{
    OWN(throwaway)
    made = throwaway_make((struct throwaway_plan){
        .name = "x", .san = "URI:" URI "%evil", .not_before = -60, .not_after = 60});
    OWN(buffer) der = {0};
    unsigned char *raw = NULL;
    int size = i2d_X509(made.x509, &raw);
    OWN_PTR(cert) cert = NULL;
    struct fault fault = {0};
    uint8_t *at;

    (void)state;
    buffer_put(&der, raw, (size_t)size);
    OPENSSL_free(raw);
    at = memmem(der.data, der.size, "%evil", 5);
    assert_non_null(at);
    *at = '\0'; /* the signature is wrong now, which reading does not ask */
    assert_int_equal(cert_from_der(buffer_bytes(&der), &cert, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "cert.uri_malformed");
}

/* Where the signature's BIT STRING says how many of its last bits do not count: 0 in DER. */
static size_t unused_bits_at(struct bytes der)
{
    size_t at = der.size - 3;

    while (der.data[at] != 0x03 || der.data[at + 1] != der.size - at - 2) {
        at--;
    }
    return at + 2;
}

static void another_encoding_of_the_same_is_refused(void **state)
{
    OWN(throwaway) made = throwaway_holder(URI, NULL);
    OWN_PTR(cert) cert = NULL;
    OWN(buffer) der = {0};
    struct cert *bad = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(read_pem(&made, &cert, NULL), RC_OK);
    buffer_put_bytes(&der, cert_der(cert));
    der.data[unused_bits_at(buffer_bytes(&der))] = 3;
    assert_int_equal(cert_from_der(buffer_bytes(&der), &bad, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "cert.malformed");
}

static void malformed_bytes_are_refused(void **state)
{
    OWN(throwaway) made = throwaway_holder(URI, NULL);
    OWN_PTR(cert) cert = NULL;
    OWN(buffer) der = {0};
    struct cert *bad = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(read_pem(&made, &cert, NULL), RC_OK);
    buffer_put_bytes(&der, cert_der(cert));
    for (size_t size = 0; size < der.size; size += 13) {
        assert_int_equal(cert_from_der(BYTES(der.data, size), &bad, &fault), RC_INVALID_ARGUMENT);
    }
    buffer_put_u8(&der, 0);
    assert_int_equal(cert_from_der(buffer_bytes(&der), &bad, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "cert.malformed");
    assert_int_equal(cert_from_pem(bytes_text("no certificate"), &bad, NULL), RC_INVALID_ARGUMENT);
    assert_int_equal(cert_from_pem(bytes_text(""), &bad, NULL), RC_INVALID_ARGUMENT);
    assert_int_equal(cert_load("/nowhere/a.pem", &bad, NULL), RC_NOT_FOUND);
}

static void expect(const struct throwaway *made, const struct cert_store *store, int64_t now_ms,
                   const char *reason)
{
    OWN_PTR(cert) cert = NULL;
    struct fault fault = {0};
    enum rc rc;

    assert_int_equal(read_pem(made, &cert, NULL), RC_OK);
    rc = cert_verify_chain(cert, store, now_ms, &fault);
    assert_int_equal(rc, reason == NULL ? RC_OK : RC_UNAUTHENTICATED);
    assert_string_equal(fault.reason, reason == NULL ? "" : reason);
}

static void a_chain_verifies_only_to_our_authorities_and_in_time(void **state)
{
    OWN(throwaway) first = throwaway_ca("first");
    OWN(throwaway) second = throwaway_ca("second");
    OWN(throwaway) stranger = throwaway_ca("first"); /* the same name, another key */
    OWN(throwaway) a = throwaway_holder(URI, &first);
    OWN(throwaway) b = throwaway_holder(URI, &second);
    OWN(throwaway) foreign = throwaway_holder(URI, &stranger);
    OWN(throwaway) by_holder = throwaway_holder(URI, &a);
    OWN(throwaway) itself = throwaway_holder(URI, NULL);
    OWN_PTR(cert_store) store = NULL;
    OWN(buffer) pem = {0};
    int64_t now_ms = clock_now_ms();

    (void)state;
    throwaway_pem(&first, &pem);
    throwaway_pem(&second, &pem);
    assert_int_equal(cert_store_from_pem(buffer_bytes(&pem), &store), RC_OK);
    expect(&a, store, now_ms, NULL);
    expect(&b, store, now_ms, NULL);
    expect(&foreign, store, now_ms, "cert.chain");
    expect(&by_holder, store, now_ms, "cert.chain");
    expect(&itself, store, now_ms, "cert.chain");
    expect(&a, store, now_ms + 3700 * 1000, "cert.expired");
    expect(&a, store, now_ms - 120 * 1000, "cert.not_yet");
}

static void a_store_holds_authorities_only(void **state)
{
    OWN(throwaway) ca = throwaway_ca("CA");
    OWN(throwaway) holder = throwaway_holder(URI, &ca);
    OWN(buffer) pem = {0};
    struct cert_store *store = NULL;

    (void)state;
    assert_int_equal(cert_store_from_pem(bytes_text(""), &store), RC_INVALID_ARGUMENT);
    assert_int_equal(cert_store_from_pem(bytes_text("text"), &store), RC_INVALID_ARGUMENT);
    throwaway_pem(&ca, &pem);
    throwaway_pem(&holder, &pem);
    assert_int_equal(cert_store_from_pem(buffer_bytes(&pem), &store), RC_INVALID_ARGUMENT);
    buffer_clear(&pem);
    throwaway_pem(&ca, &pem);
    buffer_put_bytes(&pem, bytes_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                      "-----END CERTIFICATE-----\n"));
    assert_int_equal(cert_store_from_pem(buffer_bytes(&pem), &store), RC_INVALID_ARGUMENT);
    assert_int_equal(cert_store_load("/nowhere/ca.pem", &store), RC_NOT_FOUND);
    assert_null(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_holder_validity_and_fingerprint),
        cmocka_unit_test(other_names_than_one_uri_are_refused),
        cmocka_unit_test(a_uri_that_hides_behind_a_nul_is_refused),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(another_encoding_of_the_same_is_refused),
        cmocka_unit_test(a_chain_verifies_only_to_our_authorities_and_in_time),
        cmocka_unit_test(a_store_holds_authorities_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
