/* hang: where an exchange hangs, for every state and what its node knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/hang.h"

static const struct hang_facts nothing = {.requester = "cdmx/mpi-cdmx", .executor = "cdmx/ssc"};

static void every_open_state_names_who_must_act(void **state)
{
    (void)state;
    for (int s = STATE_NONE + 1; s < STATES; s++) {
        struct hang hang = hang_of((enum state)s, 7, &nothing);

        assert_int_equal(hang.kind == HANG_NOTHING, !state_is_open((enum state)s));
        assert_non_null(hang.who);
        assert_int_equal(hang.since_ms, 7);
        assert_true(hang_name(hang.kind)[0] != '\0');
    }
}

static void what_waits_for_a_peer_comes_first(void **state)
{
    struct hang_facts facts = nothing;
    struct hang hang;

    (void)state;
    facts.peer = "cdmx/ssc";
    facts.waiting_since_ms = 100;
    hang = hang_of(STATE_ACCEPTED, 7, &facts);
    assert_int_equal(hang.kind, HANG_PEER_WAITS);
    assert_int_equal(hang.since_ms, 100);
    facts.unreached_ms = 200;
    hang = hang_of(STATE_ACCEPTED, 7, &facts);
    assert_int_equal(hang.kind, HANG_PEER_UNREACHABLE);
    assert_int_equal(hang.since_ms, 200);
    assert_string_equal(hang.who, "cdmx/ssc");
}

static void who_must_act_follows_the_state(void **state)
{
    struct hang_facts facts = nothing;

    (void)state;
    assert_int_equal(hang_of(STATE_RECEIVED, 7, &facts).kind, HANG_NO_CUSTODY);
    facts.is_hosted = true;
    assert_int_equal(hang_of(STATE_RECEIVED, 7, &facts).kind, HANG_NO_SYSTEM);
    facts.has_system = true;
    assert_int_equal(hang_of(STATE_RECEIVED, 7, &facts).kind, HANG_NO_CUSTODY);
    assert_int_equal(hang_of(STATE_IN_FORCE, 7, &facts).kind, HANG_RUNNING);
    facts.is_missing = true;
    assert_int_equal(hang_of(STATE_IN_FORCE, 7, &facts).kind, HANG_NO_REPORT);
    assert_string_equal(hang_of(STATE_RECALLED, 7, &facts).who, "cdmx/ssc");
    assert_string_equal(hang_of(STATE_DECLINED, 7, &facts).who, "cdmx/mpi-cdmx");
    facts.is_refused = true;
    assert_int_equal(hang_of(STATE_FAILED, 7, &facts).kind, HANG_PEER_REFUSED);
    assert_string_equal(hang_of(STATE_FAILED, 7, &facts).who, "cdmx/mpi-cdmx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_open_state_names_who_must_act),
        cmocka_unit_test(what_waits_for_a_peer_comes_first),
        cmocka_unit_test(who_must_act_follows_the_state),
    };

    return cmocka_run_group_tests_name("hang", tests, NULL, NULL);
}
