#include "crypto/tlsserver.h"

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/native.h"

#define DEPTH_MAX 4

struct tlsserver {
    SSL_CTX *context;
    int index; /* of ourselves in a session */
    atomic_size_t sessions;
};

static enum rc bad(struct fault *fault, const char *reason, const char *path)
{
    log_warn(reason, "path=%s cause=\"%s\"", path, native_error());
    return refuse(fault, RC_INVALID_ARGUMENT, reason, path,
                  "No se puede leer; debe ser PEM, y la llave, la de ese certificado.");
}

/* A session ends: one more may begin. */
static void on_session_freed(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                             void *argp)
{
    struct tlsserver *server = value;

    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    if (server != NULL) {
        atomic_fetch_sub(&server->sessions, 1);
    }
}

static enum rc load_key(SSL_CTX *context, const char *path, struct fault *fault)
{
    EVP_PKEY *key = NULL;
    int is_taken;

    TRY(native_key_load(path, NATIVE_ANY, &key, fault));
    is_taken = SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
    return is_taken == 1 && SSL_CTX_check_private_key(context) == 1 ? RC_OK
                                                                    : bad(fault, "tls.key", path);
}

static enum rc load_ca(SSL_CTX *context, const char *path, struct fault *fault)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);

    if (names == NULL || SSL_CTX_load_verify_file(context, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return bad(fault, "tls.ca", path);
    }
    SSL_CTX_set_client_CA_list(context, names);
    return RC_OK;
}

static void set_rules(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(context, DEPTH_MAX);
}

enum rc tlsserver_new(const char *certificate, const char *key, const char *ca,
                      struct tlsserver **server, struct fault *fault)
{
    OWN_PTR(tlsserver) made = calloc(1, sizeof *made);

    if (made == NULL || (made->context = SSL_CTX_new(TLS_server_method())) == NULL ||
        SSL_CTX_set_min_proto_version(made->context, TLS1_3_VERSION) != 1) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "tls.memory", "", "Falta memoria.");
    }
    made->index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_session_freed);
    set_rules(made->context);
    if (made->index < 0 || SSL_CTX_use_certificate_chain_file(made->context, certificate) != 1) {
        return bad(fault, "tls.certificate", certificate);
    }
    TRY(load_key(made->context, key, fault));
    TRY(load_ca(made->context, ca, fault));
    *server = MOVE(made);
    return RC_OK;
}

void tlsserver_free(struct tlsserver *server)
{
    if (server != NULL) {
        SSL_CTX_free(server->context);
        free(server);
    }
}

struct ssl_st *tlsserver_session(struct tlsserver *server)
{
    SSL *session;

    if (atomic_fetch_add(&server->sessions, 1) >= TLSSERVER_SESSIONS_MAX) {
        atomic_fetch_sub(&server->sessions, 1);
        return NULL;
    }
    session = SSL_new(server->context);
    if (session == NULL || SSL_set_ex_data(session, server->index, server) != 1) {
        atomic_fetch_sub(&server->sessions, 1);
        SSL_free(session);
        return NULL;
    }
    return session;
}

enum rc tlsserver_peer(const struct ssl_st *session, uint8_t fingerprint[DIGEST_SIZE])
{
    X509 *cert = session != NULL ? SSL_get0_peer_certificate(session) : NULL;
    unsigned char *der = NULL;
    struct bytes whole;
    int size;

    if (cert == NULL || SSL_get_verify_result(session) != X509_V_OK) {
        return RC_UNAUTHENTICATED;
    }
    size = i2d_X509(cert, &der);
    if (size <= 0) {
        return RC_UNAUTHENTICATED;
    }
    whole = BYTES(der, (size_t)size);
    digest_of(&whole, 1, fingerprint);
    OPENSSL_free(der);
    return RC_OK;
}
