#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/timer.h"
#include "unit/store/logstore.h"

/* The first byte of all values here. */
#define KIND 'x'

static struct logstore store;
static struct txn *txn;

static int make(void **state)
{
    (void)state;
    logstore_make(&store);
    return logstore_open_db(&store) == RC_OK && txn_write(store.db, &txn) == RC_OK ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    txn_abort(txn);
    logstore_remove(&store);
    return 0;
}

static uint64_t set(int64_t due_ms, const char *value)
{
    uint64_t sequence;

    assert_int_equal(timer_add(txn, due_ms, bytes_text(value), &sequence), RC_OK);
    return sequence;
}

static void timers_ring_when_due_the_earliest_first(void **state)
{
    struct timer timers[8];
    size_t count;
    int64_t next;

    (void)state;
    assert_int_equal(timer_next(txn, &next), RC_NOT_FOUND);
    set(300, "xc");
    set(100, "xa");
    set(200, "xb");
    set(1763900000000, "xlater");
    assert_int_equal(timer_next(txn, &next), RC_OK);
    assert_int_equal(next, 100);
    assert_int_equal(timer_due(txn, KIND, 99, timers, 8, &count), RC_OK);
    assert_int_equal(count, 0);
    assert_int_equal(timer_due(txn, KIND, 200, timers, 8, &count), RC_OK);
    assert_int_equal(count, 2);
    assert_true(bytes_are_text(BYTES(timers[0].value, timers[0].size), "xa"));
    assert_true(bytes_are_text(BYTES(timers[1].value, timers[1].size), "xb"));
    assert_int_equal(timer_due(txn, KIND, 1000, timers, 1, &count), RC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(timer_due(txn, KIND, INT64_MAX, timers, 8, &count), RC_OK);
    assert_int_equal(count, 4);
}

static void many_may_be_due_at_one_instant(void **state)
{
    struct timer timers[600];
    size_t count;

    (void)state;
    for (int i = 0; i < 600; i++) {
        set(77, "x");
    }
    assert_int_equal(timer_due(txn, KIND, 77, timers, 600, &count), RC_OK);
    assert_int_equal(count, 600);
    for (size_t i = 1; i < count; i++) {
        assert_true(timers[i].sequence > timers[i - 1].sequence);
    }
}

static void a_number_is_never_used_twice(void **state)
{
    uint64_t first = set(50, "xfirst");
    uint64_t second;
    struct timer timer;
    size_t count;

    (void)state;
    assert_int_equal(timer_remove(txn, 50, first), RC_OK);
    assert_int_equal(timer_remove(txn, 50, first), RC_NOT_FOUND);
    assert_int_equal(txn_commit(txn), RC_OK);
    logstore_close(&store);
    assert_int_equal(logstore_open_db(&store), RC_OK);
    assert_int_equal(txn_write(store.db, &txn), RC_OK);
    second = set(50, "xsecond");
    assert_true(second > first);
    assert_int_equal(timer_remove(txn, 50, first), RC_NOT_FOUND);
    assert_int_equal(timer_due(txn, KIND, 50, &timer, 1, &count), RC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(timer.sequence, second);
}

static void kinds_share_the_table_and_own_numbers_do_not_meet_others(void **state)
{
    struct timer timers[4];
    size_t count;

    (void)state;
    set(70, "aother");
    assert_int_equal(timer_set(txn, 70, TIMER_OWN, bytes_text("xmine")), RC_OK);
    assert_int_equal(timer_set(txn, 70, TIMER_OWN, bytes_text("xtwice")), RC_ALREADY_EXISTS);
    assert_int_equal(timer_due(txn, KIND, 70, timers, 4, &count), RC_OK);
    assert_int_equal(count, 1);
    assert_true(bytes_are_text(BYTES(timers[0].value, timers[0].size), "xmine"));
    assert_int_equal(timer_due(txn, 'a', 70, timers, 4, &count), RC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(timer_remove(txn, 70, TIMER_OWN), RC_OK);
    assert_int_equal(timer_due(txn, KIND, 70, timers, 4, &count), RC_OK);
    assert_int_equal(count, 0);
}

static void values_reach_their_bound(void **state)
{
    uint8_t value[TIMER_VALUE_MAX];
    struct timer timer;
    uint64_t sequence;
    size_t count;

    (void)state;
    memset(value, KIND, sizeof value);
    assert_int_equal(timer_add(txn, 1, BYTES_OF(value), &sequence), RC_OK);
    assert_int_equal(timer_due(txn, KIND, 1, &timer, 1, &count), RC_OK);
    assert_true(bytes_equal(BYTES(timer.value, timer.size), BYTES_OF(value)));
    assert_int_equal(timer_remove(txn, 1, sequence), RC_OK);
    assert_int_equal(timer_add(txn, 1, (struct bytes){0}, &sequence), RC_OK);
    assert_int_equal(timer_due(txn, KIND, 1, &timer, 1, &count), RC_OK);
    assert_int_equal(count, 0); /* without a kind it is nobody's */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_ring_when_due_the_earliest_first),
        TEST(many_may_be_due_at_one_instant),
        TEST(a_number_is_never_used_twice),
        TEST(kinds_share_the_table_and_own_numbers_do_not_meet_others),
        TEST(values_reach_their_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
