#include "crypto/cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "crypto/native.h"

struct cert {
    X509 *x509;
    uint8_t *der;
    size_t der_size;
    int64_t not_before_ms;
    int64_t not_after_ms;
    uint8_t fingerprint[DIGEST_SIZE];
    char uri[CERT_URI_MAX + 1];
};

struct cert_store {
    X509_STORE *store;
};

static enum rc refuse_cert(struct fault *fault, const char *reason, const char *remedy)
{
    ERR_clear_error();
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

static enum rc refuse_malformed(struct fault *fault)
{
    return refuse_cert(fault, "cert.malformed", "El certificado no se puede leer: envíe X.509.");
}

static enum rc take_uri(const ASN1_IA5STRING *text, struct cert *cert, struct fault *fault)
{
    const unsigned char *data = ASN1_STRING_get0_data(text);
    int size = ASN1_STRING_length(text);

    for (int i = 0; i < size; i++) {
        if (data[i] <= ' ' || data[i] > '~') {
            size = 0; /* also a NUL, which would hide what follows it */
        }
    }
    if (size <= 0 || size > CERT_URI_MAX) {
        return refuse_cert(fault, "cert.uri_malformed",
                           "El URI del certificado debe ser ASCII visible y breve.");
    }
    memcpy(cert->uri, data, (size_t)size);
    cert->uri[size] = '\0';
    return RC_OK;
}

static enum rc take_names(const GENERAL_NAMES *names, struct cert *cert, struct fault *fault)
{
    const ASN1_IA5STRING *uri = NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_URI && uri != NULL) {
            return refuse_cert(fault, "cert.uri_several",
                               "El certificado debe llevar un solo URI en subjectAltName.");
        }
        if (name->type == GEN_URI) {
            uri = name->d.uniformResourceIdentifier;
        } else if (name->type != GEN_DNS && name->type != GEN_IPADD) {
            return refuse_cert(fault, "cert.san_kind",
                               "En subjectAltName solo se admiten URI, DNS e IP.");
        }
    }
    if (uri == NULL) {
        return refuse_cert(fault, "cert.uri_none",
                           "El certificado debe llevar un URI spiffe:// en subjectAltName.");
    }
    return take_uri(uri, cert, fault);
}

static enum rc take_san(struct cert *cert, struct fault *fault)
{
    int found = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, &found, NULL);
    enum rc rc;

    if (found == -1) {
        return refuse_cert(fault, "cert.uri_none",
                           "El certificado debe llevar un URI spiffe:// en subjectAltName.");
    }
    if (names == NULL) {
        return refuse_malformed(fault); /* also two subjectAltName extensions */
    }
    rc = take_names(names, cert, fault);
    GENERAL_NAMES_free(names);
    return rc;
}

static bool take_time(const ASN1_TIME *time, int64_t *instant_ms)
{
    struct tm fields;

    if (ASN1_TIME_to_tm(time, &fields) != 1) {
        return false;
    }
    *instant_ms = (int64_t)timegm(&fields) * 1000;
    return true;
}

/* A signature is whole bytes (RFC 5480, RFC 3279): a bit string that ends within one is another
 * encoding of the same certificate, which OpenSSL would read as well. */
static bool has_whole_signature(const X509 *x509)
{
    const ASN1_BIT_STRING *signature = NULL;

    X509_get0_signature(&signature, NULL, x509);
    return signature != NULL && (signature->flags & 7) == 0;
}

static enum rc take_facts(struct cert *cert, struct fault *fault)
{
    int size = i2d_X509(cert->x509, &cert->der);

    if (size <= 0 || !has_whole_signature(cert->x509) ||
        !take_time(X509_get0_notBefore(cert->x509), &cert->not_before_ms) ||
        !take_time(X509_get0_notAfter(cert->x509), &cert->not_after_ms)) {
        return refuse_malformed(fault);
    }
    cert->der_size = (size_t)size;
    digest_of(&BYTES(cert->der, cert->der_size), 1, cert->fingerprint);
    return take_san(cert, fault);
}

/* Takes the certificate over, whatever comes of it. */
static enum rc cert_of(X509 *x509, struct cert **cert, struct fault *fault)
{
    OWN_PTR(cert) made = NULL;

    if (x509 == NULL) {
        return refuse_malformed(fault);
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        X509_free(x509);
        return failed(RC_RESOURCE_EXHAUSTED, "cert.new", "cause=memory");
    }
    made->x509 = x509;
    TRY(take_facts(made, fault));
    *cert = MOVE(made);
    return RC_OK;
}

enum rc cert_from_pem(struct bytes pem, struct cert **cert, struct fault *fault)
{
    BIO *bio = pem.size <= CERT_SIZE_MAX ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
    X509 *x509 = bio != NULL ? PEM_read_bio_X509(bio, NULL, native_no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return cert_of(x509, cert, fault);
}

enum rc cert_from_der(struct bytes der, struct cert **cert, struct fault *fault)
{
    const unsigned char *at = der.data;
    X509 *x509 = der.size <= CERT_SIZE_MAX ? d2i_X509(NULL, &at, (long)der.size) : NULL;
    OWN_PTR(cert) made = NULL;

