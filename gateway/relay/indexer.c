#include "relay/indexer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/facts.h"
#include "relay/node.h"
#include "relay/postings.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/writer.h"

#define IDLE_MS 50
/*
 * While the log grows, rows gather: put together, those of one term share their pages. Queries look
 * at so many leaves themselves.
 */
#define GATHER_LEAVES 8192
#define GATHER_MS 500
/* After a failure: a full disk, say. */
#define PAUSE_MS 1000
/* Leaves of one read transaction, and of one commit. */
#define READ_LEAVES 512
#define PUT_LEAVES 16384
#define CHECK_ROWS 65536
#define ARENA_MAX ((size_t)1 << 20)
/* Below the threads that answer somebody. */
#define NICENESS 5

struct indexer {
    const struct node *node;
    struct index *index;
    struct index_batch *batch;
    struct arena *arena;
    struct index_walk walk;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_bool is_rebuild_wanted;
    atomic_bool is_distrusted;
    atomic_bool is_forgetting; /* what the next one lacks was erased or pruned */
    bool is_late;
    uint64_t looked_size; /* of the log, when last looked at */
    int64_t followed_ms;  /* when it last had nothing to put, or put it */
    pthread_mutex_t lock; /* over what follows */
    struct indexer_status status;
};

static uint64_t log_size(const struct indexer *indexer)
{
    struct commit_point *point = writer_latest(indexer->node->writer);
    uint64_t size = commit_point_size(point);

    commit_point_release(point);
    return size;
}

static enum rc read_leaf(struct indexer *indexer, struct txn *txn, uint64_t leaf)
{
    struct index_term terms[FACTS_TERMS_MAX];
    struct facts facts;
    size_t count;

    arena_reset(indexer->arena);
    TRY(facts_read(txn, leaf, indexer->arena, &facts));
    TRY(facts_read_persons(indexer->node, txn, &facts));
    count = facts_terms(&facts, terms);
    for (size_t i = 0; i < count; i++) {
        TRY(index_batch_add(indexer->batch, leaf, &terms[i]));
    }
    return RC_OK;
}

/* One that is made anew is made of the log alone: it is compared with what memory gave. */
static enum rc gather_leaf(struct indexer *indexer, struct txn *txn, uint64_t leaf)
{
    const struct posting *posting =
        index_is_rebuilding(indexer->index) ? NULL : postings_find(indexer->node->postings, leaf);

    if (posting == NULL) {
        return read_leaf(indexer, txn, leaf);
    }
    for (size_t i = 0; i < posting->count; i++) {
        TRY(index_batch_add_prefix(indexer->batch, leaf, posting->prefixes[i]));
    }
    return RC_OK;
}

