#include "sdk/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"

#define SECTION_SIZE 64
#define MAPPING_LINE_MAX 198
#define TABLE_PREFIX "claves "
#define ANY "*"

/* One list for the whole file: a section is the name that its rows carry. */
struct entry {
    char section[SECTION_SIZE];
    struct mapping_row row;
};

struct mapping {
    char path[256];
    struct entry entries[MAPPING_ROWS_MAX];
    size_t count;
    /* [salida] once more, side by side. */
    struct mapping_row out[MAPPING_ROWS_MAX];
    size_t out_count;
};

/* ---- reading the file ---- */

struct parsing {
    struct mapping *mapping;
    char *error;
    char section[SECTION_SIZE];
};

static enum rc complain(const struct mapping *mapping, unsigned line, const char *name,
                        const char *what, char error[MAPPING_ERROR_SIZE])
{
    snprintf(error, MAPPING_ERROR_SIZE, "%s:%u: %s: %s", mapping->path, line, name, what);
    return RC_INVALID_ARGUMENT;
}

static const struct mapping_row *find(const struct mapping *mapping, const char *section,
                                      const char *name)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const struct entry *entry = &mapping->entries[i];

        if (strcmp(entry->section, section) == 0 && strcmp(entry->row.name, name) == 0) {
            return &entry->row;
        }
    }
    return NULL;
}

static bool is_section(const char *section)
{
    return strcmp(section, "ajustes") == 0 || strcmp(section, "salida") == 0 ||
           strcmp(section, "entrada") == 0 ||
           (strncmp(section, TABLE_PREFIX, strlen(TABLE_PREFIX)) == 0 &&
            section[strlen(TABLE_PREFIX)] != '\0');
}

static enum rc take(struct parsing *parsing, const char *name, const char *value, unsigned line)
{
    struct mapping *mapping = parsing->mapping;
    const char *section = parsing->section;
    struct entry *entry = &mapping->entries[mapping->count];

    if (section[0] == '\0') {
        return complain(mapping, line, name, "está antes de la primera [sección]", parsing->error);
    }
    if (mapping->count == MAPPING_ROWS_MAX) {
        return complain(mapping, line, name, "demasiados renglones; son a lo más 512",
                        parsing->error);
    }
    if (strlen(name) >= sizeof entry->row.name || strlen(value) >= sizeof entry->row.value) {
        return complain(mapping, line, name, "demasiado largo", parsing->error);
    }
    if (name[0] == '\0' || value[0] == '\0') {
        return complain(mapping, line, name, "falta el nombre o el valor: «nombre = valor»",
                        parsing->error);
    }
    if (find(mapping, section, name) != NULL) {
        return complain(mapping, line, name, "ya estaba en esta sección; quite uno de los dos",
                        parsing->error);
    }
    snprintf(entry->section, sizeof entry->section, "%s", section);
    snprintf(entry->row.name, sizeof entry->row.name, "%s", name);
    snprintf(entry->row.value, sizeof entry->row.value, "%s", value);
    entry->row.line = line;
    mapping->count++;
    if (strcmp(section, "salida") == 0) {
        mapping->out[mapping->out_count++] = entry->row;
    }
    return RC_OK;
}

