/*
 * lawfetch - newer texts of the directory, from peers that have them, and to peers that ask.
 *
 * The asking is one thread's (lawkeeper): a peer every 500 ms, in turn, first those that named
 * another directory in a hello or a parcel. What comes is signed, so that it does not matter who
 * gave it; what law refuses is dropped. An answer is bounded (LAWFETCH_BYTES_MAX); a network's
 * versions come in order, so that a change of authorities is followed step by step.
 */
#ifndef RELAY_LAWFETCH_H
#define RELAY_LAWFETCH_H

#include "base/bytes.h"
#include "base/own.h"
#include "model/directory.h"

#define LAWFETCH_BYTES_MAX ((size_t)3 << 20)

struct call;
struct law;
struct lawfetch;
struct node;
struct rpc_service;

MUST_CHECK enum rc lawfetch_new(struct node *node, struct lawfetch **out);
void lawfetch_free(struct lawfetch *fetch);
OWN_PTR_DEFINE(lawfetch)

/* The keeper's thread: asks at most one peer when it is time; *directory is set when texts of it
 * came into `law`. Blocks for two seconds at most. */
void lawfetch_step(struct lawfetch *fetch, struct law *law, struct directory **directory);

/* A peer named this digest of its directory: when it is not ours it is asked soon. Any thread. */
void lawfetch_hint(const struct node *node, const char *peer_code, struct bytes sha256);

/* FetchDirectory: what a peer node does not hold yet. */
void lawfetch_on_call(struct rpc_service *service, struct call *call);

#endif
