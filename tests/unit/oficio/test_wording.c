#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "oficio/wording.h"

#define REST                                                                                       \
    "[titulo]\nT\n[fecha]\nF\n[destinatario]\nD\n[contestar]\nC\n[verificar]\nV\n[comprobar]\nP\n" \
    "[pie]\nI\n"

static const char *find(const struct wording_source *source, const char *word, const char *table)
{
    static char said[64];

    (void)source;
    snprintf(said, sizeof said, "<%.20s/%.20s>", word, table);
    return said;
}

static bool knows(const struct wording_source *source, const char *word, const char *table)
{
    (void)source;
    return strcmp(word, "folio") == 0 && (table[0] == '\0' || strcmp(table, "tabla") == 0);
}

static const struct wording_source source = {find, knows};

static void lines_are_joined_and_words_filled_in(void **state)
{
    OWN_PTR(wording) wording = NULL;
    OWN(buffer) filled = {0};
    char error[WORDING_ERROR_SIZE] = "";

    (void)state;
    assert_int_equal(
        wording_read(bytes_text(REST "# nota {no}\n[leyenda]\nuno {folio}\n dos\n\n\n"
                                     "tres { folio | tabla }\n[cuerpo Act dispute]\nx\n"),
                     &source, &wording, error),
        RC_OK);
    assert_string_equal(wording_text(wording, "leyenda"),
                        "uno {folio} dos\ntres { folio | tabla }");
    assert_int_equal(wording_fill(wording_text(wording, "leyenda"), &source, &filled), RC_OK);
    assert_string_equal((const char *)filled.data, "uno <folio/> dos\ntres <folio/tabla>");
    assert_non_null(wording_text(wording, "cuerpo Act dispute"));
    assert_null(wording_text(wording, "cuerpo Recall"));
}

static void texts_that_are_wrong_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"x\n", "1: hay texto antes"},
        {"[titulos]\n", "1: «titulos» no es una sección"},
        {"[cuerpo Carta]\n", "1: «cuerpo Carta» no es una sección"},
        {"[cuerpo Act]\n", "1: «cuerpo Act» no es una sección"},
        {"[titulo]\na\n[titulo]\nb\n", "3: la sección «titulo» ya estaba"},
        {REST "[leyenda]\n{folios}\n", "se conoce «folios»"},
        {REST "[leyenda]\n{folio | otra}\n", "la tabla «otra»"},
        {REST "[leyenda]\n{folio\n", "no tiene su pareja"},
        {REST "[leyenda]\nfolio}\n", "no tiene su pareja"},
        {REST, "falta la sección «leyenda»"},
        {"[titulo]\n\x07\n", "2: no es UTF-8"},
        {"[titulo]\n\xff\n", "2: no es UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN_PTR(wording) wording = NULL;
        char error[WORDING_ERROR_SIZE] = "";

        assert_int_equal(wording_read(bytes_text(cases[i].text), &source, &wording, error),
                         RC_INVALID_ARGUMENT);
        assert_non_null(strstr(error, cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_joined_and_words_filled_in),
        cmocka_unit_test(texts_that_are_wrong_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
