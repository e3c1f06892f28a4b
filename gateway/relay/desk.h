/*
 * desk - deliveries: what waits for a member's systems, handed to those that are attached.
 *
 * Each attached stream pulls from two queues of the outbox, its member's ("member:<code>") and its
 * own ("system:<code>/<name>"), for one urgency. A lease keeps two streams of one member from
 * getting the same message; it ends with the acknowledgement or the stream. What was leased before
 * is delivered again as redelivered: at least once, and the recipient knows.
 */
#ifndef RELAY_DESK_H
#define RELAY_DESK_H

#include <stdint.h>

#include "base/own.h"
#include "model/message.h"

struct desk;
struct node;
struct rpc_service;
struct stream;

#define DESK_DESTINATION_SIZE 160

struct desk *desk_new(struct node *node);
/* All streams must be gone. */
void desk_free(struct desk *desk);
OWN_PTR_DEFINE(desk)

/* Where a message for this recipient waits. */
void desk_destination(const struct header *header, char out[DESK_DESTINATION_SIZE]);

/* Something new waits there, or a lease came back. Any thread. */
void desk_wake(struct desk *desk, const char *member_code, enum urgency urgency);

/* The debt of this leaf was paid by another way than its stream. Any thread. */
void desk_settled(struct desk *desk, uint64_t index);

/* The rpc method Attach: systems only. */
void desk_on_stream(struct rpc_service *service, struct stream *stream);

#endif
