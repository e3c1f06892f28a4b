/*
 * tlsprobe - one TLS 1.3 handshake as a client, only to say at which check it fails: for
 * `enlace doctor`. Nothing is sent but the handshake.
 */
#ifndef CRYPTO_TLSPROBE_H
#define CRYPTO_TLSPROBE_H

#include "crypto/cert.h"

/*
 * On a connected socket, which stays the caller's and blocks for its own receive timeout at most.
 * PEM files as in a profile. The server's certificate is taken as it is: who calls verifies it.
 * Refused:
 *
 *     tls.certificate, tls.key   our own files cannot be read, or do not belong together
 *     tls.handshake              no TLS 1.3 there, or not with this server
 *     tls.not_accepted           the server does not take our certificate
 */
MUST_CHECK enum rc tlsprobe(int socket, const char *certificate, const char *key,
                            struct cert **server, struct fault *fault);

#endif
