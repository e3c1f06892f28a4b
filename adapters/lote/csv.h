/*
 * csv - RFC 4180 in UTF-8, read strictly and written so that no spreadsheet takes a cell for a
 * formula.
 *
 * Reading: one header row, and rows with as many cells as it has; line ends are CRLF or LF, the
 * same throughout; a quote stands only around a whole cell; no NUL, no other control character but
 * a line break inside quotes, no byte order mark. At most CSV_ROWS_MAX rows of CSV_COLUMNS_MAX
 * cells of CSV_CELL_MAX bytes. Refusals name row and column: "csv.quote", "csv.cells", "csv.text",
 * "csv.too_many", "csv.too_long", "csv.header", "csv.line_end".
 *
 * A cell that a spreadsheet would run (it begins with = + - @, a tabulator or a line break) is
 * written with an apostrophe before it, and so is one that begins with apostrophes followed by such
 * a character; reading takes one apostrophe away again. What goes out comes back.
 *
 * Any thread; no state.
 */
#ifndef LOTE_CSV_H
#define LOTE_CSV_H

#include "base/bytes.h"

#define CSV_BYTES_MAX ((size_t)4 << 20)
#define CSV_ROWS_MAX 5000
#define CSV_COLUMNS_MAX 64
#define CSV_CELL_MAX 4096

struct arena;

struct csv {
    const char **header; /* `columns` names, all different and not empty */
    const char **cells;  /* rows * columns */
    size_t columns;
    size_t rows;
};

/* Texts live in the arena. */
MUST_CHECK enum rc csv_read(struct bytes text, struct arena *arena, struct csv *csv,
                            struct fault *fault);
/* "" when there is no such column. Row from 0. */
const char *csv_cell(const struct csv *csv, size_t row, const char *column);
bool csv_has(const struct csv *csv, const char *column);

/* Appends one row with CRLF at its end. */
void csv_write(struct buffer *out, const char *const *cells, size_t count);

#endif
