/*
 * peers - the peers of one queue's connections, looked at once each. Internal to rpc.
 *
 * Keyed by gRPC's authentication context, which is one object per connection; an entry keeps a
 * reference to it, so that its address cannot name another connection meanwhile. Bounded: a new
 * connection pushes an old one out of its place. Belongs to the queue's thread, but for
 * peer_release (any thread).
 */
#ifndef RPC_PEERS_H
#define RPC_PEERS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rpc/core.h"
#include "rpc/peer.h"

struct peers;

struct peer_entry {
    struct rpc_peer peer; /* first */
    atomic_uint holds;
    bool is_refused; /* a certificate whose URI SAN is not exactly one good one */
};

struct peers *peers_new(void);
void peers_free(struct peers *peers);

/* Who makes this call; held for the caller. NULL when out of memory. */
struct peer_entry *peers_of(struct peers *peers, grpc_call *call);
void peer_release(struct peer_entry *entry);

/* May it ask for this method? RC_UNAUTHENTICATED "cert.uri_san" or "cert.required" when not. */
MUST_CHECK enum rc peer_admit(const struct peer_entry *entry, bool is_public, struct fault *fault);

#endif
