#include "tlog/text.h"

#include <string.h>

/* One character at the start of the text: its length, 0 when it is no UTF-8. */
static size_t character(struct bytes text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.data[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t value = size == 1 ? lead : lead & (0xffu >> (size + 1));

    if (size == 0 || lead > 0xf4 || size > text.size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text.data[i] & 0x3fu);
    }
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *point = value;
    return size;
}

/* The White_Space property of Unicode, beyond the control characters. */
static bool is_space(uint32_t point)
{
    return point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

bool text_is_clean(struct bytes text, enum text_rule rule)
{
    while (text.size > 0) {
        uint32_t point = 0;
        size_t size = character(text, &point);

        if (size == 0 || (point < 0x20 && (rule != TEXT_LINES || point != '\n'))) {
            return false;
        }
        if (rule == TEXT_NO_SPACE && (is_space(point) || point == 0x7f)) {
            return false;
        }
        text = BYTES(text.data + size, text.size - size);
    }
    return true;
}

bool text_split(struct bytes *rest, char separator, struct bytes *before)
{
    const uint8_t *at = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    size_t size;

    if (at == NULL) {
        return false;
    }
    size = (size_t)(at - rest->data);
    *before = BYTES(rest->data, size);
    *rest = BYTES(at + 1, rest->size - size - 1);
    return true;
}

bool text_line(struct bytes *rest, struct bytes *line)
{
    return text_split(rest, '\n', line);
}

bool text_word(struct bytes *rest, const char *word)
{
    size_t size = strlen(word);

    if (rest->size < size || memcmp(rest->data, word, size) != 0) {
        return false;
    }
    *rest = BYTES(rest->data + size, rest->size - size);
    return true;
}

enum rc text_decimal(struct bytes text, uint64_t *value)
{
    uint64_t sum = 0;

    /* 19 digits stay below 10^19, which a u64 holds. */
    if (text.size == 0 || text.size > 19 || (text.data[0] == '0' && text.size > 1)) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return RC_INVALID_ARGUMENT;
        }
        sum = sum * 10 + (text.data[i] - '0');
    }
    if (sum > UINT64_MAX >> 1) {
        return RC_INVALID_ARGUMENT;
    }
    *value = sum;
    return RC_OK;
}

enum rc text_hash(struct bytes text, uint8_t out[DIGEST_SIZE])
{
    size_t size = 0;
    uint8_t hash[DIGEST_SIZE];

    TRY(base64_decode(text, hash, sizeof hash, &size));
    if (size != DIGEST_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(out, hash, DIGEST_SIZE);
    return RC_OK;
}
