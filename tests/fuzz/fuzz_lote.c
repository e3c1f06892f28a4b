/*
 * fuzz_lote - a batch of rows from arbitrary bytes: the manifest or the CSV. What is read as CSV
 * and written again is read as the same cells, and no cell of it runs in a spreadsheet.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "lote/manifest.h"

#define ARENA_MAX ((size_t)64 << 20)

FUZZ_QUIET()

static void write_again(const struct csv *csv, struct buffer *out)
{
    csv_write(out, csv->header, csv->columns);
    for (size_t row = 0; row < csv->rows; row++) {
        csv_write(out, &csv->cells[row * csv->columns], csv->columns);
    }
}

static void check_harmless(const char *cell)
{
    OWN(buffer) text = {0};

    csv_write(&text, &cell, 1);
    assert(strchr("=+-@\t", text.data[text.data[0] == '"' ? 1 : 0]) == NULL);
}

static void check_same(const struct csv *csv, struct arena *arena)
{
    OWN(buffer) text = {0};
    struct csv again;
    struct fault fault = {0};

    write_again(csv, &text);
    if (text.size > CSV_BYTES_MAX) {
        return;
    }
    assert(csv_read(buffer_bytes(&text), arena, &again, &fault) == RC_OK);
    assert(again.columns == csv->columns && again.rows == csv->rows);
    for (size_t i = 0; i < csv->rows * csv->columns; i++) {
        assert(strcmp(csv->cells[i], again.cells[i]) == 0);
        check_harmless(csv->cells[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct manifest manifest;
    struct csv csv;
    struct fault fault = {0};

    if (size > 0 && data[0] == '{') {
        if (manifest_read(BYTES(data, size), arena, &manifest, &fault) == RC_OK) {
            OWN(buffer) text = {0};

            manifest_write(&manifest, &text);
            assert(manifest_read(buffer_bytes(&text), arena, &manifest, &fault) == RC_OK);
        } else {
            assert(fault.reason[0] != '\0');
        }
    }
    if (csv_read(BYTES(data, size), arena, &csv, &fault) == RC_OK) {
        check_same(&csv, arena);
    }
    return 0;
}
