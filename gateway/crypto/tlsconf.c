#include "crypto/tlsconf.h"

#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <stdbool.h>

#include "crypto/native.h"

static const char configuration[] =
    "openssl_conf = enlace\n"
    "[enlace]\n"
    "ssl_conf = contexts\n"
    "[contexts]\n"
    "system_default = tls13\n" /* OpenSSL applies it to every context that it makes */
    "[tls13]\n"
    "Protocol = -SSLv3,-TLSv1,-TLSv1.1,-TLSv1.2\n"
    "Ciphersuites = "
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256\n";

static bool load(void)
{
    BIO *bio = BIO_new_mem_buf(configuration, sizeof configuration - 1);
    CONF *conf = NCONF_new(NULL);
    bool is_loaded;

    OPENSSL_load_builtin_modules();
    is_loaded = bio != NULL && conf != NULL && NCONF_load_bio(conf, bio, NULL) == 1 &&
                CONF_modules_load(conf, NULL, 0) == 1;
    NCONF_free(conf);
    BIO_free(bio);
    return is_loaded;
}

static bool is_in_force(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    uint64_t options = context != NULL ? SSL_CTX_get_options(context) : 0;

    SSL_CTX_free(context);
    return (options & SSL_OP_NO_TLSv1_2) != 0 && (options & SSL_OP_NO_TLSv1_3) == 0;
}

enum rc tlsconf_require_tls13(void)
{
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 || !load() || !is_in_force()) {
        return failed(RC_INTERNAL, "tls.configuration", "cause=\"%s\"", native_error());
    }
    return RC_OK;
}

void tlsconf_allow_tls12(void *context)
{
    SSL_CTX_clear_options(context, SSL_OP_NO_TLSv1_2);
}
