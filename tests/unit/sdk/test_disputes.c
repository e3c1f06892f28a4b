#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/disputes.h"

#define BEGIN_MS 1795467600000 /* a whole minute */
#define MINUTE_MS 60000

static char folder[32];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/disputes-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct id id_at(int64_t instant_ms, unsigned number)
{
    uint8_t random[10] = {0};

    put_u32(random + 6, number);
    return id_v7(instant_ms, random);
}

static struct header dispute_at(int64_t instant_ms, uint32_t item)
{
    return (struct header){.type = MESSAGE_ACT,
                           .event = EVENT_DISPUTE,
                           .exchange_id = id_at(BEGIN_MS - 3600000, 1),
                           .message_id = id_at(instant_ms, 2),
                           .item = item};
}

static struct id round_of(struct disputes *disputes, uint32_t item, int64_t occurred_ms)
{
    struct id exchange = id_at(BEGIN_MS - 3600000, 1);

    return disputes_round(disputes, &exchange, item, occurred_ms);
}

static void an_act_belongs_to_the_last_dispute_before_it(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct header first = dispute_at(BEGIN_MS, 1);
    struct header second = dispute_at(BEGIN_MS + 10 * MINUTE_MS, 1);
    struct id round;

    (void)state;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS);
    assert_true(id_is_zero(&round));
    assert_int_equal(disputes_note(disputes, &first), RC_OK);
    assert_int_equal(disputes_note(disputes, &second), RC_OK);
    assert_int_equal(disputes_note(disputes, &first), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS - MINUTE_MS);
    assert_true(id_is_zero(&round));
    round = round_of(disputes, 1, BEGIN_MS + 9 * MINUTE_MS);
    assert_true(id_equal(&round, &first.message_id));
    round = round_of(disputes, 1, BEGIN_MS + 10 * MINUTE_MS);
    assert_true(id_equal(&round, &second.message_id));
}

static void it_is_remembered_by_another_process(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct header second = dispute_at(BEGIN_MS + 10 * MINUTE_MS, 1);
    struct id round;

    (void)state;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS + 60 * MINUTE_MS);
    assert_true(id_equal(&round, &second.message_id));
}

static void a_dispute_reopens_its_item_or_all_of_them(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct header all = dispute_at(BEGIN_MS + 20 * MINUTE_MS, 0);
    struct header other = dispute_at(BEGIN_MS + 30 * MINUTE_MS, 2);
    struct id round;

    (void)state;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    assert_int_equal(disputes_note(disputes, &all), RC_OK);
    assert_int_equal(disputes_note(disputes, &other), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS + 40 * MINUTE_MS);
    assert_true(id_equal(&round, &all.message_id));
    round = round_of(disputes, 2, BEGIN_MS + 40 * MINUTE_MS);
    assert_true(id_equal(&round, &other.message_id));
    round = round_of(disputes, 0, BEGIN_MS + 40 * MINUTE_MS);
    assert_true(id_equal(&round, &other.message_id));
}

static void a_minute_without_seconds_is_not_before_it(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct header late = dispute_at(BEGIN_MS + 50 * MINUTE_MS + 59000, 1);
    struct id round;

    (void)state;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    assert_int_equal(disputes_note(disputes, &late), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS + 50 * MINUTE_MS);
    assert_true(id_equal(&round, &late.message_id));
}

static void the_oldest_give_way(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct id round;

    (void)state;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    for (unsigned i = 0; i < 3 * DISPUTES_KEPT; i++) {
        struct header one = dispute_at(BEGIN_MS + (100 + i) * (int64_t)MINUTE_MS, UINT32_MAX);

        assert_int_equal(disputes_note(disputes, &one), RC_OK);
        round = round_of(disputes, UINT32_MAX, BEGIN_MS + (100 + i) * (int64_t)MINUTE_MS);
        assert_true(id_equal(&round, &one.message_id));
    }
}

static void nothing_but_a_dispute_counts(void **state)
{
    OWN_PTR(disputes) disputes = NULL;
    struct header one = dispute_at(BEGIN_MS + 900 * MINUTE_MS, 1);
    struct id round;

    (void)state;
    one.event = EVENT_CONFIRM;
    assert_int_equal(disputes_open(folder, &disputes), RC_OK);
    assert_int_equal(disputes_note(disputes, &one), RC_OK);
    round = round_of(disputes, 1, BEGIN_MS + 900 * MINUTE_MS);
    assert_false(id_equal(&round, &one.message_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_act_belongs_to_the_last_dispute_before_it),
        cmocka_unit_test(it_is_remembered_by_another_process),
        cmocka_unit_test(a_dispute_reopens_its_item_or_all_of_them),
        cmocka_unit_test(a_minute_without_seconds_is_not_before_it),
        cmocka_unit_test(the_oldest_give_way),
        cmocka_unit_test(nothing_but_a_dispute_counts),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
