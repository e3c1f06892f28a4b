#include "relay/recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void owed_fill(struct owed *owed, const struct message *message,
               const uint8_t commitment[HASH_SIZE])
{
    const struct header *header = &message->header;

    owed->message_id = header->message_id;
    owed->exchange_id = header->exchange_id;
    owed->type = header->type;
    owed->urgency = header->urgency;
    owed->is_opening = message_opens(message);
    snprintf(owed->from, sizeof owed->from, "%s", header->from);
    snprintf(owed->to, sizeof owed->to, "%s", header->to);
    memcpy(owed->commitment, commitment, HASH_SIZE);
}

static size_t weight_of(size_t message_size)
{
    return sizeof(struct recent) + message_size;
}

static bool room_take(atomic_size_t *room, size_t bytes)
{
    size_t left = atomic_load(room);

    while (left >= bytes) {
        if (atomic_compare_exchange_weak(room, &left, left - bytes)) {
            return true;
        }
    }
    return false;
}

struct recent *recent_new(atomic_size_t *room, const struct message *message,
                          const uint8_t commitment[HASH_SIZE])
{
    size_t size = message->bytes.size;
    struct recent *recent;

    if (size == 0 || !room_take(room, weight_of(size))) {
        return NULL;
    }
    recent = malloc(sizeof *recent + size);
    if (recent == NULL) {
        atomic_fetch_add(room, weight_of(size));
        return NULL;
    }
    recent->next = NULL;
    recent->room = room;
    recent->size = size;
    owed_fill(&recent->owed, message, commitment);
    memcpy(recent->message, message->bytes.data, size);
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent != NULL) {
        atomic_fetch_add(recent->room, weight_of(recent->size));
        explicit_bzero(recent, sizeof *recent + recent->size);
        free(recent);
    }
}

void recent_put(struct recents *recents, struct recent *recent, const struct leaf *leaf)
{
    struct recent *head = atomic_load(&recents->put);

    recent->index = leaf->index;
    recent->kept_ms = clock_monotonic_ms();
    leaf_encode(leaf, recent->leaf);
    do {
        recent->next = head;
    } while (!atomic_compare_exchange_weak(&recents->put, &head, recent));
}

/* What was put since, behind what is there already. */
static void collect(struct recents *recents)
{
    struct recent *newest = atomic_exchange(&recents->put, NULL);
    struct recent *oldest = NULL;

    for (struct recent *recent = newest; recent != NULL;) {
        struct recent *next = recent->next;

        recent->next = oldest;
        oldest = recent;
        recent = next;
    }
    if (oldest == NULL) {
        return;
    }
    if (recents->first == NULL) {
        recents->first = oldest;
    } else {
        recents->last->next = oldest;
    }
    recents->last = newest;
}

void recent_take(struct recents *recents)
{
    recents->first = recents->first->next;
}

static void drop_first(struct recents *recents)
{
    struct recent *first = recents->first;

    recent_take(recents);
    recent_free(first);
}

struct recent *recent_find(struct recents *recents, uint64_t index)
{
    int64_t oldest_ms = clock_monotonic_ms() - RECENT_AGE_MS;

    if (recents->first == NULL || recents->last->index < index) {
        collect(recents);
    }
    while (recents->first != NULL &&
           (recents->first->index < index || recents->first->kept_ms < oldest_ms)) {
        drop_first(recents);
    }
    return recents->first != NULL && recents->first->index == index ? recents->first : NULL;
}

void recent_clear(struct recents *recents)
{
    collect(recents);
    while (recents->first != NULL) {
        drop_first(recents);
    }
}
