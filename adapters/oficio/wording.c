#include "oficio/wording.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/message.h"
#include "tlog/text.h"

#define NAME_SIZE 64
#define WORD_SIZE 96

struct section {
    char name[NAME_SIZE];
    struct buffer text; /* ends with a NUL once read */
};

struct wording {
    struct section sections[WORDING_SECTIONS_MAX];
    size_t count;
};

struct parsing {
    struct wording *wording;
    const struct wording_source *source;
    char *error;
    unsigned line;
    bool is_new; /* the next line begins a paragraph */
};

static const char *const required[] = {"titulo",  "fecha",     "destinatario", "contestar",
                                       "leyenda", "verificar", "comprobar",    "pie"};

__attribute__((format(printf, 2, 3))) static enum rc complain(const struct parsing *parsing,
                                                              const char *format, ...)
{
    char what[WORDING_ERROR_SIZE - 32];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(parsing->error, WORDING_ERROR_SIZE, "%u: %s", parsing->line, what);
    return RC_INVALID_ARGUMENT;
}

void wording_free(struct wording *wording)
{
    for (size_t i = 0; wording != NULL && i < wording->count; i++) {
        buffer_release(&wording->sections[i].text);
    }
    free(wording);
}

/* ---- names of sections ---- */

/* "MeasureRequest", "Act dispute" */
static bool is_type(const char *name)
{
    if (strncmp(name, "Act ", 4) == 0) {
        return event_from_name(name + 4) != EVENT_NONE;
    }
    return message_type_from_name(name) != MESSAGE_NONE && strcmp(name, "Act") != 0;
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (strcmp(name, required[i]) == 0) {
            return true;
        }
    }
    return (strncmp(name, "asunto ", 7) == 0 || strncmp(name, "cuerpo ", 7) == 0) &&
           is_type(name + 7);
}

const char *wording_text(const struct wording *wording, const char *section)
{
    for (size_t i = 0; i < wording->count; i++) {
        if (strcmp(wording->sections[i].name, section) == 0) {
            return (const char *)wording->sections[i].text.data;
        }
    }
    return NULL;
}

static enum rc begin_section(struct parsing *parsing, struct bytes line)
{
    struct wording *wording = parsing->wording;
    struct section *made = &wording->sections[wording->count];

    if (line.size - 2 >= NAME_SIZE || wording->count == WORDING_SECTIONS_MAX) {
        return complain(parsing, "son demasiadas secciones, o su nombre es muy largo");
    }
    memcpy(made->name, line.data + 1, line.size - 2);
    made->name[line.size - 2] = '\0';
    if (!is_section(made->name)) {
        return complain(parsing, "«%s» no es una sección", made->name);
    }
    for (size_t i = 0; i < wording->count; i++) {
        if (strcmp(wording->sections[i].name, made->name) == 0) {
            return complain(parsing, "la sección «%s» ya estaba", made->name);
        }
    }
    wording->count++;
    parsing->is_new = false;
    return RC_OK;
}

/* ---- words in braces ---- */

struct word {
    char name[WORD_SIZE];
    char table[WORD_SIZE];
};

