/*
 * seen - the last checkpoint of every foreign log that this node verified: our witness state.
 *
 * An environment of its own (`seen/`), so that restoring or resetting the log never makes the node
 * forget what others signed. Written with full sync before anything of that checkpoint is accepted:
 *
 *     queue thread --seen_submit()--> seen thread: one commit for all that wait --done--> writer
 *
 * It has a thread of its own, so that the writer does not wait for this disk write within its own.
 *
 * Each foreign log has one line here, whatever number of streams it comes over: a checkpoint is
 * taken when it is on the line already, when it is proven against a point of the line that is not
 * smaller, or when it is proven to extend the newest. Else the submitter is told the newest
 * (RC_ABORTED), gets the proof between the two, and comes again: two histories never both pass.
 *
 * A cosignature says "the largest that I have seen". Checkpoints come over streams while others are
 * offered for cosigning, so one that was overtaken less than SEEN_OVERTAKEN_MS ago is still taken;
 * later it is not, or a log could have an old state cosigned for ever.
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/inbox.h"
#include "crypto/digest.h"
#include "tlog/checkpoint.h"

struct seen;

#define SEEN_OVERTAKEN_MS 30000

struct seen_options {
    const char *path;     /* the folder */
    const char *origin;   /* names this node, whatever epoch its log is in */
    uint64_t map_size;    /* 0: 1 GiB */
    uint64_t floor_bytes; /* 0: DB_FLOOR (store/db.h) */
};

struct seen_point {
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
};

static inline struct seen_point seen_point_of(const struct checkpoint *checkpoint)
{
    struct seen_point point = {.size = checkpoint->size};

    memcpy(point.root, checkpoint->root, DIGEST_SIZE);
    return point;
}

/* In whatever waits for it. All but rc and last is the submitter's and lives until done. */
struct seen_write {
    struct inbox_item item; /* first */
    const struct checkpoint *checkpoint;
    struct bytes note;
    /* The caller verified the signature, and a consistency proof between this and the checkpoint,
     * whichever is larger. */
    struct seen_point proven;
    bool is_to_cosign;      /* RC_ABORTED, too, when it was overtaken long ago */
    enum rc rc;             /* as seen_put would say */
    struct seen_point last; /* the newest of the line, when there is one */
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

/* The note alone, by SHA-256(origin). RC_NOT_FOUND. Any thread. */
MUST_CHECK enum rc seen_note(struct seen *seen, const uint8_t origin_sha256[DIGEST_SIZE],
                             struct buffer *note);
/* A point of the line that memory keeps; false: none of this size. Any thread. */
bool seen_point(struct seen *seen, const char *origin, uint64_t size, struct seen_point *point);

/*
 * RC_OK: it is on the line, and the newest of the line is durable. RC_ABORTED: not proven against
 * what the line has; prove it against write->last and try again. RC_DATA_LOSS: another root for a
 * size of the line, a fork; logged with both roots. Any thread; one fsync, so not on a
 * completion-queue thread.
 */
MUST_CHECK enum rc seen_put(struct seen *seen, struct seen_write *write);

/* The proof between the checkpoint and write->last was asked for and did not come: logs both. */
void seen_report_fork(const struct seen_write *write);

/* SHA-256 of the newest durable note of this log; zeros and false: none. Any thread, from memory.
 */
bool seen_digest(struct seen *seen, const char *origin, uint8_t out[DIGEST_SIZE]);

/*
 * The same on the seen thread. RC_RESOURCE_EXHAUSTED: too many wait; then done is not called. Any
 * thread.
 */
MUST_CHECK enum rc seen_submit(struct seen *seen, struct seen_write *write);

/*
 * A text to be remembered beside the checkpoints under this name ("succession/cdmx/ssc"): durable
 * on return, replaces. Any thread; one fsync.
 */
MUST_CHECK enum rc seen_keep(struct seen *seen, const char *name, struct bytes text);
/* Appends it. RC_NOT_FOUND. */
MUST_CHECK enum rc seen_kept(struct seen *seen, const char *name, struct buffer *text);
/*
 * The origin of some log on whose line there is a checkpoint, that begins with prefix and is not
 * `but`. RC_NOT_FOUND.
 */
MUST_CHECK enum rc seen_other_origin(struct seen *seen, const char *prefix, const char *but,
                                     char origin[VKEY_NAME_MAX + 1]);

#endif
