/*
 * fuzz_cert - certificates from arbitrary DER and PEM: one that is accepted names exactly one
 * printable URI, keeps the bytes that it was made of, and is vouched for by nobody.
 */
#include "fuzz/fuzz.h"

#include "crypto/cert.h"

FUZZ_QUIET()

static void check(const struct cert *cert)
{
    uint8_t digest[DIGEST_SIZE];
    const struct bytes der = cert_der(cert);
    const char *uri = cert_uri(cert);

    assert(strlen(uri) > 0 && strlen(uri) <= CERT_URI_MAX);
    for (const char *at = uri; *at != '\0'; at++) {
        assert(*at > ' ' && *at < 0x7f);
    }
    digest_of(&der, 1, digest);
    assert(memcmp(digest, cert_fingerprint(cert), sizeof digest) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN_PTR(cert) from_der = NULL;
    OWN_PTR(cert) from_pem = NULL;
    OWN_PTR(cert_store) store = NULL;
    struct fault fault = {0};

    if (cert_from_der(BYTES(data, size), &from_der, &fault) == RC_OK) {
        check(from_der);
        assert(bytes_equal(cert_der(from_der), BYTES(data, size)));
    } else {
        assert(fault.rc != RC_OK && fault.reason[0] != '\0');
    }
    if (cert_from_pem(BYTES(data, size), &from_pem, NULL) == RC_OK) {
        check(from_pem);
    }
    if (cert_store_from_pem(BYTES(data, size), &store) == RC_OK && from_der != NULL) {
        (void)!cert_verify_chain(from_der, store, cert_not_before_ms(from_der), NULL);
    }
    return 0;
}