static bool copy_trimmed(char out[WORD_SIZE], const char *from, size_t size)
{
    while (size > 0 && from[0] == ' ') {
        from++;
        size--;
    }
    while (size > 0 && from[size - 1] == ' ') {
        size--;
    }
    if (size >= WORD_SIZE) {
        return false;
    }
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

/* From behind the opening brace; *end is behind the closing one. */
static bool read_word(const char *at, struct word *word, const char **end)
{
    const char *close = strchr(at, '}');
    const char *bar;
    size_t size;

    if (close == NULL) {
        return false;
    }
    size = (size_t)(close - at);
    bar = memchr(at, '|', size);
    *end = close + 1;
    word->table[0] = '\0';
    if (bar == NULL) {
        return copy_trimmed(word->name, at, size);
    }
    return copy_trimmed(word->name, at, (size_t)(bar - at)) &&
           copy_trimmed(word->table, bar + 1, (size_t)(close - bar - 1)) && word->table[0] != '\0';
}

static enum rc check_words(const struct parsing *parsing, const char *text)
{
    while ((text = strpbrk(text, "{}")) != NULL) {
        struct word word;

        if (text[0] == '}' || !read_word(text + 1, &word, &text)) {
            return complain(parsing, "una llave no tiene su pareja en el mismo párrafo");
        }
        if (!parsing->source->knows(parsing->source, word.name, word.table)) {
            return complain(parsing, "no se conoce «%s», o la tabla «%s»", word.name, word.table);
        }
    }
    return RC_OK;
}

enum rc wording_fill(const char *text, const struct wording_source *source, struct buffer *out)
{
    const char *brace;

    while ((brace = strchr(text, '{')) != NULL) {
        struct word word;
        const char *end;

        if (!read_word(brace + 1, &word, &end)) {
            break;
        }
        buffer_put(out, text, (size_t)(brace - text));
        buffer_put_bytes(out, bytes_text(source->find(source, word.name, word.table)));
        text = end;
    }
    buffer_put(out, text, strlen(text));
    buffer_put_u8(out, '\0');
    if (out->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    out->size--;
    return RC_OK;
}

/* ---- the file ---- */

static struct bytes trim(struct bytes line)
{
    while (line.size > 0 && strchr(" \t\r", line.data[line.size - 1]) != NULL) {
        line.size--;
    }
    while (line.size > 0 && line.data[0] == ' ') {
        line = BYTES(line.data + 1, line.size - 1);
    }
    return line;
}

static enum rc take_line(struct parsing *parsing, struct bytes line)
{
    struct wording *wording = parsing->wording;
    struct section *section = wording->count > 0 ? &wording->sections[wording->count - 1] : NULL;

    line = trim(line);
    if (line.size > 0 && line.data[0] == '#') {
        return RC_OK;
    }
    if (line.size > 2 && line.data[0] == '[' && line.data[line.size - 1] == ']') {
        return begin_section(parsing, line);
    }
    if (line.size == 0) {
        parsing->is_new = true;
        return RC_OK;
    }
    if (section == NULL) {
        return complain(parsing, "hay texto antes de la primera [sección]");
    }
    if (section->text.size > 0) {
        buffer_put_u8(&section->text, parsing->is_new ? '\n' : ' ');
    }
    buffer_put_bytes(&section->text, line);
    parsing->is_new = false;
    return RC_OK;
}

static enum rc finish(struct parsing *parsing)
{
    struct wording *wording = parsing->wording;

    for (size_t i = 0; i < wording->count; i++) {
        struct section *section = &wording->sections[i];

        buffer_put_u8(&section->text, '\0');
        if (section->text.is_failed) {
            return RC_RESOURCE_EXHAUSTED;
        }
        TRY(check_words(parsing, (const char *)section->text.data));
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (wording_text(wording, required[i]) == NULL) {
            return complain(parsing, "falta la sección «%s»", required[i]);
        }
    }
    return RC_OK;
}

enum rc wording_read(struct bytes text, const struct wording_source *source,
                     struct wording **wording, char error[WORDING_ERROR_SIZE])
{
    OWN_PTR(wording) made = calloc(1, sizeof *made);
    struct parsing parsing = {.wording = made, .source = source, .error = error};

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (text.size > WORDING_BYTES_MAX || (text.size > 0 && memchr(text.data, 0, text.size))) {
        return complain(&parsing, "no es un texto en UTF-8 de hasta 64 KiB");
    }
    while (text.size > 0) {
        struct bytes line;

        if (!text_split(&text, '\n', &line)) {
            line = text;
            text.size = 0;
        }
        parsing.line++;
        if (!text_is_clean(trim(line), TEXT_LINES)) {
            return complain(&parsing, "no es UTF-8, o lleva caracteres de control");
        }
        TRY(take_line(&parsing, line));
    }
    TRY(finish(&parsing));
    *wording = MOVE(made);
    return RC_OK;
}
