/*
 * keyring - an Ed25519 private key (RFC 8032): a node's log key or witness key.
 *
 * Log key and witness key are different keys in different files: a cosignature does not commit to
 * its signer's name. Read once at start; afterwards constant, so any thread may sign. Ed25519 is
 * deterministic: the same bytes give the same signature.
 */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

#define ED25519_SEED_SIZE 32
#define ED25519_PUBLIC_SIZE 32
#define ED25519_SIGNATURE_SIZE 64

struct keyring;

/*
 * A PEM file (PKCS #8, no passphrase) as `openssl genpkey -algorithm ed25519` makes it. Refused
 * when group or others may read or write it, when it is no regular file, or holds another kind of
 * key: the log line and the fault (which may be NULL) name the path and the remedy.
 */
MUST_CHECK enum rc keyring_load(const char *path, struct keyring **keyring, struct fault *fault);
/* For tests and published vectors. NULL when out of memory. */
struct keyring *keyring_from_seed(const uint8_t seed[ED25519_SEED_SIZE]);
/* The key is wiped. */
void keyring_free(struct keyring *keyring);
OWN_PTR_DEFINE(keyring)

MUST_CHECK enum rc keyring_sign(const struct keyring *keyring, struct bytes message,
                                uint8_t signature[ED25519_SIGNATURE_SIZE]);
void keyring_public(const struct keyring *keyring, uint8_t public_key[ED25519_PUBLIC_SIZE]);

/* RC_UNAUTHENTICATED when the signature is not this key's over this message. */
MUST_CHECK enum rc ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_SIZE],
                                  struct bytes message,
                                  const uint8_t signature[ED25519_SIGNATURE_SIZE]);

#endif
