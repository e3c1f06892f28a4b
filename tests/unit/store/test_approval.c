#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/approval.h"
#include "store/dbkey.h"
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

static struct approval waiting(uint64_t index)
{
    struct approval row = {.index = index,
                           .outcome = APPROVAL_WAITING,
                           .urgency = URGENCY_URGENT,
                           .message_id = {{1, 2, (uint8_t)index}},
                           .exchange_id = {{3}},
                           .from = "cdmx/mpi-cdmx",
                           .to = "cdmx/ssc",
                           .official = "enlace-01",
                           .since_ms = 1763900000000};

    return row;
}

static void what_waits_is_found_until_it_is_decided(void **state)
{
    struct approval first = waiting(7);
    struct approval second = waiting(9);
    struct approval found;

    (void)state;
    assert_int_equal(approval_put(txn, &second), RC_OK);
    assert_int_equal(approval_put(txn, &first), RC_OK);
    assert_int_equal(approval_next(txn, 0, &found), RC_OK);
    assert_int_equal(found.index, 7);
    assert_string_equal(found.official, "enlace-01");
    assert_int_equal(found.since_ms, first.since_ms);
    first.outcome = APPROVAL_GIVEN;
    first.decided_ms = 1763900001000;
    first.signature = (struct signature){.certificate = BYTES("certificate", 11),
                                         .signature = BYTES("signature", 9)};
    snprintf(first.by, sizeof first.by, "enlace-02");
    assert_int_equal(approval_put(txn, &first), RC_OK);
    assert_int_equal(approval_next(txn, 0, &found), RC_OK);
    assert_int_equal(found.index, 9);
    assert_int_equal(approval_next(txn, 10, &found), RC_NOT_FOUND);
    assert_int_equal(approval_get(txn, 7, &found), RC_OK);
    assert_int_equal(found.outcome, APPROVAL_GIVEN);
    assert_string_equal(found.by, "enlace-02");
    assert_true(bytes_are_text(found.signature.certificate, "certificate"));
    assert_true(bytes_are_text(found.signature.signature, "signature"));
    assert_int_equal(approval_get(txn, 8, &found), RC_NOT_FOUND);
}

static void damaged_rows_are_told_from_absent_ones(void **state)
{
    struct approval row = waiting(7);
    struct approval found;
    struct dbkey key;
    struct row raw;
    uint8_t copy[512];
    size_t size;

    (void)state;
    assert_int_equal(approval_put(txn, &row), RC_OK);
    dbkey_u64(&key, 0);
    assert_int_equal(table_from(txn, TABLE_APPROVAL, dbkey_bytes(&key), &raw), RC_OK);
    dbkey_clear(&key);
    dbkey_put(&key, raw.key);
    size = raw.value.size;
    assert_true(size < sizeof copy);
    memcpy(copy, raw.value.data, size);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(table_put(txn, TABLE_APPROVAL, dbkey_bytes(&key), BYTES(copy, cut)),
                         RC_OK);
        assert_int_equal(approval_get(txn, 7, &found), RC_DATA_LOSS);
        assert_int_equal(approval_next(txn, 0, &found), RC_DATA_LOSS);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_found_until_it_is_decided),
        TEST(damaged_rows_are_told_from_absent_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
