#include "rpc/codec_strict.h"

#include <string.h>

#define EACH_BYTE(value) ((uint64_t)(value)*UINT64_C(0x0101010101010101))

/* True when all eight bytes are printable ASCII: the common case, eight at a time. */
static bool is_printable_ascii(const uint8_t *at)
{
    uint64_t word;
    uint64_t below_space;
    uint64_t is_del;

    memcpy(&word, at, sizeof word);
    below_space = word - EACH_BYTE(0x20);
    is_del = (word ^ EACH_BYTE(0x7f)) - EACH_BYTE(0x01);
    return ((word | below_space | is_del) & EACH_BYTE(0x80)) == 0;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the UTF-8 sequence of two to four bytes at `at` (Unicode 15, table 3-7); 0: none. */
static size_t sequence_length(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];

    if (first >= 0xc2 && first <= 0xdf && left >= 2 && is_continuation(at[1])) {
        return first == 0xc2 && at[1] < 0xa0 ? 0 : 2; /* C1 controls */
    }
    if (first >= 0xe0 && first <= 0xef && left >= 3 && is_continuation(at[1]) &&
        is_continuation(at[2])) {
        bool is_overlong = first == 0xe0 && at[1] < 0xa0;
        bool is_surrogate = first == 0xed && at[1] >= 0xa0;

        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4 && left >= 4 && is_continuation(at[1]) &&
        is_continuation(at[2]) && is_continuation(at[3])) {
        bool is_overlong = first == 0xf0 && at[1] < 0x90;
        bool is_beyond = first == 0xf4 && at[1] >= 0x90;

        return is_overlong || is_beyond ? 0 : 4;
    }
    return 0;
}

bool codec_text_is_clean(struct bytes text, bool has_lines)
{
    size_t i = 0;

    while (i < text.size) {
        uint8_t byte = text.data[i];

        if (text.size - i >= 8 && is_printable_ascii(text.data + i)) {
            i += 8;
        } else if (byte < 0x80) {
            if ((byte < 0x20 && !(byte == '\n' && has_lines)) || byte == 0x7f) {
                return false;
            }
            i++;
        } else {
            size_t length = sequence_length(text.data + i, text.size - i);

            if (length == 0) {
                return false;
            }
            i += length;
        }
    }
    return true;
}
