/*
 * bytes - a borrowed slice, a growable buffer and a bounded reader.
 *
 * Integers are big-endian everywhere: order on disk is order in time. Base64 is RFC 4648 §4 with
 * padding, and canonical: what would not encode back to the same text is refused.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

/* Borrowed: whoever made the memory frees it. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

#define BYTES(pointer, length)                                                                     \
    ((struct bytes){.data = (const uint8_t *)(pointer), .size = (length)})
#define BYTES_OF(array) BYTES(array, sizeof(array))
struct bytes bytes_text(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_are_text(struct bytes a, const char *text);

/* Grows up to a maximum; appending past it, or out of memory, marks it as failed and adds nothing.
 */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool is_failed;
};

#define BUFFER_MAX ((size_t)64 << 20)

/* Wipes, then frees; growing wipes what it leaves, too. */
void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
/* Room for so many bytes more: a size that is known grows the buffer once, not by doubling. */
void buffer_reserve(struct buffer *buffer, size_t size);
void buffer_put(struct buffer *buffer, const void *data, size_t size);
void buffer_put_bytes(struct buffer *buffer, struct bytes bytes);
void buffer_put_u8(struct buffer *buffer, uint8_t value);
void buffer_put_u16(struct buffer *buffer, uint16_t value);
void buffer_put_u32(struct buffer *buffer, uint32_t value);
void buffer_put_u64(struct buffer *buffer, uint64_t value);
__attribute__((format(printf, 2, 3))) void buffer_print(struct buffer *buffer, const char *format,
                                                        ...);
void buffer_put_base64(struct buffer *buffer, struct bytes bytes);
/* u32 length, then the bytes: read back by reader_chunk. */
void buffer_put_chunk(struct buffer *buffer, struct bytes bytes);
struct bytes buffer_bytes(const struct buffer *buffer);

/* Reads forward; the first read past the end marks it as failed, and all later ones give zeros. */
struct reader {
    struct bytes rest;
    bool is_failed;
};

uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct bytes reader_take(struct reader *reader, size_t size);
struct bytes reader_chunk(struct reader *reader);
void reader_copy(struct reader *reader, void *into, size_t size);
/* True when everything was read and nothing failed. */
bool reader_is_done(const struct reader *reader);

void put_u16(uint8_t *at, uint16_t value);
void put_u32(uint8_t *at, uint32_t value);
void put_u64(uint8_t *at, uint64_t value);
uint16_t get_u16(const uint8_t *at);
uint32_t get_u32(const uint8_t *at);
uint64_t get_u64(const uint8_t *at);

/* out has room for 2 * size + 1. */
void hex_encode(const uint8_t *data, size_t size, char *out);
/* Lower case only, exactly 2 * size digits. */
MUST_CHECK enum rc hex_decode(const char *text, uint8_t *out, size_t size);
/* out has room for 4 * ((size + 2) / 3) + 1; returns the length. */
size_t base64_encode(const uint8_t *data, size_t size, char *out);
/* Sets *size; refuses anything but the canonical text. */
MUST_CHECK enum rc base64_decode(struct bytes text, uint8_t *out, size_t capacity, size_t *size);

#endif
