/*
 * redeliver - service Watch's Redeliver: an agency put its database back from a backup and asks its
 * node for what it had received since.
 *
 * What was settled is owed again, to the asking system alone, in the outbox: it survives restarts
 * and goes out as any delivery, marked as redelivered and as settled before. For such a delivery an
 * acknowledgement is enough, custody is not taken twice. What is still owed stays as it is, what
 * was erased stays erased. Looked up by the index, in the reading room's thread.
 */
#ifndef RELAY_REDELIVER_H
#define RELAY_REDELIVER_H

struct call;
struct rpc_service;

/* Messages of one order; the answer says where to go on. */
#define REDELIVER_MAX 4096

void redeliver_on_call(struct rpc_service *service, struct call *call);

#endif
