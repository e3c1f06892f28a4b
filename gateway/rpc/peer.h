/*
 * peer - who is at the other end: the certificate of a connection and the one URI SAN in it.
 *
 * TLS has checked the chain and the dates already; whether the holder is in force is the
 * directory's business (policy), at each call. Looked at once per connection, then shared by all
 * its calls: per call it costs a look-up in a small table of the queue's thread.
 */
#ifndef RPC_PEER_H
#define RPC_PEER_H

#include "base/bytes.h"

struct cert;

/* Constant. Borrowed from the call or stream, and lives as long as it. */
struct rpc_peer {
    const char *identity;    /* "spiffe://enlace.cdmx/node/ssc"; "" without a certificate */
    const struct cert *cert; /* fingerprint (a key for caches), DER, dates: see crypto/cert.h */
};

#endif
