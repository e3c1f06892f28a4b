#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "relay/lag.h"

static void lag_counts_from_the_oldest_leaf_without_a_quorum(void **state)
{
    static const struct {
        const char *why;
        struct lag_facts facts;
        int64_t lag_s;
    } rows[] = {
        {"an empty log", {.now_s = 1000}, 0},
        {"all is witnessed", {1000, 5, 5, 990, 0, 60}, 0},
        {"one leaf waits", {1000, 6, 5, 990, 995, 60}, 5},
        {"a leaf waits, the quorum is old", {1000, 6, 5, 100, 400, 60}, 600},
        {"nothing was ever witnessed", {1000, 6, 0, 0, 100, 60}, 900},
        {"idle, and the quorum is not renewed", {1000, 5, 5, 900, 0, 60}, 40},
        {"idle, renewed just in time", {960, 5, 5, 900, 0, 60}, 0},
        {"the clock went backward", {1000, 6, 5, 990, 5000, 60}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (lag_of(&rows[i].facts) != rows[i].lag_s) {
            fail_msg("%s: %lld", rows[i].why, (long long)lag_of(&rows[i].facts));
        }
    }
}

static void lag_is_loud_first_and_stops_only_where_it_was_set(void **state)
{
    const struct lag_limits both = {.loud_s = 10, .stop_s = 20};
    const struct lag_limits loud = {.loud_s = 10};

    (void)state;
    assert_int_equal(lag_judge(0, &both), LAG_FINE);
    assert_int_equal(lag_judge(10, &both), LAG_FINE);
    assert_int_equal(lag_judge(11, &both), LAG_LOUD);
    assert_int_equal(lag_judge(20, &both), LAG_LOUD);
    assert_int_equal(lag_judge(21, &both), LAG_STOPPED);
    assert_int_equal(lag_judge(INT64_MAX, &loud), LAG_LOUD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_counts_from_the_oldest_leaf_without_a_quorum),
        cmocka_unit_test(lag_is_loud_first_and_stops_only_where_it_was_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
