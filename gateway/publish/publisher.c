#include "publish/publisher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/precedence.h"
#include "base/thread_mask.h"

#define FOLDERS_MAX 2

struct place {
    struct exporting *exporting;
    char failing[sizeof((struct fault *)0)->reason]; /* "": well */
};

struct publisher {
    struct export_source source;
    struct place places[FOLDERS_MAX];
    size_t place_count;
    int interval_s;
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

/* One line when it begins, one for each other reason, one when it is over. */
static void note_outcome(struct place *place, enum rc rc, const struct fault *fault)
{
    const char *path = exporting_path(place->exporting);

    if (rc == RC_OK && place->failing[0] != '\0') {
        log_info("export.recovered", "path=%s", path);
        place->failing[0] = '\0';
    } else if (rc != RC_OK && strcmp(place->failing, fault->reason) != 0) {
        log_error("export.failing", "path=%s reason=%s at=%s remedy=\"%s\" it is tried again", path,
                  fault->reason, fault->path, fault->remedy);
        snprintf(place->failing, sizeof place->failing, "%s", fault->reason);
    }
}

static void run_place(struct publisher *publisher, struct place *place)
{
    struct fault fault = {0};
    struct export_run run;
    int64_t began_ms = clock_monotonic_ms();
    enum rc rc = exporting_run(place->exporting, &publisher->is_stopping, &run, &fault);

    if (rc == RC_CANCELLED) {
        return;
    }
    if (rc != RC_OK) {
        refuse(&fault, rc, "export.failed", "", "Revise la carpeta."); /* the first one stays */
    }
    note_outcome(place, rc, &fault);
    if (rc == RC_OK && run.added > 0) {
        log_debug("export.written", "path=%s size=%llu added=%llu took_ms=%lld",
                  exporting_path(place->exporting), (unsigned long long)run.size,
                  (unsigned long long)run.added, (long long)(clock_monotonic_ms() - began_ms));
    }
}

static void wait_interval(struct publisher *publisher)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += publisher->interval_s;
    pthread_mutex_lock(&publisher->lock);
    while (!atomic_load(&publisher->is_stopping) &&
           pthread_cond_timedwait(&publisher->wake, &publisher->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&publisher->lock);
}

static void *publisher_main(void *argument)
{
    struct publisher *publisher = argument;

    precedence_yield();
    while (!atomic_load(&publisher->is_stopping)) {
        for (size_t i = 0; i < publisher->place_count; i++) {
            run_place(publisher, &publisher->places[i]);
        }
        wait_interval(publisher);
    }
    return NULL;
}

static enum rc add_place(struct publisher *publisher, const char *path, enum export_kind kind)
{
    struct place *place = &publisher->places[publisher->place_count];

    if (path[0] == '\0') {
        return RC_OK;
    }
    place->exporting = exporting_new(&publisher->source, path, kind);
    publisher->place_count += place->exporting != NULL;
    return place->exporting != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static void release(struct publisher *publisher)
{
    for (size_t i = 0; i < publisher->place_count; i++) {
        exporting_free(publisher->places[i].exporting);
    }
    pthread_cond_destroy(&publisher->wake);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

/* Signals are for the main thread. */
static enum rc start_thread(struct publisher *publisher)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&publisher->thread, NULL, publisher_main, publisher);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "export.thread", "cause=%s", strerror(error));
    }
    pthread_setname_np(publisher->thread, "export");
    return RC_OK;
}

static struct publisher *publisher_new(const struct publisher_options *options)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    pthread_condattr_t monotonic;

    if (publisher == NULL) {
        return NULL;
    }
    publisher->source = options->source;
    publisher->interval_s = options->interval_s;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return publisher;
}

enum rc publisher_start(const struct publisher_options *options, struct publisher **publisher)
{
    struct publisher *made;
    enum rc rc;

    *publisher = NULL;
    if (options->mirror[0] == '\0' && options->auditors[0] == '\0') {
        return RC_OK;
    }
    if (strcmp(options->mirror, options->auditors) == 0) {
        return failed(RC_INVALID_ARGUMENT, "export.folders",
                      "path=%s cause=what auditors may read and what everybody may are two folders",
                      options->mirror);
    }
    made = publisher_new(options);
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = add_place(made, options->mirror, EXPORT_MIRROR);
    rc = rc == RC_OK ? add_place(made, options->auditors, EXPORT_AUDITORS) : rc;
    rc = rc == RC_OK ? start_thread(made) : rc;
    if (rc != RC_OK) {
        release(made);
        return rc;
    }
    *publisher = made;
    return RC_OK;
}

void publisher_free(struct publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    pthread_mutex_lock(&publisher->lock);
    atomic_store(&publisher->is_stopping, true);
    pthread_cond_signal(&publisher->wake);
    pthread_mutex_unlock(&publisher->lock);
    pthread_join(publisher->thread, NULL);
    release(publisher);
}
