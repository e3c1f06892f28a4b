/*
 * id - 16-byte identifiers: UUIDv7 (RFC 9562 §5.7) for messages and attachments, random ones for
 * pseudonyms and cases.
 */
#ifndef MODEL_ID_H
#define MODEL_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ID_SIZE 16
#define ID_TEXT_SIZE 37

struct id {
    uint8_t bytes[ID_SIZE];
};

/* `random` supplies the 10 bytes that are not time: tests and seeds decide it. */
struct id id_v7(int64_t instant_ms, const uint8_t random[10]);
bool id_is_v7(const struct id *id);
/* The millisecond in a UUIDv7. */
int64_t id_instant_ms(const struct id *id);
bool id_is_zero(const struct id *id);
bool id_equal(const struct id *a, const struct id *b);
/* "0193e2a1-…", lower case. */
void id_format(const struct id *id, char out[ID_TEXT_SIZE]);
MUST_CHECK enum rc id_parse(const char *text, struct id *id);
/* Exactly 16 bytes. */
MUST_CHECK enum rc id_from_bytes(struct bytes bytes, struct id *id);

#endif
