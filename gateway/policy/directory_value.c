#include "policy/directory_value.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/directory_file.h"
#include "policy/directory_stanza.h"

enum rc complain(struct reading *reading, unsigned line, const char *format, ...)
{
    char text[DIRECTORY_LINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(reading->error, 512, "%.200s:%u: %.280s", reading->name, line, text);
    return RC_INVALID_ARGUMENT;
}

enum rc complain_in(struct reading *reading, uint16_t text, unsigned line, const char *format, ...)
{
    char complaint[DIRECTORY_LINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(complaint, sizeof complaint, format, args);
    va_end(args);
    reading->name = reading->sources[text].name;
    return complain(reading, line, "%s", complaint);
}

enum rc complain_near(struct reading *reading, const char *what, const char *word, const char *near)
{
    return complain(reading, reading->line, "\"%.60s\": expected %s%s%s%s", word, what,
                    near != NULL ? ", did you mean " : "", near != NULL ? near : "",
                    near != NULL ? "?" : "");
}

static bool is_word(const char *value, const char *also, size_t max)
{
    size_t size = strlen(value);

    for (size_t i = 0; i < size; i++) {
        char c = value[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
            strchr(also, c) == NULL) {
            return false;
        }
    }
    return size > 0 && size <= max;
}

bool value_is_id(const char *value)
{
    return is_word(value, "-.", CODE_SIZE - 1);
}

enum rc value_word(struct reading *reading, const char *value, const char *also, char *out,
                   size_t size)
{
    if (!is_word(value, also, size - 1)) {
        return complain(reading, reading->line,
                        "\"%.60s\": expected one word of 1 to %zu letters, digits and \"%s\"",
                        value, size - 1, also);
    }
    memcpy(out, value, strlen(value) + 1);
    return RC_OK;
}

enum rc value_sha256(struct reading *reading, const char *value, uint8_t out[HASH_SIZE])
{
    if (hex_decode(value, out, HASH_SIZE) != RC_OK) {
        return complain(reading, reading->line,
                        "\"%.80s\": expected a SHA-256 of 64 lower-case hex digits", value);
    }
    return RC_OK;
}

enum rc value_yes(struct reading *reading, const char *value, const char *no, const char *yes,
                  bool *out)
{
    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0) {
        return complain(reading, reading->line, "\"%.60s\": expected %s or %s", value, yes, no);
    }
    *out = strcmp(value, yes) == 0;
    return RC_OK;
}

enum rc value_refer(struct reading *reading, enum reference_kind kind, const char *value,
                    char out[CODE_SIZE])
{
    struct reference *reference = &reading->references[reading->reference_count];

    if (!is_word(value, "-./", CODE_SIZE - 1)) {
        return complain(reading, reading->line, "\"%.60s\": expected the id of another stanza",
                        value);
    }
    assert(reading->reference_count < reading->reference_max);
    memset(out, 0, CODE_SIZE);
    memcpy(out, value, strlen(value));
    reference->kind = kind;
    reference->line = reading->line;
    reference->text = reading->text;
    memcpy(reference->to, out, CODE_SIZE);
    reading->reference_count++;
    return RC_OK;
}

enum rc value_dates(struct reading *reading, const char *value, struct dates *dates)
{
    struct bytes text = bytes_text(value);

    if (text.size != 22 || memcmp(value + 10, "..", 2) != 0 ||
        clock_parse_date(BYTES(value, 10), &dates->from_day) != RC_OK ||
        clock_parse_date(BYTES(value + 12, 10), &dates->to_day) != RC_OK) {
        return complain(reading, reading->line,
                        "\"%.60s\": expected dates such as 2026-01-01..2026-12-31", value);
    }
    if (dates->to_day < dates->from_day) {
        return complain(reading, reading->line, "\"%.60s\": expected the earlier date first",
                        value);
    }
    return RC_OK;
}
