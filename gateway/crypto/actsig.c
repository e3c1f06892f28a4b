#include "crypto/actsig.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/native.h"

static const char act_label[] = "enlace/act/v1"; /* signed with its NUL */

#define SIGNED_SIZE (sizeof act_label + DIGEST_SIZE)

struct actkey {
    EVP_PKEY *key;
};

enum rc actkey_load(const char *path, struct actkey **key, struct fault *fault)
{
    OWN_PTR(actkey) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "actkey.load", "path=%s cause=memory", path);
    }
    TRY(native_key_load(path, NATIVE_P256, &made->key, fault));
    *key = MOVE(made);
    return RC_OK;
}

void actkey_free(struct actkey *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->key);
        free(key);
    }
}

static void signed_bytes(const uint8_t commitment[DIGEST_SIZE], uint8_t out[SIGNED_SIZE])
{
    memcpy(out, act_label, sizeof act_label);
    memcpy(out + sizeof act_label, commitment, DIGEST_SIZE);
}

enum rc actkey_sign(const struct actkey *key, const uint8_t commitment[DIGEST_SIZE],
                    uint8_t signature[ACTSIG_MAX], size_t *size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t message[SIGNED_SIZE];
    size_t length = ACTSIG_MAX;
    bool is_signed;

    signed_bytes(commitment, message);
    is_signed = context != NULL &&
                EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key->key, NULL) == 1 &&
                EVP_DigestSign(context, signature, &length, message, sizeof message) == 1;
    EVP_MD_CTX_free(context);
    if (!is_signed) {
        return failed(RC_INTERNAL, "actkey.sign", "cause=\"%s\"", native_error());
    }
    *size = length;
    return RC_OK;
}

enum rc actsig_verify(const struct cert *cert, const uint8_t commitment[DIGEST_SIZE],
                      struct bytes signature)
{
    EVP_PKEY *key = X509_get0_pubkey(cert_native(cert));
    EVP_MD_CTX *context;
    uint8_t message[SIGNED_SIZE];
    bool is_good;

    if (key == NULL || !native_key_is(key, NATIVE_P256) || signature.size > ACTSIG_MAX) {
        return RC_UNAUTHENTICATED;
    }
    signed_bytes(commitment, message);
    context = EVP_MD_CTX_new();
    if (context == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "actsig.verify", "cause=memory");
    }
    is_good =
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
        EVP_DigestVerify(context, signature.data, signature.size, message, sizeof message) == 1;
    EVP_MD_CTX_free(context);
    if (!is_good) {
        (void)native_error();
        return RC_UNAUTHENTICATED;
    }
    return RC_OK;
}
