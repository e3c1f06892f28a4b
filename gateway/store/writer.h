/*
 * writer - the one thread that writes `log/`, and its group commit.
 *
 *     any thread --writer_submit()--> writer thread: apply ... commit, sign, done --> any thread
 *
 * It takes what waits, urgent writes first, bounded by count, leaves and bytes (delayed a moment to
 * gather more only under load and never for an urgent one, write_queue.h), applies each write in
 * one transaction, commits once with full sync, signs the root of the tree that is now on disk, and
 * only then answers. Within an urgency the order of answers is the order of submission.
 *
 * A write that fails halfway (a code other than RC_OK after a put, or a put that the store does not
 * take) takes nobody along: the transaction is aborted, this write is answered RC_UNAVAILABLE, and
 * those beside it that can be applied again are, without it.
 *
 * A crash between commit and signature leaves leaves that are durable and unsigned; the next start
 * signs them. The note of a commit is written along with the next commit; until then its root alone
 * stands in the row, and signing it again gives the same bytes.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/inbox.h"
#include "store/commit_point.h"

struct db;
struct keyring;
struct leaf_clock;
struct txn;
struct write;
struct writer;

struct write_ops {
    /* For the line that says which write failed halfway; constant. NULL: "write". */
    const char *name;
    /*
     * On the writer thread, in the batch's transaction: checks everything, then puts. A code other
     * than RC_OK before any put is a refusal and leaves no trace; after a put the whole write is
     * undone and answered RC_UNAVAILABLE. It sees what the writes before it in the batch did. Must
     * not block.
     */
    enum rc (*apply)(struct write *write, struct txn *txn);
    /*
     * On the writer thread, when apply's transaction was aborted because of another write: forgets
     * what apply found and made (it may have seen rows that now do not exist), so that apply can
     * run again as if for the first time. NULL: it can not, and is answered RC_UNAVAILABLE.
     */
    void (*again)(struct write *write);
    /*
     * On the writer thread, when the batch stands and its checkpoint is signed, or when it failed.
     * Only hands the object over: it belongs to this call from here on, write->point included.
     */
    void (*done)(struct write *write);
};

/* How long a patient write waits for a batch to ride along with. */
#define WRITE_PATIENCE_MS 5
#define WRITE_LEAVES_MAX 256
#define WRITE_BYTES_MAX ((size_t)8 << 20)
/* Of all that waits; a quarter more for urgent writes. */
#define WRITER_QUEUE_BYTES_MAX ((size_t)64 << 20)

/*
 * Placed first in the waiting object. `leaves` and `bytes` say before how many leaves it may append
 * at most (0..WRITE_LEAVES_MAX; more is a bug) and about how many bytes it puts: a batch is cut by
 * them.
 */
struct write {
    struct inbox_item item;
    const struct write_ops *ops;
    unsigned leaves;
    size_t bytes;
    bool is_urgent;  /* taken before all that are not; set it before writer_submit */
    bool is_patient; /* nobody waits for it: rides along with the next batch */
    /* Set before done. RC_UNAVAILABLE: the batch did not stand, nothing of it is on disk. */
    enum rc rc;
    /* Held for the one that is answered; never NULL: the batch's, or the newest before it. */
    struct commit_point *point;
};

struct writer_options {
    struct db *db;                 /* of kind DB_LOG; outlives the writer */
    const struct keyring *keyring; /* the log's key; likewise */
    size_t queue_max;              /* writes that wait; 0: 8,192; a quarter more for urgent ones */
    size_t batch_max;              /* writes of one commit; 0: 512 */
};

/*
 * Rebuilds the tree's edge from disk, checks it against the rows and the newest checkpoint, signs
 * what is durable and unsigned, starts the thread. RC_DATA_LOSS: the log contradicts itself; the
 * line names what. RC_FAILED_PRECONDITION: the newest checkpoint is signed by another key.
 */
MUST_CHECK enum rc writer_new(const struct writer_options *options, struct writer **writer);
/* Stops if need be, then frees. NULL does nothing. */
void writer_free(struct writer *writer);
OWN_PTR_DEFINE(writer)

/*
 * Hands the write over. RC_RESOURCE_EXHAUSTED: the queue is full; RC_UNAVAILABLE: stopping. Then
 * the write stays the caller's and done is not called. Any thread.
 */
MUST_CHECK enum rc writer_submit(struct writer *writer, struct write *write);
/* Takes no more, does what waits, ends the thread. Not from the writer thread. */
void writer_stop(struct writer *writer);

/*
 * The newest signed commit, held for the caller; of an empty log it has size 0. Any thread. A read
 * transaction begun after this call sees all of it; one begun before may not.
 */
struct commit_point *writer_latest(struct writer *writer);
size_t writer_waiting(struct writer *writer);
struct db *writer_db(const struct writer *writer);
/* The time its leaves get. The writer's; any thread. */
struct leaf_clock *writer_clock(struct writer *writer);

#endif
