/*
 * receive - a peer node's parcels: proofs first, then the same checks as everywhere, then our leaf.
 *
 * No receipt, no record: a parcel is used only when its checkpoint is signed by the peer's log,
 * extends the last one that we saw of it, and holds the leaf of every entry; that checkpoint is
 * persisted in `seen` before anything of the parcel is accepted. The answer carries our own leaves
 * with their proofs.
 */
#ifndef RELAY_RECEIVE_H
#define RELAY_RECEIVE_H

struct rpc_service;
struct stream;

/* The rpc method FederationService/Exchange. */
void receive_on_stream(struct rpc_service *service, struct stream *stream);

#endif
