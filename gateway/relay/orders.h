/*
 * orders - service Order: an erasure that two officials ordered, a hold of the auditing authority,
 * how far they are; and what is blocked, for the authority.
 *
 *     queue thread: check, make the blocked shard --writer--> row and leaf --> queue thread: answer
 *
 * What an order does afterwards: relay/eraser.
 */
#ifndef RELAY_ORDERS_H
#define RELAY_ORDERS_H

struct call;
struct rpc_service;

/* The rpc methods GiveOrder, GetOrder, ReadBlocked. */
void orders_on_give(struct rpc_service *service, struct call *call);
void orders_on_get(struct rpc_service *service, struct call *call);
void orders_on_read_blocked(struct rpc_service *service, struct call *call);

#endif
