#include "paper/paper.h"

#include <cairo-pdf.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "paper/paper_parts.h"

#define FOOT_Y (PAGE_HEIGHT - 52)
#define HEAD_Y 40
#define LABEL_WIDTH 0.29 /* of the column */
#define GAP 10
#define RULE_GREY 0.6
#define PAIR_LINES 8
#define HEADING_NEEDS 54 /* a heading and what should follow it on the same page */

/* ---- pages ---- */

static void line_at(struct paper *paper, double y, double grey, double width)
{
    paper_grey(paper, grey);
    cairo_set_line_width(paper->cairo, width);
    cairo_move_to(paper->cairo, MARGIN_SIDE, y);
    cairo_line_to(paper->cairo, PAGE_WIDTH - MARGIN_SIDE, y);
    cairo_stroke(paper->cairo);
}

static void put_at(struct paper *paper, enum paper_align align, double y, const char *text)
{
    PangoLayout *block = paper_block(paper, PAPER_LABEL, align, COLUMN, text);

    paper_block_draw(paper, block, PAPER_LABEL, MARGIN_SIDE, y);
    g_object_unref(block);
}

static void put_foot(struct paper *paper)
{
    char number[48];

    snprintf(number, sizeof number, "Página %u de %u", paper->page,
             paper->pages > 0 ? paper->pages : paper->page);
    line_at(paper, FOOT_Y - 5, RULE_GREY, 0.4);
    put_at(paper, PAPER_LEFT, FOOT_Y, paper->facts->foot);
    put_at(paper, PAPER_RIGHT, FOOT_Y, number);
}

void paper_break(struct paper *paper)
{
    if (paper->page == PAPER_PAGES_MAX) {
        paper->is_full = true;
        return;
    }
    put_foot(paper);
    cairo_show_page(paper->cairo);
    paper->page++;
    put_at(paper, PAPER_LEFT, HEAD_Y, paper->facts->head);
    paper->y = MARGIN_TOP;
}

void paper_keep(struct paper *paper, double height)
{
    if (paper->y + height > BODY_END && paper->y > MARGIN_TOP) {
        paper_break(paper);
    }
}

void paper_space(struct paper *paper, double height)
{
    if (paper->y > MARGIN_TOP || paper->page == 1) {
        paper->y += height;
    }
}

void paper_rule(struct paper *paper)
{
    line_at(paper, paper->y, RULE_GREY, 0.4);
    paper->y += 1;
}

/* ---- text ---- */

void paper_text(struct paper *paper, enum paper_style style, enum paper_align align,
                const char *text)
{
    PangoLayout *block;

    if (text[0] == '\0') {
        return;
    }
    if (style == PAPER_HEADING || style == PAPER_TITLE) {
        paper_keep(paper, HEADING_NEEDS);
    }
    block = paper_block(paper, style, align, COLUMN, text);
    if (style == PAPER_TITLE && align == PAPER_LEFT) {
        paper_block_balance(block);
    }
    paper_block_flow(paper, block, style, MARGIN_SIDE);
    paper_space(paper, paper_face(style)->after);
    g_object_unref(block);
}

void paper_tag(struct paper *paper, const char *text)
{
    PangoLayout *block = paper_block(paper, PAPER_HEADING, PAPER_RIGHT, COLUMN - GAP, text);
    double height = paper_block_height(block, PAPER_HEADING) + 0.6 * GAP;
    double width;
    PangoRectangle ink;

    pango_layout_get_extents(block, NULL, &ink);
    width = (double)ink.width / PANGO_SCALE + 2 * GAP;
    paper_keep(paper, height);
    paper_grey(paper, 0.1);
    cairo_rectangle(paper->cairo, PAGE_WIDTH - MARGIN_SIDE - width, paper->y, width, height);
    cairo_fill(paper->cairo);
    paper_block_draw_grey(paper, block, PAPER_HEADING, 1, paper->y + 0.3 * GAP);
    paper->y += height;
    g_object_unref(block);
}

/* Too much for a narrow column: the whole width, under its name. */
static bool put_long(struct paper *paper, PangoLayout *block, const char *label, const char *text)
{
    if (pango_layout_get_line_count(block) <= PAIR_LINES) {
        return false;
    }
    paper_keep(paper, HEADING_NEEDS);
    paper_text(paper, PAPER_LABEL, PAPER_LEFT, label);
    paper_text(paper, PAPER_BODY, PAPER_JUSTIFIED, text);
    return true;
}

