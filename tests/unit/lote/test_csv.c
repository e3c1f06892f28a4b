#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "lote/csv.h"

static void what_goes_out_comes_back_and_runs_nowhere(void **state)
{
    static const char *const cells[] = {"=1+1",  "+52 55",     "-x",         "@y",   "\tz",
                                        "'=ya",  "'plain'",    "ñ, \"q\"",   "a\nb", "",
                                        "''=2x", "FOLIO/0001", "2026-11-23", "'",    "x=1"};
    static const char *const header[] = {"A", "B", "C", "D", "E", "F", "G", "H",
                                         "I", "J", "K", "L", "M", "N", "O"};
    OWN_PTR(arena) arena = arena_new(1 << 20);
    OWN(buffer) text = {0};
    struct csv csv;
    struct fault fault = {0};

    (void)state;
    csv_write(&text, header, 15);
    csv_write(&text, cells, 15);
    assert_int_equal(csv_read(buffer_bytes(&text), arena, &csv, &fault), RC_OK);
    assert_int_equal(csv.rows, 1);
    for (size_t i = 0; i < 15; i++) {
        assert_string_equal(csv_cell(&csv, 0, header[i]), cells[i]);
    }
    buffer_put_u8(&text, 0);
    assert_null(strstr((const char *)text.data, ",="));
    assert_null(strstr((const char *)text.data, ",+"));
}

static void what_is_not_csv_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
        const char *place;
    } refused[] = {
        {"", "csv.too_long", ""},
        {"A,A\n1,2\n", "csv.header", ""},
        {"A,\n1,2\n", "csv.header", ""},
        {"A,B\n1\n", "csv.cells", "Renglón 2"},
        {"A,B\n1,2,3\n", "csv.cells", "Renglón 2"},
        {"A,B\n1,\"2\n", "csv.quote", "Renglón 2"},
        {"A,B\n1,\"2\"x\n", "csv.quote", "Renglón 2"},
        {"A,B\n1,2\"\n", "csv.quote", "columna 2"},
        {"A,B\r\n1,2\n", "csv.line_end", ""},
        {"A,B\n1,2\r\n", "csv.line_end", ""},
        {"A,B\r1,2\n", "csv.line_end", ""},
        {"A,B\n1,\xff\n", "csv.text", "columna 2"},
        {"A,B\n1,\xc0\xaf\n", "csv.text", ""},
        {"A,B\n1,\xed\xa0\x80\n", "csv.text", ""},
        {"\xef\xbb\xbf"
         "A,B\n1,2\n",
         "csv.text", "Renglón 1"},
        {"A,B\n1,\x01\n", "csv.text", ""},
        {"A,B\n\n", "csv.cells", "Renglón 2"},
    };
    OWN_PTR(arena) arena = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct csv csv;
        struct fault fault = {0};

        assert_int_equal(csv_read(bytes_text(refused[i].text), arena, &csv, &fault),
                         RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, refused[i].reason);
        assert_non_null(strstr(fault.remedy, refused[i].place));
    }
}

static void bounds_are_kept(void **state)
{
    OWN_PTR(arena) arena = arena_new((size_t)64 << 20);
    OWN(buffer) text = {0};
    struct csv csv;
    struct fault fault = {0};

    (void)state;
    buffer_put_bytes(&text, bytes_text("A\n"));
    for (size_t i = 0; i <= CSV_ROWS_MAX; i++) {
        buffer_put_bytes(&text, bytes_text("1\n"));
    }
    assert_int_equal(csv_read(buffer_bytes(&text), arena, &csv, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "csv.too_many");
    buffer_clear(&text);
    memset(&fault, 0, sizeof fault);
    for (size_t i = 0; i <= CSV_CELL_MAX; i++) {
        buffer_put_u8(&text, 'a');
    }
    assert_int_equal(csv_read(buffer_bytes(&text), arena, &csv, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "csv.too_long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_out_comes_back_and_runs_nowhere),
        cmocka_unit_test(what_is_not_csv_is_refused_with_its_place),
        cmocka_unit_test(bounds_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
