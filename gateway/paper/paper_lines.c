#include <stdlib.h>
#include <string.h>

#include "paper/paper_parts.h"

#define LINES_TOGETHER 2 /* of a paragraph, at the end and at the begin of a page */

static const struct paper_face faces[PAPER_STYLES] = {
    [PAPER_BODY] = {"Linux Libertine O, DejaVu Serif 11.5", 1.13, 6, 0},
    [PAPER_LINE] = {"Linux Libertine O, DejaVu Serif 11.5", 1.13, 1, 0},
    [PAPER_STRONG] = {"Linux Libertine O, DejaVu Serif Semi-Bold 11.5", 1.13, 1, 0},
    [PAPER_SMALL] = {"Linux Libertine O, DejaVu Serif 9", 1.1, 3, 0.25},
    [PAPER_TITLE] = {"Linux Biolinum O, DejaVu Sans Bold 12.5", 1.1, 5, 0},
    [PAPER_HEADING] = {"Linux Biolinum O, DejaVu Sans Bold 11.5", 1.1, 4, 0},
    [PAPER_LABEL] = {"Linux Biolinum O, DejaVu Sans 9.5", 1.15, 3, 0.3},
    [PAPER_MONO] = {"Linux Libertine Mono O, DejaVu Sans Mono 8", 1.15, 3, 0.2},
};

const struct paper_face *paper_face(enum paper_style style)
{
    return &faces[style];
}

void paper_grey(struct paper *paper, double grey)
{
    cairo_set_source_rgb(paper->cairo, grey, grey, grey);
}

/* ---- text ---- */

static bool is_direction(gunichar c)
{
    return (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x061c;
}

/* What a name may not do to a page: break it, turn it round, or not be UTF-8. */
static char *clean(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (c == '\t') {
            g_string_append_c(out, ' ');
        } else if (c == '\n' || (!g_unichar_iscntrl(c) && !is_direction(c))) {
            g_string_append_unichar(out, c);
        }
    }
    g_free(valid);
    return g_string_free(out, FALSE);
}

PangoLayout *paper_block(struct paper *paper, enum paper_style style, enum paper_align align,
                         double width, const char *text)
{
    PangoLayout *block = pango_layout_new(paper->context);
    PangoFontDescription *font = pango_font_description_from_string(faces[style].font);
    char *cleaned = clean(text);

    pango_layout_set_font_description(block, font);
    pango_layout_set_width(block, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(block, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(block, align == PAPER_RIGHT    ? PANGO_ALIGN_RIGHT
                                      : align == PAPER_CENTRE ? PANGO_ALIGN_CENTER
                                                              : PANGO_ALIGN_LEFT);
    pango_layout_set_justify(block, align == PAPER_JUSTIFIED);
    pango_layout_set_text(block, cleaned, -1);
    if (paper->pages > 0) {
        paper->unknown += (unsigned)pango_layout_get_unknown_glyphs_count(block);
    }
    g_free(cleaned);
    pango_font_description_free(font);
    return block;
}

/* ---- lines ---- */

static double line_height(PangoLayout *block, int line, enum paper_style style)
{
    PangoRectangle logical;

    pango_layout_line_get_extents(pango_layout_get_line_readonly(block, line), NULL, &logical);
    return faces[style].spacing * logical.height / PANGO_SCALE;
}

void paper_block_balance(PangoLayout *block)
{
    int lines = pango_layout_get_line_count(block);
    int width = pango_layout_get_width(block);
    int step = width / 50;

    while (lines > 1 && width > step && pango_layout_get_line_count(block) == lines) {
        width -= step;
        pango_layout_set_width(block, width);
    }
    pango_layout_set_width(block, lines > 1 ? width + step : width);
}

double paper_block_height(PangoLayout *block, enum paper_style style)
{
    double height = 0;

    for (int i = 0; i < pango_layout_get_line_count(block); i++) {
        height += line_height(block, i, style);
    }
    return height;
}

/* Left edge of a line as its alignment wants it. */
static double line_x(PangoLayout *block, PangoLayoutLine *line)
{
    PangoRectangle logical;
    double free_width;

    pango_layout_line_get_extents(line, NULL, &logical);
    free_width = (double)(pango_layout_get_width(block) - logical.width) / PANGO_SCALE;
    switch (pango_layout_get_alignment(block)) {
    case PANGO_ALIGN_RIGHT:
        return free_width;
    case PANGO_ALIGN_CENTER:
        return free_width / 2;
    default:
        return 0;
    }
}

static void draw_line(struct paper *paper, PangoLayout *block, int index, double x, double y)
{
    PangoLayoutLine *line = pango_layout_get_line_readonly(block, index);
    PangoRectangle logical;

    pango_layout_line_get_extents(line, NULL, &logical);
    cairo_move_to(paper->cairo, x + line_x(block, line), y - (double)logical.y / PANGO_SCALE);
    pango_cairo_show_layout_line(paper->cairo, line);
}

static void draw_all(struct paper *paper, PangoLayout *block, enum paper_style style, double x,
                     double y)
{
    for (int i = 0; i < pango_layout_get_line_count(block); i++) {
        draw_line(paper, block, i, x, y);
        y += line_height(block, i, style);
    }
}

void paper_block_draw(struct paper *paper, PangoLayout *block, enum paper_style style, double x,
                      double y)
{
    paper_grey(paper, faces[style].grey);
    draw_all(paper, block, style, x, y);
}

void paper_block_draw_grey(struct paper *paper, PangoLayout *block, enum paper_style style,
                           double grey, double y)
{
    paper_grey(paper, grey);
    draw_all(paper, block, style, MARGIN_SIDE, y);
}

/* How many of the lines from `first` on may stand on this page. */
static int lines_here(const struct paper *paper, PangoLayout *block, int first,
                      enum paper_style style)
{
    int count = pango_layout_get_line_count(block);
    double y = paper->y;
    int fit = 0;

    while (first + fit < count && y + line_height(block, first + fit, style) <= BODY_END) {
        y += line_height(block, first + fit, style);
        fit++;
    }
    if (first + fit == count) {
        return fit;
    }
    if (count - first - fit < LINES_TOGETHER) {
        fit = count - first - LINES_TOGETHER;
    }
    return fit < LINES_TOGETHER ? 0 : fit;
}

void paper_block_flow(struct paper *paper, PangoLayout *block, enum paper_style style, double x)
{
    int count = pango_layout_get_line_count(block);
    int first = 0;

    while (first < count && !paper->is_full) {
        int here = lines_here(paper, block, first, style);

        if (here <= 0 && paper->y <= MARGIN_TOP) {
            here = 1; /* higher than a page: as it comes */
        }
        paper_grey(paper, faces[style].grey);
        for (int i = first; i < first + here; i++) {
            draw_line(paper, block, i, x, paper->y);
            paper->y += line_height(block, i, style);
        }
        first += here > 0 ? here : 0;
        if (first < count) {
            paper_break(paper);
        }
    }
}