void paper_pair(struct paper *paper, const char *label, const char *text)
{
    double width = LABEL_WIDTH * COLUMN;
    PangoLayout *name = paper_block(paper, PAPER_LABEL, PAPER_LEFT, width - GAP, label);
    PangoLayout *block = paper_block(paper, PAPER_BODY, PAPER_LEFT, COLUMN - width, text);
    double name_height = paper_block_height(name, PAPER_LABEL);
    double after = paper_face(PAPER_LABEL)->after;
    double baseline_shift;
    double top;
    unsigned page;

    if (put_long(paper, block, label, text)) {
        g_object_unref(name);
        g_object_unref(block);
        return;
    }
    paper_keep(paper, name_height > 2 * GAP ? name_height : 2 * GAP);
    if (paper_block_height(block, PAPER_BODY) <= BODY_END - MARGIN_TOP) {
        paper_keep(paper, paper_block_height(block, PAPER_BODY) < 5 * GAP
                              ? paper_block_height(block, PAPER_BODY)
                              : 4 * GAP);
    }
    top = paper->y;
    page = paper->page;
    baseline_shift =
        (double)(pango_layout_get_baseline(block) - pango_layout_get_baseline(name)) / PANGO_SCALE;
    paper_block_draw(paper, name, PAPER_LABEL, MARGIN_SIDE, top + baseline_shift);
    paper_block_flow(paper, block, PAPER_BODY, MARGIN_SIDE + width);
    if (paper->page == page && paper->y < top + baseline_shift + name_height) {
        paper->y = top + baseline_shift + name_height;
    }
    paper_space(paper, after);
    g_object_unref(name);
    g_object_unref(block);
}

/* ---- tables ---- */

#define CELLS_MAX 8

void paper_row(struct paper *paper, enum paper_style style, const struct paper_cell *cells,
               size_t count)
{
    PangoLayout *blocks[CELLS_MAX];
    double height = 0;
    double x = MARGIN_SIDE;

    count = count > CELLS_MAX ? CELLS_MAX : count;
    for (size_t i = 0; i < count; i++) {
        double own;

        blocks[i] =
            paper_block(paper, style, PAPER_LEFT, cells[i].width * COLUMN - GAP, cells[i].text);
        own = paper_block_height(blocks[i], style);
        height = own > height ? own : height;
    }
    paper_keep(paper, style == PAPER_LABEL ? height + HEADING_NEEDS : height + 6);
    for (size_t i = 0; i < count; i++) {
        paper_block_draw(paper, blocks[i], style, x, paper->y + 3);
        x += cells[i].width * COLUMN;
        g_object_unref(blocks[i]);
    }
    paper->y += height + 6;
    line_at(paper, paper->y, RULE_GREY, style == PAPER_LABEL ? 0.7 : 0.3);
    paper->y += 1;
}

/* ---- frames ---- */

static void frame(struct paper *paper, double height)
{
    paper_grey(paper, RULE_GREY);
    cairo_set_line_width(paper->cairo, 0.5);
    cairo_rectangle(paper->cairo, MARGIN_SIDE, paper->y, COLUMN, height);
    cairo_stroke(paper->cairo);
}

void paper_notice(struct paper *paper, const char *title, const char *text)
{
    PangoLayout *name = paper_block(paper, PAPER_HEADING, PAPER_LEFT, COLUMN - 2.4 * GAP, title);
    PangoLayout *block = paper_block(paper, PAPER_BODY, PAPER_LEFT, COLUMN - 2.4 * GAP, text);
    double name_height = paper_block_height(name, PAPER_HEADING);
    double height = name_height + paper_block_height(block, PAPER_BODY) + 1.6 * GAP;

    paper_keep(paper, height);
    paper_grey(paper, 0.955);
    cairo_rectangle(paper->cairo, MARGIN_SIDE, paper->y, COLUMN, height);
    cairo_fill(paper->cairo);
    paper_grey(paper, 0.15);
    cairo_rectangle(paper->cairo, MARGIN_SIDE, paper->y, 3, height);
    cairo_fill(paper->cairo);
    paper_block_draw(paper, name, PAPER_HEADING, MARGIN_SIDE + 1.4 * GAP, paper->y + 0.7 * GAP);
    paper_block_draw(paper, block, PAPER_BODY, MARGIN_SIDE + 1.4 * GAP,
                     paper->y + 0.8 * GAP + name_height);
    paper->y += height;
    paper_space(paper, 1.4 * GAP);
    g_object_unref(name);
    g_object_unref(block);
}

