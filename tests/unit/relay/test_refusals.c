/* refusals: ten leaves a minute for each identity, then a count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "relay/refusals.h"

#define MINUTE 60000

static void test_ten_a_minute_then_a_count(void **unused)
{
    OWN_PTR(refusals) refusals = refusals_new();
    struct refusals_count count;

    (void)unused;
    for (int i = 0; i < REFUSALS_PER_MINUTE; i++) {
        assert_true(refusals_admit(refusals, "spiffe://a", 5 * MINUTE + i));
    }
    for (int i = 0; i < 7; i++) {
        assert_false(refusals_admit(refusals, "spiffe://a", 5 * MINUTE + 100));
    }
    assert_true(refusals_admit(refusals, "spiffe://b", 5 * MINUTE + 100));
    assert_false(refusals_take(refusals, 5 * MINUTE + 59999, &count));
    assert_true(refusals_take(refusals, 6 * MINUTE, &count));
    assert_string_equal(count.identity_uri, "spiffe://a");
    assert_int_equal(count.count, 7);
    assert_false(refusals_take(refusals, 6 * MINUTE, &count));
    assert_true(refusals_admit(refusals, "spiffe://a", 6 * MINUTE + 1));
}

/* Until its count is written, an identity gets no further leaf: nothing is lost on the way. */
static void test_a_count_is_not_forgotten_by_the_next_minute(void **unused)
{
    OWN_PTR(refusals) refusals = refusals_new();
    struct refusals_count count;

    (void)unused;
    for (int i = 0; i < REFUSALS_PER_MINUTE + 3; i++) {
        refusals_admit(refusals, "spiffe://a", MINUTE);
    }
    assert_false(refusals_admit(refusals, "spiffe://a", 2 * MINUTE));
    assert_true(refusals_take(refusals, 2 * MINUTE, &count));
    assert_int_equal(count.count, 4);
}

static void test_many_identities_share_one_count(void **unused)
{
    OWN_PTR(refusals) refusals = refusals_new();
    struct refusals_count count;
    char uri[32];
    unsigned admitted = 0;
    unsigned counted = 0;

    (void)unused;
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(uri, sizeof uri, "spiffe://%u", i);
        admitted += refusals_admit(refusals, uri, MINUTE);
    }
    assert_int_equal(admitted, 4096 + REFUSALS_PER_MINUTE);
    while (refusals_take(refusals, 2 * MINUTE, &count)) {
        counted += count.count;
    }
    assert_int_equal(counted, 5000 - admitted);
}

static void test_what_is_no_policy_is_not_logged(void **unused)
{
    (void)unused;
    assert_true(refusal_is_policy(RC_PERMISSION_DENIED));
    assert_true(refusal_is_policy(RC_INVALID_ARGUMENT));
    assert_false(refusal_is_policy(RC_RESOURCE_EXHAUSTED));
    assert_false(refusal_is_policy(RC_UNAVAILABLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_a_minute_then_a_count),
        cmocka_unit_test(test_a_count_is_not_forgotten_by_the_next_minute),
        cmocka_unit_test(test_many_identities_share_one_count),
        cmocka_unit_test(test_what_is_no_policy_is_not_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
