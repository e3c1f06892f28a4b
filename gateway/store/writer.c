#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/append.h"
#include "store/body.h"
#include "store/commit_pool.h"
#include "store/recovery.h"
#include "store/table.h"
#include "tlog/view.h"

#define QUEUE_MAX 8192
#define BATCH_MAX 512
/* Of one commit: a view's memory, and how long the next batch waits. */
#define BATCH_LEAVES_MAX 1024
#define BATCH_BYTES_MAX ((size_t)16 << 20)
#define CHECK_READERS_MS 5000

static_assert(WRITE_LEAVES_MAX <= BATCH_LEAVES_MAX, "a write fits into a batch");

struct writer {
    struct db *db;
    const struct keyring *keyring;
    struct inbox *inbox;
    struct commit_pool *pool;
    size_t batch_max;
    pthread_t thread;
    bool is_running;
    /* The writer thread's. */
    struct inbox_item *waiting; /* taken and left over by the last cut */
    struct tree_edge edge;
    struct body_run bodies; /* of the batch at hand */
    bool is_note_stored;    /* of the newest commit */
    bool is_clock_behind;
    bool is_failing;
    int64_t checked_ms;
    /* Over the pointer only: the writer thread replaces it, any thread takes a hold. */
    pthread_mutex_t lock;
    struct commit_point *latest;
};

/* --- what a batch is --- */

static struct write *write_of(struct inbox_item *item)
{
    return (struct write *)item;
}

/* Cuts the list after the writes that fit into one commit, at least one; returns the rest. */
static struct inbox_item *cut(struct inbox_item *first)
{
    size_t leaves = 0;
    size_t bytes = 0;
    struct inbox_item *last = NULL;
    struct inbox_item *item = first;

    for (; item != NULL; last = item, item = item->next) {
        leaves += write_of(item)->leaves;
        bytes += write_of(item)->bytes;
        if (last != NULL && (leaves > BATCH_LEAVES_MAX || bytes > BATCH_BYTES_MAX)) {
            break;
        }
    }
    if (last != NULL) {
        last->next = NULL;
    }
    return item;
}

static struct inbox_item *next_batch(struct writer *writer, bool *is_closed)
{
    struct inbox_item *batch = writer->waiting;

    *is_closed = false;
    if (batch == NULL) {
        batch = inbox_take(writer->inbox, writer->batch_max, CHECK_READERS_MS, is_closed);
    }
    writer->waiting = batch != NULL ? cut(batch) : NULL;
    return batch;
}

/* --- one transaction --- */

/* Leaf times never go backward: a clock that did is waited out with the last time. */
static uint64_t batch_time(struct writer *writer)
{
    uint64_t now_s = (uint64_t)(clock_now_ms() / 1000);
    bool is_behind = now_s < writer->edge.last_time_s;

    if (is_behind && !writer->is_clock_behind) {
        log_warn("clock.behind", "by_s=%llu leaves keep the last time",
                 (unsigned long long)(writer->edge.last_time_s - now_s));
    }
    writer->is_clock_behind = is_behind;
    return is_behind ? writer->edge.last_time_s : now_s;
}

static enum rc apply_each(struct inbox_item *batch, struct txn *txn)
{
    for (struct inbox_item *item = batch; item != NULL; item = item->next) {
        struct write *write = write_of(item);
        size_t puts = txn_puts(txn);

        txn_append(txn)->left = write->leaves;
        write->rc = write->ops->apply(write, txn);
        TRY(txn_state(txn));
        /* A refusal leaves no trace. */
        assert(write->rc == RC_OK || txn_puts(txn) == puts);
    }
    return RC_OK;
}

static enum rc store_note(struct writer *writer, struct txn *txn)
{
    struct commit_point *point = writer->latest;

    return tree_commit_sign(txn, commit_point_size(point), commit_point_root(point),
                            commit_point_note(point));
}

static enum rc put_tree(struct writer *writer, struct txn *txn, const struct view *view)
{
    if (!writer->is_note_stored) {
        TRY(store_note(writer, txn));
    }
    if (view_size(view) == view_old_size(view)) {
        return RC_OK;
    }
    return tree_put(txn, view, txn_append(txn)->time_s, writer->edge.minimum_index);
}

/* Applies the batch and puts the tree; the transaction ends either way. */
static enum rc transact(struct writer *writer, struct inbox_item *batch, struct txn *txn,
                        struct append *append)
{
    enum rc rc;

    txn_set_append(txn, append);
    rc = apply_each(batch, txn);
    view_end(append->view);
    if (rc == RC_OK && txn_puts(txn) == 0) {
        txn_abort(txn);
        return RC_OK;
    }
    rc = rc == RC_OK ? body_run_put(txn, append->bodies) : rc;
    rc = rc == RC_OK ? put_tree(writer, txn, append->view) : rc;
    if (rc != RC_OK) {
        txn_abort(txn);
        return rc;
    }
    TRY(txn_commit(txn));
    writer->is_note_stored = true;
    return RC_OK;
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

static void answer_each(struct writer *writer, struct inbox_item *batch, enum rc rc)
{
    struct inbox_item *next;

    for (struct inbox_item *item = batch; item != NULL; item = next) {
        struct write *write = write_of(item);

        next = item->next; /* after done it is somebody else's */
        write->rc = rc == RC_OK ? write->rc : rc;
        write->point = commit_point_hold(writer->latest);
        write->ops->done(write);
    }
}

/* The view goes to a commit point, or back. */
static enum rc commit_batch(struct writer *writer, struct inbox_item *batch, struct view *view)
{
    struct append append = {.view = view,
                            .bodies = &writer->bodies,
                            .size = writer->edge.frontier.size,
                            .time_s = batch_time(writer)};
    struct txn *txn;
    enum rc rc = txn_write(writer->db, &txn);

    view_begin(view, &writer->edge.frontier);
    body_run_clear(&writer->bodies);
    if (rc == RC_OK) {
        rc = transact(writer, batch, txn, &append);
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

static void run_batch(struct writer *writer, struct inbox_item *batch)
{
    struct view *view = commit_pool_take(writer->pool);
    enum rc rc = view != NULL ? commit_batch(writer, batch, view)
                              : failed(RC_UNAVAILABLE, "writer.view", "cause=out of memory");

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
    rc = store_note(writer, txn);
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

    while (!is_closed) {
        struct inbox_item *batch = next_batch(writer, &is_closed);

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
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&writer->thread, NULL, writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "writer.thread", "cause=%s", strerror(error));
    }
    writer->is_running = true;
    pthread_setname_np(writer->thread, "writer");
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

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->db = options->db;
    made->keyring = options->keyring;
    made->batch_max = options->batch_max != 0 ? options->batch_max : BATCH_MAX;
    made->inbox = inbox_new(options->queue_max != 0 ? options->queue_max : QUEUE_MAX);
    made->pool = commit_pool_new(BATCH_LEAVES_MAX);
    if (made->inbox == NULL || made->pool == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(recover(made));
    TRY(start_thread(made));
    *writer = MOVE(made);
    return RC_OK;
}

void writer_stop(struct writer *writer)
{
    if (writer->is_running) {
        inbox_close(writer->inbox);
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
    body_run_release(&writer->bodies);
    inbox_free(writer->inbox);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

enum rc writer_submit(struct writer *writer, struct write *write)
{
    assert(write->leaves <= WRITE_LEAVES_MAX && write->bytes <= WRITE_BYTES_MAX);
    return inbox_put(writer->inbox, &write->item);
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
    return inbox_waiting(writer->inbox);
}

struct db *writer_db(const struct writer *writer)
{
    return writer->db;
}
