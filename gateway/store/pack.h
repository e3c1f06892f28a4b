/*
 * pack - many small values side by side in one row: one stretch of the file, however many they are.
 *
 *     u32 count | count times: u64 index, u32 split, u32 end | bytes
 *
 * A value has two parts: from the end of the value before it to its split, and from there to its
 * end, counted from the first byte after the table. Gathered by reference and written once. One
 * owner at a time.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct pack_item {
    uint64_t index;
    struct bytes first;
    struct bytes second;
};

/* Zeroed is empty. */
struct pack {
    struct pack_item *items;
    size_t count;
    size_t capacity;
    size_t bytes;
};

/* Borrows both parts until the pack is written or cleared. RC_RESOURCE_EXHAUSTED: past 4 GiB, or
 * out of memory. */
MUST_CHECK enum rc pack_add(struct pack *pack, const struct pack_item *item);
/* Of the row. */
size_t pack_size(const struct pack *pack);
void pack_write(const struct pack *pack, uint8_t *row);
/* Keeps its memory for the next batch. */
void pack_clear(struct pack *pack);
void pack_release(struct pack *pack);

/* RC_DATA_LOSS, silently: not what pack_write wrote. */
MUST_CHECK enum rc pack_count(struct bytes row, size_t *count);
/* Borrowed from the row. RC_NOT_FOUND: not so many. RC_DATA_LOSS. */
MUST_CHECK enum rc pack_at(struct bytes row, size_t place, struct pack_item *item);
/* In a row whose indices ascend. RC_NOT_FOUND, RC_DATA_LOSS. */
MUST_CHECK enum rc pack_find(struct bytes row, uint64_t index, struct pack_item *item);

#endif
