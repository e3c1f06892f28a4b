#include "store/pack.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE 4
#define PLACE_SIZE 16

enum rc pack_add(struct pack *pack, const struct pack_item *item)
{
    size_t bytes = pack->bytes + item->first.size + item->second.size;

    if (bytes > UINT32_MAX) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (pack->count == pack->capacity) {
        size_t capacity = pack->capacity == 0 ? 64 : 2 * pack->capacity;
        struct pack_item *items = realloc(pack->items, capacity * sizeof *items);

        if (items == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        pack->items = items;
        pack->capacity = capacity;
    }
    pack->items[pack->count++] = *item;
    pack->bytes = bytes;
    return RC_OK;
}

size_t pack_size(const struct pack *pack)
{
    return HEAD_SIZE + pack->count * PLACE_SIZE + pack->bytes;
}

static uint8_t *copy_to(uint8_t *at, struct bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

void pack_write(const struct pack *pack, uint8_t *row)
{
    uint8_t *place = row + HEAD_SIZE;
    uint8_t *bytes = place + pack->count * PLACE_SIZE;
    uint8_t *at = bytes;

    put_u32(row, (uint32_t)pack->count);
    for (size_t i = 0; i < pack->count; i++) {
        const struct pack_item *item = &pack->items[i];

        put_u64(place, item->index);
        at = copy_to(at, item->first);
        put_u32(place + 8, (uint32_t)(at - bytes));
        at = copy_to(at, item->second);
        put_u32(place + 12, (uint32_t)(at - bytes));
        place += PLACE_SIZE;
    }
}

void pack_clear(struct pack *pack)
{
    pack->count = 0;
    pack->bytes = 0;
}

void pack_release(struct pack *pack)
{
    free(pack->items);
    *pack = (struct pack){0};
}

enum rc pack_count(struct bytes row, size_t *count)
{
    if (row.size < HEAD_SIZE || get_u32(row.data) > (row.size - HEAD_SIZE) / PLACE_SIZE) {
        return RC_DATA_LOSS;
    }
    *count = get_u32(row.data);
    return RC_OK;
}

static const uint8_t *place_at(struct bytes row, size_t place)
{
    return row.data + HEAD_SIZE + place * PLACE_SIZE;
}

enum rc pack_at(struct bytes row, size_t place, struct pack_item *item)
{
    const uint8_t *bytes;
    const uint8_t *at;
    size_t count;
    size_t room;
    size_t begin;
    size_t split;
    size_t end;

    TRY(pack_count(row, &count));
    if (place >= count) {
        return RC_NOT_FOUND;
    }
    bytes = place_at(row, count);
    room = row.size - (size_t)(bytes - row.data);
    at = place_at(row, place);
    begin = place > 0 ? get_u32(at - 4) : 0;
    split = get_u32(at + 8);
    end = get_u32(at + 12);
    if (begin > split || split > end || end > room) {
        return RC_DATA_LOSS;
    }
    *item = (struct pack_item){.index = get_u64(at),
                               .first = BYTES(bytes + begin, split - begin),
                               .second = BYTES(bytes + split, end - split)};
    return RC_OK;
}

enum rc pack_find(struct bytes row, uint64_t index, struct pack_item *item)
{
    size_t low = 0;
    size_t high;
    size_t count;

    TRY(pack_count(row, &count));
    high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (get_u64(place_at(row, middle)) < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == count || get_u64(place_at(row, low)) != index) {
        return RC_NOT_FOUND;
    }
    return pack_at(row, low, item);
}
