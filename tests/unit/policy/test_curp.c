#include "unit/policy/policy_fixture.h"

#include "policy/curp.h"

static void published_curps_pass(void **state)
{
    static const char *const good[] = {"SABC560626MDFLRN01", "MOTR930411HJCRMN03",
                                       "PERJ911109HCMRDN05", "OEAF771012HMCRGR08",
                                       "BOXW310820HNERXN09"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(curp_check(good[i]), CURP_GOOD);
    }
}

static void mistyped_digits_are_found(void **state)
{
    char text[] = "SABC560626MDFLRN01";

    (void)state;
    assert_int_equal(curp_check("OEAF771012HMCRGR09"), CURP_WRONG_DIGIT);
    assert_int_equal(curp_check("MOTR930411HJCRMG73"), CURP_WRONG_DIGIT);
    for (char digit = '0'; digit <= '9'; digit++) {
        text[17] = digit;
        assert_int_equal(curp_check(text), digit == '1' ? CURP_GOOD : CURP_WRONG_DIGIT);
    }
}

static void malformed_ones_are_told_apart(void **state)
{
    static const char *const bad[] = {
        "",
        "SABC560626MDFLRN0",   /* 17 characters */
        "SABC560626MDFLRN011", /* 19 */
        "SABC560626mdFLRN01",  /* lower case */
        "SABC561326MDFLRN01",  /* month 13 */
        "SABC560631MDFLRN01",  /* 31 June */
        "SABC560626LDFLRN01",  /* sex L */
        "SABC560626MXXLRN01",  /* state XX */
        "5ABC560626MDFLRN01",  /* a digit in the name */
        "SABCA60626MDFLRN01",  /* a letter in the date */
        "SABC560626MDFLR101",  /* a digit among the consonants */
        "SABC560626MDFLRN0A",  /* a letter as check digit */
        "SABC-60626MDFLRN01",
        "SABC560626MDFLRN0\xc3",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (curp_check(bad[i]) != CURP_MALFORMED) {
            fail_msg("row %zu: %s", i, bad[i]);
        }
    }
}

static void enye_counts_as_one_character(void **state)
{
    char text[] = "MU\xc3\x91"
                  "A560626MDFLRN00";
    int good = 0;

    (void)state;
    for (char digit = '0'; digit <= '9'; digit++) {
        text[sizeof text - 2] = digit;
        good += curp_check(text) == CURP_GOOD;
    }
    assert_int_equal(good, 1);
}

static void the_homoclave_decides_the_century(void **state)
{
    (void)state;
    /* 29 February: 2000 is a leap year, 1900 was none. */
    assert_int_not_equal(curp_check("SABC000229MDFLRNA1"), CURP_MALFORMED);
    assert_int_equal(curp_check("SABC000229MDFLRN01"), CURP_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_curps_pass),
        cmocka_unit_test(mistyped_digits_are_found),
        cmocka_unit_test(malformed_ones_are_told_apart),
        cmocka_unit_test(enye_counts_as_one_character),
        cmocka_unit_test(the_homoclave_decides_the_century),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
