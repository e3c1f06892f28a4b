#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "lote/manifest.h"

#define FILE_TEXT "CLAVE,FOLIO\r\na,b\r\n"
#define VERSION "\"version\": 1, "
#define KIND "\"tipo\": \"estados\", "
#define NAMES "\"lote\": \"L-1\", \"archivo\": \"L-1.csv\", "
#define ROWS "\"renglones\": 1, "
#define COLUMNS "\"columnas\": [\"CLAVE\", \"FOLIO\"], "
#define CREATED "\"creado\": \"2026-11-23T13:32:30-06:00\""
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define SUM "\"sha256\": \"" ZEROS "\", "

static enum rc read_text(const char *text, struct arena *arena, struct manifest *manifest,
                         struct fault *fault)
{
    return manifest_read(bytes_text(text), arena, manifest, fault);
}

static void a_manifest_is_read(void **state)
{
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    struct manifest manifest;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(
        read_text("{" VERSION KIND NAMES ROWS SUM COLUMNS CREATED "}", arena, &manifest, &fault),
        RC_OK);
    assert_int_equal(manifest.kind, MANIFEST_STATES);
    assert_string_equal(manifest.batch, "L-1");
    assert_int_equal(manifest.column_count, 2);
}

static void what_is_no_manifest_is_refused(void **state)
{
    static char deep[20000];
    const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "manifest.json"},
        {"[]", "manifest.json"},
        {deep, "manifest.json"},
        {"{" VERSION VERSION KIND NAMES ROWS SUM COLUMNS CREATED "}", "manifest.json"},
        {"{" VERSION KIND NAMES "\"renglones\": 1e400, " SUM COLUMNS CREATED "}", "manifest.json"},
        {"{" VERSION KIND NAMES "\"renglones\": 1e2, " SUM COLUMNS CREATED "}", "manifest.value"},
        {"{" VERSION KIND NAMES "\"renglones\": -1, " SUM COLUMNS CREATED "}", "manifest.value"},
        {"{" VERSION KIND NAMES "\"renglones\": 99999999999999999999, " SUM COLUMNS CREATED "}",
         "manifest.json"},
        {"{\"version\": 2, " KIND NAMES ROWS SUM COLUMNS CREATED "}", "manifest.value"},
        {"{\"version\": \"1\", " KIND NAMES ROWS SUM COLUMNS CREATED "}", "manifest.value"},
        {"{" VERSION "\"tipo\": \"otro\", " NAMES ROWS SUM COLUMNS CREATED "}", "manifest.value"},
        {"{" VERSION KIND "\"lote\": \"../L\", \"archivo\": \"../L.csv\", " ROWS SUM COLUMNS CREATED
         "}",
         "manifest.value"},
        {"{" VERSION KIND "\"lote\": \"L-1\", \"archivo\": \"L-2.csv\", " ROWS SUM COLUMNS CREATED
         "}",
         "manifest.value"},
        {"{" VERSION KIND NAMES ROWS "\"sha256\": \"00\", " COLUMNS CREATED "}", "manifest.value"},
        {"{" VERSION KIND NAMES ROWS SUM "\"columnas\": [], " CREATED "}", "manifest.value"},
        {"{" VERSION KIND NAMES ROWS SUM "\"columnas\": [1], " CREATED "}", "manifest.value"},
        {"{" VERSION KIND NAMES ROWS SUM COLUMNS "\"creado\": \"2026-11-23T13:32:30\"}",
         "manifest.value"},
        {"{" VERSION KIND NAMES ROWS SUM COLUMNS CREATED ", \"nota\": 1}", "manifest.key"},
        {"{" VERSION KIND NAMES ROWS SUM CREATED "}", "manifest.key"},
    };

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
        struct manifest manifest;
        struct fault fault = {0};

        assert_int_equal(read_text(cases[i].text, arena, &manifest, &fault), RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, cases[i].reason);
    }
}

static void open_with(const char *columns, size_t rows, bool is_same, const char *reason)
{
    OWN_PTR(arena) arena = arena_new((size_t)8 << 20);
    struct bytes file = bytes_text(FILE_TEXT);
    struct manifest manifest = {
        .rows = rows, .columns = {columns, "FOLIO"}, .column_count = 2, .file = "L-1.csv"};
    struct csv csv;
    struct fault fault = {0};

    digest_of(&file, 1, manifest.sha256);
    manifest.sha256[0] ^= is_same ? 0 : 1;
    assert_int_equal(manifest_open(&manifest, file, arena, &csv, &fault),
                     reason == NULL ? RC_OK : RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, reason != NULL ? reason : "");
}

static void a_file_that_it_does_not_describe_is_refused(void **state)
{
    (void)state;
    open_with("CLAVE", 1, true, NULL);
    open_with("CLAVE", 1, false, "manifest.sha256");
    open_with("CLAVE", 2, true, "manifest.rows");
    open_with("CLAVES", 1, true, "manifest.columns");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_read),
        cmocka_unit_test(what_is_no_manifest_is_refused),
        cmocka_unit_test(a_file_that_it_does_not_describe_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
