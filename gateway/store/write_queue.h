/*
 * write_queue - what waits for the writer: urgent writes first, bounded by count and by bytes.
 *
 * Three lists under one lock. An urgent write is taken before every ordinary one, finds room that
 * ordinary ones may not use, and can not fill a whole batch while ordinary ones wait: they keep an
 * eighth of it. A patient write (nobody waits for its answer) rides along with the next batch, and
 * makes one of its own only after WRITE_PATIENCE_MS. Within each list: first in, first out. Only
 * writer.c uses it.
 *
 * Under load a batch gathers for a moment: when the one before it had at least GATHER_LEAST writes,
 * and as long as more come in each GATHER_SLICE_US, up to GATHER_MOST_US. A commit costs the same
 * processor time for forty messages as for a hundred, which those who would fill it wait for. Few
 * clients, and any urgent write, never wait for this.
 */
#ifndef STORE_WRITE_QUEUE_H
#define STORE_WRITE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

struct inbox_item;
struct write;
struct write_queue;

#define GATHER_LEAST 16
#define GATHER_SLICE_US 300
#define GATHER_MOST_US 1500

/* Of one batch, or of all that waits. */
struct write_bounds {
    size_t count;
    size_t leaves; /* not looked at in a queue's bounds */
    size_t bytes;
};

/* `most` is for ordinary writes; urgent ones find a quarter more of each. NULL: out of memory. */
struct write_queue *write_queue_new(const struct write_bounds *most);
/* Nothing may wait. NULL does nothing. */
void write_queue_free(struct write_queue *queue);
OWN_PTR_DEFINE(write_queue)

/* Any thread. RC_RESOURCE_EXHAUSTED: no room; RC_UNAVAILABLE: closed. Then it stays the caller's.
 */
MUST_CHECK enum rc write_queue_put(struct write_queue *queue, struct write *write);
/*
 * Waits up to timeout_ms and takes what waits within the bounds, but at least one write, linked by
 * item.next. NULL on timeout, or when closed and empty (*is_closed then true).
 */
struct inbox_item *write_queue_take(struct write_queue *queue, const struct write_bounds *batch,
                                    int timeout_ms, bool *is_closed);
/* Refuses further puts; what waits can still be taken. */
void write_queue_close(struct write_queue *queue);
size_t write_queue_waiting(struct write_queue *queue);

#endif
