#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/dbkey.h"
#include "store/dutycall.h"
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

static struct dutycall clock_at(const char *member, uint8_t exchange, uint8_t percent)
{
    struct dutycall call = {.key = {.kind = DUTYCALL_CLOCK,
                                    .exchange = {{exchange}},
                                    .item = 3,
                                    .clock = "F1",
                                    .percent = percent},
                            .route = "mpi-ssc-medidas",
                            .because = "cdmx/ssc",
                            .urgency = URGENCY_URGENT,
                            .due_ms = 1763900000000,
                            .made_at_ms = 1763890000000};

    snprintf(call.key.member, sizeof call.key.member, "%s", member);
    return call;
}

static uint64_t put(struct dutycall call)
{
    assert_int_equal(dutycall_put(txn, &call), RC_OK);
    return call.number;
}

static void reopen(void)
{
    assert_int_equal(txn_commit(txn), RC_OK);
    logstore_close(&store);
    assert_int_equal(logstore_open_db(&store), RC_OK);
    assert_int_equal(txn_write(store.db, &txn), RC_OK);
}

static void a_call_stands_after_a_restart_as_it_was_put(void **state)
{
    struct dutycall call = clock_at("cdmx/mpi-cdmx", 7, 75);
    struct dutycall found;

    (void)state;
    assert_int_equal(dutycall_put(txn, &call), RC_OK);
    reopen();
    assert_int_equal(dutycall_get(txn, &call.key, &found), RC_OK);
    assert_memory_equal(&found, &call, sizeof found);
    assert_int_equal(found.state, DUTYCALL_WAITING);
    assert_int_equal(dutycall_next(txn, false, NULL, &found), RC_OK);
    assert_memory_equal(&found, &call, sizeof found);
}

static void each_part_of_the_key_makes_another_call_and_the_same_one_makes_none(void **state)
{
    struct dutycall rows[] = {clock_at("cdmx/mpi-cdmx", 7, 50), clock_at("cdmx/mpi-cdmx", 7, 75),
                              clock_at("cdmx/mpi-cdmx", 8, 50), clock_at("cdmx/ssc", 7, 50),
                              clock_at("cdmx/mpi-cdmx", 7, 50), clock_at("cdmx/mpi-cdmx", 7, 50),
                              clock_at("cdmx/mpi-cdmx", 7, 50)};
    size_t count = sizeof rows / sizeof rows[0];
    struct dutycall again;
    struct dutycall found;
    size_t seen = 0;

    (void)state;
    rows[4].key.kind = DUTYCALL_REVIEW;
    rows[5].key.item = 4;
    snprintf(rows[6].key.clock, sizeof rows[6].key.clock, "%s", "F");
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(put(rows[i]), i + 1);
    }
    for (size_t i = 0; i < count; i++) {
        again = rows[i];
        assert_int_equal(dutycall_put(txn, &again), RC_ALREADY_EXISTS);
    }
    for (enum rc rc = dutycall_next(txn, false, NULL, &found); rc == RC_OK; seen++) {
        struct dutycall_key after = found.key;

        rc = dutycall_next(txn, false, &after, &found);
    }
    assert_int_equal(seen, count);
}

static void what_is_over_is_no_longer_open_and_is_not_put_again(void **state)
{
    struct dutycall call = clock_at("cdmx/mpi-cdmx", 7, 75);
    struct dutycall again = call;
    struct dutycall found;

    (void)state;
    put(call);
    assert_int_equal(dutycall_get(txn, &call.key, &found), RC_OK);
    found.state = DUTYCALL_TOLD;
    found.told = 1;
    found.told_at_ms = 1763890000001;
    assert_int_equal(dutycall_update(txn, &found), RC_OK);
    found.state = DUTYCALL_ANSWERED;
    found.over_at_ms = 1763890000002;
    snprintf(found.actor, sizeof found.actor, "spiffe://enlace.cdmx/member/mpi-cdmx/official/e-1");
    assert_int_equal(dutycall_update(txn, &found), RC_OK);
    assert_int_equal(dutycall_next(txn, false, NULL, &call), RC_NOT_FOUND);
    assert_int_equal(dutycall_next(txn, true, NULL, &call), RC_OK);
    assert_memory_equal(&call, &found, sizeof call);
    assert_int_equal(dutycall_find(txn, found.number, &call), RC_OK);
    assert_int_equal(dutycall_find(txn, found.number + 1, &call), RC_NOT_FOUND);
    assert_int_equal(dutycall_put(txn, &again), RC_ALREADY_EXISTS);
    assert_int_equal(dutycall_end(txn, &again.key, 1763890000003), RC_NOT_FOUND);
}

static void a_clock_that_stops_ends_its_call_and_one_that_is_reopened_makes_another(void **state)
{
    struct dutycall call = clock_at("cdmx/mpi-cdmx", 7, 100);
    uint64_t first = put(call);
    struct dutycall found;

    (void)state;
    assert_int_equal(dutycall_end(txn, &call.key, 1763890000003), RC_OK);
    assert_int_equal(dutycall_next(txn, false, NULL, &found), RC_NOT_FOUND);
    assert_int_equal(dutycall_put(txn, &call), RC_ALREADY_EXISTS);
    call.due_ms += 1;
    assert_true(put(call) > first);
    assert_int_equal(dutycall_next(txn, true, NULL, &found), RC_NOT_FOUND);
    assert_int_equal(dutycall_next(txn, false, NULL, &found), RC_OK);
}

static void damaged_rows_are_told_from_absent_ones(void **state)
{
    struct dutycall call = clock_at("cdmx/mpi-cdmx", 7, 75);
    struct dutycall found;
    uint8_t copy[512];
    struct row row;
    struct dbkey key;
    size_t size;

    (void)state;
    put(call);
    dbkey_clear(&key);
    dbkey_put_u8(&key, 0);
    assert_int_equal(table_from(txn, TABLE_DUTY, dbkey_bytes(&key), &row), RC_OK);
    dbkey_clear(&key);
    dbkey_put(&key, row.key);
    size = row.value.size;
    assert_true(size < sizeof copy);
    memcpy(copy, row.value.data, size);
    for (size_t cut = 0; cut < size; cut += 17) {
        assert_int_equal(table_put(txn, TABLE_DUTY, dbkey_bytes(&key), BYTES(copy, cut)), RC_OK);
        assert_int_equal(dutycall_get(txn, &call.key, &found), RC_DATA_LOSS);
        assert_int_equal(dutycall_next(txn, false, NULL, &found), RC_DATA_LOSS);
    }
}

static void a_failing_put_spoils_the_transaction(void **state)
{
    struct dutycall call = clock_at("cdmx/mpi-cdmx", 7, 75);

    (void)state;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        db_fail_put(store.db, nth);
        assert_int_equal(dutycall_put(txn, &call), RC_UNAVAILABLE);
        assert_int_equal(txn_commit(txn), RC_UNAVAILABLE);
        assert_int_equal(txn_write(store.db, &txn), RC_OK);
        assert_int_equal(dutycall_get(txn, &call.key, &call), RC_NOT_FOUND);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_stands_after_a_restart_as_it_was_put),
        TEST(each_part_of_the_key_makes_another_call_and_the_same_one_makes_none),
        TEST(what_is_over_is_no_longer_open_and_is_not_put_again),
        TEST(a_clock_that_stops_ends_its_call_and_one_that_is_reopened_makes_another),
        TEST(damaged_rows_are_told_from_absent_ones),
        TEST(a_failing_put_spoils_the_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
