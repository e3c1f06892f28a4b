/*
 * tlsconf - TLS 1.3 only, for every TLS context that this process makes.
 *
 * gRPC's C core has no setter for it and overrides MinProtocol, but leaves the options of OpenSSL's
 * default configuration alone: "Protocol = ALL,-TLSv1.2,..." and "Ciphersuites". This loads such a
 * configuration from memory; no file of the machine is read, and OPENSSL_CONF counts for nothing.
 */
#ifndef CRYPTO_TLSCONF_H
#define CRYPTO_TLSCONF_H

#include "base/rc.h"

/*
 * Once, first thing in main: before grpc_init, before any thread, before any other use of OpenSSL.
 * RC_INTERNAL (logged) when a context made afterwards would still offer TLS 1.2: do not start then.
 */
MUST_CHECK enum rc tlsconf_require_tls13(void);

/*
 * Takes 1.2 back into one context (an SSL_CTX): only for what an agency's own system is reached
 * with, never for nodes and their clients.
 */
void tlsconf_allow_tls12(void *context);

#endif
