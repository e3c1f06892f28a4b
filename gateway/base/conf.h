/*
 * conf - a settings file into a struct, driven by one table of rows per program.
 *
 * The file is "name = value" lines of at most CONF_LINE_MAX bytes (inih, no sections); a line that
 * begins with # or ;, and what follows " ;" on a line, is a comment. An unknown name is an error
 * that suggests the nearest known one; every message reads `file:line: name: expected ...`. Read
 * before the first thread starts, constant afterwards.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/rc.h"

#define CONF_TEXT_SIZE 256
/* Without indentation. What inih was built for. */
#define CONF_LINE_MAX 198

enum conf_kind {
    CONF_TEXT,    /* char[CONF_TEXT_SIZE] */
    CONF_INTEGER, /* int64_t, least..most, in the unit that the name ends with */
    CONF_TEXTS,   /* struct conf_list: the name may stand on several lines */
};

struct conf_list {
    char items[32][CONF_TEXT_SIZE];
    size_t count;
};

struct conf_row {
    const char *name;
    enum conf_kind kind;
    size_t offset;
    const char *fallback; /* NULL: must be given; for CONF_TEXTS none is fine */
    int64_t least;        /* for CONF_INTEGER; for CONF_TEXT 1 refuses an empty value */
    int64_t most;
    const char *meaning;
};

/* Rows end with a row whose name is NULL. On refusal `error` holds the line to print. */
MUST_CHECK enum rc conf_read(const char *path, const struct conf_row *rows, void *settings,
                             char error[512]);

/* What --help-settings prints, and the example file: every row, commented with its meaning. */
void conf_print(const struct conf_row *rows, FILE *out);

/* The nearest of `names` (NULL ends it) to a mistyped word, or NULL: "did you mean". */
const char *conf_nearest(const char *word, const char *const *names);

#endif
