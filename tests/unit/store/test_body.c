#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/body.h"
#include "unit/store/logstore.h"

#define MESSAGES 40

static int setup(void **state)
{
    struct logstore *store = calloc(1, sizeof *store);

    assert_non_null(store);
    logstore_make(store);
    logstore_open(store);
    *state = store;
    return 0;
}

static int teardown(void **state)
{
    logstore_remove(*state);
    free(*state);
    return 0;
}

/* Bodies of every size from nothing to several pages; each third message has none. */
static uint8_t contents[MESSAGES][MESSAGES * 257];

static struct bytes body_of(uint64_t index)
{
    memset(contents[index % MESSAGES], (int)(index + 1), sizeof contents[0]);
    return BYTES(contents[index % MESSAGES], (index % MESSAGES) * 257);
}

static enum rc put_all(struct deed *deed, struct txn *txn)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        struct leaf leaf = {.class = LEAF_RECORD};
        uint64_t index;

        TRY(auditlog_append(txn, &leaf, (struct bytes){0}, NULL, &index));
        if (index % 3 != 2) {
            TRY(body_put(txn, index, bytes_text("keys"), body_of(index)));
        }
        deed->index = index;
    }
    return RC_OK;
}

static void put_batch(struct logstore *store)
{
    struct deed deed;

    deed_init(&deed, put_all, MESSAGES);
    assert_int_equal(deed_run(store, &deed), RC_OK);
}

static uint64_t runs(struct logstore *store)
{
    uint64_t count;
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(table_count(txn, TABLE_BODY, &count), RC_OK);
    return count;
}

static void check_all(struct logstore *store, uint64_t from, uint64_t to)
{
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (uint64_t i = from; i < to; i++) {
        struct bytes keys;
        struct bytes body;
        enum rc rc = body_get(txn, i, &keys, &body);

        assert_int_equal(rc, i % 3 == 2 ? RC_NOT_FOUND : RC_OK);
        assert_true(rc != RC_OK || bytes_equal(body, body_of(i)));
    }
}

static void the_bodies_of_a_commit_are_one_row_and_each_is_found(void **state)
{
    struct logstore *store = *state;

    put_batch(store);
    put_batch(store);
    assert_int_equal(runs(store), 2);
    logstore_close(store);
    logstore_open(store);
    check_all(store, 0, 2 * MESSAGES);
}

static void a_run_goes_with_the_last_keys_of_its_messages(void **state)
{
    struct logstore *store = *state;
    struct txn *txn;

    put_batch(store);
    put_batch(store);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(runs(store), 2);
        assert_int_equal(txn_write(store->db, &txn), RC_OK);
        assert_int_equal(body_delete(txn, i), i % 3 == 2 ? RC_NOT_FOUND : RC_OK);
        assert_int_equal(txn_commit(txn), RC_OK);
    }
    assert_int_equal(runs(store), 1);
    check_all(store, MESSAGES, 2 * MESSAGES);
}

static void a_damaged_run_is_data_loss_and_is_never_read_past(void **state)
{
    struct logstore *store = *state;
    uint8_t key[8] = {0};
    uint8_t row[4 + 12 + 5];
    struct bytes keys;
    struct bytes body;
    struct txn *txn;

    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(body_put(txn, 0, bytes_text("keys"), bytes_text("body!")), RC_OK);
    put_u32(row, 1);
    put_u64(row + 4, 0);
    put_u32(row + 12, 5);
    memcpy(row + 16, "body!", 5);
    for (size_t size = 1; size <= sizeof row; size++) {
        assert_int_equal(table_put(txn, TABLE_BODY, BYTES_OF(key), BYTES(row, size)), RC_OK);
        assert_int_equal(body_get(txn, 0, &keys, &body), size == sizeof row ? RC_OK : RC_DATA_LOSS);
    }
    for (size_t at = 0; at < 16; at++) {
        row[at] ^= 0x80;
        assert_int_equal(table_put(txn, TABLE_BODY, BYTES_OF(key), BYTES_OF(row)), RC_OK);
        assert_int_equal(body_get(txn, 0, &keys, &body), RC_DATA_LOSS);
        row[at] ^= 0x80;
    }
    assert_int_equal(table_delete(txn, TABLE_BODY, BYTES_OF(key)), RC_OK);
    assert_int_equal(body_get(txn, 0, &keys, &body), RC_DATA_LOSS);
    txn_abort(txn);
}

/* The run is the batch's last put but for the tree's: its failure takes the batch along. */
static void a_run_that_cannot_be_put_takes_its_batch_along(void **state)
{
    struct logstore *store = *state;
    unsigned failures = 0;

    for (uint64_t nth = 1;; nth++) {
        struct deed deed;
        enum rc rc;

        deed_init(&deed, put_all, MESSAGES);
        db_fail_put(store->db, nth);
        rc = deed_run(store, &deed);
        db_fail_put(store->db, 0);
        if (rc == RC_OK) {
            break;
        }
        failures++;
        assert_int_equal(rc, RC_UNAVAILABLE);
        assert_int_equal(runs(store), 0);
    }
    assert_true(failures > MESSAGES);
    check_all(store, 0, MESSAGES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bodies_of_a_commit_are_one_row_and_each_is_found),
        TEST(a_run_goes_with_the_last_keys_of_its_messages),
        TEST(a_damaged_run_is_data_loss_and_is_never_read_past),
        TEST(a_run_that_cannot_be_put_takes_its_batch_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
