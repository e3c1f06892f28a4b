/*
 * budget - how many streams, calls and bytes one identity may have under way, and all together.
 *
 * Counts alone bound nothing: a thousand messages of 1 KiB are a megabyte, of 1 MiB a gigabyte. So
 * what a request costs in memory until its answer is counted too, for its stream, its identity and
 * the node. A stream over its share is read no further, and its peer waits (that is no refusal); a
 * call over its share is refused with RESOURCE_EXHAUSTED.
 *
 * A stream with nothing under way may always take one more message, whatever others hold: so nobody
 * sleeps until somebody else wakes him, and the worst case stays bounded by the places.
 *
 *     budget_enter   when the stream or call comes
 *     budget_add_bytes, budget_drop_bytes   around each of its requests
 *     budget_has_room   before it reads the next one
 *     budget_leave   in on_free, or with the answer of a call
 */
#ifndef RELAY_BUDGET_H
#define RELAY_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"

struct budget;
struct budget_seat;

enum budget_use {
    BUDGET_SUBMIT, /* SubmitStream */
    BUDGET_ATTACH,
    BUDGET_AUDIT,
    BUDGET_PEER, /* federation: both urgencies, and those that a broken line left behind */
    BUDGET_CALL, /* any unary method */
    BUDGET_USES,
};

/* Places of one identity. */
#define BUDGET_SUBMIT_MAX 6
#define BUDGET_ATTACH_MAX 6
#define BUDGET_AUDIT_MAX 4
#define BUDGET_PEER_MAX 6
#define BUDGET_CALLS_MAX 1024
/* Identities with something under way at one time. */
#define BUDGET_SEATS_MAX 4096

/* Memory of one stream, of one identity and of the node; past it streams wait. */
#define BUDGET_STREAM_BYTES ((size_t)16 << 20)
#define BUDGET_IDENTITY_BYTES ((size_t)32 << 20)
#define BUDGET_NODE_BYTES ((size_t)256 << 20)
/* Only for calls: what an identity's streams can not take away from them. */
#define BUDGET_CALL_RESERVE ((size_t)8 << 20)

/* In the stream's or call's object, zeroed at first; for whoever owns that. */
struct budget_hold {
    struct budget_seat *seat; /* NULL: none */
    enum budget_use use;
    size_t bytes; /* of this stream or call */
};

struct budget *budget_new(void);
/* Every hold must have been left (assert). NULL does nothing. */
void budget_free(struct budget *budget);
OWN_PTR_DEFINE(budget)

/*
 * A place for one more stream or call of this identity (its URI, copied). Any thread.
 * RC_RESOURCE_EXHAUSTED "identity.busy"; then the hold stays empty.
 */
MUST_CHECK enum rc budget_enter(struct budget *budget, const char *owner, enum budget_use use,
                                struct budget_hold *hold, struct fault *fault);
/* Gives back the place and the bytes that are left. An empty hold does nothing. Any thread. */
void budget_leave(struct budget_hold *hold);

/* Memory that a request of this size takes until its answer: a message decoded, its row, its copy
 * in the commit. */
size_t budget_weight(size_t request_size);

void budget_add_bytes(struct budget_hold *hold, size_t bytes);
void budget_drop_bytes(struct budget_hold *hold, size_t bytes);
/* May this stream read one more message? */
bool budget_has_room(const struct budget_hold *hold);
/* The same as a refusal, for a call: adds the bytes, or RC_RESOURCE_EXHAUSTED "identity.busy". */
MUST_CHECK enum rc budget_admit(struct budget_hold *hold, size_t bytes, struct fault *fault);

#endif
