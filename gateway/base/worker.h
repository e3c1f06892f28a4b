/*
 * worker - one thread for what may wait for the disk, so that a queue's thread never does.
 *
 * Chores run one after the other, first in, first out. What a chore found out goes back to its
 * owner by a named call of the owner's own (stream_resume, call_resume); putting hands the object
 * over, and with that call it comes back.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include "base/inbox.h"

/* Placed first in the object that waits, or as a member of it. In one list at a time. */
struct chore {
    struct inbox_item item; /* first */
    /* On the worker's thread. The chore may be put again, or freed, from within. */
    void (*run)(struct chore *chore);
};

struct worker;

/* At most max chores wait; the thread bears the name, of at most 15 characters. NULL when out of
 * memory or threads. */
struct worker *worker_new(const char *name, size_t max);
/* Takes no more, does what waits, ends the thread. NULL does nothing; not from a chore. */
void worker_free(struct worker *worker);
OWN_PTR_DEFINE(worker)

/* Any thread. RC_RESOURCE_EXHAUSTED: too many wait. The chore stays the caller's then. */
MUST_CHECK enum rc worker_put(struct worker *worker, struct chore *chore);

#endif
