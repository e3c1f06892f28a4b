/*
 * gather_write - what the gatherer has the writer put: checkpoints with their quorum, heartbeats.
 * Nobody waits for either.
 */
#ifndef RELAY_GATHER_WRITE_H
#define RELAY_GATHER_WRITE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"

struct node;

/* Rides along with the next commit. Takes the note over; what cannot be stored is logged. */
void gather_write_quorum(struct node *node, uint64_t size, struct buffer *note);
/*
 * A control leaf that says that nothing happened. *is_writing is true until it is done, and lives
 * until the writer has stopped.
 */
void gather_write_heartbeat(struct node *node, atomic_bool *is_writing);

#endif
