/*
 * officials - service Official: what a named official does at the own member's node.
 *
 *     queue thread: check, prepare --writer--> check again, leaf, row --> queue thread: answer
 *
 * Only an official of a member hosted here may call it, with the certificate in the roster; what he
 * or she does is signed besides (policy/official_rules).
 */
#ifndef RELAY_OFFICIALS_H
#define RELAY_OFFICIALS_H

struct call;
struct rpc_service;

/* The rpc methods ListAwaiting, GetAwaiting, GetWill, GiveAct. */
void officials_on_list(struct rpc_service *service, struct call *call);
void officials_on_get(struct rpc_service *service, struct call *call);
void officials_on_will(struct rpc_service *service, struct call *call);
void officials_on_give(struct rpc_service *service, struct call *call);

#endif
