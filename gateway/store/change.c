#include "store/change.h"

#include <assert.h>

#define KEY_MAX 511

void change_put(struct buffer *out, const struct change *change)
{
    assert(change->table.size > 0 && change->table.size <= CHANGE_NAME_MAX);
    assert(change->key.size > 0 && change->key.size <= KEY_MAX);
    buffer_put_u8(out, (uint8_t)change->table.size);
    buffer_put_bytes(out, change->table);
    buffer_put_u8(out, (uint8_t)change->kind);
    buffer_put_u16(out, (uint16_t)change->key.size);
    buffer_put_bytes(out, change->key);
    if (change->kind == CHANGE_VALUE) {
        buffer_put_chunk(out, change->value);
    }
}

enum rc change_next(struct bytes *rest, struct change *change)
{
    struct reader reader = {.rest = *rest};
    uint8_t kind;

    if (rest->size == 0) {
        return RC_NOT_FOUND;
    }
    *change = (struct change){.table = reader_take(&reader, reader_u8(&reader))};
    kind = reader_u8(&reader);
    change->key = reader_take(&reader, reader_u16(&reader));
    if (kind == CHANGE_VALUE) {
        change->value = reader_chunk(&reader);
    }
    if (reader.is_failed || kind > CHANGE_STANDS || change->table.size == 0 ||
        change->table.size > CHANGE_NAME_MAX || change->key.size == 0 ||
        change->key.size > KEY_MAX) {
        return RC_DATA_LOSS;
    }
    change->kind = (enum change_kind)kind;
    *rest = reader.rest;
    return RC_OK;
}
