/*
 * filesig - detached CMS signatures (RFC 5652) over files that go to an agency or come from it.
 *
 * What filesig_sign makes, `openssl cms -verify -binary -inform DER -content FILE -certfile CERT`
 * verifies: one SignedData in DER, SHA-256, signed attributes, the signer's certificate inside.
 *
 * A signature counts when one of the certificates that we were given made it, byte for byte, and it
 * is in force: no chain is built, so an agency's own certificate of whatever kind (an e.firma, too)
 * can be listed without trusting who issued it. Keys: P-256 or better, RSA of 2,048 bits or more.
 *
 * Any thread; objects are constant once loaded.
 */
#ifndef CRYPTO_FILESIG_H
#define CRYPTO_FILESIG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

#define FILESIG_MAX ((size_t)64 << 10)
#define FILESIG_SIGNERS_MAX 16

struct filesigner;
struct filesigners;

/* PEM files of our own; the key readable by its owner alone. */
MUST_CHECK enum rc filesigner_load(const char *certificate, const char *key,
                                   struct filesigner **signer, struct fault *fault);
void filesigner_free(struct filesigner *signer);
OWN_PTR_DEFINE(filesigner)
/* Appends the signature. */
MUST_CHECK enum rc filesig_sign(const struct filesigner *signer, struct bytes content,
                                struct buffer *signature);

/* The certificates that may sign, of one PEM file: 1 to FILESIG_SIGNERS_MAX. */
MUST_CHECK enum rc filesigners_load(const char *path, struct filesigners **signers,
                                    struct fault *fault);
void filesigners_free(struct filesigners *signers);
OWN_PTR_DEFINE(filesigners)
/*
 * RC_UNAUTHENTICATED with "signature.malformed", "signature.unknown_signer", "signature.expired",
 * "signature.weak" or "signature.wrong".
 */
MUST_CHECK enum rc filesig_verify(const struct filesigners *signers, struct bytes content,
                                  struct bytes signature, int64_t now_ms, struct fault *fault);

#endif
