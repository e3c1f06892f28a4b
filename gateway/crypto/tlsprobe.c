#include "crypto/tlsprobe.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "crypto/native.h"

static inline void ssl_ctx_release(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}

static inline void ssl_release(SSL **session)
{
    SSL_free(*session);
}

static enum rc refuse_own(struct fault *fault, const char *reason, const char *path)
{
    (void)native_error();
    return refuse(fault, RC_INVALID_ARGUMENT, reason, path,
                  "No se puede leer; debe ser PEM, y la llave, la de ese certificado.");
}

static enum rc load_own(SSL_CTX *context, const char *certificate, const char *key,
                        struct fault *fault)
{
    EVP_PKEY *loaded = NULL;
    int is_taken;

    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        return refuse_own(fault, "tls.certificate", certificate);
    }
    TRY(native_key_load(key, NATIVE_ANY, &loaded, fault));
    is_taken = SSL_CTX_use_PrivateKey(context, loaded);
    EVP_PKEY_free(loaded);
    return is_taken == 1 && SSL_CTX_check_private_key(context) == 1
               ? RC_OK
               : refuse_own(fault, "tls.key", key);
}

static enum rc refuse_server(struct fault *fault, const char *reason, const char *remedy)
{
    const char *cause = native_error();

    return refuse(fault, RC_UNAVAILABLE, reason, cause, "%s", remedy);
}

/* With TLS 1.3 a server says only after the handshake that it does not take a certificate. */
static enum rc hear_verdict(SSL *session, struct fault *fault)
{
    char first;

    return SSL_read(session, &first, 1) == 1
               ? RC_OK
               : refuse_server(
                     fault, "tls.not_accepted",
                     "El nodo no acepta este certificado: vea que no haya vencido y que lo "
                     "firme la autoridad de la red del nodo.");
}

static enum rc take_server(SSL *session, struct cert **server, struct fault *fault)
{
    X509 *native = SSL_get0_peer_certificate(session);
    unsigned char *der = NULL;
    int size = native != NULL ? i2d_X509(native, &der) : 0;
    enum rc rc;

    if (size <= 0) {
        return refuse_server(fault, "tls.handshake", "El nodo no mostró su certificado.");
    }
    rc = cert_from_der(BYTES(der, (size_t)size), server, fault);
    OPENSSL_free(der);
    return rc;
}

enum rc tlsprobe(int socket, const char *certificate, const char *key, struct cert **server,
                 struct fault *fault)
{
    static const unsigned char http2[] = {2, 'h', '2'};
    __attribute__((cleanup(ssl_ctx_release))) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    __attribute__((cleanup(ssl_release))) SSL *session = NULL;
    OWN_PTR(cert) found = NULL;

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "tls.memory", "", "Falta memoria.");
    }
    TRY(load_own(context, certificate, key, fault));
    session = SSL_new(context);
    if (session == NULL || SSL_set_fd(session, socket) != 1 ||
        SSL_set_alpn_protos(session, http2, sizeof http2) != 0) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "tls.memory", "", "Falta memoria.");
    }
    ERR_clear_error();
    if (SSL_connect(session) != 1) {
        return refuse_server(
            fault, "tls.handshake",
            "Ahí no contesta un nodo con TLS 1.3: revise la dirección y lo que haya "
            "en medio (proxy, inspección).");
    }
    TRY(take_server(session, &found, fault));
    TRY(hear_verdict(session, fault));
    *server = MOVE(found);
    return RC_OK;
}
