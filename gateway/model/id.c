#include "model/id.h"

#include <string.h>

struct id id_v7(int64_t instant_ms, const uint8_t random[10])
{
    struct id id;
    uint8_t time[8];

    put_u64(time, (uint64_t)instant_ms);
    memcpy(id.bytes, time + 2, 6);
    memcpy(id.bytes + 6, random, 10);
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x70);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

bool id_is_v7(const struct id *id)
{
    return id->bytes[6] >> 4 == 7 && id->bytes[8] >> 6 == 2;
}

int64_t id_instant_ms(const struct id *id)
{
    uint8_t time[8] = {0};

    memcpy(time + 2, id->bytes, 6);
    return (int64_t)get_u64(time);
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;

    return id_equal(id, &zero);
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, ID_SIZE) == 0;
}

void id_format(const struct id *id, char out[ID_TEXT_SIZE])
{
    static const unsigned ends[] = {4, 6, 8, 10, 16};
    size_t at = 0;

    for (unsigned group = 0, i = 0; group < 5; group++) {
        hex_encode(id->bytes + i, ends[group] - i, out + at);
        at += 2 * (size_t)(ends[group] - i);
        i = ends[group];
        out[at++] = group < 4 ? '-' : '\0';
    }
}

enum rc id_parse(const char *text, struct id *id)
{
    char digits[2 * ID_SIZE + 1];
    size_t used = 0;

    if (strlen(text) != ID_TEXT_SIZE - 1) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash != (text[i] == '-')) {
            return RC_INVALID_ARGUMENT;
        }
        if (!is_dash) {
            digits[used++] = text[i];
        }
    }
    digits[used] = '\0';
    return hex_decode(digits, id->bytes, ID_SIZE);
}

enum rc id_from_bytes(struct bytes bytes, struct id *id)
{
    if (bytes.size != ID_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(id->bytes, bytes.data, ID_SIZE);
    return RC_OK;
}
