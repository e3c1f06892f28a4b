#include "oficio/form.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "tlog/text.h"

#define BOM "\xef\xbb\xbf"
#define STATE "estado"

static enum rc bad(struct fault *fault, const char *reason, unsigned line, const char *remedy)
{
    char path[32];

    snprintf(path, sizeof path, "renglón %u", line);
    return refuse(fault, RC_INVALID_ARGUMENT, reason, line > 0 ? path : "", "%s", remedy);
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = BYTES(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

static bool is_key(struct bytes key)
{
    for (size_t i = 0; i < key.size; i++) {
        bool is_letter = key.data[i] >= 'a' && key.data[i] <= 'z';
        bool is_digit = key.data[i] >= '0' && key.data[i] <= '9';

        if (!is_letter && !is_digit && key.data[i] != '_') {
            return false;
        }
    }
    return key.size > 0 && key.size <= FORM_KEY_MAX;
}

/* Once CRs at the ends are gone, nothing but letters is left. */
static bool is_plain(struct bytes value)
{
    return value.size <= FORM_VALUE_MAX && text_is_clean(value, TEXT_LINES);
}

static enum rc take_line(struct bytes line, unsigned number, struct arena *arena, struct form *form,
                         struct fault *fault)
{
    struct bytes rest = trim(line);
    struct bytes key;
    struct bytes value;
    struct form_line *made = &form->lines[form->count];

    if (rest.size == 0 || rest.data[0] == '#') {
        return RC_OK;
    }
    if (!text_split(&rest, ':', &key) || !is_key(trim(key))) {
        return bad(fault, "form.line", number, "Cada renglón es «clave: valor».");
    }
    value = trim(rest);
    if (value.size == 0) {
        return RC_OK;
    }
    if (!is_plain(value)) {
        return bad(fault, "form.line", number,
                   "El valor es muy largo o lleva caracteres que no son de texto.");
    }
    if (form->count == FORM_LINES_MAX) {
        return bad(fault, "form.too_many", number, "Son demasiados renglones: haga otra forma.");
    }
    *made = (struct form_line){arena_text(arena, trim(key)), arena_text(arena, value), number};
    if (made->key == NULL || made->value == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    form->count++;
    return RC_OK;
}

static enum rc take_format(struct form *form, struct fault *fault)
{
    const struct form_line *first = form->lines;

    if (form->count == 0 || strcmp(first->key, "formato") != 0) {
        return bad(fault, "form.format", 0, "El primer renglón es «formato: enlace-acuse 1».");
    }
    if (strcmp(first->value, "enlace-acuse 1") == 0) {
        form->kind = FORM_ANSWER;
    } else if (strcmp(first->value, "enlace-canalizacion 1") == 0) {
        form->kind = FORM_REFERRAL;
    } else {
        return bad(fault, "form.format", first->number,
                   "El formato es «enlace-acuse 1» o «enlace-canalizacion 1».");
    }
    form->lines++;
    form->count--;
    return RC_OK;
}

enum rc form_read(struct bytes text, struct arena *arena, struct form *form, struct fault *fault)
{
    unsigned number = 0;

    *form = (struct form){0};
    if (text.size >= 3 && memcmp(text.data, BOM, 3) == 0) {
        text = BYTES(text.data + 3, text.size - 3);
    }
    if (text.size > FORM_BYTES_MAX || (text.size > 0 && memchr(text.data, 0, text.size) != NULL)) {
        return bad(fault, "form.text", 0, "Es un texto en UTF-8 de hasta 64 KiB.");
    }
    form->lines = arena_alloc(arena, (FORM_LINES_MAX + 1) * sizeof *form->lines);
    if (form->lines == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    while (text.size > 0) {
        struct bytes line;

        if (!text_split(&text, '\n', &line)) {
            line = text;
            text.size = 0;
        }
        TRY(take_line(line, ++number, arena, form, fault));
    }
    return take_format(form, fault);
}

const char *form_value(const struct form *form, size_t first, size_t end, const char *key)
{
    for (size_t i = first; i < end; i++) {
        if (strcmp(form->lines[i].key, key) == 0) {
            return form->lines[i].value;
        }
    }
    return "";
}

size_t form_next_state(const struct form *form, size_t at)
{
    while (at < form->count && strcmp(form->lines[at].key, STATE) != 0) {
        at++;
    }
    return at;
}

static bool is_among(const char *const *keys, const char *key)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

enum rc form_check(const struct form *form, size_t first, size_t end, const char *const *keys,
                   struct fault *fault)
{
    for (size_t i = first; i < end; i++) {
        if (!is_among(keys, form->lines[i].key)) {
            return bad(fault, "form.key", form->lines[i].number, "Esa clave no va ahí.");
        }
        for (size_t j = first; j < i; j++) {
            if (strcmp(form->lines[i].key, form->lines[j].key) == 0) {
                return bad(fault, "form.twice", form->lines[i].number,
                           "Esa clave ya estaba: quite uno de los dos renglones.");
            }
        }
    }
    return RC_OK;
}
