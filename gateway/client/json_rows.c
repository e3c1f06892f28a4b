#include "client/json_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "model/message.h"

#define ROWS_MAX 80
#define DEPTH_MAX 8

size_t json_place_enter(struct json_place *place, const char *name, size_t index)
{
    size_t length = strlen(place->path);
    size_t room = sizeof place->path - length;

    if (name == NULL) {
        snprintf(place->path + length, room, "[%zu]", index);
    } else {
        snprintf(place->path + length, room, "%s%s", length > 0 ? "." : "", name);
    }
    return length;
}

void json_place_leave(struct json_place *place, size_t length)
{
    place->path[length] = '\0';
}

enum rc json_refuse(struct json_place *place, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return refuse(place->fault, RC_INVALID_ARGUMENT, "draft.value", place->path, "%s", text);
}

static bool is_too_deep(const json_t *value, unsigned depth)
{
    const char *key;
    json_t *child;
    size_t i;

    if (depth > DEPTH_MAX) {
        return true;
    }
    if (json_is_array(value)) {
        json_array_foreach(value, i, child)
        {
            if (is_too_deep(child, depth + 1)) {
                return true;
            }
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, child)
        {
            if (is_too_deep(child, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

enum rc json_parse(struct bytes text, json_t **root, struct fault *fault)
{
    json_error_t error;
    json_t *parsed = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);

    if (parsed == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.json", "",
                      "El JSON no se entiende en la línea %d, columna %d: corrija esa parte (una "
                      "llave repetida, una coma o unas comillas).",
                      error.line, error.column);
    }
    if (!json_is_object(parsed) || is_too_deep(parsed, 1)) {
        json_decref(parsed);
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.json", "",
                      "Se esperaba un objeto {…} de a lo más %d niveles.", DEPTH_MAX);
    }
    *root = parsed;
    return RC_OK;
}

static enum rc read_text(struct json_place *place, const json_t *value, const char **into)
{
    size_t size = json_string_length(value);
    char *copy;

    if (!json_is_string(value) || size > MESSAGE_TEXT_MAX) {
        return json_refuse(place, "Se esperaba un texto de hasta %d bytes.", MESSAGE_TEXT_MAX);
    }
    copy = arena_text(place->arena, BYTES(json_string_value(value), size));
    if (copy == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *into = copy;
    return RC_OK;
}

static enum rc read_number(struct json_place *place, const json_t *value, int64_t least,
                           int64_t most, int64_t *into)
{
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        return json_refuse(place, "Se esperaba un número entero de %lld a %lld.", (long long)least,
                           (long long)most);
    }
    *into = json_integer_value(value);
    return RC_OK;
}

static enum rc read_hash(struct json_place *place, const json_t *value, struct bytes *into)
{
    uint8_t raw[HASH_SIZE];

    if (!json_is_string(value) || json_string_length(value) != 2 * HASH_SIZE ||
        hex_decode(json_string_value(value), raw, HASH_SIZE) != RC_OK) {
        return json_refuse(place, "Se esperaba una huella SHA-256: 64 cifras hexadecimales en "
                                  "minúsculas.");
    }
    *into = arena_copy(place->arena, BYTES_OF(raw));
    return into->data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc read_word(struct json_place *place, const json_t *value, const char *const *words,
                         unsigned *into)
{
    const char *word = json_is_string(value) ? json_string_value(value) : "";
    const char *nearest;

    for (unsigned i = 1; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *into = i;
            return RC_OK;
        }
    }
    nearest = conf_nearest(word, words + 1);
    return json_refuse(place, "Valor desconocido; ¿quiso decir «%s»?",
                       nearest != NULL ? nearest : words[1]);
}

static enum rc read_value(struct json_place *place, const json_t *value, const struct json_row *row,
                          void *at)
{
    int64_t number;

    switch (row->kind) {
    case JSON_ROW_TEXT:
        return read_text(place, value, at);
    case JSON_ROW_ID:
        return json_is_string(value) && id_parse(json_string_value(value), at) == RC_OK
                   ? RC_OK
                   : json_refuse(place, "Se esperaba un identificador (UUID en minúsculas).");
    case JSON_ROW_U32:
        TRY(read_number(place, value, 0, UINT32_MAX, &number));
        *(uint32_t *)at = (uint32_t)number;
        return RC_OK;
    case JSON_ROW_I64:
        return read_number(place, value, INT64_MIN, INT64_MAX, at);
    case JSON_ROW_U64:
        TRY(read_number(place, value, 0, INT64_MAX, &number));
        *(uint64_t *)at = (uint64_t)number;
        return RC_OK;
    case JSON_ROW_INSTANT:
        return json_is_string(value) &&
                       clock_parse(bytes_text(json_string_value(value)), at) == RC_OK
                   ? RC_OK
                   : json_refuse(place, "Se esperaba fecha y hora con zona: "
                                        "2026-11-23T10:00:00-06:00.");
    case JSON_ROW_HASH:
        return read_hash(place, value, at);
    case JSON_ROW_WORD:
        return read_word(place, value, row->words, at);
    default:
        return RC_OK;
    }
}

static enum rc refuse_key(struct json_place *place, const struct json_row *rows, const char *key)
{
    const char *names[ROWS_MAX + 1];
    const char *nearest;
    size_t count = 0;

    while (rows[count].name != NULL && count < ROWS_MAX) {
        names[count] = rows[count].name;
        count++;
    }
    names[count] = NULL;
    nearest = conf_nearest(key, names);
    (void)json_place_enter(place, key, 0);
    if (nearest != NULL) {
        return refuse(place->fault, RC_INVALID_ARGUMENT, "draft.key", place->path,
                      "Nombre desconocido; ¿quiso decir «%s»?", nearest);
    }
    return refuse(place->fault, RC_INVALID_ARGUMENT, "draft.key", place->path,
                  "Nombre desconocido; quítelo o corríjalo.");
}

enum rc json_rows_read(struct json_place *place, json_t *object, const struct json_row *rows,
                       void *into)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        return json_refuse(place, "Se esperaba un objeto {…}.");
    }
    json_object_foreach(object, key, value)
    {
        const struct json_row *row = rows;
        size_t length;

        while (row->name != NULL && strcmp(row->name, key) != 0) {
            row++;
        }
        if (row->name == NULL) {
            return refuse_key(place, rows, key);
        }
        length = json_place_enter(place, key, 0);
        TRY(read_value(place, value, row, (uint8_t *)into + row->offset));
        json_place_leave(place, length);
    }
    return RC_OK;
}
