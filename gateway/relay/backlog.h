/*
 * backlog - how much waits for each destination, so that none grows without a bound.
 *
 * The writer thread's own: asked in apply, changed in done when the batch stands, so one batch may
 * overshoot. At start it is counted once from the outbox. Ordinary messages are refused at the
 * maximum; urgent ones have a reserve of a tenth above it.
 */
#ifndef RELAY_BACKLOG_H
#define RELAY_BACKLOG_H

#include <stdint.h>

#include "base/own.h"
#include "model/message.h"

struct backlog;
struct db;

/* max: messages that may wait for one destination. RC_RESOURCE_EXHAUSTED: out of memory. */
MUST_CHECK enum rc backlog_new(struct db *db, uint64_t max, struct backlog **out);
void backlog_free(struct backlog *backlog);
OWN_PTR_DEFINE(backlog)

/* RC_RESOURCE_EXHAUSTED "outbox.full" when nothing more may wait there. */
MUST_CHECK enum rc backlog_check(struct backlog *backlog, const char *destination,
                                 enum urgency urgency, struct fault *fault);
/* One more, or one less (-1). */
void backlog_count(struct backlog *backlog, const char *destination, int change);

#endif
