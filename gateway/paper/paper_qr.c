#include <qrencode.h>
#include <string.h>

#include "paper/paper_parts.h"

#define QUIET 4 /* modules around it, ISO/IEC 18004 §6.3.8 */
#define GAP 14

/* Black runs of each row as one path: no seams between modules when it is printed. */
static void draw_code(struct paper *paper, const QRcode *code, double x, double y, double module)
{
    paper_grey(paper, 0);
    for (int row = 0; row < code->width; row++) {
        for (int column = 0; column < code->width;) {
            int run = 0;

            while (column + run < code->width &&
                   (code->data[row * code->width + column + run] & 1) != 0) {
                run++;
            }
            if (run > 0) {
                cairo_rectangle(paper->cairo, x + module * column, y + module * row, module * run,
                                module);
            }
            column += run > 0 ? run : 1;
        }
    }
    cairo_fill(paper->cairo);
}

enum rc paper_qr(struct paper *paper, const char *text, double side, const char *title,
                 const char *words)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    double width = COLUMN - side - GAP;
    PangoLayout *name = paper_block(paper, PAPER_HEADING, PAPER_LEFT, width, title);
    PangoLayout *block = paper_block(paper, PAPER_SMALL, PAPER_LEFT, width, words);
    double name_height = paper_block_height(name, PAPER_HEADING);
    double height = name_height + paper_block_height(block, PAPER_SMALL);
    double quiet;
    double module;

    if (code == NULL) {
        g_object_unref(name);
        g_object_unref(block);
        return RC_INVALID_ARGUMENT;
    }
    /* The margin of the page and the gap are its quiet zone at the sides. */
    module = side / (code->width + QUIET);
    quiet = module * QUIET;
    paper_keep(paper, (height > side ? height : side) + quiet);
    draw_code(paper, code, MARGIN_SIDE, paper->y, side / code->width);
    paper_block_draw(paper, name, PAPER_HEADING, MARGIN_SIDE + side + GAP, paper->y - 2);
    paper_block_draw(paper, block, PAPER_SMALL, MARGIN_SIDE + side + GAP,
                     paper->y + name_height + 2);
    paper->y += (height > side ? height : side) + quiet;
    QRcode_free(code);
    g_object_unref(name);
    g_object_unref(block);
    return RC_OK;
}
