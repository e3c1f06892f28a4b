#include "unit/policy/policy_fixture.h"

#include "policy/catalogue.h"

static void the_table_is_in_order_and_every_code_is_found(void **state)
{
    size_t count;
    const struct catalogue_entry *entries = catalogue_entries(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(entries[i - 1].code, entries[i].code) < 0);
        assert_ptr_equal(catalogue_find(entries[i].code), &entries[i]);
        assert_true(entries[i].class > CLASS_NONE && entries[i].class < CLASSES);
        assert_true(strlen(entries[i].code) < 32); /* struct route */
    }
    assert_null(catalogue_find(""));
    assert_null(catalogue_find("PRO-COD"));
    assert_null(catalogue_find("pro-cod-vig"));
}

static void classes_keep_to_their_messages(void **state)
{
    (void)state;
    assert_true(catalogue_class_fits(CLASS_REFERRAL, MESSAGE_REFERRAL));
    assert_true(catalogue_class_fits(CLASS_SUPPORT, MESSAGE_REFERRAL));
    assert_false(catalogue_class_fits(CLASS_PROTECTION, MESSAGE_REFERRAL));
    assert_true(catalogue_class_fits(CLASS_PROTECTION, MESSAGE_MEASURE_REQUEST));
    assert_true(catalogue_class_fits(CLASS_SUPPORT, MESSAGE_MEASURE_REQUEST));
    assert_false(catalogue_class_fits(CLASS_REFERRAL, MESSAGE_MEASURE_REQUEST));
    assert_false(catalogue_class_fits(CLASS_PREVENTION, MESSAGE_SUPPORT_REQUEST));
}

static void alcaldias_go_from_002_to_017(void **state)
{
    (void)state;
    assert_string_equal(alcaldia_name("09002"), "Azcapotzalco");
    assert_string_equal(alcaldia_name("09010"), "Álvaro Obregón");
    assert_string_equal(alcaldia_name("09017"), "Venustiano Carranza");
    assert_null(alcaldia_name("09001"));
    assert_null(alcaldia_name("09018"));
    assert_null(alcaldia_name("09020"));
    assert_null(alcaldia_name("0901"));
    assert_null(alcaldia_name("15002"));
    assert_null(alcaldia_name("0901a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order_and_every_code_is_found),
        cmocka_unit_test(classes_keep_to_their_messages),
        cmocka_unit_test(alcaldias_go_from_002_to_017),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
