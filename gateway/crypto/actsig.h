/*
 * actsig - an official's or a system's own signature over a message's commitment M.
 *
 * ECDSA on P-256 with SHA-256 over the 46 bytes  "enlace/act/v1\0" (14, NUL included) ‖ M (32);
 * the signature is DER (SEQUENCE of r and s, RFC 3279 §2.2.3), at most ACTSIG_MAX bytes. It is not
 * deterministic, and whoever has one can make its twin (r, n-s): never use it as an identifier.
 * An actkey is constant once loaded: any thread may sign.
 */
#ifndef CRYPTO_ACTSIG_H
#define CRYPTO_ACTSIG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "crypto/digest.h"

#define ACTSIG_MAX 72

struct actkey;
struct cert;

/*
 * A P-256 private key in a PEM file without passphrase. Refused when group or others may read or
 * write it or it holds another kind of key: log line and fault (may be NULL) name the remedy.
 */
MUST_CHECK enum rc actkey_load(const char *path, struct actkey **key, struct fault *fault);
void actkey_free(struct actkey *key);
OWN_PTR_DEFINE(actkey)

MUST_CHECK enum rc actkey_sign(const struct actkey *key, const uint8_t commitment[DIGEST_SIZE],
                               uint8_t signature[ACTSIG_MAX], size_t *size);

/*
 * RC_UNAUTHENTICATED unless the certificate's P-256 key made the signature over this M. Whether
 * the certificate is in force is the caller's question.
 */
MUST_CHECK enum rc actsig_verify(const struct cert *cert, const uint8_t commitment[DIGEST_SIZE],
                                 struct bytes signature);

#endif
