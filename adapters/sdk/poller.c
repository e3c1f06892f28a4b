#include "sdk/poller.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "crypto/digest.h"

struct poller {
    struct poller_user *user;
    int64_t every_ms;
    int64_t most_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool is_stopping;
};

static int64_t jittered(int64_t pause_ms)
{
    uint16_t noise;

    random_fill(&noise, sizeof noise);
    return pause_ms / 2 + pause_ms * noise / 65536 / 2;
}

/* True: stopping. */
static bool rest(struct poller *poller, int64_t pause_ms)
{
    struct timespec until;
    bool is_stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += pause_ms / 1000;
    until.tv_nsec += pause_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&poller->lock);
    while (!poller->is_stopping &&
           pthread_cond_timedwait(&poller->stopped, &poller->lock, &until) == 0) {
    }
    is_stopping = poller->is_stopping;
    pthread_mutex_unlock(&poller->lock);
    return is_stopping;
}

static void *run(void *argument)
{
    struct poller *poller = argument;
    int64_t pause_ms = poller->every_ms;

    do {
        enum rc rc = poller->user->poll(poller->user);

        if (rc == RC_OK) {
            pause_ms = poller->every_ms;
        } else {
            pause_ms = 2 * pause_ms < poller->most_ms ? 2 * pause_ms : poller->most_ms;
            log_warn("poll.later", "rc=%s again_in_ms=%lld", rc_name(rc), (long long)pause_ms);
        }
    } while (!rest(poller, jittered(pause_ms)));
    return NULL;
}

enum rc poller_new(struct poller_user *user, int64_t every_ms, int64_t most_ms,
                   struct poller **poller)
{
    struct poller *made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->user = user;
    made->every_ms = every_ms;
    made->most_ms = most_ms > every_ms ? most_ms : every_ms;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        pthread_cond_destroy(&made->stopped);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return RC_RESOURCE_EXHAUSTED;
    }
    *poller = made;
    return RC_OK;
}

void poller_free(struct poller *poller)
{
    if (poller == NULL) {
        return;
    }
    pthread_mutex_lock(&poller->lock);
    poller->is_stopping = true;
    pthread_cond_broadcast(&poller->stopped);
    pthread_mutex_unlock(&poller->lock);
    pthread_join(poller->thread, NULL);
    pthread_cond_destroy(&poller->stopped);
    pthread_mutex_destroy(&poller->lock);
    free(poller);
}
