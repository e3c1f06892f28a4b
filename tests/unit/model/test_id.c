#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/id.h"

/* RFC 9562, appendix A.6: Tuesday, 22 February 2022, 14:22:22.00 at UTC-05:00. */
#define RFC_INSTANT_MS INT64_C(0x017F22E279B0)
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
static const uint8_t rfc_random[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};

static void the_example_of_the_rfc_comes_out(void **state)
{
    struct id id = id_v7(RFC_INSTANT_MS, rfc_random);
    char text[ID_TEXT_SIZE];

    (void)state;
    id_format(&id, text);
    assert_string_equal(text, rfc_text);
    assert_true(id_is_v7(&id));
    assert_true(id_instant_ms(&id) == RFC_INSTANT_MS);
}

static void version_and_variant_do_not_depend_on_the_random_bytes(void **state)
{
    uint8_t random[10];

    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        struct id id;

        memset(random, (int)value, sizeof random);
        id = id_v7(INT64_C(0xFFFFFFFFFFFF), random);
        assert_true(id_is_v7(&id));
        assert_true(id_instant_ms(&id) == INT64_C(0xFFFFFFFFFFFF));
    }
}

static void later_ids_sort_after_earlier_ones(void **state)
{
    static const uint8_t high[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    static const uint8_t low[10] = {0};
    struct id earlier = id_v7(1559577600000, high);
    struct id later = id_v7(1559577600001, low);

    (void)state;
    assert_true(memcmp(earlier.bytes, later.bytes, ID_SIZE) < 0);
}

static void other_versions_are_not_v7(void **state)
{
    struct id id = id_v7(RFC_INSTANT_MS, rfc_random);

    (void)state;
    id.bytes[6] = 0x4c;
    assert_false(id_is_v7(&id));
    id.bytes[6] = 0x7c;
    id.bytes[8] = 0x18;
    assert_false(id_is_v7(&id));
    id.bytes[8] = 0xd8;
    assert_false(id_is_v7(&id));
}

static void a_text_is_read_back(void **state)
{
    struct id id;
    char text[ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(id_parse(rfc_text, &id), RC_OK);
    id_format(&id, text);
    assert_string_equal(text, rfc_text);
}

static void other_texts_are_refused(void **state)
{
    static const char *const refused[] = {
        "",
        "017f22e2",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",   /* a digit short */
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", /* a digit long */
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",  /* upper case */
        "017f22e279b07cc398c4dc0c0c07398f",      /* without dashes */
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",  /* a dash elsewhere */
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",  /* not a digit */
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct id id;

        assert_int_equal(id_parse(refused[i], &id), RC_INVALID_ARGUMENT);
    }
}

static void only_sixteen_bytes_are_an_id(void **state)
{
    uint8_t bytes[ID_SIZE + 1] = {1};
    struct id id;

    (void)state;
    assert_int_equal(id_from_bytes(BYTES(bytes, ID_SIZE), &id), RC_OK);
    assert_int_equal(id.bytes[0], 1);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        if (size != ID_SIZE) {
            assert_int_equal(id_from_bytes(BYTES(bytes, size), &id), RC_INVALID_ARGUMENT);
        }
    }
}

static void ids_differ_by_any_byte(void **state)
{
    struct id zero = {{0}};

    (void)state;
    assert_true(id_is_zero(&zero));
    for (size_t i = 0; i < ID_SIZE; i++) {
        struct id other = {{0}};

        other.bytes[i] = 1;
        assert_false(id_is_zero(&other));
        assert_false(id_equal(&zero, &other));
        assert_true(id_equal(&other, &other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_comes_out),
        cmocka_unit_test(version_and_variant_do_not_depend_on_the_random_bytes),
        cmocka_unit_test(later_ids_sort_after_earlier_ones),
        cmocka_unit_test(other_versions_are_not_v7),
        cmocka_unit_test(a_text_is_read_back),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(only_sixteen_bytes_are_an_id),
        cmocka_unit_test(ids_differ_by_any_byte),
    };

    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