    if (x509 != NULL && at != der.data + der.size) {
        X509_free(x509);
        x509 = NULL;
    }
    TRY(cert_of(x509, &made, fault));
    if (!bytes_equal(cert_der(made), der)) {
        return refuse_malformed(fault); /* OpenSSL also reads what is BER and not DER */
    }
    *cert = MOVE(made);
    return RC_OK;
}

enum rc cert_load(const char *path, struct cert **cert, struct fault *fault)
{
    struct fault own = {0};
    struct fault *told = fault != NULL ? fault : &own;
    OWN(buffer) pem = {0};
    enum rc rc;

    TRY(native_file_read(path, CERT_SIZE_MAX, &pem));
    rc = cert_from_pem(buffer_bytes(&pem), cert, told);
    return rc == RC_OK ? rc : failed(rc, "cert.load", "path=%s reason=%s", path, told->reason);
}

void cert_free(struct cert *cert)
{
    if (cert != NULL) {
        X509_free(cert->x509);
        OPENSSL_free(cert->der);
        free(cert);
    }
}

const char *cert_uri(const struct cert *cert)
{
    return cert->uri;
}

const uint8_t *cert_fingerprint(const struct cert *cert)
{
    return cert->fingerprint;
}

int64_t cert_not_before_ms(const struct cert *cert)
{
    return cert->not_before_ms;
}

int64_t cert_not_after_ms(const struct cert *cert)
{
    return cert->not_after_ms;
}

struct bytes cert_der(const struct cert *cert)
{
    return BYTES(cert->der, cert->der_size);
}

X509 *cert_native(const struct cert *cert)
{
    return cert->x509;
}

/* Every certificate of the PEM; -1 when one is malformed or no CA's, or there are too many. */
static int store_fill(X509_STORE *store, BIO *bio)
{
    int count = 0;
    X509 *x509;

    while ((x509 = PEM_read_bio_X509(bio, NULL, native_no_passphrase, NULL)) != NULL) {
        bool is_added = count < CERT_STORE_MAX && X509_check_ca(x509) > 0 &&
                        X509_STORE_add_cert(store, x509) == 1;

        X509_free(x509);
        if (!is_added) {
            ERR_clear_error();
            return -1;
        }
        count++;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        count = -1;
    }
    ERR_clear_error();
    return count;
}

enum rc cert_store_from_pem(struct bytes pem, struct cert_store **store)
{
    OWN_PTR(cert_store) made = calloc(1, sizeof *made);
    BIO *bio;
    int count;

    if (pem.size > CERT_STORE_MAX * CERT_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    if (made == NULL || (made->store = X509_STORE_new()) == NULL ||
        (bio = BIO_new_mem_buf(pem.data, (int)pem.size)) == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "cert.store", "cause=memory");
    }
    count = store_fill(made->store, bio);
    BIO_free(bio);
    if (count <= 0) {
        return RC_INVALID_ARGUMENT;
    }
    *store = MOVE(made);
    return RC_OK;
}

enum rc cert_store_load(const char *path, struct cert_store **store)
{
    OWN(buffer) pem = {0};
    enum rc rc;

    TRY(native_file_read(path, CERT_STORE_MAX * CERT_SIZE_MAX, &pem));
    rc = cert_store_from_pem(buffer_bytes(&pem), store);
    return rc == RC_OK ? rc
                       : failed(rc, "cert.store", "path=%s cause=\"no CA certificates\"", path);
}

void cert_store_free(struct cert_store *store)
{
    if (store != NULL) {
        X509_STORE_free(store->store);
        free(store);
    }
}

static enum rc refuse_chain(const struct cert *cert, int error, struct fault *fault)
{
    const char *reason = "cert.chain";
    const char *remedy = "Presente un certificado de una autoridad de la red.";

    if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
        reason = "cert.expired";
        remedy = "El certificado venció: renuévelo.";
    } else if (error == X509_V_ERR_CERT_NOT_YET_VALID) {
        reason = "cert.not_yet";
        remedy = "El certificado aún no es válido: revise el reloj y las fechas.";
    }
    log_info("cert.refused", "uri=%s reason=%s check=\"%s\"", cert->uri, reason,
             X509_verify_cert_error_string(error));
    ERR_clear_error();
    return refuse(fault, RC_UNAUTHENTICATED, reason, "", "%s", remedy);
}

enum rc cert_verify_chain(const struct cert *cert, const struct cert_store *store, int64_t now_ms,
                          struct fault *fault)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_UNSPECIFIED;

    if (context == NULL || X509_STORE_CTX_init(context, store->store, cert->x509, NULL) != 1) {
        X509_STORE_CTX_free(context);
        return failed(RC_RESOURCE_EXHAUSTED, "cert.verify", "cause=\"%s\"", native_error());
    }
    X509_STORE_CTX_set_time(context, 0, (time_t)(now_ms / 1000));
    if (X509_verify_cert(context) == 1) {
        error = X509_V_OK;
    } else if (X509_STORE_CTX_get_error(context) != X509_V_OK) {
        error = X509_STORE_CTX_get_error(context);
    }
    X509_STORE_CTX_free(context);
    return error == X509_V_OK ? RC_OK : refuse_chain(cert, error, fault);
}