static char *trim(char *text)
{
    size_t length;

    while (*text == ' ' || *text == '\t') {
        text++;
    }
    length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

static enum rc take_line(struct parsing *parsing, char *line, unsigned number)
{
    char *text = trim(line);
    size_t length = strlen(text);
    char *equals = strchr(text, '=');

    if (text[0] == '\0' || text[0] == '#') {
        return RC_OK;
    }
    if (text[0] == '[' && text[length - 1] == ']') {
        text[length - 1] = '\0';
        snprintf(parsing->section, sizeof parsing->section, "%s", trim(text + 1));
        return is_section(parsing->section)
                   ? RC_OK
                   : complain(parsing->mapping, number, text,
                              "no es una sección; son [ajustes], [salida], [entrada] y "
                              "[claves NOMBRE]",
                              parsing->error);
    }
    if (equals == NULL) {
        return complain(parsing->mapping, number, text, "no es «nombre = valor»", parsing->error);
    }
    *equals = '\0';
    return take(parsing, trim(text), trim(equals + 1), number);
}

enum rc mapping_read(const char *path, struct mapping **mapping, char error[MAPPING_ERROR_SIZE])
{
    OWN_PTR(mapping) made = calloc(1, sizeof *made);
    struct parsing parsing = {.mapping = made, .error = error};
    FILE *file = fopen(path, "re");
    char line[MAPPING_LINE_MAX + 2];
    unsigned number = 0;
    enum rc rc = RC_OK;

    if (file == NULL || made == NULL) {
        snprintf(error, MAPPING_ERROR_SIZE, "%s: %s", path, strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return RC_INVALID_ARGUMENT;
    }
    snprintf(made->path, sizeof made->path, "%s", path);
    while (rc == RC_OK && fgets(line, sizeof line, file) != NULL) {
        size_t length = strcspn(line, "\n");

        number++;
        if (line[length] != '\n' && !feof(file)) {
            rc = complain(made, number, "…", "el renglón pasa de 198 bytes o tiene un NUL", error);
        } else {
            line[length] = '\0';
            rc = take_line(&parsing, line, number);
        }
    }
    fclose(file);
    TRY(rc);
    *mapping = MOVE(made);
    return RC_OK;
}

void mapping_free(struct mapping *mapping)
{
    free(mapping);
}

/* ---- what the adapter understands ---- */

/* "purpose?" stands for a word that may be left out. */
static bool is_word(const char *word, const char *name)
{
    size_t length = strcspn(word, "?");

    return strncmp(word, name, length) == 0 && name[length] == '\0';
}

static bool is_among(const char *const *words, const char *name)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (is_word(words[i], name)) {
            return true;
        }
    }
    return false;
}

static enum rc unknown(const struct mapping *mapping, const struct mapping_row *row,
                       const char *const *words, char error[MAPPING_ERROR_SIZE])
{
    const char *nearest = words != NULL ? conf_nearest(row->name, words) : NULL;
    char what[160];

    snprintf(what, sizeof what, "este adaptador no lo conoce%s%s%s",
             nearest != NULL ? "; ¿quiso decir «" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "»?" : "");
    return complain(mapping, row->line, row->name, what, error);
}

/* A value of [salida]: a text in quotes, or a path and perhaps a table. */
struct source {
    char path[MAPPING_VALUE_SIZE];
    char table[SECTION_SIZE]; /* "": none */
    bool is_text;
};

static void source_read(const char *value, struct source *source)
{
    size_t length = strlen(value);
    const char *bar = strchr(value, '|');
    char *end;

    memset(source, 0, sizeof *source);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        source->is_text = true;
        snprintf(source->path, sizeof source->path, "%.*s", (int)(length - 2), value + 1);
        return;
    }
    snprintf(source->path, sizeof source->path, "%.*s",
             bar != NULL ? (int)(bar - value) : (int)length, value);
    for (end = source->path + strlen(source->path); end > source->path && end[-1] == ' '; end--) {
        end[-1] = '\0';
    }
    if (bar != NULL) {
        snprintf(source->table, sizeof source->table, "%.*s", SECTION_SIZE - 1,
                 bar + 1 + strspn(bar + 1, " "));
    }
}

static bool has_table(const struct mapping *mapping, const char *table)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const char *section = mapping->entries[i].section;

        if (strncmp(section, TABLE_PREFIX, strlen(TABLE_PREFIX)) == 0 &&
            strcmp(section + strlen(TABLE_PREFIX), table) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc check_source(const struct mapping *mapping, const struct mapping_row *row,
                            char error[MAPPING_ERROR_SIZE])
{
    struct source source;

    source_read(row->value, &source);
    if (!source.is_text && !reading_knows(source.path)) {
        return complain(mapping, row->line, row->value,
                        "no es un dato de un mensaje; un texto fijo va entre comillas", error);
    }
    if (source.table[0] != '\0' && !has_table(mapping, source.table)) {
        return complain(mapping, row->line, source.table, "falta la tabla [claves …] de ese nombre",
                        error);
    }
    return RC_OK;
}

static enum rc check_entry(const struct mapping *mapping, const struct entry *entry,
                           const struct mapping_words *words, char error[MAPPING_ERROR_SIZE])
{
    const struct mapping_row *row = &entry->row;

    if (strcmp(entry->section, "ajustes") == 0) {
        return is_among(words->settings, row->name) ? RC_OK
                                                    : unknown(mapping, row, words->settings, error);
    }
    if (strcmp(entry->section, "entrada") == 0) {
        return is_among(words->in, row->name) ||
                       (words->takes_fields && field_number(row->name) >= 0)
                   ? RC_OK
                   : unknown(mapping, row, words->in, error);
    }
    if (strcmp(entry->section, "salida") == 0) {
        return words->has_out ? check_source(mapping, row, error)
                              : complain(mapping, row->line, row->name,
                                         "este adaptador no usa [salida]", error);
    }
    /* A table that [salida] goes through may have any name. */
    return words->has_out || is_among(words->tables, entry->section + strlen(TABLE_PREFIX))
               ? RC_OK
               : complain(mapping, row->line, entry->section, "este adaptador no usa esa tabla",
                          error);
}

static enum rc check_given(const struct mapping *mapping, const char *section,
                           const char *const *words, char error[MAPPING_ERROR_SIZE])
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (strchr(words[i], '?') == NULL && find(mapping, section, words[i]) == NULL) {
            snprintf(error, MAPPING_ERROR_SIZE, "%s: falta «%s» en [%s]", mapping->path, words[i],
                     section);
            return RC_INVALID_ARGUMENT;
        }
    }
    return RC_OK;
}

