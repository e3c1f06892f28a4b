#include "sdk/idset.h"

#include <stdlib.h>
#include <string.h>

#define TIME_BYTES 6

void idset_release(struct idset *set)
{
    free(set->slots);
    *set = (struct idset){.is_timeless = set->is_timeless};
}

/* The last eight bytes are random in every id that an honest system makes. */
static size_t place(const struct id *id, size_t capacity)
{
    return (size_t)(get_u64(id->bytes + 8) & (capacity - 1));
}

static bool is_same(const struct idset *set, const struct id *a, const struct id *b)
{
    size_t from = set->is_timeless ? TIME_BYTES : 0;

    return memcmp(a->bytes + from, b->bytes + from, ID_SIZE - from) == 0;
}

static struct id *slot_of(const struct idset *set, const struct id *id)
{
    size_t at = place(id, set->capacity);

    while (!id_is_zero(&set->slots[at]) && !is_same(set, &set->slots[at], id)) {
        at = (at + 1) & (set->capacity - 1);
    }
    return &set->slots[at];
}

static enum rc grow(struct idset *set)
{
    struct idset larger = {.capacity = set->capacity == 0 ? 1024 : set->capacity * 2,
                           .count = set->count,
                           .is_timeless = set->is_timeless};

    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < set->capacity; i++) {
        if (!id_is_zero(&set->slots[i])) {
            *slot_of(&larger, &set->slots[i]) = set->slots[i];
        }
    }
    free(set->slots);
    *set = larger;
    return RC_OK;
}

enum rc idset_add(struct idset *set, const struct id *id)
{
    struct id *slot;

    if (id_is_zero(id)) {
        return RC_INVALID_ARGUMENT;
    }
    if (2 * (set->count + 1) > set->capacity) {
        TRY(grow(set));
    }
    slot = slot_of(set, id);
    if (id_is_zero(slot)) {
        *slot = *id;
        set->count++;
    }
    return RC_OK;
}

const struct id *idset_find(const struct idset *set, const struct id *id)
{
    const struct id *slot;

    if (set->capacity == 0) {
        return NULL;
    }
    slot = slot_of(set, id);
    return id_is_zero(slot) ? NULL : slot;
}
