/*
 * attach_queue - what an attach still has to send, and what waits for its answer. Internal to
 * attach.
 *
 * One lock inside; any thread. Acknowledgements go before submissions; submissions keep their
 * order, and go back into it when the stream breaks.
 */
#ifndef CLIENT_ATTACH_QUEUE_H
#define CLIENT_ATTACH_QUEUE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/own.h"
#include "model/message.h"

struct attach_queue;

struct attach_queue *attach_queue_new(size_t submissions_max, size_t in_flight_max);
void attach_queue_free(struct attach_queue *queue);
OWN_PTR_DEFINE(attach_queue)

/* The bytes are copied and come back from _next as they are. */
MUST_CHECK enum rc attach_queue_submit(struct attach_queue *queue, const struct id *id,
                                       const uint8_t commitment[HASH_SIZE], struct bytes bytes);
/* RC_OK while no stream is open, too: it is forgotten. */
MUST_CHECK enum rc attach_queue_acknowledge(struct attach_queue *queue, const struct id *id,
                                            struct bytes bytes);

/*
 * Waits for something to send and copies it. False when the queue was broken off or stopped.
 * What was taken counts as sent.
 */
bool attach_queue_next(struct attach_queue *queue, struct buffer *bytes);
/* The answer came: gives M of what was asked; false when nothing of that id waits. */
bool attach_queue_answered(struct attach_queue *queue, const struct id *id,
                           uint8_t commitment[HASH_SIZE]);
void attach_queue_settled(struct attach_queue *queue);

/* The stream is open: _next gives again. Everything that was sent without answer is unsent now. */
void attach_queue_open(struct attach_queue *queue);
/* The stream is over: wakes the sender. Acknowledgements are forgotten. */
void attach_queue_break(struct attach_queue *queue);
size_t attach_queue_unanswered(struct attach_queue *queue);
bool attach_queue_is_idle(struct attach_queue *queue);

#endif
