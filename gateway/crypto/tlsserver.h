/*
 * tlsserver - TLS 1.3 with client certificates, for a listener of our own: only this layer touches
 * OpenSSL, the listener (http/https_server) only carries its session objects.
 *
 * Who connects without a certificate that the one CA vouches for gets no session. No tickets, no
 * resumption: each connection proves itself. At most TLSSERVER_SESSIONS_MAX at a time.
 *
 * The object is constant once made; sessions belong to the thread of their connection.
 */
#ifndef CRYPTO_TLSSERVER_H
#define CRYPTO_TLSSERVER_H

#include "base/own.h"
#include "crypto/digest.h"

#define TLSSERVER_SESSIONS_MAX 256

struct ssl_st; /* OpenSSL's */
struct tlsserver;

/* PEM files; the key as in native_key_load: nobody else may read it. Fault and log name the path.
 */
MUST_CHECK enum rc tlsserver_new(const char *certificate, const char *key, const char *ca,
                                 struct tlsserver **server, struct fault *fault);
/* After the last session. */
void tlsserver_free(struct tlsserver *server);
OWN_PTR_DEFINE(tlsserver)

/* Of a new connection; whoever frees it frees it with SSL_free. NULL: too many, or no memory. */
struct ssl_st *tlsserver_session(struct tlsserver *server);

/* SHA-256 of the client's certificate. RC_UNAUTHENTICATED: NULL, or no verified certificate. */
MUST_CHECK enum rc tlsserver_peer(const struct ssl_st *session, uint8_t fingerprint[DIGEST_SIZE]);

#endif
