#include "crypto/filesig.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/native.h"

#define SIGN_FLAGS (CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL)
#define RSA_BITS_LEAST 2048
#define EC_BITS_LEAST 256

struct filesigner {
    X509 *cert;
    EVP_PKEY *key;
};

struct filesigners {
    X509 *certs[FILESIG_SIGNERS_MAX];
    size_t count;
};

static enum rc unusable(struct fault *fault, const char *path, const char *why)
{
    return refuse(fault, RC_FAILED_PRECONDITION, "signature.file", path, "%s", why);
}

static bool is_strong(const X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    int type = key != NULL ? EVP_PKEY_get_base_id(key) : 0;

    return (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST) ||
           (type == EVP_PKEY_EC && EVP_PKEY_get_bits(key) >= EC_BITS_LEAST);
}

/* ---- signing ---- */

enum rc filesigner_load(const char *certificate, const char *key, struct filesigner **signer,
                        struct fault *fault)
{
    OWN_PTR(filesigner) made = calloc(1, sizeof *made);
    BIO *file = BIO_new_file(certificate, "r");

    if (made == NULL || file == NULL) {
        BIO_free(file);
        return unusable(fault, certificate, "No se puede leer el certificado para firmar.");
    }
    made->cert = PEM_read_bio_X509(file, NULL, native_no_passphrase, NULL);
    BIO_free(file);
    if (made->cert == NULL || !is_strong(made->cert)) {
        return unusable(fault, certificate,
                        "No es un certificado de P-256 o de RSA de 2048 bits o más.");
    }
    TRY(native_key_load(key, NATIVE_ANY, &made->key, fault));
    if (X509_check_private_key(made->cert, made->key) != 1) {
        return unusable(fault, key, "La llave no es la del certificado.");
    }
    *signer = MOVE(made);
    return RC_OK;
}

void filesigner_free(struct filesigner *signer)
{
    if (signer != NULL) {
        X509_free(signer->cert);
        EVP_PKEY_free(signer->key);
        free(signer);
    }
}

enum rc filesig_sign(const struct filesigner *signer, struct bytes content,
                     struct buffer *signature)
{
    BIO *data = BIO_new_mem_buf(content.data, (int)content.size);
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, data, SIGN_FLAGS);
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    uint8_t *der = NULL;
    int size = 0;

    if (data != NULL && cms != NULL && sha256 != NULL &&
        CMS_add1_signer(cms, signer->cert, signer->key, sha256, SIGN_FLAGS) != NULL &&
        CMS_final(cms, data, NULL, SIGN_FLAGS) == 1) {
        size = i2d_CMS_ContentInfo(cms, &der);
    }
    EVP_MD_free(sha256);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    if (size <= 0) {
        return failed(RC_INTERNAL, "filesig.sign", "cause=\"%s\"", native_error());
    }
    buffer_put(signature, der, (size_t)size);
    OPENSSL_free(der);
    return signature->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- verifying ---- */

enum rc filesigners_load(const char *path, struct filesigners **signers, struct fault *fault)
{
    OWN_PTR(filesigners) made = calloc(1, sizeof *made);
    BIO *file = BIO_new_file(path, "r");
    X509 *cert;

    if (made == NULL || file == NULL) {
        BIO_free(file);
        return unusable(fault, path, "No se pueden leer los certificados de quien firma.");
    }
    while (made->count < FILESIG_SIGNERS_MAX &&
           (cert = PEM_read_bio_X509(file, NULL, native_no_passphrase, NULL)) != NULL) {
        made->certs[made->count++] = cert;
    }
    (void)native_error();
    BIO_free(file);
    if (made->count == 0) {
        return unusable(fault, path, "No hay ningún certificado en ese archivo.");
    }
    *signers = MOVE(made);
    return RC_OK;
}

void filesigners_free(struct filesigners *signers)
{
    for (size_t i = 0; signers != NULL && i < signers->count; i++) {
        X509_free(signers->certs[i]);
    }
    free(signers);
}

static enum rc deny(struct fault *fault, const char *reason, const char *remedy)
{
    (void)native_error();
    return refuse(fault, RC_UNAUTHENTICATED, reason, "", "%s", remedy);
}

/* The listed certificate that the signature names; the one inside it, if any, counts for nothing.
 */
static X509 *signer_of(const struct filesigners *signers, CMS_SignerInfo *info)
{
    for (size_t i = 0; i < signers->count; i++) {
        if (CMS_SignerInfo_cert_cmp(info, signers->certs[i]) == 0) {
            return signers->certs[i];
        }
    }
    return NULL;
}

static bool is_sha2(CMS_SignerInfo *info)
{
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *object = NULL;
    int nid;

    CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&object, NULL, NULL, digest);
    nid = OBJ_obj2nid(object);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static enum rc verify(const struct filesigners *signers, CMS_ContentInfo *cms, BIO *data,
                      int64_t now_ms, struct fault *fault)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
    CMS_SignerInfo *info =
        sk_CMS_SignerInfo_num(infos) == 1 ? sk_CMS_SignerInfo_value(infos, 0) : NULL;
    time_t now = (time_t)(now_ms / 1000);
    STACK_OF(X509) * allowed;
    X509 *cert;
    int is_good;

    if (info == NULL) {
        return deny(fault, "signature.malformed", "Se espera una firma CMS, y una sola.");
    }
    cert = signer_of(signers, info);
    if (cert == NULL) {
        return deny(fault, "signature.unknown_signer",
                    "Firmó un certificado que no está en la lista de la institución.");
    }
    if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0 ||
        X509_cmp_time(X509_get0_notAfter(cert), &now) < 0) {
        return deny(fault, "signature.expired", "El certificado de quien firma no está vigente.");
    }
    if (!is_strong(cert) || !is_sha2(info)) {
        return deny(fault, "signature.weak", "Firme con SHA-256 y P-256 o RSA de 2048 bits.");
    }
    allowed = sk_X509_new_null();
    if (allowed == NULL || sk_X509_push(allowed, cert) <= 0) {
        sk_X509_free(allowed);
        return RC_RESOURCE_EXHAUSTED;
    }
    is_good = CMS_verify(cms, allowed, NULL, data, NULL,
                         CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY);
    sk_X509_free(allowed);
    return is_good == 1 ? RC_OK
                        : deny(fault, "signature.wrong",
                               "La firma no es de este contenido; vuelva a firmar y enviar.");
}

enum rc filesig_verify(const struct filesigners *signers, struct bytes content,
                       struct bytes signature, int64_t now_ms, struct fault *fault)
{
    const uint8_t *at = signature.data;
    CMS_ContentInfo *cms = NULL;
    BIO *data;
    enum rc rc;

    if (signature.size > 0 && signature.size <= FILESIG_MAX) {
        cms = d2i_CMS_ContentInfo(NULL, &at, (long)signature.size);
    }
    if (cms == NULL || at != signature.data + signature.size ||
        OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
        CMS_ContentInfo_free(cms);
        return deny(fault, "signature.malformed", "No es una firma CMS separada, en DER.");
    }
    data = BIO_new_mem_buf(content.data, (int)content.size);
    rc = data != NULL ? verify(signers, cms, data, now_ms, fault) : RC_RESOURCE_EXHAUSTED;
    BIO_free(data);
    CMS_ContentInfo_free(cms);
    return rc;
}
