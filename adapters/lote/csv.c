#include "lote/csv.h"

#include <string.h>

#include "base/arena.h"

static const char formula[] = "=+-@\t\r\n";

/* ---- writing ---- */

/* Would a spreadsheet run it, apostrophes before it not counted? */
static bool is_formula(const char *cell)
{
    const char *at = cell + strspn(cell, "'");

    return *at != '\0' && strchr(formula, *at) != NULL;
}

static void write_cell(struct buffer *out, const char *cell)
{
    bool is_quoted = cell[strcspn(cell, ",\"\r\n\t")] != '\0';

    if (is_quoted) {
        buffer_put_u8(out, '"');
    }
    if (is_formula(cell)) {
        buffer_put_u8(out, '\'');
    }
    for (; *cell != '\0'; cell++) {
        if (*cell == '"') {
            buffer_put_u8(out, '"');
        }
        buffer_put_u8(out, (uint8_t)*cell);
    }
    if (is_quoted) {
        buffer_put_u8(out, '"');
    }
}

void csv_write(struct buffer *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buffer_put_u8(out, ',');
        }
        write_cell(out, cells[i]);
    }
    buffer_put(out, "\r\n", 2);
}

/* ---- reading ---- */

struct scan {
    struct bytes text;
    size_t at;
    size_t row; /* from 1, the header's */
    size_t column;
    bool is_crlf;
    bool has_line_end;
    struct arena *arena;
    struct fault *fault;
};

static enum rc wrong(const struct scan *scan, const char *reason, const char *what)
{
    return refuse(scan->fault, RC_INVALID_ARGUMENT, reason, "", "Renglón %zu, columna %zu: %s",
                  scan->row, scan->column + 1, what);
}

/* Length of the UTF-8 character at `at`; 0: none, or one that is not text (RFC 3629). */
static size_t character(struct bytes text, size_t at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[at];
    size_t length = first < 0x80         ? 1
                    : (first >> 5) == 6  ? 2
                    : (first >> 4) == 14 ? 3
                    : (first >> 3) == 30 ? 4
                                         : 0;
    uint32_t value = length == 1 ? first : first & (0x7fU >> length);

    if (length == 0 || at + length > text.size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text.data[at + i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text.data[at + i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ||
        value == 0xfeff || (value < 0x20 && value != '\r' && value != '\n' && value != '\t') ||
        value == 0x7f || (value >= 0x80 && value < 0xa0)) {
        return 0;
    }
    return length;
}

static int peek(const struct scan *scan)
{
    return scan->at < scan->text.size ? scan->text.data[scan->at] : -1;
}

static enum rc keep(struct scan *scan, struct buffer *cell, const char **out)
{
    const char *text = (const char *)cell->data;
    size_t size = cell->size;

    if (size > CSV_CELL_MAX || cell->is_failed) {
        return wrong(scan, "csv.too_long", "la celda pasa de 4096 bytes.");
    }
    buffer_put_u8(cell, 0);
    text = (const char *)cell->data;
    if (text[0] == '\'' && is_formula(text)) {
        text++;
        size--;
    }
    *out = arena_text(scan->arena, BYTES(text, size));
    return *out != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc take_character(struct scan *scan, struct buffer *cell)
{
    size_t length = character(scan->text, scan->at);

    if (length == 0) {
        return wrong(scan, "csv.text", "hay bytes que no son texto UTF-8.");
    }
    buffer_put(cell, scan->text.data + scan->at, length);
    scan->at += length;
    return cell->size <= CSV_CELL_MAX + 1
               ? RC_OK
               : wrong(scan, "csv.too_long", "la celda pasa de 4096 bytes.");
}

static enum rc quoted(struct scan *scan, struct buffer *cell)
{
    scan->at++;
    for (;;) {
        int c = peek(scan);

        if (c < 0) {
            return wrong(scan, "csv.quote", "faltan las comillas que cierran.");
        }
        if (c == '"') {
            scan->at++;
            if (peek(scan) != '"') {
                return RC_OK;
            }
        }
        TRY(take_character(scan, cell));
    }
}

static enum rc plain(struct scan *scan, struct buffer *cell)
{
    for (int c = peek(scan); c >= 0 && c != ',' && c != '\r' && c != '\n'; c = peek(scan)) {
        if (c == '"' || c == '\t') {
            return wrong(scan, "csv.quote", "la celda necesita comillas alrededor.");
        }
        TRY(take_character(scan, cell));
    }
    return RC_OK;
}

static enum rc read_cell(struct scan *scan, const char **out)
{
    OWN(buffer) cell = {0};

    TRY(peek(scan) == '"' ? quoted(scan, &cell) : plain(scan, &cell));
    return keep(scan, &cell, out);
}

/* After a cell: true in *is_last when the row is over. */
static enum rc separator(struct scan *scan, bool *is_last)
{
    int c = peek(scan);
    bool is_crlf = c == '\r';

    *is_last = c != ',';
    if (c == ',') {
        scan->at++;
        return RC_OK;
    }
    if (c < 0) {
        return RC_OK;
    }
    if (is_crlf) {
        scan->at++;
        c = peek(scan);
    }
    if (c != '\n') {
        return wrong(scan, is_crlf ? "csv.line_end" : "csv.quote",
                     "tras la celda va una coma o el fin del renglón.");
    }
    scan->at++;
    if (scan->has_line_end && scan->is_crlf != is_crlf) {
        return wrong(scan, "csv.line_end", "los renglones terminan de dos maneras.");
    }
    scan->has_line_end = true;
    scan->is_crlf = is_crlf;
    return RC_OK;
}

static enum rc read_row(struct scan *scan, const char **cells, size_t *count)
{
    bool is_last = false;

    scan->row++;
    for (scan->column = 0; !is_last; scan->column++) {
        if (scan->column == CSV_COLUMNS_MAX) {
            return wrong(scan, "csv.too_many", "son a lo más 64 columnas.");
        }
        TRY(read_cell(scan, &cells[scan->column]));
        TRY(separator(scan, &is_last));
    }
    *count = scan->column;
    return RC_OK;
}

static enum rc check_header(const struct scan *scan, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return refuse(scan->fault, RC_INVALID_ARGUMENT, "csv.header", "",
                              "La columna %zu se llama como la %zu.", i + 1, j + 1);
            }
        }
        if (names[i][0] == '\0') {
            return refuse(scan->fault, RC_INVALID_ARGUMENT, "csv.header", "",
                          "La columna %zu no tiene nombre.", i + 1);
        }
    }
    return RC_OK;
}

