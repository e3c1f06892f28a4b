#include "store/commit_point.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "store/commit_pool.h"
#include "tlog/tlog_proof.h"
#include "tlog/view.h"

/* Views that wait for their next use; more are freed. */
#define IDLE_MAX 8

struct commit_point {
    atomic_size_t holds;
    struct commit_pool *pool;
    struct view *view;
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
    struct buffer note;
};

struct commit_pool {
    pthread_mutex_t lock;
    size_t leaf_max;
    size_t out; /* views and points */
    size_t idle_count;
    struct view *idle[IDLE_MAX];
};

struct commit_pool *commit_pool_new(size_t leaf_max)
{
    struct commit_pool *pool = calloc(1, sizeof *pool);

    if (pool != NULL) {
        pthread_mutex_init(&pool->lock, NULL);
        pool->leaf_max = leaf_max;
    }
    return pool;
}

void commit_pool_free(struct commit_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    assert(pool->out == 0);
    for (size_t i = 0; i < pool->idle_count; i++) {
        view_free(pool->idle[i]);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct view *commit_pool_take(struct commit_pool *pool)
{
    struct view *view = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count > 0) {
        view = pool->idle[--pool->idle_count];
    }
    pool->out++;
    pthread_mutex_unlock(&pool->lock);
    if (view != NULL) {
        return view;
    }
    view = view_new(pool->leaf_max);
    if (view == NULL) {
        pthread_mutex_lock(&pool->lock);
        pool->out--;
        pthread_mutex_unlock(&pool->lock);
    }
    return view;
}

void commit_pool_give(struct commit_pool *pool, struct view *view)
{
    if (view == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count < IDLE_MAX) {
        pool->idle[pool->idle_count++] = view;
        view = NULL;
    }
    pool->out--;
    pthread_mutex_unlock(&pool->lock);
    view_free(view);
}

struct commit_point *commit_point_new(struct commit_pool *pool, struct view *view,
                                      const struct checkpoint *checkpoint, struct buffer *note)
{
    struct commit_point *point = calloc(1, sizeof *point);

    if (point == NULL) {
        return NULL;
    }
    atomic_init(&point->holds, 1);
    point->pool = pool;
    point->view = view;
    point->size = checkpoint->size;
    memcpy(point->root, checkpoint->root, DIGEST_SIZE);
    point->note = *note;
    *note = (struct buffer){0};
    pthread_mutex_lock(&pool->lock);
    pool->out++;
    pthread_mutex_unlock(&pool->lock);
    return point;
}

struct commit_point *commit_point_hold(struct commit_point *point)
{
    atomic_fetch_add_explicit(&point->holds, 1, memory_order_relaxed);
    return point;
}

void commit_point_release(struct commit_point *point)
{
    if (point == NULL || atomic_fetch_sub_explicit(&point->holds, 1, memory_order_acq_rel) != 1) {
        return;
    }
    commit_pool_give(point->pool, point->view);
    pthread_mutex_lock(&point->pool->lock);
    point->pool->out--;
    pthread_mutex_unlock(&point->pool->lock);
    buffer_release(&point->note);
    free(point);
}

uint64_t commit_point_size(const struct commit_point *point)
{
    return point->size;
}

const uint8_t *commit_point_root(const struct commit_point *point)
{
    return point->root;
}

struct bytes commit_point_note(const struct commit_point *point)
{
    return buffer_bytes(&point->note);
}

enum rc commit_point_proof(const struct commit_point *point, uint64_t index, struct proof *proof)
{
    return point->view != NULL ? view_proof(point->view, index, proof) : RC_OUT_OF_RANGE;
}

enum rc commit_point_receipt(const struct commit_point *point, uint64_t index, struct buffer *text)
{
    struct proof path;

    TRY(commit_point_proof(point, index, &path));
    tlog_proof_write(index, &path, (struct bytes){0}, buffer_bytes(&point->note), text);
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
