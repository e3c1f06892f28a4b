/*
 * aead - AES-256-GCM (NIST SP 800-38D): bodies at rest, wrapped keys.
 *
 * A nonce must never repeat under one key: use a key once, or count, or draw at most 2^32 random
 * nonces per key. GCM does not commit to its key; where that matters a digest of the plaintext
 * stands beside it. Any thread may call: each has its own reused context, which forgets the key
 * after each call.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stdint.h>

#include "base/bytes.h"

#define AEAD_KEY_SIZE 32
#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE 16
/* The longest plaintext or associated data in one call. */
#define AEAD_SIZE_MAX ((size_t)1 << 30)

/*
 * out: plain.size + AEAD_TAG_SIZE bytes, ciphertext then tag; may be plain.data itself.
 * RC_INVALID_ARGUMENT past AEAD_SIZE_MAX, RC_INTERNAL when OpenSSL fails.
 */
MUST_CHECK enum rc aead_seal(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                             struct bytes aad, struct bytes plain, uint8_t *out);

/*
 * out: sealed.size - AEAD_TAG_SIZE bytes; may be sealed.data itself. RC_DATA_LOSS when the tag does
 * not fit key, nonce, associated data and ciphertext, or when sealed is shorter than a tag; out
 * is wiped then.
 */
MUST_CHECK enum rc aead_open(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                             struct bytes aad, struct bytes sealed, uint8_t *out);

#endif
