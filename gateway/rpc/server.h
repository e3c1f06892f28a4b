/*
 * server - listeners with mutual TLS, the method table, orderly stop.
 *
 * Certificates are verified by the CA file; each must hold exactly one URI SAN, else every call is
 * refused with UNAUTHENTICATED "cert.uri_san". Certificate, key and CA files are read again when
 * they change, for new connections. TLS 1.3 only comes from crypto/tlsconf, which the program
 * calls before the first cq_pool. An unknown method is answered with UNIMPLEMENTED.
 *
 * Messages up to SERVER_MESSAGE_MAX reach the handlers, so that they refuse what is over their own
 * limit with a reason; beyond it gRPC answers RESOURCE_EXHAUSTED by itself.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

struct call;
struct cq_pool;
struct rpc_peer;
struct server;
struct stream;

/* A parcel between nodes (PARCEL_BYTES_MAX), and room for what stands around it. */
#define SERVER_MESSAGE_MAX ((4 << 20) + (64 << 10))
#define SERVER_LISTENERS_MAX 8
#define SERVER_METHODS_MAX 64

/* Placed first in the object whose methods are served; handlers cast it back. */
struct rpc_service {
    const char *name; /* for the log */
};

enum rpc_kind {
    RPC_UNARY,
    RPC_STREAM,
};

/* Handlers run on a queue's thread and must not block. */
struct rpc_method {
    const char *path; /* "/enlace.v1.ExchangeService/Submit"; constant, outlives the server */
    enum rpc_kind kind;
    struct rpc_service *service;
    void (*on_call)(struct rpc_service *service, struct call *call);       /* RPC_UNARY */
    void (*on_stream)(struct rpc_service *service, struct stream *stream); /* RPC_STREAM */
    bool is_public; /* served also without a certificate, on plain listeners */
};

struct server_listener {
    const char
        *address;  /* "127.0.0.1:7443", "[::]:7443", "unix:/run/enlace/node.sock"; port 0: any */
    bool is_plain; /* no TLS: loopback or a Unix socket, for methods that are public */
};

struct server_config {
    const struct rpc_method *methods; /* copied */
    size_t method_count;
    struct server_listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count;
    const char *certificate_file; /* PEM: server certificate, then intermediate ones */
    const char *key_file;         /* PEM */
    const char *ca_file;          /* PEM: who may sign clients' certificates */
    unsigned slots;               /* calls of one method that one queue accepts ahead; 0: 64 */
    unsigned streams_max;         /* concurrent calls and streams of one connection; 0: 1,024 */
    unsigned keepalive_ms;        /* 0: 30,000 */
};

/*
 * Listens and serves on all queues of the pool; raises the descriptor limit to its hard limit.
 * Refuses (and logs) unreadable certificate files and addresses that cannot be bound.
 */
MUST_CHECK enum rc server_new(struct cq_pool *pool, const struct server_config *config,
                              struct server **out);
/* The bound port of a listener; 1 for a Unix socket. */
int server_port(const struct server *server, size_t listener);
/*
 * Ends at once, with PERMISSION_DENIED, each open stream whose peer `is_out`; returns how many. Any
 * thread; is_out runs on it, under the lock that streams take when they open and close.
 */
unsigned server_cut(struct server *server, bool (*is_out)(void *arg, const struct rpc_peer *peer),
                    void *arg);
/*
 * Accepts nothing more, waits up to grace_ms for calls and streams under way, then cancels the
 * rest and waits until their owners have answered them. Blocks; not from a queue's thread.
 */
void server_stop(struct server *server, int grace_ms);
/* Stops at once if need be. */
void server_free(struct server *server);
OWN_PTR_DEFINE(server)

#endif
