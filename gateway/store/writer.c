#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/precedence.h"
#include "base/thread_mask.h"
#include "store/append.h"
#include "store/body.h"
#include "store/commit_pool.h"
#include "store/cosigned.h"
#include "store/leaf_clock.h"
#include "store/recovery.h"
#include "store/table.h"
#include "store/write_queue.h"
#include "tlog/view.h"

#define QUEUE_MAX 8192
#define BATCH_MAX 512
/* Of one commit: a view's memory, and how long the next batch waits. */
#define BATCH_LEAVES_MAX APPEND_LEAVES_MAX
#define BATCH_BYTES_MAX ((size_t)16 << 20)
#define CHECK_READERS_MS 5000
#define STORE_FAILURES_MAX 2

static_assert(WRITE_LEAVES_MAX <= BATCH_LEAVES_MAX, "a write fits into a batch");

struct writer {
    struct db *db;
    const struct keyring *keyring;
    struct write_queue *queue;
    struct commit_pool *pool;
    struct write_bounds batch; /* what fits into one commit */
    pthread_t thread;
    bool is_running;
    struct leaf_clock clock; /* any thread's */
    bool has_clock;
    /* The writer thread's. */
    struct tree_edge edge;
    struct gathered gathered; /* of the batch at hand */
    bool is_note_stored;      /* of the newest commit */
    bool is_failing;
    int64_t checked_ms;
    /* Over the pointer only: the writer thread replaces it, any thread takes a hold. */
    pthread_mutex_t lock;
    struct commit_point *latest;
};

/* --- what a batch is --- */

/* What a round found that did not come to its commit. */
struct halfway {
    struct write *bad; /* NULL: not for one write's sake */
    unsigned store_failures;
};

static struct write *write_of(struct inbox_item *item)
{
    return (struct write *)item;
}

static const char *name_of(const struct write *write)
{
    return write->ops->name != NULL ? write->ops->name : "write";
}

/* --- one transaction --- */

static uint64_t batch_time(struct writer *writer)
{
    struct leaf_clock_verdict verdict;

    leaf_clock_look(&writer->clock, &verdict);
    assert(verdict.leaf_s >= (int64_t)writer->edge.last_time_s);
    return (uint64_t)verdict.leaf_s;
}

/* Puts that nobody undoes one by one, or a store that failed under it. */
static void say_halfway(const struct write *write, enum rc rc, enum rc state)
{
    log_error("writer.halfway", "write=%s rc=%s store=%s leaves=%u bytes=%zu undone and refused",
              name_of(write), rc_name(rc), rc_name(state), write->leaves, write->bytes);
}

/* On failure *bad is the write that failed halfway. */
static enum rc apply_each(struct inbox_item *batch, struct txn *txn, struct halfway *halfway)
{
    for (struct inbox_item *item = batch; item != NULL; item = item->next) {
        struct write *write = write_of(item);
        size_t puts = txn_puts(txn);

        txn_append(txn)->left = write->leaves;
        write->rc = write->ops->apply(write, txn);
        if (txn_state(txn) != RC_OK || (write->rc != RC_OK && txn_puts(txn) != puts)) {
            say_halfway(write, write->rc, txn_state(txn));
            halfway->bad = write;
            halfway->store_failures += txn_state(txn) != RC_OK;
            return RC_UNAVAILABLE;
        }
    }
    return RC_OK;
}

/* The rows of the commit, with the note of the one before. */
static enum rc put_rows(struct writer *writer, struct txn *txn, const struct append *append)
{
    struct bytes note_before = {0};

    TRY(gathered_put_numbered(txn, append->gathered));
    if (view_size(append->view) == view_old_size(append->view)) {
        return RC_OK;
    }
    if (!writer->is_note_stored) {
        note_before = commit_point_note(writer->latest);
    }
    TRY(logrow_put(txn, append->view, note_before, append->gathered));
    return body_put_gathered(txn, append);
}

/* Applies the batch and puts the tree; the transaction ends either way. */
static enum rc transact(struct writer *writer, struct inbox_item *batch, struct txn *txn,
                        struct append *append, struct halfway *halfway)
{
    enum rc rc;

    txn_set_append(txn, append);
    rc = apply_each(batch, txn, halfway);
    view_end(append->view);
    if (rc == RC_OK && txn_puts(txn) == 0) {
        txn_abort(txn);
        return RC_OK;
    }
    rc = rc == RC_OK ? put_rows(writer, txn, append) : rc;
    if (rc != RC_OK) {
        txn_abort(txn);
        return rc;
    }
    return txn_commit(txn);
}

/* --- what a commit proves --- */

