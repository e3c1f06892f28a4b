/* paper_parts - what the files of this folder share. Internal to it. */
#ifndef PAPER_PAPER_PARTS_H
#define PAPER_PAPER_PARTS_H

#include <pango/pangocairo.h>

#include "paper/paper.h"

#define PAGE_WIDTH 612.0
#define PAGE_HEIGHT 792.0
#define MARGIN_SIDE 74.0
#define MARGIN_TOP 66.0
#define MARGIN_BOTTOM 78.0
#define COLUMN (PAGE_WIDTH - 2 * MARGIN_SIDE)
#define BODY_END (PAGE_HEIGHT - MARGIN_BOTTOM)

struct paper_face {
    const char *font;
    double spacing; /* of lines, times their own height */
    double after;   /* what a paragraph leaves below */
    double grey;
};

struct paper {
    cairo_t *cairo;
    PangoContext *context;
    const struct paper_facts *facts;
    double y; /* where the next line begins */
    unsigned page;
    unsigned pages; /* 0: being counted */
    unsigned unknown;
    bool is_full; /* PAPER_PAGES_MAX */
};

PangoContext *paper_fonts_context(struct paper_fonts *fonts);

/* paper_lines.c: a block of lines, not yet anywhere. NULL when out of memory. */
PangoLayout *paper_block(struct paper *paper, enum paper_style style, enum paper_align align,
                         double width, const char *text);
/* As narrow as its lines stay as many: no word alone in the last. */
void paper_block_balance(PangoLayout *block);
double paper_block_height(PangoLayout *block, enum paper_style style);
/* At x, from the top y, without looking at pages. */
void paper_block_draw(struct paper *paper, PangoLayout *block, enum paper_style style, double x,
                      double y);
/* Likewise, at the left margin and in another grey than its style's. */
void paper_block_draw_grey(struct paper *paper, PangoLayout *block, enum paper_style style,
                           double grey, double y);
/* From the current place on, over pages. */
void paper_block_flow(struct paper *paper, PangoLayout *block, enum paper_style style, double x);
const struct paper_face *paper_face(enum paper_style style);
void paper_grey(struct paper *paper, double grey);

/* paper.c */
void paper_break(struct paper *paper);

/* pdf_language.c: an update of the catalogue at the end (ISO 32000-1 §7.5.6): its language, and
 * that readers show the title. */
MUST_CHECK enum rc pdf_language(struct buffer *pdf, const char *language);

#endif
