#include "client/attach_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ACKNOWLEDGEMENTS_MAX 4096

struct outgoing {
    struct outgoing *next;
    struct id id;
    uint8_t commitment[HASH_SIZE];
    bool is_sent;
    struct buffer bytes;
};

struct list {
    struct outgoing *first;
    struct outgoing **end;
    size_t count;
};

struct attach_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct list acknowledgements;
    struct list submissions;
    struct outgoing *unsent; /* the first submission that is not sent; NULL: none */
    size_t submissions_max;
    size_t in_flight_max;
    size_t in_flight;
    size_t unsettled; /* acknowledgements sent without their answer */
    bool is_open;
};

static void outgoing_free(struct outgoing *outgoing)
{
    if (outgoing->bytes.data != NULL) {
        explicit_bzero(outgoing->bytes.data, outgoing->bytes.size);
    }
    buffer_release(&outgoing->bytes);
    free(outgoing);
}

static void list_clear(struct list *list)
{
    while (list->first != NULL) {
        struct outgoing *first = list->first;

        list->first = first->next;
        outgoing_free(first);
    }
    list->end = &list->first;
    list->count = 0;
}

struct attach_queue *attach_queue_new(size_t submissions_max, size_t in_flight_max)
{
    struct attach_queue *queue = calloc(1, sizeof *queue);

    if (queue != NULL) {
        pthread_mutex_init(&queue->lock, NULL);
        pthread_cond_init(&queue->changed, NULL);
        queue->acknowledgements.end = &queue->acknowledgements.first;
        queue->submissions.end = &queue->submissions.first;
        queue->submissions_max = submissions_max;
        queue->in_flight_max = in_flight_max;
    }
    return queue;
}

void attach_queue_free(struct attach_queue *queue)
{
    if (queue != NULL) {
        list_clear(&queue->acknowledgements);
        list_clear(&queue->submissions);
        pthread_cond_destroy(&queue->changed);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
    }
}

static struct outgoing *outgoing_new(const struct id *id, struct bytes bytes)
{
    struct outgoing *outgoing = calloc(1, sizeof *outgoing);

    if (outgoing != NULL) {
        outgoing->id = *id;
        buffer_put_bytes(&outgoing->bytes, bytes);
        if (outgoing->bytes.is_failed) {
            outgoing_free(outgoing);
            return NULL;
        }
    }
    return outgoing;
}

static void append(struct list *list, struct outgoing *outgoing)
{
    *list->end = outgoing;
    list->end = &outgoing->next;
    list->count++;
}

enum rc attach_queue_submit(struct attach_queue *queue, const struct id *id,
                            const uint8_t commitment[HASH_SIZE], struct bytes bytes)
{
    struct outgoing *outgoing = outgoing_new(id, bytes);
    bool is_full;

    if (outgoing == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(outgoing->commitment, commitment, HASH_SIZE);
    pthread_mutex_lock(&queue->lock);
    is_full = queue->submissions.count >= queue->submissions_max;
    if (!is_full) {
        append(&queue->submissions, outgoing);
        if (queue->unsent == NULL) {
            queue->unsent = outgoing;
        }
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    if (is_full) {
        outgoing_free(outgoing);
    }
    return is_full ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc attach_queue_acknowledge(struct attach_queue *queue, const struct id *id,
                                 struct bytes bytes)
{
    struct outgoing *outgoing = outgoing_new(id, bytes);
    bool is_taken = false;
    bool is_full;

    if (outgoing == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_lock(&queue->lock);
    is_full = queue->acknowledgements.count >= ACKNOWLEDGEMENTS_MAX;
    if (queue->is_open && !is_full) {
        append(&queue->acknowledgements, outgoing);
        pthread_cond_signal(&queue->changed);
        is_taken = true;
    }
    pthread_mutex_unlock(&queue->lock);
    if (!is_taken) {
        outgoing_free(outgoing);
    }
    return is_full ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static struct outgoing *take_acknowledgement(struct attach_queue *queue)
{
    struct list *list = &queue->acknowledgements;
    struct outgoing *first = list->first;

    if (first != NULL) {
        list->first = first->next;
        list->count--;
        if (list->first == NULL) {
            list->end = &list->first;
        }
        queue->unsettled++;
    }
    return first;
}

static bool has_next(const struct attach_queue *queue)
{
    return queue->acknowledgements.first != NULL ||
           (queue->unsent != NULL && queue->in_flight < queue->in_flight_max);
}

bool attach_queue_next(struct attach_queue *queue, struct buffer *bytes)
{
    bool is_open;

    buffer_clear(bytes);
    pthread_mutex_lock(&queue->lock);
    while (queue->is_open && !has_next(queue)) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    is_open = queue->is_open;
    if (is_open) {
        struct outgoing *acknowledgement = take_acknowledgement(queue);

        if (acknowledgement != NULL) {
            buffer_put_bytes(bytes, buffer_bytes(&acknowledgement->bytes));
            outgoing_free(acknowledgement);
        } else {
            buffer_put_bytes(bytes, buffer_bytes(&queue->unsent->bytes));
            queue->unsent->is_sent = true;
            queue->unsent = queue->unsent->next;
            queue->in_flight++;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return is_open && !bytes->is_failed;
}

/* Answers come nearly in order: the search ends at once. */
static struct outgoing *take_sent(struct attach_queue *queue, const struct id *id)
{
    struct list *list = &queue->submissions;

    for (struct outgoing **at = &list->first; *at != NULL && (*at)->is_sent; at = &(*at)->next) {
        struct outgoing *found = *at;

        if (!id_equal(&found->id, id)) {
            continue;
        }
        *at = found->next;
        if (found->next == NULL) {
            list->end = at;
        }
        list->count--;
        queue->in_flight--;
        return found;
    }
    return NULL;
}

bool attach_queue_answered(struct attach_queue *queue, const struct id *id,
                           uint8_t commitment[HASH_SIZE])
{
    struct outgoing *found;

    pthread_mutex_lock(&queue->lock);
    found = take_sent(queue, id);
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    if (found == NULL) {
        return false;
    }
    memcpy(commitment, found->commitment, HASH_SIZE);
    outgoing_free(found);
    return true;
}

void attach_queue_settled(struct attach_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->unsettled > 0) {
        queue->unsettled--;
    }
    pthread_mutex_unlock(&queue->lock);
}

void attach_queue_open(struct attach_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    for (struct outgoing *at = queue->submissions.first; at != NULL; at = at->next) {
        at->is_sent = false;
    }
    queue->unsent = queue->submissions.first;
    queue->in_flight = 0;
    queue->unsettled = 0;
    queue->is_open = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void attach_queue_break(struct attach_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_open = false;
    list_clear(&queue->acknowledgements);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

size_t attach_queue_unanswered(struct attach_queue *queue)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = queue->submissions.count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

bool attach_queue_is_idle(struct attach_queue *queue)
{
    bool is_idle;

    pthread_mutex_lock(&queue->lock);
    is_idle = queue->submissions.count == 0 && queue->acknowledgements.count == 0 &&
              queue->unsettled == 0;
    pthread_mutex_unlock(&queue->lock);
    return is_idle;
}
