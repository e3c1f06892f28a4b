/*
 * attached - one attached system's stream: deliveries out, acknowledgements, acts and reports in.
 *
 * It pulls from two queues of the outbox, its member's and its own, for one urgency, within its
 * window; and lodges submissions along the same path as every other. Owned by its queue's thread.
 */
#ifndef RELAY_ATTACHED_H
#define RELAY_ATTACHED_H

struct rpc_service;
struct stream;

/* The rpc method Attach: systems only. */
void attached_on_stream(struct rpc_service *service, struct stream *stream);

#endif
