#include "base/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct inbox_item *first;
    struct inbox_item **last;
    size_t waiting;
    size_t max;
    bool is_closed;
    bool has_sleeper; /* only then does putting cost a wake-up */
};

struct inbox *inbox_new(size_t max)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    pthread_condattr_t attributes;

    if (inbox == NULL) {
        return NULL;
    }
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->some, &attributes);
    pthread_condattr_destroy(&attributes);
    inbox->last = &inbox->first;
    inbox->max = max;
    return inbox;
}

void inbox_free(struct inbox *inbox)
{
    if (inbox != NULL) {
        pthread_cond_destroy(&inbox->some);
        pthread_mutex_destroy(&inbox->lock);
        free(inbox);
    }
}

enum rc inbox_put(struct inbox *inbox, struct inbox_item *item)
{
    enum rc rc = RC_OK;
    bool wake = false;

    pthread_mutex_lock(&inbox->lock);
    if (inbox->is_closed) {
        rc = RC_UNAVAILABLE;
    } else if (inbox->waiting >= inbox->max) {
        rc = RC_RESOURCE_EXHAUSTED;
    } else {
        item->next = NULL;
        *inbox->last = item;
        inbox->last = &item->next;
        inbox->waiting++;
        wake = inbox->has_sleeper;
        inbox->has_sleeper = false;
    }
    pthread_mutex_unlock(&inbox->lock);
    if (wake) {
        pthread_cond_signal(&inbox->some);
    }
    return rc;
}

static void wait_for_some(struct inbox *inbox, int timeout_ms)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000;
    }
    while (inbox->first == NULL && !inbox->is_closed && rc == 0) {
        inbox->has_sleeper = true;
        rc = timeout_ms < 0 ? pthread_cond_wait(&inbox->some, &inbox->lock)
                            : pthread_cond_timedwait(&inbox->some, &inbox->lock, &until);
    }
}

struct inbox_item *inbox_take(struct inbox *inbox, size_t max, int timeout_ms, bool *is_closed)
{
    struct inbox_item *first;
    struct inbox_item **end;
    size_t taken = 0;

    pthread_mutex_lock(&inbox->lock);
    wait_for_some(inbox, timeout_ms);
    first = inbox->first;
    end = &inbox->first;
    while (*end != NULL && taken < max) {
        end = &(*end)->next;
        taken++;
    }
    inbox->first = *end;
    *end = NULL;
    if (inbox->first == NULL) {
        inbox->last = &inbox->first;
    }
    inbox->waiting -= taken;
    *is_closed = inbox->is_closed && taken == 0;
    pthread_mutex_unlock(&inbox->lock);
    return taken > 0 ? first : NULL;
}

void inbox_close(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->is_closed = true;
    pthread_mutex_unlock(&inbox->lock);
    pthread_cond_broadcast(&inbox->some);
}

size_t inbox_waiting(struct inbox *inbox)
{
    size_t waiting;

    pthread_mutex_lock(&inbox->lock);
    waiting = inbox->waiting;
    pthread_mutex_unlock(&inbox->lock);
    return waiting;
}
