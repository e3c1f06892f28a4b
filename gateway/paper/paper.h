/*
 * paper - pages for people: text, tables and QR codes typeset into a PDF (pango over cairo).
 *
 * Letter size, one column, Linux Libertine and Biolinum; fonts are embedded. A document is written
 * by its author from top to bottom: what does not fit goes on to the next page, and no page begins
 * or ends with a lone line of a paragraph. The author is called twice, first to count the pages,
 * and must write the same both times. Every page has a foot with "Página n de m"; from the second
 * on also a head. The PDF says that it is in Mexican Spanish; its title and subject are its only
 * metadata, so give them no personal data.
 *
 * Texts are UTF-8: what is malformed, a control character or a change of direction is replaced or
 * dropped; a line feed ends a line. Lengths are in points (1/72 inch). A fonts object and what is
 * made with it belong to one thread at a time.
 */
#ifndef PAPER_PAPER_H
#define PAPER_PAPER_H

#include "base/bytes.h"
#include "base/own.h"

/* Where Debian puts fonts-linuxlibertine, and what has the letters that those lack. */
#define PAPER_FONTS "/usr/share/fonts/opentype/linux-libertine"
#define PAPER_FONTS_MORE "/usr/share/fonts/truetype/dejavu"

#define PAPER_PAGES_MAX 200

struct paper;
struct paper_fonts;

/* RC_FAILED_PRECONDITION "paper.fonts": the folder lacks the families. Reads the folders. */
MUST_CHECK enum rc paper_fonts_open(const char *folder, const char *more,
                                    struct paper_fonts **fonts, struct fault *fault);
void paper_fonts_free(struct paper_fonts *fonts);
OWN_PTR_DEFINE(paper_fonts)

struct paper_facts {
    const char *title;   /* metadata, as the next */
    const char *subject; /* "" none */
    const char *creator; /* the program */
    const char *head;    /* of every page but the first */
    const char *foot;    /* of every page, at the left */
    int64_t created_ms;
};

struct paper_author {
    enum rc (*write)(struct paper_author *author, struct paper *paper);
};

struct paper_made {
    unsigned pages;
    unsigned unknown; /* characters that no font has: drawn as a box with their number */
};

/*
 * Appends the PDF. What `write` returned when that was not RC_OK; RC_RESOURCE_EXHAUSTED above
 * PAPER_PAGES_MAX or out of memory; RC_INTERNAL: cairo refused (logged).
 */
MUST_CHECK enum rc paper_make(struct paper_fonts *fonts, const struct paper_facts *facts,
                              struct paper_author *author, struct buffer *pdf,
                              struct paper_made *made);

/* ---- for authors ---- */

enum paper_style {
    PAPER_BODY,
    PAPER_LINE, /* of an address, say: the same, close to the next */
    PAPER_STRONG,
    PAPER_SMALL,
    PAPER_TITLE,
    PAPER_HEADING, /* stays with what follows it */
    PAPER_LABEL,
    PAPER_MONO,
    PAPER_STYLES
};

enum paper_align { PAPER_LEFT, PAPER_RIGHT, PAPER_CENTRE, PAPER_JUSTIFIED };

/* A paragraph over the whole width; "" nothing. */
void paper_text(struct paper *paper, enum paper_style style, enum paper_align align,
                const char *text);
/* At the top of a page it is nothing. */
void paper_space(struct paper *paper, double height);
void paper_rule(struct paper *paper);
/* What follows stays together: a new page unless so much is left. */
void paper_keep(struct paper *paper, double height);

/* White on black, at the right. */
void paper_tag(struct paper *paper, const char *text);

/* A name and what it says, in two columns. */
void paper_pair(struct paper *paper, const char *label, const char *text);

struct paper_cell {
    const char *text;
    double width; /* of the whole, 0 to 1 */
};
/* A row of a table; never broken. Two rows of a head stay with the next. */
void paper_row(struct paper *paper, enum paper_style style, const struct paper_cell *cells,
               size_t count);

/* Text in a frame, with a bar at its left; stays together. */
void paper_notice(struct paper *paper, const char *title, const char *text);

/* A QR code of `text` with words beside it; stays together. RC_INVALID_ARGUMENT: too long. */
MUST_CHECK enum rc paper_qr(struct paper *paper, const char *text, double side, const char *title,
                            const char *words);

/* An empty frame to be filled by hand: its title, and lines to write on. Stays together. */
void paper_form(struct paper *paper, const char *title, const char *const *labels, size_t count);

#endif
