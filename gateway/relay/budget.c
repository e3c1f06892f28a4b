#include "relay/budget.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
/* A small message takes an arena's first block and its rows. */
#define WEIGHT_LEAST ((size_t)24 << 10)
/* Received, decoded, encrypted, in the commit. */
#define WEIGHT_TIMES 4

struct budget_seat {
    struct budget_seat *next; /* in its bucket */
    struct budget *budget;
    unsigned places[BUDGET_USES];
    unsigned held; /* of all uses */
    atomic_size_t bytes;
    char owner[];
};

struct budget {
    pthread_mutex_t lock; /* over the seats and their places, not the bytes */
    struct budget_seat *buckets[BUCKETS];
    size_t seat_count;
    atomic_size_t bytes;
};

static const unsigned places_max[BUDGET_USES] = {
    [BUDGET_SUBMIT] = BUDGET_SUBMIT_MAX, [BUDGET_ATTACH] = BUDGET_ATTACH_MAX,
    [BUDGET_AUDIT] = BUDGET_AUDIT_MAX,   [BUDGET_PEER] = BUDGET_PEER_MAX,
    [BUDGET_CALL] = BUDGET_CALLS_MAX,
};

struct budget *budget_new(void)
{
    struct budget *budget = calloc(1, sizeof *budget);

    if (budget != NULL) {
        pthread_mutex_init(&budget->lock, NULL);
    }
    return budget;
}

void budget_free(struct budget *budget)
{
    if (budget != NULL) {
        assert(budget->seat_count == 0 && atomic_load(&budget->bytes) == 0);
        pthread_mutex_destroy(&budget->lock);
        free(budget);
    }
}

/* ---- seats, under the lock ---- */

static struct budget_seat **bucket_of(struct budget *budget, const char *owner)
{
    uint32_t hash = 2166136261u;

    for (const char *at = owner; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    }
    return &budget->buckets[hash % BUCKETS];
}

/* NULL when there are too many, or no memory. */
static struct budget_seat *seat_of(struct budget *budget, const char *owner)
{
    struct budget_seat **bucket = bucket_of(budget, owner);
    struct budget_seat *seat = *bucket;
    size_t size = strlen(owner) + 1;

    while (seat != NULL && strcmp(seat->owner, owner) != 0) {
        seat = seat->next;
    }
    if (seat != NULL || budget->seat_count == BUDGET_SEATS_MAX) {
        return seat;
    }
    seat = calloc(1, sizeof *seat + size);
    if (seat != NULL) {
        seat->budget = budget;
        memcpy(seat->owner, owner, size);
        seat->next = *bucket;
        *bucket = seat;
        budget->seat_count++;
    }
    return seat;
}

static void seat_free(struct budget_seat *seat)
{
    struct budget_seat **at = bucket_of(seat->budget, seat->owner);

    while (*at != seat) {
        at = &(*at)->next;
    }
    *at = seat->next;
    seat->budget->seat_count--;
    free(seat);
}

/* ---- places ---- */

static enum rc refuse_busy(struct fault *fault)
{
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "identity.busy", "",
                  "Su sistema tiene demasiado en curso; espere las respuestas y reintente.");
}

enum rc budget_enter(struct budget *budget, const char *owner, enum budget_use use,
                     struct budget_hold *hold, struct fault *fault)
{
    struct budget_seat *seat;
    bool is_taken;

    pthread_mutex_lock(&budget->lock);
    seat = seat_of(budget, owner);
    is_taken = seat != NULL && seat->places[use] < places_max[use];
    if (is_taken) {
        seat->places[use]++;
        seat->held++;
    }
    pthread_mutex_unlock(&budget->lock);
    if (!is_taken) {
        return refuse_busy(fault);
    }
    *hold = (struct budget_hold){.seat = seat, .use = use};
    return RC_OK;
}

void budget_leave(struct budget_hold *hold)
{
    struct budget_seat *seat = hold->seat;
    struct budget *budget;

    if (seat == NULL) {
        return;
    }
    budget = seat->budget;
    budget_drop_bytes(hold, hold->bytes);
    hold->seat = NULL;
    pthread_mutex_lock(&budget->lock);
    seat->places[hold->use]--;
    if (--seat->held == 0) {
        seat_free(seat);
    }
    pthread_mutex_unlock(&budget->lock);
}

/* ---- bytes ---- */

size_t budget_weight(size_t request_size)
{
    return WEIGHT_LEAST + WEIGHT_TIMES * request_size;
}

void budget_add_bytes(struct budget_hold *hold, size_t bytes)
{
    hold->bytes += bytes;
    atomic_fetch_add(&hold->seat->bytes, bytes);
    atomic_fetch_add(&hold->seat->budget->bytes, bytes);
}

void budget_drop_bytes(struct budget_hold *hold, size_t bytes)
{
    assert(bytes <= hold->bytes);
    hold->bytes -= bytes;
    atomic_fetch_sub(&hold->seat->bytes, bytes);
    atomic_fetch_sub(&hold->seat->budget->bytes, bytes);
}

bool budget_has_room(const struct budget_hold *hold)
{
    return hold->bytes == 0 || (hold->bytes < BUDGET_STREAM_BYTES &&
                                atomic_load(&hold->seat->bytes) < BUDGET_IDENTITY_BYTES &&
                                atomic_load(&hold->seat->budget->bytes) < BUDGET_NODE_BYTES);
}

enum rc budget_admit(struct budget_hold *hold, size_t bytes, struct fault *fault)
{
    budget_add_bytes(hold, bytes);
    if (atomic_load(&hold->seat->bytes) <= BUDGET_IDENTITY_BYTES + BUDGET_CALL_RESERVE &&
        atomic_load(&hold->seat->budget->bytes) <= BUDGET_NODE_BYTES + BUDGET_CALL_RESERVE) {
        return RC_OK;
    }
    budget_drop_bytes(hold, bytes);
    return refuse_busy(fault);
}
