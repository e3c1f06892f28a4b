/* What is read back from a durable timer: ours whole, others' left alone, damaged ones refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "relay/annex_debt.h"
#include "store/timer.h"

/* "a", 2 attempts, an id of sixteen 7s, "cdmx/mpi-cdmx", "cdmx/sedesa" */
static const char good[] = "a\x02"
                           "7777777777777777"
                           "\x0d"
                           "cdmx/mpi-cdmx"
                           "\x0b"
                           "cdmx/sedesa";
#define GOOD_SIZE (sizeof good - 1)

static void timer_init(struct timer *timer, const void *value, size_t size)
{
    *timer = (struct timer){.due_ms = 5, .sequence = 9, .size = size};
    memcpy(timer->value, value, size);
}

static void a_debt_is_read_whole(void **state)
{
    struct annex_debt debt;
    struct timer timer;

    (void)state;
    timer_init(&timer, good, GOOD_SIZE);
    assert_int_equal(annex_debt_read(&timer, &debt), RC_OK);
    assert_int_equal(debt.due_ms, 5);
    assert_int_equal(debt.sequence, 9);
    assert_int_equal(debt.attempts, 2);
    assert_memory_equal(debt.id.bytes, "7777777777777777", ID_SIZE);
    assert_string_equal(debt.holder, "cdmx/mpi-cdmx");
    assert_string_equal(debt.to, "cdmx/sedesa");
}

static void timers_of_other_kinds_are_left_alone(void **state)
{
    struct annex_debt debt;
    struct timer timer;

    (void)state;
    timer_init(&timer, "", 0);
    assert_int_equal(annex_debt_read(&timer, &debt), RC_NOT_FOUND);
    timer_init(&timer, "b", 1);
    assert_int_equal(annex_debt_read(&timer, &debt), RC_NOT_FOUND);
}

static void cut_at_any_byte_it_is_refused(void **state)
{
    struct annex_debt debt;
    struct timer timer;

    (void)state;
    for (size_t size = 1; size < GOOD_SIZE; size++) {
        timer_init(&timer, good, size);
        assert_int_equal(annex_debt_read(&timer, &debt), RC_DATA_LOSS);
    }
}

static void a_byte_too_many_is_refused(void **state)
{
    struct annex_debt debt;
    struct timer timer;

    (void)state;
    timer_init(&timer, good, GOOD_SIZE + 1);
    assert_int_equal(annex_debt_read(&timer, &debt), RC_DATA_LOSS);
}

static void a_member_longer_than_any_code_is_refused(void **state)
{
    uint8_t value[TIMER_VALUE_MAX];
    struct annex_debt debt;
    struct timer timer;

    (void)state;
    memset(value, 'x', sizeof value);
    value[0] = ANNEX_DEBT_KIND;
    value[18] = CODE_SIZE;
    value[19 + CODE_SIZE] = 1;
    timer_init(&timer, value, 19 + CODE_SIZE + 2);
    assert_int_equal(annex_debt_read(&timer, &debt), RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_debt_is_read_whole),
        cmocka_unit_test(timers_of_other_kinds_are_left_alone),
        cmocka_unit_test(cut_at_any_byte_it_is_refused),
        cmocka_unit_test(a_byte_too_many_is_refused),
        cmocka_unit_test(a_member_longer_than_any_code_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
