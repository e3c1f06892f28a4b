/*
 * inbox - bounded queue: many threads put, one takes what is waiting as a batch.
 *
 * Items are linked through a struct inbox_item placed first in the waiting object, so putting
 * allocates nothing. Order is first in, first out. Putting hands the object over to the taker.
 */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

struct inbox_item {
    struct inbox_item *next;
};

struct inbox;

struct inbox *inbox_new(size_t max);
void inbox_free(struct inbox *inbox);
OWN_PTR_DEFINE(inbox)

/* RC_RESOURCE_EXHAUSTED when full; RC_UNAVAILABLE when closed. The item stays the caller's then. */
MUST_CHECK enum rc inbox_put(struct inbox *inbox, struct inbox_item *item);

/*
 * Waits up to timeout_ms (-1: for ever) and takes at most max items, linked by next. NULL on
 * timeout, or when the inbox is closed and empty (*is_closed then true).
 */
struct inbox_item *inbox_take(struct inbox *inbox, size_t max, int timeout_ms, bool *is_closed);

/* Refuses further puts; what waits can still be taken. */
void inbox_close(struct inbox *inbox);
size_t inbox_waiting(struct inbox *inbox);

#endif
