/*
 * json_rows - a JSON object into a struct, driven by a table of rows. Internal to client.
 *
 * Whatever is not in the table is refused, with its path and the nearest name that is.
 */
#ifndef CLIENT_JSON_ROWS_H
#define CLIENT_JSON_ROWS_H

#include <jansson.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena;

enum json_kind {
    JSON_ROW_TEXT,    /* const char * */
    JSON_ROW_ID,      /* struct id, from a UUID */
    JSON_ROW_U32,     /* uint32_t */
    JSON_ROW_I64,     /* int64_t */
    JSON_ROW_U64,     /* uint64_t */
    JSON_ROW_INSTANT, /* int64_t milliseconds, from RFC 3339 */
    JSON_ROW_HASH,    /* struct bytes of 32, from hex */
    JSON_ROW_WORD,    /* an enum, from its names */
    JSON_ROW_OTHER,   /* known, read by the caller */
};

struct json_row {
    const char *name;
    enum json_kind kind;
    size_t offset;
    const char *const *words; /* of JSON_ROW_WORD: by value, from 1; NULL ends it; [0] is unused */
};

/* Where we are, for messages: "items[2].cadence". */
struct json_place {
    char path[96];
    struct arena *arena;
    struct fault *fault;
};

/* Rows end with a row whose name is NULL. `place` is left as it was on success. */
MUST_CHECK enum rc json_rows_read(struct json_place *place, json_t *object,
                                  const struct json_row *rows, void *into);
/* Steps into a member, or (name NULL) into an element; json_place_leave with what this returned. */
size_t json_place_enter(struct json_place *place, const char *name, size_t index);
void json_place_leave(struct json_place *place, size_t length);
__attribute__((format(printf, 2, 3))) enum rc json_refuse(struct json_place *place,
                                                          const char *format, ...);
/* Parses strictly: no duplicate key, at most this deep, nothing after it. */
MUST_CHECK enum rc json_parse(struct bytes text, json_t **root, struct fault *fault);

#endif
