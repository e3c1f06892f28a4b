#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "sdk/mapping.h"

static const char *const settings[] = {"purpose", "extra?", NULL};
static const char *const in[] = {"exchange", NULL};
static const char *const tables[] = {"estado", NULL};
static const struct mapping_words words = {
    .settings = settings, .in = in, .tables = tables, .has_out = true};

static const char good[] = "# de una institución sintética\n"
                           "[ajustes]\n"
                           "purpose = proteccion\n"
                           "[salida]\n"
                           "Folio = header.exchange_id\n"
                           "  Medida =   item.code | medida\n"
                           "Origen = \"MPI = CDMX\"\n"
                           "Nombre = identity.full_name\n"
                           "[entrada]\n"
                           "exchange = Folio\n"
                           "[claves estado]\n"
                           "accept = ACEPTADA\n"
                           "[claves medida]\n"
                           "PRO-COD-VIG = CV\n"
                           "* = OTRA\n";

static enum rc read_text(const char *text, struct mapping **mapping, char error[MAPPING_ERROR_SIZE])
{
    char path[] = "/tmp/mapping-XXXXXX";
    int file = mkstemp(path);
    enum rc rc;

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    rc = mapping_read(path, mapping, error);
    if (rc == RC_OK) {
        rc = mapping_check(*mapping, &words, error);
    }
    unlink(path);
    return rc;
}

static void a_mapping_answers_both_ways(void **state)
{
    OWN_PTR(mapping) mapping = NULL;
    char error[MAPPING_ERROR_SIZE];

    (void)state;
    assert_int_equal(read_text(good, &mapping, error), RC_OK);
    assert_string_equal(mapping_setting(mapping, "purpose"), "proteccion");
    assert_string_equal(mapping_setting(mapping, "extra"), "");
    assert_string_equal(mapping_in(mapping, "exchange"), "Folio");
    assert_string_equal(mapping_theirs(mapping, "estado", "accept"), "ACEPTADA");
    assert_null(mapping_theirs(mapping, "estado", "decline"));
    assert_string_equal(mapping_ours(mapping, "estado", "ACEPTADA"), "accept");
    assert_null(mapping_ours(mapping, "estado", "OTRA COSA"));
    assert_string_equal(mapping_theirs(mapping, "medida", "PRO-PSI-SEG"), "OTRA");
    assert_null(mapping_ours(mapping, "medida", "OTRA"));
}

static void a_row_says_its_part_of_a_message(void **state)
{
    OWN_PTR(mapping) mapping = NULL;
    OWN_PTR(arena) arena = arena_new(65536);
    char error[MAPPING_ERROR_SIZE];
    struct item items[2] = {{.number = 1, .code = "PRO-COD-VIG"}, {.number = 2, .code = "X-1"}};
    struct message message = {.header = {.items = items, .item_count = 2}};
    struct reading reading;
    const struct mapping_row *rows;
    size_t count;

    (void)state;
    memset(message.header.exchange_id.bytes, 0x11, ID_SIZE);
    assert_int_equal(read_text(good, &mapping, error), RC_OK);
    assert_int_equal(reading_open(&message, NULL, arena, &reading), RC_OK);
    rows = mapping_out(mapping, &count);
    assert_int_equal(count, 4);
    assert_string_equal(rows[0].name, "Folio");
    assert_string_equal(mapping_text(mapping, &rows[0], &reading, (struct reading_place){0}),
                        "11111111-1111-1111-1111-111111111111");
    assert_string_equal(mapping_text(mapping, &rows[1], &reading, (struct reading_place){0}), "CV");
    assert_string_equal(
        mapping_text(mapping, &rows[1], &reading, (struct reading_place){.item = 1}), "OTRA");
    assert_string_equal(mapping_text(mapping, &rows[2], &reading, (struct reading_place){0}),
                        "MPI = CDMX");
    assert_string_equal(mapping_text(mapping, &rows[3], &reading, (struct reading_place){0}), "");
}

static void a_wrong_file_is_refused_with_its_line_and_a_remedy(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } refused[] = {
        {"purpose = x\n", ":1: purpose"},
        {"[ajuste]\n", ":1: [ajuste"},
        {"[claves ]\n", "no es una sección"},
        {"[ajustes]\npurpose\n", ":2: purpose"},
        {"[ajustes]\npurpose =\n", "falta el nombre o el valor"},
        {"[ajustes]\n= x\n", "falta el nombre o el valor"},
        {"[ajustes]\npurpose = x\npurpose = y\n", ":3: purpose: ya estaba"},
        {"[ajustes]\npurpos = x\n", "¿quiso decir «purpose»?"},
        {"[ajustes]\nextra = x\n[entrada]\nexchange = e\n[claves estado]\na = b\n",
         "falta «purpose» en [ajustes]"},
        {"[ajustes]\npurpose = x\n[claves estado]\na = b\n", "falta «exchange» en [entrada]"},
        {"[ajustes]\npurpose = x\n[entrada]\nexchange = e\n", "falta la tabla [claves estado]"},
        {"[salida]\nFolio = header.exchange\n", "no es un dato de un mensaje"},
        {"[salida]\nMedida = item.code | medidas\n", "falta la tabla [claves …]"},
        {"[ajustes]\n"
         "purpose = "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         "pasa de 198 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(mapping) mapping = NULL;
        char error[MAPPING_ERROR_SIZE] = "";

        assert_int_equal(read_text(refused[i].text, &mapping, error), RC_INVALID_ARGUMENT);
        if (strstr(error, refused[i].says) == NULL) {
            print_error("%zu: %s\n", i, error);
            assert_true(false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_answers_both_ways),
        cmocka_unit_test(a_row_says_its_part_of_a_message),
        cmocka_unit_test(a_wrong_file_is_refused_with_its_line_and_a_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