static void publish(struct writer *writer, struct commit_point *point)
{
    struct commit_point *before;

    pthread_mutex_lock(&writer->lock);
    before = writer->latest;
    writer->latest = point;
    pthread_mutex_unlock(&writer->lock);
    commit_point_release(before);
}

/*
 * The leaves are on disk: the root may be signed. There is no way back from here; if signing fails
 * the process ends and the next start signs.
 */
static void sign(struct writer *writer, struct view *view, uint64_t time_s)
{
    OWN(buffer) note = {0};
    struct checkpoint checkpoint = {.size = view_size(view)};
    const char *origin = db_origin(writer->db);
    struct commit_point *point;

    memcpy(checkpoint.origin, origin, strlen(origin) + 1);
    memcpy(checkpoint.root, view_root(view), DIGEST_SIZE);
    writer->edge.frontier = *view_frontier(view);
    writer->edge.last_time_s = time_s;
    leaf_clock_used(&writer->clock, (int64_t)time_s);
    if (checkpoint_sign(&checkpoint, writer->keyring, &note) != RC_OK) {
        db_fatal("checkpoint.sign", "the log's key does not sign");
    }
    point = commit_point_new(writer->pool, view, &checkpoint, &note);
    if (point == NULL) {
        db_fatal("checkpoint.sign", "out of memory");
    }
    writer->is_note_stored = false;
    publish(writer, point);
}

static void answer(struct writer *writer, struct write *write, enum rc rc)
{
    write->rc = rc;
    write->point = commit_point_hold(writer->latest);
    write->ops->done(write); /* somebody else's from here on */
}

static void answer_each(struct writer *writer, struct inbox_item *batch, enum rc rc)
{
    struct inbox_item *next;

    for (struct inbox_item *item = batch; item != NULL; item = next) {
        next = item->next;
        answer(writer, write_of(item), rc == RC_OK ? write_of(item)->rc : rc);
    }
}

/* The view goes to a commit point, or back. */
static enum rc commit_batch(struct writer *writer, struct inbox_item *batch, struct view *view,
                            struct halfway *halfway)
{
    struct append append = {.view = view,
                            .gathered = &writer->gathered,
                            .size = writer->edge.frontier.size,
                            .time_s = batch_time(writer)};
    struct txn *txn;
    enum rc rc = txn_write(writer->db, &txn);

    view_begin(view, &writer->edge.frontier);
    gathered_clear(&writer->gathered);
    if (rc == RC_OK) {
        rc = transact(writer, batch, txn, &append, halfway);
    }
    if (rc != RC_OK || view_size(view) == view_old_size(view)) {
        commit_pool_give(writer->pool, view);
        return rc;
    }
    sign(writer, view, append.time_s);
    return RC_OK;
}

/* One line when writing begins to fail and one when it is over, not one for each batch. */
static void note_outcome(struct writer *writer, enum rc rc)
{
    if (rc != RC_OK && !writer->is_failing) {
        log_error("writer.failing", "rc=%s nothing is accepted", rc_name(rc));
    } else if (rc == RC_OK && writer->is_failing) {
        log_info("writer.recovered", "size=%llu", (unsigned long long)writer->edge.frontier.size);
    }
    writer->is_failing = rc != RC_OK;
}

static enum rc try_batch(struct writer *writer, struct inbox_item *batch, struct halfway *halfway)
{
    struct view *view = commit_pool_take(writer->pool);

    if (view == NULL) {
        return failed(RC_UNAVAILABLE, "writer.view", "cause=out of memory");
    }
    return commit_batch(writer, batch, view, halfway);
}

/* Answers the bad write and those that can not be applied twice; returns the others. */
static struct inbox_item *without(struct writer *writer, struct inbox_item *batch,
                                  const struct write *bad)
{
    struct inbox_item *first = NULL;
    struct inbox_item **last = &first;
    struct inbox_item *next;

    for (struct inbox_item *item = batch; item != NULL; item = next) {
        struct write *write = write_of(item);

        next = item->next;
        if (write == bad || write->ops->again == NULL) {
            answer(writer, write, RC_UNAVAILABLE);
            continue;
        }
        write->ops->again(write);
        item->next = NULL;
        *last = item;
        last = &item->next;
    }
    return first;
}

/*
 * Each round answers at least one write, so it ends. One put that the store does not take may be
 * the write's fault; the second says that it is the store's, and nobody is tried again.
 */
static void run_batch(struct writer *writer, struct inbox_item *batch)
{
    struct halfway halfway = {0};
    enum rc rc;

    do {
        halfway.bad = NULL;
        rc = try_batch(writer, batch, &halfway);
        if (halfway.bad != NULL && halfway.store_failures < STORE_FAILURES_MAX) {
            batch = without(writer, batch, halfway.bad);
            rc = halfway.store_failures > 0 ? rc : RC_OK;
        }
    } while (halfway.bad != NULL && batch != NULL && halfway.store_failures < STORE_FAILURES_MAX);
    note_outcome(writer, rc);
    answer_each(writer, batch, rc == RC_OK ? RC_OK : RC_UNAVAILABLE);
}

