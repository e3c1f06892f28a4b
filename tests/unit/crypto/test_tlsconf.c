#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ssl.h>

#include "crypto/tlsconf.h"
#include "unit/crypto/throwaway.h"

/* A handshake in memory; the version that both agreed on, 0 when they did not. */
static int handshake(SSL_CTX *client_context, SSL_CTX *server_context)
{
    SSL *client = SSL_new(client_context);
    SSL *server = SSL_new(server_context);
    BIO *a = NULL;
    BIO *b = NULL;
    int version = 0;

    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    for (int i = 0; i < 20; i++) {
        int c = SSL_connect(client);
        int s = SSL_accept(server);

        if (c == 1 && s == 1) {
            version = SSL_version(client);
            break;
        }
    }
    SSL_free(client);
    SSL_free(server);
    return version;
}

static SSL_CTX *server_context(const struct throwaway *made)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    /* What gRPC's C core does to each context. */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
    assert_int_equal(SSL_CTX_use_certificate(context, made->x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, made->key), 1);
    return context;
}

static SSL_CTX *client_context(int least, int most, bool is_stubborn)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (is_stubborn) {
        SSL_CTX_clear_options(context, SSL_OP_NO_TLSv1_2);
    }
    SSL_CTX_set_min_proto_version(context, least);
    SSL_CTX_set_max_proto_version(context, most);
    return context;
}

static void contexts_made_afterwards_speak_tls_1_3_only(void **state)
{
    OWN(throwaway) made = throwaway_holder("spiffe://enlace.cdmx/node/ssc", NULL);
    SSL_CTX *server;
    SSL_CTX *old;
    SSL_CTX *both;

    (void)state;
    server = server_context(&made);
    old = client_context(TLS1_2_VERSION, TLS1_2_VERSION, true);
    both = client_context(TLS1_2_VERSION, TLS1_3_VERSION, true);
    assert_int_equal(handshake(old, server), 0);
    assert_int_equal(handshake(both, server), TLS1_3_VERSION);
    SSL_CTX_free(old);
    old = client_context(TLS1_2_VERSION, TLS1_2_VERSION, false);
    assert_int_equal(handshake(old, server), 0);

    /* The test could tell: a server that was allowed TLS 1.2 would have spoken it. */
    SSL_CTX_clear_options(server, SSL_OP_NO_TLSv1_2);
    SSL_CTX_free(old);
    old = client_context(TLS1_2_VERSION, TLS1_2_VERSION, true);
    assert_int_equal(handshake(old, server), TLS1_2_VERSION);
    SSL_CTX_free(server);
    SSL_CTX_free(old);
    SSL_CTX_free(both);
}

/* Whatever the machine's configuration file says. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_made_afterwards_speak_tls_1_3_only),
    };

    if (setenv("OPENSSL_CONF", "/nowhere/openssl.cnf", 1) != 0 ||
        tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
