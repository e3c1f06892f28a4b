#include "crypto/keyring.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "crypto/native.h"

struct keyring {
    EVP_PKEY *key;
    uint8_t public_key[ED25519_PUBLIC_SIZE];
};

/* Takes the key over, whatever comes of it. */
static struct keyring *keyring_of(EVP_PKEY *key)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    size_t size = sizeof keyring->public_key;

    if (keyring == NULL || EVP_PKEY_get_raw_public_key(key, keyring->public_key, &size) != 1 ||
        size != sizeof keyring->public_key) {
        EVP_PKEY_free(key);
        free(keyring);
        return NULL;
    }
    keyring->key = key;
    return keyring;
}

enum rc keyring_load(const char *path, struct keyring **keyring, struct fault *fault)
{
    EVP_PKEY *key = NULL;
    struct keyring *loaded;

    TRY(native_key_load(path, NATIVE_ED25519, &key, fault));
    loaded = keyring_of(key);
    if (loaded == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "keyring.load", "path=%s cause=memory", path);
    }
    *keyring = loaded;
    return RC_OK;
}

struct keyring *keyring_from_seed(const uint8_t seed[ED25519_SEED_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);

    return key != NULL ? keyring_of(key) : NULL;
}

void keyring_free(struct keyring *keyring)
{
    if (keyring != NULL) {
        EVP_PKEY_free(keyring->key);
        free(keyring);
    }
}

enum rc keyring_sign(const struct keyring *keyring, struct bytes message,
                     uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = ED25519_SIGNATURE_SIZE;
    bool is_signed = context != NULL &&
                     EVP_DigestSignInit(context, NULL, NULL, NULL, keyring->key) == 1 &&
                     EVP_DigestSign(context, signature, &size, message.data, message.size) == 1 &&
                     size == ED25519_SIGNATURE_SIZE;

    EVP_MD_CTX_free(context);
    return is_signed ? RC_OK : failed(RC_INTERNAL, "keyring.sign", "cause=\"%s\"", native_error());
}

void keyring_public(const struct keyring *keyring, uint8_t public_key[ED25519_PUBLIC_SIZE])
{
    for (size_t i = 0; i < ED25519_PUBLIC_SIZE; i++) {
        public_key[i] = keyring->public_key[i];
    }
}

enum rc ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_SIZE], struct bytes message,
                       const uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_ready =
        key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1;
    bool is_good = is_ready && EVP_DigestVerify(context, signature, ED25519_SIGNATURE_SIZE,
                                                message.data, message.size) == 1;

    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (!is_ready) {
        return failed(RC_INTERNAL, "ed25519.verify", "cause=\"%s\"", native_error());
    }
    if (!is_good) {
        (void)native_error();
        return RC_UNAUTHENTICATED;
    }
    return RC_OK;
}