/* --- the thread --- */

static void check_readers(struct writer *writer)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms - writer->checked_ms >= CHECK_READERS_MS) {
        writer->checked_ms = now_ms;
        db_check_readers(writer->db);
    }
}

/* In an orderly stop the last note does not wait for a next commit. */
static void store_last_note(struct writer *writer)
{
    struct txn *txn;
    enum rc rc;

    if (writer->is_note_stored || txn_write(writer->db, &txn) != RC_OK) {
        return;
    }
    rc =
        tree_commit_sign(txn, commit_point_size(writer->latest), commit_point_note(writer->latest));
    if (rc == RC_OK) {
        rc = txn_commit(txn);
    } else {
        txn_abort(txn);
    }
    writer->is_note_stored = rc == RC_OK;
}

static void *writer_main(void *argument)
{
    struct writer *writer = argument;
    bool is_closed = false;

    precedence_take();
    while (!is_closed) {
        struct inbox_item *batch =
            write_queue_take(writer->queue, &writer->batch, CHECK_READERS_MS, &is_closed);

        if (batch != NULL) {
            run_batch(writer, batch);
        }
        check_readers(writer);
    }
    store_last_note(writer);
    return NULL;
}

/* Signals are for the main thread. */
static enum rc start_thread(struct writer *writer)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&writer->thread, NULL, writer_main, writer);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "writer.thread", "cause=%s", strerror(error));
    }
    writer->is_running = true;
    pthread_setname_np(writer->thread, "writer");
    return RC_OK;
}

/* The log's last time, and its witnesses'. */
static enum rc begin_clock(struct writer *writer)
{
    struct cosigned last = {0};
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(writer->db, &txn));
    rc = cosigned_last(txn, &last);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    leaf_clock_begin(&writer->clock, (int64_t)writer->edge.last_time_s, (int64_t)last.time_s);
    writer->has_clock = true;
    return RC_OK;
}

static enum rc recover(struct writer *writer)
{
    OWN(recovery) found = {0};

    TRY(recovery_run(writer->db, writer->keyring, &found));
    writer->edge = found.edge;
    writer->is_note_stored = found.is_note_stored;
    writer->latest = commit_point_new(writer->pool, NULL, &found.checkpoint, &found.note);
    return writer->latest != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

enum rc writer_new(const struct writer_options *options, struct writer **writer)
{
    OWN_PTR(writer) made = calloc(1, sizeof *made);
    const struct write_bounds most = {
        .count = options->queue_max != 0 ? options->queue_max : QUEUE_MAX,
        .bytes = WRITER_QUEUE_BYTES_MAX,
    };

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->db = options->db;
    made->keyring = options->keyring;
    made->batch = (struct write_bounds){
        .count = options->batch_max != 0 ? options->batch_max : BATCH_MAX,
        .leaves = BATCH_LEAVES_MAX,
        .bytes = BATCH_BYTES_MAX,
    };
    made->queue = write_queue_new(&most);
    made->pool = commit_pool_new(BATCH_LEAVES_MAX);
    if (made->queue == NULL || made->pool == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(recover(made));
    TRY(begin_clock(made));
    TRY(start_thread(made));
    *writer = MOVE(made);
    return RC_OK;
}

void writer_stop(struct writer *writer)
{
    if (writer->is_running) {
        write_queue_close(writer->queue);
        pthread_join(writer->thread, NULL);
        writer->is_running = false;
    }
}

void writer_free(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    writer_stop(writer);
    commit_point_release(writer->latest);
    commit_pool_free(writer->pool);
    gathered_release(&writer->gathered);
    write_queue_free(writer->queue);
    if (writer->has_clock) {
        leaf_clock_end(&writer->clock);
    }
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

enum rc writer_submit(struct writer *writer, struct write *write)
{
    assert(write->leaves <= WRITE_LEAVES_MAX && write->bytes <= WRITE_BYTES_MAX);
    return write_queue_put(writer->queue, write);
}

struct commit_point *writer_latest(struct writer *writer)
{
    struct commit_point *point;

    pthread_mutex_lock(&writer->lock);
    point = commit_point_hold(writer->latest);
    pthread_mutex_unlock(&writer->lock);
    return point;
}

size_t writer_waiting(struct writer *writer)
{
    return write_queue_waiting(writer->queue);
}

struct db *writer_db(const struct writer *writer)
{
    return writer->db;
}

struct leaf_clock *writer_clock(struct writer *writer)
{
    return &writer->clock;
}
