/*
 * track - small questions of a member's system or official: where an exchange stands, who am I.
 *
 * What is not known and what is not theirs get one answer.
 */
#ifndef RELAY_TRACK_H
#define RELAY_TRACK_H

struct call;
struct rpc_service;

/* The rpc methods Track and Ping. */
void track_on_call(struct rpc_service *service, struct call *call);
void ping_on_call(struct rpc_service *service, struct call *call);

#endif
