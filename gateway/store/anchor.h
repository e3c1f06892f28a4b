/*
 * anchor - the last checkpoint of our own log, kept where a copy of the data does not bring it
 * back.
 *
 * One small file outside `data`, by default with the vault, which is never in one backup with it.
 * Whoever starts the node on an older copy of its data would have it sign a second history; the
 * anchor then names a larger size, or another root, and the node refuses to start.
 *
 * No checkpoint goes to a peer before the anchor holds it or a later one:
 *
 *     any thread --anchor_submit()--> anchor thread: one sync for all that wait --done--> any
 * thread
 *
 * One process at a time has it, by a lock; and before each write the file must stand where this one
 * left it, else the process ends ("anchor.two_writers"): a second copy of the log is running.
 *
 * Two slots are written in turn, each with its digest: a cut in the middle of one leaves the other.
 * A write that fails ends the process, like a failed commit.
 */
#ifndef STORE_ANCHOR_H
#define STORE_ANCHOR_H

#include "base/inbox.h"
#include "store/commit_point.h"

struct anchor;
struct checkpoint;
struct db;
struct writer;

/*
 * Reads the file, or makes an empty one. Each epoch of the log has its own beside the others: PATH
 * for the first, PATH.N for the N-th; where that of a later epoch stands, this one is over.
 * RC_DATA_LOSS: damaged; RC_FAILED_PRECONDITION: of another log, or of an epoch that is over;
 * RC_UNAVAILABLE. Logged with the remedy.
 */
MUST_CHECK enum rc anchor_open(const char *path, uint32_t epoch, const char *origin,
                               struct anchor **anchor);
/* Leaves that the anchor of the epoch before knew of; 0: none. Constant once open. */
uint64_t anchor_size_before(const struct anchor *anchor);
/*
 * At start, before the log takes anything: it must hold the anchored checkpoint, and the anchor
 * then moves to its newest. RC_FAILED_PRECONDITION: it does not; logged with the remedy.
 */
MUST_CHECK enum rc anchor_check(struct anchor *anchor, struct writer *writer);
/* What waits is done first. Releases the commit point that it holds. NULL does nothing. */
void anchor_free(struct anchor *anchor);
OWN_PTR_DEFINE(anchor)

/* In whatever waits for it. */
struct anchor_write {
    struct inbox_item item;           /* first */
    const struct commit_point *point; /* held by the submitter until done */
    /* On the anchor thread: this point, or a later one, is anchored. Only hands over. */
    void (*done)(struct anchor_write *write);
};

/* RC_RESOURCE_EXHAUSTED: too many wait; RC_UNAVAILABLE: stopping. Then done is not called. */
MUST_CHECK enum rc anchor_submit(struct anchor *anchor, struct anchor_write *write);
/* The newest anchored commit, held for the caller. Any thread. */
struct commit_point *anchor_latest(struct anchor *anchor);

/*
 * A checkpoint with our signature, shown by a peer, of a log that has this size now. When the log
 * does not hold it the process ends: whatever it signs from here on is a fork.
 */
MUST_CHECK enum rc anchor_hold_to(struct db *db, uint64_t size, const struct checkpoint *shown,
                                  const char *shown_by);

#endif
