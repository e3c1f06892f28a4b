#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 64

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static pthread_key_t at_thread_exit;
static _Thread_local EVP_MD_CTX *thread_context;

static void must(int result)
{
    if (result != 1) {
        abort();
    }
}

static void context_release(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256 != NULL && pthread_key_create(&at_thread_exit, context_release) == 0);
}

static EVP_MD_CTX *context_new(void)
{
    EVP_MD_CTX *context;

    must(pthread_once(&once, fetch) == 0);
    context = EVP_MD_CTX_new();
    if (context != NULL) {
        must(EVP_DigestInit_ex2(context, sha256, NULL));
    }
    return context;
}

static EVP_MD_CTX *context_of_thread(void)
{
    if (thread_context == NULL) {
        thread_context = context_new();
        must(thread_context != NULL && pthread_setspecific(at_thread_exit, thread_context) == 0);
    }
    return thread_context;
}

static void add(EVP_MD_CTX *context, const struct bytes *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(EVP_DigestUpdate(context, parts[i].data, parts[i].size));
    }
}

void digest_of(const struct bytes *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    EVP_MD_CTX *context = context_of_thread();

    must(EVP_DigestInit_ex2(context, sha256, NULL));
    add(context, parts, count);
    must(EVP_DigestFinal_ex(context, out, NULL));
}

struct digest_stream {
    EVP_MD_CTX *context;
};

struct digest_stream *digest_stream_new(void)
{
    struct digest_stream *stream = calloc(1, sizeof *stream);

    if (stream != NULL) {
        stream->context = context_new();
        if (stream->context == NULL) {
            free(stream);
            stream = NULL;
        }
    }
    return stream;
}

void digest_stream_free(struct digest_stream *stream)
{
    if (stream != NULL) {
        EVP_MD_CTX_free(stream->context);
        free(stream);
    }
}

void digest_stream_add(struct digest_stream *stream, struct bytes bytes)
{
    add(stream->context, &bytes, 1);
}

void digest_stream_end(struct digest_stream *stream, uint8_t out[DIGEST_SIZE])
{
    must(EVP_DigestFinal_ex(stream->context, out, NULL));
    must(EVP_DigestInit_ex2(stream->context, sha256, NULL));
}

/* One pass of HMAC: the padded key, then the parts. */
static void keyed_pass(const uint8_t block[BLOCK_SIZE], uint8_t pad, const struct bytes *parts,
                       size_t count, uint8_t out[DIGEST_SIZE])
{
    EVP_MD_CTX *context = context_of_thread();
    uint8_t padded[BLOCK_SIZE];

    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        padded[i] = block[i] ^ pad;
    }
    must(EVP_DigestInit_ex2(context, sha256, NULL));
    must(EVP_DigestUpdate(context, padded, sizeof padded));
    add(context, parts, count);
    must(EVP_DigestFinal_ex(context, out, NULL));
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
