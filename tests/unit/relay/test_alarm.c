/* alarm: an exchange's timer and what it says, and what is no such timer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "relay/alarm.h"
#include "store/timer.h"
#include "unit/store/logstore.h"

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

/* With one clock of ten seconds from the instant 1000. */
static void open_exchange(struct exchange *exchange)
{
    struct exchange_clock *clock = &exchange->clocks[0];

    memset(exchange, 0, sizeof *exchange);
    exchange->id.bytes[0] = 7;
    exchange->opening_index = 42;
    exchange->clock_count = exchange->item_count = 1;
    snprintf(clock->rule.id, CLOCK_ID_SIZE, "F1");
    clock->rule.stop = STOP_DECIDED;
    clock->anchored = (struct exchange_act){.occurred_ms = 1000, .entered_ms = 1000};
    clock->due_ms = 11000;
    exchange->items[0].state = STATE_IN_CUSTODY;
    exchange->items[0].cadence.ends_day = CADENCE_ENDLESS;
}

static size_t timers(struct timer found[4])
{
    size_t count = 0;

    assert_int_equal(timer_due(txn, ALARM_KIND, INT64_MAX, found, 4, &count), RC_OK);
    return count;
}

static void an_exchange_has_one_timer_at_its_next_instant(void **state)
{
    struct exchange exchange;
    struct timer found[4];
    struct alarm alarm;

    (void)state;
    open_exchange(&exchange);
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK); /* nothing changed */
    assert_int_equal(timers(found), 1);
    assert_int_equal(alarm_read(&found[0], &alarm), RC_OK);
    assert_int_equal(alarm.due_ms, 6000);
    assert_true(id_equal(&alarm.exchange_id, &exchange.id));
    assert_string_equal(alarm.member, "cdmx/ssc");
    exchange.clocks[0].told = 50;
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(timers(found), 1);
    assert_int_equal(found[0].due_ms, 8500);
    exchange.clocks[0].stopped = exchange.clocks[0].anchored;
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(timers(found), 0);
    assert_int_equal(exchange_get(txn, &exchange.id, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(exchange.alarm_ms, 0);
}

static void two_holders_of_one_exchange_have_a_timer_each(void **state)
{
    struct exchange exchange;
    struct timer found[4];

    (void)state;
    open_exchange(&exchange);
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK);
    open_exchange(&exchange);
    exchange.opening_index = 43;
    assert_int_equal(alarm_keep(txn, "cdmx/mpi-cdmx", &exchange), RC_OK);
    assert_int_equal(timers(found), 2);
}

static void what_is_no_alarm_is_not_read_as_one(void **state)
{
    struct exchange exchange;
    struct timer found[4];
    struct alarm alarm;

    (void)state;
    open_exchange(&exchange);
    assert_int_equal(alarm_keep(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(timers(found), 1);
    for (size_t size = 1; size < found[0].size; size++) {
        struct timer cut = found[0];

        cut.size = size;
        assert_int_equal(alarm_read(&cut, &alarm), RC_DATA_LOSS);
    }
    found[0].value[found[0].size++] = 'x';
    assert_int_equal(alarm_read(&found[0], &alarm), RC_DATA_LOSS);
    found[0].value[0] = 'a';
    assert_int_equal(alarm_read(&found[0], &alarm), RC_NOT_FOUND);
    found[0].size = 0;
    assert_int_equal(alarm_read(&found[0], &alarm), RC_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_exchange_has_one_timer_at_its_next_instant),
        TEST(two_holders_of_one_exchange_have_a_timer_each),
        TEST(what_is_no_alarm_is_not_read_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
