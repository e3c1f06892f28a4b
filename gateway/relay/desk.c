#include "relay/desk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/leases.h"
#include "relay/node.h"
#include "store/writer.h"

struct desk {
    pthread_mutex_t lock; /* the list of seats */
    struct desk_seat *first;
    struct leases *leases;
    uint64_t size_at_start; /* of the log: what is older may have been delivered before */
};

void desk_destination(const struct header *header, char out[DESK_DESTINATION_SIZE])
{
    if (header->to_system[0] == '\0') {
        snprintf(out, DESK_DESTINATION_SIZE, "member:%s", header->to);
    } else {
        snprintf(out, DESK_DESTINATION_SIZE, "system:%s/%s", header->to, header->to_system);
    }
}

struct desk *desk_new(struct node *node)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct commit_point *point;

    if (desk == NULL) {
        return NULL;
    }
    pthread_mutex_init(&desk->lock, NULL);
    desk->leases = leases_new();
    point = writer_latest(node->writer);
    desk->size_at_start = commit_point_size(point);
    commit_point_release(point);
    if (desk->leases == NULL) {
        desk_free(desk);
        return NULL;
    }
    return desk;
}

void desk_free(struct desk *desk)
{
    if (desk != NULL) {
        leases_free(desk->leases);
        pthread_mutex_destroy(&desk->lock);
        free(desk);
    }
}

void desk_sit(struct desk *desk, struct desk_seat *seat, struct stream *stream)
{
    stream_hold(stream);
    seat->stream = stream;
    pthread_mutex_lock(&desk->lock);
    seat->next = desk->first;
    desk->first = seat;
    seat->is_taken = true;
    pthread_mutex_unlock(&desk->lock);
}

void desk_leave(struct desk *desk, struct desk_seat *seat)
{
    struct desk_seat **at = &desk->first;

    if (!seat->is_taken) {
        return;
    }
    pthread_mutex_lock(&desk->lock);
    while (*at != seat) {
        at = &(*at)->next;
    }
    *at = seat->next;
    seat->is_taken = false;
    pthread_mutex_unlock(&desk->lock);
    stream_release(seat->stream);
}

static void wake_all(struct desk *desk, const char *member_code, enum urgency urgency,
                     bool must_rewind)
{
    pthread_mutex_lock(&desk->lock);
    for (struct desk_seat *seat = desk->first; seat != NULL; seat = seat->next) {
        if (seat->urgency != urgency || strcmp(seat->member, member_code) != 0) {
            continue;
        }
        if (must_rewind) {
            atomic_store(&seat->must_rewind, true);
        }
        if (!atomic_exchange(&seat->is_waking, true)) {
            stream_resume(seat->stream, seat->wake);
        }
    }
    pthread_mutex_unlock(&desk->lock);
}

static bool is_same_queue(const struct desk_seat *a, const struct desk_seat *b)
{
    return a->urgency == b->urgency && strcmp(a->member, b->member) == 0;
}

/* Of the seats of one queue the first in the list speaks for all. */
static unsigned count_if_first(const struct desk *desk, const struct desk_seat *seat)
{
    const struct desk_seat *at = desk->first;
    unsigned count = 0;

    while (at != seat) {
        if (is_same_queue(at, seat)) {
            return 0;
        }
        at = at->next;
    }
    for (; at != NULL; at = at->next) {
        count += is_same_queue(at, seat) ? 1 : 0;
    }
    return count;
}

void desk_look(struct desk *desk,
               void (*say)(void *to, const char *member, enum urgency urgency, unsigned seats),
               void *to)
{
    pthread_mutex_lock(&desk->lock);
    for (const struct desk_seat *seat = desk->first; seat != NULL; seat = seat->next) {
        unsigned seats = count_if_first(desk, seat);

        if (seats > 0) {
            say(to, seat->member, seat->urgency, seats);
        }
    }
    pthread_mutex_unlock(&desk->lock);
}

void desk_wake(struct desk *desk, const char *member_code, enum urgency urgency)
{
    wake_all(desk, member_code, urgency, false);
}

void desk_returned(struct desk *desk, const char *member_code, enum urgency urgency)
{
    wake_all(desk, member_code, urgency, true);
}

bool desk_is_attended(struct desk *desk, const char *member_code)
{
    bool is_attended = false;

    pthread_mutex_lock(&desk->lock);
    for (const struct desk_seat *seat = desk->first; seat != NULL; seat = seat->next) {
        is_attended = is_attended || strcmp(seat->member, member_code) == 0;
    }
    pthread_mutex_unlock(&desk->lock);
    return is_attended;
}

bool desk_is_out(struct desk *desk, uint64_t index)
{
    return leases_is_out(desk->leases, index);
}

void desk_settled(struct desk *desk, uint64_t index)
{
    leases_end(desk->leases, index);
}

struct leases *desk_leases(struct desk *desk)
{
    return desk->leases;
}

bool desk_was_given(struct desk *desk, uint64_t index)
{
    return index < desk->size_at_start || leases_was_given(desk->leases, index);
}
