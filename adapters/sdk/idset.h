/*
 * idset - a set of message ids in memory, 16 bytes each. One thread.
 */
#ifndef SDK_IDSET_H
#define SDK_IDSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"
#include "model/id.h"

struct idset {
    struct id *slots; /* zero: free */
    size_t capacity;  /* a power of two */
    size_t count;
    /* Compares only the 74 bits of an id that are not its time: finds a message by its seed. */
    bool is_timeless;
};

void idset_release(struct idset *set);
/* A zero id is refused. Adding what is there changes nothing. */
MUST_CHECK enum rc idset_add(struct idset *set, const struct id *id);
/* NULL, or the id as it was added. */
const struct id *idset_find(const struct idset *set, const struct id *id);

#endif
