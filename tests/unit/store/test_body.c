#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/body.h"
#include "store/logrow.h"
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

static uint64_t rows(struct logstore *store, enum table table)
{
    uint64_t count;
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(table_count(txn, table, &count), RC_OK);
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
    assert_int_equal(rows(store, TABLE_COMMIT), 4); /* leaves and bodies */
    logstore_close(store);
    logstore_open(store);
    check_all(store, 0, 2 * MESSAGES);
}

static enum rc change(struct logstore *store, uint64_t index, const char *keys)
{
    struct txn *txn;
    enum rc rc;

    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    rc = keys != NULL ? body_rewrap(txn, index, bytes_text(keys)) : body_delete(txn, index);
    assert_int_equal(txn_commit(txn), RC_OK);
    return rc;
}

static void a_row_goes_with_the_last_keys_of_its_messages(void **state)
{
    struct logstore *store = *state;

    put_batch(store);
    put_batch(store);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(rows(store, TABLE_COMMIT), 4);
        assert_int_equal(change(store, i, NULL), i % 3 == 2 ? RC_NOT_FOUND : RC_OK);
        assert_int_equal(change(store, i, NULL), RC_NOT_FOUND);
        assert_int_equal(change(store, i, "again"), RC_NOT_FOUND);
    }
    assert_int_equal(rows(store, TABLE_COMMIT), 3);
    assert_int_equal(rows(store, TABLE_KEY), 0);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(change(store, i, NULL), RC_NOT_FOUND);
    }
    check_all(store, MESSAGES, 2 * MESSAGES);
}

static void keys_that_were_wrapped_again_are_the_ones_found(void **state)
{
    struct logstore *store = *state;
    struct bytes keys;
    struct bytes body;

    put_batch(store);
    assert_int_equal(change(store, 7, "later"), RC_OK);
    assert_int_equal(change(store, 7, "last"), RC_OK);
    for (uint64_t i = 6; i < 8; i++) {
        OWN_READ(txn) = NULL;

        assert_int_equal(txn_read(store->db, &txn), RC_OK);
        assert_int_equal(body_get(txn, i, &keys, &body), RC_OK);
        assert_true(bytes_are_text(keys, i == 7 ? "last" : "keys"));
        assert_true(bytes_equal(body, body_of(i)));
    }
    assert_int_equal(change(store, MESSAGES, "none"), RC_NOT_FOUND);
}

/* In order, without those that have none and those that are gone. */
static void who_looks_for_keys_sees_each_that_is_there(void **state)
{
    struct logstore *store = *state;
    OWN_READ(txn) = NULL;
    uint64_t expected = 0;
    uint64_t found;
    uint64_t from = 0;
    struct bytes keys;

    for (int i = 0; i < 3; i++) {
        put_batch(store);
    }
    for (uint64_t i = MESSAGES - 1; i <= 2 * MESSAGES; i++) {
        assert_int_equal(change(store, i, NULL), i % 3 == 2 ? RC_NOT_FOUND : RC_OK);
    }
    assert_int_equal(change(store, 3, "again"), RC_OK);
    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (; body_next(txn, from, &found, &keys) == RC_OK; from = found + 1) {
        while (expected % 3 == 2 || (expected >= MESSAGES - 1 && expected <= 2 * MESSAGES)) {
            expected++;
        }
        assert_int_equal(found, expected++);
        assert_true(bytes_are_text(keys, found == 3 ? "again" : "keys"));
    }
    assert_true(expected >= 3 * MESSAGES - 1);
    assert_int_equal(body_next(txn, from, &found, &keys), RC_NOT_FOUND);
}

/* Every length; in the table of places, what would lead past the row or to another's body. What
 * leads elsewhere within the row is for the encryption to find. */
static void a_damaged_row_is_data_loss_and_is_never_read_past(void **state)
{
    struct logstore *store = *state;
    const uint8_t at[9] = {0, 0, 0, 0, 0, 0, 0, MESSAGES, LOGROW_BODIES};
    OWN(buffer) row = {0};
    struct bytes keys;
    struct bytes body;
    struct bytes value;
    struct txn *txn;

    put_batch(store);
    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(table_get(txn, TABLE_COMMIT, BYTES_OF(at), &value), RC_OK);
    buffer_put_bytes(&row, value);
    for (size_t size = 1; size <= row.size; size += size < 500 ? 1 : 499) {
        const bool is_whole = size == row.size;

        assert_int_equal(table_put(txn, TABLE_COMMIT, BYTES_OF(at), BYTES(row.data, size)), RC_OK);
        assert_true(is_whole || body_get(txn, MESSAGES - 1, &keys, &body) == RC_DATA_LOSS);
    }
    for (size_t i = 0; i < 16; i += i == 2 ? 2 : 1) { /* count, index, split */
        row.data[i] ^= 0x80;
        assert_int_equal(table_put(txn, TABLE_COMMIT, BYTES_OF(at), buffer_bytes(&row)), RC_OK);
        assert_int_not_equal(body_get(txn, 0, &keys, &body), RC_OK);
        row.data[i] ^= 0x80;
    }
    txn_abort(txn);
}

/* The row is the batch's last put: its failure takes the batch along. */
static void a_row_that_cannot_be_put_takes_its_batch_along(void **state)
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
        assert_int_equal(rows(store, TABLE_COMMIT), 0);
    }
    assert_true(failures > MESSAGES);
    check_all(store, 0, MESSAGES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bodies_of_a_commit_are_one_row_and_each_is_found),
        TEST(a_row_goes_with_the_last_keys_of_its_messages),
        TEST(keys_that_were_wrapped_again_are_the_ones_found),
        TEST(who_looks_for_keys_sees_each_that_is_there),
        TEST(a_damaged_row_is_data_loss_and_is_never_read_past),
        TEST(a_row_that_cannot_be_put_takes_its_batch_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
