/*
 * seen - the last checkpoint of every foreign log that this node verified: our witness state.
 *
 * An environment of its own (`seen/`), so that restoring or resetting the log never makes the node
 * forget what others signed. Only ever grows: an older checkpoint, or another root for the same
 * size, is refused. Written with full sync before anything of that checkpoint is accepted:
 *
 *     queue thread --seen_submit()--> seen thread: one commit for all that wait --done--> writer
 *
 * It has a thread of its own, so that the writer does not wait for this disk write within its own.
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/inbox.h"
#include "tlog/checkpoint.h"

struct seen;

struct seen_options {
    const char *path;     /* the folder */
    const char *origin;   /* of this node's own log */
    uint64_t map_size;    /* 0: 1 GiB */
    uint64_t floor_bytes; /* 0: DB_FLOOR (store/db.h) */
};

/* In whatever waits for it. All but rc is the submitter's and lives until done. */
struct seen_write {
    struct inbox_item item; /* first */
    const struct checkpoint *checkpoint;
    struct bytes note;
    enum rc rc; /* as seen_put would say */
    /* On the seen thread, in the order of submission; only hands over. */
    void (*done)(struct seen_write *write);
};

/* Codes of db_open. */
MUST_CHECK enum rc seen_open(const struct seen_options *options, struct seen **seen);
/* What waits is done first. NULL does nothing. */
void seen_free(struct seen *seen);
OWN_PTR_DEFINE(seen)

/* RC_NOT_FOUND: never seen. The note is appended; it may be NULL. Any thread. */
MUST_CHECK enum rc seen_get(struct seen *seen, const char *origin, struct checkpoint *checkpoint,
                            struct buffer *note);

/*
 * Durable on RC_OK. The caller verified the signature and that the log extends what seen_get gave.
 * The same size and root again: RC_OK, nothing is written. RC_FAILED_PRECONDITION: older than what
 * was seen. RC_DATA_LOSS: another root for the same size, a fork; logged with both roots. Any
 * thread; one fsync, so not on a completion-queue thread.
 */
MUST_CHECK enum rc seen_put(struct seen *seen, const struct checkpoint *checkpoint,
                            struct bytes note);

/*
 * The same on the seen thread. RC_RESOURCE_EXHAUSTED: too many wait; then done is not called. Any
 * thread.
 */
MUST_CHECK enum rc seen_submit(struct seen *seen, struct seen_write *write);

#endif
