/*
 * channel - an outgoing connection to a peer: connects when first used and again when it broke.
 *
 * Who the server is, is decided by its certificate's URI SAN alone (exactly one, equal to
 * server_identity), not by its host name: addresses move, identities do not. Certificate files are
 * read again when they change. Reconnects after 100 ms to 2 s; keepalive pings find a dead peer.
 *
 * Faults of the peer come back whole (from the trailing metadata). Our own: "peer.unreachable"
 * (UNAVAILABLE: no connection, or it broke), "peer.deadline", "peer.status" (a status without a
 * reason of ours). The remedy then holds gRPC's words, for the operator.
 *
 * Any thread may use a channel.
 */
#ifndef RPC_CHANNEL_H
#define RPC_CHANNEL_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/own.h"

struct channel;
struct cq;

struct channel_config {
    const char *target;           /* "127.0.0.1:7443", "node.example:7443", "unix:/path" */
    const char *certificate_file; /* PEM, ours */
    const char *key_file;         /* PEM, ours */
    const char *ca_file; /* PEM: who may sign the server's certificate; NULL: no TLS at all */
    const char *server_identity; /* "spiffe://enlace.cdmx/node/ssc"; NULL: any that the CA signed */
    unsigned keepalive_ms;       /* 0: 30,000 */
};

/* Does not connect yet. Refuses unreadable files. Everything is copied. */
MUST_CHECK enum rc channel_new(const struct channel_config *config, struct channel **out);
/* Calls and streams under way end by themselves; the caller waits for them. */
void channel_free(struct channel *channel);
OWN_PTR_DEFINE(channel)

/* True when connected now; asks to connect when not. */
bool channel_is_connected(struct channel *channel);

/* Placed first in the object that waits for the answer of an asynchronous call. */
struct channel_user {
    /* Once, on the queue's thread. The response is borrowed; fault->rc is RC_OK when it is valid.
     */
    void (*on_answer)(struct channel_user *user, struct bytes response, const struct fault *fault);
};

/* RC_RESOURCE_EXHAUSTED when out of memory, without on_answer. timeout_ms -1: none. */
MUST_CHECK enum rc channel_start(struct channel *channel, struct cq *cq, const char *method,
                                 struct bytes request, int timeout_ms, struct channel_user *user);

/* Blocking, for client programs. The response replaces what the buffer held. */
MUST_CHECK enum rc channel_call(struct channel *channel, const char *method, struct bytes request,
                                int timeout_ms, struct buffer *response, struct fault *fault);

#endif
