/*
 * cms_holder - the recipient of the sealed seeds: the same key and the same issuer and serial
 * number in each run, so that seeds made once still open. The key is made of a public sentence and
 * guards nothing.
 */
#ifndef TESTS_FUZZ_CMS_HOLDER_H
#define TESTS_FUZZ_CMS_HOLDER_H

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "crypto/cms.h"
#include "fuzz/fuzz.h"

static inline EVP_PKEY *holder_key(void)
{
    const struct bytes sentence = bytes_text("the recipient of fuzz_cms");
    uint8_t secret[DIGEST_SIZE];
    uint8_t point[65];
    size_t point_size;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *public = EC_POINT_new(group);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params;
    BIGNUM *scalar;

    digest_of(&sentence, 1, secret);
    scalar = BN_bin2bn(secret, sizeof secret, NULL);
    assert(EC_POINT_mul(group, public, scalar, NULL, NULL, NULL) == 1);
    point_size =
        EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL);
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, point_size);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    params = OSSL_PARAM_BLD_to_param(builder);
    assert(EVP_PKEY_fromdata_init(context) == 1);
    assert(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(scalar);
    EC_POINT_free(public);
    EC_GROUP_free(group);
    return key;
}

static inline X509 *holder_x509(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                              "URI:spiffe://enlace.cdmx/member/ssc/system/adapter");

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 2019);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"fuzz", -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_set_pubkey(x509, key);
    X509_add_ext(x509, san, -1);
    X509_EXTENSION_free(san);
    assert(X509_sign(x509, key, EVP_sha256()) > 0);
    return x509;
}

static inline void holder_make(struct cert **cert, struct sealkey **sealkey)
{
    char path[] = "/tmp/enlace-fuzz-XXXXXX";
    EVP_PKEY *key = holder_key();
    X509 *x509 = holder_x509(key);
    FILE *file = fdopen(mkstemp(path), "w");
    uint8_t *der = NULL;
    int size = i2d_X509(x509, &der);

    assert(size > 0 && cert_from_der(BYTES(der, size), cert, NULL) == RC_OK);
    assert(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    assert(sealkey_load(path, sealkey, NULL) == RC_OK);
    unlink(path);
    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(key);
}

#endif
