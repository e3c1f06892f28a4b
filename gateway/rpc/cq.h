/*
 * cq - the completion-queue threads: N queues, one thread each.
 *
 * Everything that happens to one call, stream or channel request is delivered by the thread of
 * its own queue, so an object of rpc has one owning thread and needs no lock. Every tag is a
 * struct op placed first in the waiting object; the loop knows nothing else.
 *
 *     any thread --cq_post()--> the queue's own thread
 */
#ifndef RPC_CQ_H
#define RPC_CQ_H

#include <stdbool.h>

#include "base/own.h"

struct op {
    /* Runs on the queue's thread. ok is false when the operation did not happen (cancelled). */
    void (*done)(struct op *op, bool ok);
};

/* Work handed to a queue's thread; the waiting object holds it, and it is in one list at a time. */
struct cq_post {
    struct op op;
    struct cq_post *next;
};

struct cq;
struct cq_pool;

/* Starts the threads (1..64). NULL when out of memory or threads. */
struct cq_pool *cq_pool_new(unsigned count);
/*
 * Stops: what was begun is delivered first, then the threads end and are joined. Servers, channels
 * and streams of the pool must be gone, and nobody may post any more. Not from a queue's thread.
 */
void cq_pool_free(struct cq_pool *pool);
OWN_PTR_DEFINE(cq_pool)

unsigned cq_pool_count(const struct cq_pool *pool);
struct cq *cq_pool_at(struct cq_pool *pool, unsigned index);
/* Round robin: where to put the next outgoing stream. Any thread. */
struct cq *cq_pool_next(struct cq_pool *pool);

/*
 * Runs post->op.done(&post->op, true) on the queue's thread. Any thread; allocates nothing.
 * Coalesced: what is posted before the thread looks costs one wake-up together.
 */
void cq_post(struct cq *cq, struct cq_post *post);
/* For assertions: is this the queue's thread? */
bool cq_is_here(const struct cq *cq);

#endif
