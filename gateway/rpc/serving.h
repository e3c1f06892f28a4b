/*
 * serving - what server, call and stream share while they serve. Internal to rpc.
 *
 * A lane is one method on one queue: it keeps `slots` requests outstanding, and whoever takes one
 * puts the next. Everything that is outstanding or under way counts in the server, so that a stop
 * can wait for the last of it.
 */
#ifndef RPC_SERVING_H
#define RPC_SERVING_H

#include "rpc/core.h"
#include "rpc/cq.h"
#include "rpc/peers.h"
#include "rpc/server.h"

struct server_queue {
    struct cq_post start; /* first */
    struct server *server;
    struct cq *cq;
    struct peers *peers;
    struct call *spare; /* released calls, to be used again */
    size_t spare_count;
};

struct lane {
    const struct rpc_method *method;
    void *registered;
    struct server_queue *queue;
};

/* A stream that is open, in its server's list. */
struct served {
    struct served *next;
    struct served *prev;
    grpc_call *core;
    const struct rpc_peer *peer;
};

/* Any thread. What is taken off the list was put on it. */
void server_list(struct server *server, struct served *served);
void server_unlist(struct server *server, struct served *served);

grpc_server *server_core(struct server *server);
/* One more, one less object that refers to the server. Any thread. */
void server_enter(struct server *server);
void server_leave(struct server *server);

/* Puts one request outstanding. When out of memory the lane is one slot poorer, which is logged. */
void call_listen(struct lane *lane);
void stream_listen(struct lane *lane);
void unknown_listen(struct server_queue *queue);
/* Frees what call_listen keeps for reuse. */
void call_forget_spares(struct server_queue *queue);

#endif
