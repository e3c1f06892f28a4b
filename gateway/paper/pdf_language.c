#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "paper/paper_parts.h"

/* What cairo 1.16 wrote: a table of references, and a trailer in clear. */
struct trailer {
    unsigned long size;
    unsigned long root;
    unsigned long info;
    unsigned long table; /* where the table begins */
};

static enum rc strange(const char *what)
{
    return failed(RC_INTERNAL, "pdf.language", "cause=\"%s is not where cairo writes it\"", what);
}

/* The last place of a word; NULL: nowhere. */
static const char *last(const struct buffer *pdf, const char *word)
{
    size_t length = strlen(word);

    for (size_t at = pdf->size - length + 1; at-- > 0;) {
        if (memcmp(pdf->data + at, word, length) == 0) {
            return (const char *)pdf->data + at;
        }
    }
    return NULL;
}

/* The number after a word that stands behind `from`. The buffer ends with a NUL behind it. */
static bool number_after(const char *from, const char *word, unsigned long *number)
{
    const char *at = from != NULL ? strstr(from, word) : NULL;
    char *end;

    if (at == NULL) {
        return false;
    }
    *number = strtoul(at + strlen(word), &end, 10);
    return end != at + strlen(word);
}

static enum rc read_trailer(const struct buffer *pdf, struct trailer *trailer)
{
    const char *text = last(pdf, "trailer");

    if (text == NULL || !number_after(text, "/Size", &trailer->size) ||
        !number_after(text, "/Root", &trailer->root) ||
        !number_after(text, "/Info", &trailer->info) ||
        !number_after(text, "startxref", &trailer->table)) {
        return strange("the trailer");
    }
    return RC_OK;
}

/* The catalogue as it was: what stands between "<<" and ">>" of its object. */
static enum rc read_catalogue(const struct buffer *pdf, unsigned long root, struct bytes *body)
{
    char head[48];
    const char *begin;
    const char *end;

    snprintf(head, sizeof head, "\n%lu 0 obj", root);
    begin = last(pdf, head);
    begin = begin != NULL ? strstr(begin, "<<") : NULL;
    end = begin != NULL ? strstr(begin, "endobj") : NULL;
    while (end != NULL && end > begin && memcmp(end, ">>", 2) != 0) {
        end--;
    }
    if (end == NULL || end == begin || memmem(begin, (size_t)(end - begin), "stream", 6) != NULL) {
        return strange("the catalogue");
    }
    *body = BYTES(begin + 2, (size_t)(end - begin - 2));
    return RC_OK;
}

enum rc pdf_language(struct buffer *pdf, const char *language)
{
    OWN(buffer) update = {0};
    struct trailer trailer;
    struct bytes body;
    unsigned long at;
    unsigned long table;

    buffer_put_u8(pdf, '\0'); /* for strstr */
    if (pdf->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pdf->size--;
    TRY(read_trailer(pdf, &trailer));
    TRY(read_catalogue(pdf, trailer.root, &body));
    at = pdf->size;
    buffer_print(&update, "%lu 0 obj\n<<", trailer.root);
    buffer_put_bytes(&update, body);
    buffer_print(&update,
                 "   /Lang (%s)\n   /ViewerPreferences << /DisplayDocTitle true >>\n>>\nendobj\n",
                 language);
    table = at + update.size;
    buffer_print(&update, "xref\n%lu 1\n%010lu 00000 n \n", trailer.root, at);
    buffer_print(&update,
                 "trailer\n<< /Size %lu\n   /Root %lu 0 R\n   /Info %lu 0 R\n   /Prev %lu\n>>\n"
                 "startxref\n%lu\n%%%%EOF\n",
                 trailer.size, trailer.root, trailer.info, trailer.table, table);
    buffer_put_bytes(pdf, buffer_bytes(&update));
    return pdf->is_failed || update.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
