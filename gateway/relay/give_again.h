/*
 * give_again - a system that lost what it was given gets it once more.
 *
 * Only what its own member received, and what is for this system or for any of its member's. While
 * a delivery is still owed nothing changes; else the debt is made anew, in the system's own queue,
 * with OUTBOX_ASKED: what is a request has been in custody before, so an acknowledgement settles
 * it. What was erased, is another's or is not there is unknown alike.
 */
#ifndef RELAY_GIVE_AGAIN_H
#define RELAY_GIVE_AGAIN_H

struct call;
struct rpc_service;

/* The rpc method GiveAgain: systems only. */
void give_again_on_call(struct rpc_service *service, struct call *call);

#endif