static size_t rows_at_most(struct bytes text)
{
    size_t rows = 1;

    for (size_t i = 0; i < text.size; i++) {
        rows += text.data[i] == '\n' ? 1 : 0;
    }
    return rows < CSV_ROWS_MAX ? rows : CSV_ROWS_MAX;
}

enum rc csv_read(struct bytes text, struct arena *arena, struct csv *csv, struct fault *fault)
{
    struct scan scan = {.text = text, .arena = arena, .fault = fault};
    const char *cells[CSV_COLUMNS_MAX];
    size_t count;

    memset(csv, 0, sizeof *csv);
    if (text.size == 0 || text.size > CSV_BYTES_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "csv.too_long", "",
                      "El archivo está vacío o pasa de 4 MiB.");
    }
    TRY(read_row(&scan, cells, &csv->columns));
    TRY(check_header(&scan, cells, csv->columns));
    csv->header = arena_alloc(arena, csv->columns * sizeof *csv->header);
    csv->cells = arena_alloc(arena, rows_at_most(text) * csv->columns * sizeof *csv->cells);
    if (csv->header == NULL || csv->cells == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(csv->header, cells, csv->columns * sizeof *cells);
    while (scan.at < text.size) {
        if (csv->rows == CSV_ROWS_MAX) {
            return wrong(&scan, "csv.too_many", "son a lo más 5000 renglones.");
        }
        TRY(read_row(&scan, cells, &count));
        if (count != csv->columns) {
            return wrong(&scan, "csv.cells", "no tiene tantas celdas como el encabezado.");
        }
        memcpy(&csv->cells[csv->rows++ * csv->columns], cells, count * sizeof *cells);
    }
    return RC_OK;
}

static size_t column_of(const struct csv *csv, const char *column)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (strcmp(csv->header[i], column) == 0) {
            return i;
        }
    }
    return csv->columns;
}

const char *csv_cell(const struct csv *csv, size_t row, const char *column)
{
    size_t at = column_of(csv, column);

    return at < csv->columns ? csv->cells[row * csv->columns + at] : "";
}

bool csv_has(const struct csv *csv, const char *column)
{
    return column_of(csv, column) < csv->columns;
}
