/*
 * wrap - something small and secret under a shard's key: content keys, tag keys, file headers.
 *
 *     u8 format (1) | u8 n | shard name[n] | nonce[12] | AES-256-GCM(shard key, plain) | tag[16]
 *     AAD   label with its NUL | context | the row up to and with the shard's name
 *
 * The label separates uses, the context binds to a place, the name finds the shard again. Nonces
 * are random: at most 2^32 wraps under one shard. Any thread.
 */
#ifndef STORE_WRAP_H
#define STORE_WRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/aead.h"

#define WRAP_CONTEXT_MAX ((size_t)320)
#define WRAP_PLAIN_MAX ((size_t)1024)

struct shard;
struct vault;

/* What a wrap is for. */
struct wrap_place {
    const char *label;
    struct bytes context;
};

/* Appends to out; plain is never copied. nonce: AEAD_NONCE_SIZE bytes from random_fill. */
MUST_CHECK enum rc wrap_seal(struct vault *vault, const struct shard *shard,
                             const struct wrap_place *place, const uint8_t nonce[AEAD_NONCE_SIZE],
                             struct bytes plain, struct buffer *out);

/*
 * plain holds WRAP_PLAIN_MAX bytes; the caller wipes it. RC_NOT_FOUND: the shard was destroyed.
 * RC_DATA_LOSS: another byte, another place, or no key.
 */
MUST_CHECK enum rc wrap_open(struct vault *vault, const struct wrap_place *place,
                             struct bytes wrapped, uint8_t plain[WRAP_PLAIN_MAX], size_t *size);

/* Opens and seals again under another shard; appends to out. */
MUST_CHECK enum rc wrap_move(struct vault *vault, const struct wrap_place *place,
                             struct bytes wrapped, const struct shard *to, struct buffer *out);

/* Borrowed from wrapped. RC_DATA_LOSS: malformed. */
MUST_CHECK enum rc wrap_shard_name(struct bytes wrapped, struct bytes *name);

#endif
