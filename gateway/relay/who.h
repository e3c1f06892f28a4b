/*
 * who - the identity behind a connection, in force right now by the directory.
 *
 * Asked at every call and every message of a stream, so that a revocation acts at once. Any thread.
 */
#ifndef RELAY_WHO_H
#define RELAY_WHO_H

#include "base/rc.h"

struct identity;
struct node;
struct node_entry;
struct rpc_peer;

/* A connection outlives no certificate: its dates are looked at each time. Copied out. */
MUST_CHECK enum rc who_is(const struct node *node, const struct rpc_peer *peer,
                          struct identity *identity, struct fault *fault);
/*
 * The same for what only members may ask of their own node: a system or an official of a member
 * that is hosted here ("identity.not_hosted" else, naming no other node).
 */
MUST_CHECK enum rc who_is_member(const struct node *node, const struct rpc_peer *peer,
                                 struct identity *identity, struct fault *fault);
MUST_CHECK enum rc who_is_node(const struct node *node, const struct rpc_peer *peer,
                               struct node_entry *peer_node, struct fault *fault);

#endif
