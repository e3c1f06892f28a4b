#include "store/write_queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "store/writer.h"

/* Of each bound: what only urgent writes may use, and what of a batch they leave to others. */
#define RESERVE_PART 4
#define SHARE_PART 8

struct waiting {
    struct inbox_item *first;
    struct inbox_item **last;
};

struct write_queue {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct waiting ordinary;
    struct waiting urgent;
    struct waiting patient;
    int64_t patient_since_ms; /* monotonic: when the oldest of them came */
    size_t count;             /* of all three */
    size_t bytes;
    struct write_bounds most;
    size_t taken; /* writes of the newest batch */
    bool is_closed;
    bool has_sleeper;  /* only then does putting cost a wake-up */
    bool is_gathering; /* the sleeper has a batch, and looks again by itself */
};

/* A batch as it is put together. */
struct taken {
    struct inbox_item *first;
    struct inbox_item **last;
    struct write_bounds sum;
};

static struct write *write_of(struct inbox_item *item)
{
    return (struct write *)item;
}

struct write_queue *write_queue_new(const struct write_bounds *most)
{
    struct write_queue *queue = calloc(1, sizeof *queue);
    pthread_condattr_t attributes;

    if (queue == NULL) {
        return NULL;
    }
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->some, &attributes);
    pthread_condattr_destroy(&attributes);
    queue->ordinary.last = &queue->ordinary.first;
    queue->urgent.last = &queue->urgent.first;
    queue->patient.last = &queue->patient.first;
    queue->most = *most;
    return queue;
}

void write_queue_free(struct write_queue *queue)
{
    if (queue != NULL) {
        assert(queue->count == 0);
        pthread_cond_destroy(&queue->some);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
    }
}

/* ---- putting ---- */

/* An empty queue has room for anything. */
static bool has_room(const struct write_queue *queue, const struct write *write)
{
    size_t parts = write->is_urgent ? RESERVE_PART + 1 : RESERVE_PART;

    return queue->count == 0 ||
           (queue->count < queue->most.count * parts / RESERVE_PART &&
            queue->bytes + write->bytes <= queue->most.bytes / RESERVE_PART * parts);
}

static struct waiting *list_of(struct write_queue *queue, const struct write *write)
{
    if (write->is_urgent) {
        return &queue->urgent;
    }
    return write->is_patient ? &queue->patient : &queue->ordinary;
}

static void append(struct write_queue *queue, struct write *write)
{
    struct waiting *waiting = list_of(queue, write);

    if (waiting == &queue->patient && waiting->first == NULL) {
        queue->patient_since_ms = clock_monotonic_ms();
    }

    write->item.next = NULL;
    *waiting->last = &write->item;
    waiting->last = &write->item.next;
    queue->count++;
    queue->bytes += write->bytes;
}

enum rc write_queue_put(struct write_queue *queue, struct write *write)
{
    enum rc rc = RC_OK;
    bool wake = false;

    pthread_mutex_lock(&queue->lock);
    if (queue->is_closed) {
        rc = RC_UNAVAILABLE;
    } else if (!has_room(queue, write)) {
        rc = RC_RESOURCE_EXHAUSTED;
    } else {
        append(queue, write);
        wake = queue->has_sleeper && (!queue->is_gathering || write->is_urgent);
        queue->has_sleeper = queue->has_sleeper && !wake;
    }
    pthread_mutex_unlock(&queue->lock);
    if (wake) {
        pthread_cond_signal(&queue->some);
    }
    return rc;
}

/* ---- taking, under the lock ---- */

static bool is_patience_over(const struct write_queue *queue)
{
    return queue->patient.first != NULL &&
           clock_monotonic_ms() >= queue->patient_since_ms + WRITE_PATIENCE_MS;
}

static bool is_batch_due(const struct write_queue *queue)
{
    return queue->urgent.first != NULL || queue->ordinary.first != NULL || queue->is_closed ||
           is_patience_over(queue);
}

