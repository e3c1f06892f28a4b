#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 128

struct reading {
    const struct conf_row *rows;
    uint8_t *settings;
    const char *path;
    char *error;
    FILE *file;
    int line; /* Debian's inih reports none to its handler: we count as we feed it */
    bool given[ROWS_MAX];
};

/*
 * One line, without its indentation: inih would take an indented line for more of the value above,
 * the rest of a long line for a line of its own, and says nothing of a section without a name.
 */
static char *next_line(char *into, int size, void *user)
{
    struct reading *reading = user;
    int used = 0;
    bool is_cut = false;
    int c;

    reading->line++;
    while ((c = getc(reading->file)) != EOF && c != '\n') {
        if (used == 0 && (c == ' ' || c == '\t')) {
            continue;
        }
        is_cut = is_cut || used == CONF_LINE_MAX || c == '\0';
        if (used < CONF_LINE_MAX && used < size - 1) {
            into[used++] = (char)c;
        }
    }
    into[used] = '\0';
    if (reading->error[0] != '\0' || (c == EOF && used == 0)) {
        return NULL;
    }
    if (into[0] == '[' || (is_cut && into[0] != '#' && into[0] != ';')) {
        snprintf(reading->error, 512, "%s:%d: expected a line \"name = value\" of at most %d bytes",
                 reading->path, reading->line, CONF_LINE_MAX);
        return NULL;
    }
    return into;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    size_t width = strlen(b);

    if (width >= 64) {
        return 64;
    }
    for (size_t j = 0; j <= width; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t swapped = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            corner = row[j];
            row[j] = swapped < least ? swapped : least;
        }
    }
    return row[width];
}

const char *conf_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2;

    for (; *names != NULL; names++) {
        size_t d = distance(word, *names);

        if (d < best) {
            best = d;
            nearest = *names;
        }
    }
    return nearest;
}

static const char *nearest_row(const struct conf_row *rows, const char *word)
{
    const char *names[ROWS_MAX + 1];
    size_t n = 0;

    while (rows[n].name != NULL && n < ROWS_MAX) {
        names[n] = rows[n].name;
        n++;
    }
    names[n] = NULL;
    return conf_nearest(word, names);
}

static int set_text(const struct conf_row *row, void *at, const char *value, char *why, size_t size)
{
    if (strlen(value) >= CONF_TEXT_SIZE || (row->least > 0 && value[0] == '\0')) {
        snprintf(why, size, "expected a text of %d to %d characters", row->least > 0 ? 1 : 0,
                 CONF_TEXT_SIZE - 1);
        return 0;
    }
    memset(at, 0, CONF_TEXT_SIZE);
    memcpy(at, value, strlen(value));
    return 1;
}

static int set_value(const struct conf_row *row, uint8_t *settings, const char *value, char *why,
                     size_t size)
{
    void *at = settings + row->offset;

    if (row->kind == CONF_INTEGER) {
        char *end;
        long long number;

        errno = 0;
        number = strtoll(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0' || number < row->least ||
            number > row->most) {
            snprintf(why, size, "expected a number from %lld to %lld", (long long)row->least,
                     (long long)row->most);
            return 0;
        }
        *(int64_t *)at = number;
        return 1;
    }
    if (row->kind == CONF_TEXTS) {
        struct conf_list *list = at;

        if (list->count == sizeof list->items / sizeof list->items[0]) {
            snprintf(why, size, "expected at most %zu lines of this name", list->count);
            return 0;
        }
        return set_text(row, list->items[list->count], value, why, size) && ++list->count > 0;
    }
    return set_text(row, at, value, why, size);
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    int line = reading->line;
    char why[160] = "";

    if (reading->error[0] != '\0') {
        return 0;
    }
    if (section[0] != '\0' || name == NULL || value == NULL) {
        snprintf(reading->error, 512, "%s:%d: expected a line \"name = value\"", reading->path,
                 line);
        return 0;
    }
    for (size_t i = 0; reading->rows[i].name != NULL; i++) {
        const struct conf_row *row = &reading->rows[i];

        if (strcmp(row->name, name) != 0) {
            continue;
        }
        if (reading->given[i] && row->kind != CONF_TEXTS) {
            snprintf(why, sizeof why, "expected once, stands twice");
        } else if (set_value(row, reading->settings, value, why, sizeof why)) {
            reading->given[i] = true;
            return 1;
        }
        snprintf(reading->error, 512, "%s:%d: %s: %s", reading->path, line, name, why);
        return 0;
    }
    {
        const char *nearest = nearest_row(reading->rows, name);

        snprintf(reading->error, 512, "%s:%d: %s: unknown setting%s%s%s", reading->path, line, name,
                 nearest != NULL ? ", did you mean " : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "?" : "");
    }
    return 0;
}

enum rc conf_read(const char *path, const struct conf_row *rows, void *settings, char error[512])
{
    struct reading reading = {.rows = rows, .settings = settings, .path = path, .error = error};
    char why[160];
    int status;

    error[0] = '\0';
    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        snprintf(error, 512, "%s: cannot be read: %s", path, strerror(errno));
        return RC_INVALID_ARGUMENT;
    }
    status = ini_parse_stream(next_line, &reading, on_line, &reading);
    fclose(reading.file);
    if (error[0] == '\0' && status != 0) {
        snprintf(error, 512, "%s:%d: expected a line \"name = value\"", path, status);
    }
    if (error[0] != '\0') {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; rows[i].name != NULL; i++) {
        if (reading.given[i] || (rows[i].kind == CONF_TEXTS && rows[i].fallback == NULL)) {
            continue;
        }
        if (rows[i].fallback == NULL) {
            snprintf(error, 512, "%s: %s: missing; it is %s", path, rows[i].name, rows[i].meaning);
            return RC_INVALID_ARGUMENT;
        }
        if (!set_value(&rows[i], settings, rows[i].fallback, why, sizeof why) &&
            rows[i].fallback[0] != '\0') {
            snprintf(error, 512, "%s: default: %s", rows[i].name, why);
            return RC_INTERNAL;
        }
    }
    return RC_OK;
}

void conf_print(const struct conf_row *rows, FILE *out)
{
    for (; rows->name != NULL; rows++) {
        fprintf(out, "# %s", rows->meaning);
        if (rows->kind == CONF_INTEGER) {
            fprintf(out, " (%lld to %lld)", (long long)rows->least, (long long)rows->most);
        }
        fprintf(out, "\n%s%s = %s\n\n", rows->fallback != NULL ? "# " : "", rows->name,
                rows->fallback != NULL ? rows->fallback : "");
    }
}
