/* leases: one holder at a time, given again only after it came back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "relay/leases.h"

#define SLOTS ((uint64_t)1 << 18)

static void test_one_holder_at_a_time(void **unused)
{
    OWN_PTR(leases) leases = leases_new();

    (void)unused;
    assert_int_equal(leases_take(leases, 7), LEASE_TAKEN);
    assert_int_equal(leases_take(leases, 7), LEASE_OTHERS);
    assert_false(leases_was_given(leases, 7));
    leases_return(leases, 7);
    assert_true(leases_was_given(leases, 7));
    assert_int_equal(leases_take(leases, 7), LEASE_TAKEN);
    leases_end(leases, 7);
    assert_false(leases_was_given(leases, 7));
    assert_int_equal(leases_take(leases, 7), LEASE_TAKEN);
}

/* Indices that share a home slot, ended in every order: the others stay findable. */
static void test_neighbours_survive_an_end(void **unused)
{
    for (unsigned gone = 0; gone < 6; gone++) {
        OWN_PTR(leases) leases = leases_new();

        (void)unused;
        for (uint64_t i = 0; i < 6; i++) {
            assert_int_equal(leases_take(leases, SLOTS - 2 + i % 2 + i / 2 * SLOTS), LEASE_TAKEN);
        }
        leases_end(leases, SLOTS - 2 + gone % 2 + gone / 2 * SLOTS);
        for (uint64_t i = 0; i < 6; i++) {
            assert_int_equal(leases_take(leases, SLOTS - 2 + i % 2 + i / 2 * SLOTS),
                             i == gone ? LEASE_TAKEN : LEASE_OTHERS);
        }
    }
}

static void test_it_is_bounded(void **unused)
{
    OWN_PTR(leases) leases = leases_new();
    uint64_t taken = 0;

    (void)unused;
    while (taken < SLOTS && leases_take(leases, taken) == LEASE_TAKEN) {
        taken++;
    }
    assert_int_equal(taken, SLOTS / 2);
    assert_int_equal(leases_take(leases, taken), LEASE_FULL);
    leases_end(leases, 0);
    assert_int_equal(leases_take(leases, SLOTS), LEASE_TAKEN);
}

struct race {
    struct leases *leases;
    atomic_int won;
};

static void *race_for_all(void *argument)
{
    struct race *race = argument;

    for (uint64_t i = 0; i < 1000; i++) {
        atomic_fetch_add(&race->won, leases_take(race->leases, i) == LEASE_TAKEN);
    }
    return NULL;
}

static void test_of_two_threads_one_wins_each(void **unused)
{
    OWN_PTR(leases) leases = leases_new();
    struct race race = {.leases = leases};
    pthread_t other;

    (void)unused;
    assert_int_equal(pthread_create(&other, NULL, race_for_all, &race), 0);
    race_for_all(&race);
    pthread_join(other, NULL);
    assert_int_equal(atomic_load(&race.won), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_holder_at_a_time),
        cmocka_unit_test(test_neighbours_survive_an_end),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_of_two_threads_one_wins_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