static void wait_for_some(struct write_queue *queue, int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    while (!is_batch_due(queue)) {
        int64_t wake_ms = until_ms;
        struct timespec wake;

        if (queue->patient.first != NULL && queue->patient_since_ms + WRITE_PATIENCE_MS < wake_ms) {
            wake_ms = queue->patient_since_ms + WRITE_PATIENCE_MS;
        }
        wake.tv_sec = wake_ms / 1000;
        wake.tv_nsec = (long)(wake_ms % 1000) * 1000000;
        queue->has_sleeper = true;
        if (pthread_cond_timedwait(&queue->some, &queue->lock, &wake) != 0 &&
            clock_monotonic_ms() >= until_ms) {
            return;
        }
    }
}

static struct timespec at_us(int64_t instant_us)
{
    return (struct timespec){.tv_sec = instant_us / 1000000,
                             .tv_nsec = (long)(instant_us % 1000000) * 1000};
}

static bool may_gather(const struct write_queue *queue, const struct write_bounds *batch)
{
    return queue->taken >= GATHER_LEAST && queue->urgent.first == NULL && !queue->is_closed &&
           queue->count < batch->count && queue->bytes < batch->bytes;
}

static void gather(struct write_queue *queue, const struct write_bounds *batch)
{
    int64_t now_us = clock_monotonic_us();
    int64_t until_us = now_us + GATHER_MOST_US;
    size_t before = 0;

    queue->is_gathering = true;
    while (may_gather(queue, batch) && queue->count > before && now_us < until_us) {
        struct timespec wake = at_us(now_us + GATHER_SLICE_US);

        before = queue->count;
        queue->has_sleeper = true;
        (void)pthread_cond_timedwait(&queue->some, &queue->lock, &wake);
        now_us = clock_monotonic_us();
    }
    queue->has_sleeper = false;
    queue->is_gathering = false;
}

static bool fits(const struct taken *taken, const struct write *write,
                 const struct write_bounds *bounds)
{
    return taken->sum.count == 0 || (taken->sum.count < bounds->count &&
                                     taken->sum.leaves + write->leaves <= bounds->leaves &&
                                     taken->sum.bytes + write->bytes <= bounds->bytes);
}

static void take_from(struct write_queue *queue, struct waiting *waiting, struct taken *taken,
                      const struct write_bounds *bounds)
{
    struct inbox_item *item;

    while ((item = waiting->first) != NULL && fits(taken, write_of(item), bounds)) {
        waiting->first = item->next;
        item->next = NULL;
        *taken->last = item;
        taken->last = &item->next;
        taken->sum.count++;
        taken->sum.leaves += write_of(item)->leaves;
        taken->sum.bytes += write_of(item)->bytes;
        queue->count--;
        queue->bytes -= write_of(item)->bytes;
    }
    if (waiting->first == NULL) {
        waiting->last = &waiting->first;
    }
}

static struct write_bounds urgent_bounds(const struct write_bounds *batch, bool is_alone)
{
    struct write_bounds bounds = *batch;

    if (!is_alone) {
        bounds.count -= batch->count / SHARE_PART;
        bounds.leaves -= batch->leaves / SHARE_PART;
        bounds.bytes -= batch->bytes / SHARE_PART;
    }
    return bounds;
}

struct inbox_item *write_queue_take(struct write_queue *queue, const struct write_bounds *batch,
                                    int timeout_ms, bool *is_closed)
{
    struct taken taken = {.last = &taken.first};
    struct write_bounds urgent;

    pthread_mutex_lock(&queue->lock);
    wait_for_some(queue, timeout_ms);
    if (!is_batch_due(queue)) {
        *is_closed = false;
        pthread_mutex_unlock(&queue->lock);
        return NULL;
    }
    gather(queue, batch);
    urgent = urgent_bounds(batch, queue->ordinary.first == NULL);
    take_from(queue, &queue->urgent, &taken, &urgent);
    if (is_patience_over(queue)) {
        take_from(queue, &queue->patient, &taken, batch);
    }
    take_from(queue, &queue->ordinary, &taken, batch);
    take_from(queue, &queue->urgent, &taken, batch); /* what ordinary ones left over */
    take_from(queue, &queue->patient, &taken, batch);
    queue->taken = taken.sum.count;
    *is_closed = queue->is_closed && taken.first == NULL;
    pthread_mutex_unlock(&queue->lock);
    return taken.first;
}

void write_queue_close(struct write_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_broadcast(&queue->some);
}

size_t write_queue_waiting(struct write_queue *queue)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
