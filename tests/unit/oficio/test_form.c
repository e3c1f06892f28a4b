#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "oficio/form.h"

#define HEAD "formato: enlace-acuse 1\n"

static void a_form_is_read_as_it_was_filled(void **state)
{
    static const char text[] = "\xef\xbb\xbf" HEAD "\r\n# nota: sí\r\n oficio : CEAVI/2026/1 \r\n"
                               "motivo:\r\nestado: RECIBIDO\r\nestado: ACEPTADA\r\nmedida: 2\r\n"
                               "fecha: 27/11/2026 10:30";
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    struct form form;
    struct fault fault = {0};
    size_t first;
    size_t second;

    (void)state;
    assert_int_equal(form_read(bytes_text(text), arena, &form, &fault), RC_OK);
    assert_int_equal(form.kind, FORM_ANSWER);
    assert_int_equal(form.count, 5);
    first = form_next_state(&form, 0);
    second = form_next_state(&form, first + 1);
    assert_string_equal(form_value(&form, 0, first, "oficio"), "CEAVI/2026/1");
    assert_string_equal(form_value(&form, first, second, "medida"), "");
    assert_string_equal(form_value(&form, second, form.count, "medida"), "2");
    assert_string_equal(form_value(&form, second, form.count, "fecha"), "27/11/2026 10:30");
    assert_int_equal(form_next_state(&form, second + 1), form.count);
}

static void fill_many(char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, HEAD);

    while (used + 6 < size) {
        used += (size_t)snprintf(out + used, size - used, "a: 1\n");
    }
}

static void what_is_no_form_is_refused(void **state)
{
    static char many[500 * 6 + 64];
    static char wide[1100 + 64];
    const struct {
        const char *text;
        const char *reason;
        const char *path;
    } cases[] = {
        {"", "form.format", ""},
        {"oficio: X\n", "form.format", ""},
        {"formato: enlace-acuse 2\n", "form.format", "renglón 1"},
        {"{\"formato\": 1}\n", "form.line", "renglón 1"},
        {HEAD "RECIBIDO\n", "form.line", "renglón 2"},
        {HEAD "Estado: X\n", "form.line", "renglón 2"},
        {HEAD "estado acuse: X\n", "form.line", "renglón 2"},
        {HEAD "=cmd|' /C calc'!A0\n", "form.line", "renglón 2"},
        {HEAD "motivo: \x1b[2J\n", "form.line", "renglón 2"},
        {HEAD "motivo: \xc3\x28\n", "form.line", "renglón 2"},
        {HEAD "motivo: a\rb\n", "form.line", "renglón 2"},
        {many, "form.too_many", "renglón 401"},
        {wide, "form.line", "renglón 2"},
    };

    (void)state;
    fill_many(many, sizeof many);
    snprintf(wide, sizeof wide, HEAD "motivo: %01001d", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
        struct form form;
        struct fault fault = {0};

        assert_int_equal(form_read(bytes_text(cases[i].text), arena, &form, &fault),
                         RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, cases[i].reason);
        assert_string_equal(fault.path, cases[i].path);
    }
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    static uint8_t large[FORM_BYTES_MAX + 1];
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    struct form form;
    struct fault fault = {0};

    (void)state;
    memset(large, '#', sizeof large);
    assert_int_equal(form_read(BYTES_OF(large), arena, &form, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "form.text");
    fault = (struct fault){0};
    assert_int_equal(form_read(BYTES(HEAD, sizeof HEAD), arena, &form, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "form.text");
}

static void keys_stand_once_and_where_they_belong(void **state)
{
    static const char *const keys[] = {"estado", "medida", NULL};
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    struct form form;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(form_read(bytes_text(HEAD "estado: A\nmedida: 1\nmedida: 2\nclave: 3\n"),
                               arena, &form, &fault),
                     RC_OK);
    assert_int_equal(form_check(&form, 0, 2, keys, &fault), RC_OK);
    assert_int_equal(form_check(&form, 0, 3, keys, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "form.twice");
    fault = (struct fault){0};
    assert_int_equal(form_check(&form, 3, 4, keys, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "form.key");
    assert_string_equal(fault.path, "renglón 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_read_as_it_was_filled),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(keys_stand_once_and_where_they_belong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
