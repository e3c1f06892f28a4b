#include "relay/leases.h"

#include <pthread.h>
#include <stdlib.h>

/* 256 streams with full windows fill a quarter. */
#define SLOTS ((size_t)1 << 18)
#define NONE UINT64_MAX

struct slot {
    uint64_t index;
    bool is_out;
    bool was_given; /* before the present lease */
};

struct leases {
    pthread_mutex_t lock;
    size_t used;
    struct slot slots[SLOTS];
};

struct leases *leases_new(void)
{
    struct leases *leases = malloc(sizeof *leases);

    if (leases != NULL) {
        pthread_mutex_init(&leases->lock, NULL);
        leases->used = 0;
        for (size_t i = 0; i < SLOTS; i++) {
            leases->slots[i].index = NONE;
        }
    }
    return leases;
}

void leases_free(struct leases *leases)
{
    if (leases != NULL) {
        pthread_mutex_destroy(&leases->lock);
        free(leases);
    }
}

/* Indices are neighbours: they spread by themselves. The slot of this index, or a free one. */
static struct slot *find(struct leases *leases, uint64_t index)
{
    size_t at = (size_t)index & (SLOTS - 1);

    while (leases->slots[at].index != NONE && leases->slots[at].index != index) {
        at = (at + 1) & (SLOTS - 1);
    }
    return &leases->slots[at];
}

/* Linear probing without tombstones: whatever followed moves up. */
static void erase(struct leases *leases, struct slot *slot)
{
    size_t hole = (size_t)(slot - leases->slots);
    size_t at = hole;

    for (;;) {
        size_t home;

        at = (at + 1) & (SLOTS - 1);
        if (leases->slots[at].index == NONE) {
            break;
        }
        home = (size_t)leases->slots[at].index & (SLOTS - 1);
        if (((at - home) & (SLOTS - 1)) >= ((at - hole) & (SLOTS - 1))) {
            leases->slots[hole] = leases->slots[at];
            hole = at;
        }
    }
    leases->slots[hole].index = NONE;
    leases->used--;
}

enum lease leases_take(struct leases *leases, uint64_t index)
{
    struct slot *slot;
    enum lease lease = LEASE_FULL;

    pthread_mutex_lock(&leases->lock);
    slot = find(leases, index);
    if (slot->index == index) {
        lease = slot->is_out ? LEASE_OTHERS : LEASE_TAKEN;
        slot->is_out = true;
    } else if (leases->used < SLOTS / 2) {
        leases->used++;
        *slot = (struct slot){.index = index, .is_out = true};
        lease = LEASE_TAKEN;
    }
    pthread_mutex_unlock(&leases->lock);
    return lease;
}

void leases_return(struct leases *leases, uint64_t index)
{
    struct slot *slot;

    pthread_mutex_lock(&leases->lock);
    slot = find(leases, index);
    if (slot->index == index) {
        slot->is_out = false;
        slot->was_given = true;
    }
    pthread_mutex_unlock(&leases->lock);
}

void leases_end(struct leases *leases, uint64_t index)
{
    struct slot *slot;

    pthread_mutex_lock(&leases->lock);
    slot = find(leases, index);
    if (slot->index == index) {
        erase(leases, slot);
    }
    pthread_mutex_unlock(&leases->lock);
}

bool leases_was_given(struct leases *leases, uint64_t index)
{
    struct slot *slot;
    bool was_given;

    pthread_mutex_lock(&leases->lock);
    slot = find(leases, index);
    was_given = slot->index == index && slot->was_given;
    pthread_mutex_unlock(&leases->lock);
    return was_given;
}

bool leases_is_out(struct leases *leases, uint64_t index)
{
    struct slot *slot;
    bool is_out;

    pthread_mutex_lock(&leases->lock);
    slot = find(leases, index);
    is_out = slot->index == index && slot->is_out;
    pthread_mutex_unlock(&leases->lock);
    return is_out;
}