#define FORM_LINE 21

void paper_form(struct paper *paper, const char *title, const char *const *labels, size_t count)
{
    PangoLayout *name = paper_block(paper, PAPER_HEADING, PAPER_LEFT, COLUMN - 2 * GAP, title);
    double head = paper_block_height(name, PAPER_HEADING) + GAP;
    double height = head + FORM_LINE * (double)count + GAP;

    paper_keep(paper, height);
    frame(paper, height);
    paper_block_draw(paper, name, PAPER_HEADING, MARGIN_SIDE + GAP, paper->y + 0.7 * GAP);
    for (size_t i = 0; i < count; i++) {
        double y = paper->y + head + FORM_LINE * (double)(i + 1);
        PangoLayout *label = paper_block(paper, PAPER_LABEL, PAPER_LEFT, COLUMN / 3, labels[i]);

        paper_block_draw(paper, label, PAPER_LABEL, MARGIN_SIDE + GAP, y - 12);
        cairo_set_line_width(paper->cairo, 0.4);
        cairo_move_to(paper->cairo, MARGIN_SIDE + LABEL_WIDTH * COLUMN, y);
        cairo_line_to(paper->cairo, MARGIN_SIDE + 0.64 * COLUMN, y);
        cairo_stroke(paper->cairo);
        g_object_unref(label);
    }
    put_at(paper, PAPER_RIGHT, paper->y + height - 15, "Sello   ");
    paper->y += height;
    paper_space(paper, GAP);
    g_object_unref(name);
}

/* ---- the document ---- */

static cairo_status_t keep(void *closure, const unsigned char *data, unsigned size)
{
    struct buffer *into = closure;

    if (into != NULL) {
        buffer_put(into, data, size);
        if (into->is_failed) {
            return CAIRO_STATUS_WRITE_ERROR;
        }
    }
    return CAIRO_STATUS_SUCCESS;
}

static void describe(cairo_surface_t *surface, const struct paper_facts *facts)
{
    char created[CLOCK_TEXT_SIZE];

    clock_format(facts->created_ms, created);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, facts->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, facts->subject);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, facts->creator);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, created);
}

/* One run of the author; `into` NULL: only to count. */
static enum rc draw(struct paper_fonts *fonts, const struct paper_facts *facts,
                    struct paper_author *author, struct buffer *into, struct paper_made *made)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(keep, into, PAGE_WIDTH, PAGE_HEIGHT);
    struct paper paper = {.cairo = cairo_create(surface),
                          .context = paper_fonts_context(fonts),
                          .facts = facts,
                          .y = MARGIN_TOP - 12,
                          .page = 1,
                          .pages = made->pages};
    cairo_status_t status;
    enum rc rc;

    describe(surface, facts);
    rc = author->write(author, &paper);
    put_foot(&paper);
    cairo_show_page(paper.cairo);
    made->pages = paper.page;
    made->unknown = paper.unknown;
    status = cairo_status(paper.cairo);
    cairo_destroy(paper.cairo);
    cairo_surface_finish(surface);
    status = status == CAIRO_STATUS_SUCCESS ? cairo_surface_status(surface) : status;
    cairo_surface_destroy(surface);
    if (rc != RC_OK) {
        return rc;
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        return failed(RC_INTERNAL, "paper.cairo", "cause=\"%s\"", cairo_status_to_string(status));
    }
    return paper.is_full ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc paper_make(struct paper_fonts *fonts, const struct paper_facts *facts,
                   struct paper_author *author, struct buffer *pdf, struct paper_made *made)
{
    OWN(buffer) whole = {0};

    *made = (struct paper_made){0};
    TRY(draw(fonts, facts, author, NULL, made));
    TRY(draw(fonts, facts, author, &whole, made));
    TRY(pdf_language(&whole, "es-MX"));
    buffer_put_bytes(pdf, buffer_bytes(&whole));
    return pdf->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
