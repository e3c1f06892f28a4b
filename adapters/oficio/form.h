/*
 * form - what a liaison officer fills in with any editor: lines of "clave: valor".
 *
 *     formato: enlace-acuse 1            or "enlace-canalizacion 1"; always the first
 *     oficio: CEAVI/2026/000001
 *     clave: 0193e2a1-...                the message, as the oficio has it
 *     intercambio: 0193e2a1-...
 *     # one answer; as many as there are to say
 *     estado: ACEPTADA
 *     medida: 1
 *     fecha: 27/11/2026 10:30
 *
 * UTF-8, up to FORM_BYTES_MAX, lines end with LF or CRLF and a byte order mark may stand first:
 * what editors write. A line that begins with # is passed over, and so is a key without a value.
 * Keys are lower-case letters, "_" and digits; values are trimmed and up to FORM_VALUE_MAX bytes
 * without control characters. Refusals: "form.text", "form.line" (no key, or too long),
 * "form.too_many", "form.format"; the path is the line's number.
 *
 * Pure; any thread.
 */
#ifndef OFICIO_FORM_H
#define OFICIO_FORM_H

#include "base/bytes.h"

#define FORM_BYTES_MAX ((size_t)64 << 10)
#define FORM_LINES_MAX 400
#define FORM_KEY_MAX 32
#define FORM_VALUE_MAX 1000

struct arena;

enum form_kind { FORM_ANSWER, FORM_REFERRAL };

struct form_line {
    const char *key;
    const char *value; /* not empty */
    unsigned number;
};

struct form {
    enum form_kind kind;
    struct form_line *lines; /* without "formato" */
    size_t count;
};

/* Texts live in the arena. */
MUST_CHECK enum rc form_read(struct bytes text, struct arena *arena, struct form *form,
                             struct fault *fault);
/* The value of a key among the lines first..end; "" when it is not there. */
const char *form_value(const struct form *form, size_t first, size_t end, const char *key);
/* Each answer begins with its "estado": the index of the next one from `at` on, or count. */
size_t form_next_state(const struct form *form, size_t at);
/*
 * Every key is one of those and stands once: RC_INVALID_ARGUMENT "form.key", "form.twice". Lists
 * end with NULL.
 */
MUST_CHECK enum rc form_check(const struct form *form, size_t first, size_t end,
                              const char *const *keys, struct fault *fault);

#endif
