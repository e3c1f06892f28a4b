/*
 * cert - X.509 certificates (RFC 5280) and the one URI that names their holder.
 *
 * A certificate counts only if a CA verifies it *and* the directory has its holder in force; the
 * second half is not ours. Certificates and stores are constant once made: any thread may read
 * and verify. Reading costs tens of microseconds: keep the object with the connection and
 * compare fingerprints, do not parse again per message.
 */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "crypto/digest.h"

#define CERT_URI_MAX 255
#define CERT_SIZE_MAX ((size_t)64 << 10)
/* CA certificates in one file. */
#define CERT_STORE_MAX 64

struct cert;
struct cert_store;

/*
 * Refused, each with a reason of its own in the fault (which may be NULL): "cert.malformed",
 * "cert.uri_none", "cert.uri_several", "cert.uri_malformed" (longer than CERT_URI_MAX, or not
 * printable ASCII), "cert.san_kind" (a subject alternative name other than URI, DNS or IP).
 * From PEM the first certificate counts; what follows (intermediates) is ignored, because the CAs
 * that we trust stand in the store.
 */
MUST_CHECK enum rc cert_from_pem(struct bytes pem, struct cert **cert, struct fault *fault);
/* Exactly one certificate, no byte after it. */
MUST_CHECK enum rc cert_from_der(struct bytes der, struct cert **cert, struct fault *fault);
/* From a PEM file; a failure is logged with the path. */
MUST_CHECK enum rc cert_load(const char *path, struct cert **cert, struct fault *fault);
void cert_free(struct cert *cert);
OWN_PTR_DEFINE(cert)

/* Borrowed from the certificate, NUL-terminated. */
const char *cert_uri(const struct cert *cert);
/* SHA-256 of the DER bytes; borrowed from the certificate. */
const uint8_t *cert_fingerprint(const struct cert *cert);
int64_t cert_not_before_ms(const struct cert *cert);
int64_t cert_not_after_ms(const struct cert *cert);
/* Borrowed from the certificate. */
struct bytes cert_der(const struct cert *cert);

/* One or several CA certificates. A file without one, or with more than CERT_STORE_MAX, is refused.
 */
MUST_CHECK enum rc cert_store_from_pem(struct bytes pem, struct cert_store **store);
MUST_CHECK enum rc cert_store_load(const char *path, struct cert_store **store);
void cert_store_free(struct cert_store *store);
OWN_PTR_DEFINE(cert_store)

/*
 * RC_UNAUTHENTICATED, with "cert.chain" or "cert.expired" or "cert.not_yet" in the fault, unless
 * a CA of the store vouches for the certificate at now_ms. The failing check is logged at info.
 * Key usage is not looked at: seal and act certificates are no TLS certificates.
 */
MUST_CHECK enum rc cert_verify_chain(const struct cert *cert, const struct cert_store *store,
                                     int64_t now_ms, struct fault *fault);

#endif
