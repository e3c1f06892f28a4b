#include "rpc/cq.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/thread_mask.h"
#include "rpc/core.h"

#define QUEUES_MAX 64

struct cq {
    struct op rung; /* first: the tag of the doorbell */
    grpc_completion_queue *queue;
    grpc_call *doorbell; /* a call that goes nowhere: an empty batch on it wakes the thread */
    _Atomic(struct cq_post *) posts;
    pthread_t thread;
    unsigned index;
};

struct cq_pool {
    unsigned count;
    unsigned started;
    atomic_uint turn;
    grpc_channel *nowhere;
    struct cq queues[];
};

static void *run(void *arg)
{
    struct cq *cq = arg;
    grpc_event event;

    while ((event = grpc_completion_queue_next(cq->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL))
               .type != GRPC_QUEUE_SHUTDOWN) {
        struct op *op = event.tag;

        core_take_over(op);
        op->done(op, event.success != 0);
    }
    return NULL;
}

static struct cq_post *reversed(struct cq_post *post)
{
    struct cq_post *first = NULL;

    while (post != NULL) {
        struct cq_post *next = post->next;

        post->next = first;
        first = post;
        post = next;
    }
    return first;
}

static void on_rung(struct op *op, bool ok)
{
    struct cq *cq = (struct cq *)op;
    struct cq_post *post = reversed(atomic_exchange(&cq->posts, NULL));

    (void)ok;
    while (post != NULL) {
        struct cq_post *next = post->next; /* done may post it again */

        post->op.done(&post->op, true);
        post = next;
    }
}

void cq_post(struct cq *cq, struct cq_post *post)
{
    struct cq_post *head = atomic_load(&cq->posts);

    do {
        post->next = head;
    } while (!atomic_compare_exchange_weak(&cq->posts, &head, post));
    if (head == NULL) {
        core_start(cq->doorbell, NULL, 0, &cq->rung);
    }
}

/* Signals are the main thread's business. */
static int start_thread(struct cq *cq)
{
    sigset_t before;
    char name[16];
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&cq->thread, NULL, run, cq);
    thread_mask_end(&before);
    if (error == 0) {
        snprintf(name, sizeof name, "cq-%u", cq->index);
        pthread_setname_np(cq->thread, name);
    }
    return error;
}

static int cq_init(struct cq *cq, struct cq_pool *pool, unsigned index)
{
    cq->rung.done = on_rung;
    cq->index = index;
    atomic_init(&cq->posts, NULL);
    cq->queue = grpc_completion_queue_create_for_next(NULL);
    cq->doorbell = grpc_channel_create_call(pool->nowhere, NULL, GRPC_PROPAGATE_DEFAULTS, cq->queue,
                                            grpc_slice_from_static_string("/doorbell"), NULL,
                                            gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    return start_thread(cq);
}

static void cq_release(struct cq *cq)
{
    grpc_completion_queue_destroy(cq->queue);
}

struct cq_pool *cq_pool_new(unsigned count)
{
    struct cq_pool *pool;

    assert(count >= 1 && count <= QUEUES_MAX);
    pool = calloc(1, sizeof *pool + count * sizeof pool->queues[0]);
    if (pool == NULL) {
        return NULL;
    }
    core_begin();
    pool->nowhere = grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "nowhere");
    pool->count = count;
    for (unsigned i = 0; i < count; i++) {
        int error = cq_init(&pool->queues[i], pool, i);

        if (error != 0) {
            log_error("cq.start", "queue=%u cause=%d", i, error);
            grpc_call_unref(pool->queues[i].doorbell);
            grpc_completion_queue_shutdown(pool->queues[i].queue);
            (void)run(&pool->queues[i]);
            cq_release(&pool->queues[i]);
            cq_pool_free(pool);
            return NULL;
        }
        pool->started++;
    }
    return pool;
}

void cq_pool_free(struct cq_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (unsigned i = 0; i < pool->started; i++) {
        assert(!cq_is_here(&pool->queues[i]));
        grpc_call_unref(pool->queues[i].doorbell);
        grpc_completion_queue_shutdown(pool->queues[i].queue);
    }
    for (unsigned i = 0; i < pool->started; i++) {
        pthread_join(pool->queues[i].thread, NULL);
        cq_release(&pool->queues[i]);
    }
    grpc_channel_destroy(pool->nowhere);
    core_end();
    free(pool);
}

unsigned cq_pool_count(const struct cq_pool *pool)
{
    return pool->count;
}

struct cq *cq_pool_at(struct cq_pool *pool, unsigned index)
{
    assert(index < pool->count);
    return &pool->queues[index];
}

struct cq *cq_pool_next(struct cq_pool *pool)
{
    return &pool->queues[atomic_fetch_add(&pool->turn, 1) % pool->count];
}

bool cq_is_here(const struct cq *cq)
{
    return pthread_equal(cq->thread, pthread_self()) != 0;
}

grpc_completion_queue *cq_queue(const struct cq *cq)
{
    return cq->queue;
}