enum rc mapping_check(const struct mapping *mapping, const struct mapping_words *words,
                      char error[MAPPING_ERROR_SIZE])
{
    for (size_t i = 0; i < mapping->count; i++) {
        TRY(check_entry(mapping, &mapping->entries[i], words, error));
    }
    TRY(check_given(mapping, "ajustes", words->settings, error));
    TRY(check_given(mapping, "entrada", words->in, error));
    for (size_t i = 0; words->tables != NULL && words->tables[i] != NULL; i++) {
        if (strchr(words->tables[i], '?') == NULL && !has_table(mapping, words->tables[i])) {
            snprintf(error, MAPPING_ERROR_SIZE, "%s: falta la tabla [claves %s]", mapping->path,
                     words->tables[i]);
            return RC_INVALID_ARGUMENT;
        }
    }
    return RC_OK;
}

/* ---- looking up ---- */

const char *mapping_setting(const struct mapping *mapping, const char *name)
{
    const struct mapping_row *row = find(mapping, "ajustes", name);

    return row != NULL ? row->value : "";
}

const char *mapping_in(const struct mapping *mapping, const char *word)
{
    const struct mapping_row *row = find(mapping, "entrada", word);

    return row != NULL ? row->value : NULL;
}

const struct mapping_row *mapping_in_row(const struct mapping *mapping, size_t *at)
{
    for (; *at < mapping->count; (*at)++) {
        if (strcmp(mapping->entries[*at].section, "entrada") == 0) {
            return &mapping->entries[(*at)++].row;
        }
    }
    return NULL;
}

const struct mapping_row *mapping_out(const struct mapping *mapping, size_t *count)
{
    *count = mapping->out_count;
    return mapping->out;
}

static void table_section(const char *table, char out[SECTION_SIZE])
{
    snprintf(out, SECTION_SIZE, TABLE_PREFIX "%.*s", (int)(SECTION_SIZE - sizeof TABLE_PREFIX),
             table);
}

const char *mapping_theirs(const struct mapping *mapping, const char *table, const char *ours)
{
    char section[SECTION_SIZE];
    const struct mapping_row *row;

    table_section(table, section);
    row = find(mapping, section, ours);
    if (row == NULL) {
        row = find(mapping, section, ANY);
    }
    return row != NULL ? row->value : NULL;
}

const char *mapping_ours(const struct mapping *mapping, const char *table, const char *theirs)
{
    char section[SECTION_SIZE];

    table_section(table, section);
    for (size_t i = 0; i < mapping->count; i++) {
        const struct entry *entry = &mapping->entries[i];

        if (strcmp(entry->section, section) == 0 && strcmp(entry->row.value, theirs) == 0 &&
            strcmp(entry->row.name, ANY) != 0) {
            return entry->row.name;
        }
    }
    return NULL;
}

const char *mapping_text(const struct mapping *mapping, const struct mapping_row *row,
                         const struct reading *reading, struct reading_place place)
{
    struct source source;
    const char *text;

    source_read(row->value, &source);
    if (source.is_text) {
        text = arena_text(reading->arena, bytes_text(source.path));
        return text != NULL ? text : "";
    }
    text = reading_text(reading, source.path, place);
    if (source.table[0] == '\0' || text[0] == '\0') {
        return text;
    }
    text = mapping_theirs(mapping, source.table, text);
    return text != NULL ? text : "";
}
