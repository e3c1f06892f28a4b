/*
 * digest - SHA-256, HMAC, HKDF-Expand, comparison in constant time, random bytes.
 *
 * Contexts stand on the stack and forget what they held. Any thread may call; nothing here can fail
 * but for want of memory or entropy, and then the process aborts: there is no service without a
 * digest.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

#define DIGEST_SIZE 32

/* SHA-256 (FIPS 180-4) over the concatenation of the parts. count 0: of nothing. */
void digest_of(const struct bytes *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* For what does not stand in memory whole (files). A stream belongs to one thread at a time. */
struct digest_stream;
/* NULL when out of memory. */
struct digest_stream *digest_stream_new(void);
void digest_stream_free(struct digest_stream *stream);
OWN_PTR_DEFINE(digest_stream)
void digest_stream_add(struct digest_stream *stream, struct bytes bytes);
/* Gives the digest of all that was added, and starts over. */
void digest_stream_end(struct digest_stream *stream, uint8_t out[DIGEST_SIZE]);

/* HMAC-SHA256 (RFC 2104) over the concatenation of the parts; a key of any length. */
void hmac_of(struct bytes key, const struct bytes *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* HKDF-Expand (RFC 5869 §2.3) with info = label without its NUL, L = 32: one block. */
void hkdf_expand(const uint8_t key[DIGEST_SIZE], const char *label, uint8_t out[DIGEST_SIZE]);

/* Takes as long for equal as for different digests. */
bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE]);

/*
 * From OpenSSL's per-thread DRBG; aborts when there is none. Small draws share a call: what is
 * given is wiped from the thread's pool, and a fork empties the child's.
 */
void random_fill(void *out, size_t size);

#endif
