#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "paper/spanish.h"

static const char *kept(const struct buffer *text)
{
    static char out[256];

    assert_true(text->size < sizeof out);
    memcpy(out, text->data, text->size);
    out[text->size] = '\0';
    return out;
}

static void numbers_are_said_as_in_mexico(void **state)
{
    static const struct {
        unsigned number;
        const char *words;
    } cases[] = {{0, "cero"},
                 {1, "uno"},
                 {16, "dieciséis"},
                 {21, "veintiuno"},
                 {22, "veintidós"},
                 {30, "treinta"},
                 {31, "treinta y uno"},
                 {99, "noventa y nueve"},
                 {100, "cien"},
                 {101, "ciento uno"},
                 {500, "quinientos"},
                 {715, "setecientos quince"},
                 {1000, "mil"},
                 {1999, "mil novecientos noventa y nueve"},
                 {2000, "dos mil"},
                 {2026, "dos mil veintiséis"},
                 {9999, "nueve mil novecientos noventa y nueve"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN(buffer) text = {0};

        spanish_number(cases[i].number, &text);
        assert_string_equal(kept(&text), cases[i].words);
    }
}

static void instants_are_those_of_mexico_city(void **state)
{
    static const struct {
        const char *instant;
        const char *figures;
        const char *words;
    } cases[] = {
        {"2026-11-27T19:32:00Z", "27 de noviembre de 2026, 13:32 horas",
         "veintisiete de noviembre de dos mil veintiséis, trece horas con treinta y dos minutos"},
        {"2027-01-01T05:59:00Z", "31 de diciembre de 2026, 23:59 horas",
         "treinta y uno de diciembre de dos mil veintiséis, veintitrés horas con cincuenta y nueve "
         "minutos"},
        {"2027-01-01T06:00:00Z", "1 de enero de 2027, 00:00 horas",
         "primero de enero de dos mil veintisiete, cero horas"},
        {"2026-03-21T07:01:00Z", "21 de marzo de 2026, 01:01 horas",
         "veintiuno de marzo de dos mil veintiséis, una hora con un minuto"},
        {"2026-03-22T03:21:00Z", "21 de marzo de 2026, 21:21 horas",
         "veintiuno de marzo de dos mil veintiséis, veintiuna horas con veintiún minutos"},
        {"2026-03-22T17:31:00Z", "22 de marzo de 2026, 11:31 horas",
         "veintidós de marzo de dos mil veintiséis, once horas con treinta y un minutos"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN(buffer) figures = {0};
        OWN(buffer) words = {0};
        int64_t instant_ms;

        assert_int_equal(clock_parse(bytes_text(cases[i].instant), &instant_ms), RC_OK);
        spanish_instant(instant_ms, &figures);
        assert_string_equal(kept(&figures), cases[i].figures);
        spanish_instant_words(instant_ms, &words);
        assert_string_equal(kept(&words), cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_said_as_in_mexico),
        cmocka_unit_test(instants_are_those_of_mexico_city),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
