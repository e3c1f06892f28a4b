/*
 * wording - what an institution's oficios say, as a file of texts: another institution's is another
 * file.
 *
 *     # a comment
 *     [titulo]
 *     Mecanismo de Protección Integral
 *     [cuerpo MeasureRequest]
 *     Con fundamento en {header.legal_basis | fundamento}, se solicita ...
 *
 *     A blank line begins another paragraph.
 *
 * Sections: titulo, fecha, destinatario, contestar, leyenda, verificar, comprobar, pie; "asunto
 * TYPE" and "cuerpo TYPE", where TYPE is a message's, or "Act EVENT": a message that has no cuerpo
 * makes no oficio. In braces stands a path of client/reading or one of the adapter's own words, and
 * behind a bar a table of the mapping. UTF-8, up to WORDING_BYTES_MAX.
 *
 * Constant once read; any thread.
 */
#ifndef OFICIO_WORDING_H
#define OFICIO_WORDING_H

#include "base/bytes.h"
#include "base/own.h"

#define WORDING_BYTES_MAX ((size_t)64 << 10)
#define WORDING_SECTIONS_MAX 64
#define WORDING_ERROR_SIZE 512

struct wording;

/* Where words in braces come from; `table` "" when none is named. Never NULL. */
struct wording_source {
    const char *(*find)(const struct wording_source *source, const char *word, const char *table);
    /* Is it a word, and a table, that will be found? */
    bool (*knows)(const struct wording_source *source, const char *word, const char *table);
};

/* RC_INVALID_ARGUMENT with `error` "line: what is wrong". `source` is asked what it knows. */
MUST_CHECK enum rc wording_read(struct bytes text, const struct wording_source *source,
                                struct wording **wording, char error[WORDING_ERROR_SIZE]);
void wording_free(struct wording *wording);
OWN_PTR_DEFINE(wording)

/* NULL: no such section. Paragraphs are separated by a line feed, lines joined. */
const char *wording_text(const struct wording *wording, const char *section);
/* With its braces filled in; appended with a NUL behind it that does not count. */
MUST_CHECK enum rc wording_fill(const char *text, const struct wording_source *source,
                                struct buffer *out);

#endif
