/*
 * wake_peer - the next institution: which one it is, and WakeDuty to its node and from others.
 *
 * Nothing of the exchange travels: a token, the urgency, the instant. The other node puts a call of
 * its own (DUTYCALL_RELAYED) for its member, and says with each repetition whether an official
 * there has answered for it.
 */
#ifndef RELAY_WAKE_PEER_H
#define RELAY_WAKE_PEER_H

#include "model/duty.h"

struct call;
struct directory;
struct node;
struct rpc_service;
struct txn;

/* Relayed calls of one institution that may be open here at one time. */
#define WAKE_PEER_OPEN_MAX 256

/*
 * Who is woken after this call's member: the next on the ladder of its route that is not the late
 * one. False: nobody.
 */
bool wake_peer_next(const struct directory *directory, const struct dutycall *call,
                    char member[CODE_SIZE]);
bool wake_peer_is_hosted(const struct node *node, const char *member);
/* The key of the call that stands for this one at the other institution. */
void wake_peer_key(const struct node *node, const struct dutycall *call, const char *member,
                   struct dutycall_key *key);

/* What the other institution made of it; `actor` is empty until somebody answered there. */
struct wake_outcome {
    char actor[DUTYCALL_URI_SIZE];
    int64_t answered_at_ms;
};

/* Blocks for some seconds at most. Any thread but a queue's. */
MUST_CHECK enum rc wake_peer_ask(const struct node *node, const struct dutycall *call,
                                 const char *member, struct wake_outcome *outcome,
                                 struct fault *fault);

/*
 * The rpc method WakeDuty. RC_PERMISSION_DENIED "duty.not_yours" (the caller does not host `from`),
 * "duty.not_on_ladder" (no route of `from` in force has `to` on its ladder, or it is not hosted
 * here); RC_RESOURCE_EXHAUSTED "duty.too_many".
 */
void wake_peer_on_call(struct rpc_service *service, struct call *call);

#endif