static enum rc gather_some(struct indexer *indexer, uint64_t from, uint64_t to)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(indexer->node->db, &txn));
    for (uint64_t leaf = from; leaf < to; leaf++) {
        enum rc rc = gather_leaf(indexer, txn, leaf);

        /* What cannot be read is found by nothing; the log's own checks name it. */
        if (rc != RC_OK && rc != RC_DATA_LOSS && rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc follow(struct indexer *indexer, uint64_t from, uint64_t to)
{
    index_batch_clear(indexer->batch);
    for (uint64_t at = from; at < to && !atomic_load(&indexer->is_stopping); at += READ_LEAVES) {
        TRY(gather_some(indexer, at, to - at < READ_LEAVES ? to : at + READ_LEAVES));
    }
    return atomic_load(&indexer->is_stopping) ? RC_CANCELLED
                                              : index_put(indexer->index, indexer->batch, to);
}

static void watch_lag(struct indexer *indexer, uint64_t size)
{
    uint64_t lag = size - index_up_to(indexer->index);

    if (lag > INDEXER_LAG_MAX && !indexer->is_late) {
        log_warn("index.late", "leaves=%" PRIu64 " most=%" PRIu64 " queries take longer", lag,
                 INDEXER_LAG_MAX);
        indexer->is_late = true;
    } else if (indexer->is_late && lag < INDEXER_LAG_MAX / 2) {
        log_info("index.caught_up", "leaves=%" PRIu64, lag);
        indexer->is_late = false;
    }
}

static void say(struct indexer *indexer, enum indexer_state state, uint64_t size)
{
    pthread_mutex_lock(&indexer->lock);
    indexer->status.state = state;
    indexer->status.up_to = index_up_to(indexer->index);
    indexer->status.size = size;
    indexer->status.rebuilt_to =
        state == INDEXER_REBUILDING ? index_put_up_to(indexer->index) : indexer->status.up_to;
    pthread_mutex_unlock(&indexer->lock);
}

static enum rc begin_anew(struct indexer *indexer, const char *cause)
{
    log_error("index.begun_anew", "cause=%s queries read the log itself until it has caught up",
              cause);
    indexer->walk = (struct index_walk){0};
    return index_renew(indexer->index);
}

static enum rc end_rebuild(struct indexer *indexer)
{
    struct index_difference difference;

    bool is_forgetting;

    TRY(index_rebuild_end(indexer->index, &difference));
    is_forgetting = atomic_exchange(&indexer->is_forgetting, false);
    if (is_forgetting && difference.missing == 0) {
        log_info("index.rebuilt", "rows=%" PRIu64 " gone=%" PRIu64 " by an erasure",
                 difference.rows, difference.extra);
    } else if (difference.missing + difference.extra > 0) {
        log_error("index.differed",
                  "missing=%" PRIu64 " extra=%" PRIu64 " rows=%" PRIu64 " first_leaf=%" PRIu64,
                  difference.missing, difference.extra, difference.rows, difference.first_leaf);
    } else {
        log_info("index.rebuilt", "rows=%" PRIu64 " the old one was the same", difference.rows);
    }
    pthread_mutex_lock(&indexer->lock);
    indexer->status.rebuilds++;
    indexer->status.has_difference = true;
    indexer->status.difference = difference;
    indexer->status.state = INDEXER_FOLLOWING;
    pthread_mutex_unlock(&indexer->lock);
    return RC_OK;
}

/* What stands still is followed at once. */
static bool is_gathering(struct indexer *indexer, uint64_t lag, uint64_t size)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_growing = size != indexer->looked_size;

    indexer->looked_size = size;
    if (lag > 0 && is_growing && lag < GATHER_LEAVES && now_ms - indexer->followed_ms < GATHER_MS) {
        return true;
    }
    indexer->followed_ms = now_ms;
    return false;
}

/* One step of following, to the index in force or to the one that is made anew. */
static enum rc step(struct indexer *indexer)
{
    uint64_t size = log_size(indexer);
    uint64_t from = index_put_up_to(indexer->index);
    bool is_rebuilding = index_is_rebuilding(indexer->index);

    say(indexer, is_rebuilding ? INDEXER_REBUILDING : INDEXER_FOLLOWING, size);
    watch_lag(indexer, size);
    if (!is_rebuilding && is_gathering(indexer, size - from, size)) {
        clock_sleep_ms(IDLE_MS);
        return RC_OK;
    }
    if (from < size) {
        TRY(follow(indexer, from, size - from < PUT_LEAVES ? size : from + PUT_LEAVES));
        say(indexer, is_rebuilding ? INDEXER_REBUILDING : INDEXER_FOLLOWING, size);
        return RC_OK;
    }
    if (is_rebuilding) {
        return end_rebuild(indexer);
    }
    clock_sleep_ms(IDLE_MS);
    return RC_OK;
}

static enum rc check(struct indexer *indexer, bool *is_checked)
{
    enum rc rc = index_check(indexer->index, &indexer->walk, CHECK_ROWS);

    say(indexer, INDEXER_CHECKING, log_size(indexer));
    if (rc == RC_OUT_OF_RANGE) {
        log_info("index.checked", "rows=%" PRIu64 " up_to=%" PRIu64, indexer->walk.rows,
                 index_up_to(indexer->index));
        *is_checked = true;
        return RC_OK;
    }
    if (rc == RC_DATA_LOSS) {
        *is_checked = true;
        return begin_anew(indexer, "it is not what was put");
    }
    return rc;
}

/* An index of another log, or of more than this log has, is of no use. */
static enum rc check_extent(struct indexer *indexer)
{
    return index_up_to(indexer->index) > log_size(indexer)
               ? begin_anew(indexer, "it is of a longer log")
               : RC_OK;
}

static void *run(void *argument)
{
    struct indexer *indexer = argument;
    bool is_checked = false;
    enum rc rc;

    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    rc = check_extent(indexer);
    while (!atomic_load(&indexer->is_stopping)) {
        if (atomic_exchange(&indexer->is_distrusted, false)) {
            rc = begin_anew(indexer, "a reader found it damaged");
        } else if (!is_checked) {
            rc = check(indexer, &is_checked);
        } else if (atomic_exchange(&indexer->is_rebuild_wanted, false) &&
                   !index_is_rebuilding(indexer->index)) {
            rc = index_rebuild_begin(indexer->index);
        } else {
            rc = step(indexer);
        }
        if (rc == RC_DATA_LOSS) {
            rc = begin_anew(indexer, "it cannot be written");
        }
        if (rc != RC_OK && rc != RC_CANCELLED) {
            clock_sleep_ms(PAUSE_MS);
        }
    }
    return NULL;
}

enum rc indexer_start(const struct node *node, struct index *index, struct indexer **out)
{
    OWN_PTR(indexer) indexer = calloc(1, sizeof *indexer);

    if (indexer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&indexer->lock, NULL);
    indexer->index = index;
    indexer->batch = index_batch_new();
    indexer->arena = arena_new(ARENA_MAX);
    if (indexer->batch == NULL || indexer->arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    indexer->node = node;
    if (pthread_create(&indexer->thread, NULL, run, indexer) != 0) {
        indexer->node = NULL;
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(indexer->thread, "index");
    *out = MOVE(indexer);
    return RC_OK;
}

void indexer_free(struct indexer *indexer)
{
    if (indexer == NULL) {
        return;
    }
    if (indexer->node != NULL) {
        atomic_store(&indexer->is_stopping, true);
        pthread_join(indexer->thread, NULL);
    }
    index_batch_free(indexer->batch);
    arena_free(indexer->arena);
    pthread_mutex_destroy(&indexer->lock);
    free(indexer);
}

void indexer_status(struct indexer *indexer, struct indexer_status *status)
{
    pthread_mutex_lock(&indexer->lock);
    *status = indexer->status;
    if (atomic_load(&indexer->is_rebuild_wanted)) {
        status->state = INDEXER_REBUILDING;
    }
    pthread_mutex_unlock(&indexer->lock);
}

void indexer_rebuild(struct indexer *indexer)
{
    atomic_store(&indexer->is_rebuild_wanted, true);
}

void indexer_forget(struct indexer *indexer)
{
    atomic_store(&indexer->is_forgetting, true);
    indexer_rebuild(indexer);
}

void indexer_distrust(struct indexer *indexer)
{
    atomic_store(&indexer->is_distrusted, true);
}
