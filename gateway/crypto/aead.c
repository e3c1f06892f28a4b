#include "crypto/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *aes256_gcm;
static pthread_key_t at_thread_exit;
static _Thread_local EVP_CIPHER_CTX *thread_context;

static const uint8_t no_key[AEAD_KEY_SIZE];

static void context_release(void *context)
{
    EVP_CIPHER_CTX_free(context);
}

static void fetch(void)
{
    aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (aes256_gcm == NULL || pthread_key_create(&at_thread_exit, context_release) != 0) {
        abort();
    }
}

static EVP_CIPHER_CTX *context_of_thread(void)
{
    if (thread_context == NULL) {
        if (pthread_once(&once, fetch) != 0) {
            abort();
        }
        thread_context = EVP_CIPHER_CTX_new();
        if (thread_context == NULL ||
            EVP_EncryptInit_ex2(thread_context, aes256_gcm, NULL, NULL, NULL) != 1 ||
            pthread_setspecific(at_thread_exit, thread_context) != 0) {
            abort();
        }
    }
    return thread_context;
}

/* The next user of this thread's context overwrites the round keys; until then they are zero's. */
static void forget_key(EVP_CIPHER_CTX *context)
{
    if (EVP_EncryptInit_ex2(context, NULL, no_key, NULL, NULL) != 1) {
        abort();
    }
}

static bool seal(EVP_CIPHER_CTX *context, const uint8_t *key, const uint8_t *nonce,
                 struct bytes aad, struct bytes plain, uint8_t *out)
{
    int n = 0;

    return EVP_EncryptInit_ex2(context, NULL, key, nonce, NULL) == 1 &&
           (aad.size == 0 || EVP_EncryptUpdate(context, NULL, &n, aad.data, (int)aad.size) == 1) &&
           (plain.size == 0 ||
            EVP_EncryptUpdate(context, out, &n, plain.data, (int)plain.size) == 1) &&
           EVP_EncryptFinal_ex(context, out + plain.size, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, out + plain.size) ==
               1;
}

enum rc aead_seal(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                  struct bytes aad, struct bytes plain, uint8_t *out)
{
    EVP_CIPHER_CTX *context = context_of_thread();
    bool is_sealed;

    if (aad.size > AEAD_SIZE_MAX || plain.size > AEAD_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    is_sealed = seal(context, key, nonce, aad, plain, out);
    forget_key(context);
    return is_sealed ? RC_OK : failed(RC_INTERNAL, "aead.seal", "size=%zu", plain.size);
}

static bool open_sealed(EVP_CIPHER_CTX *context, const uint8_t *key, const uint8_t *nonce,
                        struct bytes aad, struct bytes text, const uint8_t *tag, uint8_t *out)
{
    int n = 0;
    uint8_t unused[AEAD_TAG_SIZE];

    return EVP_DecryptInit_ex2(context, NULL, key, nonce, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, (void *)tag) == 1 &&
           (aad.size == 0 || EVP_DecryptUpdate(context, NULL, &n, aad.data, (int)aad.size) == 1) &&
           (text.size == 0 ||
            EVP_DecryptUpdate(context, out, &n, text.data, (int)text.size) == 1) &&
           EVP_DecryptFinal_ex(context, unused, &n) == 1;
}

enum rc aead_open(const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                  struct bytes aad, struct bytes sealed, uint8_t *out)
{
    EVP_CIPHER_CTX *context = context_of_thread();
    struct bytes text;
    bool is_open;

    if (sealed.size < AEAD_TAG_SIZE) {
        return RC_DATA_LOSS;
    }
    text = BYTES(sealed.data, sealed.size - AEAD_TAG_SIZE);
    if (aad.size > AEAD_SIZE_MAX || text.size > AEAD_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    is_open = open_sealed(context, key, nonce, aad, text, sealed.data + text.size, out);
    forget_key(context);
    if (!is_open) {
        OPENSSL_cleanse(out, text.size);
        return RC_DATA_LOSS;
    }
    return RC_OK;
}
