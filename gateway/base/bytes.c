#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_text(const char *text)
{
    return BYTES(text, strlen(text));
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_are_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}

/* Plaintext passes through buffers: nothing of it stays behind in freed memory. */
static void wipe_and_free(uint8_t *data, size_t size)
{
    if (data != NULL) {
        explicit_bzero(data, size);
        free(data);
    }
}

void buffer_release(struct buffer *buffer)
{
    wipe_and_free(buffer->data, buffer->capacity);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->is_failed = false;
}

static void grow(struct buffer *buffer, size_t capacity)
{
    uint8_t *data = malloc(capacity);

    if (data == NULL) {
        buffer->is_failed = true;
        return;
    }
    if (buffer->size > 0) {
        memcpy(data, buffer->data, buffer->size);
    }
    wipe_and_free(buffer->data, buffer->capacity);
    buffer->data = data;
    buffer->capacity = capacity;
}

void buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->is_failed || size > BUFFER_MAX - buffer->size) {
        buffer->is_failed = true;
    } else if (buffer->size + size > buffer->capacity) {
        grow(buffer, buffer->size + size);
    }
}

static uint8_t *buffer_room(struct buffer *buffer, size_t size)
{
    if (buffer->is_failed || size > BUFFER_MAX - buffer->size) {
        buffer->is_failed = true;
        return NULL;
    }
    if (buffer->size + size > buffer->capacity) {
        size_t capacity = buffer->capacity == 0 ? 256 : buffer->capacity;

        while (capacity < buffer->size + size) {
            capacity *= 2;
        }
        grow(buffer, capacity < BUFFER_MAX ? capacity : BUFFER_MAX);
        if (buffer->is_failed) {
            return NULL;
        }
    }
    buffer->size += size;
    return buffer->data + buffer->size - size;
}

void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    uint8_t *room = size > 0 ? buffer_room(buffer, size) : NULL;

    if (room != NULL) {
        memcpy(room, data, size);
    }
}

void buffer_put_bytes(struct buffer *buffer, struct bytes bytes)
{
    buffer_put(buffer, bytes.data, bytes.size);
}

void buffer_put_u8(struct buffer *buffer, uint8_t value)
{
    buffer_put(buffer, &value, 1);
}

void buffer_put_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t raw[2];

    put_u16(raw, value);
    buffer_put(buffer, raw, sizeof raw);
}

void buffer_put_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t raw[4];

    put_u32(raw, value);
    buffer_put(buffer, raw, sizeof raw);
}

void buffer_put_u64(struct buffer *buffer, uint64_t value)
{
    uint8_t raw[8];

    put_u64(raw, value);
    buffer_put(buffer, raw, sizeof raw);
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    char small[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) {
        buffer->is_failed = true;
    } else if ((size_t)n < sizeof small) {
        buffer_put(buffer, small, (size_t)n);
    } else {
        uint8_t *room = buffer_room(buffer, (size_t)n + 1);

        if (room != NULL) {
            va_start(args, format);
            vsnprintf((char *)room, (size_t)n + 1, format, args);
            va_end(args);
            buffer->size -= 1; /* the terminator is not content */
        }
    }
}

void buffer_put_base64(struct buffer *buffer, struct bytes bytes)
{
    size_t length = 4 * ((bytes.size + 2) / 3);
    char *room = (char *)buffer_room(buffer, length + 1);

    if (room != NULL) {
        base64_encode(bytes.data, bytes.size, room);
        buffer->size -= 1;
    }
}

void buffer_put_chunk(struct buffer *buffer, struct bytes bytes)
{
    uint8_t *room = buffer_room(buffer, bytes.size < BUFFER_MAX ? 4 + bytes.size : SIZE_MAX);

    if (room != NULL) {
        put_u32(room, (uint32_t)bytes.size);
    }
    if (room != NULL && bytes.size > 0) {
        memcpy(room + 4, bytes.data, bytes.size);
    }
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return BYTES(buffer->data, buffer->size);
}

struct bytes reader_take(struct reader *reader, size_t size)
{
    struct bytes taken = {0};

    if (reader->is_failed || size > reader->rest.size) {
        reader->is_failed = true;
        return taken;
    }
    taken = BYTES(reader->rest.data, size);
    reader->rest.data += size;
    reader->rest.size -= size;
    return taken;
}

uint8_t reader_u8(struct reader *reader)
{
    struct bytes raw = reader_take(reader, 1);

    return raw.size == 1 ? raw.data[0] : 0;
}

uint16_t reader_u16(struct reader *reader)
{
    struct bytes raw = reader_take(reader, 2);

    return raw.size == 2 ? get_u16(raw.data) : 0;
}

uint32_t reader_u32(struct reader *reader)
{
    struct bytes raw = reader_take(reader, 4);

    return raw.size == 4 ? get_u32(raw.data) : 0;
}

uint64_t reader_u64(struct reader *reader)
{
    struct bytes raw = reader_take(reader, 8);

    return raw.size == 8 ? get_u64(raw.data) : 0;
}

struct bytes reader_chunk(struct reader *reader)
{
    return reader_take(reader, reader_u32(reader));
}

void reader_copy(struct reader *reader, void *into, size_t size)
{
    struct bytes raw = reader_take(reader, size);

    if (raw.size == size && size > 0) {
        memcpy(into, raw.data, size);
    } else {
        memset(into, 0, size);
    }
}

bool reader_is_done(const struct reader *reader)
{
    return !reader->is_failed && reader->rest.size == 0;
}

void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

void put_u64(uint8_t *at, uint64_t value)
{
    put_u32(at, (uint32_t)(value >> 32));
    put_u32(at + 4, (uint32_t)value);
}

uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

void hex_encode(const uint8_t *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * size] = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

enum rc hex_decode(const char *text, uint8_t *out, size_t size)
{
    if (strlen(text) != 2 * size) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return RC_INVALID_ARGUMENT;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return RC_OK;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const uint8_t *data, size_t size, char *out)
{
    char *at = out;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)data[i] << 16;

        group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        group |= left > 2 ? data[i + 2] : 0;
        *at++ = base64_digits[group >> 18];
        *at++ = base64_digits[group >> 12 & 63];
        *at++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *at++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *at = '\0';
    return (size_t)(at - out);
}

static int base64_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    if (digit == '+') {
        return 62;
    }
    return digit == '/' ? 63 : -1;
}

enum rc base64_decode(struct bytes text, uint8_t *out, size_t capacity, size_t *size)
{
    size_t padding = 0;
    size_t length;
    size_t used = 0;

    if (text.size % 4 != 0) {
        return RC_INVALID_ARGUMENT;
    }
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    length = text.size / 4 * 3 - padding;
    if (length > capacity) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < text.size; i += 4) {
        size_t wanted = length - used < 3 ? length - used : 3;
        uint32_t group = 0;

        for (size_t k = 0; k < 4; k++) {
            int value = k <= wanted ? base64_value(text.data[i + k]) : 0;

            if (value < 0) {
                return RC_INVALID_ARGUMENT;
            }
            group = group << 6 | (uint32_t)value;
        }
        if ((group & ((1u << 8 * (3 - wanted)) - 1)) != 0) {
            return RC_INVALID_ARGUMENT; /* bits that the padding hides must be zero */
        }
        for (size_t k = 0; k < wanted; k++) {
            out[used++] = (uint8_t)(group >> (16 - 8 * k));
        }
    }
    *size = used;
    return RC_OK;
}
