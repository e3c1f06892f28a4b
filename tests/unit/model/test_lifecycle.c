#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "model/lifecycle.h"

/*
 * What may happen, as sentences: "state event side state", signed ones marked. Everything else of
 * the 16 x 16 x 3 combinations must be impossible. Kept in words, apart from the table that it
 * tests, so that a slip in one does not repeat in the other.
 */
static const char *const legal[] = {
    "sent custody executor in-custody",
    "received custody executor in-custody",
    "in-custody accept executor accepted signed",
    "in-custody decline executor declined signed",
    "in-custody fail executor failed",
    "accepted start executor in-progress",
    "accepted in-force executor in-force signed",
    "accepted hold executor on-hold",
    "accepted fail executor failed",
    "in-progress in-force executor in-force signed",
    "in-progress hold executor on-hold",
    "in-progress fail executor failed",
    "on-hold resume executor in-progress",
    "in-force dispute requester in-progress signed",
    "in-force confirm requester in-force signed",
    "in-force end executor ended",
    "ended confirm requester ended signed",
    "ended dispute requester in-progress signed",
    "ended close requester closed",
    "declined close requester closed",
    "failed close requester closed",
    "recalled custody executor recalled",
    "entered-in-error custody executor recalled",
    "recalled purge executor purged signed",
    "recalled keep executor kept signed",
    "sent entered-in-error requester entered-in-error",
    "received entered-in-error requester entered-in-error",
};

#define LEGAL (sizeof legal / sizeof legal[0])

static const char *const sides[] = {"nobody", "requester", "executor"};

/* The sentence that begins like this; NULL: none. */
static const char *legal_step(const char *beginning)
{
    for (size_t i = 0; i < LEGAL; i++) {
        if (strncmp(legal[i], beginning, strlen(beginning)) == 0) {
            return legal[i];
        }
    }
    return NULL;
}

static void exactly_the_legal_steps_are_possible(void **state)
{
    size_t possible = 0;

    (void)state;
    for (int from = STATE_NONE; from < STATES; from++) {
        for (int event = EVENT_NONE; event < EVENTS; event++) {
            for (int side = SIDE_NONE; side <= SIDE_EXECUTOR; side++) {
                const struct transition *step =
                    lifecycle_step((enum state)from, (enum event)event, (enum side)side);
                char sentence[128];
                char whole[192];
                const char *expected;

                snprintf(sentence, sizeof sentence, "%s %s %s ", state_name((enum state)from),
                         event_name((enum event)event), sides[side]);
                expected = legal_step(sentence);
                if ((step != NULL) != (expected != NULL)) {
                    fail_msg("%s%s", sentence, step != NULL ? "is possible" : "is missing");
                }
                if (step == NULL) {
                    continue;
                }
                possible++;
                snprintf(whole, sizeof whole, "%s%s%s", sentence, state_name(step->to),
                         step->is_signed ? " signed" : "");
                assert_string_equal(whole, expected);
            }
        }
    }
    assert_int_equal(possible, LEGAL);
}

static void an_event_is_signed_in_every_state_or_in_none(void **state)
{
    (void)state;
    for (int from = STATE_NONE; from < STATES; from++) {
        for (int event = EVENT_NONE; event < EVENTS; event++) {
            for (int side = SIDE_NONE; side <= SIDE_EXECUTOR; side++) {
                const struct transition *step =
                    lifecycle_step((enum state)from, (enum event)event, (enum side)side);

                if (step != NULL) {
                    assert_int_equal(step->is_signed, event_is_signed((enum event)event));
                }
            }
        }
    }
    assert_false(event_is_signed(EVENT_NONE));
}

/* R3, R4, the person's word, and the answers to a recall bind an office. */
static void acts_that_bind_an_office_are_signed(void **state)
{
    (void)state;
    assert_true(event_is_signed(EVENT_ACCEPT));
    assert_true(event_is_signed(EVENT_DECLINE));
    assert_true(event_is_signed(EVENT_IN_FORCE));
    assert_true(event_is_signed(EVENT_CONFIRM));
    assert_true(event_is_signed(EVENT_PURGE));
    assert_true(event_is_signed(EVENT_KEEP));
    assert_false(event_is_signed(EVENT_CUSTODY));
}

/* Never nobody; R3 alone moves it to the executor, and no act of one that was not asked to. */
static void only_r3_moves_the_responsibility_to_the_executor(void **state)
{
    (void)state;
    for (int from = STATE_NONE; from < STATES; from++) {
        assert_int_not_equal(state_responsible((enum state)from), SIDE_NONE);
        for (int event = EVENT_NONE; event < EVENTS; event++) {
            for (int side = SIDE_NONE; side <= SIDE_EXECUTOR; side++) {
                const struct transition *step =
                    lifecycle_step((enum state)from, (enum event)event, (enum side)side);
                bool moves = step != NULL &&
                             state_responsible((enum state)from) == SIDE_REQUESTER &&
                             state_responsible(step->to) == SIDE_EXECUTOR;

                assert_int_equal(moves, step != NULL && event == EVENT_ACCEPT);
            }
        }
    }
}

static void final_states_have_no_way_out(void **state)
{
    static const enum state finals[] = {STATE_NONE, STATE_CLOSED, STATE_PURGED, STATE_KEPT};

    (void)state;
    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++) {
        for (int event = EVENT_NONE; event < EVENTS; event++) {
            assert_null(lifecycle_step(finals[i], (enum event)event, SIDE_REQUESTER));
            assert_null(lifecycle_step(finals[i], (enum event)event, SIDE_EXECUTOR));
        }
    }
}

static void reports_count_while_the_measure_can_happen(void **state)
{
    (void)state;
    for (int s = STATE_NONE; s < STATES; s++) {
        bool is_running = s == STATE_ACCEPTED || s == STATE_IN_PROGRESS || s == STATE_IN_FORCE;

        assert_int_equal(state_takes_reports((enum state)s), is_running);
    }
}

/* http://hl7.org/fhir/R4/valueset-task-status.html */
static void every_state_has_a_status_of_fhir_task(void **state)
{
    static const char statuses[] = " draft requested received accepted rejected ready cancelled "
                                   "in-progress on-hold failed completed entered-in-error ";

    (void)state;
    for (int s = STATE_NONE; s < STATES; s++) {
        char word[32];

        snprintf(word, sizeof word, " %s ", state_fhir_task((enum state)s));
        assert_non_null(strstr(statuses, word));
        for (int other = STATE_NONE; other < s; other++) {
            assert_string_not_equal(state_name((enum state)s), state_name((enum state)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_legal_steps_are_possible),
        cmocka_unit_test(an_event_is_signed_in_every_state_or_in_none),
        cmocka_unit_test(acts_that_bind_an_office_are_signed),
        cmocka_unit_test(only_r3_moves_the_responsibility_to_the_executor),
        cmocka_unit_test(final_states_have_no_way_out),
        cmocka_unit_test(reports_count_while_the_measure_can_happen),
        cmocka_unit_test(every_state_has_a_status_of_fhir_task),
    };

    return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
