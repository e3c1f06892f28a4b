#include "rpc/codec_walk.h"

#include "rpc/codec_strict.h"

#define WIRE_LENGTH 2

/* A byte that strict_check did not accept ends the walk: nothing is read past the end. */
bool walk_next(struct bytes *rest, struct walk_field *field)
{
    uint64_t tag;

    *field = (struct walk_field){0};
    if (rest->size == 0 || varint_take(rest, &tag) != VARINT_OK ||
        varint_take(rest, &field->number) != VARINT_OK) {
        return false;
    }
    field->id = (unsigned)(tag >> 3);
    if ((tag & 7) != WIRE_LENGTH) {
        return true;
    }
    if (field->number > rest->size) {
        return false;
    }
    field->value = BYTES(rest->data, field->number);
    rest->data += field->number;
    rest->size -= field->number;
    return true;
}

struct walk_field walk_first(struct bytes from)
{
    struct walk_field field;

    (void)walk_next(&from, &field);
    return field;
}
