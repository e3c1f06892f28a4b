/*
 * eraser - the one thread that carries out erasures: what officials ordered, and retention classes
 * at their end. It can be killed at any instant; the next start goes on from the row.
 *
 *     ordered   BLOCKING    what the order covers goes under a blocked shard of its own
 *               REWRAPPING  what else was under those shards gets new keys, the old are destroyed
 *     a class   BLOCKING    its shard's key goes into escrow
 *     both      BLOCKED     until the blocking period is over and no hold covers any of it
 *               ERASING     the leaf that says so is in the log; the key is destroyed, then rows,
 *                           debts, attachments and the index
 *               ERASED
 *
 * A hold that covers a part of what was blocked together keeps all of it blocked. Pruning of old
 * audit records goes through the same phases: relay/prune.h.
 */
#ifndef RELAY_ERASER_H
#define RELAY_ERASER_H

#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

struct eraser;
struct node;

/* The node is borrowed; blocking_ms: how long data stays blocked. */
MUST_CHECK enum rc eraser_start(const struct node *node, int64_t blocking_ms, struct eraser **out);
/* Ends the thread; at most one step later. NULL does nothing. */
void eraser_free(struct eraser *eraser);
OWN_PTR_DEFINE(eraser)

/* An order came, a hold was lifted: look now. Any thread. */
void eraser_poke(struct eraser *eraser);

#endif
