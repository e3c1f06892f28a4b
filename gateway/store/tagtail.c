#include "store/tagtail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define SLOTS_LEAST ((size_t)256)
#define NO_NUMBER UINT64_MAX /* a slot that is free */

struct tagtail {
    pthread_mutex_t lock;
    struct tagtail_row *slots;
    size_t slot_count; /* a power of two, at least twice count */
    size_t count;
};

static struct tagtail_row *slots_new(size_t count)
{
    struct tagtail_row *slots = calloc(count, sizeof *slots);

    for (size_t i = 0; slots != NULL && i < count; i++) {
        slots[i].number = NO_NUMBER;
    }
    return slots;
}

struct tagtail *tagtail_new(void)
{
    struct tagtail *tail = calloc(1, sizeof *tail);

    if (tail == NULL) {
        return NULL;
    }
    tail->slots = slots_new(SLOTS_LEAST);
    if (tail->slots == NULL) {
        free(tail);
        return NULL;
    }
    tail->slot_count = SLOTS_LEAST;
    pthread_mutex_init(&tail->lock, NULL);
    return tail;
}

void tagtail_free(struct tagtail *tail)
{
    if (tail != NULL) {
        pthread_mutex_destroy(&tail->lock);
        free(tail->slots);
        free(tail);
    }
}

/* The slot that has the identity, or the free one where it belongs. Identities are digests. */
static struct tagtail_row *slot_of(struct tagtail_row *slots, size_t slot_count,
                                   const uint8_t *identity)
{
    size_t at = (size_t)get_u64(identity) & (slot_count - 1);

    while (slots[at].number != NO_NUMBER &&
           memcmp(slots[at].identity, identity, TAG_IDENTITY_SIZE) != 0) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

/* Moves what is not below into a table of this many slots. */
static enum rc move(struct tagtail *tail, size_t slot_count, uint64_t below)
{
    struct tagtail_row *slots = slots_new(slot_count);
    size_t count = 0;

    if (slots == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < tail->slot_count; i++) {
        const struct tagtail_row *row = &tail->slots[i];

        if (row->number != NO_NUMBER && row->number >= below) {
            *slot_of(slots, slot_count, row->identity) = *row;
            count++;
        }
    }
    free(tail->slots);
    tail->slots = slots;
    tail->slot_count = slot_count;
    tail->count = count;
    return RC_OK;
}

bool tagtail_find(struct tagtail *tail, const uint8_t identity[TAG_IDENTITY_SIZE], uint64_t *number)
{
    const struct tagtail_row *row;
    bool is_there;

    pthread_mutex_lock(&tail->lock);
    row = slot_of(tail->slots, tail->slot_count, identity);
    is_there = row->number != NO_NUMBER;
    if (is_there) {
        *number = row->number;
    }
    pthread_mutex_unlock(&tail->lock);
    return is_there;
}

static enum rc set(struct tagtail *tail, const uint8_t *identity, uint64_t number)
{
    struct tagtail_row *row;

    if (2 * (tail->count + 1) > tail->slot_count) {
        TRY(move(tail, 2 * tail->slot_count, 0));
    }
    row = slot_of(tail->slots, tail->slot_count, identity);
    tail->count += row->number == NO_NUMBER;
    memcpy(row->identity, identity, TAG_IDENTITY_SIZE);
    row->number = number;
    return RC_OK;
}

enum rc tagtail_set(struct tagtail *tail, const uint8_t identity[TAG_IDENTITY_SIZE],
                    uint64_t number)
{
    enum rc rc;

    pthread_mutex_lock(&tail->lock);
    rc = set(tail, identity, number);
    pthread_mutex_unlock(&tail->lock);
    return rc;
}

size_t tagtail_count(struct tagtail *tail)
{
    size_t count;

    pthread_mutex_lock(&tail->lock);
    count = tail->count;
    pthread_mutex_unlock(&tail->lock);
    return count;
}

static int by_identity(const void *a, const void *b)
{
    return memcmp(((const struct tagtail_row *)a)->identity,
                  ((const struct tagtail_row *)b)->identity, TAG_IDENTITY_SIZE);
}

static size_t copy_below(const struct tagtail *tail, uint64_t below, struct tagtail_row *rows)
{
    size_t count = 0;

    for (size_t i = 0; i < tail->slot_count; i++) {
        if (tail->slots[i].number < below) {
            rows[count++] = tail->slots[i];
        }
    }
    return count;
}

enum rc tagtail_list(struct tagtail *tail, uint64_t below, struct tagtail_row **rows, size_t *count)
{
    struct tagtail_row *made;

    pthread_mutex_lock(&tail->lock);
    made = calloc(tail->count + 1, sizeof *made);
    if (made != NULL) {
        *count = copy_below(tail, below, made);
    }
    pthread_mutex_unlock(&tail->lock);
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    qsort(made, *count, sizeof *made, by_identity);
    *rows = made;
    return RC_OK;
}

void tagtail_drop(struct tagtail *tail, uint64_t below)
{
    size_t kept = 0;
    size_t slot_count = SLOTS_LEAST;

    pthread_mutex_lock(&tail->lock);
    for (size_t i = 0; i < tail->slot_count; i++) {
        kept += tail->slots[i].number != NO_NUMBER && tail->slots[i].number >= below;
    }
    while (slot_count < 2 * (kept + 1)) {
        slot_count *= 2;
    }
    /* Out of memory: it stays as it is, which is only larger than need be. */
    (void)!move(tail, slot_count, below);
    pthread_mutex_unlock(&tail->lock);
}
