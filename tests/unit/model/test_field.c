#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/field.h"
#include "model/message.h"

static void every_path_has_its_own_number(void **state)
{
    size_t count;
    const struct field *catalogue = field_catalogue(&count);

    (void)state;
    assert_true(count > 0 && count <= FIELD_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(field_number(catalogue[i].path), i);
        assert_true(catalogue[i].label[0] != '\0');
    }
    assert_int_equal(field_number("identity.folio"), -1);
    assert_int_equal(field_number("identity"), -1);
    assert_int_equal(field_number(""), -1);
}

/* Records in logs name fields by number: these can never change. */
static void numbers_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(field_number("identity.full_name"), 0);
    assert_int_equal(field_number("identity.curp"), 1);
    assert_int_equal(field_number("contact.phone"), 8);
    assert_int_equal(field_number("location.alcaldia"), 14);
    assert_int_equal(field_number("schedule.entries.days"), 19);
    assert_int_equal(field_number("relatives.entries.full_name"), 23);
    assert_int_equal(field_number("health.needs"), 26);
    assert_int_equal(field_number("legal.carpeta"), 30);
    assert_int_equal(field_number("social.household"), 33);
    assert_int_equal(field_number("narrative.summary"), 36);
    assert_int_equal(field_number("attachments.entries.attachment_id"), 38);
    assert_int_equal(field_number("attachments.entries.title"), 42);
}

static void every_path_begins_with_a_compartment(void **state)
{
    size_t count;
    const struct field *catalogue = field_catalogue(&count);
    unsigned seen = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        unsigned owners = 0;

        for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
            const char *name = compartment_name((enum compartment_type)type);
            size_t length = strlen(name);

            if (strncmp(catalogue[i].path, name, length) == 0 && catalogue[i].path[length] == '.') {
                owners++;
                seen |= 1u << type;
            }
        }
        assert_int_equal(owners, 1);
    }
    assert_int_equal(seen, (1u << COMPARTMENT_TYPES) - 2);
}

static void sets_hold_what_was_added(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FIELD_MAX; i++) {
        struct field_set set = {0};

        assert_true(field_set_is_empty(set));
        field_set_add(&set, i);
        field_set_add(&set, i);
        assert_false(field_set_is_empty(set));
        for (unsigned k = 0; k < FIELD_MAX; k++) {
            assert_int_equal(field_set_has(set, k), i == k);
        }
    }
}

static void the_excess_is_what_is_not_allowed(void **state)
{
    struct field_set sent = {0};
    struct field_set allowed = {0};
    struct field_set excess;

    (void)state;
    field_set_add(&sent, 0);
    field_set_add(&sent, 63);
    field_set_add(&allowed, 0);
    field_set_add(&allowed, 5);
    excess = field_set_minus(sent, allowed);
    assert_false(field_set_has(excess, 0));
    assert_false(field_set_has(excess, 5));
    assert_true(field_set_has(excess, 63));
    assert_true(field_set_is_empty(field_set_minus(allowed, allowed)));
}

static void a_set_is_described_by_paths(void **state)
{
    struct field_set set = {0};
    char text[64];

    (void)state;
    field_set_describe(set, text, sizeof text);
    assert_string_equal(text, "");
    field_set_add(&set, 1);
    field_set_add(&set, 8);
    field_set_describe(set, text, sizeof text);
    assert_string_equal(text, "identity.curp, contact.phone");
}

/* Any size of text, down to one that holds only the mark: never past its end. */
static void a_long_description_is_cut(void **state)
{
    struct field_set all = {.bits = UINT64_MAX};
    size_t count;

    (void)state;
    (void)field_catalogue(&count);
    for (size_t size = 4; size < 200; size++) {
        char text[201];

        memset(text, '#', sizeof text);
        field_set_describe(all, text, size);
        assert_true(strlen(text) < size);
        assert_string_equal(text + strlen(text) - 3, "…");
        assert_int_equal(text[size], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_its_own_number),
        cmocka_unit_test(numbers_stay_as_they_are),
        cmocka_unit_test(every_path_begins_with_a_compartment),
        cmocka_unit_test(sets_hold_what_was_added),
        cmocka_unit_test(the_excess_is_what_is_not_allowed),
        cmocka_unit_test(a_set_is_described_by_paths),
        cmocka_unit_test(a_long_description_is_cut),
    };

    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
