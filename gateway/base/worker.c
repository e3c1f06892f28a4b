#include "base/worker.h"

#include <pthread.h>
#include <stdlib.h>

#define BATCH_MAX 16

struct worker {
    struct inbox *inbox;
    pthread_t thread;
};

static void *run(void *argument)
{
    struct worker *worker = argument;
    bool is_closed = false;

    while (!is_closed) {
        struct inbox_item *item = inbox_take(worker->inbox, BATCH_MAX, -1, &is_closed);

        while (item != NULL) {
            struct chore *chore = (struct chore *)item;

            item = item->next;
            chore->run(chore);
        }
    }
    return NULL;
}

struct worker *worker_new(const char *name, size_t max)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL) {
        return NULL;
    }
    worker->inbox = inbox_new(max);
    if (worker->inbox == NULL || pthread_create(&worker->thread, NULL, run, worker) != 0) {
        inbox_free(worker->inbox);
        free(worker);
        return NULL;
    }
    pthread_setname_np(worker->thread, name);
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker != NULL) {
        inbox_close(worker->inbox);
        pthread_join(worker->thread, NULL);
        inbox_free(worker->inbox);
        free(worker);
    }
}

enum rc worker_put(struct worker *worker, struct chore *chore)
{
    return inbox_put(worker->inbox, &chore->item);
}
