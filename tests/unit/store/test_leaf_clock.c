#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/leaf_clock.h"

#define HOUR 3600
#define NOW 1000000

/* Adopted at NOW when the monotonic clock stood at 500. */
#define PAIR .adopted_wall_s = NOW, .adopted_monotonic_s = 500
#define AT(wall, monotonic, last)                                                                  \
    {                                                                                              \
        .wall_s = NOW + (wall), .monotonic_s = 500 + (monotonic), .last_leaf_s = (last), PAIR      \
    }
#define AT_AND(wall, monotonic, last, more)                                                        \
    {                                                                                              \
        .wall_s = NOW + (wall), .monotonic_s = 500 + (monotonic), .last_leaf_s = (last), PAIR,     \
        more                                                                                       \
    }

static void each_clock_gets_its_verdict(void **state)
{
    static const struct {
        const char *why;
        struct leaf_clock_facts facts;
        enum leaf_clock_state state;
        int64_t leaf_s;
        int64_t now_s;
        bool is_adopted;
    } rows[] = {
        {"both clocks go on", AT(10, 10, NOW), LEAF_CLOCK_FINE, NOW + 10, NOW + 10, false},
        {"an empty log", AT(10, 10, 0), LEAF_CLOCK_FINE, NOW + 10, NOW + 10, false},
        {"a second back", AT(9, 10, NOW + 10), LEAF_CLOCK_CLAMPED, NOW + 10, NOW + 10, false},
        {"five seconds back", AT(5, 10, NOW + 10), LEAF_CLOCK_CLAMPED, NOW + 10, NOW + 10, false},
        {"six seconds back", AT(4, 10, NOW + 10), LEAF_CLOCK_BEHIND, NOW + 10, NOW + 10, false},
        {"an hour back, half of it waited", AT(HOUR / 2 - HOUR, HOUR / 2, NOW), LEAF_CLOCK_BEHIND,
         NOW, NOW + HOUR / 2, false},
        {"back, and a peer agrees: leaves never go backward",
         AT_AND(-HOUR, 10, NOW, .heard_s = NOW - HOUR), LEAF_CLOCK_BEHIND, NOW, NOW + 10, false},
        {"back, and the operator insists", AT_AND(-HOUR, 10, NOW, .is_confirmed = true),
         LEAF_CLOCK_BEHIND, NOW, NOW + 10, false},
        {"back, but not below the last leaf", AT(-60, 10, NOW - HOUR), LEAF_CLOCK_FINE, NOW - 60,
         NOW - 60, false},
        {"ten minutes forward", AT(610, 10, NOW), LEAF_CLOCK_FINE, NOW + 610, NOW + 610, false},
        {"a second more", AT(611, 10, NOW), LEAF_CLOCK_JUMPED, NOW + 10, NOW + 10, false},
        {"forward, and leaves went ahead", AT(HOUR, 10, NOW + 300), LEAF_CLOCK_JUMPED, NOW + 300,
         NOW + 300, false},
        {"an hour forward in an hour", AT(HOUR, HOUR, NOW), LEAF_CLOCK_FINE, NOW + HOUR, NOW + HOUR,
         false},
        {"forward, a peer says the old time", AT_AND(HOUR, 10, NOW, .heard_s = NOW + 10),
         LEAF_CLOCK_JUMPED, NOW + 10, NOW + 10, false},
        {"forward, a peer agrees", AT_AND(HOUR, 10, NOW, .heard_s = NOW + HOUR - 120),
         LEAF_CLOCK_FINE, NOW + HOUR, NOW + HOUR, true},
        {"forward, a peer nearly agrees", AT_AND(HOUR, 10, NOW, .heard_s = NOW + HOUR - 121),
         LEAF_CLOCK_JUMPED, NOW + 10, NOW + 10, false},
        {"forward, a peer is further ahead", AT_AND(HOUR, 10, NOW, .heard_s = NOW + HOUR + 121),
         LEAF_CLOCK_JUMPED, NOW + 10, NOW + 10, false},
        {"forward, the operator agrees", AT_AND(HOUR, 10, NOW, .is_confirmed = true),
         LEAF_CLOCK_FINE, NOW + HOUR, NOW + HOUR, true},
        {"a peer agrees with a clock that goes on", AT_AND(10, 10, NOW, .heard_s = NOW),
         LEAF_CLOCK_FINE, NOW + 10, NOW + 10, true},
        {"a day later the pair is renewed", AT(LEAF_CLOCK_RENEW_S + 40, LEAF_CLOCK_RENEW_S, NOW),
         LEAF_CLOCK_FINE, NOW + LEAF_CLOCK_RENEW_S + 40, NOW + LEAF_CLOCK_RENEW_S + 40, true},
        {"but not with a jump", AT(LEAF_CLOCK_RENEW_S + HOUR, LEAF_CLOCK_RENEW_S, NOW),
         LEAF_CLOCK_JUMPED, NOW + LEAF_CLOCK_RENEW_S, NOW + LEAF_CLOCK_RENEW_S, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct leaf_clock_verdict verdict;

        leaf_clock_judge(&rows[i].facts, &verdict);
        if (verdict.state != rows[i].state || verdict.leaf_s != rows[i].leaf_s ||
            verdict.now_s != rows[i].now_s || verdict.is_adopted != rows[i].is_adopted) {
            fail_msg("%s: state=%d leaf=%lld now=%lld adopted=%d", rows[i].why, verdict.state,
                     (long long)verdict.leaf_s, (long long)verdict.now_s, verdict.is_adopted);
        }
        assert_true(verdict.leaf_s >= rows[i].facts.last_leaf_s);
        assert_true((verdict.apart_s > 0) == (verdict.state != LEAF_CLOCK_FINE));
    }
}

/* Steps of nine minutes do not add up: the pair that they are measured by stays where it was. */
static void many_small_steps_are_a_jump(void **state)
{
    struct leaf_clock_facts facts = AT(540, 5, NOW);
    struct leaf_clock_verdict verdict;

    (void)state;
    leaf_clock_judge(&facts, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_FINE);
    facts.last_leaf_s = verdict.leaf_s;
    facts.wall_s += 540;
    leaf_clock_judge(&facts, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_JUMPED);
}

static enum leaf_clock_state begun(int64_t leaf_ago_s, int64_t witnessed_ago_s)
{
    int64_t now_s = clock_now_ms() / 1000;
    struct leaf_clock clock;
    struct leaf_clock_verdict verdict;

    leaf_clock_begin(&clock, leaf_ago_s == 0 ? 0 : now_s - leaf_ago_s,
                     witnessed_ago_s == 0 ? 0 : now_s - witnessed_ago_s);
    leaf_clock_look(&clock, &verdict);
    leaf_clock_end(&clock);
    return verdict.state;
}

static void a_start_compares_with_the_last_leaf_and_the_last_quorum(void **state)
{
    (void)state;
    assert_int_equal(begun(0, 0), LEAF_CLOCK_FINE);
    assert_int_equal(begun(60, 0), LEAF_CLOCK_FINE);
    assert_int_equal(begun(-4, 0), LEAF_CLOCK_CLAMPED);
    assert_int_equal(begun(-HOUR, 0), LEAF_CLOCK_BEHIND);
    assert_int_equal(begun(2 * HOUR, 0), LEAF_CLOCK_FINE); /* nobody could say otherwise */
    assert_int_equal(begun(2 * HOUR, 2 * HOUR), LEAF_CLOCK_JUMPED);
    assert_int_equal(begun(2 * HOUR, 60), LEAF_CLOCK_FINE);
}

static void a_doubt_ends_when_two_institutions_agree(void **state)
{
    int64_t now_s = clock_now_ms() / 1000;
    struct leaf_clock_verdict verdict;
    struct leaf_clock clock;

    (void)state;
    leaf_clock_begin(&clock, now_s - 2 * HOUR, now_s - 2 * HOUR);
    leaf_clock_hear(&clock, "gw.ssc/witness", now_s - 2 * HOUR);
    leaf_clock_hear(&clock, "gw.pgj/witness", now_s - 2 * HOUR);
    leaf_clock_look(&clock, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_JUMPED);
    assert_in_range(verdict.leaf_s, now_s - 2 * HOUR, now_s - 2 * HOUR + 60);
    leaf_clock_hear(&clock, "gw.ssc/witness", now_s);
    leaf_clock_hear(&clock, "gw.ssc/audit/2026", now_s);
    leaf_clock_look(&clock, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_JUMPED);
    leaf_clock_hear(&clock, "gw.pgj/witness", now_s - 2 * HOUR);
    leaf_clock_look(&clock, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_JUMPED);
    leaf_clock_hear(&clock, "gw.pgj/witness", now_s);
    leaf_clock_look(&clock, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_FINE);
    leaf_clock_used(&clock, now_s + HOUR);
    leaf_clock_confirm(&clock);
    leaf_clock_look(&clock, &verdict);
    assert_int_equal(verdict.state, LEAF_CLOCK_BEHIND);
    assert_int_equal(verdict.leaf_s, now_s + HOUR);
    leaf_clock_end(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_clock_gets_its_verdict),
        cmocka_unit_test(many_small_steps_are_a_jump),
        cmocka_unit_test(a_start_compares_with_the_last_leaf_and_the_last_quorum),
        cmocka_unit_test(a_doubt_ends_when_two_institutions_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
