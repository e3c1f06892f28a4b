#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "relay/budget.h"

#define ME "spiffe://enlace.cdmx/member/mpi/system/plataforma"
#define OTHER "spiffe://enlace.cdmx/member/c5/system/despacho"

static int make(void **state)
{
    *state = budget_new();
    return *state != NULL ? 0 : -1;
}

/* Frees, and so finds what a test did not give back. */
static int clean(void **state)
{
    budget_free(*state);
    return 0;
}

static void places_end_for_one_and_not_for_others(void **state)
{
    struct budget_hold holds[BUDGET_SUBMIT_MAX] = {0};
    struct budget_hold more = {0};
    struct budget_hold attach = {0};
    struct fault fault = {0};

    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &holds[i], &fault), RC_OK);
    }
    assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &more, &fault), RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "identity.busy");
    assert_null(more.seat);
    assert_int_equal(budget_enter(*state, ME, BUDGET_ATTACH, &attach, &fault), RC_OK);
    budget_leave(&attach);
    assert_int_equal(budget_enter(*state, OTHER, BUDGET_SUBMIT, &more, &fault), RC_OK);
    budget_leave(&more);
    budget_leave(&holds[0]);
    assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &holds[0], &fault), RC_OK);
    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        budget_leave(&holds[i]);
        budget_leave(&holds[i]); /* an empty hold does nothing */
    }
}

static void a_stream_waits_at_its_own_bytes(void **state)
{
    struct budget_hold hold = {0};
    struct budget_hold beside = {0};

    assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &hold, NULL), RC_OK);
    assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &beside, NULL), RC_OK);
    budget_add_bytes(&hold, BUDGET_STREAM_BYTES - 1);
    budget_add_bytes(&beside, 1);
    assert_true(budget_has_room(&hold));
    budget_add_bytes(&hold, 1);
    assert_false(budget_has_room(&hold));
    assert_true(budget_has_room(&beside));
    budget_drop_bytes(&hold, 1);
    assert_true(budget_has_room(&hold));
    budget_leave(&hold);
    budget_leave(&beside);
}

static void an_identitys_streams_wait_together_but_an_idle_one_goes_on(void **state)
{
    struct budget_hold holds[BUDGET_SUBMIT_MAX] = {0};
    struct budget_hold other = {0};
    size_t full = BUDGET_IDENTITY_BYTES / BUDGET_STREAM_BYTES + 1;

    assert_true(full < BUDGET_SUBMIT_MAX);
    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &holds[i], NULL), RC_OK);
    }
    for (size_t i = 0; i < full; i++) {
        budget_add_bytes(&holds[i], BUDGET_STREAM_BYTES - 1);
    }
    assert_int_equal(budget_enter(*state, OTHER, BUDGET_SUBMIT, &other, NULL), RC_OK);
    budget_add_bytes(&other, 1);
    assert_true(budget_has_room(&other));
    assert_false(budget_has_room(&holds[0]));
    assert_true(budget_has_room(&holds[full])); /* it has nothing under way */
    budget_add_bytes(&holds[full], 1);
    assert_false(budget_has_room(&holds[full]));
    budget_leave(&other);
    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        budget_leave(&holds[i]); /* with the bytes that are left */
    }
}

static void calls_have_a_reserve_and_then_are_refused(void **state)
{
    struct budget_hold streams[BUDGET_SUBMIT_MAX] = {0};
    struct budget_hold call = {0};
    struct fault fault = {0};
    size_t each = BUDGET_IDENTITY_BYTES / BUDGET_SUBMIT_MAX;

    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        assert_int_equal(budget_enter(*state, ME, BUDGET_SUBMIT, &streams[i], NULL), RC_OK);
        budget_add_bytes(&streams[i], each);
    }
    budget_add_bytes(&streams[0], BUDGET_IDENTITY_BYTES - each * BUDGET_SUBMIT_MAX);
    assert_int_equal(budget_enter(*state, ME, BUDGET_CALL, &call, &fault), RC_OK);
    assert_int_equal(budget_admit(&call, BUDGET_CALL_RESERVE + 1, &fault), RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "identity.busy");
    assert_int_equal(call.bytes, 0);
    assert_int_equal(budget_admit(&call, BUDGET_CALL_RESERVE, &fault), RC_OK);
    assert_int_equal(budget_admit(&call, 1, &fault), RC_RESOURCE_EXHAUSTED);
    budget_leave(&call);
    for (size_t i = 0; i < BUDGET_SUBMIT_MAX; i++) {
        budget_leave(&streams[i]);
    }
}

static void many_identities_are_bounded_by_the_nodes_bytes(void **state)
{
    struct budget_hold holds[64] = {0};
    size_t count = BUDGET_NODE_BYTES / (BUDGET_STREAM_BYTES - 1) + 1;

    assert_true(count < 64);
    for (size_t i = 0; i < count; i++) {
        char owner[64];

        snprintf(owner, sizeof owner, "spiffe://enlace.cdmx/member/m%zu/system/a", i);
        assert_int_equal(budget_enter(*state, owner, BUDGET_SUBMIT, &holds[i], NULL), RC_OK);
        assert_true(budget_has_room(&holds[i]));
        budget_add_bytes(&holds[i], BUDGET_STREAM_BYTES - 1);
    }
    assert_false(budget_has_room(&holds[0]));
    for (size_t i = 0; i < count; i++) {
        budget_leave(&holds[i]);
    }
}

static void seats_end_too(void **state)
{
    static struct budget_hold holds[BUDGET_SEATS_MAX];
    struct budget_hold more = {0};
    char owner[64];

    for (size_t i = 0; i < BUDGET_SEATS_MAX; i++) {
        snprintf(owner, sizeof owner, "m%zu", i);
        assert_int_equal(budget_enter(*state, owner, BUDGET_CALL, &holds[i], NULL), RC_OK);
    }
    assert_int_equal(budget_enter(*state, "one-more", BUDGET_CALL, &more, NULL),
                     RC_RESOURCE_EXHAUSTED);
    for (size_t i = 0; i < BUDGET_SEATS_MAX; i++) {
        budget_leave(&holds[i]);
    }
}

static void *come_and_go(void *argument)
{
    for (unsigned i = 0; i < 20000; i++) {
        struct budget_hold hold = {0};

        if (budget_enter(argument, i % 2 == 0 ? ME : OTHER, BUDGET_CALL, &hold, NULL) == RC_OK) {
            budget_add_bytes(&hold, i);
            budget_leave(&hold);
        }
    }
    return NULL;
}

static void threads_leave_nothing_behind(void **state)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, *state), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(places_end_for_one_and_not_for_others),
        TEST(a_stream_waits_at_its_own_bytes),
        TEST(an_identitys_streams_wait_together_but_an_idle_one_goes_on),
        TEST(calls_have_a_reserve_and_then_are_refused),
        TEST(many_identities_are_bounded_by_the_nodes_bytes),
        TEST(seats_end_too),
        TEST(threads_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
