/*
 * OpenSSL 3.0 deprecates the SHA256_ calls in favour of EVP, whose way to the same code costs 40 to
 * 60 ns a digest. Nearly all digests here are of a tree node, 65 bytes, which take 80 (measured by
 * tests/bench; SHA-256 was an eighth of all the processor's time). This file alone uses them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 64

static void must(int result)
{
    if (result != 1) {
        abort();
    }
}

static void add(SHA256_CTX *context, const struct bytes *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(SHA256_Update(context, parts[i].data, parts[i].size));
    }
}

/* SHA256_Final wipes the context's last block; what stands above in it is the digest. */
void digest_of(const struct bytes *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    SHA256_CTX context;

    must(SHA256_Init(&context));
    add(&context, parts, count);
    must(SHA256_Final(out, &context));
}

struct digest_stream {
    SHA256_CTX context;
};

struct digest_stream *digest_stream_new(void)
{
    struct digest_stream *stream = calloc(1, sizeof *stream);

    if (stream != NULL) {
        must(SHA256_Init(&stream->context));
    }
    return stream;
}

void digest_stream_free(struct digest_stream *stream)
{
    if (stream != NULL) {
        OPENSSL_cleanse(stream, sizeof *stream);
        free(stream);
    }
}

void digest_stream_add(struct digest_stream *stream, struct bytes bytes)
{
    add(&stream->context, &bytes, 1);
}

void digest_stream_end(struct digest_stream *stream, uint8_t out[DIGEST_SIZE])
{
    must(SHA256_Final(out, &stream->context));
    must(SHA256_Init(&stream->context));
}

/* One pass of HMAC: the padded key, then the parts. */
static void keyed_pass(const uint8_t block[BLOCK_SIZE], uint8_t pad, const struct bytes *parts,
                       size_t count, uint8_t out[DIGEST_SIZE])
{
    SHA256_CTX context;
    uint8_t padded[BLOCK_SIZE];

    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        padded[i] = block[i] ^ pad;
    }
    must(SHA256_Init(&context));
    must(SHA256_Update(&context, padded, sizeof padded));
    add(&context, parts, count);
    must(SHA256_Final(out, &context));
    OPENSSL_cleanse(&context, sizeof context);
    OPENSSL_cleanse(padded, sizeof padded);
}

void hmac_of(struct bytes key, const struct bytes *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    uint8_t block[BLOCK_SIZE] = {0};
    uint8_t inner[DIGEST_SIZE];

    if (key.size > BLOCK_SIZE) {
        digest_of(&key, 1, block);
    } else if (key.size > 0) {
        memcpy(block, key.data, key.size);
    }
    keyed_pass(block, 0x36, parts, count, inner);
    keyed_pass(block, 0x5c, &BYTES_OF(inner), 1, out);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(inner, sizeof inner);
}

void hkdf_expand(const uint8_t key[DIGEST_SIZE], const char *label, uint8_t out[DIGEST_SIZE])
{
    static const uint8_t first = 1;
    const struct bytes parts[] = {bytes_text(label), BYTES(&first, 1)};

    hmac_of(BYTES(key, DIGEST_SIZE), parts, 2, out);
}

bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
    return CRYPTO_memcmp(a, b, DIGEST_SIZE) == 0;
}

static void draw(uint8_t *out, size_t size)
{
    while (size > 0) {
        size_t part = size < ((size_t)1 << 20) ? size : (size_t)1 << 20;

        must(RAND_bytes(out, (int)part));
        out += part;
        size -= part;
    }
}

/* A call to the generator costs the same for 16 as for 512 bytes: small draws share one. */
static _Thread_local struct {
    uint8_t bytes[512];
    size_t left; /* at the end of bytes, not yet given to anybody */
} pool;

/* A child must not give out what its parent will: only the forking thread lives on in it. */
static void forget_pool(void)
{
    pool.left = 0;
}

static void watch_forks(void)
{
    must(pthread_atfork(NULL, NULL, forget_pool) == 0);
}

void random_fill(void *out, size_t size)
{
    static pthread_once_t watching = PTHREAD_ONCE_INIT;
    uint8_t *at;

    if (size > sizeof pool.bytes / 4) {
        draw(out, size);
        return;
    }
    if (pool.left < size) {
        must(pthread_once(&watching, watch_forks) == 0);
        draw(pool.bytes, sizeof pool.bytes);
        pool.left = sizeof pool.bytes;
    }
    at = pool.bytes + sizeof pool.bytes - pool.left;
    memcpy(out, at, size);
    OPENSSL_cleanse(at, size);
    pool.left -= size;
}
